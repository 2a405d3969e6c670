import { evaluate, read } from "../evaluate/evaluate.ts";
import { type DType, isFloat } from "../ir/dtype.ts";
import { DomainError, DTypeError, GraphError, ShapeError } from "../ir/errors.ts";
import type { Value } from "../ir/node.ts";
import { sizeOf } from "../ir/shape.ts";
import type { Tensor } from "../ir/tensor.ts";
import { f64, type TensorType, typeText } from "../ir/type.ts";
import { qr } from "../linalg/index.ts";
import { checkOptionNames, kindText } from "../notation/given.ts";
import { add, mul } from "../ops/arithmetic.ts";
import { cast } from "../ops/elementwise/cast.ts";
import { equal } from "../ops/elementwise/comparison.ts";
import { sign } from "../ops/elementwise/rounding.ts";
import { where } from "../ops/elementwise/select.ts";
import { erf } from "../ops/elementwise/special.ts";
import { full } from "../ops/linear/constants.ts";
import { diag } from "../ops/linear/diag.ts";
import { reshape } from "../ops/linear/reshape.ts";
import { transpose } from "../ops/linear/transpose.ts";
import { inverseNormal } from "../random/inverse-normal.ts";
import { normal as normalNumbers, uniform as uniformNumbers } from "../random/random.ts";

/** How many numbers each element of a result is a sum of (`in`), and how many results each element of an input goes into (`out`). */
export interface Fans {
  readonly in: number;
  readonly out: number;
}

/** Makes the first value of a parameter: of a type, from a key, for a layer with these fans. The same key gives the same numbers. */
export type Initializer = (key: Tensor, type: TensorType, fans: Fans) => Tensor;

/** The nonlinearity that follows a layer; `gain` says what it does to the spread of numbers. */
export type Nonlinearity = "linear" | "sigmoid" | "tanh" | "relu" | "leakyRelu" | "selu";

/** Options of the Kaiming initialisers. */
export interface KaimingOptions {
  /** "in" keeps the spread of the values on the way forward, "out" that of the gradients on the way back. "in" when left out. */
  readonly mode?: "in" | "out";
  /** "relu" when left out. */
  readonly nonlinearity?: Nonlinearity;
  /** The slope of leakyRelu below 0; 0.01 when left out. */
  readonly slope?: number;
}

function drawn(who: string, type: TensorType, make: () => Value): Tensor {
  if (!isFloat(type.dtype)) throw new DTypeError(`${who}: the type is ${typeText(type)}; parameters are floats`, { op: who });
  return evaluate(make());
}

function checkScale(who: string, name: string, x: number): void {
  if (!(x >= 0 && x < Number.POSITIVE_INFINITY)) throw new DomainError(`${who}: ${name} is ${x}; it is a number of 0 or more`, { op: who });
}

/**
 * The factor that keeps the spread of numbers through a nonlinearity, as PyTorch's `calculate_gain`: 1 for linear and sigmoid, 5/3 for tanh,
 * sqrt(2) for relu, sqrt(2 / (1 + slope^2)) for leakyRelu, 3/4 for selu. Source: He et al., 2015 (relu, leakyRelu); PyTorch (the others).
 * @throws DomainError for another name
 */
export function gain(nonlinearity: Nonlinearity, slope = 0.01): number {
  const gains: Readonly<Record<string, number>> = {
    linear: 1,
    sigmoid: 1,
    tanh: 5 / 3,
    relu: Math.SQRT2,
    leakyRelu: Math.sqrt(2 / (1 + slope * slope)),
    selu: 3 / 4,
  };
  const found = gains[nonlinearity];
  if (found === undefined)
    throw new DomainError(`gain: the nonlinearity is ${nonlinearity}; it is ${Object.keys(gains).join(", ")}`, { op: "gain" });
  return found;
}

/** Options of an initialiser by their names: another one would do nothing, in silence. @throws GraphError, DomainError */
function checkNames(who: string, options: unknown, names: readonly string[]): void {
  const others = { std: "deviation", stddev: "deviation", sigma: "deviation", limit: "bound", fan: "mode", negativeSlope: "slope" };
  checkOptionNames(who, options, names, `initializers.${who}({ ${names[0]} })`, others);
}

/** Uniform on [-bound, bound). @throws DomainError for a bound below 0; DTypeError for a type of no floats */
export function uniform(options: { readonly bound?: number } = {}): Initializer {
  checkNames("uniform", options, ["bound"]);
  const { bound = 1 } = options;
  checkScale("uniform", "bound", bound);
  return (key, type) => drawn("uniform", type, () => add(mul(uniformNumbers(key, type), 2 * bound), -bound));
}

/** Normal with this standard deviation about 0. @throws DomainError for one below 0; DTypeError for a type of no floats */
export function normal(options: { readonly deviation?: number } = {}): Initializer {
  checkNames("normal", options, ["deviation"]);
  const { deviation = 1 } = options;
  checkScale("normal", "deviation", deviation);
  return (key, type) => drawn("normal", type, () => mul(normalNumbers(key, type), deviation));
}

/** Every element the same number. @throws DTypeError for a type of no floats */
export function constant(value: number): Initializer {
  return (_, type) => drawn("constant", type, () => full(type, value));
}

/** Every element 0. */
export function zeros(): Initializer {
  return constant(0);
}

/** Every element 1. */
export function ones(): Initializer {
  return constant(1);
}

function kaimingDeviation({ in: inputs, out: outputs }: Fans, { mode = "in", nonlinearity = "relu", slope }: KaimingOptions): number {
  const fan = mode === "in" ? inputs : outputs;
  return gain(nonlinearity, slope) / Math.sqrt(Math.max(1, fan));
}

/**
 * Uniform with standard deviation gain / sqrt(fan): what a following relu halves comes out with the spread that went in.
 * Source: He, Zhang, Ren, Sun, "Delving deep into rectifiers", 2015.
 */
export function kaimingUniform(options: KaimingOptions = {}): Initializer {
  checkNames("kaimingUniform", options, ["mode", "nonlinearity", "slope"]);
  return (key, type, fans) => uniform({ bound: Math.sqrt(3) * kaimingDeviation(fans, options) })(key, type, fans);
}

/** Normal with standard deviation gain / sqrt(fan). Source: He, Zhang, Ren, Sun, "Delving deep into rectifiers", 2015. */
export function kaimingNormal(options: KaimingOptions = {}): Initializer {
  checkNames("kaimingNormal", options, ["mode", "nonlinearity", "slope"]);
  return (key, type, fans) => normal({ deviation: kaimingDeviation(fans, options) })(key, type, fans);
}

/** What multiplies the spread of the Xavier initialisers; 1 when left out. */
export interface XavierOptions {
  readonly gain?: number;
}

function xavierDeviation({ in: inputs, out: outputs }: Fans, { gain: factor = 1 }: XavierOptions): number {
  return factor * Math.sqrt(2 / Math.max(1, inputs + outputs));
}

/**
 * Uniform with standard deviation gain sqrt(2 / (in + out)), between what keeps values and what keeps gradients.
 * Source: Glorot, Bengio, "Understanding the difficulty of training deep feedforward neural networks", 2010.
 */
export function xavierUniform(options: XavierOptions = {}): Initializer {
  checkNames("xavierUniform", options, ["gain"]);
  return (key, type, fans) => uniform({ bound: Math.sqrt(3) * xavierDeviation(fans, options) })(key, type, fans);
}

/** Normal with standard deviation gain sqrt(2 / (in + out)). Source: Glorot, Bengio, 2010. */
export function xavierNormal(options: XavierOptions = {}): Initializer {
  checkNames("xavierNormal", options, ["gain"]);
  return (key, type, fans) => normal({ deviation: xavierDeviation(fans, options) })(key, type, fans);
}

/** What PyTorch draws linear and convolutional layers from: uniform within 1 / sqrt(in), its `kaiming_uniform_(a=sqrt(5))`. */
export function lecunUniform(): Initializer {
  return (key, type, fans) => uniform({ bound: 1 / Math.sqrt(Math.max(1, fans.in)) })(key, type, fans);
}

/** Options of `truncatedNormal`: bounds are numbers, not multiples of the deviation, as PyTorch's. */
export interface TruncatedNormalOptions {
  readonly mean?: number;
  readonly deviation?: number;
  readonly min?: number;
  readonly max?: number;
}

/**
 * Normal numbers about `mean`, given that they lie between `min` and `max` (-2 and 2 when left out): the quantiles of uniform numbers between
 * the distribution's values at the bounds. Source: Robert, "Simulation of truncated normal variables", 1995, for the distribution; the method is
 * inversion, as PyTorch's `trunc_normal_`.
 * @throws DomainError for a deviation of 0 or less, and for bounds out of order or so far out that nothing is between them
 */
export function truncatedNormal(options: TruncatedNormalOptions = {}): Initializer {
  const who = "truncatedNormal";
  checkNames(who, options, ["mean", "deviation", "min", "max"]);
  const { mean = 0, deviation = 1, min = -2, max = 2 } = options;
  if (!(deviation > 0)) throw new DomainError(`${who}: deviation is ${deviation}; it is a number above 0`, { op: who });
  const below = (x: number): number => 0.5 * (1 + read(erf((x - mean) / (deviation * Math.SQRT2))));
  const [low, high] = [below(min), below(max)];
  if (!(high - low > 1e-12))
    throw new DomainError(
      `${who}: there is next to nothing of a normal distribution with mean ${mean} and deviation ${deviation} between ${min} and ${max}; move the bounds`,
      { op: who },
    );
  return (key, type) =>
    drawn(who, type, () => {
      const { data } = evaluate(uniformNumbers(key, f64(...type.shape)));
      const x = Float64Array.from(data, (u) => Math.min(max, Math.max(min, mean + deviation * inverseNormal(low + u * (high - low)))));
      return cast(reshape(x, { shape: type.shape }), type.dtype);
    });
}

/** What multiplies the orthogonal matrix; 1 when left out. */
export interface OrthogonalOptions {
  readonly gain?: number;
}

/**
 * Rows or columns, whichever are fewer, that are orthonormal: the first axis against all others. Every such matrix is as likely as any other.
 * Source: Saxe, McClelland, Ganguli, "Exact solutions to the nonlinear dynamics of learning in deep linear neural networks", 2013; the signs
 * by Mezzadri, "How to generate random matrices from the classical compact groups", 2007.
 * @throws ShapeError for a type with fewer than two axes
 */
export function orthogonal(options: OrthogonalOptions = {}): Initializer {
  const who = "orthogonal";
  checkNames(who, options, ["gain"]);
  const { gain: factor = 1 } = options;
  return (key, type) => {
    if (type.shape.length < 2)
      throw new ShapeError(`${who}: the type is ${typeText(type)}; an orthogonal matrix has two axes or more`, { op: who });
    const rows = type.shape[0]!;
    const columns = sizeOf(type.shape.slice(1));
    if (rows === 0 || columns === 0) return zeros()(key, type, { in: rows, out: columns });
    return drawn(who, type, () => {
      const { q, r } = qr(normalNumbers(key, f64(Math.max(rows, columns), Math.min(rows, columns))));
      const turn = sign(diag(r));
      const spread = mul(q, where(equal(turn, 0), 1, turn));
      return cast(reshape(mul(rows >= columns ? spread : transpose(spread), factor), { shape: type.shape }), type.dtype);
    });
  };
}

/** The fans of a kernel [O, C / groups, ...kernel], as PyTorch counts them; of a matrix [inputs, outputs] they are its sizes. @throws GraphError for what is no list */
export function kernelFans(shape: readonly number[]): Fans {
  if (!Array.isArray(shape))
    throw new GraphError(`kernelFans: the shape is ${kindText(shape)}; it is a list of sizes: kernelFans([outputs, inputs, 3, 3])`);
  const area = sizeOf(shape.slice(2));
  return { in: shape[1]! * area, out: shape[0]! * area };
}

/** The dtype of parameters; f32 when left out. */
export interface DTypeOption {
  readonly dtype?: DType;
}
