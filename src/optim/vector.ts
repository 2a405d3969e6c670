/** The product of two vectors. */
export function dot(a: ArrayLike<number>, b: ArrayLike<number>): number {
  let total = 0;
  for (let i = 0; i < a.length; i++) total += a[i]! * b[i]!;
  return total;
}

/** The 2-norm, without overflow. */
export function norm(a: ArrayLike<number>): number {
  let top = 0;
  for (let i = 0; i < a.length; i++) top = Math.max(top, Math.abs(a[i]!));
  if (top === 0 || !Number.isFinite(top)) return top;
  let total = 0;
  for (let i = 0; i < a.length; i++) total += (a[i]! / top) ** 2;
  return top * Math.sqrt(total);
}

/** The largest magnitude; NaN if one is. */
export function largest(a: ArrayLike<number>): number {
  let top = 0;
  for (let i = 0; i < a.length; i++) top = Math.max(top, Math.abs(a[i]!));
  return top;
}

/** x + t d */
export function moved(x: Float64Array, t: number, d: Float64Array): Float64Array {
  return x.map((v, i) => v + t * d[i]!);
}
