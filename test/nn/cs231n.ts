import { type DType, evaluate, grad, leaves, type Operand, random, read, type Tensor, tensor, type Value } from "../../src/index.ts";
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
  const step = 1e-5;
  const slopes = leaves(evaluate(grad(loss as (p: never) => Value)(at as never)));
  const found: Record<string, number> = {};
  for (const [i, { leaf, path }] of leaves(at).entries()) {
    const { data, type } = leaf as Tensor;
    const checked = Array.from({ length: Math.min(count, data.length) }, (_, k) =>
      Math.floor((k * data.length) / Math.min(count, data.length)),
    );
    const numeric = checked.map((j) => {
      const value = (shift: number): number => {
        const moved = Float64Array.from(data);
        moved[j]! += shift;
        return read(loss(replaced(at, path, tensor(moved, type)) as P));
      };
      return (value(step) - value(-step)) / (2 * step);
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
