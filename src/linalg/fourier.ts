import { isFloat } from "../ir/dtype.ts";
import { DTypeError, GraphError, ShapeError } from "../ir/errors.ts";
import { isOperand, lift } from "../ir/leaf.ts";
import type { Value } from "../ir/node.ts";
import type { Operand } from "../ir/op.ts";
import { axisOf, sameShape } from "../ir/shape.ts";
import { tensor } from "../ir/tensor.ts";
import { type TensorType, tensorType, typeText } from "../ir/type.ts";
import { div, mul } from "../ops/arithmetic.ts";
import { declare, known, type Op } from "../ops/define.ts";
import { axisLayout } from "../ops/kernels/walk.ts";
import { zeros } from "../ops/linear/constants.ts";
import { everyExample } from "../ops/linear/every-example.ts";
import { pad } from "../ops/linear/pad.ts";
import { slice } from "../ops/linear/slice.ts";
import { fourierInPlace } from "./kernels/fourier.ts";
import { fourierLoops } from "./loops/fourier.ts";

/** Complex numbers as their two parts, of one shape. */
export interface Complex {
  readonly re: Value;
  readonly im: Value;
}

/** Complex numbers as given: without `im` they are real. */
export interface ComplexOperand {
  readonly re: Operand;
  readonly im?: Operand;
}

/** Attributes of `fft`, `ifft` and `rfft`. */
export interface FourierAttrs {
  /** The axis that is transformed; the last when left out. */
  readonly axis?: number;
}

/** Attributes of `irfft`. */
export interface RealFourierAttrs extends FourierAttrs {
  /** The length of the result: `2 (m - 1)` for m coefficients when left out; `2 m - 1` is the odd length that has as many. */
  readonly size?: number;
}

/** Attributes of `fourier`. */
export interface TransformAttrs {
  readonly axis: number;
  /** With `exp(+2 pi i j k / n)`, not divided by n. */
  readonly inverse: boolean;
}

type Fourier = (re: Operand, im: Operand | null, attrs: TransformAttrs) => Complex;

function checkParts(re: TensorType, im: TensorType | null, axis: number): void {
  if (!isFloat(re.dtype))
    throw new DTypeError(`fft: re is ${typeText(re)} and fft takes floating-point numbers; write cast(re, "f64")`, { op: "fft" });
  if (re.shape.length === 0) throw new ShapeError(`fft: re is ${typeText(re)}, a scalar; it has no axis to transform`, { op: "fft" });
  axisOf("fft", axis, re.shape.length);
  if (im !== null && !sameShape(re.shape, im.shape))
    throw new ShapeError(`fft: re is ${typeText(re)} and im is ${typeText(im)}; both parts have one shape`, { op: "fft" });
}

/**
 * The sums `x_j exp(-2 pi i j k / n)` along an axis, in two parts, not divided by n: what `fft` and its relatives are made of. O(n log n) for every n, in
 * double. Backward: the transform with the other sign.
 * @throws ShapeError for parts of two shapes; DTypeError for anything but floats
 */
export const fourier: Op<Fourier> = declare<Fourier, readonly ["re", "im?"], TransformAttrs>("fourier", ["re", "im?"], {
  family: "linalg",
  results: ["re", "im"],
  attrs: ({ axis, inverse }, { re, im }) => {
    checkParts(re, im, axis);
    return { axis: axisOf("fft", axis, re.shape.length), inverse };
  },
  type: ({ re, im, axis }) => {
    checkParts(re, im, axis);
    return { re, im: re };
  },
  eval: ({ re, im, axis, inverse }) => {
    const { outer, size, inner } = axisLayout(re.type.shape, axis);
    const [outRe, outIm] = [new Float64Array(re.data.length), new Float64Array(re.data.length)];
    const [lineRe, lineIm] = [new Float64Array(size), new Float64Array(size)];
    for (let o = 0; o < outer; o++)
      for (let r = 0; r < inner; r++) {
        const start = o * size * inner + r;
        for (let i = 0, at = start; i < size; i++, at += inner) {
          lineRe[i] = re.data[at]!;
          lineIm[i] = im === null ? 0 : im.data[at]!;
        }
        fourierInPlace(lineRe, lineIm, inverse);
        for (let i = 0, at = start; i < size; i++, at += inner) {
          outRe[at] = lineRe[i]!;
          outIm[at] = lineIm[i]!;
        }
      }
    return { re: outRe, im: outIm };
  },
  loops: fourierLoops,
  batch: ({ re, im, axis, inverse, mapped, examples }) => {
    const parts = [re, im].map((x, i) => x && everyExample(x, (i === 0 ? mapped.re : mapped.im) === true, examples));
    return fourier(parts[0]!, parts[1]!, { axis: axis + 1, inverse });
  },
  linear: "all",
  formula: { re: "dX = conjugate transform of dY" },
  vjp: ({ ct, re, axis, inverse }) => {
    let made: Complex | null = null;
    const pulled = (): Complex => {
      made ??= fourier(ct.re ?? zeros(re.type), ct.im, { axis, inverse: !inverse });
      return made;
    };
    return { re: () => pulled().re, im: () => pulled().im };
  },
});

/** The parts of what is given: a pair, or a real operand. */
function partsOf(op: string, x: ComplexOperand | Operand): { readonly re: Value; readonly im: Operand | null } {
  if (isOperand(x)) return { re: lift(x, "f64"), im: null };
  if (typeof x !== "object" || x === null || !isOperand((x as Partial<ComplexOperand>).re))
    throw new GraphError(
      `${op}: x is no operand and has no part re; write ${op}(x) for real numbers and ${op}({ re, im }) for complex ones`,
      {
        op,
      },
    );
  return { re: lift(x.re, "f64"), im: x.im ?? null };
}

function lastAxis(axis: number | undefined): number {
  return axis ?? -1;
}

/** Both parts divided by the length of the axis. */
function divided({ re, im }: Complex, axis: number): Complex {
  const n = Math.max(1, re.type.shape.at(axis) ?? 1);
  return { re: div(re, n), im: div(im, n) };
}

/**
 * The discrete Fourier transform along an axis (the last when left out): `Y_k = sum_j x_j exp(-2 pi i j k / n)`, any length in O(n log n). A pair
 * `{ re, im }` gives a pair; a real tensor is taken with an imaginary part of 0. NumPy's and PyTorch's convention: `ifft` divides by n.
 * Backward: the transform with the other sign, on both parts of the gradient.
 * @throws ShapeError for parts of two shapes; DTypeError for anything but floats
 */
export function fft(x: ComplexOperand | Operand, attrs: FourierAttrs = {}): Complex {
  const { axis } = known("fft", attrs, ["axis"]);
  const { re, im } = partsOf("fft", x);
  return fourier(re, im, { axis: lastAxis(axis), inverse: false });
}

/** The inverse of `fft`: `x_j = 1/n sum_k Y_k exp(2 pi i j k / n)`. @throws as `fft` */
export function ifft(x: ComplexOperand | Operand, attrs: FourierAttrs = {}): Complex {
  const { axis } = known("ifft", attrs, ["axis"]);
  const { re, im } = partsOf("ifft", x);
  return divided(fourier(re, im, { axis: lastAxis(axis), inverse: true }), lastAxis(axis));
}

/**
 * The first `floor(n / 2) + 1` coefficients of the transform of real numbers along an axis (the last when left out); the others are their conjugates.
 * @throws as `fft`
 */
export function rfft(x: Operand, attrs: FourierAttrs = {}): Complex {
  const { axis } = known("rfft", attrs, ["axis"]);
  const whole = fourier(x, null, { axis: lastAxis(axis), inverse: false });
  const at = axisOf("rfft", lastAxis(axis), whole.re.type.shape.length);
  const end = Math.floor(whole.re.type.shape[at]! / 2) + 1;
  return { re: slice(whole.re, { axis: at, end }), im: slice(whole.im, { axis: at, end }) };
}

/**
 * The real numbers whose `rfft` is given, along an axis (the last when left out). Their number is `2 (m - 1)` for m coefficients, or `size`. The imaginary
 * part of the first coefficient, and of the last of an even size, counts for nothing, as in NumPy.
 * @throws ShapeError for a size that has another number of coefficients; otherwise as `fft`
 */
export function irfft(x: ComplexOperand | Operand, attrs: RealFourierAttrs = {}): Value {
  const { axis, size } = known("irfft", attrs, ["axis", "size"]);
  const { re, im } = partsOf("irfft", x);
  checkParts(re.type, im === null ? null : lift(im, re.type.dtype).type, lastAxis(axis));
  const { shape, dtype } = re.type;
  const at = axisOf("irfft", lastAxis(axis), shape.length);
  const m = shape[at]!;
  const n = size ?? 2 * (m - 1);
  if (!Number.isInteger(n) || n < 1 || Math.floor(n / 2) + 1 !== m)
    throw new ShapeError(
      `irfft: axis ${at} of ${typeText(re.type)} has ${m} coefficients and size is ${n}; ${m < 2 ? "1 coefficient is of size 1: write { size: 1 }" : `that many are of size ${2 * m - 2} or ${2 * m - 1}`}`,
      { op: "irfft" },
    );
  // Each coefficient stands for its conjugate too, but for those that are their own.
  const counts = Float64Array.from({ length: m }, (_, k) => (k === 0 || 2 * k === n ? 1 : 2) / n);
  const weights = tensor(
    counts,
    tensorType(
      dtype,
      shape.map((s, i) => (i === at ? s : 1)),
    ),
  );
  const pads = shape.map((_, i) => [0, i === at ? n - m : 0] as const);
  const whole = (part: Operand): Value => pad(mul(part, weights), { pads });
  return fourier(whole(re), im === null ? null : whole(im), { axis: at, inverse: true }).re;
}
