import { isFloat } from "../ir/dtype.ts";
import { DomainError, DTypeError, GraphError, ShapeError } from "../ir/errors.ts";
import { isGraph } from "../ir/graph.ts";
import { input, lift, nameOf } from "../ir/leaf.ts";
import type { Value } from "../ir/node.ts";
import type { Operand } from "../ir/op.ts";
import { dense, type Held, numberOf } from "../ir/tensor.ts";
import { isLeaf, type Operands, type Values } from "../ir/tree.ts";
import { sameType, scalarType, typeText } from "../ir/type.ts";
import { declare, type Op } from "../ops/define.ts";
import { endless } from "./limits.ts";
import { placesOf } from "./loop.ts";
import { bodyOf, closeTogether, type Region, regionOf, zeroLike } from "./region.ts";
import { keptCarry, treeOf, valuesOfTree } from "./scan.ts";
import { apply, overExamples } from "./scan-op.ts";
import { pullScan } from "./scan-pull.ts";

interface WhileAttrs {
  /** Both take what is fixed, then the carries. */
  readonly test: Region;
  readonly body: Region;
  readonly fixed: number;
  readonly limit: number;
}

type WhileFn = (xs: readonly Operand[], attrs: WhileAttrs) => readonly Value[];

/** The op behind `whileLoop`. Its results are the last carries, and how many rounds were made. */
export const whileOp: Op<WhileFn> = declare<WhileFn, readonly ["xs..."]>("whileLoop", ["xs..."], {
  family: "control",
  results: "list",
  dtypes: { xs: "f64" },
  type: ({ xs, test, body }) => {
    if (!isGraph(test) || !isGraph(body)) throw new GraphError("whileLoop: its attributes test and body are no graphs");
    for (const { inputs } of [bodyOf(test), bodyOf(body)]) {
      if (inputs.length !== xs.length)
        throw new GraphError(`whileLoop: its body has ${inputs.length} inputs and ${xs.length} operands were given`);
      inputs.forEach((v, i) => {
        if (!sameType(v.type, xs[i]!))
          throw new GraphError(`whileLoop: ${nameOf(v)} is ${typeText(v.type)} in the body, and operand ${i} is ${typeText(xs[i]!)}`);
      });
    }
    return [...bodyOf(body).outputs.map((v) => v.type), scalarType("i32")];
  },
  eval: ({ xs, test, body, fixed, limit }, types, runBody) => {
    const [ask, run] = [bodyOf(test), bodyOf(body)];
    const given: Held[] = xs.map((x) => (x.type.shape.length === 0 ? x.data[0]! : x));
    let rounds = 0;
    while (numberOf(runBody(ask, given)[0]!) !== 0) {
      if (rounds === limit) throw endless(limit);
      const made = runBody(run, given);
      for (let j = 0; j < made.length; j++) given[fixed + j] = made[j]!;
      rounds++;
    }
    return types.map((t, j) => (j === types.length - 1 ? Int32Array.of(rounds) : dense(given[fixed + j]!, t).data));
  },
  batch: ({ xs, mapped, examples, test, body, fixed, limit }) =>
    overExamples(whileOp, xs, mapped.xs, examples, { test, body, fixed, limit }),
  formula: { xs: "dXs = the body backward, last round first" },
  jvp: ({ xs, d, test, body, fixed, limit, regions }) => {
    const run = bodyOf(body);
    const moving = d.xs.map((t) => t !== null);
    let forward = regions.jvp(run, placesOf(moving));
    // A carry moves if it starts to or if the body moves it.
    for (let grows = true; grows; ) {
      grows = false;
      for (const o of forward.outputs)
        if (!moving[fixed + o]) {
          moving[fixed + o] = true;
          grows = true;
        }
      if (grows) forward = regions.jvp(run, placesOf(moving));
    }
    const places = placesOf(moving);
    const tangents = forward.body.inputs.slice(run.inputs.length);
    const ofFixed = places.filter((p) => p < fixed).length;
    const carried = places.slice(ofFixed).map((p) => p - fixed);
    const ordered = (first: readonly Value[], along: readonly Value[]): Value[] => [
      ...first.slice(0, fixed),
      ...along.slice(0, ofFixed),
      ...first.slice(fixed),
      ...along.slice(ofFixed),
    ];
    const ask = bodyOf(test);
    const made = whileOp(
      ordered(
        xs,
        places.map((p) => d.xs[p] ?? zeroLike(xs[p]!)),
      ),
      {
        test: regionOf({
          inputs: ordered(
            ask.inputs,
            places.map((p) => input(xs[p]!.type, `t${p}`)),
          ),
          outputs: ask.outputs,
        }),
        body: regionOf({
          inputs: ordered(run.inputs, tangents),
          outputs: [
            ...run.outputs,
            ...carried.map((o) => {
              const k = forward.outputs.indexOf(o);
              return k < 0 ? zeroLike(run.outputs[o]!) : forward.body.outputs[k]!;
            }),
          ],
        }),
        fixed: fixed + ofFixed,
        limit,
      },
    );
    return [...run.outputs.map((_, o) => (carried.includes(o) ? made[run.outputs.length + carried.indexOf(o)]! : null)), null];
  },
  vjp: ({ xs, ct, out, body, fixed, limit, regions, wanted }) => {
    const carries = xs.length - fixed;
    const loop = {
      body: bodyOf(body),
      length: out[carries]!,
      fixed: xs.slice(0, fixed),
      init: xs.slice(fixed),
      walked: [],
      rows: limit,
      reverse: false,
      saved: null,
    };
    const asked = xs.map((v, i) => isFloat(v.type.dtype) && wanted(i));
    return { xs: pullScan(apply, loop, { carries: ct.slice(0, carries), outs: [], saved: [] }, asked, regions) };
  },
});

/** Options of `whileLoop`. */
export interface WhileOptions {
  /** More rounds than this are an error; 1,000,000 when left out. The backward pass has room for the square root of it. */
  readonly limit?: number;
}

/**
 * `whileLoop(test, body, init)`: a loop in the graph whose number of rounds depends on values. `test(carry)` is a truth value, `body(carry)` the next
 * carry; both are called once, on placeholders. The result is the first carry for which the test fails.
 *
 * Derivatives are those of the rounds that were made, at any order. Forward mode carries tangents along and keeps nothing. Reverse mode goes back
 * through the recorded number of rounds, from carries that are kept every square root of `limit` rounds; it runs the loop anew for these.
 * @throws DomainError, when it runs, if the test still holds after `limit` rounds; GraphError, ShapeError or DTypeError when the carry changes its tree
 * or type or the test is no single truth value
 */
export function whileLoop<C>(
  test: (carry: Values<C>) => Operand,
  body: (carry: Values<C>) => Operands<C>,
  init: C,
  { limit = 1_000_000 }: WhileOptions = {},
): Values<C> {
  if (!Number.isInteger(limit) || limit < 1)
    throw new DomainError(`whileLoop: limit is ${limit}; it is a whole number of rounds, 1 or more`);
  const first = valuesOfTree(init, "whileLoop", "the carry");
  const holders = (): Value[] => first.map(({ path, value }) => input(value.type, path === "" ? "carry" : `carry.${path}`));
  const asked = holders();
  const answer: unknown = test(treeOf(init, asked) as Values<C>);
  if (!isLeaf(answer)) throw new GraphError("whileLoop: the test returned no Value; it returns one truth value, as greater(x, 0) does");
  const holds = lift(answer as Operand, "bool");
  if (holds.type.dtype !== "bool")
    throw new DTypeError(`whileLoop: the test returned ${typeText(holds.type)}; it is a truth value: compare, as in greater(x, 0)`);
  if (holds.type.shape.length > 0)
    throw new ShapeError(`whileLoop: the test returned ${typeText(holds.type)}; it is one truth value, not one per element`);
  const carried = holders();
  const next = keptCarry(body(treeOf(init, carried) as Values<C>), init, carried, "whileLoop");
  const { bodies, captured } = closeTogether([
    { own: asked, outputs: [holds] },
    { own: carried, outputs: next },
  ]);
  const n = first.length;
  const [ask, run] = bodies.map(({ inputs, outputs }) => regionOf({ inputs: [...inputs.slice(n), ...inputs.slice(0, n)], outputs }));
  const results = whileOp([...captured, ...first.map(({ value }) => value)], { test: ask!, body: run!, fixed: captured.length, limit });
  return treeOf(init, results.slice(0, n)) as Values<C>;
}
