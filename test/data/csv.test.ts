import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { type CsvBlock, type CsvOptions, csvBlocks, parseCsv } from "../../src/data/csv.ts";
import { DomainError } from "../../src/ir/errors.ts";
import { parseErrorOf } from "./fixture.ts";

async function blocksOf(
  pieces: readonly (string | Uint8Array)[],
  options: CsvOptions & { readonly blockRows?: number } = {},
): Promise<CsvBlock[]> {
  const blocks: CsvBlock[] = [];
  for await (const block of csvBlocks(pieces, options)) blocks.push(block);
  return blocks;
}

test("header, numbers, quotes, CRLF, BOM, empty lines", () => {
  const table = parseCsv('\ufeff"a, b","say ""x""",c\r\n1, 2.5 ,"-3e2"\r\n\r\n.5,+4.,nan\r\n');
  expect(table.columns).toEqual(["a, b", 'say "x"', "c"]);
  expect(table.rows).toBe(2);
  expect([...table.data]).toEqual([1, 2.5, -300, 0.5, 4, Number.NaN]);
  expect(table.label).toBe(null);
});

test("without header, another delimiter, LF, CR, no line end at the end", () => {
  for (const end of ["\n", "\r", "\r\n"]) {
    const table = parseCsv(`1;-inf${end}3;Infinity`, { delimiter: ";" });
    expect([table.columns, [...table.data]]).toEqual([
      ["column1", "column2"],
      [1, -Infinity, 3, Infinity],
    ]);
  }
  expect(parseCsv("2019\n1\n", { header: true }).columns).toEqual(["2019"]);
  expect(parseCsv("a,b\n1,\n", { empty: -1 }).data[1]).toBe(-1);
});

test("a label column: numbers, or names of classes in order of appearance", () => {
  const numbers = parseCsv("x,y,z\n1,7,2\n3,9,4\n", { label: "y" });
  expect(numbers.columns).toEqual(["x", "z"]);
  expect([...numbers.data]).toEqual([1, 2, 3, 4]);
  expect(numbers.label).toEqual({ name: "y", values: new Float64Array([7, 9]), classes: null });
  const names = parseCsv('x,kind\n1,cat\n2,"dog"\n3,cat\n', { label: "kind" });
  expect(names.label).toEqual({ name: "kind", values: new Float64Array([0, 1, 0]), classes: ["cat", "dog"] });
  expect(parseCsv("1,a\n", { header: false, label: "column2" }).label?.classes).toEqual(["a"]);
});

test("columns that are ignored may hold anything: texts, gaps, ids", async () => {
  const text = 'id,a,name,y,b\nx1,1,"Kim, Ann",cat,2\n,3,,dog,4\n';
  const table = parseCsv(text, { label: "y", ignore: ["name", "id"] });
  expect([table.columns, [...table.data], table.label]).toEqual([
    ["a", "b"],
    [1, 2, 3, 4],
    { name: "y", values: new Float64Array([0, 1]), classes: ["cat", "dog"] },
  ]);
  expect((await blocksOf([...text], { label: "y", ignore: ["name", "id"], blockRows: 1 })).map(({ data }) => [...data])).toEqual([
    [1, 2],
    [3, 4],
  ]);
  const bare = parseCsv("1,x,2\n3,y,4\n", { header: false, ignore: ["column2"] });
  expect([bare.columns, [...bare.data]]).toEqual([
    ["column1", "column3"],
    [1, 2, 3, 4],
  ]);
});

describe("refuses", () => {
  test.each<[string, string, CsvOptions, string]>([
    ["nothing", "", {}, "csv: the file is empty"],
    ["empty lines", "\n\r\n\n", {}, "csv: the file is empty"],
    ["a header alone", "a,b\n", {}, "csv: the file has a header and no rows"],
    [
      "a short row",
      "a,b,c\n1,2,3\n4,5\n",
      {},
      "csv: row 3 has 2 cells and the first row has 3: row 3, column 3 (c) is missing; all rows must have one length",
    ],
    [
      "a long row",
      "1,2\n\n3,4,5\n",
      {},
      "csv: row 3 has 3 cells and the first row has 2: column 3 is one too many; all rows must have one length",
    ],
    [
      "a word",
      "a,b\n1,2\n3,four\n",
      {},
      'csv: row 3, column 2 (b): "four" is not a number; say { ignore: ["b"] } to leave columns of text out',
    ],
    [
      "a word without header",
      "1,2\n3,0x10\n",
      {},
      'csv: row 2, column 2: "0x10" is not a number; say { ignore: ["column2"] } to leave columns of text out',
    ],
    ["an empty cell", "a,b\n1, \n", {}, "csv: row 2, column 2 (b) is empty; say { empty: NaN } to allow it"],
    [
      "a mixed first row",
      "id,2019\n1,2\n",
      {},
      "csv: row 1 mixes numbers and text; say { header: true } if it holds names, { header: false } if it holds data",
    ],
    ["a name twice", "a,a\n1,2\n", {}, 'csv: row 1, column 2: the name "a" is there twice; names must differ'],
    [
      "no comma",
      "a;b;y\n1;2;3\n",
      { label: "y" },
      'csv: there is no column "y"; there are a;b;y; there is no comma in the first row: if ";" is between its cells, say { delimiter: ";" }',
    ],
    [
      "no header",
      "1,2\n3,4\n",
      { label: "y" },
      'csv: there is no column "y"; there are column1, column2; the first row has numbers, so these are no names of the file',
    ],
    ["no such label", "a,b\n1,2\n", { label: "y" }, 'csv: there is no column "y"; there are a, b'],
    [
      "all columns of text, at the first of them",
      'id,a,name,b\nx1,1,"Kim, Ann",\n',
      { empty: 0 },
      'csv: row 2, column 1 (id): "x1" is not a number; say { ignore: ["id", "name"] } to leave columns of text out',
    ],
    ["no such column to leave out", "a,b\n1,2\n", { ignore: ["a", "id"] }, 'csv: there is no column "id" to ignore; there are a, b'],
    ["a label that turns into text", "a,y\n1,2\n1,two\n", { label: "y" }, 'csv: row 3, column 2 (y): "two" is not a number'],
    ["an empty label", "a,y\n1,x\n1,\n", { label: "y" }, "csv: row 3, column 2 (y) is empty; every row needs a label"],
    ["an open quote", 'a,b\n1,"2\n3,4\n', {}, "csv: row 2, column 2 opens a quote that is never closed"],
    [
      "a quote inside",
      'a,b\n1,2"3\n',
      {},
      "csv: row 2, column 2 has a quote inside; put the whole cell in quotes and write the quote twice",
    ],
    ["text after a quote", 'a,b\n"1"2,3\n', {}, "csv: row 2, column 1 goes on after its closing quote; put the whole cell in quotes"],
  ])("%s", async (_, text, options, message) => {
    expect((await parseErrorOf(() => parseCsv(text, options)))?.message).toBe(message);
    // In pieces of one character it is the same fault.
    expect((await parseErrorOf(() => blocksOf([...text], options)))?.message).toBe(message);
  });

  test("bytes that are not UTF-8, delimiters and block sizes that are none", async () => {
    for (const bytes of [
      [255, 254, 49, 0],
      [49, 0xe2, 0x82],
    ])
      expect((await parseErrorOf(() => blocksOf([Uint8Array.from(bytes)])))?.message).toBe(
        "csv: the file is not UTF-8 text; save it as UTF-8",
      );
    expect(() => parseCsv("1", { delimiter: "::" })).toThrow(
      new DomainError('csv: the delimiter is "::"; it must be one character, no quote and no line end'),
    );
    await expect(blocksOf(["1"], { blockRows: 0 })).rejects.toThrow(
      new DomainError("csv: blockRows is 0; it must be a whole number, 1 or more"),
    );
  });

  test.each(["", "-", "+", ".", "e5", "1e", "1e+", "1.2.3", "1_000", "--1", "1 2", "0x1", "nano", "infinit", "１", "1e5x", "-.e1"])(
    "%j as a number",
    async (cell) => {
      expect(await parseErrorOf(() => parseCsv(`a\n"${cell}"\n`))).not.toBe(null);
    },
  );
});

test("numbers are what JavaScript reads, to the last bit", () => {
  const digits = fc.string({ unit: fc.constantFrom(..."0123456789"), minLength: 1, maxLength: 22 });
  const number = fc
    .tuple(fc.constantFrom("", "-", "+"), digits, fc.option(digits), fc.option(fc.integer({ min: -340, max: 340 })))
    .map(([sign, whole, part, exponent]) => sign + whole + (part === null ? "" : `.${part}`) + (exponent === null ? "" : `e${exponent}`));
  fc.assert(
    fc.property(fc.array(fc.oneof(number, fc.double({ noNaN: true }).map(String)), { minLength: 1 }), (cells) => {
      expect([...parseCsv(cells.join(","), { header: false }).data]).toEqual(cells.map(Number));
    }),
    { seed: 2, numRuns: 500 },
  );
  expect(parseCsv("-0\n").data[0]).toBe(-0);
});

test("pieces and blocks of any size give the same table", async () => {
  const cell = fc.oneof(
    fc.integer().map(String),
    fc.double({ noNaN: true }).map((x) => `"${x}"`),
    fc.constantFrom(" 7 ", "1e3"),
  );
  const file = fc.tuple(fc.integer({ min: 1, max: 4 }), fc.constantFrom("\n", "\r\n", "\r"), fc.boolean()).chain(([width, end, header]) =>
    fc.array(fc.array(cell, { minLength: width, maxLength: width }), { minLength: 1, maxLength: 12 }).map((rows) => {
      const names = Array.from({ length: width }, (_, i) => `"é""\r\n${i}"`);
      return [...(header ? [names] : []), ...rows].map((row) => row.join(",") + end).join("");
    }),
  );
  await fc.assert(
    fc.asyncProperty(file, fc.integer({ min: 1, max: 9 }), fc.integer({ min: 1, max: 5 }), async (text, size, blockRows) => {
      const whole = parseCsv(text);
      const bytes = new TextEncoder().encode(text);
      const pieces = Array.from({ length: Math.ceil(bytes.length / size) }, (_, i) => bytes.subarray(i * size, (i + 1) * size));
      const blocks = await blocksOf(pieces, { blockRows });
      expect(blocks.flatMap(({ data }) => [...data])).toEqual([...whole.data]);
      expect(blocks.map(({ start }) => start)).toEqual(blocks.map((_, i) => i * blockRows));
      expect(blocks.reduce((rows, block) => rows + block.rows, 0)).toBe(whole.rows);
      expect(blocks[0]?.columns).toEqual(whole.columns);
    }),
    { seed: 4, numRuns: 300 },
  );
});

test("classes keep their numbers from block to block", async () => {
  const blocks = await blocksOf(["x,y\n1,b\n2,a\n", "3,b\n4,c\n"], { label: "y", blockRows: 2 });
  expect(blocks.map(({ label }) => [[...(label?.values ?? [])], label?.classes])).toEqual([
    [
      [0, 1],
      ["b", "a"],
    ],
    [
      [0, 2],
      ["b", "a", "c"],
    ],
  ]);
});
