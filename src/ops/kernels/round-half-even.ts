const TWO_52 = 2 ** 52;

/**
 * The nearest integer, ties to the even neighbour, as IEEE 754 `roundTiesToEven`, NumPy and PyTorch round.
 * Keeps the sign of zero. Adding and taking away 2^52 leaves no fraction bits, so the addition itself rounds.
 */
export function roundHalfEven(x: number): number {
  const size = Math.abs(x);
  if (!(size < TWO_52)) return x;
  const rounded = size + TWO_52 - TWO_52;
  return x < 0 || Object.is(x, -0) ? -rounded : rounded;
}
