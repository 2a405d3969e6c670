#!/usr/bin/env node
// Times the derivatives of GradBench's evals at the medium sizes, on the reference engine and on the compiled one, one after the other:
// `node bench/gradbench/sizes.js [eval...]`. Prints the first run (with tracing and compiling) and the median of the later ones.
import { spawnSync } from "node:child_process";
import { goldens } from "./golden.js";

const here = import.meta.dirname;

/** Numbers between 0 and 1 from a seed. */
function draws(/** @type {number} */ seed) {
  let state = seed >>> 0;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32;
  };
}

let random = draws(7);
const list = (/** @type {number} */ n) => Array.from({ length: n }, random);
const rows = (/** @type {number} */ n, /** @type {number} */ m) => Array.from({ length: n }, () => list(m));

/** @type {Record<string, { f: string, size: string, input: () => unknown }>} */
const medium = Object.fromEntries(
  Object.entries(sizes()).map(([name, entry]) => [
    name,
    {
      ...entry,
      // The same numbers for everybody who asks.
      input: () => {
        random = draws(7);
        return entry.input();
      },
    },
  ]),
);

/** @returns {Record<string, { f: string, size: string, input: () => unknown }>} */
function sizes() {
  return {
    llsq: { f: "gradient", size: "n=4096 m=128", input: () => ({ n: 4096, x: list(128) }) },
    lse: { f: "gradient", size: "n=640,000", input: () => ({ x: list(640_000) }) },
    det: { f: "gradient", size: "ell=9", input: () => ({ ell: 9, A: list(81) }) },
    gmm: {
      f: "jacobian",
      size: "d=10 k=25 n=1000",
      input: () => ({
        d: 10,
        k: 25,
        n: 1000,
        m: 0,
        gamma: 1,
        x: rows(1000, 10),
        alpha: list(25),
        mu: rows(25, 10),
        q: rows(25, 10),
        l: rows(25, 45),
      }),
    },
    ba: { f: "jacobian", size: "p=31,843", input: () => goldens(here, "ba").at(-1)?.input },
    ht: { f: "jacobian", size: "complicated, c=100", input: () => goldens(here, "ht").at(-1)?.input },
    lstm: {
      f: "jacobian",
      size: "l=2 c=1024",
      input: () => ({
        main_params: rows(4, 56),
        extra_params: rows(3, 14),
        state: rows(4, 14),
        sequence: rows(1024, 14).map((r) => r.map((x) => (x > 0.5 ? 1 : 0))),
      }),
    },
    kmeans: {
      f: "dir",
      size: "k=100 n=10,000 d=8",
      input: () => {
        const points = rows(10_000, 8);
        return { points, centroids: points.slice(-100) };
      },
    },
    ode: { f: "gradient", size: "n=10,000 s=100", input: () => ({ x: list(10_000), s: 100 }) },
  };
}

const [mode, ...names] = process.argv.slice(2);
if (mode === "--one") {
  const [name = ""] = names;
  const { f, input } = /** @type {{ f: string, input: () => unknown }} */ (medium[name]);
  const { protocol } = await import("./protocol.js");
  const module = (await import(`./evals/${name}.js`))[name];
  const given = /** @type {Record<string, unknown>} */ (input());
  const answer = protocol({ [name]: module });
  // At least three runs, and three seconds or fifty of them.
  const once = JSON.parse(
    answer(JSON.stringify({ id: 0, kind: "evaluate", module: name, function: f, input: { ...given, min_runs: 3, min_seconds: 3 } })),
  );
  if (!once.success) throw new Error(once.error);
  const times = once.timings.map((/** @type {{ nanoseconds: number }} */ t) => t.nanoseconds / 1e6);
  const [first = 0, ...rest] = times;
  rest.sort((/** @type {number} */ a, /** @type {number} */ b) => a - b);
  console.log(
    JSON.stringify({ size: magnitude(once.output), first, median: rest[rest.length >> 1], peak: process.resourceUsage().maxRSS / 1024 }),
  );
} else {
  const chosen = mode === undefined ? Object.keys(medium) : [mode, ...names];
  console.log("| eval, size | engine | first run, ms | later, median ms | peak MiB | answer |");
  console.log("|---|---|---|---|---|---|");
  for (const name of chosen) {
    const entry = medium[name];
    if (entry === undefined) {
      console.error(`sizes: there is no eval ${name}; there are ${Object.keys(medium).join(", ")}`);
      process.exit(2);
    }
    /** @type {number | null} */
    let truth = null;
    for (const engine of ["reference", "wasm", "PyTorch"]) {
      const run = engine === "PyTorch" ? pytorch(name, entry.input) : ours(name, engine);
      const label = `| ${name}, ${entry.size} | ${engine} |`;
      if (run === null) {
        console.log(`${label} not there | | | |`);
        continue;
      }
      truth ??= run.size;
      // The sum of the magnitudes of all numbers of the answer is the same whoever computes it.
      const agrees = Math.abs(run.size - truth) <= 1e-9 * Math.abs(truth) ? "agrees" : `differs: ${run.size}, not ${truth}`;
      console.log(`${label} ${run.first.toFixed(1)} | ${run.median.toFixed(2)} | ${run.peak?.toFixed(0) ?? ""} | ${agrees} |`);
    }
  }
}

/**
 * @param {unknown} output
 * @returns {number}
 */
function magnitude(output) {
  if (typeof output === "number") return Math.abs(output);
  return Object.values(/** @type {object} */ (output)).reduce((total, x) => total + magnitude(x), 0);
}

/** @typedef {{ size: number, first: number, median: number, peak?: number }} Timed */

/**
 * @param {string} name
 * @param {string} engine
 * @returns {Timed | null}
 */
function ours(name, engine) {
  const env = { ...process.env, GRADBENCH_ENGINE: engine };
  const { stdout, status } = spawnSync(process.execPath, [import.meta.filename, "--one", name], {
    env,
    encoding: "utf8",
    stdio: ["ignore", "pipe", "inherit"],
  });
  return status === 0 ? JSON.parse(stdout) : null;
}

/**
 * PyTorch with one thread, where the eval is written for it and python3 has torch.
 *
 * @param {string} name
 * @param {() => unknown} input
 * @returns {Timed | null}
 */
function pytorch(name, input) {
  const { stdout, status } = spawnSync(process.env["PYTHON"] ?? "python3", [`${here}/pytorch.py`], {
    input: JSON.stringify({ eval: name, input: input() }),
    encoding: "utf8",
    stdio: ["pipe", "pipe", "ignore"],
    maxBuffer: 1 << 26,
  });
  return status === 0 ? JSON.parse(stdout) : null;
}
