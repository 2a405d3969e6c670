import { execFileSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { beforeAll, expect, test } from "vitest";
import { add, checkpoint, costOf, f64, grad, graph, mul, sin, sum, type Value } from "../../src/index.ts";

const length = 20_000;
const depth = 6;
const size = 8 * length;

/** What `held-bytes.js` measures, in bytes. */
let held: Readonly<Record<"plain" | "saved" | "all" | "half" | "stepwise" | "stretched", number>>;

beforeAll(() => {
  const script = fileURLToPath(new URL("held-bytes.js", import.meta.url));
  held = JSON.parse(execFileSync(process.execPath, ["--expose-gc", script], { encoding: "utf8" }));
});

/** Ten ops, each of which keeps something for the way back. */
function layer(h: Value): Value {
  let v = h;
  for (let i = 0; i < 5; i++) v = sin(mul(v, add(v, 1)));
  return v;
}

test("checkpoints lower what the arrays of a backward pass really hold, and costOf says how much", () => {
  const chain = (part: (h: Value) => Value) => (x: Value) => {
    let h = x;
    for (let i = 0; i < depth; i++) h = part(h);
    return sum(h);
  };
  expect(held.plain).toBeGreaterThan(10 * depth * size);
  expect(held.saved).toBeLessThan(0.6 * held.plain);
  const cost = (part: (h: Value) => Value) => costOf(graph({ x: f64(length) }, ({ x }) => grad(chain(part))(x))).peakBytes;
  // The estimate counts inputs and the kernel that runs; what is held is looked at between kernels.
  expect(held.plain / cost(layer)).toBeGreaterThan(0.6);
  expect(held.plain / cost(layer)).toBeLessThan(1.2);
  expect(held.saved / cost(checkpoint(layer))).toBeLessThan(1.2);
});

test("a plan really holds less than the whole", () => {
  expect(held.all).toBeGreaterThan(10 * depth * size);
  expect(held.half).toBeLessThan(0.8 * held.all);
});

test("a loop's backward pass holds a square root of its steps", () => {
  expect(held.stepwise).toBeGreaterThan(16 * size);
  expect(held.stretched).toBeLessThan(0.85 * held.stepwise);
});
