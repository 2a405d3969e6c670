// The lessons that need more than a call to meet them.

import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { run } from "../src/cli/run.ts";
import { callOp } from "../src/control/call.ts";
import { parseNpz, serializeNpz } from "../src/data/npz.ts";
import { serializeSafetensors } from "../src/data/safetensors.ts";
import { writeZip } from "../src/data/zip.ts";
import { compileExpression } from "../src/notation/compile-expression.ts";
import { compile, dtypeLesson, f64, graph, random, reference, tensor, variable } from "./lessons-imports.ts";

test("a node that calls no graph, arrays of no dtype, and inputs that are no record", async () => {
  expect(() => callOp([1], { graph: 3 as never })).toThrow("call: its attribute graph is no graph");
  expect(() => dtypeLesson()).toThrow("use one of the numeric typed arrays");
  const program = await compile(
    graph({ p: { a: f64() } }, ({ p }) => p.a),
    reference(),
  );
  expect(() => program.run({ p: 3 } as never)).toThrow("run: p is no record; wanted a");
});

test("random numbers of whole-number types, and what a formula cannot use", () => {
  expect(() => random.uniform(random.key(0), { kind: "type", dtype: "i32", shape: [2] })).toThrow(
    "random.uniformNumbers: the type is i32[2]",
  );
  expect(() => compileExpression("x[m]")({ x: variable([1, 2]), m: variable([[0.5]]) })).toThrow();
});

test("an npz whose member is no npy", async () => {
  const bytes = await serializeNpz({ a: tensor([1]) });
  const text = new TextDecoder("latin1").decode(bytes);
  expect(text).toContain("NUMPY");
  await expect(parseNpz(await writeZip([["a.npy", new Uint8Array(8)]], false))).rejects.toThrow("npz: a: ");
});

test("files and names that values point at and that are not there", async () => {
  const folder = mkdtempSync(join(tmpdir(), "lessons-"));
  writeFileSync(join(folder, "a.safetensors"), serializeSafetensors({ first: tensor([1]) }));
  const errors: string[] = [];
  for (const args of [
    ["grad", "@"],
    ["grad", "sum(x)", `x=@${join(folder, "a.safetensors")}:zzz`],
  ])
    await run(args, {
      write: () => undefined,
      writeError: (t) => void errors.push(t),
      isTerminal: { output: false, error: false },
      env: {},
      readBytes: async function* () {},
      version: "0",
    });
  rmSync(folder, { recursive: true });
  expect(errors[0]).toContain("a path is missing after @");
  expect(errors[1]).toContain('has no tensor "zzz"');
});

test("batches say what is wrong with a line", async () => {
  const lines = [
    "[]",
    '{"expr":"x","expr":"y"}',
    '{"expr":"x","foo":1}',
    '{"expr":"x","at":3}',
    '{"expr":"x","at":{"x":1},"wrt":"x"}',
    '{"expr":"x","at":{"":1}}',
    '{"expr":"x","at":{"x":1,"x":2}}',
  ];
  let out = "";
  await run(["grad", "--batch", "-"], {
    write: (t) => {
      out += t;
    },
    writeError: () => undefined,
    isTerminal: { output: false, error: false },
    env: {},
    readBytes: async function* () {
      yield new TextEncoder().encode(lines.join("\n"));
    },
    version: "0",
  });
  const messages = out
    .trim()
    .split("\n")
    .map((l) => (JSON.parse(l) as { error: { message: string } }).error.message);
  expect(messages[0]).toContain("the line is no record; write");
  expect(messages[1]).toContain("stands twice in one record");
  expect(messages[2]).toContain('" is not known; ');
  expect(messages[3]).toContain('"at" is no record; write "at": {"x": 3}');
  expect(messages[4]).toContain('"wrt" is no list of names; write "wrt": ["x"]');
  expect(messages[5]).toContain("is no name of a variable");
  expect(messages[6]).toContain("stands twice");
  expect(tensor([1]).data).toHaveLength(1);
});
