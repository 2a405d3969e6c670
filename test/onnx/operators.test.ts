import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { operatorNames } from "../../src/onnx/operators.ts";

test("docs/onnx.md lists every operator that is read, and no other", () => {
  const page = readFileSync(fileURLToPath(new URL("../../docs/onnx.md", import.meta.url)), "utf8");
  const table = page.slice(page.indexOf("## Operators"), page.indexOf("An `If` whose"));
  const listed = [...table.matchAll(/\b[A-Z][A-Za-z0-9]+\b/g)]
    .map(([word]) => word)
    .filter((word) => word !== "Read" && word !== "Operators");
  expect([...new Set(listed)].sort()).toEqual(operatorNames());
});
