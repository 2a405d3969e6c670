/**
 * What an error means. Relative errors below `pass` agree; below `look` they deserve a look; above it the gradient is wrong.
 * Source: Stanford CS231n, "Neural Networks Part 3", gradient checks: above 1e-2 the gradient is probably wrong, 1e-4 is still too high without
 * kinks, and 1e-7 is what makes happy, for central differences in double precision. Extrapolated differences reach further than plain ones, so the
 * line to "wrong" is drawn at 1e-4 here, and kinks are told apart by their one-sided slopes instead of being allowed for.
 */
export interface Thresholds {
  readonly pass: number;
  readonly look: number;
}

/** The one table of thresholds, by the precision in which the function is computed. */
export const thresholds: Readonly<Record<"f64" | "f32", Thresholds>> = {
  f64: { pass: 1e-7, look: 1e-4 },
  f32: { pass: 1e-3, look: 3e-2 },
};
