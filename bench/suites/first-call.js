// From a graph to its first result in a fresh process: compiling for the compiling engine, and the first run. What builds and differentiates the graph is not counted.
// Beside it the largest size of each process, and what of that was there before, as memory.
import { execFileSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { median, quantile } from "../harness/statistics.js";
import { digits } from "../harness/table.js";

const at = (/** @type {string} */ path) => JSON.stringify(fileURLToPath(new URL(path, import.meta.url)));
/** Programs by name: an expression for a suite with `program(engine)`. */
const programs = {
  "SGD step of an MLP 2-16-16-1, batch 100": `(await import(${at("training.js")})).training("", [2, 16, 16, 1], 100)`,
  "SGD step of an MLP 784-128-10, batch 64": `(await import(${at("training.js")})).training("", [784, 128, 10], 64)`,
  "SGD step of the ConvNet": `(await import(${at("networks.js")})).convnet()`,
  "AdamW step of the GPT": `(await import(${at("networks.js")})).gpt()`,
  "scalar graph of 1,000 nodes, value and gradient": `(await import(${at("scalar.js")})).scalar(1000, 0)`,
  "scalar graph of 100,000 nodes, value and gradient": `(await import(${at("scalar.js")})).scalar(100_000, 0)`,
};

/** @param {string} suite @returns {{ compile: number, run: number, before: number, after: number }} milliseconds and MiB */
function once(suite) {
  const code = `const suite = ${suite}; const { wasm } = await import(${at("../../dist/wasm.js")});
    suite.build?.();
    const before = process.memoryUsage().rss; const a = performance.now(); const run = await suite.program(wasm());
    const b = performance.now(); await run(); const c = performance.now();
    process.stdout.write("\\n@" + JSON.stringify({ compile: b - a, run: c - b, before: before / 2 ** 20, after: process.resourceUsage().maxRSS / 1024 }) + "\\n");`;
  const out = execFileSync(process.execPath, ["--input-type=module", "-e", code], {
    encoding: "utf8",
    stdio: ["ignore", "pipe", "inherit"],
  });
  return JSON.parse(/^@(.*)$/m.exec(out)?.[1] ?? "null");
}

/** @param {number} rounds @returns {string} a Markdown table */
export function firstCalls(rounds) {
  /** @type {Record<string, ReturnType<typeof once>[]>} */
  const found = {};
  for (let round = 0; round < rounds; round++) for (const [name, suite] of Object.entries(programs)) (found[name] ??= []).push(once(suite));
  const rows = Object.entries(found).map(([name, list]) => {
    const both = list.map(({ compile, run }) => compile + run);
    const [compile, before, after] = [list.map((l) => l.compile), list.map((l) => l.before), list.map((l) => l.after)];
    return `| ${name} | ${digits(median(both))} | ${digits(quantile(both, 0.25))} to ${digits(quantile(both, 0.75))} | ${digits(median(compile))} | ${digits(median(before))} | ${digits(median(after))} |`;
  });
  return [
    "| | ms to the first result, median | quartiles | of that compiling | MiB before | MiB at most |",
    "|---|---|---|---|---|---|",
    ...rows,
  ].join("\n");
}
