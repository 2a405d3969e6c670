// `npm run screens`: photographs the studio's thirteen reference screens anew into test/fixtures/screens. Look at each before committing it.
import { spawnSync } from "node:child_process";
import { ensureBuilt } from "./ensure-built.js";
import { root } from "./entries.js";

ensureBuilt();
const command = ["node_modules/vitest/vitest.mjs", "run", "test/studio/screens.slow.test.ts"];
const { status } = spawnSync(process.execPath, command, {
  cwd: root,
  env: { ...process.env, CHAINRULE_SCREENS: "remake" },
  stdio: "inherit",
});
process.exitCode = status ?? 1;
