// Runs ONNX's whole suite of backend node tests through the reader, where Python has the package `onnx` (PYTHON names one), and prints passed and failed per operator.
import { spawnSync } from "node:child_process";
import { root } from "./entries.js";

const { status } = spawnSync(
  process.execPath,
  [`${root}node_modules/vitest/vitest.mjs`, "run", "test/onnx/whole-suite.long.test.ts", "--disable-console-intercept"],
  {
    cwd: root,
    stdio: "inherit",
    env: { ...process.env, CHAINRULE_LONG: "1" },
  },
);
process.exitCode = status ?? 1;
