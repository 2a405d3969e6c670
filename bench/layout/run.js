// node bench/layout/run.js [fixture | results]: bundles measure.js with our sources and runs it. `fixture` writes ELK's crossings, which
// test/draw/crossings.slow.test.ts compares ours with; `results` measures times and crossings and replaces the layout section of bench/RESULTS.md.
import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { rolldown } from "rolldown";

const here = fileURLToPath(new URL("./", import.meta.url));
const build = await rolldown({
  input: `${here}measure.js`,
  platform: "node",
  external: [/^node:/, /^elkjs/, /^@dagrejs/, /^@viz-js/],
});
await build.write({ file: `${here}node_modules/.built/measure.js`, format: "esm", codeSplitting: false });
process.exitCode =
  spawnSync(process.execPath, [`${here}node_modules/.built/measure.js`, ...process.argv.slice(2)], { stdio: "inherit" }).status ?? 1;
