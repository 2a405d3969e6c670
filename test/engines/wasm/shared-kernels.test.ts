import { expect, test } from "vitest";
import { lowered } from "../../../src/engines/wasm/lower.ts";
import { compileModule } from "../../../src/engines/wasm/module.ts";
import { plan } from "../../../src/engines/wasm/plan.ts";
import { add, digamma, f64, input, lgamma, mod, mul, polygamma, type Value } from "../../../src/index.ts";
import { answers, matrices } from "../../linalg/compiled.ts";

/** Bytes of the module for a function of a single number. */
function bytes(f: (x: Value) => Value): number {
  const x = input(f64(), "x");
  const low = lowered([x], [f(x)]);
  return compileModule(plan(low.inputs, low.outputs), { shared: null, fused: false, threads: 1 }).bytes.length;
}

test("what an op wrote itself is one function for all of its applications to the same types", () => {
  const chain = (count: number) => (x: Value) => Array.from({ length: count }).reduce<Value>((y) => lgamma(add(digamma(y), 9)), x);
  const [one, many] = [bytes(chain(1)), bytes(chain(101))];
  expect(many - one).toBeLessThan(100 * 160);
  // Other attributes are another function.
  expect(bytes((x) => add(polygamma(x, { order: 1 }), polygamma(x, { order: 2 })))).toBeGreaterThan(
    bytes((x) => add(polygamma(x, { order: 1 }), polygamma(mul(x, 3), { order: 1 }))) + 500,
  );
});

test("each of them leaves its own answer to the host", async () => {
  const [x, y, zero] = [Float64Array.of(5, -7, 9), Float64Array.of(3, 3, -4), Float64Array.of(0, 1, 2)];
  const { got, want, left } = await answers(
    [x, y, zero].map((v) => matrices(v, 3)),
    (a: Value, b: Value, c: Value) => ({
      first: mod(a, b),
      second: mod(b, c),
      third: mod(c, a),
      fourth: mod(a, c),
    }),
  );
  expect(got).toEqual(want);
  expect(got[1]![0]).toBeNaN();
  expect(left).toBeGreaterThan(0);
  const orders = await answers([matrices(x, 3)], (v: Value) => ({
    a: polygamma(v, { order: 1 }),
    b: polygamma(v, { order: 3 }),
    c: polygamma(v, { order: 1 }),
  }));
  expect(orders.got[0]).toEqual(orders.got[2]);
  expect(orders.got[0]![0]).not.toBe(orders.got[1]![0]);
});
