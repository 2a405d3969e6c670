import { isFloat } from "../ir/dtype.ts";
import { DTypeError, GraphError, ShapeError } from "../ir/errors.ts";
import { isGraph } from "../ir/graph.ts";
import { isType, lift, nameOf } from "../ir/leaf.ts";
import { nextSerial, type Value } from "../ir/node.ts";
import type { Body, Operand } from "../ir/op.ts";
import { dense } from "../ir/tensor.ts";
import { match, type Values } from "../ir/tree.ts";
import { sameType, type TensorType, typeText } from "../ir/type.ts";
import { declare, type Op } from "../ops/define.ts";
import { bodyOf, closeTogether, type Region, regionOf, zeroLike } from "./region.ts";
import { treeOf } from "./scan.ts";
import { overExamples } from "./scan-op.ts";

interface CondAttrs {
  /** Both take all of xs. */
  readonly yes: Region;
  readonly no: Region;
}

type CondFn = (test: Operand, xs: readonly Operand[], attrs: CondAttrs) => readonly Value[];

function checkTest(type: TensorType, who: string): void {
  if (type.dtype !== "bool")
    throw new DTypeError(`${who}: the test is ${typeText(type)}; it is a truth value: compare, as in greater(x, 0)`, { op: who });
  if (type.shape.length > 0)
    throw new ShapeError(`${who}: the test is ${typeText(type)}; it is one truth value: use where to choose element by element`, {
      op: who,
    });
}

/** The op behind `cond`: two regions over the same operands, of which one runs. */
export const condOp: Op<CondFn> = declare<CondFn, readonly ["test", "xs..."]>("cond", ["test", "xs..."], {
  family: "control",
  results: "list",
  dtypes: { test: "bool", xs: "f64" },
  type: ({ test, xs, yes, no }) => {
    checkTest(test, "cond");
    if (!isGraph(yes) || !isGraph(no)) throw new GraphError("cond: its attributes yes and no are no graphs");
    const [a, b] = [bodyOf(yes), bodyOf(no)];
    for (const { inputs } of [a, b]) {
      if (inputs.length !== xs.length)
        throw new GraphError(`cond: a branch has ${inputs.length} inputs and ${xs.length} operands were given`);
      inputs.forEach((v, i) => {
        if (!sameType(v.type, xs[i]!))
          throw new GraphError(`cond: ${nameOf(v)} is ${typeText(v.type)} in a branch, and operand ${i} is ${typeText(xs[i]!)}`);
      });
    }
    if (a.outputs.length !== b.outputs.length || a.outputs.some((v, i) => !sameType(v.type, b.outputs[i]!.type)))
      throw new GraphError("cond: its two branches give results of different types");
    return a.outputs.map((v) => v.type);
  },
  eval: ({ test, xs, yes, no }, types, runBody) => {
    const held = runBody(
      bodyOf(test.data[0] ? yes : no),
      xs.map((x) => (x.type.shape.length === 0 ? x.data[0]! : x)),
    );
    return types.map((t, i) => dense(held[i]!, t).data);
  },
  batch: ({ test, xs, yes, no, mapped, examples, regions }) => {
    if (mapped.test) return overExamples(condOp, [test, ...xs], [true, ...mapped.xs], examples, { yes, no });
    const many = (region: Region): Region => {
      const body = bodyOf(region);
      const all = body.outputs.map(() => true);
      return regionOf(regions.batch(body, mapped.xs, examples, all).body);
    };
    return condOp(test, xs, { yes: many(yes), no: many(no) });
  },
  formula: { xs: "dXs = backward of the branch that was taken" },
  jvp: ({ test, xs, d, yes, no, regions }) => {
    const moving = d.xs.flatMap((t, i) => (t === null ? [] : [i]));
    const [a, b] = [yes, no].map((region) => regions.jvp(bodyOf(region), moving)) as [Pushed, Pushed];
    const { outputs } = bodyOf(yes);
    const reached = outputs.flatMap((_, o) => (a.outputs.includes(o) || b.outputs.includes(o) ? [o] : []));
    const region = ({ body, outputs: own }: Pushed): Region =>
      regionOf({
        inputs: body.inputs,
        outputs: reached.map((o) => (own.includes(o) ? body.outputs[own.indexOf(o)]! : zeroLike(outputs[o]!))),
      });
    const made = condOp(test, [...xs, ...moving.map((i) => d.xs[i]!)], { yes: region(a), no: region(b) });
    return outputs.map((_, o) => (reached.includes(o) ? made[reached.indexOf(o)]! : null));
  },
  vjp: ({ test, xs, ct, yes, no, regions, wanted }) => {
    const asked = xs.flatMap((v, i) => (isFloat(v.type.dtype) && wanted(i + 1) ? [i] : []));
    const arriving = ct.flatMap((c, i) => (c === null ? [] : [i]));
    const back = (region: Region): Region => regionOf(regions.vjp(bodyOf(region), asked, arriving).body);
    const made = condOp(test, [...xs, ...arriving.map((i) => ct[i]!)], { yes: back(yes), no: back(no) });
    return { test: null, xs: xs.map((_, i) => (asked.includes(i) ? made[asked.indexOf(i)]! : null)) };
  },
});

interface Pushed {
  readonly body: Body;
  readonly outputs: readonly number[];
}

/**
 * `cond(test, yes, no)`: a choice in the graph. Both functions are called once, to be written down; when the graph runs, the branch that
 * `test` chooses is computed and the other is not. They use what they need of their surroundings, take no arguments, and return trees of one kind.
 * Derivatives of any order and both modes are those of the branch taken.
 *
 * `where` chooses element by element and computes both sides; `cond` is for branches that are dear, or that would fail or be NaN where they are not
 * taken. Where the test can be read, a plain `if (read(test))` will do.
 * @throws DTypeError or ShapeError when the test is no single truth value, or when a leaf has two types; GraphError for two trees
 */
export function cond<R>(test: Operand, then: () => R, otherwise: () => R): Values<R> {
  const chosen = lift(test, "bool");
  checkTest(chosen.type, "cond");
  const since = nextSerial();
  const [a, b] = [then(), otherwise()];
  const pairs = match(b, a, "cond: what otherwise returns").map(({ path, given, wanted }) => {
    if (isType(given) || isType(wanted)) throw new GraphError(`cond: result ${path} is a type and has no value`);
    const [x, y] = [wanted as Operand, given as Operand];
    const first = lift(x, typeof y === "number" ? "f64" : lift(y, "f64").type.dtype);
    const second = lift(y, first.type.dtype);
    if (!sameType(first.type, second.type)) {
      const text = `cond: ${path === "" ? "the result" : path} is ${typeText(first.type)} from then and ${typeText(second.type)} from otherwise; both branches give one type`;
      if (first.type.dtype !== second.type.dtype) throw new DTypeError(`${text}: write cast(..., "${first.type.dtype}")`);
      throw new ShapeError(`${text}: expand or reshape one of them`);
    }
    return [first, second] as const;
  });
  const { bodies, captured } = closeTogether(
    [0, 1].map((k) => ({ own: [], outputs: pairs.map((pair) => pair[k]!) })),
    since,
  );
  const results = condOp(chosen, captured, { yes: regionOf(bodies[0]!), no: regionOf(bodies[1]!) });
  return treeOf(a, results) as Values<R>;
}
