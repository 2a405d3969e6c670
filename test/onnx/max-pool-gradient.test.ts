import * as ort from "onnxruntime-node";
import { expect, test } from "vitest";
import { onnxruntime } from "../../src/engines/onnxruntime/onnxruntime.ts";
import { compile, evaluate, f32, grad, graph, maxPool, mul, relu, sum, type Tensor, tensor, type Value } from "../../src/index.ts";
import { onnx } from "../../src/onnx/onnx.ts";

const wave = (shape: readonly number[], phase: number): Tensor =>
  tensor(
    Float32Array.from({ length: shape.reduce((a, b) => a * b, 1) }, (_, i) => Math.fround(Math.sin(1.3 * i + phase))),
    f32(...shape),
  );

/** The gradient of a max pool of relu, which has ties at 0, and the operators that it is written in. */
async function written(
  shape: readonly number[],
  attrs: Parameters<typeof maxPool>[1],
): Promise<{ readonly differs: number; readonly operators: string[] }> {
  const x = wave(shape, 0.4);
  const slope = (v: Value): Value =>
    grad((u: Value) => sum(mul(maxPool(relu(u), attrs), wave(evaluate(maxPool(x, attrs)).type.shape, 2))))(v);
  const g = graph({ x: x.type }, ({ x: v }) => ({ dx: slope(v) }));
  const program = await compile(g, onnxruntime(ort as never));
  const theirs = (await program.run({ x })).dx as Tensor;
  const own = evaluate(g({ x })).dx as Tensor;
  const model = await onnx.read(onnx.write(g));
  const back = evaluate(Object.values(model.apply(model.params, { x }))[0]!);
  program.dispose();
  const most = (t: Tensor): number => Array.from(own.data).reduce((m, v, i) => Math.max(m, Math.abs(v - t.data[i]!)), 0);
  const { operators } = await onnx.inspect(onnx.write(g));
  return { differs: Math.max(most(theirs), most(back)), operators: operators.map((o) => o.operator) };
}

test("the gradient of a max pool whose windows lie side by side is a MaxUnpool", async () => {
  for (const [shape, attrs] of [
    [[2, 3, 6, 4], { size: 2 }],
    [[2, 2, 5, 7], { size: [1, 2], stride: [2, 5] }],
    [[1, 2, 6, 6], { size: 2, padding: 1 }],
    [[2, 2, 9], { size: 3 }],
    [[1, 1, 4, 4, 2], { size: 2 }],
  ] as const) {
    const { differs, operators } = await written(shape, attrs as never);
    expect(differs, String(shape)).toBe(0);
    expect(operators, String(shape)).toContain("MaxUnpool");
    expect(operators, String(shape)).not.toContain("ScatterElements");
  }
});

test("windows that overlap, or do not fill the shape, have their gradients added place by place", async () => {
  for (const [shape, attrs] of [
    [[1, 2, 6, 6], { size: 3, stride: 1 }],
    [[1, 2, 7, 7], { size: 2 }],
    [[1, 2, 8, 8], { size: 2, stride: 3, dilation: 2 }],
  ] as const) {
    const { differs, operators } = await written(shape, attrs as never);
    expect(differs, String(shape)).toBeLessThan(1e-6);
    expect(operators, String(shape)).toContain("ScatterElements");
  }
});
