import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import * as fc from "fast-check";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { dataset } from "../../src/data/dataset.ts";
import { loader } from "../../src/data/loader.ts";
import { readCsv } from "../../src/data/read-csv.ts";
import { tensor } from "../../src/ir/tensor.ts";
import { f32, i32 } from "../../src/ir/type.ts";

const three = dataset({ x: tensor(new Float32Array([1, 2, 3, 4, 5, 6]), f32(3, 2)), y: tensor([7, 8, 9], "i32") });
/** Rows told apart by `id`, with `y` going round the classes unevenly. */
const rows = (y: readonly number[]) =>
  dataset({ id: tensor(Int32Array.from(y, (_, i) => i)), y: tensor(Int32Array.from(y), i32(y.length)) });

describe("dataset", () => {
  test("gives rows of every column in the order asked for, more than once if asked", () => {
    const { x, y } = three.at(Int32Array.of(2, 0, 2));
    expect(x).toEqual(tensor(new Float32Array([5, 6, 1, 2, 5, 6]), f32(3, 2)));
    expect(y).toEqual(tensor([9, 7, 9], "i32"));
    expect(three.all().y).toEqual(tensor([7, 8, 9], "i32"));
    expect(three.size).toBe(3);
  });

  test("writes into an earlier result where that has the right size, and never into its own columns", () => {
    const before = three.at(Int32Array.of(0, 1));
    const { data } = before.x;
    const after = three.at(Int32Array.of(2, 0), before);
    expect(after.x.data).toBe(data);
    expect([...after.x.data]).toEqual([5, 6, 1, 2]);
    const other = three.at(Int32Array.of(1), after);
    expect(other.x.data).not.toBe(data);
    const own = { x: tensor(new Float32Array([1, 2]), f32(2)) };
    const one = dataset(own);
    one.at(Int32Array.of(1, 0), own);
    expect([...own.x.data]).toEqual([1, 2]);
  });

  test("takes the very bits of rows of every dtype, narrow and wide, anew and into an earlier result", () => {
    for (const dtype of ["f64", "f32", "f16", "i64", "i32", "i16", "u32", "u16", "u8", "bool"] as const)
      for (const width of [1, 3, 40]) {
        const numbers = Array.from({ length: 5 * width }, (_, i) => (dtype === "bool" ? (i * i) % 2 : (i * 7) % 128));
        const flat = tensor(numbers, dtype);
        const x = tensor(flat.data, { ...flat.type, shape: width === 1 ? [5] : [5, width] });
        const wanted = (...rows: number[]) => rows.flatMap((r) => numbers.slice(r * width, (r + 1) * width));
        const data = dataset({ x, y: tensor([0, 1, 2, 3, 4], "i32") });
        const first = data.at(Int32Array.of(4, 0));
        expect([...first.x.data]).toEqual(wanted(4, 0));
        const again = data.at(Int32Array.of(1, 1), first);
        expect(again).toBe(first);
        expect([...again.x.data, ...again.y.data]).toEqual([...wanted(1, 1), 1, 1]);
        expect(again.x.type).toEqual({ ...x.type, shape: width === 1 ? [2] : [2, width] });
      }
    const odd = dataset({ x: tensor([Number.NaN, -0, Number.NEGATIVE_INFINITY, 1e-42], "f32") }).at(Int32Array.of(3, 2, 1, 0)).x.data;
    expect([...odd]).toEqual([Math.fround(1e-42), Number.NEGATIVE_INFINITY, -0, Number.NaN]);
  });

  test("gives no more columns than it has, whatever the earlier result was", () => {
    const more = { ...three.at(Int32Array.of(0, 1)), z: tensor([1, 2]) };
    const { x } = more;
    const after = three.at(Int32Array.of(1, 2), more as never);
    expect(Object.keys(after)).toEqual(["x", "y"]);
    expect(after.x).toBe(x);
    const { y: _, ...less } = three.at(Int32Array.of(0, 1));
    expect(Object.keys(three.at(Int32Array.of(1, 2), less as never))).toEqual(["x", "y"]);
  });

  test("refuses what is no table", () => {
    expect(() => dataset({})).toThrow("dataset: there are no columns; give a record of tensors: dataset({ x, y })");
    expect(() => dataset({ x: tensor(1) })).toThrow("dataset: x is f64[], a scalar; rows are axis 0 of each column");
    expect(() => dataset({ x: tensor([[1], [2]]), y: tensor([1, 2, 3], "i32") })).toThrow(
      "dataset: x is f64[2,1] and y is i32[3]; columns have one row each for every sample",
    );
    expect(() => three.at(Int32Array.of(3))).toThrow("dataset: there is no row 3; rows go from 0 to 2");
    expect(() => three.at(Int32Array.of(-1))).toThrow("there is no row -1");
  });

  test("split says what it was given wrong", () => {
    expect(() => three.split(80)).toThrow("split: the share is 80; it is a number from 0 to 1, such as 0.8");
    expect(() => three.split(Number.NaN)).toThrow("split: the share is NaN");
    expect(() => three.split(0.5, { stratify: "x" })).toThrow("split: x is f32[3,2]; stratify takes a column with one number a row");
    expect(() => three.split(0.5, { stratify: "z" as "x" })).toThrow("split: there is no column z; there are x, y");
    expect(() => three.split(0.5, { seed: 0.5 })).toThrow("shuffle: the seed is 0.5; it is a whole number");
  });
});

describe("split", () => {
  test("without a seed keeps the order of the rows", () => {
    const [a, b] = rows([0, 1, 0, 1, 0]).split(0.6);
    expect([...a.all().id.data]).toEqual([0, 1, 2]);
    expect([...b.all().id.data]).toEqual([3, 4]);
  });

  test("of a split splits the part, not the whole", () => {
    const [first] = rows([0, 0, 0, 0, 0, 0, 0, 0]).split(0.5);
    const [, rest] = first.split(0.5);
    expect([...rest.all().id.data]).toEqual([2, 3]);
  });

  test("loses no row, has the right size, and shares out every class to within a row", () => {
    fc.assert(
      fc.property(
        fc.array(fc.nat(4), { minLength: 1, maxLength: 120 }),
        fc.double({ min: 0, max: 1, noNaN: true }),
        fc.option(fc.nat(9), { nil: undefined }),
        (y, share, seed) => {
          const [a, b] = rows(y).split(share, { ...(seed === undefined ? {} : { seed }), stratify: "y" });
          expect([...a.all().id.data, ...b.all().id.data].sort((p, q) => p - q)).toEqual(y.map((_, i) => i));
          expect(a.size).toBe(Math.round(y.length * share));
          const got = [...a.all().y.data];
          for (let k = 0; k < 5; k++) {
            const count = (all: readonly number[]): number => all.filter((v) => v === k).length;
            expect(Math.abs(count(got) - count(y) * share)).toBeLessThan(1);
          }
        },
      ),
      { seed: 3, numRuns: 300 },
    );
  });

  test("is the seed's own, and mixes classes in both parts", () => {
    const all = rows(Array.from({ length: 100 }, (_, i) => Math.floor(i / 10)));
    const draw = (seed: number): number[] => [...all.split(0.8, { seed, stratify: "y" })[0].all().id.data];
    expect(draw(1)).toEqual(draw(1));
    expect(draw(1)).not.toEqual(draw(2));
    expect(draw(1)).not.toEqual([...draw(1)].sort((p, q) => p - q));
  });
});

describe("loader", () => {
  const ids = (batches: Iterable<{ readonly id: { readonly data: Iterable<unknown> } }>): unknown[][] =>
    [...batches].map(({ id }) => [...id.data]);

  test("cuts the rows in order, the last batch smaller or dropped", () => {
    const data = rows([0, 0, 0, 0, 0]);
    expect(ids(loader(data, { batch: 2 }))).toEqual([[0, 1], [2, 3], [4]]);
    expect(ids(loader(data, { batch: 2, last: "drop" }))).toEqual([
      [0, 1],
      [2, 3],
    ]);
    expect([loader(data, { batch: 2 }).length, loader(data, { batch: 2, last: "drop" }).length]).toEqual([3, 2]);
    expect(ids(loader(data, { batch: 9 }))).toEqual([[0, 1, 2, 3, 4]]);
  });

  test("shuffles each pass anew, and pass n of a seed is always the same", async () => {
    const data = rows(new Array<number>(30).fill(0));
    const batches = loader(data, { batch: 30, shuffle: 5 });
    const [first, second] = [ids(batches), ids(batches)];
    expect(first).not.toEqual(second);
    expect([ids(batches.pass(0)), ids(batches.pass(1))]).toEqual([first, second]);
    expect(ids(loader(data, { batch: 30, shuffle: 6 }))).not.toEqual(first);
    expect((first[0] as number[]).sort((p, q) => p - q)).toEqual(Array.from({ length: 30 }, (_, i) => i));
    const third: number[][] = [];
    for await (const { id } of batches) third.push([...(id.data as Int32Array)]);
    expect(third).toEqual(ids(batches.pass(2)));
  });

  test("says what it was given wrong", () => {
    expect(() => loader(three, { batch: 0 })).toThrow("loader: batch is 0; it is a whole number, 1 or more");
    expect(() => loader(three, { batch: 1.5 })).toThrow("loader: batch is 1.5");
    expect(() => loader(three, { batch: 1, last: "keep" as "drop" })).toThrow('loader: last is keep; it is "drop" or "smaller"');
  });
});

describe("readCsv", () => {
  let folder = "";
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "chainrule-csv-"));
  });
  afterEach(() => rmSync(folder, { recursive: true, force: true }));
  const file = (text: string): string => {
    const path = join(folder, "t.csv");
    writeFileSync(path, text);
    return path;
  };

  test("keeps the label apart: classes and whole numbers as i32, others as f32", async () => {
    const whole = await readCsv(file("a,k,b\n1,0,2\n3,1,4.5\n"), { label: "k" });
    expect(whole.all()).toEqual({ x: tensor(new Float32Array([1, 2, 3, 4.5]), f32(2, 2)), y: tensor([0, 1], "i32") });
    expect((await readCsv(file("a,k\n1,cat\n3,dog\n5,cat\n"), { label: "k" })).all().y).toEqual(tensor([0, 1, 0], "i32"));
    expect((await readCsv(file("a,k\n1,0.5\n3,1\n"), { label: "k" })).all().y).toEqual(tensor(new Float32Array([0.5, 1])));
    const pets = await readCsv(file("a,k,b\n1,cat,3\n3,dog,4\n5,cat,5\n"), { label: "k" });
    expect([pets.columns, pets.classes, pets.split(2 / 3)[1].size]).toEqual([["a", "b"], ["cat", "dog"], 1]);
    expect(whole.classes).toBe(null);
    expect((await readCsv(file("1,2\n"))).columns).toEqual(["column1", "column2"]);
    expect((await readCsv(file("a,b\n1,2\n"))).all()).toEqual({ x: tensor(new Float32Array([1, 2]), f32(1, 2)) });
  });

  test("names file, row and column of a fault", async () => {
    const path = file("a,k\n1,0\nx,1\n");
    await expect(readCsv(path, { label: "k" })).rejects.toThrow(`${path}: csv: row 3, column 1 (a): "x" is not a number`);
    await expect(readCsv(file("k\n1\n"), { label: "k" })).rejects.toThrow("csv: there is no column beside the label");
    await expect(readCsv(join(folder, "none.csv"))).rejects.toThrow("none.csv: cannot read it");
  });
});
