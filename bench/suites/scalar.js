// A random scalar graph of n nodes in f64: value and gradient of 20 inputs, compiled once and run again and again. Half of the nodes add or
// subtract, half multiply, in turn, so that branch prediction has an easy time with tapes; one in `rare` is sin(x), exp(-x) or tanh(x). Each
// node takes the oldest value that nobody has used yet and one of the last 40 nodes or an input, so that every node counts. Sums are taken
// where they stay below 1, products else: values and derivatives neither explode nor vanish.
import { spawnSync } from "node:child_process";
import { mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { add, compile, exp, f64, graph, mul, neg, sin, stack, sub, tanh, unstack, valueAndGrad } from "../../dist/index.js";
import { wasm } from "../../dist/wasm.js";
import { peer } from "../harness/peers.js";
import { pythonProgram, pythonWith } from "../harness/python.js";

const count = 20;
const [leafOp, addOp, subOp, mulOp, sinOp, expOp, tanhOp] = [0, 1, 2, 3, 4, 5, 6];

/** xorshift, so that every run and every language has the same graph. */
function random(seed) {
  let s = seed;
  return (n) => {
    s ^= s << 13;
    s ^= s >>> 17;
    s ^= s << 5;
    return (s >>> 0) % n;
  };
}

/**
 * The graph as three arrays: op, first and second operand of each node, inputs first; the last node is the result.
 *
 * @param {number} nodes
 * @param {number} rare one node in so many is no arithmetic; 0 for none
 */
export function drawGraph(nodes, rare) {
  const draw = random(12345);
  const [op, a, b, value] = [[], [], [], []];
  const push = (o, x, y, v) => {
    op.push(o);
    a.push(x);
    b.push(y);
    value.push(v);
    return op.length - 1;
  };
  let unused = Array.from({ length: count }, (_, i) => push(leafOp, 0, 0, 0.3 + 0.03 * i));
  const small = (x, bound) => Math.abs(x) < bound;
  while (op.length < nodes + count - (unused.length - 1)) {
    const x = unused[0];
    const y = draw(2) === 0 ? draw(count) : op.length - 1 - draw(Math.min(40, op.length));
    const [v, w] = [value[x], value[y]];
    unused = unused.filter((u) => u !== x && u !== y);
    const k = op.length;
    const odd = rare > 0 && k % rare === 0 ? sinOp + ((k / rare) % 3) : 0;
    if (odd === sinOp) unused.push(push(odd, x, x, Math.sin(v)));
    else if (odd === expOp && v > 0) unused.push(push(odd, x, x, Math.exp(-v)));
    else if (odd === tanhOp) unused.push(push(odd, x, x, Math.tanh(v)));
    else if (k % 4 === 0 && small(v + w, 1)) unused.push(push(addOp, x, y, v + w));
    else if (k % 4 === 2 && small(v - w, 1)) unused.push(push(subOp, x, y, v - w));
    else unused.push(push(mulOp, x, y, v * w));
  }
  while (unused.length > 1) {
    const [x, y, ...rest] = unused;
    unused = [...rest, push(addOp, x, y, value[x] + value[y])];
  }
  return { op, a, b, inputs: value.slice(0, count) };
}

/** The graph in any library. */
function build({ op, a, b }, ops, xs) {
  const made = [...xs];
  for (let i = count; i < op.length; i++) {
    const [x, y] = [made[a[i]], made[b[i]]];
    const o = op[i];
    made.push(
      o === addOp ? ops.add(x, y) : o === subOp ? ops.sub(x, y) : o === mulOp ? ops.mul(x, y) : o === sinOp ? ops.sin(x) : o === expOp ? ops.exp(ops.neg(x)) : ops.tanh(x), // biome-ignore format: a table
    );
  }
  return made[made.length - 1];
}

/** A tape on typed arrays in plain JavaScript: one pass of numbers forward and one back. */
function tape({ op, a, b }) {
  const n = op.length;
  const [o, p, q] = [Uint8Array.from(op), Int32Array.from(a), Int32Array.from(b)];
  const [v, d] = [new Float64Array(n), new Float64Array(n)];
  return (x) => {
    v.set(x);
    for (let i = count; i < n; i++) {
      const [s, t] = [v[p[i]], v[q[i]]];
      switch (o[i]) {
        case 1: v[i] = s + t; break;
        case 2: v[i] = s - t; break;
        case 3: v[i] = s * t; break;
        case 4: v[i] = Math.sin(s); break;
        case 5: v[i] = Math.exp(-s); break;
        default: v[i] = Math.tanh(s);
      } // biome-ignore format: a table
    }
    d.fill(0);
    d[n - 1] = 1;
    for (let i = n - 1; i >= count; i--) {
      const c = d[i];
      switch (o[i]) {
        case 1: d[p[i]] += c; d[q[i]] += c; break;
        case 2: d[p[i]] += c; d[q[i]] -= c; break;
        case 3: d[p[i]] += c * v[q[i]]; d[q[i]] += c * v[p[i]]; break;
        case 4: d[p[i]] += c * Math.cos(v[p[i]]); break;
        case 5: d[p[i]] -= c * v[i]; break;
        default: d[p[i]] += c * (1 - v[i] * v[i]);
      } // biome-ignore format: a table
    }
    return [v[n - 1], ...d.subarray(0, count)];
  };
}

const cHead = "#include <math.h>\n#include <stdio.h>\n#include <stdlib.h>\n#include <string.h>\n#include <time.h>\n";
const cTape = `static void f(const double *x, double *out) {
  memcpy(v, x, sizeof(double) * ${count});
  for (int i = ${count}; i < N; i++) { double s = v[P[i]], t = v[Q[i]];
    switch (O[i]) { case 1: v[i] = s + t; break; case 2: v[i] = s - t; break; case 3: v[i] = s * t; break;
      case 4: v[i] = sin(s); break; case 5: v[i] = exp(-s); break; default: v[i] = tanh(s); } }
  memset(d, 0, sizeof d); d[N - 1] = 1;
  for (int i = N - 1; i >= ${count}; i--) { double c = d[i];
    switch (O[i]) { case 1: d[P[i]] += c; d[Q[i]] += c; break; case 2: d[P[i]] += c; d[Q[i]] -= c; break;
      case 3: d[P[i]] += c * v[Q[i]]; d[Q[i]] += c * v[P[i]]; break; case 4: d[P[i]] += c * cos(v[P[i]]); break;
      case 5: d[P[i]] -= c * v[i]; break; default: d[P[i]] += c * (1 - v[i] * v[i]); } }
  out[0] = v[N - 1]; memcpy(out + 1, d, sizeof(double) * ${count});
}\n`;

function cLines({ op, a, b }) {
  const n = op.length;
  const lines = ["static void f(const double *x, double *out) {"];
  for (let i = 0; i < n; i++) {
    const [x, y] = [`v${a[i]}`, `v${b[i]}`];
    const right = [`x[${i}]`, `${x} + ${y}`, `${x} - ${y}`, `${x} * ${y}`, `sin(${x})`, `exp(-${x})`, `tanh(${x})`][op[i]];
    lines.push(`double v${i} = ${right}, d${i} = 0;`);
  }
  lines.push(`d${n - 1} = 1;`);
  for (let i = n - 1; i >= count; i--) {
    const [c, p, q] = [`d${i}`, a[i], b[i]];
    if (op[i] === addOp) lines.push(`d${p} += ${c}; d${q} += ${c};`);
    else if (op[i] === subOp) lines.push(`d${p} += ${c}; d${q} -= ${c};`);
    else if (op[i] === mulOp) lines.push(`d${p} += ${c} * v${q}; d${q} += ${c} * v${p};`);
    else if (op[i] === sinOp) lines.push(`d${p} += ${c} * cos(v${p});`);
    else if (op[i] === expOp) lines.push(`d${p} -= ${c} * v${i};`);
    else lines.push(`d${p} += ${c} * (1 - v${i} * v${i});`);
  }
  lines.push(`out[0] = v${n - 1};`);
  for (let i = 0; i < count; i++) lines.push(`out[${i + 1}] = d${i};`);
  return `${lines.join("\n")}\n}\n`;
}

/** Compiles with gcc, if it is there; the program is run once a round and says how long one time took. */
function inC(drawn, style, times, folder) {
  const { op, a, b, inputs } = drawn;
  const data = style === "tape" ? `enum { N = ${op.length} };\nstatic unsigned char O[] = {${op}};\nstatic int P[] = {${a}}, Q[] = {${b}};\nstatic double v[N], d[N];\n` : ""; // biome-ignore format: a table
  const main = `int main(void) { double x[] = {${inputs}}, out[${count + 1}]; struct timespec s, e; for (int k = 0; k < 3; k++) f(x, out);
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &s); for (int k = 0; k < ${times}; k++) { x[0] = ${inputs[0]} + 1e-13 * (k & 1); f(x, out); }
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &e); x[0] = ${inputs[0]}; f(x, out);
  printf("%.17g", ((e.tv_sec - s.tv_sec) * 1e9 + (e.tv_nsec - s.tv_nsec)) / ${times}); for (int i = 0; i <= ${count}; i++) printf(" %.17g", out[i]); return 0; }\n`;
  const [source, program] = [join(folder, `${style}.c`), join(folder, style)];
  writeFileSync(source, cHead + data + (style === "tape" ? cTape : cLines(drawn)) + main);
  const { status } = spawnSync("gcc", ["-O3", "-march=native", "-o", program, source, "-lm"], { stdio: "ignore" });
  if (status !== 0) return null;
  const once = () => spawnSync(program, { encoding: "utf8" }).stdout.split(" ").map(Number);
  return { run: () => once().slice(1), sample: () => once()[0] };
}

/**
 * @param {number} nodes
 * @param {number} rare
 */
export function scalar(nodes, rare) {
  const drawn = drawGraph(nodes, rare);
  const plain = tape(drawn);
  const x = Float64Array.from(drawn.inputs);
  const truth = plain(x);
  const built = () =>
    graph({ x: f64(count) }, ({ x }) => {
      const { value, grad } = valueAndGrad((xs) => build(drawn, { add, sub, mul, sin, exp, neg, tanh }, xs))(unstack(x));
      return { value, grad: stack(grad) };
    });
  let step = null;
  const what = rare === 0 ? "additions and products alone" : `one node in ${rare} a sin, exp or tanh`;
  return {
    title: `A random scalar graph of ${nodes.toLocaleString("en")} nodes, ${what}: value and gradient of 20 inputs, compiled`,
    unit: "ns a node",
    scale: 1 / nodes,
    rounds: nodes > 10_000 ? 11 : 15,
    check(result) {
      result.forEach((r, i) => {
        if (!(Math.abs(r - truth[i]) <= 1e-9 * Math.max(1, Math.abs(truth[i])))) throw new Error(`result ${i} is ${r}, not ${truth[i]}`);
      });
    },
    /** The graph is built when it is first asked for. */
    build: () => (step ??= built()),
    async program(engine) {
      const made = await compile((step ??= built()), engine);
      return () => made.run({ x });
    },
    async contestants() {
      const engine = wasm();
      const began = performance.now();
      const g = built();
      const made = performance.now();
      const program = await compile(g, engine);
      const compiled = performance.now();
      const own = engine.tensor(f64(count));
      own.data.set(x);
      let out = program.run({ x: own });
      const ready = performance.now();
      console.log(
        `chainrule: graph and gradient ${(made - began).toFixed(0)} ms, compile ${(compiled - made).toFixed(0)} ms, first run ${(ready - compiled).toFixed(1)} ms`,
      );
      const found = [
        {
          name: "chainrule, wasm",
          run(times) {
            for (let i = 0; i < times; i++) out = program.run({ x: own });
            return [out.value.data[0], ...out.grad.data];
          },
        },
        {
          name: "a tape on typed arrays in JavaScript",
          run(times) {
            let r;
            for (let i = 0; i < times; i++) r = plain(x);
            return r;
          },
        },
      ];
      const autograd = await peer("scalar-autograd");
      if (autograd?.CompiledFunctions) {
        const { V, CompiledFunctions } = autograd;
        // Its labels are the whole expression as text, which a graph with many paths has no room for.
        const short = (v) => Object.assign(v, { label: "v" });
        const ops = Object.fromEntries(["add", "sub", "mul", "sin", "exp", "neg", "tanh"].map((k) => [k, (...a) => short(V[k](...a))]));
        const params = Array.from(x, (v) => V.W(v));
        // In `run`: it recurses over the graph, and a graph that is too deep is its failure, not the suite's.
        let f;
        found.push({
          name: "scalar-autograd, compiled",
          run(times) {
            f ??= CompiledFunctions.compile(params, (xs) => [build(drawn, ops, xs)]);
            let r;
            for (let i = 0; i < times; i++) r = f.evaluateGradient(params);
            return [r.value, ...r.gradient];
          },
        });
      }
      found.push(...pythonProgram("casadi", "casadi_scalar.py", "CasADi", drawn, ", its virtual machine"));
      // XLA has not compiled a thousand scalar nodes and their gradient after 150 s.
      const jax = pythonWith("jax");
      if (jax) found.push({ name: `JAX ${jax.version}, jit`, run: () => undefined, left: "not run: it compiles for minutes" });
      const folder = mkdtempSync(join(tmpdir(), "scalar-"));
      for (const style of nodes > 10_000 ? ["tape"] : ["tape", "lines"]) {
        const made = inC(drawn, style, Math.ceil(2e7 / nodes), folder);
        if (made !== null)
          found.push({ name: style === "tape" ? "a tape in C, gcc -O3" : "straight lines in C, gcc -O3", most: 1, ...made });
      }
      return found;
    },
  };
}
