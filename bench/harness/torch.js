// A training step in PyTorch, in a process of its own that waits for work: it answers how much processor time it has used and the last loss.
import { spawn, spawnSync } from "node:child_process";
import { mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";

const script = fileURLToPath(new URL("torch-step.py", import.meta.url));

/** The first Python that has PyTorch, or null. */
function python() {
  for (const name of [process.env["PYTHON"], "python3", "/usr/bin/python3"])
    if (name && spawnSync(name, ["-c", "import torch"], { stdio: "ignore" }).status === 0) return name;
  return null;
}

/**
 * @param {string} net the step's name in torch-step.py
 * @param {readonly { name: string, shape: readonly number[], data: any }[]} params
 * @param {readonly { name: string, shape: readonly number[], data: any }[]} data
 * @param {number} [threads] 1 when left out: the time is the processor's then, and else elapsed
 */
export async function torchStep(net, params, data, threads = 1) {
  const name = python();
  if (name === null) return null;
  const folder = mkdtempSync(join(tmpdir(), "torch-"));
  /** @type {object[]} */
  const described = [];
  for (const [kind, list] of Object.entries({ params, data }))
    for (const t of list) {
      const file = join(folder, `${described.length}`);
      writeFileSync(file, new Uint8Array(t.data.buffer, t.data.byteOffset, t.data.byteLength));
      described.push({ kind, name: t.name, shape: t.shape, file, dtype: t.data instanceof Int32Array ? "int32" : "float32" });
    }
  writeFileSync(join(folder, "all.json"), JSON.stringify(described));
  const child = spawn(name, [script, net, join(folder, "all.json"), String(threads)], { stdio: ["pipe", "pipe", "inherit"] });
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const version = (await lines.next()).value;
  /** @param {number} times @returns {Promise<number[]>} */
  const steps = async (times) => {
    child.stdin.write(`${times}\n`);
    const { value } = await lines.next();
    if (value === undefined) throw new Error("PyTorch's process ended");
    return value.split(" ").map(Number);
  };
  return {
    version,
    contestant: {
      /** @param {number} times */
      run: async (times) => (await steps(times))[1],
      sample: async () => ((await steps(5))[0] ?? Number.NaN) / 5,
      close: () => child.stdin.end(),
    },
  };
}
