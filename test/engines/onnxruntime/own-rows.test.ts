import * as ort from "onnxruntime-node";
import { describe, expect, test } from "vitest";
import { exported } from "../../../src/engines/onnxruntime/export.ts";
import {
  compile,
  equal,
  evaluate,
  f32,
  grad,
  graph,
  greaterEqual,
  matmul,
  mul,
  ones,
  square,
  sum,
  type Tensor,
  tensor,
  transpose,
  tril,
  triu,
  type Value,
  where,
} from "../../../src/index.ts";
import { leaves } from "../../../src/ir/tree.ts";
import { type ModelMessage, modelShape } from "../../../src/onnx/schema.ts";
import { readMessage } from "../../../src/onnx/wire.ts";
import { onnxruntime } from "../../../src/onnxruntime.ts";

const engine = onnxruntime(ort);
const odd = [1.5, -0, Number.NaN, Number.POSITIVE_INFINITY, -2, Number.NEGATIVE_INFINITY, 0, 7];

function filled(shape: readonly number[]): Tensor {
  const size = shape.reduce((a, b) => a * b, 1);
  return tensor(
    Float32Array.from({ length: size }, (_, i) => odd[(i * 3) % odd.length]!),
    f32(...shape),
  );
}

type Step = (v: { readonly x: Value }) => { readonly y: Value };

/** The operators that a step is written in, and what comes out here and there. */
async function both(shape: readonly number[], step: Step) {
  const g = graph({ x: f32(...shape) }, step);
  const values = (tree: unknown): Value[] => leaves(tree).map(({ leaf }) => leaf as Value);
  const { bytes } = exported(values(g.inputs), values(g.outputs));
  const text = new TextDecoder("latin1").decode(bytes);
  const x = filled(shape);
  const program = await compile(g, engine);
  const theirs = Array.from((await program.run({ x })).y.data);
  program.dispose();
  return { text, theirs, own: Array.from((evaluate(g({ x })) as { y: Tensor }).y.data) };
}

describe("what is masked above a diagonal", () => {
  const seen = (rows: number, columns: number, offset = 0): Value => equal(tril(ones(f32(rows, columns)), { offset }), 1);
  for (const [name, shape, step] of [
    ["with a number", [2, 3, 5, 5], ({ x }) => ({ y: where(seen(5, 5), x, -1e9) })],
    ["with 0", [2, 5, 5], ({ x }) => ({ y: where(seen(5, 5), x, 0) })],
    ["with minus infinity, more keys than queries", [3, 3, 7], ({ x }) => ({ y: where(seen(3, 7, 4), x, Number.NEGATIVE_INFINITY) })],
    ["with a number, more rows than columns", [6, 4], ({ x }) => ({ y: where(seen(6, 4, 1), x, 3) })],
  ] as [string, number[], Step][])
    test(`${name} is a lower triangle, to the last bit`, async () => {
      const { text, theirs, own } = await both(shape, step);
      expect(text).toContain("Trilu");
      expect(text).not.toContain("Where");
      theirs.forEach((v, i) => {
        expect(v, String(i)).toBe(own[i]);
      });
    });

  for (const [name, shape, step] of [
    ["of an upper triangle", [4, 4], ({ x }) => ({ y: where(equal(triu(ones(f32(4, 4))), 1), x, 2) })],
    ["with a hole", [3, 3], ({ x }) => ({ y: where(equal(tensor([[1, 0, 0], [1, 1, 0], [1, 0, 1]], "f32"), 1), x, 2) })],
    ["that begins below the first row", [4, 4], ({ x }) => ({ y: where(seen(4, 4, -1), x, 2) })],
    ["that is data", [4, 4], ({ x }) => ({ y: where(greaterEqual(x, 0), x, 2) })],
    ["with what is no number", [4, 4], ({ x }) => ({ y: where(seen(4, 4), x, mul(x, 2)) })],
  ] as [string, number[], Step][]) // biome-ignore format: a table
    test(`a mask ${name} stays a choice`, async () => {
      const { text, theirs, own } = await both(shape, step);
      expect(text).toContain("Where");
      // ONNX Runtime's choice takes the sign of -0 away.
      expect(theirs.map((v) => v + 0)).toEqual(own.map((v) => v + 0));
    });
});

test("sums over rows are products with ones, others are sums", async () => {
  const total = (axis: number | readonly number[], keepDims = false): Step => ({ x }) => ({ y: sum(x, { axis: axis as never, keepDims }) }); // biome-ignore format: short
  for (const [shape, step] of [
    [[64, 10], total(0)],
    [[2, 3, 5], total([0, 1])],
    [[1024, 3], total(0)],
  ] as [number[], Step][]) {
    const { text, theirs, own } = await both(shape, step);
    expect(text, String(shape)).not.toContain("ReduceSum");
    expect(theirs, String(shape)).toEqual(own);
  }
  for (const [shape, step] of [
    [[64, 10], total(1)],
    [[64, 10], total(0, true)],
    [[1025, 3], total(0)],
    [[2, 3, 5], total([0, 2])],
    [[7], total(0)],
  ] as [number[], Step][])
    expect((await both(shape, step)).text, String(shape)).toContain("ReduceSum");
});

test("products of heads move whole rows, and change rows for columns right before the product, where ONNX Runtime makes it part of it", async () => {
  const heads = (v: Value): Value => transpose(v, { axes: [0, 2, 1, 3] });
  const loss = (x: Value): Value => {
    const scores = matmul(heads(x), transpose(mul(x, 2), { axes: [0, 2, 3, 1] }));
    return sum(square(transpose(matmul(scores, heads(x)), { axes: [0, 2, 1, 3] })));
  };
  const x = tensor(
    Float32Array.from({ length: 2 * 5 * 3 * 4 }, (_, i) => Math.sin(i * 1.3)),
    f32(2, 5, 3, 4),
  );
  const g = graph({ x: f32(2, 5, 3, 4) }, ({ x }) => ({ dx: grad(loss)(x) }));
  const { bytes } = exported([leaves(g.inputs)[0]!.leaf as Value], [leaves(g.outputs)[0]!.leaf as Value]);
  const { graph: written } = readMessage(bytes, modelShape) as ModelMessage;
  const nodes = written!.node!;
  const makers = new Map(nodes.flatMap((n) => n.output!.map((name) => [name, n] as const)));
  for (const { op_type, attribute, input } of nodes) {
    if (op_type !== "Transpose") continue;
    const perm = attribute![0]!.ints!;
    expect([perm[3] === 3, perm.join()]).toContainEqual(perm[3] === 3 ? true : "0,1,3,2");
    if (perm[3] !== 3) expect(makers.get(input![0]!)?.op_type).not.toBe("Transpose");
  }
  const program = await compile(g, engine);
  const theirs = (await program.run({ x })).dx.data;
  program.dispose();
  const own = (evaluate(g({ x })) as { dx: Tensor }).dx.data;
  theirs.forEach((v, i) => {
    expect(Math.abs(v - own[i]!)).toBeLessThanOrEqual(1e-5 * Math.abs(own[i]!) + 1e-4);
  });
});
