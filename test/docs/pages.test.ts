// Every code block of every page runs, and gives what the page says. With CHAINRULE_DOCS=write (`npm run docs`) outputs, pictures and the
// generated page are written anew instead; their difference is then to be read and committed.
import { createReadStream, existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { describe, expect, test } from "vitest";
import { runPage } from "../../scripts/doc-blocks.ts";
import { opsPage } from "../../scripts/ops-page.ts";
import { transformsPage } from "../../scripts/transforms-page.ts";
import { run } from "../../src/cli/run.ts";
import * as chainrule from "../../src/index.ts";
import { load, pages, root, writing } from "./world.ts";

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

  test("docs/ops.md has every exported op, and says of each what it gives", () => {
    const page = readFileSync(`${root}docs/ops.md`, "utf8");
    const ops = Object.entries(chainrule).filter(([, x]) => typeof x === "function" && "slots" in x);
    expect(ops.length).toBeGreaterThan(90);
    const silent = ops.filter(([name]) => !new RegExp(`^\\| \`${name}\\(.*?\\)\` \\| .{3,} \\| .* \\| .* \\|$`, "m").test(page));
    expect(silent.map(([name]) => name)).toEqual([]);
  });
});

describe("generated from the laws:", () => {
  test("docs/transforms/ops.md is what the laws find, and none finds a fault", () => {
    const page = transformsPage();
    if (writing) writeFileSync(`${root}docs/transforms/ops.md`, page);
    expect(page).not.toContain("| no: ");
    expect(readFileSync(`${root}docs/transforms/ops.md`, "utf8") === page, "docs/transforms/ops.md is old: run npm run docs").toBe(true);
  });
});

describe("the blocks of", () => {
  test.each(pages())("%s give what the page says", async (file) => {
    const folder = dirname(root + file);
    const page = readFileSync(root + file, "utf8");
    const outcome = await runPage(page, {
      load,
      file: (path) => (existsSync(join(folder, path)) ? readFileSync(join(folder, path), "utf8") : undefined),
      command: commandLine,
    });
    if (writing) {
      for (const [path, text] of outcome.files) {
        mkdirSync(dirname(join(folder, path)), { recursive: true });
        writeFileSync(join(folder, path), text);
      }
      if (outcome.page !== page) writeFileSync(root + file, outcome.page);
    }
    expect(outcome.faults.join("\n\n")).toBe("");
  });

  test("the lesson and the tour are among them", () => {
    expect(pages()).toEqual(expect.arrayContaining(["README.md", "ARCHITECTURE.md", "docs/lecture.md", "docs/lecture.ko.md"]));
  });
});

describe("links", () => {
  test.each(pages())("of %s point at files that are there", (file) => {
    const page = readFileSync(root + file, "utf8").replace(/^```[\s\S]*?^```$/gm, "");
    const links = [...page.matchAll(/\]\(([^)\s#]+)[^)]*\)/g)].map(([, to]) => to!).filter((to) => !/^https?:/.test(to));
    const lost = links.filter((to) => !existsSync(join(dirname(root + file), to)));
    expect(lost).toEqual([]);
  });

  test("every picture is shown on a page", () => {
    const shown = pages()
      .map((file) => readFileSync(root + file, "utf8"))
      .join("\n");
    const lost = readdirSync(`${root}docs/pictures`).filter((name) => !shown.includes(`pictures/${name})`));
    expect(lost).toEqual([]);
  });
});

/** What `npx chainrule ...` prints, run in this process. */
async function commandLine(args: readonly string[]): Promise<string> {
  let printed = "";
  const take = (text: string): void => {
    printed += text;
  };
  await run(args, {
    write: take,
    writeError: take,
    isTerminal: { output: false, error: false },
    env: {},
    readBytes: (path) => createReadStream(path),
    version: "0.0.0",
  });
  return printed;
}
