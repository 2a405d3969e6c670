import { expect, test } from "vitest";
import { call } from "../../src/control/call.ts";
import {
  add,
  at,
  concat,
  evaluate,
  f32,
  f64,
  grad,
  graph,
  i32,
  mul,
  named,
  read,
  scope,
  sum,
  tensor,
  transpose,
  variable,
} from "../../src/index.ts";
import { check } from "../../src/ir/check.ts";
import { printGraph } from "../../src/ir/text/print-graph.ts";
import { parse } from "../../src/notation/graph-text.ts";

const inner = graph({ a: f64(2), b: f64() }, ({ a, b }) => ({ out: mul(a, b), total: sum(a) }));

const graphs = {
  small: graph({ x: f64(2, 3), p: { w: f64(3), list: [f64(), f32(2)] } }, ({ x, p }) => ({
    loss: named(
      sum(
        scope("layer", () => mul(x, p.w)),
        { axis: -1 },
      ),
      'the "loss"',
    ),
    rest: [p.list[0], add(transpose(x), 0.1)],
  })),
  constants: graph({ n: i32() }, ({ n }) => ({ n, c: concat([tensor([1, -0, Number.NaN, Infinity]), variable([0.1, 1e-300], "v")]) })),
  region: graph({ x: f64(2) }, ({ x }) => {
    const { out, total } = call(inner, { a: x, b: 3 });
    return { y: sum(mul(out, total)) };
  }),
  nothing: graph({}, () => ({})),
};

test.each(Object.keys(graphs) as (keyof typeof graphs)[])("print and parse are inverses: %s", (name) => {
  const text = printGraph(graphs[name] as never);
  expect(printGraph(parse(text) as never)).toBe(text);
});

test("the text form reads as it does in the documents", () => {
  expect(printGraph(graph({ x: f64(2) }, ({ x }) => ({ y: sum(mul(x, 2)) })) as never)).toBe(
    [
      "graph {",
      '  %0: f64[2] = input as "x"',
      "  %1: f64[] = constant 2",
      "  %2: f64[2] = mul(%0, %1)",
      "  %3: f64[] = sum(%2) {axis: [0], keepDims: false}",
      "  inputs {x: %0}",
      "  outputs {y: %3}",
      "}",
      "",
    ].join("\n"),
  );
});

test("a parsed graph computes the same, large constants travel beside the text", () => {
  const big = tensor(new Float64Array(100).map((_, i) => i / 7));
  const g = graph({ x: f64(100) }, ({ x }) => ({ y: sum(mul(x, big)) }));
  const tensors = {};
  const text = printGraph(g as never, { tensors });
  expect(text).toContain("constant @t0");
  const back = parse(text, { tensors });
  const x = new Float64Array(100).fill(2);
  expect(read(back({ x })["y"]!)).toBe(read(g({ x }).y));
  expect(() => parse(text)).toThrow("graph text, line 3, column 27: tensor @t0 is not beside the text");
});

test("call is one node, and derivatives of any order go through it and reach what it closes over", () => {
  const k = variable(5, "k");
  const cube = graph({ x: f64() }, ({ x }) => mul(mul(x, x), mul(x, k)));
  const f = (x: Parameters<typeof cube>[0]["x"]) => call(cube, { x });
  expect(read(f(2))).toBe(40);
  expect(read(grad((x: import("../../src/index.ts").Value) => f(x))(2))).toBe(60);
  expect(read(grad(grad((x: import("../../src/index.ts").Value) => f(x)))(2))).toBe(60);
  expect(
    read(
      grad(
        grad((x: import("../../src/index.ts").Value) => f(x), { mode: "forward" }),
        { mode: "forward" },
      )(2),
    ),
  ).toBe(60);
  expect(
    read(
      grad((k: import("../../src/index.ts").Value) =>
        call(
          graph({ x: f64() }, ({ x }) => mul(x, mul(k, k))),
          { x: 7 },
        ),
      )(3),
    ),
  ).toBe(42);
  expect(evaluate(call(inner, { a: tensor([1, 2]), b: 3 })).out.data).toEqual(Float64Array.of(3, 6));
  expect(() => call(inner, { a: tensor([1, 2, 3]), b: 3 })).toThrow("a is f64[2]; f64[3] was given");
});

test.each([
  ["", "graph text, line 1, column 1: expected graph, found the end"],
  ["graph {\n  inputs {}\n  outputs {}\n", "graph text, line 4, column 1: expected }, found the end"],
  [
    "graph {\n  %0: f64[] = add(%0, %0)\n  inputs {}\n  outputs {y: %0}\n}",
    "graph text, line 2, column 19: %0 is used before it is defined; operands come first, cycles are no graphs",
  ],
  [
    "graph {\n  %0: f64[2] = input\n  %1: f64[] = nope(%0)\n  inputs {x: %0}\n  outputs {y: %1}\n}",
    "graph text, line 3, column 15: nope is no known op; ops from outside are passed to parse in { ops: [...] }",
  ],
  [
    "graph {\n  %0: f64[2] = input\n  %1: f64[3] = mul(%0, %0)\n  inputs {x: %0}\n  outputs {y: %1}\n}",
    "graph text, line 3, column 16: mul gives f64[2], the text says f64[3]",
  ],
  ["graph {\n  %0: f65[2] = input\n  inputs {x: %0}\n  outputs {}\n}", "graph text, line 2, column 7: f65 is no dtype"],
  ["graph {\n  %0: i32[] = constant 0.5\n  inputs {}\n  outputs {y: %0}\n}", "graph text, line 2, column 24: i32 cannot hold 0.5"],
  [
    "graph {\n  %0: f64[2] = input\n  %1: f64[2] = mul(%0)\n  inputs {x: %0}\n  outputs {y: %1}\n}",
    "graph text, line 3, column 16: mul has 1 operands; it takes x, y",
  ],
  [`graph {\n  inputs ${"[".repeat(100)}`, "data nested deeper than 64"],
  ["graph {\n  inputs {}\n  outputs {}\n} more", 'graph text, line 4, column 3: expected the end, found "more"'],
])("a text that is no graph is one clear error (%#)", (text, message) => {
  expect(() => parse(text)).toThrow(message);
});

test("check warns of what is probably not meant", () => {
  const v = variable(1, "v");
  const g = graph({ x: f64(), unused: f64() }, ({ x }) => ({ y: mul(x, Number.NaN), z: add(v, 1), w: at(tensor([1, 2]), 0) }));
  expect(check(g as never)).toEqual([
    "a constant f64[] holds NaN or an infinity",
    "v is a variable inside the graph; its value is fixed there: make it an input to change it",
    "input unused is not used; its gradient is zero",
    "z depends on no input",
    "w depends on no input",
  ]);
});
