// The test of the tester: planted mistakes in a page are found.
import { describe, expect, test } from "vitest";
import { blocksOf, runPage, says, wordsOf } from "../../scripts/doc-blocks.ts";
import { load } from "./world.ts";

const fence = (language: string, ...lines: string[]): string => [`\`\`\`${language}`, ...lines, "```", ""].join("\n");
const start = 'import { add, read, variable } from "chainrule";';

async function faults(page: string, files: Record<string, string> = {}): Promise<readonly string[]> {
  return (await runPage(page, { load, file: (path) => files[path], command: async (args) => `${args.join("|")}\n` })).faults;
}

describe("a page with right outputs", () => {
  test("has no faults, and its blocks share a module until the next import", async () => {
    const page = [
      fence("ts", start, 'const x = variable(2, "x");', "const y = add(x, 1); // -> 3"),
      "words",
      fence("ts", "read(add(x, y)); // -> 5", "const same: number = read(y);", "console.log(same, [1, 2]);"),
      fence("text", "3 [1, 2]"),
      fence("js", start, "const x = variable(0.123456);", "console.log(read(x)); // -> 0.12"),
    ].join("\n");
    const outcome = await runPage(page, { load, file: () => undefined });
    expect(outcome.faults).toEqual([]);
    expect(outcome.compared).toBe(4);
    expect(outcome.page).toBe(page);
  });

  test("may show errors, files and commands", async () => {
    const page = [
      fence(
        "ts",
        'import { draw, read, tensor } from "chainrule";',
        "read(tensor([1, 2]));",
        "// throws EngineError: read: the tensor is f64[2]; use evaluate(v).data",
      ),
      fence("ts", '"<svg/>"; // -> pictures/a.svg'),
      fence("sh", 'npx chainrule grad "x * y" x=1'),
      fence("text", "grad|x * y|x=1"),
    ].join("\n");
    expect(await faults(page, { "pictures/a.svg": "<svg/>" })).toEqual([]);
  });
});

describe("a planted mistake is found:", () => {
  const cases: readonly (readonly [string, string, RegExp])[] = [
    ["a wrong value", fence("ts", start, "read(add(1, 2)); // -> 4"), /says 4, the run gives 3/],
    ["a wrong decimal", fence("ts", start, "read(add(0.1, 0.2)); // -> 0.31"), /says 0.31/],
    ["a wrong const", fence("ts", start, "const x = add(1, 2); // -> 4"), /says 4/],
    ["a wrong printed line", fence("ts", start, "console.log(1); // -> 2"), /says 2, the run gives 1/],
    ["a wrong text block", `${fence("ts", start, "console.log(1);")}\n${fence("text", "2")}`, /and the run prints\n1/],
    ["a missing text block", fence("ts", start, "console.log(1);"), /no text block/],
    ["a text block of nothing", `${fence("ts", start)}\n${fence("text", "2")}`, /nothing was printed/],
    ["a wrong error", fence("ts", start, "read(5 as never); // throws ShapeError: no"), /says ShapeError: no/],
    ["no error", fence("ts", start, "read(add(1, 2)); // throws ShapeError: no"), /nothing was thrown/],
    ["a name that is not exported", fence("ts", 'import { nothing } from "chainrule";', "nothing();"), /the block fails/],
    ["a syntax error", fence("ts", start, "const = 3;"), /line 1/],
    [
      "a value inside a statement",
      fence("ts", start, "for (let i = 0; i < 2; i++) {", "  read(add(i, i)); // -> 0", "}"),
      /inside a statement/,
    ],
    ["a value after nothing comparable", fence("ts", start, "const { a } = { a: 1 }; // -> 1"), /nothing to compare/],
    [
      "a value behind an error",
      fence("ts", start, "read(add(1, 2) as never, (() => { throw Error(); })());", "read(add(1, 2)); // -> 3"),
      /never reached/,
    ],
    ["an old file", fence("ts", start, '"new"; // -> pictures/a.svg'), /pictures\/a.svg is not what/],
    ["a wrong command output", `${fence("sh", "npx chainrule a")}\n${fence("text", "b")}`, /and the run prints\na/],
  ];
  test.each(cases)("%s", async (_, page, message) => {
    expect((await faults(page, { "pictures/a.svg": "old" })).join("\n")).toMatch(message);
  });

  test("and repaired by writing the page anew", async () => {
    const page = `${fence("ts", start, "read(add(1, 2)); // -> ?", "console.log(7);")}\nwords\n${fence("text")}`;
    const { page: fixed } = await runPage(page, { load, file: () => undefined });
    expect(fixed).toContain("// -> 3\n");
    expect(await faults(fixed)).toEqual([]);
  });
});

describe("the parts", () => {
  test("numbers are compared to the written decimals, words exactly", () => {
    expect(says("0.73 [1.5e-3, 2]", "0.7311 [0.0015, 2]")).toBe(true);
    expect(says("0.74", "0.7311")).toBe(false);
    expect(says("-12", "-12.2")).toBe(false);
    expect(says("f is 3", "g is 3")).toBe(false);
    expect(says("[1, 2]", "[1, 2, 3]")).toBe(false);
  });

  test("blocks know their line, and command lines their quotes", () => {
    expect(blocksOf(`a\n${fence("ts", "b")}`)).toEqual([{ language: "ts", text: "b\n", line: 2, from: 8, to: 10 }]);
    expect(wordsOf(`npx chainrule grad "x + y" x='1 2' @a.npy`)).toEqual(["npx", "chainrule", "grad", "x + y", "x=1 2", "@a.npy"]);
  });
});
