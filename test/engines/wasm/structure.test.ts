import { expect, test } from "vitest";
import { type Loop, plan } from "../../../src/engines/wasm/plan.ts";
import { Structures } from "../../../src/engines/wasm/structure.ts";
import { add, compile, exp, f64, graph, mul, neg, reference, stack, sub, unstack, type Value } from "../../../src/index.ts";
import { leaves } from "../../../src/ir/tree.ts";
import { wasm } from "../../../src/wasm.ts";

const values = (tree: unknown): Value[] => leaves(tree).map(({ leaf }) => leaf as Value);

test("numbers that are equal are computed once, whether they are read, compared or results", async () => {
  const g = graph({ x: f64(3) }, ({ x }) => {
    const [a, b, c] = unstack(x) as [Value, Value, Value];
    const [once, again] = [exp(mul(a, b)), exp(mul(a, b))];
    // Literals are equal by their bits, and 0 is not -0.
    const [zero, minus] = [mul(c, 0), mul(c, -0)];
    return { once, again, y: stack([add(once, c), sub(again, c), add(again, c), mul(c, 2), mul(c, 2), neg(mul(c, 2)), zero, minus]) };
  });
  const { order, equals } = new Structures().of(values(g.inputs), values(g.outputs));
  for (const [node, first] of equals!) expect([node.op, first.serial < node.serial]).toEqual([first.op, true]);
  const twice = [...equals!].map(([node]) => node.op.name).filter((n) => n !== "reshape");
  expect(twice.sort()).toEqual(["add", "exp", "mul", "mul", "mul"]);
  const { steps } = plan(values(g.inputs), values(g.outputs), { order, equals: equals! });
  const names = steps.flatMap((s) => (s as Loop).members.map((m) => m.node.op.name));
  expect(names.filter((n) => n === "exp" || n === "mul" || n === "add").sort()).toEqual(["add", "exp", "mul", "mul", "mul", "mul"]);
  const x = [0.5, -3, 7];
  const [want, got] = [(await compile(g, reference())).run({ x }), (await compile(g, wasm())).run({ x })];
  expect(got.once.data[0]).toBeCloseTo(want.once.data[0]!, 15);
  expect(got.again.data[0]).toBe(got.once.data[0]);
  expect([...got.y.data].slice(3)).toEqual([...want.y.data].slice(3));
});

test("equal arrays are left to the rewriting, which takes what reads them along", () => {
  const g = graph({ x: f64(3) }, ({ x }) => ({ y: add(exp(x), exp(x)) }));
  expect(new Structures().of(values(g.inputs), values(g.outputs)).equals).toBe(null);
});
