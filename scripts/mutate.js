// `npm run mutate`: breaks the derivative rules of the declarations one at a time and sees whether the laws notice. All mutants are woven into one
// bundle, each behind a switch (scripts/mutants.js), and two processes try them. Options: --only PART of a file name, --runs N cases an op (24),
// --seed S (1), --list to print what would be planted, --write to put the result into docs/reliability.md.
import { fork } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { rolldown } from "rolldown";
import { root } from "./entries.js";
import { equivalent } from "./equivalent-mutants.js";
import { describe, functionsOfRules, mutantsOf, place, readDeclarations, woven } from "./mutants.js";

/** @typedef {import("./mutants.js").Mutant} Mutant */
/** @typedef {{ id: number, mutant: Mutant, names: readonly string[] }} Job */
/** @typedef {{ by: string, what: string }} Killer */

const { values } = parseArgs({
  options: {
    only: { type: "string", default: "" },
    runs: { type: "string", default: "24" },
    seed: { type: "string", default: "1" },
    list: { type: "boolean", default: false },
    write: { type: "boolean", default: false },
  },
});
/** How long one mutant may take before it counts as killed: it does not come to an end. */
const patience = 60_000;

/** @param {string} file */
const read = (file) => readFileSync(root + file, "utf8");

/**
 * The ops and functions that a file declares.
 *
 * @param {string} file
 */
function namesIn(file) {
  const source = read(file);
  const declared = source.matchAll(/(?:declare<[\s\S]*?>|declare|unary|binary|choice|extreme|argExtreme|comparison)\(\s*"([A-Za-z0-9]+)"/g);
  const exported = source.matchAll(/^export (?:const|function) ([A-Za-z0-9]+)/gm);
  return [...new Set([...declared, ...exported].map((m) => String(m[1])))];
}

/**
 * The walks themselves: un-broadcasting and branch sums.
 *
 * @returns {{ mutant: Mutant, users: readonly string[] }[]}
 */
function walkMutants() {
  /** @type {[file: string, original: string, text: string, kind: string][]} */
  const planted = [
    ["src/autodiff/pullback.ts", "sumTo(v, x.type.shape)", "v", "un-broadcast left out"],
    ["src/autodiff/pullback.ts", "branchSum(before, ct, node)", "ct", "branch dropped"],
    ["src/autodiff/pullback.ts", "branchSum(before, ct, node)", "before", "branch dropped"],
    ["src/autodiff/pushforward.ts", "expand(x, { shape: like.type.shape })", "x", "un-broadcast left out"],
    ["src/autodiff/pushforward.ts", "add(v, part[k]!)", "v", "term dropped"],
    ["src/autodiff/pushforward.ts", "add(total, dot)", "dot", "term dropped"],
    ["src/autodiff/pushforward.ts", "(j === i ? t : v)", "t ?? v", "operand dropped"],
  ];
  return planted.flatMap(([file, original, text, kind]) => {
    const source = read(file);
    /** @type {{ mutant: Mutant, users: readonly string[] }[]} */
    const found = [];
    for (let from = source.indexOf(original); from >= 0; from = source.indexOf(original, from + 1)) {
      const start = source.lastIndexOf("\n", from) + 1;
      const line = (source.slice(start).split("\n", 1)[0] ?? "").trim();
      const at = source.slice(start, from).trimStart().length;
      found.push({
        mutant: { file, from, to: from + original.length, original, text, kind, line, at },
        users: ["src/ops/arithmetic.ts"],
      });
    }
    if (found.length === 0) throw new Error(`mutate: ${file} has no ${original}; mend the list of walk mutants`);
    return found;
  });
}

/** @returns {Job[]} */
function planted() {
  const files = ["ops", "linalg"]
    .flatMap((folder) => readdirSync(`${root}src/${folder}`, { recursive: true, encoding: "utf8" }).map((f) => `src/${folder}/${f}`))
    .filter((f) => f.endsWith(".ts") && !f.includes("/kernels/") && !f.endsWith("define.ts"))
    .sort();
  const declarations = new Map(files.map((f) => [f, readDeclarations(f, read(f))]));
  const functions = functionsOfRules(declarations);
  const found = [...declarations].flatMap(([f, d]) => mutantsOf(d, functions.get(f) ?? []));
  return [...found, ...walkMutants()]
    .map(({ mutant, users }, id) => ({ id, mutant, names: users.flatMap(namesIn) }))
    .filter(({ mutant }) => mutant.file.includes(values.only));
}

/**
 * One bundle with every mutant in it.
 *
 * @param {readonly Job[]} jobs
 * @param {string} folder
 */
async function bundle(jobs, folder) {
  const touched = new Map(
    [...new Set(jobs.map((j) => j.mutant.file))].map((f) => [
      root + f,
      woven(
        read(f),
        jobs.filter((j) => j.mutant.file === f),
      ),
    ]),
  );
  const build = await rolldown({
    input: `${root}test/laws/mutant-worker.ts`,
    platform: "node",
    logLevel: "warn",
    plugins: [
      {
        name: "mutants",
        load: (id) => {
          const code = touched.get(id);
          return code === undefined ? null : { code, moduleType: "ts" };
        },
      },
    ],
  });
  const file = join(folder, "mutants.mjs");
  await build.write({ file, format: "esm" });
  await build.close();
  return file;
}

/**
 * Tries jobs one after the other in a process of its own, which is ended and replaced when a mutant does not come to an end.
 *
 * @param {string} file
 * @param {() => Job | undefined} next
 * @param {(job: Job, killer: Killer | null) => void} done
 * @returns {Promise<void>}
 */
function work(file, next, done) {
  return new Promise((resolve, reject) => {
    const job = next();
    if (job === undefined) return resolve();
    const child = fork(file, { cwd: root, stdio: ["ignore", "inherit", "inherit", "ipc"] });
    /** @type {Job} */
    let at = job;
    /** @type {NodeJS.Timeout | undefined} */
    let timer;
    const give = () => {
      timer = setTimeout(() => {
        done(at, { by: "laws", what: "it does not come to an end" });
        child.removeAllListeners();
        child.kill("SIGKILL");
        work(file, next, done).then(resolve, reject);
      }, patience);
      child.send({ mutant: at.id, names: at.names, runs: Number(values.runs), seed: Number(values.seed) });
    };
    child.on("message", (/** @type {{ killer: Killer | null }} */ { killer }) => {
      clearTimeout(timer);
      done(at, killer);
      const after = next();
      if (after === undefined) {
        child.removeAllListeners();
        child.disconnect();
        resolve();
      } else {
        at = after;
        give();
      }
    });
    child.on("exit", (code) => {
      clearTimeout(timer);
      if (at.id < 0) return reject(new Error(`mutate: the process ended with ${code} before it planted anything`));
      done(at, { by: "laws", what: `the process ended with ${code}` });
      work(file, next, done).then(resolve, reject);
    });
    give();
  });
}

const jobs = planted();
/** @param {Mutant} m */
const where = (m) => `${place(m, read(m.file))} ${describe(m)}`;
if (values.list) {
  for (const { mutant } of jobs) console.log(where(mutant));
  console.log(`${jobs.length} mutants`);
  process.exit(0);
}
const began = Date.now();
const folder = mkdtempSync(join(tmpdir(), "chainrule-mutate-"));
process.on("exit", () => rmSync(folder, { recursive: true, force: true }));
process.on("SIGINT", () => process.exit(130));
const file = await bundle(jobs, folder);

/** @type {Job[]} */
const sound = [{ id: -1, mutant: /** @type {Mutant} */ ({}), names: [] }];
await work(
  file,
  () => sound.pop(),
  (_, killer) => {
    if (killer !== null) throw new Error(`mutate: the laws fail without a fault; mend that first: ${killer.what}`);
  },
);

/** @type {{ job: Job, killer: Killer | null }[]} */
const verdicts = [];
const queue = [...jobs];
const tries = () =>
  work(
    file,
    () => queue.shift(),
    (job, killer) => {
      verdicts.push({ job, killer });
      if (!process.stdout.isTTY && verdicts.length % 100 === 0) console.log(`${verdicts.length} of ${jobs.length} tried`);
      if (process.stdout.isTTY)
        process.stdout.write(`\r${verdicts.length} of ${jobs.length}, ${verdicts.filter((v) => v.killer === null).length} survived `);
    },
  );
await Promise.all([tries(), tries()]);

const { survivors, listed, stale } = equivalent(
  verdicts.filter((v) => v.killer === null).map((v) => v.job.mutant),
  jobs.map((j) => j.mutant),
);
const killed = verdicts.filter((v) => v.killer !== null).length;
/** @type {(n: number, of: number) => string} */
const percent = (n, of) => (of === 0 ? "none planted" : `${((100 * n) / of).toFixed(1)} %`);
/** @type {Record<string, { killed: number, all: number }>} */
const kinds = {};
for (const { job, killer } of verdicts) {
  const kind = (kinds[job.mutant.kind] ??= { killed: 0, all: 0 });
  kind.all++;
  if (killer !== null) kind.killed++;
}
const seconds = Math.round((Date.now() - began) / 1000);
const result = [
  `${killed} of ${jobs.length} mutants killed (${percent(killed, jobs.length)}); without the ${listed.length} that provably change no result, ${killed} of ${jobs.length - listed.length} (${percent(killed, jobs.length - listed.length)}).`,
  `${values.runs} cases an op, seed ${values.seed}; ${seconds} s in two processes.`,
];
const table = [
  "| fault | planted | killed |",
  "|---|---|---|",
  ...Object.entries(kinds)
    .sort()
    .map(([kind, n]) => `| ${kind} | ${n.all} | ${n.killed} |`),
];
const lines = (/** @type {readonly Mutant[]} */ list) => list.map((m) => `- ${where(m)}`).sort();
const equivalents = listed.map(({ mutant, reason }) => `- ${where(mutant)}: ${reason}`).sort();
console.log(
  `\n${result.join(" ")}\n\n${table.join("\n")}\n\nSurvivors:\n${lines(survivors).join("\n") || "none"}\n\nChange no result:\n${equivalents.join("\n") || "none"}`,
);
for (const s of stale) console.log(`\nscripts/equivalent-mutants.js lists what is killed or not planted: ${s}`);
if (stale.length > 0 && values.only === "") process.exitCode = 1;

if (values.write) {
  const page = `${root}docs/reliability.md`;
  const section = [
    "## Mutation run",
    "",
    `\`npm run mutate -- --write\`, ${new Date().toISOString().slice(0, 10)}, Node ${process.versions.node}: ${result.join(" ")}`,
    "",
    ...table,
    "",
    "Survivors:",
    "",
    ...(survivors.length === 0 ? ["none"] : lines(survivors)),
    "",
    "Mutants that change no result, each with the reason, as `scripts/equivalent-mutants.js` lists them:",
    "",
    ...(equivalents.length === 0 ? ["none"] : equivalents),
    "",
    "",
  ].join("\n");
  const before = readFileSync(page, "utf8");
  const start = before.indexOf("## Mutation run");
  const after = start < 0 ? -1 : before.indexOf("\n## ", start);
  const head = start < 0 ? `${before.trimEnd()}\n\n` : before.slice(0, start);
  writeFileSync(page, `${head}${section}${after < 0 ? "" : before.slice(after + 1)}`.replace(/\n+$/, "\n"));
}
