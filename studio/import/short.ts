/** A number in at most seven characters. */
export function short(x: number | null): string {
  if (x === null) return "–";
  if (x === 0) return "0";
  const size = Math.abs(x);
  return (size >= 1e5 || size < 1e-3 ? x.toExponential(2) : x.toPrecision(4)).replace("-", "−");
}
