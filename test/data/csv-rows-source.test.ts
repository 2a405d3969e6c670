import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import type { Batches } from "../../src/data/batches.ts";
import { csvRows } from "../../src/data/csv-rows-source.ts";
import { loader } from "../../src/data/loader.ts";
import { readCsv } from "../../src/data/read-csv.ts";
import { partsOf } from "../../src/data/share.ts";
import { f32, mean, mul, reference, square, sub, sum, type Tensor, tensor } from "../../src/index.ts";
import { sgd } from "../../src/optim.ts";
import { train } from "../../src/train.ts";

const folder = mkdtempSync(join(tmpdir(), "csv-rows-"));
afterAll(() => rmSync(folder, { recursive: true }));
const file = (name: string, text: string): string => {
  writeFileSync(join(folder, name), text);
  return join(folder, name);
};
const all = async <B>(source: Batches<B>, n = 0, from = 0): Promise<B[]> => {
  const found: B[] = [];
  for await (const batch of source.pass(n, from)) found.push(batch);
  return found;
};
const table = (rows: number, label: (i: number) => number | string): string =>
  `a,b,of\n${Array.from({ length: rows }, (_, i) => `${i},${i / 4},${label(i)}\n`).join("")}`;

describe("rows of a CSV file", () => {
  test.each([
    ["names of classes", (i: number) => ["cat", "dog", "eel"][(i * i) % 3]!],
    ["whole numbers", (i: number) => i % 5],
    ["numbers of which only the last is broken", (i: number) => (i === 22 ? 0.5 : 1)],
  ])("are those that a loader over all of it gives: %s", async (_, label) => {
    const path = file("rows.csv", table(23, label));
    const whole = loader(await readCsv(path, { label: "of" }), { batch: 4 });
    const source = await csvRows(path, { label: "of", batch: 4 });
    expect([source.length, source.columns]).toEqual([6, ["a", "b"]]);
    const { cells, ...order } = source.order;
    expect(cells).toMatch(/^[0-9a-f]{8}$/);
    expect(whole.order).toMatchObject(order);
    for (const from of [0, 3]) expect(await all(source, 1, from)).toEqual([...whole.pass(1, from)]);
    expect(source.rows!(0, 5)).toEqual(whole.rows(0, 5));
    expect(await all(await csvRows(path, { label: "of", batch: 4, last: "drop" }))).toEqual([...whole.pass(0)].slice(0, 5));
  });

  test("come in the order of a loader's seed, wherever their bytes lie: line ends of all kinds, empty lines, quotes over lines, a mark at the beginning", async () => {
    const lines = Array.from({ length: 40 }, (_, i) => `${i},${i % 3 === 0 ? `"a ""여"", or\nb${i % 2}"` : `é${i % 4}`}`);
    const ends = ["\n", "\r\n", "\r", "\n\n\r\n"];
    const path = file("places.csv", `\ufeff"n","o,f"\r\n${lines.map((line, i) => line + (i === 39 ? "" : ends[i % 4])).join("")}`);
    const whole = loader(await readCsv(path, { label: "o,f" }), { batch: 7, shuffle: 5 });
    const source = await csvRows(path, { label: "o,f", batch: 7, shuffle: 5 });
    for (const [n, from] of [
      [0, 0],
      [3, 2],
    ] as const)
      expect(await all(source, n, from)).toEqual([...whole.pass(n, from)]);
    expect(source.rows!(3, 1)).toEqual(whole.rows(3, 1));
    const parts = partsOf(source)!;
    const found: unknown[] = [];
    for await (const part of parts(2, 4, () => [1, 3])) found.push(part);
    expect(found).toEqual([...(partsOf(whole)!(2, 4, () => [1, 3]) as Iterable<unknown>)]);
  });

  test("without a label are x alone, and classes are named", async () => {
    const numbers = await csvRows(file("numbers.csv", "1,2\n3,4\n5,6"), { batch: 2 });
    expect(await all(numbers)).toEqual([{ x: tensor([1, 2, 3, 4], f32(2, 2)) }, { x: tensor([5, 6], f32(1, 2)) }]);
    expect(numbers.classes).toBe(null);
    expect(
      (
        await csvRows(
          file(
            "c.csv",
            table(3, (i) => `c${i}`),
          ),
          { label: "of", batch: 2 },
        )
      ).classes,
    ).toEqual(["c0", "c1", "c2"]);
  });

  test("train a model as those of a loader do", async () => {
    const path = file(
      "train.csv",
      table(10, (i) => i / 10 + 0.05),
    );
    const run = (data: Batches<{ readonly x: Tensor; readonly y: Tensor }>) =>
      train(
        {
          params: { w: tensor([0.1, 0.2], f32(2)) },
          loss: (p, { x, y }) => mean(square(sub(sum(mul(x, p.w), { axis: 1 }), y))),
        },
        { data, engine: reference(), optimizer: sgd({ rate: 1e-3 }), epochs: 3 },
      ).finish();
    const streamed = await run(await csvRows(path, { label: "of", batch: 4 }));
    const held = await run(loader(await readCsv(path, { label: "of" }), { batch: 4 }));
    expect(streamed.report.steps).toBe(9);
    expect(streamed.params).toEqual(held.params);
  });

  test("are read without the columns that are ignored, by names of a header or by places", async () => {
    for (const [head, ignore, label] of [
      ["id,a,name,of\n", ["id", "name"], "of"],
      ["", ["column1", "column3"], "column4"],
    ] as const) {
      const path = file(
        "texts.csv",
        `${head}7,1,Ann,0\n8,2,Bo,1\n9,3,Cy,1\n`.replace(/Ann|Bo|Cy/g, (name) => (head === "" ? "5" : name)),
      );
      const source = await csvRows(path, { label, ignore, batch: 2, shuffle: 1 });
      const held = loader(await readCsv(path, { label, ignore }), { batch: 2, shuffle: 1 });
      expect(source.columns).toEqual([head === "" ? "column2" : "a"]);
      expect(await all(source)).toEqual(await all(held));
    }
  });

  test("that are wrong anywhere are refused before the first batch, with path, row and column", async () => {
    const path = file("bad.csv", `${table(9000, () => 1)}1,x,1\n`);
    await expect(csvRows(path, { label: "of", batch: 8 })).rejects.toThrow(`${path}: csv: row 9002, column 2 (b): "x" is not a number`);
    await expect(csvRows(path, { batch: -1 })).rejects.toThrow("csvRows: batch is -1; it is a whole number, 1 or more");
    await expect(csvRows(file("one.csv", "of\n1\n"), { label: "of", batch: 1 })).rejects.toThrow(
      "csv: there is no column beside the label",
    );
    await expect(csvRows(file("empty.csv", ""), { batch: 1 })).rejects.toThrow("csv: the file is empty");
    await expect(csvRows(join(folder, "none.csv"), { batch: 1 })).rejects.toThrow(
      `${join(folder, "none.csv")}: cannot read it: there is no such file or folder`,
    );
  });

  test.each([
    ["more rows", table(8, () => 1)],
    ["fewer rows", table(3, () => 1)],
    ["other columns", table(6, () => 1).replace("a,", "c,")],
    ["labels that are not whole", table(6, (i) => i + 0.5)],
    ["names for labels", table(6, (i) => `n${i}`)],
  ])("of a file that has changed are an error: %s", async (_, later) => {
    const path = file(
      "changing.csv",
      table(6, () => 1),
    );
    const source = await csvRows(path, { label: "of", batch: 4 });
    writeFileSync(path, later);
    await expect(all(source)).rejects.toThrow(`${path}: csv: the file has changed since its rows were counted`);
  });

  test("give the file back when a pass ends early", async () => {
    const path = file(
      "early.csv",
      table(50, () => 1),
    );
    const source = await csvRows(path, { label: "of", batch: 1 });
    for (let i = 0; i < 50; i++) for await (const _ of source.pass(i)) break;
    expect((await all(source)).length).toBe(50);
  });
});
