/*
 * What the address says of the Train tab: the data, the net and how it learns. This file comes with the page's first load, so it imports nothing.
 */

export const dataNames = ["circle", "xor", "gauss", "spiral", "moons", "draw", "csv", "formula", "digits"] as const;
export type DataName = (typeof dataNames)[number];

/** What the net may see of a point (x1, x2) of the plane, by the formula that says it. */
export const featureNames = [
  "x1",
  "x2",
  "x1^2",
  "x2^2",
  "x1*x2",
  "sin(x1)",
  "sin(x2)",
  "cos(x1)",
  "cos(x2)",
  "abs(x1)",
  "abs(x2)",
  "sqrt(x1^2+x2^2)",
] as const;
export type FeatureName = (typeof featureNames)[number];

export const activations = ["tanh", "relu", "sigmoid", "leakyRelu", "elu", "gelu", "silu", "sin", "identity"] as const;
export type Activation = (typeof activations)[number];

export const losses = ["crossEntropy", "hinge", "squared", "absolute", "huber"] as const;
export type LossName = (typeof losses)[number];

export const penalties = ["none", "l1", "l2"] as const;
export type Penalty = (typeof penalties)[number];

export const optimizers = ["sgd", "momentum", "nesterov", "adam", "adamW", "rmsProp", "adagrad", "lion", "muon"] as const;
export type OptimizerName = (typeof optimizers)[number];

export const schedules = ["constant", "cosine", "step", "exponential", "warmup"] as const;
export type ScheduleName = (typeof schedules)[number];

export const initials = ["pytorch", "xavier", "kaiming", "small", "large", "zeros"] as const;
export type Initial = (typeof initials)[number];

/** What hidden layers are: fully connected, or, for images, convolutions of 3 x 3. */
export const kinds = ["dense", "conv"] as const;
export type Kind = (typeof kinds)[number];

/** How fast it goes: a batch or an epoch a picture, or as fast as it can. The curve is the same. */
export const paces = ["batch", "epoch", "full"] as const;
export type Pace = (typeof paces)[number];

/** A point that the reader drew: x1, x2, and its class, 0 or 1. */
export type DrawnPoint = readonly [number, number, number];

/** Everything that a training follows from: the same settings give the same curve. */
export interface TrainState {
  readonly data: DataName;
  /** How many points are drawn, and the noise in them, in percent. */
  readonly points: number;
  readonly noise: number;
  /** The share of the data to learn from, in percent; the rest is for testing. */
  readonly share: number;
  readonly formula: string;
  readonly csv: string;
  readonly drawn: readonly DrawnPoint[];
  readonly features: readonly FeatureName[];
  readonly kind: Kind;
  readonly layers: readonly number[];
  readonly activation: Activation;
  readonly initial: Initial;
  readonly loss: LossName;
  readonly penalty: Penalty;
  readonly penaltyRate: number;
  readonly optimizer: OptimizerName;
  readonly rate: number;
  readonly schedule: ScheduleName;
  readonly batch: number;
  readonly seed: number;
  /** Epochs after which it pauses by itself; 0: never. */
  readonly stop: number;
  readonly pace: Pace;
}

export const defaultTrain: TrainState = {
  data: "circle",
  points: 500,
  noise: 0,
  share: 50,
  formula: "sin(x) + x / 3",
  csv: "",
  drawn: [],
  features: ["x1", "x2"],
  kind: "dense",
  layers: [4, 2],
  activation: "tanh",
  initial: "pytorch",
  loss: "crossEntropy",
  penalty: "none",
  penaltyRate: 0.001,
  optimizer: "sgd",
  rate: 0.03,
  schedule: "constant",
  batch: 10,
  seed: 1,
  stop: 0,
  pace: "epoch",
};

/** What a machine with a few GB can hold and a page can draw; no caps for the lesson's sake. */
export const limits = {
  points: [10, 100_000],
  noise: [0, 100],
  share: [5, 95],
  layers: 64,
  units: 1024,
  batch: [1, 10_000],
  seed: [0, 4_294_967_295],
  stop: [0, 1_000_000_000],
  rate: [0, 1e30],
  drawn: 2000,
  formula: 500,
  /** Longer tables are not kept in the address. */
  csv: 100_000,
} as const;

function choice<T extends string>(choices: readonly T[], given: unknown, otherwise: T): T {
  return choices.find((one) => one === given) ?? otherwise;
}

function number(given: unknown, [least, most]: readonly [number, number], otherwise: number): number {
  return typeof given === "number" && given >= least && given <= most ? given : otherwise;
}

function whole(given: unknown, range: readonly [number, number], otherwise: number): number {
  return Number.isInteger(given) ? number(given, range, otherwise) : otherwise;
}

function text(given: unknown, most: number, otherwise: string): string {
  return typeof given === "string" && given.length <= most ? given : otherwise;
}

function list<T>(given: unknown, most: number, read: (item: unknown) => T | null, otherwise: readonly T[]): readonly T[] {
  if (!Array.isArray(given) || given.length > most) return otherwise;
  const items: T[] = [];
  for (const item of given) {
    const one = read(item);
    if (one === null) return otherwise;
    items.push(one);
  }
  return items;
}

function drawnPoint(given: unknown): DrawnPoint | null {
  if (!Array.isArray(given) || given.length !== 3) return null;
  const [a, b, label] = given as unknown[];
  const on = (v: unknown): v is number => typeof v === "number" && Math.abs(v) <= 6;
  return on(a) && on(b) && (label === 0 || label === 1) ? [a, b, label] : null;
}

/** What a curve and a net follow from: the settings but those that can change while it learns. */
export function identityOf({ pace: _pace, ...rest }: TrainState): string {
  const { rate, penaltyRate, stop, ...fixed } = rest;
  return JSON.stringify(fixed.schedule === "constant" ? fixed : { ...fixed, rate, stop });
}

/** Reads the slice from anything; what does not fit gets its default. */
export function readTrain(given: unknown): TrainState {
  const from = (typeof given === "object" && given !== null ? given : {}) as Readonly<Record<string, unknown>>;
  const begin = defaultTrain;
  const features = list(from["features"], featureNames.length, (f) => featureNames.find((name) => name === f) ?? null, begin.features);
  return {
    data: choice(dataNames, from["data"], begin.data),
    points: whole(from["points"], limits.points, begin.points),
    noise: number(from["noise"], limits.noise, begin.noise),
    share: number(from["share"], limits.share, begin.share),
    formula: text(from["formula"], limits.formula, begin.formula),
    csv: text(from["csv"], limits.csv, begin.csv),
    drawn: list(from["drawn"], limits.drawn, drawnPoint, begin.drawn),
    // In the order of the list, each once, and never none.
    features: features.length === 0 ? begin.features : featureNames.filter((name) => features.includes(name)),
    kind: choice(kinds, from["kind"], begin.kind),
    layers: list(
      from["layers"],
      limits.layers,
      (n) => (Number.isInteger(n) && (n as number) >= 1 && (n as number) <= limits.units ? (n as number) : null),
      begin.layers,
    ),
    activation: choice(activations, from["activation"], begin.activation),
    initial: choice(initials, from["initial"], begin.initial),
    loss: choice(losses, from["loss"], begin.loss),
    penalty: choice(penalties, from["penalty"], begin.penalty),
    penaltyRate: number(from["penaltyRate"], limits.rate, begin.penaltyRate),
    optimizer: choice(optimizers, from["optimizer"], begin.optimizer),
    rate: number(from["rate"], limits.rate, begin.rate),
    schedule: choice(schedules, from["schedule"], begin.schedule),
    batch: whole(from["batch"], limits.batch, begin.batch),
    seed: whole(from["seed"], limits.seed, begin.seed),
    stop: whole(from["stop"], limits.stop, begin.stop),
    pace: choice(paces, from["pace"], begin.pace),
  };
}
