// What a page links to is there, and comes with the package: who installs it reads the documents of the version that he has.
import { existsSync, readdirSync, readFileSync, statSync } from "node:fs";
import { dirname, join, normalize } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";

const root = fileURLToPath(new URL("../../", import.meta.url));
const { files } = JSON.parse(readFileSync(join(root, "package.json"), "utf8")) as { readonly files: readonly string[] };
const inDocs = readdirSync(join(root, "docs"), { recursive: true, encoding: "utf8" }).map((name) => join("docs", name));
const pages = ["README.md", "ARCHITECTURE.md", "CONTRIBUTING.md", "CHANGELOG.md", ...inDocs.filter((name) => name.endsWith(".md"))];

/** Files that a page links to, by their paths from the root. */
function linked(page: string, text: string): string[] {
  const targets = [...text.matchAll(/\]\(([^)\s]+)\)/g)].map(([, target]) => target!.split("#")[0]!);
  return targets.filter((t) => t !== "" && !/^[a-z]+:/.test(t)).map((t) => normalize(join(dirname(page), t)));
}

/** What is wrong with a link: null if nothing is. */
function fault(target: string): string | null {
  if (!existsSync(join(root, target))) return `${target} is not there`;
  const packed = files.some((f) => target === f || (target.startsWith(`${f}/`) && statSync(join(root, f)).isDirectory()));
  return packed ? null : `${target} is not in the package`;
}

test.each(pages)("%s links to files that the package has", (page) => {
  expect(
    linked(page, readFileSync(join(root, page), "utf8"))
      .map(fault)
      .filter((f) => f !== null),
  ).toEqual([]);
});

test("links that lead nowhere, or out of the package, are found", () => {
  const text = "[a](lost.md#part), [b](../test/docs/links.test.ts), [c](numerics.md), [d](https://example.org/x.md), [e](#here)";
  expect(linked("docs/scale.md", text).map(fault)).toEqual([
    "docs/lost.md is not there",
    "test/docs/links.test.ts is not in the package",
    null,
  ]);
});
