import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import { compile, evaluate, grad, graph, reference, sum, tensor, type Value } from "../../src/index.ts";
import { onnx } from "../../src/onnx/onnx.ts";
import { operatorNames } from "../../src/onnx/operators.ts";
import { wasm } from "../../src/wasm.ts";
import { modelBytes, node, port, wholes } from "./build-model.ts";

test("docs/onnx.md lists every operator that is read, and no other", () => {
  const page = readFileSync(fileURLToPath(new URL("../../docs/onnx.md", import.meta.url)), "utf8");
  const table = page.slice(page.indexOf("## Operators"), page.indexOf("An `If` whose"));
  const listed = [...table.matchAll(/\b[A-Z][A-Za-z0-9]+\b/g)]
    .map(([word]) => word)
    .filter((word) => word !== "Read" && word !== "Operators");
  expect([...new Set(listed)].sort()).toEqual(operatorNames());
});

/** What a model of one node says when it is applied to numbers 0, 1, 2, ... of the shapes given. */
async function refusal(
  op: string,
  shapes: readonly (readonly number[])[],
  attributes: Parameters<typeof node>[3] = {},
  { settings = [], opset = 28, element = 1 }: { settings?: readonly (readonly number[])[]; opset?: number; element?: number } = {},
): Promise<string> {
  const names = shapes.map((_, i) => `x${i}`);
  const model = await onnx.read(
    modelBytes({
      nodes: [node(op, [...names, ...settings.map((_, i) => `s${i}`)], ["y"], attributes)],
      inputs: shapes.map((shape, i) => port(`x${i}`, shape, element)),
      weights: settings.map((numbers, i) => wholes(`s${i}`, numbers)),
      opset,
    }),
  );
  const data = shapes.map((shape, i) => [
    `x${i}`,
    tensor(
      Float64Array.from({ length: shape.reduce((a, b) => a * b, 1) }, (_, k) => k),
      { kind: "type", dtype: element === 1 ? "f32" : "i32", shape },
    ),
  ]);
  try {
    evaluate(model.apply(model.params, Object.fromEntries(data)));
    return "nothing";
  } catch (error) {
    return (error as Error).message;
  }
}

describe("inverse hyperbolic functions and Softsign are right where formulas cancel or overflow, with their slopes", () => {
  const [inf, none] = [Number.POSITIVE_INFINITY, Number.NaN];
  // Math.asinh and its like; the slopes by hand: 1 / sqrt(x^2 + 1), 1 / sqrt(x^2 - 1), 1 / (1 - x^2), 1 / (1 + |x|)^2.
  const cases: readonly (readonly [op: string, at: readonly number[], values: readonly number[], slopes: readonly number[]])[] = [
    [
      "Asinh",
      [0, 1e-20, 0.75, -0.75, 1e20, -3e38, inf, -inf],
      [0, 1e-20, Math.log(2), -Math.log(2), Math.asinh(1e20), Math.asinh(-3e38), inf, -inf],
      [1, 1, 0.8, 0.8, 1e-20, 0, 0, 0],
    ],
    ["Acosh", [1, 1.25, 3e38, inf, 0.5, -1e4], [0, Math.log(2), Math.acosh(3e38), inf, none, none], [inf, 4 / 3, 0, 0, none, none]],
    ["Atanh", [0, 1e-20, 0.6, -0.6, 1, 2], [0, 1e-20, Math.log(2), -Math.log(2), inf, none], [1, 1, 1 / 0.64, 1 / 0.64, inf, -1 / 3]],
    ["Softsign", [0, 1, -3, 3e38, inf, -inf], [0, 0.5, -0.75, 1, 1, -1], [1, 0.25, 1 / 16, 0, 0, 0]],
  ];
  test.each(cases)("%s", async (op, at, values, slopes) => {
    const nodes = [node(op, ["x"], ["y"])];
    const model = await onnx.read(modelBytes({ nodes, inputs: [port("x", [at.length])], outputs: [port("y", [at.length])] }));
    const x = tensor(at, "f32");
    const f = (x: Value): Value => model.apply(model.params, { x })["y"]!;
    for (const engine of [reference(), wasm()]) {
      const program = await compile(
        graph({ x: x.type }, (given) => ({ y: f(given.x), slope: grad((v: Value) => sum(f(v)))(given.x) })),
        engine,
      );
      const found = program.run({ x });
      for (const [got, wanted] of [
        [found.y, values],
        [found.slope, slopes],
      ] as const)
        wanted.forEach((number, i) => {
          const near = Math.abs(got.data[i]! - number) <= 3e-7 * Math.abs(number) + 1e-38;
          expect([at[i], got.data[i], Object.is(got.data[i], number) || near]).toEqual([at[i], got.data[i], true]);
        });
    }
  });
});

test("operators on bits, images, spectra and states say what does not fit", async () => {
  expect(await refusal("BitwiseAnd", [[2], [2]])).toContain("its operand 0 is f32; bits are those of whole numbers");
  expect(await refusal("BitCast", [[2]], { to: 6 })).toContain(
    "it takes the bits of f32 for i32; only whole numbers of one size are supported",
  );
  expect(await refusal("AffineGrid", [[1, 2, 3]], {}, { settings: [[1, 1, 4]] })).toContain(
    "its size has 1 axes of space; 2 and 3 are supported",
  );
  expect(
    await refusal("GridSample", [
      [1, 1, 2, 2],
      [1, 2, 2, 3],
    ]),
  ).toContain("its grid is [1,2,2,3]; for 2 axes of space it is [1, ...places, 2]");
  expect(
    await refusal(
      "GridSample",
      [
        [1, 1, 2, 2],
        [1, 2, 2, 2],
      ],
      { mode: "best" },
    ),
  ).toContain("mode best is none of linear, nearest and cubic");
  expect(
    await refusal(
      "GridSample",
      [
        [1, 1, 2, 2],
        [1, 2, 2, 2],
      ],
      { padding_mode: "wrap" },
    ),
  ).toContain("padding_mode wrap is none of zeros");
  expect(
    await refusal("GridSample", [
      [1, 1, 0, 2],
      [1, 2, 2, 2],
    ]),
  ).toContain("its operand 0 has no elements to sample");
  expect(
    await refusal(
      "Col2Im",
      [[1, 5, 2]],
      {},
      {
        settings: [
          [2, 2],
          [1, 2],
        ],
      },
    ),
  ).toContain("its operand is [1,5,2]; an image of [2,2] has 2 blocks of 2 elements a channel");
  expect(await refusal("DFT", [[1, 4, 3]])).toContain("the last axis of its operand has 3 elements; complex numbers have 1 (real) or 2");
  expect(await refusal("DFT", [[1, 4, 1]], { axis: 2 }, { opset: 17 })).toContain(
    "its axis is the last one, on which complex numbers have their parts",
  );
  expect(await refusal("DFT", [[1, 4, 1]], {}, { settings: [[0]] })).toContain("its length is 0; a transform has 1 element or more");
  expect(await refusal("STFT", [[1, 4, 1]], {}, { settings: [[2], [1, 1, 1, 1, 1]] })).toContain(
    "its frames of 5 elements, 2 apart, do not fit a signal of 4",
  );
  expect(await refusal("MelWeightMatrix", [], {}, { settings: [[0], [8], [8000], [0], [4000]] })).toContain("it makes 5 rows of 0 bands");
  expect(await refusal("MelWeightMatrix", [], {}, { settings: [[2], [8], [100], [0], [4000]] })).toContain(
    "reaches beyond the 5 rows of the spectrum",
  );
  expect(
    await refusal(
      "CausalConvWithState",
      [
        [1, 2, 4],
        [2, 1, 2],
      ],
      { activation: "gelu" },
    ),
  ).toContain("activation gelu is none of none, silu and swish");
  const three = [
    [1, 2, 6],
    [1, 2, 4],
    [1, 2, 4],
  ];
  expect(await refusal("LinearAttention", three, { q_num_heads: 3, kv_num_heads: 2 })).toContain(
    "3 heads of queries do not share 2 heads of keys evenly",
  );
  expect(await refusal("LinearAttention", three, { q_num_heads: 2, kv_num_heads: 2, update_rule: "hebb" })).toContain(
    "update_rule hebb is none of linear",
  );
});
