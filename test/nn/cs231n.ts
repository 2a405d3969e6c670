import { expect } from "vitest";
import {
  type DType,
  evaluate,
  grad,
  leaves,
  mul,
  type Operand,
  random,
  read,
  sum,
  type Tensor,
  tensor,
  type Value,
} from "../../src/index.ts";
import { tensorType } from "../../src/ir/type.ts";

/** numpy's `linspace(from, to, num=size).reshape(shape)`, f64. */
export function linspace(from: number, to: number, ...shape: readonly number[]): Tensor {
  const size = shape.reduce((a, b) => a * b, 1);
  return tensor(
    Float64Array.from({ length: size }, (_, i) => from + (i * (to - from)) / (size - 1)),
    tensorType("f64", shape),
  );
}

/** Normal numbers of a named key, f64. */
export function randn(name: string, ...shape: readonly number[]): Tensor {
  return evaluate(random.normal(random.fold(random.key(231), name), tensorType("f64" as DType, shape)));
}

/** The assignments' `rel_error`: the largest |x - y| / max(1e-8, |x| + |y|). */
export function relativeError(a: ArrayLike<number>, b: ArrayLike<number>): number {
  return Math.max(...Array.from(a, (x, i) => Math.abs(x - b[i]!) / Math.max(1e-8, Math.abs(x) + Math.abs(b[i]!))));
}

/**
 * The assignments' gradient check: of each parameter at most `count` elements, spread over it, by central differences with a step of 1e-5. The
 * largest relative error by path.
 */
export function gradientErrors<P>(
  loss: (p: P) => Value,
  at: P,
  { count = 10 }: { readonly count?: number } = {},
): Readonly<Record<string, number>> {
  return compared(loss, (p) => [read(loss(p))], [1], at, count);
}

/** The same for what is no scalar: elements are subtracted before they are multiplied by the cotangent and added up, as `eval_numerical_gradient_array` does. */
export function arrayGradientErrors<P>(f: (p: P) => Value, ct: Tensor, at: P): Readonly<Record<string, number>> {
  return compared(
    (p: P) => sum(mul(f(p), ct)),
    (p) => evaluate(f(p)).data,
    ct.data,
    at,
    10,
  );
}

function compared<P>(
  loss: (p: P) => Value,
  values: (p: P) => ArrayLike<number>,
  ct: ArrayLike<number>,
  at: P,
  count: number,
): Readonly<Record<string, number>> {
  const step = 1e-5;
  const slopes = leaves(evaluate(grad(loss as (p: never) => Value)(at as never)));
  const found: Record<string, number> = {};
  for (const [i, { leaf, path }] of leaves(at).entries()) {
    const { data, type } = leaf as Tensor;
    const checked = Array.from({ length: Math.min(count, data.length) }, (_, k) =>
      Math.floor((k * data.length) / Math.min(count, data.length)),
    );
    const numeric = checked.map((j) => {
      const valuesAt = (shift: number): ArrayLike<number> => {
        const moved = Float64Array.from(data);
        moved[j]! += shift;
        return values(replaced(at, path, tensor(moved, type)) as P);
      };
      const [above, below] = [valuesAt(step), valuesAt(-step)];
      let total = 0;
      for (let k = 0; k < ct.length; k++) total += (above[k]! - below[k]!) * ct[k]!;
      return total / (2 * step);
    });
    const slope = (slopes[i]!.leaf as Tensor).data;
    found[path] = relativeError(
      checked.map((j) => slope[j]!),
      numeric,
    );
  }
  return found;
}

/** The tree with another leaf at a path. */
function replaced(tree: unknown, path: string, leaf: Operand): unknown {
  if (path === "") return leaf;
  const [head = "", ...rest] = path.split(".");
  const inner = replaced((tree as Record<string, unknown>)[head], rest.join("."), leaf);
  return Array.isArray(tree) ? tree.map((t, i) => (String(i) === head ? inner : t)) : { ...(tree as object), [head]: inner };
}

/** A power of ten as the notebooks write it. */
const order = (power: number): string => `e${power}`;

/**
 * What the notebooks ask of an error, and what it is here. They speak of orders of magnitude: "around e-9 or less" is below 1e-8, the next power of ten.
 */
export class Thresholds {
  private readonly rows = new Map<string, { readonly part: "1" | "2"; readonly asked: number; found: number }>();

  /** Fails for an error of a higher order than the notebook's; of several checks of one name the largest error counts. */
  hold(part: "1" | "2", what: string, asked: number, error: number): void {
    expect(error, `${what}: the notebook asks for errors of the order of ${asked} or less`).toBeLessThan(10 * asked);
    const row = this.rows.get(what) ?? { part, asked, found: 0 };
    row.found = Math.max(row.found, error);
    this.rows.set(what, row);
  }

  /** The page that lists them, in Markdown. */
  page(): string {
    const table = (part: "1" | "2"): string =>
      [...this.rows]
        .filter(([, row]) => row.part === part)
        .map(([what, { asked, found }]) => {
          const here = found === 0 ? "0" : order(Math.floor(Math.log10(found)));
          return `| ${what} | ${order(Math.round(Math.log10(asked)))} | ${here} |`;
        })
        .join("\n");
    const head = "| what | asked for | here |\n|---|---|---|";
    return `# CS231n's assignments

Assignments 1 and 2 of Stanford's CS231n build a library of layers by hand and check it in notebooks: outputs for inputs that are written down, and analytic gradients against central
differences. \`test/nn/cs231n.slow.test.ts\` does the same with \`chainrule/nn\`, in f64 on the readable engine: the notebooks' inputs and expected outputs where they are numbers, shapes and scales
of theirs, drawn from our own keys, where they are random, and for their net of three layers the very numbers that numpy draws after its seed 231 (the test draws them too); differences with their step of 1e-5 and their relative error, |a - n| / max(1e-8, |a| + |n|). The notebooks name orders of
magnitude ("around e-9 or less"), which stand here as in the notebooks of 2018 and 2021; "here" is the order of the largest error found. This page is written by that test, which fails where an error is of a higher order than was asked for.

## Assignment 1: classifiers and a two-layer net

${head}
${table("1")}

Beside these: the first loss of the SVM and the softmax with small weights (9 and log 10), both classifiers trained on handwritten digits by plain SGD to more than 93 % of those held out, the
two-layer net's scores and its losses 3.4702243556 and 26.5948426952. As an example: \`examples/linear-classifier.js\`.

## Assignment 2: deep nets, convolutions, sequences

${head}
${table("2")}

Beside these: means and deviations of every normalisation, running averages, shares and means of dropout at rates 0.25, 0.4 and 0.7, nets of three layers that overfit fifty examples by
each of eleven update rules, whose steps are PyTorch's to 1e-9 in \`test/optim/trajectories.test.ts\`, a three-layer ConvNet that overfits, the loss of a caption with masked words. The bias of a layer
in front of a batch normalisation has no effect, so that its gradient is rounding on both sides, and is not compared. Language models of characters, an RNN, an LSTM and a small GPT, learn two sonnets by heart in
\`examples/char-model.js\`.
`;
  }
}
