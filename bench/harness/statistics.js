/**
 * The value below which a share of the samples lies, interpolated.
 *
 * @param {readonly number[]} samples
 * @param {number} share
 * @returns {number}
 */
export function quantile(samples, share) {
  if (samples.length === 0) return Number.NaN;
  const sorted = [...samples].sort((a, b) => a - b);
  const at = share * (sorted.length - 1);
  const low = sorted[Math.floor(at)] ?? Number.NaN;
  const high = sorted[Math.ceil(at)] ?? Number.NaN;
  return low + (high - low) * (at - Math.floor(at));
}

/**
 * @param {readonly number[]} samples
 * @returns {number}
 */
export function median(samples) {
  return quantile(samples, 0.5);
}

/**
 * How many times as long `theirs` took as `ours`, round by round: the median of the rounds' ratios and their quartiles.
 *
 * @param {readonly number[]} theirs
 * @param {readonly number[]} ours
 * @returns {{ median: number, low: number, high: number }}
 */
export function ratio(theirs, ours) {
  const each = theirs.map((t, i) => t / (ours[i] ?? Number.NaN));
  return { median: median(each), low: quantile(each, 0.25), high: quantile(each, 0.75) };
}
