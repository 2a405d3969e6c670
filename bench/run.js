// node bench/run.js [--rounds N] [SUITE ...]: measures ours against every installed peer, each suite in one process, and writes RESULTS.md.
// The suites are lecture, anew-1000, anew-100000, mlp, mlp-large, moons, threads, ort, convnet, gpt, lstm, gemm, elementwise-sum, elementwise-gradient, scalar-1000,
// scalar-1000-functions, scalar-100000 (scalar for all three, elementwise for both), linalg-solve, linalg-cholesky, linalg-qr, linalg-svd, linalg-eigh, train-mlp, train-mlp-large, train-moons, train-convnet,
// train-gpt (train for all five), mpi-sums, mpi-steps, mpi-plan (mpi for all three), start-up, studio, size; without names all run. A run of some replaces their sections alone.
import { spawnSync } from "node:child_process";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { ensureBuilt } from "../scripts/ensure-built.js";
import { machine } from "./harness/machine.js";
import { measure, processorNanoseconds } from "./harness/measure.js";
import { elsewhere, here, sources, versionOf } from "./harness/peers.js";
import { timeTable } from "./harness/table.js";

ensureBuilt();
const { values, positionals } = parseArgs({ options: { rounds: { type: "string" } }, allowPositionals: true });

/** @param {any} suite */
async function timed(suite) {
  const measured = await measure(await suite.contestants(), {
    check: suite.check,
    rounds: Number(values.rounds ?? suite.rounds ?? 21),
    settled: suite.settled ?? false,
    ...(suite.elapsed ? {} : { now: processorNanoseconds }),
  });
  return `## ${suite.title}\n\n${timeTable(measured, suite)}\n`;
}

const factorizations = ["solve", "cholesky", "qr", "svd", "eigh"];
const trainSuites = ["train-mlp", "train-mlp-large", "train-moons", "train-convnet", "train-gpt"];

/** @type {Record<string, () => Promise<string>>} */
const suites = {
  lecture: async () => timed(await import("./suites/lecture.js")),
  "anew-1000": async () => timed((await import("./suites/anew.js")).anew(1000)),
  "anew-100000": async () => timed((await import("./suites/anew.js")).anew(100_000)),
  mlp: async () =>
    timed((await import("./suites/training.js")).training("SGD step of an MLP 784-128-10, batch 64, f32", [784, 128, 10], 64)),
  "mlp-large": async () =>
    timed((await import("./suites/training.js")).training("SGD step of an MLP 784-512-512-10, batch 256, f32", [784, 512, 512, 10], 256)),
  moons: async () =>
    timed((await import("./suites/training.js")).training("SGD step of an MLP 2-16-16-1, batch 100, f32", [2, 16, 16, 1], 100)),
  gemm: async () =>
    `## Matrix products in f32, GFLOP/s on one thread\n\n${await (await import("./suites/gemm.js")).products(Number(values.rounds ?? 15))}\n`,
  threads: async () => `## One thread and two\n\n${await (await import("./suites/threads.js")).threads(Number(values.rounds ?? 9))}\n`,
  "mpi-sums": async () => `## Ranks: sums\n\n${(await import("./suites/mpi.js")).ranks("sums", Number(values.rounds ?? 5))}\n`,
  "mpi-steps": async () => `## Ranks: steps\n\n${(await import("./suites/mpi.js")).ranks("steps", Number(values.rounds ?? 5))}\n`,
  "mpi-plan": async () => `## Ranks: plans\n\n${(await import("./suites/mpi.js")).ranks("plan", Number(values.rounds ?? 3))}\n`,
  convnet: async () => timed((await import("./suites/networks.js")).convnet()),
  gpt: async () => timed((await import("./suites/networks.js")).gpt()),
  lstm: async () => timed((await import("./suites/recurrent.js")).recurrent(64, 128, 128, 32)),
  "elementwise-sum": async () => timed((await import("./suites/elementwise.js")).elementwise("sum")),
  "elementwise-gradient": async () => timed((await import("./suites/elementwise.js")).elementwise("gradient")),
  "scalar-1000": async () => timed((await import("./suites/scalar.js")).scalar(1000, 0)),
  "scalar-1000-functions": async () => timed((await import("./suites/scalar.js")).scalar(1000, 16)),
  "scalar-100000": async () => timed((await import("./suites/scalar.js")).scalar(100_000, 0)),
  ...Object.fromEntries(
    factorizations.map((what) => [
      `linalg-${what}`,
      async () => timed((await import("./suites/linear-algebra.js")).linearAlgebra(what, 256)),
    ]),
  ),
  ort: async () => `## On ONNX Runtime\n\n${await (await import("./suites/onnxruntime.js")).onOrt(Number(values.rounds ?? 9))}\n`,
  ...Object.fromEntries(trainSuites.map((name) => [name, async () => timed((await import("./suites/train.js")).throughTrain(name))])),
  "start-up": async () => {
    const [imports, firsts] = (await import("./suites/start-up.js")).startUp(Number(values.rounds ?? 11));
    const ms = { unit: "ms", scale: 1e-6 };
    return `## Import in Node\n\n${timeTable(imports, ms)}\n\n## First gradient after it\n\n${timeTable(firsts, ms)}\n`;
  },
  studio: async () => `## The studio in Chromium\n\n${await (await import("./suites/studio.js")).studio()}\n`,
  "first-call": async () =>
    `## From a graph to its first result, in a fresh process\n\n${(await import("./suites/first-call.js")).firstCalls(Number(values.rounds ?? 7))}\n`,
  size: async () => `## The smallest program that takes a gradient\n\n${await (await import("./suites/size.js")).sizes()}\n`,
};

const chosen =
  positionals.length > 0
    ? positionals.flatMap((p) =>
        ["scalar", "elementwise", "linalg", "train", "mpi"].includes(p) ? Object.keys(suites).filter((s) => s.startsWith(`${p}-`)) : [p],
      )
    : Object.keys(suites);
const unknown = chosen.filter((name) => suites[name] === undefined);
if (unknown.length > 0) {
  console.error(`bench: there is no suite ${unknown.join(", ")}; there are ${Object.keys(suites).join(", ")}`);
  process.exit(2);
}
if (chosen.length > 1) {
  // A process for each: what one suite loads (backends, compilers of WebAssembly, their threads) is no business of the next.
  const rounds = values.rounds === undefined ? [] : ["--rounds", values.rounds];
  let failed = 0;
  for (const name of chosen) {
    const { status } = spawnSync(process.execPath, [fileURLToPath(import.meta.url), ...rounds, name], { stdio: "inherit" });
    if (status === 0) continue;
    console.error(`bench: ${name} failed`);
    failed++;
  }
  process.exit(failed > 0 ? 1 : 0);
}
const on = machine();
const date = new Date().toISOString().slice(0, 10);
const { dependencies } = JSON.parse(readFileSync(`${here}package.json`, "utf8"));
const peers = [
  ...[...Object.keys(dependencies), ...Object.keys(sources)].map((name) => `${name} ${versionOf(name) ?? "absent: not installed here"}`),
  ...elsewhere(),
];

const results = fileURLToPath(new URL("RESULTS.md", import.meta.url));
const sections = new Map();
if (existsSync(results))
  for (const [, name, text] of readFileSync(results, "utf8").matchAll(/^<!-- (\S+) -->\n([\s\S]*?)(?=^<!-- |$(?![\s\S]))/gm))
    sections.set(name, text.trim());
for (const name of chosen) {
  const text = await suites[name]();
  console.log(text);
  sections.set(name, `${text.trim()}\n\n${date}, ${on}; \`node bench/run.js ${name}\``);
}
const head = `# Results

Ours against each peer in one process, in turn, round by round: medians, quartiles, and how many times as long as ours each took (the median of the rounds' ratios). Other work on the machine
moves the times and hardly the ratios. Each contestant's answer is checked before it is timed. Written by \`node bench/run.js\`; [README](README.md) says how.

Peers: ${peers.join("; ")}.
`;
// Sections that other programs write (layout/run.js) stay.
const body = [...new Set([...Object.keys(suites), ...sections.keys()])]
  .filter((name) => sections.has(name))
  .map((name) => `<!-- ${name} -->\n${sections.get(name)}`);
writeFileSync(results, `${head}\n${body.join("\n\n")}\n`);
