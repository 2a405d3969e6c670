// Ranks: sums against the same library called from C, steps on ranks against threads, and what the simulation says of many ranks. Elapsed time, in turn, round by round.
import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { availableParallelism, tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { simulate } from "../../dist/train.js";

const here = fileURLToPath(new URL("../mpi/", import.meta.url));
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

/** `1.02 (0.97 to 1.10)`: median and quartiles. @param {number[]} xs @param {number} digits */
const spread = (xs, digits = 2) => {
  const sorted = [...xs].sort((a, b) => a - b);
  const at = (/** @type {number} */ q) => sorted[Math.min(sorted.length - 1, Math.floor(q * sorted.length))].toFixed(digits);
  return `${at(0.5)} (${at(0.25)} to ${at(0.75)})`;
};

/** Sizes in floats, how many sums in a row are one measurement (short ones, so that many are not interrupted), and how many of these a launch makes. */
const sizes = [
  [2 ** 8, 16, 301],
  [2 ** 10, 16, 301],
  [2 ** 14, 8, 201],
  [2 ** 18, 2, 101],
  [2 ** 20, 1, 101],
  [2 ** 22, 1, 41],
];

/** @param {number} rounds @param {string} folder */
function sums(rounds, folder) {
  const [library, program] = [join(folder, "allreduce.so"), join(folder, "allreduce")];
  execFileSync("mpicc.openmpi", ["-O2", "-shared", "-fPIC", "-o", library, `${here}allreduce.c`]);
  execFileSync("mpicc.openmpi", ["-O2", "-o", program, `${here}allreduce.c`]);
  const least = (/** @type {number[]} */ xs) => Math.min(...xs);
  const rows = sizes.map(([n, inner, times]) => {
    /** @type {Record<string, number[]>} */
    const seen = { ours: [], c: [], ratio: [], least: [], floor: [], blocking: [], sister: [], apart: [] };
    for (let round = 0; round < rounds; round++) {
      const found = mpirun(2, process.execPath, `${here}ranks.js`, "allreduce", library, String(times), String(n), String(inner))[n];
      seen.ours.push(median(found.ours));
      seen.c.push(median(found.c));
      seen.ratio.push(median(found.ours) / median(found.c));
      seen.least.push(least(found.ours) / least(found.c));
      seen.floor.push(median(found.again) / median(found.c));
      seen.blocking.push(median(found.blocking));
      seen.sister.push(median(found.ours) / median(found.blocking));
      seen.apart.push(mpirun(2, program, String(times), String(n), String(inner))[n]);
    }
    const digits = n < 2 ** 14 ? 1 : 0;
    return `| ${bytes(n)} | ${spread(seen.ours, digits)} | ${spread(seen.c, digits)} | ${spread(seen.ratio)} | ${spread(seen.least)} | ${spread(seen.floor)} | ${median(seen.apart).toFixed(digits)} | ${median(seen.blocking).toFixed(digits)} | ${spread(seen.sister)} |`;
  });
  return `### All-reduce of f32 between two ranks on one machine, Open MPI

\`startAllReduce(x).wait()\`, made of messages that do not block, beside \`MPI_Iallreduce\` and \`MPI_Test\` called from C, on the same memory in the same two processes, in turn, in another order each round; ${rounds} launches, medians of each, their median and quartiles. Ratios of a launch's medians, and of its least times. C / C: the same call from C measured twice, which is what the machine differs from itself. Apart: C in processes of its own. Blocking: \`MPI_Allreduce\` from C, which is another algorithm of the library, and during which a process hears of nothing else.

| size | ours, us | C, us | ours / C | of the least | C / C | C apart, us | C blocking, us | ours / C blocking |
| ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: |
${rows.join("\n")}`;
}

/** @type {readonly [string, string, number][]} */
const trained = [
  ["mlp", "SGD step of an MLP 784-512-512-10, batch 256 in all", 2 ** 20],
  ["convnet", "SGD step of a ConvNet 28x28x1, 3x3x32, 3x3x64, pool, 128, 10, batch 32 in all", 2 ** 20],
  ["gpt", "AdamW step of a GPT: 4 layers, width 128, 4 heads, 64 tokens, batch 8 in all", 2 ** 19],
];

/** @param {number} rounds */
function steps(rounds) {
  const one = `${here}ranks.js`;
  return trained.map(([model, title, bucket]) => {
    const [small, large] = [String(bucket), String(2 ** 30)];
    /** @type {Record<string, () => { ms: number, hidden?: number, alone?: number, waited?: number, late?: number }>} */
    const ways = {
      "one process, one thread": () => alone(one, "step", model, "1", "0", "20"),
      "one process, two threads": () => alone(one, "step", model, "2", "0", "20"),
      "one rank": () => mpirun(1, process.execPath, one, "step", model, "1", small, "20"),
      [`two ranks, buckets of ${bytes(bucket / 4)}`]: () => mpirun(2, process.execPath, one, "step", model, "1", small, "20"),
      "two ranks, one bucket": () => mpirun(2, process.execPath, one, "step", model, "1", large, "20"),
    };
    /** @type {Record<string, { ms: number, hidden?: number, alone?: number, waited?: number, late?: number }[]>} */
    const times = {};
    for (let round = 0; round < rounds; round++) for (const [name, run] of Object.entries(ways)) (times[name] ??= []).push(run());
    const first = times["one process, one thread"].map(({ ms }) => ms);
    const rows = Object.entries(times).map(([name, own]) => {
      const of = (/** @type {"alone" | "waited" | "late"} */ key) =>
        name.startsWith("two r") ? median(own.map((r) => r[key] ?? 0)).toFixed(2) : "";
      const hidden = name.startsWith("two r") ? `${(100 * median(own.map((r) => r.hidden ?? 0))).toFixed(0)}%` : "";
      return `| ${name} | ${spread(own.map(({ ms }) => ms))} | ${spread(own.map(({ ms }, i) => ms / first[i]))} | ${of("alone")} | ${of("waited")} | ${hidden} | ${of("late")} |`;
    });
    return `### ${title}, f32\n\n| | ms | of one thread | messages by themselves, ms | waited for, ms | hidden | waited for late ranks, ms |\n| --- | ---: | ---: | ---: | ---: | ---: | ---: |\n${rows.join("\n")}`;
  });
}

function predictions() {
  const networks = [
    ["10 Gb/s, 20 us", { bandwidth: 1.25e9, latency: 20e-6 }],
    ["100 Gb/s, 2 us", { bandwidth: 1.25e10, latency: 2e-6 }],
  ];
  const rows = trained.flatMap(([model, title]) =>
    [false, true].flatMap((shard) => {
      const measured = alone(`${here}ranks.js`, "plan", model, String(shard));
      return networks.map(([network, how]) => {
        const plans = [8, 64, 512].map((ranks) => simulate(measured, { ...how, ranks }));
        const shown = plans.map((p) => `${(100 * p.efficiency).toFixed(0)}% (${(100 * p.hidden).toFixed(0)}% hidden)`);
        const [{ bytes: sent }] = plans;
        return `| ${title.replace(" in all", " a rank")}${shard ? ", update shared out" : ""} | ${network} | ${(sent / 1e6).toFixed(2)} | ${(measured.compute + measured.update).toFixed(1)} | ${shown.join(" | ")} |`;
      });
    }),
  );
  return `### Predicted efficiency, \`chainrule train --plan\`\n\nThe rows of each rank stay the same. Assumed: ranks as fast as this machine was, always ready; a link of its own for each; sums by halving and doubling, one after the other, that get on while the processor computes. Where the update is shared out, its time is that of one rank for all of it.\n\n| model | network | MB a step | ms a step alone | 8 ranks | 64 ranks | 512 ranks |\n| --- | --- | ---: | ---: | ---: | ---: | ---: |\n${rows.join("\n")}`;
}

/** What is predicted of two, three and four ranks of this machine, and what they take. @param {number} rounds @param {string} folder */
function compared(rounds, folder) {
  const library = join(folder, "allreduce.so");
  execFileSync("mpicc.openmpi", ["-O2", "-shared", "-fPIC", "-o", library, `${here}allreduce.c`]);
  const took = (/** @type {number} */ n, /** @type {number} */ inner) =>
    median(mpirun(2, process.execPath, `${here}ranks.js`, "allreduce", library, "51", String(n), String(inner))[n].ours) / 1e6;
  // The network of the plan is this machine's memory, as two ranks sum over it: a sum has two latencies, and each rank sends as many bytes as it has.
  const latency = took(2 ** 8, 16) / 2;
  const bandwidth = 2 ** 22 / took(2 ** 20, 1);
  const rows = trained.flatMap(([model, title, bucket]) =>
    [2, 3, 4].map((ranks) => {
      /** @type {Record<"predicted" | "real" | "ratio", number[]>} */
      const seen = { predicted: [], real: [], ratio: [] };
      /** @type {number[]} */
      const efficiency = [];
      for (let round = 0; round < rounds; round++) {
        const plan = simulate(alone(`${here}ranks.js`, "plan", model, "false", String(ranks), String(bucket)), {
          ranks,
          bandwidth,
          latency,
        });
        const { ms } = mpirun(ranks, process.execPath, `${here}ranks.js`, "step", model, "1", String(bucket), "13");
        seen.predicted.push(plan.step);
        seen.real.push(ms);
        seen.ratio.push(ms / plan.step);
        efficiency.push(plan.efficiency);
      }
      const crowd = ranks > availableParallelism() ? " (more than processors)" : "";
      const real = efficiency.map((e, i) => e / seen.ratio[i]);
      return `| ${title} | ${ranks}${crowd} | ${spread(seen.predicted, 1)} | ${spread(seen.real, 1)} | ${spread(seen.ratio)} | ${(100 * median(efficiency)).toFixed(0)}% | ${(100 * median(real)).toFixed(0)}% |`;
    }),
  );
  return `### What \`--plan\` predicts and what ranks take

Each step is measured by itself as one of so many ranks would make it and laid on the network between two ranks of this machine, ${(bandwidth / 1e9).toFixed(2)} GB/s and ${(latency * 1e6).toFixed(1)} us by a sum of 4 MB and one of 1 kB; then as many real ranks make it, under Open MPI; ${rounds} rounds, in turn. The efficiency of real ranks is the time of the step measured by itself as a part of theirs. Predictions assume a processor for each rank, which no row has whose ranks are more than processors, and a memory that ranks do not share.

| model | ranks | predicted, ms | real, ms | real / predicted | efficiency predicted | real |
| --- | ---: | ---: | ---: | ---: | ---: | ---: |
${rows.join("\n")}`;
}

const note =
  "Two processes need two idle processors: where other work runs beside them, each waits for the other at every sum, and only ratios of sums to the same sums in C mean anything.";

/** @type {Record<string, (rounds: number, folder: string) => string>} */
const parts = {
  sums: (rounds, folder) => [note, sums(rounds, folder)].join("\n\n"),
  steps: (rounds) => [note, ...steps(rounds), predictions()].join("\n\n"),
  plan: (rounds, folder) => [note, compared(rounds, folder)].join("\n\n"),
};

/** @param {string} part @param {number} rounds @returns {string} Markdown */
export function ranks(part, rounds) {
  const folder = mkdtempSync(join(tmpdir(), "bench-mpi-"));
  try {
    return parts[part](rounds, folder);
  } finally {
    rmSync(folder, { recursive: true });
  }
}
