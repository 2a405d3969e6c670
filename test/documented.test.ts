import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { type PublicName, publicNames } from "../scripts/public-names.ts";

const src = fileURLToPath(new URL("../src/", import.meta.url));
const entries = [
  "index.ts",
  "data.ts",
  "finetune.ts",
  "mpi.ts",
  "nn.ts",
  "onnx.ts",
  "onnxruntime.ts",
  "optim.ts",
  "testing.ts",
  "train.ts",
  "wasm.ts",
];

test.each(entries)("every name that %s exports has TSDoc, which tells of the errors that it throws", (entry) => {
  const names = publicNames(src + entry);
  expect(names.length).toBeGreaterThan(0);
  const isSilent = ({ doc, throws }: PublicName): boolean =>
    doc === null || doc.length < 3 || (throws && !/throws|error|refuse/i.test(doc));
  expect(names.filter(isSilent).map(({ name, file }) => `${file.slice(src.length)}: ${name}`)).toEqual([]);
});

test("a name without TSDoc, and one that is silent on its errors, are found", () => {
  const folder = mkdtempSync(join(tmpdir(), "names-"));
  writeFileSync(
    join(folder, "a.ts"),
    "/** Adds. */\nexport function f(): void { throw new Error(); }\nexport const g = 1;\n/** It is h. */\n/* @__NO_SIDE_EFFECTS__ */\nexport const h = 2;",
  );
  writeFileSync(join(folder, "b.ts"), 'export { f, g as k } from "./a.ts";\nexport * as all from "./a.ts";');
  expect(publicNames(join(folder, "b.ts")).map(({ name, doc, throws }) => [name, doc, throws])).toEqual([
    ["all.f", "Adds.", true],
    ["all.g", null, false],
    ["all.h", "It is h.", false],
    ["f", "Adds.", true],
    ["k", null, false],
  ]);
  rmSync(folder, { recursive: true });
});
