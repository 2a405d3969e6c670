// Ranks: sums against the same library called from C, steps on ranks against threads, and what the simulation says of many ranks. Elapsed time, in turn, round by round.
import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { simulate } from "../../dist/train.js";

const here = fileURLToPath(new URL("../mpi/", import.meta.url));
const bin = fileURLToPath(new URL("../../bin/chainrule.js", import.meta.url));
const env = { ...process.env, FORCE_COLOR: "0", OMPI_ALLOW_RUN_AS_ROOT: "1", OMPI_ALLOW_RUN_AS_ROOT_CONFIRM: "1" };
const launcher = "mpirun.openmpi";

/** @param {number} ranks @param {string[]} command */
const mpirun = (ranks, ...command) =>
  JSON.parse(
    execFileSync(launcher, ["--oversubscribe", "-np", String(ranks), ...command], {
      env,
      encoding: "utf8",
      stdio: ["ignore", "pipe", "ignore"],
    }),
  );
/** @param {string[]} command */
const alone = (...command) =>
  JSON.parse(
    execFileSync(process.execPath, command, {
      env: { ...env, CHAINRULE_ALONE: "1" },
      encoding: "utf8",
      stdio: ["ignore", "pipe", "ignore"],
    }),
  );
/** @param {number[]} xs */
const median = (xs) => [...xs].sort((a, b) => a - b)[xs.length >> 1];
/** @param {number} n */
const bytes = (n) => (n >= 2 ** 18 ? `${n / 2 ** 18} MB` : `${n / 2 ** 8} kB`);

/** @param {number} rounds */
function sums(rounds, folder) {
  const program = join(folder, "allreduce");
  execFileSync("mpicc.openmpi", ["-O2", "-o", program, `${here}allreduce.c`]);
  const sizes = [2 ** 10, 2 ** 14, 2 ** 18, 2 ** 20, 2 ** 22].map(String);
  /** @type {Record<string, { ours: number[], c: number[], ratio: number[] }>} */
  const seen = Object.fromEntries(sizes.map((n) => [n, { ours: [], c: [], ratio: [] }]));
  for (let round = 0; round < rounds; round++) {
    const c = mpirun(2, program, "31", ...sizes);
    const ours = mpirun(2, process.execPath, `${here}ranks.js`, "allreduce", "31", ...sizes);
    for (const n of sizes) {
      seen[n].c.push(c[n]);
      seen[n].ours.push(ours[n]);
      seen[n].ratio.push(ours[n] / c[n]);
    }
  }
  const rows = sizes.map(
    (n) =>
      `| ${bytes(Number(n))} | ${median(seen[n].ours).toFixed(0)} | ${median(seen[n].c).toFixed(0)} | ${median(seen[n].ratio).toFixed(2)} |`,
  );
  return `### All-reduce of f32 between two ranks on one machine, Open MPI\n\n| size | ours, us | C, us | ours / C |\n| ---: | ---: | ---: | ---: |\n${rows.join("\n")}`;
}

/** @param {number} rounds */
function steps(rounds) {
  const one = `${here}ranks.js`;
  /** @type {Record<string, () => number>} */
  const ways = {
    "one process, one thread": () => alone(one, "step", "1", "0", "20"),
    "one process, two threads": () => alone(one, "step", "2", "0", "20"),
    "one rank, buckets of 1 MB": () => mpirun(1, process.execPath, one, "step", "1", String(2 ** 20), "20"),
    "two ranks, buckets of 1 MB": () => mpirun(2, process.execPath, one, "step", "1", String(2 ** 20), "20"),
    "two ranks, one bucket: nothing overlaps": () => mpirun(2, process.execPath, one, "step", "1", String(2 ** 30), "20"),
  };
  /** @type {Record<string, number[]>} */
  const times = {};
  for (let round = 0; round < rounds; round++) for (const [name, run] of Object.entries(ways)) (times[name] ??= []).push(run());
  const first = times["one process, one thread"];
  const rows = Object.entries(times).map(
    ([name, own]) => `| ${name} | ${median(own).toFixed(2)} | ${median(own.map((t, i) => t / first[i])).toFixed(2)} |`,
  );
  return `### SGD step of an MLP 784-512-512-10, batch 256 in all, f32\n\n| | ms | of one thread |\n| --- | ---: | ---: |\n${rows.join("\n")}`;
}

/** @param {string} folder */
function predictions(folder) {
  const data = join(folder, "rows.csv");
  const head = [...Array.from({ length: 784 }, (_, i) => `p${i}`), "label"].join();
  const row = (/** @type {number} */ r) => [...Array.from({ length: 784 }, (_, i) => (r * 31 + i * 17) % 255), r % 10].join();
  writeFileSync(data, `${[head, ...Array.from({ length: 400 }, (_, r) => row(r))].join("\n")}\n`);
  const models = [
    ["MLP 784-512-512-10, 256 rows a rank", "mlp:784-512-512-10", "256"],
    ["ConvNet 28x28-32c3-64c3-128-10, 32 rows a rank", "conv:28x28x1-32c3-p2-64c3-p2-128-10", "32"],
  ];
  const networks = [
    ["10 Gb/s, 20 us", { bandwidth: 1.25e9, latency: 20e-6 }],
    ["100 Gb/s, 2 us", { bandwidth: 1.25e10, latency: 2e-6 }],
  ];
  const rows = models.flatMap(([title, model, batch]) => {
    const measured = alone(
      bin,
      "train",
      "--plan",
      "--ranks",
      "1",
      "--json",
      "--model",
      model,
      "--batch",
      batch,
      "--data",
      data,
      "--target",
      "label",
    );
    return networks.map(([network, how]) => {
      const plans = [8, 64, 512].map((ranks) => simulate(measured, { ...how, ranks }));
      const shown = plans.map((p) => `${(100 * p.efficiency).toFixed(0)}% (${(100 * p.hidden).toFixed(0)}% hidden)`);
      return `| ${title} | ${network} | ${(measured.bytes / 1e6).toFixed(2)} | ${(measured.compute + measured.update).toFixed(1)} | ${shown.join(" | ")} |`;
    });
  });
  return `### Predicted efficiency, \`chainrule train --plan\`\n\nThe rows of each rank stay the same. Assumed: ranks as fast as this machine was, always ready; a link of its own for each; sums by halving and doubling, one after the other, that get on while the processor computes.\n\n| model | network | MB a step | ms a step alone | 8 ranks | 64 ranks | 512 ranks |\n| --- | --- | ---: | ---: | ---: | ---: | ---: |\n${rows.join("\n")}`;
}

const note =
  "Two processes need two idle processors: where other work runs beside them, each waits for the other at every sum, and only ratios of sums to the same sums in C mean anything.";

/** @param {number} rounds @returns {Promise<string>} Markdown */
export async function ranks(rounds) {
  const folder = mkdtempSync(join(tmpdir(), "bench-mpi-"));
  try {
    return [note, sums(rounds, folder), steps(rounds), predictions(folder)].join("\n\n");
  } finally {
    rmSync(folder, { recursive: true });
  }
}
