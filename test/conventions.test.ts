import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { agree, conventionRows, flat, near, numbersFor, type Stored } from "./conventions-table.ts";
import { fixture } from "./reference/fixture.ts";

/** What PyTorch gives for a row; null where it has no rule. */
interface FromPyTorch {
  readonly case: string;
  readonly value: Stored;
  readonly first: Stored;
  readonly second: Stored | null;
}

const orders = ["value", "first", "second"] as const;

const rows = conventionRows(readFileSync(new URL("../docs/conventions.md", import.meta.url), "utf8"));

describe("docs/conventions.md", () => {
  test("has its rows, each once", () => {
    expect(rows.length).toBeGreaterThan(50);
    expect(new Set(rows.map((row) => row.text)).size).toBe(rows.length);
  });

  test.each(rows.map((row) => [row.text, row] as const))("%s", (_, row) => {
    const found = numbersFor(row);
    for (const [k, wanted] of row.results.entries())
      expect([orders[k], found[k], agree(found[k]!, wanted)]).toEqual([orders[k], found[k], true]);
  });

  const { cases } = fixture<FromPyTorch>("conventions");

  test("has what PyTorch says of every row", () => {
    expect(cases.map((c) => c.case)).toEqual(rows.map((row) => row.text));
  });

  test.each(rows.map((row, i) => [row.text, row, cases[i]!] as const))(
    "PyTorch gives the numbers, or the page says which other: %s",
    (_, row, theirs) => {
      const said = [...row.why.matchAll(/PyTorch's (value|first|second) is (\[.*?\]|[-\w.]*\w)/g)].map(
        ([, part, number]) => `${part} ${number}`,
      );
      const differing = orders.flatMap((part, k) => {
        const stored = theirs[part];
        if (stored === null) return [];
        const [got, want] = [flat(row.results[k]!), flat(stored)];
        const same = got.length === want.length && got.every((v, i) => near(v, want[i]!));
        return same ? [] : [`${part} ${JSON.stringify(stored).replaceAll('"', "").replaceAll(",", ", ")}`];
      });
      expect(said).toEqual(differing);
      expect(row.why.includes("no second derivative")).toBe(theirs.second === null);
    },
  );
});
