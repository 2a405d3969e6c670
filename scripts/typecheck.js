// Checks all types: everything; src alone without Node's types (what runs in a page may not use them); the studio; the plain JavaScript of the scripts.
import { spawnSync } from "node:child_process";
import { root } from "./entries.js";

const projects = ["tsconfig.json", "tsconfig.build.json", "tsconfig.studio.json", "tsconfig.scripts.json"];

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
