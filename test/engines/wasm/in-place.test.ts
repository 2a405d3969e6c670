import { expect, test } from "vitest";
import { lowered } from "../../../src/engines/wasm/lower.ts";
import { plan } from "../../../src/engines/wasm/plan.ts";
import {
  add,
  compile,
  div,
  evaluate,
  exp,
  f32,
  graph,
  max,
  mul,
  random,
  reference,
  sub,
  sum,
  transpose,
  type Value,
} from "../../../src/index.ts";
import { leaves } from "../../../src/ir/tree.ts";
import { wasm } from "../../../src/wasm.ts";
import { firstApart } from "./tolerances.ts";

const axes = { axis: 0, keepDims: true };

/** Arrays that programs need at once, in arrays of one size, and whether both engines agree on them. */
async function arrays(shape: readonly number[], f: (x: Value) => Value): Promise<number> {
  const made = graph({ x: f32(...shape) }, ({ x }) => ({ y: f(x) }));
  const x = evaluate(random.normal(random.key(3), f32(...shape)));
  const want = (await compile(made, reference())).run({ x }).y.data;
  const got = (await compile(made, wasm())).run({ x }).y.data;
  expect(firstApart(want as never, got as never, Float64Array.from(want as never, (y: number) => 1e-5 * (1 + Math.abs(y))) as never)).toBe(
    null,
  );
  const inputs = leaves(made.inputs).map(({ leaf }) => leaf as Value);
  const low = lowered(inputs, leaves(made.outputs).map(({ leaf }) => leaf as Value)); // biome-ignore format: one call
  return Math.floor(plan(low.inputs, low.outputs).bytes / (4 * shape.reduce((a, b) => a * b, 1)));
}

// Rows that end within a vector, too: what a vector has beyond the end of a row may not go over what is still to be read.
test.each([[[64, 100]], [[50, 103]], [[211, 31]]])("a loop over %j writes over what nobody reads after it", async (shape) => {
  const chain = (x: Value): Value => {
    const y = exp(mul(x, 0.1));
    const z = div(y, sum(y, axes));
    const w = sub(z, max(z, axes));
    return sum(mul(w, add(w, max(w, axes))));
  };
  expect(await arrays(shape, chain)).toBe(1);
});

test("what is read later, in another order or by a sum stays", async () => {
  const later = (x: Value): Value => {
    const y = exp(mul(x, 0.1));
    const z = div(y, sum(y, axes));
    return sum(mul(add(z, max(z, axes)), y));
  };
  expect(await arrays([60, 60], later)).toBe(2);
  const turned = (x: Value): Value => {
    const y = exp(mul(x, 0.1));
    const z = add(div(y, sum(y, axes)), transpose(y));
    return sum(mul(z, max(z, axes)));
  };
  expect(await arrays([60, 60], turned)).toBe(2);
});
