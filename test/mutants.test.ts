import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";

interface Mutant {
  readonly kind: string;
  readonly original: string;
  readonly text: string;
}

interface Declarations {
  readonly rules: readonly { readonly name: string }[];
}

/** What is used here of scripts that run in plain Node. */
interface Scripts {
  readDeclarations(file: string, source: string): Declarations;
  functionsOfRules(files: ReadonlyMap<string, Declarations>): ReadonlyMap<string, readonly never[]>;
  mutantsOf(declarations: Declarations, functions: readonly never[]): readonly { readonly mutant: Mutant }[];
  woven(source: string, mutants: readonly { readonly id: number; readonly mutant: Mutant }[]): string;
  readonly equivalents: readonly {
    readonly file: string;
    readonly line: string;
    readonly at: number;
    readonly original: string;
    readonly reason: string;
  }[];
}

const scripts = ["../scripts/mutants.js", "../scripts/equivalent-mutants.js"].map((path) => import(new URL(path, import.meta.url).href));
const { readDeclarations, functionsOfRules, mutantsOf, woven, equivalents } = Object.assign({}, ...(await Promise.all(scripts))) as Scripts;

const source = `import { help } from "./other.ts";
function kernel(n: number): number { return n + 1; }
function side(x: Value, axis: readonly number[]): Value { return mul(x, sum(x, { axis, keepDims: true })); }
export const twice = declare("twice", ["x"], {
  type: ({ x }) => x,
  eval: ({ x }) => kernel(2),
  vjp: ({ ct, x, axis }) => ({ x: () => add(mul(2, ct), side(x, axis)), y: null }),
  jvp: ({ d, x }) => d.x && neg(d.x),
});
`;

function plantedIn(text: string): Mutant[] {
  const files = new Map([["src/ops/a.ts", readDeclarations("src/ops/a.ts", text)]]);
  return mutantsOf(files.get("src/ops/a.ts")!, functionsOfRules(files).get("src/ops/a.ts") ?? []).map(({ mutant }) => mutant);
}

describe("the mutation run plants", () => {
  test("each kind of fault in rules and in the functions that only rules call, and none elsewhere", () => {
    const planted = plantedIn(source);
    expect(new Set(planted.map((m) => m.kind))).toEqual(
      new Set(["factor dropped", "term dropped", "sign flipped", "number or axis shifted", "attribute ignored", "operand dropped"]),
    );
    const lines = planted.map(({ original, text }) => `${original} -> ${text}`);
    expect(lines).toContain("mul(2, ct) -> ct");
    expect(lines).toContain("axis -> undefined");
    expect(lines).toContain("axis -> __shift(axis)");
    expect(lines).toContain("neg(d.x) -> d.x");
    expect(lines.filter((line) => line.includes("kernel") || line.startsWith("n + 1"))).toEqual([]);
  });

  test("un-broadcasts left out, and operands swapped", () => {
    const kinds = plantedIn('export const f = declare("f", ["x"], { vjp: ({ ct, x }) => ({ x: sumTo(matmul(ct, x), s) }) });').map(
      (m) => m.kind,
    );
    expect(kinds).toContain("un-broadcast left out");
    expect(kinds).toContain("operands swapped");
  });

  test("all of them into one source that still reads, each behind its number", () => {
    const planted = plantedIn(source);
    const text = woven(
      source,
      planted.map((mutant, id) => ({ id, mutant })),
    );
    for (let id = 0; id < planted.length; id++) expect(text).toContain(`__mutant === ${id} ?`);
    const again = readDeclarations("src/ops/a.ts", text);
    expect(new Set(again.rules.map((rule) => rule.name))).toEqual(new Set(["vjp", "jvp"]));
  });
});

test("every mutant that is listed as changing no result stands on a line of its file, with a reason", () => {
  for (const { file, line, at, original, reason } of equivalents) {
    const lines = readFileSync(new URL(`../${file}`, import.meta.url), "utf8")
      .split("\n")
      .map((l) => l.trim());
    expect([file, line, lines.includes(line)]).toEqual([file, line, true]);
    expect(line.slice(at, at + original.length)).toBe(original);
    expect(reason.length).toBeGreaterThan(20);
  }
});
