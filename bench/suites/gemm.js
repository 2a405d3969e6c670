// Matrix products in f32, GFLOP/s of processor time on one thread, beside the most that multiplying and adding in registers reaches in the same run. The best
// of all rounds: work on the other half of the same core halves what a product reaches, and hardly touches what waits for its own sums in registers.
import { spawnSync } from "node:child_process";
import { mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { compile, evaluate, f32, graph, matmul, random, transpose, zeros } from "../../dist/index.js";
import { wasm } from "../../dist/wasm.js";
import { measure, processorNanoseconds } from "../harness/measure.js";
import { peer } from "../harness/peers.js";
import { median } from "../harness/statistics.js";
import { digits } from "../harness/table.js";

const shapes = [
  [512, 512, 512],
  [1024, 1024, 1024],
  [64, 128, 784],
  [784, 128, 64],
  [256, 512, 784],
  [64, 64, 32],
];
const ways = ["A B", "A^T B", "A B^T"];

/** Twelve accumulators, each multiplied and added to 4 times a turn: a WebAssembly module by hand. */
function peak() {
  const leb = (x) => (x < 128 ? [x] : [(x & 127) | 128, ...leb(x >> 7)]);
  const sized = (id, bytes) => [id, ...leb(bytes.length), ...bytes];
  const steps = [];
  for (let s = 0; s < 4; s++)
    for (let r = 0; r < 12; r++) steps.push(0x20, 1, 0x20, 2 + (r % 2), 0xfd, 0xe6, 1, 0x20, 4 + r, 0xfd, 0xe4, 1, 0x21, 4 + r);
  const sums = [];
  for (let r = 0; r < 12; r++) sums.push(0x20, 4 + r, ...(r > 0 ? [0xfd, 0xe4, 1] : []));
  const body = [1, 15, 0x7b, 0x03, 0x40, ...steps, 0x20, 0, 0x41, 1, 0x6b, 0x22, 0, 0x0d, 0, 0x0b, ...sums, 0xfd, 0x1f, 0, 0x0b];
  const bytes = [0, 97, 115, 109, 1, 0, 0, 0, ...sized(1, [1, 0x60, 1, 0x7f, 1, 0x7d]), ...sized(3, [1, 0])];
  bytes.push(...sized(7, [1, 1, 112, 0, 0]), ...sized(10, [1, ...leb(body.length), ...body]));
  const run = new WebAssembly.Instance(new WebAssembly.Module(new Uint8Array(bytes))).exports.p;
  return { name: "in registers", flops: 4 * 12 * 8 * 1000, run: (times) => { for (let i = 0; i < times; i++) run(1000); } }; // biome-ignore format: one row
}

/** OpenBLAS on one thread, where gcc finds it: seconds for one product, the best of ten. */
function openblas() {
  const folder = mkdtempSync(join(tmpdir(), "blas-"));
  writeFileSync(
    join(folder, "gemm.c"),
    `#include <cblas.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
int main(int argc, char **argv) {
  int m = atoi(argv[1]), n = atoi(argv[2]), k = atoi(argv[3]), ta = atoi(argv[4]), tb = atoi(argv[5]);
  float *a = calloc(m * k, 4), *b = calloc(k * n, 4), *c = calloc(m * n, 4);
  for (int i = 0; i < m * k; i++) a[i] = i % 7;
  for (int i = 0; i < k * n; i++) b[i] = i % 5;
  double best = 1e9;
  for (int i = 0; i < 10; i++) {
    struct timespec s, e;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &s);
    cblas_sgemm(CblasRowMajor, ta ? CblasTrans : CblasNoTrans, tb ? CblasTrans : CblasNoTrans, m, n, k, 1, a, ta ? m : k, b, tb ? k : n, 0, c, n);
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &e);
    double t = e.tv_sec - s.tv_sec + (e.tv_nsec - s.tv_nsec) * 1e-9;
    if (t < best) best = t;
  }
  printf("%.9f\\n", best);
  return 0;
}
`,
  );
  const built = spawnSync("gcc", ["-O2", join(folder, "gemm.c"), "-o", join(folder, "gemm"), "-lopenblas"], { stdio: "ignore" });
  if (built.status !== 0) return null;
  return ([m, n, k], way) =>
    () => {
      const args = [m, n, k, way === 1 ? 1 : 0, way === 2 ? 1 : 0].map(String);
      const { stdout } = spawnSync(join(folder, "gemm"), args, { env: { ...process.env, OPENBLAS_NUM_THREADS: "1" }, encoding: "utf8" });
      return Number(stdout) * 1e9;
    };
}

/** @param {number} rounds @returns {Promise<string>} a Markdown table */
export async function products(rounds) {
  const jax = await peer("@jax-js/jax");
  const blas = openblas();
  const rows = [];
  for (const [m, n, k] of shapes)
    for (const [way, name] of ways.entries()) {
      const key = random.key(1);
      const draw = (i, ...shape) => evaluate(random.normal(random.fold(key, i), f32(...shape)));
      const [a, b] = [way === 1 ? draw(0, k, m) : draw(0, m, k), way === 2 ? draw(1, n, k) : draw(1, k, n)];
      const step = graph({ a, b, c: f32(m, n) }, ({ a, b }) => ({
        c: matmul(way === 1 ? transpose(a) : a, way === 2 ? transpose(b) : b),
      }));
      const program = await compile(step, wasm(), { state: { a, b, c: evaluate(zeros(f32(m, n))) } });
      const flops = 2 * m * n * k;
      const contestants = [
        { name: "chainrule", flops, run: (times) => { for (let i = 0; i < times; i++) program.run({}); } }, // biome-ignore format: one row
        peak(),
      ];
      if (jax) {
        const np = jax.numpy;
        const array = (t) => np.array(t.data.slice()).reshape(t.type.shape);
        const [x, y] = [array(a), array(b)];
        const f = jax.jit((x, y) => np.matmul(way === 1 ? np.transpose(x) : x, way === 2 ? np.transpose(y) : y));
        contestants.push({
          name: "@jax-js/jax",
          flops,
          async run(times) {
            for (let i = 0; i < times; i++) {
              const z = f(x.ref, y.ref);
              await z.blockUntilReady();
              z.dispose();
            }
          },
        });
      }
      if (blas) contestants.push({ name: "OpenBLAS", flops, run: () => undefined, sample: blas([m, n, k], way) });
      const measured = await measure(contestants, { check: () => undefined, rounds, now: processorNanoseconds, warmMs: 100 });
      const speeds = measured.map(({ samples, failed }, i) => failed ?? contestants[i].flops / Math.min(...samples));
      const usual = measured[0].failed ?? contestants[0].flops / median(measured[0].samples);
      rows.push({ name: `${name}, ${m} x ${n} x ${k}`, speeds, usual });
    }
  const names = ["chainrule", "in registers", ...(jax ? ["@jax-js/jax"] : []), ...(blas ? ["OpenBLAS"] : [])];
  return [
    `The best of ${rounds} rounds, and the median of ours.\n`,
    `| m x n x k | ${names.join(" | ")} | of what registers reach | chainrule, median |`,
    `|---|${names.map(() => "---|").join("")}---|---|`,
    ...rows.map(({ name, speeds, usual }) => {
      const cells = speeds.map((s) => (typeof s === "number" ? digits(s) : s));
      return `| ${name} | ${cells.join(" | ")} | ${Math.round((100 * speeds[0]) / speeds[1])}% | ${typeof usual === "number" ? digits(usual) : usual} |`;
    }),
  ].join("\n");
}
