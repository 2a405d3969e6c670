// Writes what the library writes (every op and its gradient, ONNX's cases again, models, their gradients and training steps) and holds it to onnx.checker, where Python has
// the package `onnx` (PYTHON names one).
import { spawnSync } from "node:child_process";
import { root } from "./entries.js";

const { status } = spawnSync(
  process.execPath,
  [`${root}node_modules/vitest/vitest.mjs`, "run", "test/onnx/checker.long.test.ts", "--disable-console-intercept"],
  { cwd: root, stdio: "inherit", env: { ...process.env, CHAINRULE_LONG: "1" } },
);
process.exitCode = status ?? 1;
