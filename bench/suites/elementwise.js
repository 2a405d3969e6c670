// One pass over memory: sum(x y + z) of ten million f32, and the gradient of its square in x, y and z, on tensors of the engine. C has the loop that
// one would write by hand, which gcc turns into vectors; gradients stay in the engine, as C's stay in its arrays.
import { spawnSync } from "node:child_process";
import { mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { add, at, compile, f32, grad, graph, mul, square, sum } from "../../dist/index.js";
import { wasm } from "../../dist/wasm.js";
import { peer } from "../harness/peers.js";
import { pythonProgram } from "../harness/python.js";
import { tensorflow } from "../steps/tensorflow.js";

const count = 10_000_000;
const value = (i) => (i % 7) / 7;
const total = ({ x, y, z }) => sum(add(mul(x, y), z));

const source = `#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
static float total(const float *x, const float *y, const float *z, int n) { float s = 0; for (int i = 0; i < n; i++) s += x[i] * y[i] + z[i]; return s; }
static float slopes(const float *x, const float *y, const float *z, float *dx, float *dy, float *dz, int n) {
  float s = 2 * total(x, y, z, n);
  for (int i = 0; i < n; i++) { dx[i] = s * y[i]; dy[i] = s * x[i]; dz[i] = s; }
  return dx[5];
}
int main(int argc, char **argv) {
  enum { n = ${count} };
  float *p[6];
  for (int k = 0; k < 6; k++) { p[k] = aligned_alloc(64, n * sizeof(float)); for (int i = 0; i < n; i++) p[k][i] = (i % 7) / 7.0f; }
  float r = 0; struct timespec s, e; int whole = strcmp(argv[1], "sum") == 0;
  for (int k = 0; k < 7; k++) {
    if (k == 2) clock_gettime(CLOCK_MONOTONIC, &s);
    r = whole ? total(p[0], p[1], p[2], n) : slopes(p[0], p[1], p[2], p[3], p[4], p[5], n);
  }
  clock_gettime(CLOCK_MONOTONIC, &e);
  printf("%.17g %.17g", ((e.tv_sec - s.tv_sec) * 1e9 + (e.tv_nsec - s.tv_nsec)) / 5, r);
  return argc > 9;
}\n`;

function inC(what) {
  const folder = mkdtempSync(join(tmpdir(), "elementwise-"));
  const [file, program] = [join(folder, "loop.c"), join(folder, "loop")];
  writeFileSync(file, source);
  // Sums in any order are what vectors need.
  const { status } = spawnSync("gcc", ["-O3", "-march=native", "-ffast-math", "-o", program, file], { stdio: "ignore" });
  if (status !== 0) return null;
  const once = () => spawnSync(program, [what], { encoding: "utf8" }).stdout.split(" ").map(Number);
  return { name: "C, gcc -O3 -ffast-math", run: () => once()[1], sample: () => once()[0] };
}

/** @param {"sum" | "gradient"} what */
export function elementwise(what) {
  const whole = what === "sum";
  const exact = { sum: 0, gradient: 0 };
  for (let i = 0; i < count; i++) exact.sum += value(i) * value(i) + value(i);
  exact.gradient = 2 * exact.sum * value(5);
  return {
    title: whole ? "sum(x y + z) of 10,000,000 f32" : "The gradient of the square of sum(x y + z) in x, y and z, 10,000,000 f32 each",
    unit: "ms",
    scale: 1e-6,
    rounds: 15,
    elapsed: true,
    check(result) {
      // f32 sums in one accumulator drift: a thousandth is what they can promise.
      if (!(Math.abs(result / exact[what] - 1) < 2e-2)) throw new Error(`${what} is ${result}, not ${exact[what]}`);
    },
    async contestants() {
      const engine = wasm();
      const type = f32(count);
      const given = Object.fromEntries(
        ["x", "y", "z"].map((name) => {
          const t = engine.tensor(type);
          for (let i = 0; i < count; i++) t.data[i] = value(i);
          return [name, t];
        }),
      );
      const zero = { type, kind: "tensor", data: new Float32Array(count) };
      const types = { x: type, y: type, z: type };
      const state = { dx: zero, dy: zero, dz: zero };
      const program = whole
        ? await compile(graph(types, (xs) => ({ out: total(xs) })), engine)
        : await compile(
            graph({ ...state, ...types }, ({ x, y, z }) => {
              const d = grad((xs) => square(total(xs)))({ x, y, z });
              return { dx: d.x, dy: d.y, dz: d.z, out: at(d.x, 5) };
            }),
            engine,
            { state },
          ); // biome-ignore format: two programs
      const found = [
        {
          name: "chainrule, wasm, one thread",
          run(times) {
            let out;
            for (let i = 0; i < times; i++) out = program.run(given);
            return out.out.data[0];
          },
        },
      ];
      if (whole)
        found.push({
          name: "a loop over typed arrays in JavaScript",
          run(times) {
            const [x, y, z] = ["x", "y", "z"].map((name) => given[name].data);
            let s = 0;
            for (let k = 0; k < times; k++) {
              s = 0;
              for (let i = 0; i < count; i++) s += x[i] * y[i] + z[i];
            }
            return s;
          },
        });
      const jax = await peer("@jax-js/jax");
      if (jax) {
        const { numpy: np, jit, grad: slope } = jax;
        const [x, y, z] = ["x", "y", "z"].map((name) => np.array(given[name].data.slice()));
        const f = (a, b, c) => np.sum(a.mul(b).add(c));
        const run = whole ? jit(f) : jit(slope((a, b, c) => np.square(f(a, b, c)), { argnums: [0, 1, 2] }));
        found.push({
          name: "@jax-js/jax, jit",
          async run(times) {
            let out = Number.NaN;
            for (let i = 0; i < times; i++) {
              const made = run(x.ref, y.ref, z.ref);
              if (whole) out = made.item();
              else {
                const [dx, dy, dz] = made;
                dy.dispose();
                dz.dispose();
                out = (await dx.data())[5];
              }
            }
            return out;
          },
          most: 4,
        }); // biome-ignore format: a choice
      }
      found.push(
        ...(await tensorflow((tf) => {
          const xs = ["x", "y", "z"].map((name) => tf.tensor(given[name].data.slice()));
          const f = (x, y, z) => x.mul(y).add(z).sum();
          const slope = tf.grads((x, y, z) => f(x, y, z).square());
          return (times) => {
            let out = Number.NaN;
            for (let i = 0; i < times; i++)
              out = tf.tidy(() => (whole ? f(...xs).dataSync()[0] : slope(xs)[0].slice([5], [1]).dataSync()[0]));
            return out;
          };
        })),
      );
      for (const [module, name, after] of [["torch", "PyTorch", ", one thread"], ["jax", "JAX", ", jit, one thread"]])
        found.push(...pythonProgram(module, "array_passes.py", name, { framework: module, what, count }, after)); // biome-ignore format: a table
      const c = inC(what);
      if (c !== null) found.push(c);
      return found;
    },
  };
}
