// Checks all types: everything; src alone without Node's types (what runs in a page may not use them); the studio; the plain JavaScript of the scripts.
// With --fast the first of them alone, which is what a change in src or a test breaks, and without the declarations of packages.
import { spawnSync } from "node:child_process";
import { availableParallelism } from "node:os";
import { root } from "./entries.js";

const all = ["tsconfig.json", "tsconfig.build.json", "tsconfig.studio.json", "tsconfig.scripts.json"];
const fast = process.argv.includes("--fast");
const projects = fast ? all.slice(0, 1) : all;
// Each checker works out anew what the others know: more of them than processors to spare take longer together than one.
const checkers = Math.max(1, Math.min(4, Math.floor(availableParallelism() / 2)));

for (const project of projects) {
  const { status } = spawnSync(
    process.execPath,
    [
      ...[`${root}node_modules/typescript/bin/tsc`, "-p", project, "--noEmit", "--emitDeclarationOnly", "false"],
      ...["--checkers", String(checkers), ...(fast ? ["--skipLibCheck"] : [])],
    ],
    {
      cwd: root,
      stdio: ["ignore", "inherit", "inherit"],
    },
  );
  if (status !== 0) process.exitCode = 1;
}
