/** How a number is written on a wire. */
export interface NumberFormat {
  /** `decimals`: two places after the point, for small graphs of hand-sized numbers. `significant` (default): three significant digits. */
  readonly style?: "decimals" | "significant";
}

/**
 * Writes a number as the pictures show it: a true minus sign, no long tails, at most nine characters (ten beyond 1e±99). Numbers that two decimals would turn into
 * 0.00 or make too wide keep three significant digits instead, so a small gradient never looks like a dead one.
 *
 * @example formatNumber(-0.3932, { style: "decimals" }) // "−0.39"
 * @example formatNumber(0.00001234)                     // "1.23e−5"
 */
export function formatNumber(x: number, format: NumberFormat = {}): string {
  if (Number.isNaN(x)) return "NaN";
  if (x === Number.POSITIVE_INFINITY) return "∞";
  if (x === Number.NEGATIVE_INFINITY) return "−∞";
  const size = Math.abs(x);
  const decimals = format.style === "decimals" && (size === 0 || (size >= 0.005 && size < 9999.995));
  // Object.is keeps "−0" out: the sign of a zero gradient means nothing to a reader.
  const text = decimals ? (size === 0 ? 0 : x).toFixed(2) : significant(size === 0 ? 0 : x);
  return text.replaceAll("-", "−");
}

function significant(x: number): string {
  // Whole numbers of up to five digits stay exact: they are counts and labels.
  if (Number.isInteger(x) && Math.abs(x) < 1e5) return String(x);
  const [digits, exponent] = x.toExponential(2).split("e");
  const magnitude = Number(exponent);
  if (magnitude >= -3 && magnitude < 5) return String(Number(x.toPrecision(3)));
  return `${Number(digits)}e${magnitude}`;
}
