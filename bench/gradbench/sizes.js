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

const random = draws(7);
const list = (/** @type {number} */ n) => Array.from({ length: n }, random);
const rows = (/** @type {number} */ n, /** @type {number} */ m) => Array.from({ length: n }, () => list(m));

/** @type {Record<string, { f: string, size: string, input: () => unknown }>} */
const medium = {
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

const [mode, ...names] = process.argv.slice(2);
if (mode === "--one") {
  const [name = ""] = names;
  const { f, input } = /** @type {{ f: string, input: () => unknown }} */ (medium[name]);
  const module = (await import(`./evals/${name}.js`))[name][f];
  const prepared = module.prepare(input());
  const times = [];
  for (let spent = 0; times.length < 3 || (spent < 3000 && times.length < 50); ) {
    const start = performance.now();
    module.run(prepared);
    times.push(performance.now() - start);
    spent += times.at(-1) ?? 0;
  }
  const [first = 0, ...rest] = times;
  rest.sort((a, b) => a - b);
  console.log(JSON.stringify({ first, median: rest[rest.length >> 1], peak: process.resourceUsage().maxRSS / 1024 }));
} else {
  const chosen = mode === undefined ? Object.keys(medium) : [mode, ...names];
  console.log("eval     size                 engine     first ms  median ms   peak MiB");
  for (const name of chosen)
    for (const engine of ["reference", "wasm"]) {
      const { stdout, status } = spawnSync(process.execPath, [import.meta.filename, "--one", name], {
        env: { ...process.env, GRADBENCH_ENGINE: engine },
        encoding: "utf8",
        stdio: ["ignore", "pipe", "inherit"],
      });
      if (status !== 0) {
        console.log(`${name.padEnd(8)} ${(medium[name]?.size ?? "no such eval").padEnd(20)} ${engine.padEnd(9)} failed`);
        continue;
      }
      const { first, median, peak } = JSON.parse(stdout);
      console.log(
        `${name.padEnd(8)} ${(medium[name]?.size ?? "").padEnd(20)} ${engine.padEnd(9)} ${first.toFixed(1).padStart(9)} ${median.toFixed(2).padStart(10)} ${peak.toFixed(0).padStart(10)}`,
      );
    }
}
