import { type Dataset, dataset } from "../../src/data/dataset.ts";
import {
  add,
  argMax,
  equal,
  evaluate,
  f32,
  i32,
  matmul,
  mean,
  mul,
  random,
  relu,
  softmaxCrossEntropy,
  type Tensor,
  tensor,
  type Value,
  type Values,
} from "../../src/index.ts";

/** A small net of two layers on data that it can learn, the same for the same seed. */
export interface TwoLayers {
  readonly fc1: { readonly w: Tensor; readonly b: Tensor };
  readonly fc2: { readonly w: Tensor; readonly b: Tensor };
}

const normal = (key: Tensor, ...shape: number[]): Tensor => evaluate(mul(Math.sqrt(2 / shape[0]!), random.normal(key, f32(...shape))));

/** Fresh parameters for 4 numbers in, `hidden` units and 3 classes out. */
export function twoLayers(seed = 0, hidden = 8): TwoLayers {
  const key = random.key(seed);
  return {
    fc1: { w: normal(random.fold(key, "fc1"), 4, hidden), b: tensor(new Float32Array(hidden)) },
    fc2: { w: normal(random.fold(key, "fc2"), hidden, 3), b: tensor(new Float32Array(3)) },
  };
}

/** Logits of the net. */
export function logitsOf(p: Values<TwoLayers>, x: Value): Value {
  return add(matmul(relu(add(matmul(x, p.fc1.w), p.fc1.b)), p.fc2.w), p.fc2.b);
}

/** Loss and accuracy. */
export function lossOf(p: Values<TwoLayers>, { x, y }: { readonly x: Value; readonly y: Value }): { loss: Value; accuracy: Value } {
  const logits = logitsOf(p, x);
  return { loss: softmaxCrossEntropy(logits, y), accuracy: mean(equal(argMax(logits, { axis: 1 }), y)) };
}

/** Rows of three clouds, class by class. */
export function clouds(rows: number, seed = 0): Dataset<{ readonly x: Tensor; readonly y: Tensor }> {
  const noise = evaluate(random.normal(random.key(seed + 1000), f32(rows, 4))).data as Float32Array;
  const y = Int32Array.from({ length: rows }, (_, i) => i % 3);
  const x = noise.map((n, i) => 0.5 * n + (i % 4 === y[Math.floor(i / 4)]! ? 1.5 : 0));
  return dataset({ x: tensor(x, f32(rows, 4)), y: tensor(y, i32(rows)) });
}
