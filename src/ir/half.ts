/*
 * The two 16-bit float formats. IEEE 754 binary16 ("f16") has 5 exponent and 10 fraction bits; bfloat16 ("bf16") is the upper half of a binary32,
 * 8 and 7. All conversions round to nearest, ties to even, straight from the double: no intermediate f32, so nothing is rounded twice.
 */

/** The scratch word in which the exponent of a double is read. */
const word: DataView = /* @__PURE__ */ new DataView(/* @__PURE__ */ new ArrayBuffer(8));

/** The power of two at or below |x|, for a normal double. */
function powerBelow(x: number): number {
  word.setFloat64(0, x);
  word.setUint32(0, word.getUint32(0) & 0x7ff00000);
  word.setUint32(4, 0);
  return word.getFloat64(0);
}

/**
 * Adding and subtracting 1.5 x 2^52 steps leaves a double rounded to a whole number of steps, ties to even, because the sum's own last place is
 * one step. Zero keeps the sign of `x`.
 */
function roundToStep(x: number, step: number): number {
  const magic = step * 6755399441055744;
  const rounded = x + magic - magic;
  return rounded === 0 ? x * 0 : rounded;
}

/** The nearest number that f16 can hold, ties to even; beyond 65504 by half a step or more, infinity. */
export function roundToF16(x: number): number {
  const size = Math.abs(x);
  if (!(size < 65520)) return size >= 65520 ? (x > 0 ? Infinity : -Infinity) : NaN;
  return roundToStep(x, size < 2 ** -14 ? 2 ** -24 : powerBelow(x) * 2 ** -10);
}

/** The nearest number that bf16 can hold, ties to even; beyond its largest by half a step or more, infinity. */
export function roundToBf16(x: number): number {
  const size = Math.abs(x);
  const over = (2 - 2 ** -8) * 2 ** 127;
  if (!(size < over)) return size >= over ? (x > 0 ? Infinity : -Infinity) : NaN;
  return roundToStep(x, size < 2 ** -126 ? 2 ** -133 : powerBelow(x) * 2 ** -7);
}

/** The number that 16 bits stand for in f16. */
export function f16ToNumber(bits: number): number {
  const exponent = (bits >>> 10) & 31;
  const fraction = bits & 1023;
  const size =
    exponent === 0 ? fraction * 2 ** -24 : exponent === 31 ? (fraction === 0 ? Infinity : NaN) : (1024 + fraction) * 2 ** (exponent - 25);
  return bits & 0x8000 ? -size : size;
}

/** The number that 16 bits stand for in bf16. */
export function bf16ToNumber(bits: number): number {
  word.setUint32(0, bits << 16);
  return word.getFloat32(0);
}

/** The bits of the nearest f16; every NaN is 0x7e00. */
export function numberToF16(x: number): number {
  const rounded = roundToF16(x);
  const sign = signBit(rounded);
  const size = Math.abs(rounded);
  if (size < 2 ** -14) return sign | (size * 2 ** 24);
  if (size === Infinity) return sign | 0x7c00;
  if (rounded !== rounded) return 0x7e00;
  word.setFloat64(0, size);
  const high = word.getUint32(0);
  return sign | (((high >>> 20) - 1008) << 10) | ((high >>> 10) & 1023);
}

/** The bits of the nearest bf16; every NaN is 0x7fc0. */
export function numberToBf16(x: number): number {
  const rounded = roundToBf16(x);
  if (rounded !== rounded) return 0x7fc0;
  word.setFloat32(0, rounded);
  return word.getUint16(0);
}

function signBit(x: number): number {
  return x < 0 || Object.is(x, -0) ? 0x8000 : 0;
}
