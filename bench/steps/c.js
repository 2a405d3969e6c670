// An SGD step of a dense network in C, as one would write it for that one network: products by OpenBLAS where gcc finds it, by loops that gcc turns into vectors, and both for small ones.
import { spawnSync } from "node:child_process";
import { mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

const source = (sizes, batch, rate, seconds) => {
  const layers = sizes.length - 1;
  const outputs = sizes[layers];
  return `#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#ifdef BLAS
#include <cblas.h>
#endif
enum { B = ${batch}, L = ${layers}, OUT = ${outputs} };
static const int S[] = {${sizes}};
static float *W[L], *b[L], *H[L + 1], *D[L + 1];
static int *y;
// c[m,n] = a b, a^T b or a b^T, or what is there plus rate times that.
static inline void product(int ta, int tb, int m, int n, int k, float alpha, const float *restrict a, const float *restrict p, float beta, float *restrict c) {
#ifdef BLAS
  cblas_sgemm(CblasRowMajor, ta ? CblasTrans : CblasNoTrans, tb ? CblasTrans : CblasNoTrans, m, n, k, alpha, a, ta ? m : k, p, tb ? k : n, beta, c, n);
#else
  for (int i = 0; i < m; i++) {
    if (beta == 0) for (int j = 0; j < n; j++) c[i * n + j] = 0;
    if (tb) for (int j = 0; j < n; j++) { float s = 0; for (int t = 0; t < k; t++) s += a[i * k + t] * p[j * k + t]; c[i * n + j] += alpha * s; }
    else for (int t = 0; t < k; t++) { float s = alpha * (ta ? a[t * m + i] : a[i * k + t]); for (int j = 0; j < n; j++) c[i * n + j] += s * p[t * n + j]; }
  }
#endif
}
static inline __attribute__((always_inline)) void forward(int l, int m, int n) {
  for (int i = 0; i < B; i++) memcpy(H[l + 1] + i * n, b[l], n * sizeof(float));
  product(0, 0, B, n, m, 1, H[l], W[l], 1, H[l + 1]);
  if (l < L - 1) for (int i = 0; i < B * n; i++) H[l + 1][i] = H[l + 1][i] > 0 ? H[l + 1][i] : 0;
}
static inline __attribute__((always_inline)) void backward(int l, int m, int n) {
  if (l > 0) {
    product(0, 1, B, m, n, 1, D[l + 1], W[l], 0, D[l]);
    for (int i = 0; i < B * m; i++) D[l][i] = H[l][i] > 0 ? D[l][i] : 0;
  }
  product(1, 0, m, n, B, -${rate}f, H[l], D[l + 1], 1, W[l]);
  for (int i = 0; i < B; i++) for (int j = 0; j < n; j++) b[l][j] -= ${rate}f * D[l + 1][i * n + j];
}
static float step(void) {
${sizes
  .slice(1)
  .map((n, l) => `  forward(${l}, ${sizes[l]}, ${n});`)
  .join("\n")}
  float loss = 0;
  const float *h = H[L]; float *d = D[L];
  if (OUT == 1) for (int i = 0; i < B; i++) { float e = h[i] - y[i]; loss += e * e; d[i] = 2 * e / B; }
  else for (int i = 0; i < B; i++) {
    float top = -1e30f, total = 0;
    for (int j = 0; j < OUT; j++) if (h[i * OUT + j] > top) top = h[i * OUT + j];
    for (int j = 0; j < OUT; j++) total += d[i * OUT + j] = expf(h[i * OUT + j] - top);
    loss += logf(total) + top - h[i * OUT + y[i]];
    for (int j = 0; j < OUT; j++) d[i * OUT + j] = (d[i * OUT + j] / total - (j == y[i])) / B;
  }
${sizes
  .slice(1)
  .map((n, l) => `  backward(${l}, ${sizes[l]}, ${n});`)
  .reverse()
  .join("\n")}
  return loss / B;
}
static void *take(FILE *f, size_t n) { void *p = aligned_alloc(64, (n * 4 + 63) / 64 * 64); if (fread(p, 4, n, f) != n) exit(1); return p; }
int main(int argc, char **argv) {
  FILE *f = fopen(argv[1], "rb");
  H[0] = take(f, (size_t)B * S[0]); y = take(f, B);
  for (int l = 0; l < L; l++) {
    W[l] = take(f, (size_t)S[l] * S[l + 1]); b[l] = take(f, S[l + 1]);
    H[l + 1] = aligned_alloc(64, ((size_t)B * S[l + 1] * 4 + 63) / 64 * 64); D[l + 1] = aligned_alloc(64, ((size_t)B * S[l + 1] * 4 + 63) / 64 * 64);
  }
  struct timespec s, e; float first = step(); long times = 0; double took = 0;
  for (long batch = 1; took < ${seconds}; batch *= 2) {
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &s);
    for (long k = 0; k < batch; k++) step();
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &e);
    took = e.tv_sec - s.tv_sec + (e.tv_nsec - s.tv_nsec) * 1e-9; times = batch;
  }
  printf("%.9g %.9g\\n", took * 1e9 / times, first);
  return argc > 9;
}
`;
};

/**
 * @param {readonly number[]} sizes of the layers, inputs first; one output means a regression
 * @param {number} batch
 * @param {number} rate
 * @param {{ x: any, y: any, layers: readonly { w: any, b: any }[] }} tensors
 * @returns {import("../harness/measure.js").Contestant[]} none where there is no gcc
 */
export function denseInC(sizes, batch, rate, { x, y, layers }) {
  const folder = mkdtempSync(join(tmpdir(), "dense-"));
  const [file, data] = [join(folder, "step.c"), join(folder, "data")];
  writeFileSync(file, source(sizes, batch, rate, 0.05));
  const all = [x, y, ...layers.flatMap(({ w, b }) => [w, b])];
  writeFileSync(data, Buffer.concat(all.map(({ data: d }) => new Uint8Array(d.buffer, d.byteOffset, d.byteLength))));
  const small = sizes.every((n) => n <= 64);
  const ways = [
    { name: "C with OpenBLAS, one thread", flags: ["-DBLAS"], libraries: ["-lopenblas"] },
    ...(small ? [{ name: "C, loops, gcc -O3 -ffast-math", flags: [], libraries: [] }] : []),
  ];
  return ways.flatMap(({ name, flags, libraries }, i) => {
    const program = join(folder, `step${i}`);
    const { status } = spawnSync("gcc", ["-O3", "-march=native", "-ffast-math", ...flags, "-o", program, file, ...libraries, "-lm"], {
      stdio: "ignore",
    });
    if (status !== 0) return [];
    const once = () =>
      spawnSync(program, [data], { encoding: "utf8", env: { ...process.env, OPENBLAS_NUM_THREADS: "1" } })
        .stdout.split(" ")
        .map(Number);
    return [{ name, run: () => once()[1], sample: () => once()[0] ?? Number.NaN }];
  });
}
