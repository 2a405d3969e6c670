/** What is not finite among numbers, as bits. */
export const isNaNThere = 1;
export const isAboveThere = 2;
export const isBelowThere = 4;

/** The bit of a number that is not finite; 0 for one that is. */
export function badOf(x: number): number {
  return Number.isFinite(x) ? 0 : Number.isNaN(x) ? isNaNThere : x > 0 ? isAboveThere : isBelowThere;
}

/** What is not finite, in the order of its bins: each has a pattern and a sign of its own. */
export const badKinds: readonly { readonly bit: number; readonly sign: string }[] = [
  { bit: isBelowThere, sign: "−∞" },
  { bit: isNaNThere, sign: "NaN" },
  { bit: isAboveThere, sign: "+∞" },
];
