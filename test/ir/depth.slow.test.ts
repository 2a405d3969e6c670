import { expect, test, vi } from "vitest";
import { add, f64, gradients, graph, infix, jvp, parse, print, read, type Value, variable } from "../../src/index.ts";

// Seconds each; minutes on a machine that does ten other things.
vi.setConfig({ testTimeout: 300_000 });
const million = 1_000_000;

function chain(x: Value): Value {
  let y = x;
  for (let i = 0; i < million; i++) y = add(y, x);
  return y;
}

test("a million chained nodes build, evaluate and differentiate in both modes", () => {
  const x = variable(1, "x");
  const y = chain(x);
  expect(read(gradients(y, { dx: x }).dx)).toBe(million + 1);
  expect(read(y)).toBe(million + 1);
  expect(read(jvp(chain)(1, 1).tangent)).toBe(million + 1);
});

test("a million chained nodes print, and the text reads back", () => {
  const g = graph({ x: f64() }, ({ x }) => ({ y: chain(x) }));
  const text = print(g as never);
  expect(text.length).toBeGreaterThan(20 * million);
  expect(read(parse(text)({ x: 1 })["y"]!)).toBe(million + 1);
});

test("a million chained nodes have a formula", () => {
  expect(infix(chain(variable(1, "x"))).length).toBeGreaterThan(2 * million);
});
