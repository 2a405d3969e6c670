// What pages are made of and point at; `pages.slow.test.ts` runs their blocks. With CHAINRULE_DOCS=write (`npm run docs`) the generated page is
// written anew instead; the difference is then to be read and committed.
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { opsPage } from "../../scripts/ops-page.ts";
import { speedTable } from "../../scripts/speed-table.ts";
import * as chainrule from "../../src/index.ts";
import { pages, root, writing } from "./world.ts";

function sourcesOf(...folders: readonly string[]): Map<string, string> {
  const found = new Map<string, string>();
  for (const folder of folders)
    for (const name of readdirSync(`${root}src/${folder}`, { recursive: true, encoding: "utf8" }).sort()) {
      const file = `${folder}/${name.replaceAll("\\", "/")}`;
      if (file.endsWith(".ts")) found.set(file, readFileSync(`${root}src/${file}`, "utf8"));
    }
  return found;
}

describe("generated:", () => {
  test("docs/ops.md is what the declarations say", () => {
    const page = opsPage(sourcesOf("ops", "linalg", "random", "control"), { ...chainrule });
    if (writing) writeFileSync(`${root}docs/ops.md`, page);
    expect(readFileSync(`${root}docs/ops.md`, "utf8") === page, "docs/ops.md is old: run npm run docs").toBe(true);
  });

  test("the README's table of speed is what bench/RESULTS.md has", () => {
    const page = readFileSync(`${root}README.md`, "utf8");
    const table = speedTable(readFileSync(`${root}bench/RESULTS.md`, "utf8"));
    const made = page.replace(/(?<=<!-- speed -->\n)[\s\S]*?(?=<!-- \/speed -->)/, `${table}\n`);
    if (writing) writeFileSync(`${root}README.md`, made);
    expect(readFileSync(`${root}README.md`, "utf8") === made, "the README's table of speed is old: run npm run docs").toBe(true);
    expect(page).toMatch(/^\| SGD step, MLP 784-128-10, batch 64 \| [\d.]+ ms \| [\d.]+ x /m);
  });

  test("the README counts the ops and the programs of the gallery as their pages do", () => {
    const rows = (page: string, row: RegExp): number => readFileSync(`${root}docs/${page}`, "utf8").match(row)!.length;
    const readme = readFileSync(`${root}README.md`, "utf8");
    expect(readme).toContain(`| [${rows("ops.md", /^\| `/gm)} ops and functions](docs/ops.md)`);
    expect(readme).toContain(`| ${rows("gallery.md", /^- \[/gm)} small programs,`);
    expect(readFileSync(`${root}docs/drawing.md`, "utf8")).toContain(`has ${rows("gallery.md", /^- \[/gm)} of them`);
  });

  test("docs/ops.md has every exported op, and says of each what it gives", () => {
    const page = readFileSync(`${root}docs/ops.md`, "utf8");
    const ops = Object.entries(chainrule).filter(([, x]) => typeof x === "function" && "slots" in x);
    expect(ops.length).toBeGreaterThan(90);
    const silent = ops.filter(([name]) => !new RegExp(`^\\| \`${name}\\(.*?\\)\` \\| .{3,} \\| .* \\| .* \\|$`, "m").test(page));
    expect(silent.map(([name]) => name)).toEqual([]);
  });
});

test("the lesson and the tour are among the pages", () => {
  expect(pages()).toEqual(expect.arrayContaining(["README.md", "ARCHITECTURE.md", "docs/lecture.md", "docs/lecture.ko.md"]));
});

test("every picture is shown on a page", () => {
  const shown = pages()
    .map((file) => readFileSync(root + file, "utf8"))
    .join("\n");
  const lost = readdirSync(`${root}docs/pictures`).filter((name) => !shown.includes(`pictures/${name})`));
  expect(lost).toEqual([]);
});
