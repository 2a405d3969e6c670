import { cpus, loadavg, release, totalmem } from "node:os";

/** What the numbers were measured on, as a line. @returns {string} */
export function machine() {
  const [cpu] = cpus();
  const memory = Math.round(totalmem() / 2 ** 30);
  const load = (loadavg()[0] ?? 0).toFixed(1);
  return `${cpus().length} x ${cpu?.model.trim() ?? "unknown"}, ${memory} GiB, ${process.platform} ${release()}, Node ${process.versions.node}, load ${load} at the start`;
}
