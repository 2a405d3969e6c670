// Runs ONNX's backend node tests through the reader and prints passed and failed per operator: the whole suite where Python has the package `onnx` (PYTHON names one),
// else the cases of the fixture; `--onnx-cases FILE.tar.gz` names an archive that scripts/onnx-cases.py has written.
import { spawnSync } from "node:child_process";
import { resolve } from "node:path";
import { root } from "./entries.js";

const at = process.argv.indexOf("--onnx-cases");
const file = at < 0 ? undefined : process.argv[at + 1];
const { status } = spawnSync(
  process.execPath,
  [`${root}node_modules/vitest/vitest.mjs`, "run", "test/onnx/whole-suite.long.test.ts", "--disable-console-intercept"],
  {
    cwd: root,
    stdio: "inherit",
    env: { ...process.env, CHAINRULE_LONG: "1", ...(file !== undefined && { ONNX_CASES: resolve(file) }) },
  },
);
process.exitCode = status ?? 1;
