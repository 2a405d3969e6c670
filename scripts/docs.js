// `npm run docs`: runs the blocks of every page and writes their outputs, the pictures and docs/ops.md anew; then checks what it wrote.
// Read the difference before committing it: what changed on a page changed for its readers.
import { spawnSync } from "node:child_process";
import { root } from "./entries.js";

/** @param {NodeJS.ProcessEnv} env */
function run(env) {
  const command = [
    "node_modules/vitest/vitest.mjs",
    "run",
    "test/docs/gallery.test.ts",
    "test/docs/pages.test.ts",
    "test/docs/pages.slow.test.ts",
    ...(env["CHAINRULE_DOCS"] ? ["--silent", "--reporter=dot"] : []),
  ];
  return spawnSync(process.execPath, command, {
    cwd: root,
    env,
    stdio: ["ignore", env["CHAINRULE_DOCS"] ? "ignore" : "inherit", "inherit"],
  }).status;
}

run({ ...process.env, CHAINRULE_DOCS: "write" });
process.exitCode = run(process.env) ?? 1;
