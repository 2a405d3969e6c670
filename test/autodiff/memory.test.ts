import { expect, test } from "vitest";
import { between } from "../../src/autodiff/pullback.ts";
import { add, constant, grad, gradients, mul, neg, read, type Value, variable } from "../../src/index.ts";
import { isKept, type Node } from "../../src/ir/node.ts";

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

test("only what is asked for is built: no log node in the gradient of a square", () => {
  const x = variable(-3, "x");
  const { dx } = gradients(neg(mul(x, x)), { dx: x });
  expect(read(dx)).toBe(6);
});
