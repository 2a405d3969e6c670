import { readdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { rolldown } from "rolldown";
import { describe, expect, test } from "vitest";
import { checkArchitecture, opsOrder, type Violation } from "../scripts/layers.ts";

const src = new URL("../src/", import.meta.url);
const packageJson: { exports: Record<string, string | { default: string }> } = JSON.parse(
  readFileSync(new URL("../package.json", import.meta.url), "utf8"),
);
const entries: readonly string[] = Object.values(packageJson.exports).flatMap((target) =>
  typeof target === "string" ? [] : [target.default.replace("./dist/", "").replace(/\.js$/, ".ts")],
);

function sources(): Map<string, string> {
  const names = readdirSync(src, { recursive: true, encoding: "utf8" }).map((name) => name.replaceAll("\\", "/"));
  return new Map(names.filter((name) => name.endsWith(".ts")).map((name) => [name, readFileSync(new URL(name, src), "utf8")]));
}

function check(files: Record<string, string>): Violation[] {
  return checkArchitecture(new Map(Object.entries(files)), ["index.ts"]);
}

function rules(files: Record<string, string>): string[] {
  return check(files).map(({ rule, file }) => `${rule} ${file}`);
}

/** What a bundler that trusts nobody leaves of a module that uses nothing: code with side effects. */
async function leftOf(user: string, planted = ""): Promise<string> {
  const modules: Record<string, string> = { user, planted };
  const build = await rolldown({
    cwd: fileURLToPath(src),
    input: "user",
    platform: "neutral",
    external: /^(node:|@resvg\/)/,
    treeshake: { moduleSideEffects: () => true },
    plugins: [{ name: "modules", resolveId: (id) => (id in modules ? `\0${id}` : null), load: (id) => modules[id.slice(1)] ?? null }],
  });
  const { output } = await build.generate({ format: "esm", minify: true });
  return output
    .map((chunk) => (chunk.type === "chunk" ? chunk.code : ""))
    .join("")
    .trim();
}

describe("the sources", () => {
  test("keep the architecture", () => {
    const files = sources();
    expect(files.size).toBeGreaterThan(5);
    expect(checkArchitecture(files, entries).map(({ rule, file, message }) => `${rule}: ${file}: ${message}`)).toEqual([]);
  });

  test.each(entries)("run nothing when %s is imported", async (entry) => {
    expect(await leftOf(`import ${JSON.stringify(fileURLToPath(new URL(entry, src)))};`)).toBe("");
  });

  test.each([
    ["a read of a property", "const a = { x: 1 }; export const b = { y: a.x };"],
    ["a tagged template", "export const b = String.raw`x`;"],
    ["a call", "export const b = new Map([[1, 2]].flat());"],
  ])("would run with %s at the top level", async (_, planted) => {
    expect(await leftOf('import "planted";', planted)).not.toBe("");
  });
});

describe("the checker reports", () => {
  const sound = {
    "ir/value.ts": "export type Value = { readonly id: number };",
    "ops/define.ts": 'import type { Value } from "../ir/value.ts";\nexport const op = (v: Value): Value => v;',
    "ops/linear.ts": 'import { op } from "./define.ts";\nexport const sum = op;',
    "autodiff/vjp.ts": 'import { sum } from "../ops/linear.ts";\nexport const vjp = sum;',
    "index.ts": 'export { vjp } from "./autodiff/vjp.ts";\nexport type { Value } from "./ir/value.ts";',
    "cli/main.ts": 'import { readFileSync } from "node:fs";\nimport { vjp } from "../index.ts";\nreadFileSync(String(vjp));',
  };

  test("nothing in sources that keep it", () => {
    expect(check(sound)).toEqual([]);
  });

  test("an upward import", () => {
    const planted = { ...sound, "ir/graph.ts": 'import { sum } from "../ops/linear.ts";\nexport const g = sum;' };
    expect(check(planted)).toEqual([
      { rule: "layer", file: "ir/graph.ts", message: "ir/ (level 0) imports ops/linear.ts (level 1); imports point down only" },
    ]);
  });

  test.each([
    ["of a type", 'import type { vjp } from "../autodiff/vjp.ts";\nexport type T = typeof vjp;'],
    ["passed on", 'export * from "../autodiff/vjp.ts";'],
    ["at run time", 'export const later = () => import("../autodiff/vjp.ts");'],
    ["inside a type", 'export type T = import("../autodiff/vjp.ts").T;'],
  ])("an upward import %s", (_, text) => {
    expect(rules({ ...sound, "ops/reduce.ts": text })).toEqual(["layer ops/reduce.ts"]);
  });

  test("an import of a folder on the same level", () => {
    const planted = { ...sound, "passes/fold.ts": 'import { vjp } from "../autodiff/vjp.ts";\nexport const fold = vjp;' };
    expect(rules(planted)).toEqual(["layer passes/fold.ts"]);
  });

  test("an import against the order inside ops", () => {
    const planted = { ...sound, "ops/elementwise.ts": 'import { sum } from "./linear.ts";\nexport const neg = sum;' };
    expect(check(planted)).toEqual([
      {
        rule: "layer",
        file: "ops/elementwise.ts",
        message: `imports ops/linear.ts; inside ops/ imports go ${opsOrder.join(" <- ")}`,
      },
    ]);
  });

  test("draw importing more than ir", () => {
    const planted = { ...sound, "draw/svg.ts": 'import { sum } from "../ops/linear.ts";\nexport const svg = sum;' };
    expect(check(planted).map(({ message }) => message)).toEqual(["draw/ imports ops/linear.ts; it may import ir only"]);
  });

  test("a folder without a level", () => {
    const planted = { ...sound, "tape/tape.ts": 'import { sum } from "../ops/linear.ts";\nexport const tape = sum;' };
    expect(check(planted).map(({ message }) => message)).toEqual(["folder tape/ has no level; give it one in scripts/layers.ts"]);
  });

  test("an import cycle, in one folder and of types alone too", () => {
    const planted = {
      ...sound,
      "ir/a.ts": 'import type { B } from "./b.ts";\nexport type A = B | 1;',
      "ir/b.ts": 'import type { C } from "./c.ts";\nexport type B = C | 2;',
      "ir/c.ts": 'import type { A } from "./a.ts";\nexport type C = A | 3;',
    };
    expect(check(planted)).toEqual([
      { rule: "cycle", file: "ir/a.ts", message: "is in an import cycle: ir/a.ts -> ir/b.ts -> ir/c.ts -> ir/a.ts" },
    ]);
  });

  test("any, but not the word in a comment or a string", () => {
    const words = { ...sound, "ir/words.ts": '// any number of\nexport const s: string = "any";' };
    expect(check(words)).toEqual([]);
    const planted = { ...sound, "ir/loose.ts": "export const f = (\n  x: Array<any>,\n): number => x.length;" };
    expect(check(planted)).toEqual([{ rule: "any", file: "ir/loose.ts", message: "line 2 says any; write the type, or unknown" }]);
  });

  test("a dependency, and a module of Node's outside cli and data", () => {
    const planted = {
      ...sound,
      "ir/file.ts": 'import { readFileSync } from "node:fs";\nimport yes from "leftpad";\nexport const f = [readFileSync, yes];',
    };
    expect(rules(planted)).toEqual(["outside ir/file.ts", "outside ir/file.ts"]);
  });

  test("an entry with code of its own", () => {
    expect(rules({ ...sound, "index.ts": `${sound["index.ts"]}\nexport const version = 1;` })).toEqual(["entry index.ts"]);
  });

  test("names that say nothing and names in another style", () => {
    expect(rules({ ...sound, "ir/utils.ts": "", "ops/maxPool.ts": "" })).toEqual(["name ir/utils.ts", "name ops/maxPool.ts"]);
  });

  test("a file that does not parse", () => {
    expect(rules({ "ir/broken.ts": "export const = ;" })).toContain("parse ir/broken.ts");
  });
});
