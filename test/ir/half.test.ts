import * as fc from "fast-check";
import { expect, test } from "vitest";
import { bf16ToNumber, f16ToNumber, numberToBf16, numberToF16, roundToBf16, roundToF16 } from "../../src/ir/half.ts";

interface Format {
  readonly name: string;
  readonly decode: (bits: number) => number;
  readonly encode: (x: number) => number;
  readonly round: (x: number) => number;
  /** The bits of infinity: finite numbers have smaller ones. */
  readonly infinity: number;
  readonly nan: number;
}
const formats: readonly Format[] = [
  { name: "f16", decode: f16ToNumber, encode: numberToF16, round: roundToF16, infinity: 0x7c00, nan: 0x7e00 },
  { name: "bf16", decode: bf16ToNumber, encode: numberToBf16, round: roundToBf16, infinity: 0x7f80, nan: 0x7fc0 },
];

/** The value of positive finite bits, from the definition of the formats alone. */
function defined(bits: number, fractionBits: number, bias: number): number {
  const exponent = bits >> fractionBits;
  const fraction = bits & ((1 << fractionBits) - 1);
  return exponent === 0 ? fraction * 2 ** (1 - bias - fractionBits) : (1 + fraction / 2 ** fractionBits) * 2 ** (exponent - bias);
}

test("all bits stand for what the definition says, and come back", () => {
  for (let bits = 0; bits < 0x8000; bits++) {
    if (bits < 0x7c00 && f16ToNumber(bits) !== defined(bits, 10, 15)) expect.fail(`f16 ${bits}`);
    if (bits < 0x7f80 && bf16ToNumber(bits) !== defined(bits, 7, 127)) expect.fail(`bf16 ${bits}`);
  }
  for (const { name, decode, encode, round, infinity, nan } of formats)
    for (let bits = 0; bits < 0x10000; bits++) {
      const x = decode(bits);
      const wanted = (bits & 0x7fff) > infinity ? nan : bits;
      if (encode(x) !== wanted || !Object.is(round(x), x))
        expect.fail(`${name} ${bits.toString(16)}: ${x} gives ${encode(x).toString(16)}, ${round(x)}`);
    }
});

test("halfway goes to even, a hair off halfway goes to the nearer one", () => {
  for (const { name, decode, encode, infinity } of formats)
    for (let bits = 0; bits < infinity; bits++) {
      const low = decode(bits);
      // Beyond the largest number, rounding goes by the step that would follow, as if the exponent had no limit.
      const high = bits + 1 === infinity ? 2 * low - decode(bits - 1) : decode(bits + 1);
      const middle = low + (high - low) / 2;
      const even = bits % 2 === 0 ? bits : bits + 1;
      const below = middle * (1 - 2 ** -52);
      const above = middle * (1 + 2 ** -52);
      if (encode(middle) !== even || encode(below) !== bits || encode(above) !== bits + 1)
        expect.fail(`${name} ${bits}: ${[below, middle, above].map(encode)}`);
      if (encode(-middle) !== (even | 0x8000)) expect.fail(`${name} -${bits}`);
    }
});

test("the edges", () => {
  expect(roundToF16(65504)).toBe(65504);
  expect(roundToF16(65519.999)).toBe(65504);
  expect(roundToF16(65520)).toBe(Infinity);
  expect(roundToF16(-1e300)).toBe(-Infinity);
  expect(roundToF16(2 ** -25)).toBe(0);
  expect(roundToF16(-(2 ** -25))).toBe(-0);
  expect(roundToF16(2 ** -25 * 1.0001)).toBe(2 ** -24);
  expect(roundToF16(5e-324)).toBe(0);
  expect(roundToF16(Number.NaN)).toBeNaN();
  expect(roundToF16(-0)).toBe(-0);
  expect(roundToBf16(3.4e38)).toBe(Infinity);
  expect(roundToBf16(3.39e38)).toBe(3.3895313892515355e38);
  expect(roundToBf16(1e-45)).toBe(0);
  expect(roundToBf16(Number.NaN)).toBeNaN();
  // Through f32 this would round twice: 1 + 2^-11 + 2^-40 is above the middle, its f32 is the middle, which goes to the even 1.
  expect(roundToF16(1 + 2 ** -11 + 2 ** -40)).toBe(1 + 2 ** -10);
  expect(roundToBf16(1 + 2 ** -8 + 2 ** -40)).toBe(1 + 2 ** -7);
});

test("rounding is what encoding and decoding gives, is monotone, and leaves no nearer number", () => {
  for (const { decode, encode, round } of formats)
    fc.assert(
      fc.property(fc.double({ noNaN: true }), fc.double({ noNaN: true }), (a, b) => {
        expect(round(a)).toBe(decode(encode(a)));
        if (a <= b) expect(round(a) <= round(b)).toBe(true);
      }),
      { seed: 7, numRuns: 500 },
    );
});
