#!/usr/bin/env node
// Plays GradBench to the tool, over a pipe as the benchmark does, with every golden beside this file: `npm run gradbench [-- eval...]`.
// Prints one line a message: the eval, the function, how far its output is from the reference's (GradBench allows 1e-4, we hold ourselves to
// 1e-9), and its time. `--json` prints the same as JSON lines, `--function NAME` asks for one function of each eval. Exit code 1 if an output is further away.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, readdirSync } from "node:fs";
import { createInterface } from "node:readline";
import { parseArgs } from "node:util";
import { distance, goldens } from "./golden.js";

const here = import.meta.dirname;
const { values, positionals } = parseArgs({
  options: { json: { type: "boolean", default: false }, function: { type: "string" } },
  allowPositionals: true,
});
const known = readdirSync(`${here}/evals`)
  .map((file) => file.replace(".js", ""))
  .filter((name) => existsSync(`${here}/goldens/${name}.jsonl`));
const chosen = positionals.length > 0 ? positionals : known;
for (const name of chosen)
  if (!known.includes(name)) {
    console.error(`gradbench: there is no eval ${name}; there are ${known.join(", ")}`);
    process.exit(2);
  }

/** The reference's gradient of ode is that of the exact solution, not of the steps taken, so it is held to 1e-8 in absolute terms. */
const allowed = (/** @type {string} */ name, /** @type {string} */ f) => (name === "ode" && f === "gradient" ? 1e-8 : 1e-9);

let failed = 0;
for (const name of chosen) {
  const tool = spawn(process.execPath, [`${here}/tool.js`], { stdio: ["pipe", "pipe", "inherit"] });
  const answers = createInterface({ input: tool.stdout })[Symbol.asyncIterator]();
  let id = 0;
  /** @param {object} message */
  const ask = async (message) => {
    tool.stdin.write(`${JSON.stringify({ id: id++, ...message })}\n`);
    const { value, done } = await answers.next();
    if (done) throw new Error(`gradbench: the tool ended before it answered ${JSON.stringify(message).slice(0, 100)}`);
    return JSON.parse(value);
  };
  await ask({ kind: "start", eval: name });
  if (!(await ask({ kind: "define", module: name })).success) throw new Error(`gradbench: the tool does not define ${name}`);
  for (const { function: f, description, input, output } of goldens(here, name)) {
    if (values.function !== undefined && f !== values.function) continue;
    const of = id;
    const answer = await ask({ kind: "evaluate", module: name, function: f, description, input });
    const off = answer.success ? distance(answer.output, output) : Number.POSITIVE_INFINITY;
    const valid = off <= allowed(name, f);
    if (!valid) failed++;
    await ask({ kind: "analysis", of, valid });
    const times = (answer.timings ?? []).map((/** @type {{ nanoseconds: number }} */ t) => t.nanoseconds / 1e6);
    const ms = times.reduce((/** @type {number} */ a, /** @type {number} */ b) => a + b, 0) / Math.max(1, times.length);
    if (values.json) console.log(JSON.stringify({ eval: name, function: f, description, valid, off, ms, error: answer.error }));
    else
      console.log(
        `${valid ? "ok    " : "FAILED"} ${name.padEnd(8)} ${f.padEnd(9)} ${(description ?? "").padEnd(28)} off ${off.toExponential(1)} ${ms.toFixed(1).padStart(9)} ms${answer.error ? `  ${answer.error}` : ""}`,
      );
  }
  tool.stdin.end();
  const [code] = await once(tool, "exit");
  if (code !== 0) {
    console.log(`FAILED ${name}: the tool ended with status ${code}`);
    failed++;
  }
}
process.exitCode = failed === 0 ? 0 : 1;
