import { readdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";

const here = fileURLToPath(new URL("./", import.meta.url));
const every = readdirSync(here, { recursive: true, withFileTypes: true }).filter((f) => f.isFile());
const fixtures = every.filter((f) => f.parentPath.startsWith(`${here}fixtures`)).map((f) => f.name);
const sources = every
  .filter((f) => f.name.endsWith(".ts") && f.name !== "fixtures.test.ts")
  .map((f) => readFileSync(`${f.parentPath}/${f.name}`, "utf8"));

function escaped(text: string): string {
  return text.replace(/[.*+?^${}()|[\]\\]/g, "\\$&");
}

/**
 * Whether a test source reads a fixture: it has the file's name in a string, the name without its ending as the argument of `fixture`, or a template
 * that makes the name from a word that the source has too.
 */
function reads(source: string, file: string): boolean {
  const stem = file.replace(/\.\w+$/, "");
  if (new RegExp(`["'\`/]${escaped(file)}["'\`]`).test(source)) return true;
  if (new RegExp(`fixture(<[^>]*>)?\\(["'\`]${escaped(stem)}["'\`]`).test(source)) return true;
  for (const [, before, after] of source.matchAll(/fixture(?:<[^>]*>)?\(`([^`$]*)\$\{\w+\}([^`$]*)`/g)) {
    const name = after === "" ? stem : file;
    if (before === "" && after === "") continue;
    if (!name.startsWith(before!) || !name.endsWith(after!) || name.length <= before!.length + after!.length) continue;
    const word = name.slice(before!.length, name.length - after!.length);
    if (new RegExp(`(^|[^\\w-])${escaped(word)}([^\\w-]|$)`).test(source)) return true;
  }
  return false;
}

test("every fixture is read by a test", () => {
  expect(fixtures.length).toBeGreaterThan(40);
  expect(fixtures.filter((file) => !sources.some((source) => reads(source, file)))).toEqual([]);
});

test("a fixture that no test reads is found", () => {
  const source =
    'fixture(`${code}-big.npy`); const codes = { f4: "f32", u2: 1 }; fixture<Case>("threefry"); fixture(`ops-${family}`); // linear';
  expect(["f4-big.npy", "u2-big.npy", "threefry.json", "ops-linear.json"].every((file) => reads(source, file))).toBe(true);
  expect(["f8-big.npy", "f4.npy", "ops-reduce.json", "big.json"].some((file) => reads(source, file))).toBe(false);
});
