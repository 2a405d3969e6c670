// From an empty process: importing the library, then the first gradient, of (x + y) z. A fresh process each time.
import { execFileSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { here, versionOf } from "../harness/peers.js";

const lecture = "[-2, 5, -4]";
const programs = {
  chainrule: {
    module: fileURLToPath(new URL("../../dist/node-index.js", import.meta.url)),
    first: `const [x, y, z] = ${lecture}.map((v) => m.variable(v)); m.read(m.gradients(m.mul(m.add(x, y), z), { x }).x);`,
  },
  "@jax-js/jax": {
    module: "@jax-js/jax",
    first: `const args = ${lecture}.map((v) => m.numpy.array(v)); m.grad((x, y, z) => x.add(y).mul(z))(...args).item();`,
  },
  "@tensorflow/tfjs": {
    module: "@tensorflow/tfjs",
    first: `const args = ${lecture}.map((v) => m.scalar(v)); m.grads((x, y, z) => x.add(y).mul(z))(args)[0].dataSync();`,
  },
  "scalar-autograd": {
    module: `${here}built/scalar-autograd.js`,
    first: `const [x, y, z] = ${lecture}.map((v) => m.V.W(v)); m.V.mul(m.V.add(x, y), z).backward();`,
  },
  "micrograd-ts": {
    module: `${here}built/micrograd-ts.js`,
    first: `const [x, y, z] = ${lecture}.map((v) => new m.Value(v)); x.add(y).mul(z).backward();`,
  },
};

/**
 * Milliseconds for the import and for the first gradient.
 *
 * @param {{ module: string, first: string }} program
 * @returns {[number, number]}
 */
function once({ module, first }) {
  const code = `const a = performance.now(); const m = await import(${JSON.stringify(module)}); const b = performance.now(); ${first} const c = performance.now(); process.stdout.write("\\n@" + JSON.stringify([b - a, c - b]) + "\\n");`;
  const out = execFileSync(process.execPath, ["--input-type=module", "-e", code], {
    cwd: here,
    encoding: "utf8",
    stdio: ["ignore", "pipe", "ignore"],
  });
  return JSON.parse(/^@(.*)$/m.exec(out)?.[1] ?? "null");
}

/**
 * @param {number} rounds
 * @returns {import("../harness/measure.js").Measured[][]} the imports, then the first gradients
 */
export function startUp(rounds) {
  const there = Object.entries(programs).filter(([name]) => name === "chainrule" || versionOf(name) !== null);
  const imports = there.map(([name]) => ({ name, samples: [], failed: null }));
  const firsts = there.map(([name]) => ({ name, samples: [], failed: null }));
  for (let round = 0; round < rounds; round++)
    for (let k = 0; k < there.length; k++) {
      const i = (k + round) % there.length;
      if (imports[i].failed !== null) continue;
      try {
        const [a, b] = once(there[i][1]);
        imports[i].samples.push(a * 1e6);
        firsts[i].samples.push(b * 1e6);
      } catch {
        imports[i].failed = firsts[i].failed = "its process failed";
      }
    }
  return [imports, firsts];
}
