/** Magnitudes nearer than this to the largest one count as equal to it, so that rounding does not choose among them. */
const near = 1 - 1e-8;

/**
 * Whether a vector points against our convention, by which the first of its largest components is positive. Eigenvectors and singular vectors have
 * no sign of their own; what LAPACK returns depends on its version and on the machine.
 */
function pointsBack(a: Float64Array, at: number, count: number): boolean {
  let most = 0;
  for (let i = at; i < at + count; i++) most = Math.max(most, Math.abs(a[i]!));
  for (let i = at; i < at + count; i++) if (Math.abs(a[i]!) >= near * most) return a[i]! < 0;
  return false;
}

/** Turns a vector around; 0 stays 0. */
function turn(a: Float64Array, at: number, count: number): void {
  for (let i = at; i < at + count; i++) a[i] = 0 - a[i]!;
}

/** Turns the rows of a that point back. */
export function orientRows(a: Float64Array, length: number): void {
  for (let at = 0; at < a.length; at += length) if (pointsBack(a, at, length)) turn(a, at, length);
}

/** Turns pairs of singular vectors so that the left one follows the convention; beside a singular value of 0 both signs are free, and both follow it. */
export function orient(left: Float64Array, m: number, right: Float64Array, n: number, s: Float64Array): void {
  for (let i = 0; i < s.length; i++) {
    const back = pointsBack(left, i * m, m);
    if (back) turn(left, i * m, m);
    if (s[i] === 0 ? pointsBack(right, i * n, n) : back) turn(right, i * n, n);
  }
}
