import { describe, expect, test } from "vitest";
import { dataset } from "../../src/data/dataset.ts";
import { loader } from "../../src/data/loader.ts";
import {
  csvBlocks,
  csvRows,
  imageFolder,
  imageRows,
  loadTensors,
  npyRows,
  parseCifar10,
  parseCsv,
  parseIdx,
  parseNpy,
  parseNpz,
  parseSafetensors,
  readCifar10,
  readCsv,
  readGraph,
  readImage,
  readMnist,
  readTensorFile,
  safetensorsRows,
  serializeNpy,
  serializeNpz,
  serializeSafetensors,
  writeFileWhole,
  writeGraph,
} from "../../src/data.ts";
import { type ChainruleError, tensor, variable } from "../../src/index.ts";

/** What is thrown: an error of ours, and never one that JavaScript makes by itself. */
function refused(call: unknown, ...given: unknown[]): string {
  try {
    (call as (...given: unknown[]) => unknown)(...given);
  } catch (error) {
    expect((error as ChainruleError).code, String(error)).toBeTypeOf("string");
    return (error as Error).message;
  }
  throw new Error("it was not refused");
}

/** The same of a promise too. */
async function told(call: unknown, ...given: unknown[]): Promise<string> {
  try {
    await (call as (...given: unknown[]) => unknown)(...given);
  } catch (error) {
    expect((error as ChainruleError).code, String(error)).toBeTypeOf("string");
    return (error as Error).message;
  }
  throw new Error("it was not refused");
}

const first = async (pieces: never): Promise<unknown> => (await csvBlocks(pieces).next()).value;

const x = tensor([
  [1, 2],
  [3, 4],
]);
const data = dataset({ x, y: tensor([0, 1]) });

describe("readers and writers say what was given in the place of", () => {
  const buffer = Buffer.from(serializeNpy(x));

  test.each<[(given: never) => unknown, string]>([
    [parseNpy, 'readTensorFile("x.npy")'],
    [parseNpz, 'readTensorFile("x.npz")'],
    [parseSafetensors, 'readTensorFile("x.safetensors")'],
    [parseIdx, "readMnist(images, labels)"],
    [parseCifar10, 'readCifar10("data_batch_1.bin")'],
  ])("bytes: %o", async (read, byPath) => {
    for (const [given, kind] of [
      [undefined, "missing"],
      [null, "null"],
      ["x.npy", '"x.npy"'],
      [[1, 2], "a list"],
      [new Float32Array(2), "a typed array"],
      [{}, "a record"],
    ] as const)
      await expect(told(read, given)).resolves.toBe(
        `${read.name}: the bytes are ${kind}; they are a Uint8Array or an ArrayBuffer, and a file is read by ${byPath}`,
      );
  });

  test("bytes, which Node's buffers and ArrayBuffers are", async () => {
    const zip = await serializeNpz({ x });
    const file = serializeSafetensors({ x });
    for (const as of [(b: Uint8Array<ArrayBuffer>) => Buffer.from(b), (b: Uint8Array<ArrayBuffer>) => b.slice().buffer]) {
      expect(parseNpy(as(serializeNpy(x)))).toEqual(x);
      expect(await parseNpz(as(zip))).toEqual({ x });
      expect(parseSafetensors(as(file)).tensors).toEqual({ x });
      expect(parseIdx(as(Uint8Array.of(0, 0, 8, 1, 0, 0, 0, 1, 7))).data[0]).toBe(7);
    }
  });

  test("texts of tables, and their pieces", async () => {
    expect(await told(parseCsv)).toBe(
      'parseCsv: the text is missing; decode bytes: new TextDecoder().decode(bytes), and read a file by readCsv("table.csv")',
    );
    expect(await told(parseCsv, buffer)).toContain("parseCsv: the text is a typed array; decode bytes: ");
    for (const [name, read] of Object.entries({ parseCsv, csvBlocks: first }))
      expect(await told(read, "data/table.csv")).toBe(
        `${name}: the text is a path, "data/table.csv"; it is what is in the file, and by its path it is read by readCsv`,
      );
    const pieces = "they are texts or Uint8Arrays, one after the other: csvBlocks([bytes])";
    expect(await told(first)).toBe(`csvBlocks: the pieces are missing; ${pieces}`);
    expect(await told(first, 3)).toBe(`csvBlocks: the pieces are 3; ${pieces}`);
    expect(await told(first, buffer)).toBe("csvBlocks: a piece is 147; pieces are texts or Uint8Arrays: csvBlocks([bytes])");
  });

  test("tensors, and records of them", async () => {
    expect(await told(serializeNpy)).toBe("serializeNpy: x is missing; it is a tensor: tensor(x)");
    expect(await told(serializeNpy, variable([1]))).toBe("serializeNpy: x is a Value; it is a tensor: evaluate(x)");
    for (const write of [serializeNpz, serializeSafetensors]) {
      expect(await told(write)).toBe(`${write.name}: the tensors are missing; they are a record: { w: tensor([1, 2]) }`);
      expect(await told(write, x)).toContain(`${write.name}: the tensors are a tensor of f64[2,2]; they are a record`);
      expect(await told(write, { w: [1, 2] })).toBe(`${write.name}: w is a list; it is a tensor: tensor(x)`);
    }
    expect(await told(writeGraph, "none.graph", {})).toContain("writeGraph: the second argument is a record; it is a graph: graph(");
  });

  test.each([readCsv, readTensorFile, readGraph, writeGraph, readMnist, readCifar10, loadTensors, imageFolder, writeFileWhole])(
    "paths: %o",
    async (read) => {
      const path = 'it is a text, as "table.csv"';
      expect(await told(read, undefined, "")).toBe(`the path is missing; ${path}`);
      expect(await told(read, 3, "")).toBe(`the path is 3; ${path}`);
      expect(await told(read, { path: "x" }, "")).toBe(`the path is a record; ${path}`);
      expect(await told(read, buffer, "")).toBe(`the path is a typed array; ${path}; bytes are for parseNpy, parseNpz and the like`);
    },
  );

  test("a file that is not there, once: hosts print the causes of an error below it", async () => {
    const error = await readTensorFile("nowhere.npy").catch((cause: Error) => cause);
    expect(error).toMatchObject({ message: "nowhere.npy: cannot read it: there is no such file or folder", cause: { code: "ENOENT" } });
  });

  test("the tree whose tensors a file has", async () => {
    expect(await told(loadTensors, "w.safetensors")).toBe(
      "loadTensors: the second argument is missing; what belongs there is a tree like the one that was saved: loadTensors(file, params)",
    );
  });

  test("images, and what files are to hold", async () => {
    expect(await told(readImage)).toBe(
      'readImage: the bytes are missing; they are a Uint8Array or an ArrayBuffer, and a file is read by its path, readImage("cat.png")',
    );
    expect(await told(readImage, new ArrayBuffer(4))).toContain("image: it is no PNG, JPEG or WebP image");
    expect(await told(writeFileWhole, "none.txt")).toBe(
      "cannot write none.txt: what it is to hold is undefined; it is a text, a Uint8Array, or several of these",
    );
  });
});

describe("dataset refuses", () => {
  test("what is no record of columns", () => {
    for (const [given, kind] of [
      [[], "missing"],
      [[null], "null"],
      [[x, x], "a tensor of f64[2,2]"],
      [[[x, x]], "a list"],
    ] as const)
      expect(refused(dataset, ...given)).toBe(
        `dataset: the columns are ${kind}; they are a record of tensors: dataset({ x: tensor(rows), y: tensor(labels) })`,
      );
  });

  test("columns that are no tensors", () => {
    expect(refused(dataset, { x: [[1, 2]] })).toBe("dataset: x is a list; a column is a tensor: tensor(x)");
    expect(refused(dataset, { y: ["cat", "dog"] })).toBe(
      'dataset: y is a list; a column is a tensor: tensor(y.map((name) => classes.indexOf(name)), "i32")',
    );
    expect(refused(dataset, { x, y: new Int32Array(2) })).toBe("dataset: y is a typed array; a column is a tensor: tensor(y)");
    expect(refused(dataset, { x, y: undefined })).toBe("dataset: y is missing; a column is a tensor: tensor(y)");
    expect(refused(dataset, { x: variable([1, 2]) })).toBe("dataset: x is a Value; a column is a tensor: evaluate(x)");
  });
});

describe("loader refuses", () => {
  const set = "it is a data set: loader(dataset({ x, y }), { batch: 64 })";

  test("what is no data set", () => {
    expect(refused(loader, undefined, { batch: 2 })).toBe(`loader: the data is missing; ${set}`);
    expect(refused(loader, { x }, { batch: 2 })).toBe(`loader: the data is a record; ${set}`);
    expect(refused(loader, Promise.resolve(data), { batch: 2 })).toBe(`loader: the data is a Promise; ${set}`);
    expect(refused(loader, data.split(0.5), { batch: 2 })).toBe(
      "loader: the data is a list; it is a data set: of a split it is one part, [fit, held] = data.split(0.8)",
    );
    expect(refused(loader, loader(data, { batch: 2 }), { batch: 2 })).toBe(`loader: the data is a record; ${set}`);
  });

  test("what is no record of options, and other words", () => {
    expect(refused(loader, data)).toBe("loader: the options are missing; they are one record: loader(data, { batch: 64 })");
    expect(refused(loader, data, 2)).toContain("loader: the options are 2; they are one record");
    for (const own of ["batchSize", "batch_size"])
      expect(refused(loader, data, { [own]: 2 })).toBe(`loader: there is no option ${own}; write batch`);
    expect(refused(loader, data, { batch: 2, drop_last: true })).toBe('loader: there is no option drop_last; write last: "drop"');
    expect(refused(loader, data, { batch: 2, shufle: 0 })).toBe("loader: there is no option shufle; write shuffle");
  });

  test("settings of another kind, at once and not in the first pass", () => {
    expect(refused(loader, data, { batch: "2" })).toBe('loader: batch is "2"; it is a whole number, 1 or more');
    expect(refused(loader, data, { batch: 2, shuffle: true })).toBe(
      "loader: shuffle is true; it is a seed, a whole number, as { shuffle: 0 }, or left out",
    );
  });
});

test("split refuses a share in a text, and other words", () => {
  expect(refused(data.split, "0.8")).toBe('split: the share is "0.8"; it is a number from 0 to 1, such as 0.8');
  expect(refused(data.split, 0.5, null)).toContain("split: the options are null; they are one record: split(0.8, { seed: 0,");
  expect(refused(data.split, 0.5, { sed: 1 })).toBe("split: there is no option sed; write seed");
});

describe("rows of files", () => {
  test.each<[string, (...given: never[]) => Promise<unknown>, readonly unknown[]]>([
    ["csvRows", csvRows, ["none.csv"]],
    ["npyRows", npyRows, [{ x: "none.npy" }]],
    ["safetensorsRows", safetensorsRows, ["none.safetensors", { x: "x" }]],
    ["imageRows", imageRows, ["none"]],
  ])("are refused by %s without options, and with other words", async (name, call, files) => {
    const told = (...options: unknown[]) => expect((call as (...given: unknown[]) => Promise<unknown>)(...files, ...options)).rejects;
    await told().toThrow(`${name}: the options are missing; they are one record: { batch: 64, shuffle: 0 }`);
    await told({ batch_size: 2 }).toThrow(`${name}: there is no option batch_size; write batch`);
    await told({ batch: 2, drop_last: true }).toThrow(`${name}: there is no option drop_last; write last: "drop"`);
    await told({ batch: "2" }).toThrow(`${name}: batch is "2"; it is a whole number, 1 or more`);
  });

  test("are read by options that are there: a label by another name would be an input", () => {
    expect(refused(parseCsv, "a,y\n1,2\n", { target: "y" })).toBe("csv: there is no option target; write label");
    expect(refused(parseCsv, "a,y\n1,2\n", { sep: ";" })).toBe("csv: there is no option sep; write delimiter");
    expect(refused(parseCsv, "a,y\n1,2\n", { drop: ["a"] })).toBe("csv: there is no option drop; write ignore");
    expect(refused(parseCsv, "a,y\n1,2\n", { ignore: "a" })).toBe('csv: ignore is "a"; it is a list of names: { ignore: ["id"] }');
    expect(refused(parseCsv, "a,y\n1,2\n", { label: "y", ignore: ["y"] })).toBe(
      'csv: "y" is the label, and in ignore; it is read, or it is left out',
    );
    expect(refused(parseCsv, "a,y\n1,2\n", "y")).toBe('csv: the options are "y"; they are one record: { label: "y" }');
  });
});
