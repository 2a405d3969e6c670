import { expect, test } from "vitest";
import {
  add,
  evaluate,
  exp,
  expr,
  f64,
  grad,
  gradients,
  graph,
  hessian,
  jvp,
  matmul,
  mul,
  pow,
  print,
  read,
  scope,
  sub,
  sum,
  tensor,
  type Value,
  variable,
} from "../../src/index.ts";
import type { Node } from "../../src/ir/node.ts";

/** The nodes behind a value that are not behind the forward value. */
function backwardNodes(of: Value, forward: Value): Node[] {
  const collect = (v: Value): Set<Node> => {
    const seen = new Set([v.node]);
    for (const n of seen) for (const x of n.operands) if (x !== null) seen.add(x.node);
    return seen;
  };
  const old = collect(forward);
  return [...collect(of)].filter((n) => !old.has(n));
}

test("each node of a backward pass knows the forward node and operand it serves, and branch sums say so", () => {
  const x = variable(2, "x");
  const y = variable(3, "y");
  const product = mul(x, y);
  const f = add(product, exp(x));
  const { dx, dy } = gradients(f, { dx: x, dy: y });
  expect([dx.node.op.name, dx.node.origin, dx.node.role]).toEqual(["add", x.node, -1]);
  expect([dy.node.origin, dy.node.role]).toEqual([product.node, 1]);
  for (const node of backwardNodes(dx, f)) if (node.operands.length > 0) expect(node.origin).not.toBe(null);
});

test("the derivative of x^2 builds no logarithm, that of x^y with respect to y does", () => {
  const x = variable(-3, "x");
  const y = variable(2, "y");
  const ops = (v: Value, f: Value): string[] => backwardNodes(v, f).map((n) => n.op.name);
  const square = expr`${x}^2`;
  const { dx } = gradients(square, { dx: x });
  expect(read(dx)).toBe(-6);
  expect(ops(dx, square)).not.toContain("log");
  expect(backwardNodes(dx, square).filter((n) => n.operands.length > 0).length).toBeLessThanOrEqual(2);
  const general = pow(x, y);
  expect(ops(gradients(general, { dx: x }).dx, general)).not.toContain("log");
  expect(ops(gradients(pow(variable(3), y), { dy: y }).dy, general)).toContain("log");
});

test("only the operand that is asked about is pulled", () => {
  const a = variable(
    tensor([
      [1, 2],
      [3, 4],
    ]),
    "a",
  );
  const b = variable(
    tensor([
      [1, 0],
      [0, 1],
    ]),
    "b",
  );
  const f = sum(matmul(a, b));
  const products = (v: Value): number => backwardNodes(v, f).filter((n) => n.op === matmul).length;
  expect(products(gradients(f, { da: a }).da)).toBe(1);
  expect([...evaluate(gradients(f, { db: b }).db).data]).toEqual([4, 4, 6, 6]);
});

test("scopes nest, and nodes keep the expression they came from", () => {
  const x = variable(1, "x");
  const v = scope("net", () =>
    mul(
      scope("layer", () => add(x, 1)),
      2,
    ),
  );
  expect(v.node.where?.scope).toBe("net");
  expect(v.node.operands[0]!.node.where?.scope).toBe("net/layer");
  expect(x.node.where).toBe(null);
  const e = expr`${x} * (${x} + 1)`;
  expect(e.node.where?.span).not.toBe(null);
  expect(e.node.where?.source).toContain("(");
});

test("the derivative of a graph is a graph of the same ops: it prints and differentiates again", () => {
  const g = graph({ x: f64() }, ({ x }) => mul(x, sub(x, 1)));
  const slope = graph({ x: f64() }, ({ x }) => grad((t: Value) => g({ x: t }))(x));
  expect(print(slope as never)).toContain("mul(");
  expect(read(slope({ x: 3 }))).toBe(5);
  expect(read(grad((t: Value) => slope({ x: t }))(3))).toBe(2);
  expect(read(hessian((t: Value) => g({ x: t }))(3))).toBe(2);
  expect(read(jvp((t: Value) => slope({ x: t }))(3, 1).tangent)).toBe(2);
});
