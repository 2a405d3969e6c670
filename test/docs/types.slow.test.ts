// The code blocks of all pages as one program for the compiler: what runs on a page has to type-check for a reader who copies it, too.
import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";
import { expect, test } from "vitest";
import { blocksOf } from "../../scripts/doc-blocks.ts";
import { pages, root } from "./world.ts";

/** The modules of a page: blocks from one that begins with an import to the next, each on the lines that it has on the page. */
function modulesOf(page: string): string[] {
  const modules: string[] = [];
  for (const { language, text, line } of blocksOf(page)) {
    if (language !== "ts") continue;
    if (modules.length === 0 || /^\s*import\b/.test(text)) modules.push("");
    const before = modules.pop()!;
    modules.push(before + "\n".repeat(Math.max(0, line - before.split("\n").length + 1)) + text);
  }
  return modules.map((text) => `${text}\nexport {};\n`);
}

/** What the compiler says of pages. */
function faultsOf(texts: ReadonlyMap<string, string>): string {
  mkdirSync(join(root, "out"), { recursive: true });
  const folder = mkdtempSync(join(root, "out/doc-types-"));
  try {
    for (const [file, page] of texts)
      modulesOf(page).forEach((text, i) => {
        writeFileSync(join(folder, `${file.replaceAll("/", ".")}.${i}.ts`), text);
      });
    const { exports } = JSON.parse(readFileSync(join(root, "package.json"), "utf8")) as {
      exports: Record<string, string | { default: string }>;
    };
    const paths: Record<string, string[]> = {};
    for (const [name, target] of Object.entries(exports))
      if (typeof target === "object") paths[join("chainrule", name)] = [`../../src/${basename(target.default, ".js")}.ts`];
    const compilerOptions = {
      noEmit: true,
      declaration: false,
      isolatedDeclarations: false,
      noUnusedLocals: false,
      types: ["node"],
      paths,
    };
    writeFileSync(
      join(folder, "tsconfig.json"),
      JSON.stringify({ extends: "../../tsconfig.base.json", compilerOptions, include: ["*.ts"] }),
    );
    const tsc = join(root, "node_modules/typescript/bin/tsc");
    return spawnSync(process.execPath, [tsc, "-p", folder, "--pretty", "false"], { cwd: folder, encoding: "utf8" }).stdout.trim();
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

test("the blocks of all pages type-check; a file is PAGE.MODULE.ts, a line that of the page", () => {
  expect(faultsOf(new Map(pages().map((file) => [file, readFileSync(root + file, "utf8")])))).toBe("");
});

test("a mistake on a page is found on its line", () => {
  const page = '# Page\n\n```ts\nimport { variable } from "chainrule";\n\nconst x = variable(1);\n```\n\nwords\n\n```ts\nx.nothing;\n```\n';
  expect(faultsOf(new Map([["docs/page.md", page]]))).toMatch(/^docs\.page\.md\.0\.ts\(12,3\): error TS2339/);
});
