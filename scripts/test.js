// `npm test`, `test:fast` and `test:long`: build if needed, types, lint, tests; the last line is `N passed, N failed`.
// Arguments that are not flags are handed to Vitest as file filters, and then types and lint are left out.
import { spawn, spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { root } from "./entries.js";

const args = process.argv.slice(2);
const filters = args.filter((arg) => !arg.startsWith("--"));
const env = {
  ...process.env,
  ...(args.includes("--fast") ? { CHAINRULE_FAST: "1" } : {}),
  ...(args.includes("--long") ? { CHAINRULE_LONG: "1" } : {}),
};
const count = { passed: 0, failed: 0, skipped: 0 };

/**
 * @param {string[]} command
 * @returns {boolean}
 */
function node(...command) {
  return spawnSync(process.execPath, command, { cwd: root, env, stdio: ["ignore", "inherit", "inherit"] }).status === 0;
}

/**
 * @param {string} what
 * @param {string[]} command
 */
function check(what, ...command) {
  const passed = node(...command);
  console.log(`${passed ? "passed" : "FAILED"}: ${what}`);
  count[passed ? "passed" : "failed"] += 1;
}

/**
 * Runs checks beside each other, each with its output in one piece.
 *
 * @param {[what: string, ...command: string[]][]} checks
 */
function checkTogether(checks) {
  return Promise.all(
    checks.map(async ([what, ...command]) => {
      const child = spawn(process.execPath, command, { cwd: root, env, stdio: ["ignore", "pipe", "pipe"] });
      let output = "";
      for (const stream of [child.stdout, child.stderr]) stream.setEncoding("utf8").on("data", (text) => (output += text));
      const passed = await new Promise((resolve) => child.on("close", (code) => resolve(code === 0)));
      process.stdout.write(output);
      console.log(`${passed ? "passed" : "FAILED"}: ${what}`);
      count[passed ? "passed" : "failed"] += 1;
    }),
  );
}

/** @typedef {{ name: string, status: string, message?: string, assertionResults: { status: string }[] }} FileResult */

/**
 * Adds up Vitest's own report. A file that did not load has no tests in it, so it counts as one failure itself.
 *
 * @param {FileResult[]} files
 */
function tally(files) {
  if (files.every(({ assertionResults }) => assertionResults.length === 0)) {
    console.log("FAILED: no test ran");
    count.failed += 1;
  }
  for (const { name, status, assertionResults } of files) {
    const statuses = assertionResults.map((result) => result.status);
    const failed = statuses.filter((s) => s === "failed").length;
    const passed = statuses.filter((s) => s === "passed").length;
    count.passed += passed;
    count.failed += failed;
    count.skipped += statuses.length - passed - failed;
    if (failed === 0 && (status !== "passed" || statuses.length === 0)) {
      console.log(`FAILED: ${name} has no test that ran`);
      count.failed += 1;
    }
  }
}

async function vitest() {
  const folder = mkdtempSync(join(tmpdir(), "chainrule-test-"));
  const report = join(folder, "report.json");
  try {
    const command = ["node_modules/vitest/vitest.mjs", "run", "--reporter=default", "--reporter=json", `--outputFile.json=${report}`];
    const child = spawn(process.execPath, [...command, ...filters], { cwd: root, env, stdio: ["ignore", "inherit", "inherit"] });
    const passed = await new Promise((resolve) => child.on("close", (code) => resolve(code === 0)));
    const before = count.failed;
    tally(JSON.parse(readFileSync(report, "utf8")).testResults);
    if (!passed && count.failed === before) count.failed += 1;
  } catch (error) {
    console.log(`FAILED: Vitest left no report: ${error instanceof Error ? error.message : String(error)}`);
    count.failed += 1;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

check("build", "scripts/ensure-built.js");
// Types and lint are looked at while the tests begin, which keeps every processor at work: Vitest starts on one, and its tests wait here and there.
const fast = args.filter((arg) => arg === "--fast");
// That nothing imports itself in a circle takes a third of the lint, and `test/architecture.test.ts` says it of src.
const left = fast.map(() => "--skip=suspicious/noImportCycles");
const beside =
  filters.length > 0
    ? []
    : checkTogether([
        ["types", "scripts/typecheck.js", ...fast],
        ["format and lint", "node_modules/@biomejs/biome/bin/biome", "check", ...left, "."],
      ]);
await vitest();
await beside;
if (count.skipped > 0) console.log(`${count.skipped} skipped`);
console.log(`${count.passed} passed, ${count.failed} failed`);
process.exitCode = count.failed === 0 ? 0 : 1;
