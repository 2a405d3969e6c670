import {
  add,
  constant,
  conv,
  f32,
  gather,
  gelu,
  graph,
  i64,
  layerNormalization,
  matmul,
  maxPool,
  mean,
  relu,
  reshape,
  scaledDotProductAttention,
  scope,
  type Tensor,
  tensor,
  transpose,
  type Value,
} from "../../src/index.ts";
import { onnx } from "../../src/onnx.ts";

/** Weights with a little of everything, cheap to make: numbers from a sine over and over, the first of each tensor its own. */
const noise = Float32Array.from({ length: 1 << 16 }, (_, i) => 0.02 * Math.sin(i * i));

let made = 0;

function weight(...shape: number[]): Tensor {
  const data = new Float32Array(shape.reduce((a, b) => a * b, 1));
  for (let i = 0; i < data.length; i += noise.length) data.set(noise.subarray(0, Math.min(noise.length, data.length - i)), i);
  data[0] = 0.001 * ++made;
  return tensor(data, f32(...shape));
}

/** ResNet-50 (He et al. 2015, table 1) with its batch normalisations folded: 54 products, 25.5 million weights, as a model file. */
export function resnet50(): Uint8Array {
  const unit = (name: string, x: Value, out: number, size: number, stride: number): Value =>
    scope(name, () =>
      add(conv(x, constant(weight(out, x.type.shape[1]!, size, size)), { stride, padding: size >> 1 }), constant(weight(out, 1, 1))),
    );
  const block = (x: Value, width: number, stride: number, first: boolean): Value => {
    const a = relu(unit("conv1", x, width, 1, 1));
    const b = relu(unit("conv2", a, width, 3, stride));
    const c = unit("conv3", b, 4 * width, 1, 1);
    return relu(add(c, first ? unit("downsample", x, 4 * width, 1, stride) : x));
  };
  const g = graph({ image: f32(1, 3, 224, 224) }, ({ image }) => {
    let x = maxPool(relu(unit("stem", image, 64, 7, 2)), { size: 3, stride: 2, padding: 1 });
    [3, 4, 6, 3].forEach((count, layer) => {
      x = scope(`layer${layer + 1}`, () => {
        let y = x;
        for (let i = 0; i < count; i++) y = scope(`block${i}`, () => block(y, 64 << layer, i === 0 && layer > 0 ? 2 : 1, i === 0));
        return y;
      });
    });
    return { logits: scope("fc", () => add(matmul(mean(x, { axis: [2, 3] }), constant(weight(2048, 1000))), constant(weight(1000)))) };
  });
  return onnx.write(g);
}

/** GPT-2 small (Radford et al. 2019): 12 blocks of width 768, a vocabulary of 50,257, 64 tokens; 124 million weights, as a model file. */
export function gpt2(): Uint8Array {
  const width = 768;
  const heads = 12;
  const tokens = 64;
  const dense = (name: string, x: Value, out: number): Value =>
    scope(name, () => add(matmul(x, constant(weight(x.type.shape.at(-1)!, out))), constant(weight(out))));
  const norm = (name: string, x: Value): Value =>
    scope(name, () => layerNormalization(x, constant(weight(width)), constant(weight(width))));
  const split = (x: Value): Value => transpose(reshape(x, { shape: [1, tokens, heads, width / heads] }), { axes: [0, 2, 1, 3] });
  const g = graph({ ids: i64(1, tokens) }, ({ ids }) => {
    const table = constant(weight(50257, width));
    let x: Value = scope("embed", () => add(gather(table, ids, { axis: 0 }), constant(weight(tokens, width))));
    for (let i = 0; i < 12; i++)
      x = scope(`h${i}`, () => {
        const attended = scope("attn", () => {
          const n = norm("ln_1", x);
          const y = scaledDotProductAttention(split(dense("q", n, width)), split(dense("k", n, width)), split(dense("v", n, width)), {
            causal: true,
          });
          return dense("proj", reshape(transpose(y, { axes: [0, 2, 1, 3] }), { shape: [1, tokens, width] }), width);
        });
        const y = add(x, attended);
        return add(
          y,
          scope("mlp", () => dense("out", gelu(dense("in", norm("ln_2", y), 4 * width)), width)),
        );
      });
    return { logits: matmul(norm("ln_f", x), transpose(table)) };
  });
  return onnx.write(g);
}
