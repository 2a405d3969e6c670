import {
  add,
  at,
  concat,
  constant,
  conv,
  f32,
  gather,
  gelu,
  graph,
  i64,
  layerNormalization,
  matmul,
  reshape,
  scaledDotProductAttention,
  scope,
  type Tensor,
  tanh,
  tensor,
  transpose,
  type Value,
} from "../../src/index.ts";
import { onnx } from "../../src/onnx/onnx.ts";

const width = 768;
const heads = 12;

/** Weights that look random and are cheap to make; each tensor begins elsewhere among the numbers. */
const noise: Float32Array = Float32Array.from({ length: 2 ** 16 + 7919 }, (_, i) => 0.03 * Math.sin(i * i));
let made = 0;

function weight(...shape: number[]): Tensor {
  const data = new Float32Array(shape.reduce((a, b) => a * b, 1));
  const first = (made += 613) % 7919;
  for (let i = 0; i < data.length; i += 2 ** 16) data.set(noise.subarray(first, first + Math.min(2 ** 16, data.length - i)), i);
  return tensor(data, f32(...shape));
}

const dense = (name: string, x: Value, out: number): Value =>
  scope(name, () => add(matmul(x, constant(weight(x.type.shape.at(-1)!, out))), constant(weight(out))));
const ones = (): Tensor => tensor(new Float32Array(width).fill(1), f32(width));
const norm = (name: string, x: Value): Value => scope(name, () => layerNormalization(x, constant(ones()), constant(weight(width))));

function attention(x: Value): Value {
  const tokens = x.type.shape[1]!;
  const split = (y: Value): Value => transpose(reshape(y, { shape: [1, tokens, heads, width / heads] }), { axes: [0, 2, 1, 3] });
  const y = scaledDotProductAttention(split(dense("q", x, width)), split(dense("k", x, width)), split(dense("v", x, width)), {});
  return dense("proj", reshape(transpose(y, { axes: [0, 2, 1, 3] }), { shape: [1, tokens, width] }), width);
}

const feed = (x: Value): Value => dense("out", gelu(dense("in", x, 4 * width)), width);

/** ViT-B/16 (Dosovitskiy et al. 2020): patches of 16 x 16, 12 blocks of width 768, 1000 classes; 86 million weights. */
export function vitBase(): Uint8Array {
  const g = graph({ image: f32(1, 3, 224, 224) }, ({ image }) => {
    const patches = conv(image, constant(weight(width, 3, 16, 16)), { stride: 16 });
    const rows = transpose(reshape(patches, { shape: [1, width, 196] }), { axes: [0, 2, 1] });
    let x = add(concat([constant(weight(1, 1, width)), add(rows, constant(weight(width)))], { axis: 1 }), constant(weight(197, width)));
    for (let i = 0; i < 12; i++)
      x = scope(`block${i}`, () => {
        const y = add(
          x,
          scope("attn", () => attention(norm("ln_1", x))),
        );
        return add(
          y,
          scope("mlp", () => feed(norm("ln_2", y))),
        );
      });
    return { logits: dense("head", reshape(at(norm("ln", x), 0, 0), { shape: [1, width] }), 1000) };
  });
  return onnx.write(g);
}

/** BERT base (Devlin et al. 2018): 12 blocks of width 768 that normalise behind, a vocabulary of 30,522, 64 tokens, two classes; 109 million weights. */
export function bertBase(): Uint8Array {
  const g = graph({ ids: i64(1, 64), segments: i64(1, 64) }, ({ ids, segments }) => {
    const words = gather(constant(weight(30522, width)), ids, { axis: 0 });
    const kinds = gather(constant(weight(2, width)), segments, { axis: 0 });
    let x = norm("embed", add(add(words, kinds), constant(weight(64, width))));
    for (let i = 0; i < 12; i++)
      x = scope(`layer${i}`, () => {
        const y = norm(
          "ln_1",
          add(
            x,
            scope("attn", () => attention(x)),
          ),
        );
        return norm(
          "ln_2",
          add(
            y,
            scope("mlp", () => feed(y)),
          ),
        );
      });
    return { logits: dense("classifier", tanh(dense("pooler", reshape(at(x, 0, 0), { shape: [1, width] }), width)), 2) };
  });
  return onnx.write(g);
}
