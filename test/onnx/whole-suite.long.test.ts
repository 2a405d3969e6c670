import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { evaluate } from "../../src/index.ts";
import { modelShape } from "../../src/onnx/schema.ts";
import { readMessage } from "../../src/onnx/wire.ts";
import { difference, type NodeCase, nodeCases, opened, tensorFile } from "./node-cases.ts";

/** The archive that was named, or that the installed `onnx` package makes; null where there is none. */
function archive(folder: string): string | null {
  const named = process.env["ONNX_CASES"];
  if (named !== undefined) return named;
  const script = fileURLToPath(new URL("../../scripts/onnx-cases.py", import.meta.url));
  const file = join(folder, "all.tar.gz");
  for (const python of [process.env["PYTHON"], "python3", "/usr/bin/python3"]) {
    if (python === undefined || spawnSync(python, ["-c", "import onnx"], { stdio: "ignore" }).status !== 0) continue;
    const { status, stdout } = spawnSync(python, [script, file], { encoding: "utf8" });
    if (status !== 0) continue;
    console.log(stdout.trim());
    return file;
  }
  return null;
}

const fixture = fileURLToPath(new URL("../fixtures/onnx/node-cases.tar.gz", import.meta.url));

/** The operator that a case is about: that of its node, or the one whose expansion it is. */
function operatorOf({ name, model }: NodeCase): string {
  const message = readMessage(model, modelShape) as { readonly graph?: { readonly node?: readonly { readonly op_type?: string }[] } };
  const nodes = message.graph?.node ?? [];
  return nodes.length === 1
    ? (nodes[0]!.op_type ?? "?")
    : /expanded/.test(name)
      ? `${name.split("_")[1]}, expanded`
      : nodes
          .map((n) => n.op_type)
          .join(" ")
          .slice(0, 40);
}

/**
 * Cases that are read and computed otherwise than the suite has it, by how their names begin, with the reason. A case that fails and is neither here nor refused by
 * name (an element type or an operator that the library does not have) is a fault.
 */
const otherwise: readonly (readonly [RegExp, string])[] = [
  [/^test_bernoulli/, "draws random numbers, with another generator"],
  [/^test_training_dropout/, "draws random numbers, with another generator"],
  [/^test_dft_inverse/, "the suite's own numbers carry its rounding where 0 is exact, beyond the tolerance"],
  [/^test_attention_.*_bf16/, "ONNX's reference keeps products in f32; here each result is rounded to its dtype"],
  [/^test_bitcast_.*(float|int64)/, "the bits of a floating-point number, or 64 of them, are no number here"],
];

/** What a lesson says when it refuses by name what the library does not have. */
const refused = /has element type [A-Z0-9]+; supported are|there is no operator|is optional; inputs and outputs are dense tensors/;

async function failure(c: NodeCase): Promise<string | null> {
  try {
    const o = await opened(c);
    const got = evaluate(o.model.apply(o.model.params, o.inputs));
    for (const [i, name] of o.outputs.entries()) {
      const found = difference(got[name]!, tensorFile(c.outputs[i]!), c.rtol, c.atol);
      if (found !== null) return `${name}: ${found}`;
    }
    return null;
  } catch (error) {
    return (error as Error).message;
  }
}

test("ONNX's whole suite of backend node tests, counted by operator", async () => {
  const folder = mkdtempSync(join(tmpdir(), "onnx-suite-"));
  try {
    const all = archive(folder);
    if (all === null)
      console.log("the Python package onnx is absent (pip install onnx): of ONNX's suite the 451 cases of the fixture are run");
    const file = all ?? fixture;
    const counts = new Map<string, { passed: number; failed: number; first: string }>();
    const reasons = new Map<string, number>();
    const faults: string[] = [];
    for (const c of nodeCases(file)) {
      const op = operatorOf(c);
      let count = counts.get(op);
      if (count === undefined) counts.set(op, (count = { passed: 0, failed: 0, first: "" }));
      const found = await failure(c);
      if (found === null) count.passed++;
      else {
        if (process.env["ONNX_FAILURES"] !== undefined) console.log(`${c.name}: ${found}`);
        const reason = refused.test(found)
          ? found.replace(/^.*?(element type [A-Z0-9]+|no operator \S+|optional);? .*$/s, "$1")
          : otherwise.find(([name]) => name.test(c.name))?.[1];
        if (reason === undefined) faults.push(`${c.name}: ${found}`);
        else reasons.set(reason, (reasons.get(reason) ?? 0) + 1);
        if (count.failed++ === 0) count.first = `${c.name}: ${found}`.slice(0, 160);
      }
    }
    const rows = [...counts].sort(([a], [b]) => (a < b ? -1 : 1));
    const [passed, failed] = rows.reduce(([p, f], [, c]) => [p + c.passed, f + c.failed], [0, 0]);
    console.log(rows.map(([op, c]) => `${op}: ${c.passed} passed, ${c.failed} failed${c.failed > 0 ? `  (${c.first})` : ""}`).join("\n"));
    console.log(
      `\nwhy they fail:\n${[...reasons]
        .sort()
        .map(([reason, count]) => `${count} ${reason}`)
        .join("\n")}`,
    );
    console.log(`${passed} passed, ${failed} failed, ${rows.length} operators`);
    expect(faults).toEqual([]);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});
