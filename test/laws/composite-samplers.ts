import type { Draw } from "../../src/check/draws.ts";
import { negativeLogLikelihood, scaledDotProductAttention, softmaxCrossEntropy, type Tensor } from "../../src/index.ts";
import {
  anyTensor,
  axisOf,
  chance,
  made,
  mild,
  narrower,
  pick,
  type Sampler,
  type Shape,
  shapeOf,
  signed,
  someShape,
  truths,
  wholes,
} from "./sample.ts";

/** Numbers at least 0.02 from these kinks, which then have room for 0.015. */
function off(d: Draw, shape: Shape, kinks: readonly number[], most = 50): Tensor {
  return made(shape, () => {
    for (;;) {
      const x = signed(d, most);
      if (kinks.every((k) => Math.abs(x - k) > 0.02)) return x;
    }
  });
}

const activation =
  (kinks: readonly number[], attrs: (d: Draw) => object = () => ({})): Sampler =>
  (d) => ({ args: [off(d, shapeOf(d), kinks), attrs(d)], room: [kinks.length === 0 ? 1 : 0.015] });

const reduction = (d: Draw): object => {
  const word = pick(d, [undefined, "mean", "sum", "none"]);
  return word === undefined ? {} : { reduction: word };
};

const epsilon = (d: Draw): object => (chance(d, 0.5) ? { epsilon: pick(d, [1e-3, 1e-5]) } : {});

const labels = (d: Draw, shape: Shape, classes: number): Tensor => wholes(shape, () => d.whole(-1, classes - 1));

/** Optional operands in every combination: given, null, left out. */
function optional(d: Draw, make: () => Tensor, count: number): unknown[] {
  const given: unknown[] = [];
  for (let i = 0; i < count; i++) {
    if (chance(d, 0.25)) return given;
    given.push(chance(d, 0.2) ? null : make());
  }
  return given;
}

const softened: Sampler = (d) => {
  const shape = someShape(d, 1, 4);
  return { args: [anyTensor(d, shape, 30), ...(chance(d, 0.6) ? [{ axis: axisOf(d, shape.length) }] : [])] };
};

function channelled(d: Draw, channels: number): Tensor {
  return mild(d, [d.whole(1, 2), channels, ...shapeOf(d, 1, 2, [2, 3])]);
}

export const compositeSamplers: Readonly<Record<string, Sampler>> = {
  relu: (d) => ({ args: [off(d, shapeOf(d), [0])], room: [0.015] }),
  leakyRelu: activation([0], (d) => (chance(d, 0.6) ? { slope: pick(d, [0.2, 2]) } : {})),
  elu: activation([0], (d) => (chance(d, 0.6) ? { alpha: pick(d, [0.5, 2]) } : {})),
  selu: (d) => ({ args: [off(d, shapeOf(d), [0])], room: [0.015] }),
  celu: activation([0], (d) => (chance(d, 0.6) ? { alpha: pick(d, [0.5, 2]) } : {})),
  gelu: activation([], (d) => (chance(d, 0.7) ? { approximate: pick(d, ["none", "tanh"]) } : {})),
  silu: (d) => ({ args: [off(d, shapeOf(d), [])] }),
  mish: (d) => ({ args: [off(d, shapeOf(d), [])] }),
  hardSigmoid: (d) => ({ args: [off(d, shapeOf(d), [-3, 3])], room: [0.015] }),
  hardSwish: (d) => ({ args: [off(d, shapeOf(d), [-3, 3])], room: [0.015] }),
  softmax: softened,
  logSoftmax: softened,
  layerNormalization: (d) => {
    const shape = [...someShape(d, 0, 2), pick(d, [2, 3, 5])];
    const size = shape[shape.length - 1]!;
    return { args: [mild(d, shape), ...optional(d, () => mild(d, [size]), 2), { ...(chance(d, 0.5) && { axis: -1 }), ...epsilon(d) }] };
  },
  rmsNormalization: (d) => {
    const shape = [...someShape(d, 0, 2), pick(d, [1, 2, 3, 5])];
    const size = shape[shape.length - 1]!;
    return { args: [mild(d, shape), ...optional(d, () => mild(d, [size]), 1), epsilon(d)] };
  },
  batchMoments: (d) => ({ args: [channelled(d, 2)] }),
  batchNormalization: (d) => {
    const c = d.whole(1, 3);
    const spread = made([c], () => 0.2 + 2 * d.fraction());
    return { args: [channelled(d, c), mild(d, [c]), mild(d, [c]), mild(d, [c]), spread, epsilon(d)], room: [null, null, null, null, 0.1] };
  },
  groupNormalization: (d) => {
    const groups = d.whole(1, 2);
    const c = groups * d.whole(1, 2);
    return { args: [channelled(d, c), ...optional(d, () => mild(d, [c]), 2), { groups, ...epsilon(d) }] };
  },
  instanceNormalization: (d) => {
    const c = d.whole(1, 2);
    return { args: [channelled(d, c), ...optional(d, () => mild(d, [c]), 2), epsilon(d)] };
  },
  scaledDotProductAttention: (d) => {
    const batch = pick(d, [[], [2], [1, 2]]);
    const [nq, nk, size, width] = [d.whole(1, 3), d.whole(1, 3), d.whole(1, 3), d.whole(1, 2)];
    const causal = chance(d, 0.4) && nq === nk;
    const way = d.whole(0, 2);
    const seen = truths(d, [nq, nk]);
    // Every query sees its first key: a row that sees nothing has no meaning.
    for (let i = 0; i < nq; i++) seen.data[i * nk] = 1;
    const rest = { ...(chance(d, 0.6) && { causal }), ...(chance(d, 0.5) && { scale: 0.7 }) };
    const operands = [
      mild(d, [...batch, nq, size]),
      mild(d, [...batch, nk, size]),
      mild(d, [...batch, nk, width]),
      ...(way === 2 ? [mild(d, [nq, nk])] : []),
    ];
    return {
      args: operands,
      f: (...[q, k, v, m]: never[]) =>
        scaledDotProductAttention(q!, k!, v!, { ...rest, ...(way === 1 ? { mask: seen } : way === 2 ? { mask: m! } : {}) }),
    };
  },
  hinge: (d) => {
    const [n, classes] = [d.whole(1, 3), d.whole(2, 4)];
    // Scores on a grid of 0.5 with a little more: no margin of 1 or 0.7 is met exactly.
    const scores = made([n, classes], () => 0.5 * d.whole(-6, 6) + 0.02 + 0.03 * d.fraction());
    const margin = chance(d, 0.5) ? { margin: 0.7 } : { margin: 1.25 };
    return { args: [scores, labels(d, [n], classes), { ...margin, ...reduction(d), ...(chance(d, 0.3) && { axis: -1 }) }], room: [0.02] };
  },
  softmaxCrossEntropy: (d) => {
    const shape = [...someShape(d, 0, 2), d.whole(2, 4)];
    const attrs = { ...reduction(d), ...(chance(d, 0.4) && { labelSmoothing: 0.2 }), ...(chance(d, 0.3) && { ignoreIndex: 1 }) };
    const own = { ...attrs, ...(chance(d, 0.3) && { axis: 0 }) };
    const y = chance(d, 0.5)
      ? labels(d, own.axis === 0 ? shape.slice(1) : shape.slice(0, -1), own.axis === 0 ? shape[0]! : shape.at(-1)!)
      : made(shape, () => d.fraction());
    if (own.ignoreIndex === 1 && y.type.dtype === "i32") for (const [i, x] of y.data.entries()) if (x < 0) y.data[i] = 0;
    if (chance(d, 0.6)) return { args: [anyTensor(d, shape, 20), y, own] };
    const weights = made([own.axis === 0 ? shape[0]! : shape.at(-1)!], () => 0.2 + d.fraction());
    return {
      args: [anyTensor(d, shape, 20), y, weights],
      f: (...[z, target, w]: never[]) => softmaxCrossEntropy(z!, target!, { ...own, weights: w! }),
    };
  },
  negativeLogLikelihood: (d) => {
    const [n, classes] = [d.whole(1, 3), d.whole(2, 4)];
    const logP = made([n, classes], () => -3 * d.fraction());
    const weights = made([classes], () => 0.2 + d.fraction());
    const attrs = { ...reduction(d), ...(chance(d, 0.3) && { ignoreIndex: 0 }) };
    // Labels of which one always counts: a weighted mean of nothing is a matter of convention.
    const y = wholes([n], () => d.whole(chance(d, 0.5) ? 0 : 1, classes - 1));
    if (chance(d, 0.4)) return { args: [logP, y, attrs] };
    return {
      args: [logP, y, weights],
      f: (...[p, labelled, w]: never[]) => negativeLogLikelihood(p!, labelled!, { ...attrs, weights: w! }),
    };
  },
  meanAbsoluteError: (d) => {
    const shape = someShape(d, 0, 3);
    return { args: [off(d, shape, [0.5], 20), made(shape, () => 0.5), reduction(d)], room: [0.015, 0.015] };
  },
  smoothL1: (d) => {
    const shape = someShape(d, 0, 3);
    const beta = pick(d, [undefined, 0.5, 2]);
    const p = made(shape, () => 0.25 * d.whole(-12, 12) + 0.1 + 0.03 * d.fraction());
    const t = made(shape, () => 0.25 * d.whole(-12, 12) + 0.03 * d.fraction());
    return { args: [p, t, { ...(beta !== undefined && { beta }), ...reduction(d) }], room: [0.02, 0.02] };
  },
  cosineEmbedding: (d) => {
    const n = d.whole(1, 3);
    const [a, b] = [made([n, 3], () => 0.3 + d.fraction()), made([n, 3], () => 0.3 + d.fraction())];
    const y = wholes([n], () => pick(d, [1, -1]));
    return { args: [a, b, y, { ...(chance(d, 0.5) && { margin: -0.5 }), ...reduction(d) }], room: [0.1, 0.1] };
  },
  marginRanking: (d) => {
    const shape = someShape(d, 0, 2);
    const a = made(shape, () => 0.5 * d.whole(-6, 6) + 0.1 + 0.03 * d.fraction());
    const b = made(shape, () => 0.5 * d.whole(-6, 6) + 0.03 * d.fraction());
    const y = made(shape, () => pick(d, [1, -1]));
    return { args: [a, b, y, { ...(chance(d, 0.5) && { margin: 1 }), ...reduction(d) }], room: [0.02, 0.02, 0.001] };
  },
  tripletMargin: (d) => {
    const n = d.whole(1, 3);
    const near = made([n, 2], () => d.fraction());
    const [positive, negative] = [made([n, 2], () => 2 + d.fraction()), made([n, 2], () => 1.5 + d.fraction())];
    const ord = pick(d, [undefined, 2, 3]);
    return { args: [near, positive, negative, { margin: 5, ...(ord !== undefined && { ord }), ...reduction(d) }], room: [0.2, 0.2, 0.2] };
  },
  meanSquaredError: (d) => {
    const shape = someShape(d, 0, 3);
    return { args: [anyTensor(d, shape, 20), anyTensor(d, narrower(d, shape), 20), reduction(d)] };
  },
  binaryCrossEntropy: (d) => {
    const shape = someShape(d, 0, 3);
    return { args: [anyTensor(d, shape, 20), made(shape, () => d.fraction()), reduction(d)] };
  },
  klDivergence: (d) => {
    const shape = someShape(d, 0, 3);
    return { args: [anyTensor(d, shape, 20), made(shape, () => 0.05 + d.fraction()), reduction(d)], room: [1, 0.04] };
  },
  huber: (d) => {
    const shape = someShape(d, 0, 3);
    const delta = pick(d, [undefined, 0.5, 2]);
    const p = made(shape, () => 0.25 * d.whole(-12, 12) + 0.1 + 0.03 * d.fraction());
    const t = made(shape, () => 0.25 * d.whole(-12, 12) + 0.03 * d.fraction());
    return { args: [p, t, { ...(delta !== undefined && { delta }), ...reduction(d) }], room: [0.02, 0.02] };
  },
  classLabels: (d) => ({ args: [labels(d, [3], 4), { classes: 4, loss: "hinge" }] }),
};
