// What a page loads for one gradient: the smallest program, tree-shaken, minified and gzipped.
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";
import { rolldown } from "rolldown";
import { here, versionOf } from "../harness/peers.js";

const index = fileURLToPath(new URL("../../dist/index.js", import.meta.url));
const programs = {
  chainrule: `export { variable, mul, gradients, read } from ${JSON.stringify(index)};`,
  "scalar-autograd": `export { V } from "${here}built/scalar-autograd.js";`,
  "micrograd-ts": `export { Value } from "${here}built/micrograd-ts.js";`,
  "@jax-js/jax": 'export { grad, numpy } from "@jax-js/jax";',
  "@tensorflow/tfjs": 'import "@tensorflow/tfjs-backend-cpu"; export { grads, scalar, mul } from "@tensorflow/tfjs-core";',
};

/** @returns {Promise<string>} a Markdown table */
export async function sizes() {
  const rows = [];
  for (const [name, code] of Object.entries(programs)) {
    if (name !== "chainrule" && versionOf(name) === null) continue;
    const build = await rolldown({
      input: "user",
      cwd: here,
      platform: "browser",
      logLevel: "silent",
      plugins: [
        {
          name: "user",
          resolveId: (id) => (id === "user" ? `${here}user.js` : null),
          load: (id) => (id === `${here}user.js` ? code : null),
        },
      ],
    });
    const { output } = await build.generate({ format: "esm", minify: true });
    const bytes = output.reduce((sum, chunk) => sum + (chunk.type === "chunk" ? gzipSync(chunk.code, { level: 9 }).length : 0), 0);
    rows.push({ name, bytes });
  }
  const [ours] = rows;
  return [
    "| | KiB, gzip | times ours |",
    "|---|---|---|",
    ...rows.map(({ name, bytes }) => `| ${name} | ${(bytes / 1024).toFixed(1)} | ${(bytes / ours.bytes).toFixed(1)} |`),
  ].join("\n");
}
