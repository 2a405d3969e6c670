import {
  abs,
  add,
  argMax,
  binaryCrossEntropy,
  cast,
  clip,
  elu,
  equal,
  f32,
  gelu,
  greater,
  hinge,
  huber,
  i32,
  identity,
  leakyRelu,
  less,
  max,
  maxPool,
  mean,
  meanAbsoluteError,
  mul,
  type Operand,
  oneHot,
  random,
  relu,
  reshape,
  sigmoid,
  silu,
  sin,
  slice,
  softmax,
  softmaxCrossEntropy,
  square,
  sub,
  sum,
  type Tensor,
  type TensorType,
  tanh,
  type Value,
} from "chainrule";
import { conv2d, initializers, linear } from "chainrule/nn";
import * as optim from "chainrule/optim";
import type { Task } from "./data-sets.ts";
import { lossInUse } from "./losses.ts";
import type { Activation, Initial, LossName, TrainState } from "./state.ts";

/** The weights of one layer: w [inputs, outputs], or a kernel [outputs, inputs, 3, 3]; b [outputs]. */
export interface LayerParams<T = Value> {
  readonly w: T;
  readonly b: T;
}
/** The weights of a net by the names of its layers, in order: `layer1`, `layer2`, ..., `output`. */
export type Params<T = Value> = Readonly<Record<string, LayerParams<T>>>;

/** What a net is, apart from its numbers. */
export interface NetShape {
  readonly inputs: number;
  readonly outputs: number;
  readonly task: Task;
  readonly kind: TrainState["kind"];
  readonly layers: readonly number[];
  readonly activation: Activation;
}

export function shapeOf(settings: TrainState, inputs: number, task: Task, image: boolean): NetShape {
  const { layers, activation } = settings;
  const kind = image && layers.length > 0 ? settings.kind : "dense";
  return { inputs, outputs: task.kind === "classes" ? task.count : 1, task, kind, layers, activation };
}

export const activate: Readonly<Record<Activation, (x: Operand) => Value>> = {
  tanh,
  relu,
  sigmoid,
  leakyRelu: (x) => leakyRelu(x),
  elu: (x) => elu(x),
  gelu: (x) => gelu(x),
  silu,
  sin,
  identity: (x) => identity(x),
};

export const layerName = (i: number, layers: readonly number[]): string => (i === layers.length ? "output" : `layer${i + 1}`);

const initializer = (
  initial: Initial,
  activation: Activation,
): { weight?: initializers.Initializer; biasWeight?: initializers.Initializer } => {
  const zeros = initializers.zeros();
  if (initial === "xavier") return { weight: initializers.xavierUniform(), biasWeight: zeros };
  if (initial === "kaiming") {
    const nonlinearity = activation === "relu" || activation === "tanh" || activation === "sigmoid" ? activation : "relu";
    return { weight: initializers.kaimingNormal({ nonlinearity }), biasWeight: zeros };
  }
  if (initial === "small") return { weight: initializers.normal({ deviation: 0.01 }), biasWeight: zeros };
  if (initial === "large") return { weight: initializers.normal({ deviation: 2 }), biasWeight: initializers.normal({ deviation: 2 }) };
  if (initial === "zeros") return { weight: zeros, biasWeight: zeros };
  return {};
};

/** Weights of a new net: each layer draws from the seed's key folded with its name, so another layer changes no other's numbers. */
export function initParams(shape: NetShape, seed: number, initial: Initial): Params<Tensor> {
  const key = random.key(seed);
  const options = initializer(initial, shape.activation);
  const params: Record<string, LayerParams<Tensor>> = {};
  let before = shape.kind === "conv" ? 1 : shape.inputs;
  shape.layers.forEach((units, i) => {
    const name = layerName(i, shape.layers);
    const own = random.fold(key, name);
    params[name] = shape.kind === "conv" ? conv2d.init(own, before, units, 3, options) : linear.init(own, before, units, options);
    before = units;
  });
  if (shape.kind === "conv") before *= 16;
  params["output"] = linear.init(random.fold(key, "output"), before, shape.outputs, options);
  return params;
}

/** What a forward pass leaves behind: the result of each hidden layer after its activation, and the raw output [rows, outputs]. */
export interface Pass {
  readonly hidden: readonly Value[];
  readonly out: Value;
}

/** The net: linear layers with an activation each, or 3 x 3 convolutions of an 8 x 8 image, a pooling by 2 and a linear layer. */
export function forward(shape: NetShape, params: Params, x: Value): Pass {
  const rows = x.type.shape[0]!;
  const hidden: Value[] = [];
  let h: Value = shape.kind === "conv" ? reshape(x, { shape: [rows, 1, 8, 8] }) : x;
  shape.layers.forEach((_, i) => {
    const p = params[layerName(i, shape.layers)]!;
    h = activate[shape.activation](shape.kind === "conv" ? conv2d(p, h, { padding: 1 }) : linear(p, h));
    hidden.push(h);
  });
  if (shape.kind === "conv") h = reshape(maxPool(h, { size: 2 }), { shape: [rows, shape.layers.at(-1)! * 16] });
  return { hidden, out: linear(params["output"]!, h) };
}

/** The type of the right answers: numbers, or the classes' places. */
export function answerType(task: Task, rows: number): TensorType {
  return task.kind === "classes" ? i32(rows) : f32(rows);
}

/** The loss of a raw output, a mean over the rows. */
export function lossOf(task: Task, name: LossName, out: Value, y: Value): Value {
  const kind = lossInUse(task.kind, name);
  if (task.kind === "classes") {
    if (kind === "hinge") return hinge(out, y);
    if (kind === "squared") return mean(sum(square(sub(softmax(out), cast(oneHot(y, { depth: task.count }), "f32"))), { axis: 1 }));
    return softmaxCrossEntropy(out, y);
  }
  const z = reshape(out, { shape: y.type.shape });
  if (task.kind === "number")
    return kind === "absolute" ? meanAbsoluteError(z, y) : kind === "huber" ? huber(z, y) : mean(square(sub(z, y)));
  const sign = sub(mul(2, y), 1);
  if (kind === "hinge") return mean(relu(sub(1, mul(sign, z))));
  if (kind === "squared") return mul(0.5, mean(square(sub(tanh(z), sign))));
  return binaryCrossEntropy(z, y);
}

/** What the net says, for pictures: from -1 to 1 (sure of class 0, of class 1), probabilities [rows, classes], or numbers. */
export function saidOf(task: Task, name: LossName, out: Value): Value {
  if (task.kind === "classes") return softmax(out);
  const z = reshape(out, { shape: [out.type.shape[0]!] });
  if (task.kind === "number") return z;
  const kind = lossInUse(task.kind, name);
  return kind === "hinge" ? clip(z, { min: -1, max: 1 }) : kind === "squared" ? tanh(z) : tanh(mul(0.5, z));
}

/** How many rows are right, as a share; of numbers nothing is. */
export function accuracyOf(task: Task, out: Value, y: Value): Value {
  if (task.kind === "classes") return mean(cast(equal(argMax(out, { axis: 1 }), y), "f32"));
  const z = reshape(out, { shape: y.type.shape });
  return mean(cast(equal(cast(greater(z, 0), "f32"), y), "f32"));
}

/** The penalty on weights, biases left out: the sum of |w|, or half the sum of w². */
export function penaltyOf(kind: TrainState["penalty"], params: Params): Value | null {
  if (kind === "none") return null;
  return Object.values(params)
    .map(({ w }) => (kind === "l1" ? sum(abs(w)) : mul(0.5, sum(square(w)))))
    .reduce((a, b) => add(a, b));
}

/** The optimiser of the settings. A constant rate is state, and can be changed while it learns. */
export function optimizerOf({ optimizer, rate: from, schedule, stop }: TrainState, perEpoch: number): optim.Optimizer {
  const steps = Math.max(1, stop === 0 ? 100 : stop) * perEpoch;
  const rate = {
    constant: () => from,
    cosine: () => optim.cosine({ from, steps }),
    step: () => optim.step({ from, factor: 0.5, every: Math.max(1, Math.round(steps / 5)) }),
    exponential: () => optim.exponential({ from, factor: 0.01 ** (1 / steps) }),
    warmup: () => optim.cosine({ from, steps, warmup: Math.min(steps - 1, Math.max(1, Math.round(steps / 20))) }),
  }[schedule]();
  const { sgd, adam, adamW, rmsProp, adagrad, lion, muon } = optim;
  return {
    sgd: () => sgd({ rate }),
    momentum: () => sgd({ rate, momentum: 0.9 }),
    nesterov: () => sgd({ rate, momentum: 0.9, nesterov: true }),
    adam: () => adam({ rate }),
    adamW: () => adamW({ rate, decay: ["*.w"] }),
    rmsProp: () => rmsProp({ rate }),
    adagrad: () => adagrad({ rate }),
    lion: () => lion({ rate }),
    muon: () => muon({ rate }),
  }[optimizer]();
}

/** The share of a layer's units that are 0 for every row (relu), and the share of its elements where the gate is flat (sigmoid, tanh). */
export function troubleOf(activation: Activation, h: Value): { dead: Value; flat: Value } {
  const units = h.type.shape.length === 4 ? [0, 2, 3] : 0;
  const none = mul(0, mean(h));
  const dead = activation === "relu" ? mean(cast(equal(max(h, { axis: units }), 0), "f32")) : none;
  // A slope below a hundredth of the largest, as in the library's thresholds.
  if (activation === "tanh") return { dead, flat: mean(cast(less(sub(1, square(h)), 0.01), "f32")) };
  if (activation === "sigmoid") return { dead, flat: mean(cast(less(mul(4, mul(h, sub(1, h))), 0.01), "f32")) };
  return { dead, flat: none };
}

/** The first units of a layer's result, [units, rows]-wise readable: what is drawn. */
export function shownUnits(h: Value, most: number): Value {
  return h.type.shape[1]! <= most ? h : slice(h, { axis: 1, start: 0, end: most });
}
