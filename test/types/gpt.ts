import {
  add,
  compile,
  gelu,
  graph,
  i32,
  matmul,
  random,
  read,
  slice,
  softmaxCrossEntropy,
  transpose,
  type Value,
  type Values,
  valueAndGrad,
} from "../../src/index.ts";
import { attention, dropout, embedding, layerNorm, linear } from "../../src/nn.ts";
import { adamW, cosine, stepCount } from "../../src/optim.ts";
import { wasm } from "../../src/wasm.ts";

const width = 32;
const heads = 4;
const vocab = 96;
const T = 16;
const B = 4;
const key = random.key(0);
const block = (i: number) => {
  const k = (name: string) => random.fold(key, `block${i}/${name}`);
  return {
    ln1: layerNorm.init(width),
    attn: attention.init(k("attn"), width),
    ln2: layerNorm.init(width),
    up: linear.init(k("up"), width, 4 * width),
    down: linear.init(k("down"), 4 * width, width),
  };
};
const params = {
  tok: embedding.init(random.fold(key, "tok"), vocab, width),
  pos: embedding.init(random.fold(key, "pos"), T, width),
  blocks: [0, 1, 2, 3].map(block),
  ln: layerNorm.init(width),
};
type Params = Values<typeof params>;
const gpt = (p: Params, ids: Value, key: Value | null) => {
  const drop = (x: Value, name: string) => (key === null ? x : dropout(x, { rate: 0.1, key: random.fold(key, name) }));
  let x = add(embedding(p.tok, ids), p.pos.table);
  p.blocks.forEach((b, i) => {
    x = add(x, drop(attention(b.attn, layerNorm(b.ln1, x), { heads, causal: true }), `attn${i}`));
    x = add(x, drop(linear(b.down, gelu(linear(b.up, layerNorm(b.ln2, x)))), `mlp${i}`));
  });
  return matmul(layerNorm(p.ln, x), transpose(p.tok.table)); // tied weights: one leaf used twice
};
const adamw = adamW({
  rate: cosine({ from: 3e-4, steps: 2000, warmup: 100 }),
  weightDecay: 0.1,
  decay: ["*.w", "*.table"],
  clipNorm: 1,
});
const state = { params, opt: adamw.init(params), key: random.key(1) };
const step = graph({ ...state, ids: i32(B, T + 1) }, ({ params, opt, key, ids }) => {
  const now = random.fold(key, stepCount(opt)); // the key never changes; the step does
  const loss = (p: Params) => softmaxCrossEntropy(gpt(p, slice(ids, { axis: 1, end: -1 }), now), slice(ids, { axis: 1, start: 1 }));
  const { value, grad } = valueAndGrad(loss)(params);
  return { loss: value, ...adamw.update({ params, grad, opt }) };
});
const program = await compile(step, wasm(), { state });
console.log(read((await program.run({ ids: new Int32Array(B * (T + 1)) })).loss));
console.log(read((await program.run({ ids: new Int32Array(B * (T + 1)) })).loss));
const saved = await program.state.read();
console.log(saved.params.blocks[0]?.attn.qkv.w.data.length, saved.opt["m/tok.table"], saved.opt["step"]?.data[0]);
export const elsewhere = async (): Promise<void> => {
  const remote = await compile(step, wasm({ worker: true }), { state });
  console.log(read((await remote.run({ ids: new Int32Array(B * (T + 1)) })).loss));
  // @ts-expect-error: an engine in a worker answers later
  remote.run({ ids: new Int32Array(1) }).loss;
};
// @ts-expect-error: there are no such ids
program.run({ words: new Int32Array(1) });
