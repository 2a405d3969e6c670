// Checks all types: everything; src alone without Node's types (what runs in a page may not use them); the studio; the plain JavaScript of the scripts.
// With --fast the first of them alone, which is what a change in src or a test breaks.
import { spawnSync } from "node:child_process";
import { root } from "./entries.js";

const all = ["tsconfig.json", "tsconfig.build.json", "tsconfig.studio.json", "tsconfig.scripts.json"];
const projects = process.argv.includes("--fast") ? all.slice(0, 1) : all;

for (const project of projects) {
  const { status } = spawnSync(
    process.execPath,
    [`${root}node_modules/typescript/bin/tsc`, "-p", project, "--noEmit", "--emitDeclarationOnly", "false"],
    {
      cwd: root,
      stdio: ["ignore", "inherit", "inherit"],
    },
  );
  if (status !== 0) process.exitCode = 1;
}
