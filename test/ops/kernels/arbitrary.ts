import fc from "fast-check";

/** Shapes of up to `rank` axes of sizes `least` .. `size`. */
export function shapes(rank: number, size: number, least = 0): fc.Arbitrary<number[]> {
  return fc.array(fc.integer({ min: least, max: size }), { maxLength: rank });
}

export function volume(shape: readonly number[]): number {
  return shape.reduce((product, size) => product * size, 1);
}

/** All coordinates of a shape in row-major order. */
export function coordinates(shape: readonly number[]): number[][] {
  return shape.reduce<number[][]>((all, size) => all.flatMap((head) => Array.from({ length: size }, (_, i) => [...head, i])), [[]]);
}

/** The flat position of coordinates in a row-major array. */
export function flat(shape: readonly number[], at: readonly number[]): number {
  return at.reduce((position, place, axis) => position * shape[axis]! + place, 0);
}

/** `count` numbers in -1 .. 1, the same for the same seed (a Lehmer generator). */
export function numbers(count: number, seed: number): Float64Array {
  let state = (seed * 48271 + 11) % 2147483647;
  return Float64Array.from({ length: count }, () => {
    state = (state * 48271) % 2147483647;
    return (state / 2147483647) * 2 - 1;
  });
}

/** Numbers with ties, infinities, zeros of both signs and NaNs. */
export const awkward: fc.Arbitrary<number> = fc.oneof(
  { weight: 6, arbitrary: fc.integer({ min: -3, max: 3 }) },
  { weight: 1, arbitrary: fc.constantFrom(NaN, Infinity, -Infinity, -0) },
);
