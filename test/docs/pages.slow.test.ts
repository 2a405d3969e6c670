// Every code block of every page runs, and gives what the page says. With CHAINRULE_DOCS=write (`npm run docs`) outputs, pictures and the
// generated page are written anew instead; their difference is then to be read and committed.
import { createReadStream, existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { describe, expect, test } from "vitest";
import { runPage } from "../../scripts/doc-blocks.ts";
import { transformsPage } from "../../scripts/transforms-page.ts";
import { run } from "../../src/cli/run.ts";
import { load, pages, root, writing } from "./world.ts";

describe("generated from the laws:", () => {
  test("docs/transforms/ops.md is what the laws find, and none finds a fault", () => {
    const page = transformsPage();
    if (writing) writeFileSync(`${root}docs/transforms/ops.md`, page);
    expect(page).not.toContain("| no: ");
    expect(readFileSync(`${root}docs/transforms/ops.md`, "utf8") === page, "docs/transforms/ops.md is old: run npm run docs").toBe(true);
  });
});

// Pages write their files here; git leaves the folder out, so that a fresh clone has none.
mkdirSync(join(root, "out"), { recursive: true });

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
