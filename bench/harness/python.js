// Peers in Python, each in a process of its own that waits for work: it answers how much time it has used and its result.
import { spawn, spawnSync } from "node:child_process";
import { mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";

/** @type {Map<string, { python: string, version: string } | null>} */
const found = new Map();

/**
 * The first Python that has a module, and the module's version: of the one that PYTHON names, the one in the path and the system's. Null where none has it.
 *
 * @param {string} module
 */
export function pythonWith(module) {
  const known = found.get(module);
  if (known !== undefined) return known;
  let answer = null;
  for (const python of new Set([process.env["PYTHON"], "python3", "/usr/bin/python3"])) {
    if (!python) continue;
    const { status, stdout } = spawnSync(python, ["-c", `import ${module}; print(${module}.__version__)`], { encoding: "utf8" });
    if (status !== 0) continue;
    answer = { python, version: stdout.trim() };
    break;
  }
  found.set(module, answer);
  return answer;
}

/**
 * @typedef {object} Described a tensor to hand over
 * @property {string} name
 * @property {readonly number[]} shape
 * @property {any} data
 */

/** A program in Python that reads how often to do its work, a line each time, and answers nanoseconds for all of it and then its result. */
function waiting(
  /** @type {string} */ python,
  /** @type {string} */ script,
  /** @type {readonly string[]} */ args,
  /** @type {object} */ env,
) {
  const file = fileURLToPath(new URL(script, import.meta.url));
  const child = spawn(python, [file, ...args], { stdio: ["pipe", "pipe", "inherit"], env: { ...process.env, ...env } });
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  /** @param {number} times @returns {Promise<number[]>} */
  const ask = async (times) => {
    child.stdin.write(`${times}\n`);
    const { value } = await lines.next();
    if (value === undefined) throw new Error("its process ended");
    return value.split(" ").map(Number);
  };
  /** Nanoseconds of one time, from as many as take about so long together, `most` at most: a step of a small network is shorter than the clock's steps. @param {number} most @param {number} long */
  const sample = async (most, long) => {
    const [once = Number.NaN] = await ask(1);
    const times = Math.min(most, Math.max(3, Math.ceil(long / once)));
    return ((await ask(times))[0] ?? Number.NaN) / times;
  };
  return { ask, sample, close: () => void child.stdin.end() };
}

const frameworks = /** @type {const} */ ({ torch: "PyTorch", jax: "JAX" });

/**
 * A training step in PyTorch and, compiled by `jit`, in JAX: a contestant for each that a Python here has. The time is the processor's on one thread, and else elapsed.
 *
 * @param {{ net: string, params: readonly Described[], data: readonly Described[] }} work
 * @param {number} [threads] 1 when left out
 * @returns {import("./measure.js").Contestant[]}
 */
export function pythonSteps({ net, params, data }, threads = 1) {
  const folder = mkdtempSync(join(tmpdir(), "step-"));
  /** @type {object[]} */
  const described = [];
  for (const [kind, list] of Object.entries({ params, data }))
    for (const t of list) {
      const file = join(folder, `${described.length}`);
      writeFileSync(file, new Uint8Array(t.data.buffer, t.data.byteOffset, t.data.byteLength));
      described.push({ kind, name: t.name, shape: t.shape, file, dtype: t.data instanceof Int32Array ? "int32" : "float32" });
    }
  const all = join(folder, "all.json");
  writeFileSync(all, JSON.stringify(described));
  return Object.entries(frameworks).flatMap(([module, name]) => {
    const there = pythonWith(module);
    if (there === null) return [];
    // XLA takes the number of its threads from here alone.
    const env = module === "jax" && threads === 1 ? { XLA_FLAGS: "--xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1" } : {};
    const { ask, sample, close } = waiting(there.python, `${module}_step.py`, [net, all, String(threads)], env);
    return [
      {
        name: `${name} ${there.version}${module === "jax" ? ", jit" : ""}, ${threads === 1 ? "one thread" : `${threads} threads`}`,
        run: async (times) => (await ask(times))[1],
        sample: () => sample(1000, 1e8),
        close,
      },
    ];
  });
}

/**
 * A program of this folder that takes one file, for a module: CasADi's graphs of scalars, passes over memory. Empty where no Python has the module.
 *
 * @param {string} module
 * @param {string} script
 * @param {string} name what comes before the version in the table
 * @param {unknown} given written as JSON into the file that the program is started with
 * @param {string} [after] what comes after the version
 * @returns {import("./measure.js").Contestant[]}
 */
export function pythonProgram(module, script, name, given, after = "") {
  const there = pythonWith(module);
  if (there === null) return [];
  const file = join(mkdtempSync(join(tmpdir(), "python-")), "given.json");
  writeFileSync(file, JSON.stringify(given));
  const { ask, sample, close } = waiting(there.python, script, [file], {});
  return [
    {
      name: `${name} ${there.version}${after}`,
      run: async (times) => {
        const [, ...result] = await ask(times);
        return result.length === 1 ? result[0] : result;
      },
      sample: () => sample(10_000, 5e7),
      close,
    },
  ];
}
