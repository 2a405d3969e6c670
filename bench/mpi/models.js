// What the bench trains on ranks: a model, its data in whole batches, and its optimiser, by name.
import { dataset } from "../../dist/data.js";
import {
  evaluate,
  f32,
  gelu,
  i32,
  matmul,
  maxPool,
  random,
  relu,
  slice,
  softmaxCrossEntropy,
  tensor,
  transpose,
} from "../../dist/index.js";
import { conv2d, embedding, flatten, initializers, layerNorm, linear, positions, transformerBlock } from "../../dist/nn.js";
import { adamW, sgd } from "../../dist/optim.js";

const under = (name) => random.fold(random.key(1), String(name));
const labelled = (rows, ...shape) => ({
  x: evaluate(random.normal(under("x"), f32(rows, ...shape))),
  y: tensor(Int32Array.from({ length: rows }, (_, i) => (i * 7) % 10)),
});

export const models = {
  /** Dense layers 784-512-512-10, batch 256. */
  mlp: () => {
    const sizes = [784, 512, 512, 10];
    return {
      batch: 256,
      data: dataset(labelled(512, 784)),
      params: { layers: sizes.slice(1).map((n, i) => linear.init(under(i), sizes[i], n)) },
      loss: (p, { x, y }) =>
        softmaxCrossEntropy(
          p.layers.reduce((h, q, i) => (i === 2 ? linear(q, h) : relu(linear(q, h))), x),
          y,
        ),
      optimizer: sgd({ rate: 0.01 }),
    };
  },
  /** 28 x 28 x 1, 3 x 3 x 32, 3 x 3 x 64, pooled by 2, 128, 10, batch 32. */
  convnet: () => ({
    batch: 32,
    data: dataset(labelled(64, 1, 28, 28)),
    params: {
      c1: conv2d.init(under("c1"), 1, 32, 3),
      c2: conv2d.init(under("c2"), 32, 64, 3),
      fc1: linear.init(under("fc1"), 9216, 128),
      fc2: linear.init(under("fc2"), 128, 10),
    },
    loss: (p, { x, y }) => {
      const pooled = maxPool(relu(conv2d(p.c2, relu(conv2d(p.c1, x)))), { size: 2 });
      return softmaxCrossEntropy(linear(p.fc2, relu(linear(p.fc1, flatten(pooled)))), y);
    },
    optimizer: sgd({ rate: 0.01 }),
  }),
  /** 4 layers, width 128, 4 heads, 64 tokens, 256 words, the table used twice, batch 8. */
  gpt: () => {
    const [tokens, width, heads, words] = [64, 128, 4, 256];
    const weight = initializers.normal({ deviation: 0.02 });
    return {
      batch: 8,
      data: dataset({
        ids: tensor(
          Int32Array.from({ length: 16 * (tokens + 1) }, (_, i) => (i * 31 + i * i * 7) % words),
          i32(16, tokens + 1),
        ),
      }),
      params: {
        tok: embedding.init(under("tok"), words, width, { weight }),
        pos: positions.init(under("pos"), tokens, width, { weight }),
        blocks: [0, 1, 2, 3].map((i) => transformerBlock.init(under(i), width)),
        norm: layerNorm.init(width),
      },
      loss: (p, { ids }) => {
        const activation = (x) => gelu(x, { approximate: "tanh" });
        const first = positions(p.pos, embedding(p.tok, slice(ids, { axis: 1, end: -1 })));
        const last = p.blocks.reduce((h, block) => transformerBlock(block, h, { heads, causal: true, activation }), first);
        return softmaxCrossEntropy(matmul(layerNorm(p.norm, last), transpose(p.tok.table)), slice(ids, { axis: 1, start: 1 }));
      },
      optimizer: adamW({ rate: 3e-4, weightDecay: 0.1 }),
    };
  },
};
