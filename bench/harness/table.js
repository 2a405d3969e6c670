import { median, quantile, ratio } from "./statistics.js";

/**
 * A number with three significant digits, as people write it.
 *
 * @param {number} x
 * @returns {string}
 */
export function digits(x) {
  if (x >= 100) return Math.round(x).toLocaleString("en");
  if (x >= 10) return x.toFixed(1);
  return x >= 1 ? x.toFixed(2) : x.toPrecision(2);
}

/**
 * Measurements as a Markdown table: medians, spread (first and third quartile), and how many times as long as the first row it took.
 *
 * @param {readonly import("./measure.js").Measured[]} measured ours first
 * @param {{ unit: string, scale: number }} options nanoseconds are multiplied by `scale`
 * @returns {string}
 */
export function timeTable(measured, { unit, scale }) {
  const ours = measured[0];
  const rows = measured.map(({ name, samples, failed }, i) => {
    if (failed !== null) return `| ${name} | ${failed.replaceAll("|", "\\|")} | | |`;
    const spread = `${digits(quantile(samples, 0.25) * scale)} to ${digits(quantile(samples, 0.75) * scale)}`;
    const against =
      i === 0 || ours === undefined || ours.failed !== null
        ? "1"
        : (({ median: m, low, high }) => `${digits(m)} (${digits(low)} to ${digits(high)})`)(ratio(samples, ours.samples));
    return `| ${name} | ${digits(median(samples) * scale)} | ${spread} | ${against} |`;
  });
  return [`| | ${unit}, median | quartiles | times ours |`, "|---|---|---|---|", ...rows].join("\n");
}
