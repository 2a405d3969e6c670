/** The largest magnitude: NaN if one element is, Infinity if one is infinite. */
export function largestMagnitude(a: Float64Array): number {
  let most = 0;
  for (let i = 0; i < a.length; i++) {
    const size = Math.abs(a[i]!);
    if (!(size <= most)) most = size;
    if (Number.isNaN(most)) return most;
  }
  return most;
}

/** A power of two near `size`, so that dividing by it is exact and neither squares overflow nor sums underflow. */
export function powerNear(size: number): number {
  // One step inside the range, where its reciprocal is still normal.
  return 2 ** Math.max(-1021, Math.min(1021, Math.floor(Math.log2(size))));
}

/** The Euclidean norm of `count` elements from `at` on, without overflow or underflow of the squares. */
export function normOf(a: Float64Array, at: number, count: number, step = 1): number {
  let most = 0;
  let sum = 0;
  for (let i = 0, p = at; i < count; i++, p += step) {
    const x = a[p]!;
    sum += x * x;
    const size = Math.abs(x);
    if (!(size <= most)) most = size;
  }
  if (most === 0 || !Number.isFinite(most) || (sum > 1e-200 && sum < 1e300)) return Math.sqrt(sum);
  sum = 0;
  for (let i = 0, p = at; i < count; i++, p += step) sum += (a[p]! / most) ** 2;
  return most * Math.sqrt(sum);
}

/** The square root of x^2 + y^2 without overflow or underflow. `Math.hypot` is slow, and its last digit depends on the engine. */
export function hypotenuse(x: number, y: number): number {
  const a = Math.abs(x);
  const b = Math.abs(y);
  if (a === 0 || b === 0) return a + b;
  const ratio = a > b ? b / a : a / b;
  return Math.max(a, b) * Math.sqrt(1 + ratio * ratio);
}
