/** Exchanges two rows of so many elements, which begin at p and q. */
export function exchange(a: Float64Array, p: number, q: number, count: number): void {
  for (let k = 0; k < count; k++) {
    const x = a[p + k]!;
    a[p + k] = a[q + k]!;
    a[q + k] = x;
  }
}
