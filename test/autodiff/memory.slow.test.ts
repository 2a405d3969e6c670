import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { expect, test } from "vitest";
import { constant, grad, mul, read, sub, type Value } from "../../src/index.ts";
import { nextSerial } from "../../src/ir/node.ts";
import { path } from "./particle-path.ts";

test("a descent through such loops holds little memory at the end", () => {
  setFlagsFromString("--expose-gc");
  const gc = runInNewContext("gc") as () => void;
  const slope = grad(path);
  gc();
  const before = process.memoryUsage().heapUsed;
  let w: Value = constant(0);
  let made = 0;
  for (let i = 0; i < 12; i++) {
    const from = nextSerial();
    w = sub(w, mul(1e-5, slope(w)));
    read(w);
    made += nextSerial() - from;
  }
  gc();
  const held = process.memoryUsage().heapUsed - before;
  expect(made).toBeGreaterThan(200_000);
  expect(w.node.operands.length).toBe(0);
  expect(held).toBeLessThan(20 * 2 ** 20);
});
