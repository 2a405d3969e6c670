import { expect, test } from "vitest";
import {
  exp,
  f32,
  f64,
  graph,
  i32,
  logSoftmax,
  type Operand,
  softmax,
  softmaxCrossEntropy,
  sub,
  type TensorType,
  type Value,
} from "../../src/index.ts";
import { onnx } from "../../src/onnx.ts";

async function operators(types: Record<string, TensorType>, f: (given: Record<string, Value>) => unknown): Promise<Record<string, number>> {
  const g = graph(types, f as (given: unknown) => Record<string, Value>);
  const { operators } = await onnx.inspect(onnx.write(g));
  return Object.fromEntries(operators.map(({ operator, count }) => [operator, count]));
}

test("a softmax in f32, and its logarithm, are the operators that ONNX has for them, along any one axis", async () => {
  expect(await operators({ x: f32(2, 3, 4) }, ({ x }) => ({ y: softmax(x!, { axis: 1 }) }))).toMatchObject({ Softmax: 1 });
  const both = await operators({ x: f32(2, 3) }, ({ x }) => ({ y: softmax(x!), z: logSoftmax(x!) }));
  expect(both).toMatchObject({ Softmax: 1, LogSoftmax: 1 });
  expect(Object.keys(both)).not.toContain("Exp");
});

test("one in f64, over two axes, or whose exponentials are wanted too, is written step by step", async () => {
  expect(await operators({ x: f64(2, 3) }, ({ x }) => ({ y: logSoftmax(x!) }))).toMatchObject({ Exp: 1, ReduceMax: 1 });
  expect(await operators({ x: f32(2, 3) }, ({ x }) => ({ y: softmax(x!, { axis: [0, 1] }) }))).toMatchObject({ Exp: 1 });
  const wanted = await operators({ x: f32(2, 3) }, ({ x }) => {
    const y = softmax(x!);
    return { y, e: y.node.operands[0]! };
  });
  expect(wanted).toMatchObject({ Exp: 1, Div: 1 });
  const other = (x: Operand): Value => exp(sub(x, 1));
  expect(await operators({ x: f32(2, 3) }, ({ x }) => ({ y: other(x!) }))).toMatchObject({ Exp: 1 });
});

test("labels are checked in five nodes, and nodes whose results nobody takes are not written", async () => {
  const loss = await operators({ x: f32(4, 3), y: i32(4) }, ({ x, y }) => ({ loss: softmaxCrossEntropy(x!, y!) }));
  expect(loss).toMatchObject({ Clip: 2, Abs: 1, Gather: 1, LogSoftmax: 1 });
  expect(Object.values(loss).reduce((a, b) => a + b, 0)).toBeLessThan(24);
});
