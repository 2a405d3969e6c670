#!/usr/bin/env node
// The tool that GradBench talks to: `node bench/gradbench/tool.js`, one JSON message a line in, one answer a line out.
// Lines of tens of megabytes are normal, so input is cut at newlines as bytes and only whole lines become strings.
import { once } from "node:events";
import { ensureBuilt } from "../../scripts/ensure-built.js";

ensureBuilt();
const { protocol } = await import("./protocol.js");
const { evals } = await import("./evals.js");
const answer = protocol(evals);

/** @param {string} line */
async function reply(line) {
  if (line.trim() === "") return;
  if (!process.stdout.write(`${answer(line)}\n`)) await once(process.stdout, "drain");
}

/** @type {Buffer[]} */
let parts = [];
for await (const chunk of process.stdin) {
  let rest = /** @type {Buffer} */ (chunk);
  for (let end = rest.indexOf(10); end >= 0; end = rest.indexOf(10)) {
    parts.push(rest.subarray(0, end));
    const line = Buffer.concat(parts).toString("utf8");
    parts = [];
    rest = rest.subarray(end + 1);
    await reply(line);
  }
  parts.push(rest);
}
await reply(Buffer.concat(parts).toString("utf8"));
