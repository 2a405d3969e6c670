import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { expect, test } from "vitest";
import { between } from "../../src/autodiff/pullback.ts";
import {
  add,
  at,
  constant,
  div,
  grad,
  gradients,
  mul,
  neg,
  read,
  reshape,
  stack,
  sub,
  sum,
  type Value,
  variable,
} from "../../src/index.ts";
import { isKept, type Node, nextSerial } from "../../src/ir/node.ts";

/** Every node reachable from a value. */
function reachable(v: Value): Set<Node> {
  const seen = new Set<Node>([v.node]);
  for (const node of seen) for (const x of node.operands) if (x !== null) seen.add(x.node);
  return seen;
}

test("a value that no transform or variable needs forgets its history once it is read", () => {
  let x: Value = constant(1);
  for (let i = 0; i < 1000; i++) {
    x = add(mul(x, 0.5), 1);
    read(x);
  }
  expect(reachable(x).size).toBe(1);
});

test("variables keep their history, and intermediate values of theirs can be asked about after reading", () => {
  const x = variable(3, "x");
  const q = mul(x, x);
  const f = mul(q, x);
  expect(read(f)).toBe(27);
  expect(isKept(q)).toBe(true);
  expect(read(gradients(f, { dq: q }).dq)).toBe(3);
});

test("a transform's argument is kept while the transform runs, to any order, and forgotten after it", () => {
  const slope = grad((t: Value) => {
    const g = grad((s: Value) => mul(mul(s, s), t))(t);
    read(g);
    return mul(g, t);
  })(2);
  expect(read(slope)).toBe(24);
  expect(reachable(slope).size).toBe(1);
});

test("asking for the gradient of a constant is a lesson", () => {
  const c = constant(2);
  expect(() => gradients(mul(c, variable(1, "x")), { dc: c })).toThrow(
    "gradients: dc is a constant; make it variable(…) to ask for its gradient",
  );
});

test("the walk toward wrt never visits older nodes", () => {
  const w = variable(2, "w");
  let x: Value = w;
  for (let i = 0; i < 1000; i++) x = add(x, w);
  let visited = 0;
  const probe = grad((p: Value) => {
    const y = mul(p, x);
    visited = between([y], [p]).order.length;
    return y;
  })(x);
  expect(read(probe)).toBe(2002);
  expect(visited).toBe(2);
});

/** GradBench's particle path with a force by differentiation in every step; the outer derivative goes through the whole loop. */
function path(w: Value): Value {
  const charge = stack([10, sub(10, w)]);
  const fixed = stack([10, 0]);
  const inverse = (p: Value, c: Value): Value => {
    const d = sub(p, c);
    return div(1, reshape(sum(mul(d, d)), { shape: [] }));
  };
  const force = grad((p: Value) => add(inverse(p, charge), inverse(p, fixed)));
  let x: Value = stack([0, 8]);
  let v: Value = stack([0.75, 0]);
  for (;;) {
    const next = add(x, mul(0.1, v));
    if (read(at(next, 1)) <= 0) break;
    v = sub(v, mul(0.1, force(x)));
    x = next;
  }
  const end = sub(at(x, 0), mul(div(at(x, 1), at(v, 1)), at(v, 0)));
  return mul(end, end);
}

test("derivatives through a host loop with derivatives inside agree with differences", () => {
  const d = read(grad(path)(0.1));
  const h = 1e-5;
  const numeric = (read(path(constant(0.1 + h))) - read(path(constant(0.1 - h)))) / (2 * h);
  expect(Math.abs(d - numeric)).toBeLessThan(1e-5 * Math.max(1, Math.abs(numeric)));
  expect(read(grad(path, { mode: "forward" })(0.1))).toBeCloseTo(d, 8);
});

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
  expect(reachable(w).size).toBe(1);
  expect(held).toBeLessThan(20 * 2 ** 20);
});

test("only what is asked for is built: no log node in the gradient of a square", () => {
  const x = variable(-3, "x");
  const { dx } = gradients(neg(mul(x, x)), { dx: x });
  expect(read(dx)).toBe(6);
});
