import { readdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import { palettes } from "../../src/draw/theme.ts";

const studio = fileURLToPath(new URL("../../studio/", import.meta.url));
const sources = readdirSync(studio, { recursive: true, encoding: "utf8" }).filter(
  (name) => /\.tsx?$/.test(name) && name !== "vite.config.ts",
);

/** Packages that the studio is bundled with; everything else it takes from the library, by the library's public entries. */
const packages =
  /^(preact|preact\/hooks|@preact\/signals|katex|sucrase|@codemirror\/[a-z-]+|@lezer\/highlight|virtual:[a-z-]+|chainrule|chainrule\/[a-z]+)$/;

function foreignImports(name: string, text: string): string[] {
  const depth = name.split("/").length - 1;
  return [...text.matchAll(/(?:^|\s)from "([^"]+)";|^import "([^"]+)";|import\("([^"]+)"\)/gm)]
    .map((match) => (match[1] ?? match[2] ?? match[3])!)
    .filter((specifier) => {
      const [path] = specifier.split("?");
      if (!path!.startsWith(".")) return !packages.test(path!) && !/^katex\/dist\/[a-z.]+$/.test(path!);
      return (path!.match(/\.\.\//g) ?? []).length > depth;
    });
}

describe("the studio", () => {
  test("is made of the library's public entries, as a user's page would be", () => {
    expect(sources.length).toBeGreaterThan(10);
    expect(sources.flatMap((name) => foreignImports(name, readFileSync(studio + name, "utf8")).map((what) => `${name}: ${what}`))).toEqual(
      [],
    );
  });

  test("would be found to reach into the sources", () => {
    expect(
      foreignImports(
        "graph/tab.tsx",
        'import { a } from "../../src/ir/node.ts";\nimport b from "react";\nimport("chainrule/nn");\nfrom["x"]',
      ),
    ).toEqual(["../../src/ir/node.ts", "react"]);
  });

  test("has the colours of the pictures", () => {
    const css = readFileSync(`${studio}style.css`, "utf8");
    const at = (selector: string): string => new RegExp(`${selector.replace(/[[\]]/g, "\\$&")}[^{]*\\{([^}]*)\\}`).exec(css)![1]!;
    const colours = (block: string): Record<string, string> =>
      Object.fromEntries([...block.matchAll(/--([a-z-]+): (#[0-9a-f]{6});/g)].map((m) => [m[1]!, m[2]!]));
    const light = colours(at(":root"));
    const dark = { ...light, ...colours(at(':root[data-theme="dark"]')) };
    const blind = { ...light, ...colours(at(':root[data-theme="colour-blind"]')) };
    for (const [theme, found] of [
      ["light", light],
      ["dark", dark],
      ["colour-blind", blind],
    ] as const)
      for (const name of ["paper", "ink", "muted", "fwd", "grad", "accent", "local", "grad-fill"] as const)
        expect(`${theme} ${name} ${found[name]}`).toBe(`${theme} ${name} ${palettes[theme][name]}`);
  });
});
