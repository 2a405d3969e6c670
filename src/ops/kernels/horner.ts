/** A polynomial by Horner's scheme, lowest coefficient first. */
export function horner(x: number, coefficients: readonly number[]): number {
  return coefficients.reduceRight((sum, c) => c + x * sum, 0);
}
