import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";
import { parseSync } from "rolldown/utils";
import { beforeAll, expect, test } from "vitest";

const root = fileURLToPath(new URL("../../", import.meta.url));
const site = join(root, "dist/studio");

beforeAll(() => {
  execFileSync(process.execPath, ["scripts/ensure-built.js"], { cwd: root, stdio: "ignore" });
});

/** The scripts that the page needs before it runs: the first and what it imports, and what that imports, but not what is loaded on demand. */
function first(): string[] {
  const html = readFileSync(join(site, "index.html"), "utf8");
  const found = new Set([...html.matchAll(/<(?:script|link)[^>]*(?:src|href)="([^"]+\.js)"/g)].map((m) => join(site, m[1]!)));
  for (const file of found)
    for (const statement of parseSync(file, readFileSync(file, "utf8")).program.body) {
      const source = "source" in statement ? statement.source : null;
      if (source && source.type === "Literal" && source.value.startsWith(".")) found.add(join(dirname(file), source.value));
    }
  return [...found];
}

test("the studio's first JavaScript weighs 60 kB at most, gzipped; the library, formulas and other tabs come on demand", () => {
  const files = first();
  expect(files.length).toBeGreaterThan(0);
  const size = files.reduce((sum, file) => sum + gzipSync(readFileSync(file), { level: 9 }).length, 0);
  expect(size).toBeLessThanOrEqual(60_000);
  expect(size).toBeGreaterThan(10_000);
});
