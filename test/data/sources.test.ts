import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import type { Batches } from "../../src/data/batches.ts";
import { dataset } from "../../src/data/dataset.ts";
import { parseCifar10, parseIdx, readCifar10, readMnist } from "../../src/data/idx.ts";
import { loader } from "../../src/data/loader.ts";
import { serializeNpy } from "../../src/data/npy.ts";
import { npyRows } from "../../src/data/npy-rows.ts";
import { mapBatches, prefetch } from "../../src/data/sources.ts";
import { f32, i32, type Tensor, tensor, u8 } from "../../src/index.ts";

const folder = mkdtempSync(join(tmpdir(), "sources-"));
afterAll(() => rmSync(folder, { recursive: true }));
const file = (name: string, content: Uint8Array): string => {
  writeFileSync(join(folder, name), content);
  return join(folder, name);
};
const idx = (kind: number, shape: readonly number[], data: readonly number[]): Uint8Array =>
  Uint8Array.from([0, 0, kind, shape.length, ...shape.flatMap((n) => [0, 0, n >> 8, n & 255]), ...data]);
const all = async <B>(source: Batches<B>, n = 0, from = 0): Promise<B[]> => {
  const found: B[] = [];
  for await (const batch of source.pass(n, from)) found.push(batch);
  return found;
};

describe("IDX files", () => {
  test("are read big-endian, of every kind", () => {
    expect(parseIdx(idx(8, [2, 2], [1, 2, 3, 255]))).toEqual(tensor(Uint8Array.of(1, 2, 3, 255), u8(2, 2)));
    expect(parseIdx(idx(12, [1], [255, 255, 255, 254]))).toEqual(tensor([-2], "i32"));
    expect(parseIdx(idx(13, [1], [0x3f, 0xc0, 0, 0]))).toEqual(tensor([1.5], "f32"));
    expect([...parseIdx(idx(11, [2], [1, 0, 255, 255])).data]).toEqual([256, -1]);
  });

  test("that are something else are refused", () => {
    expect(() => parseIdx(Uint8Array.of(0x1f, 0x8b, 8, 0))).toThrow("idx: the file is packed by gzip; unpack it first");
    for (const bytes of [[], [0, 0], [0, 0, 7, 1], [1, 0, 8, 1]])
      expect(() => parseIdx(Uint8Array.from(bytes))).toThrow("idx: the file does not begin with 0, 0, a kind of element");
    expect(() => parseIdx(idx(8, [2, 2], []).slice(0, 9))).toThrow("idx: the file ends after 9 bytes, within its header");
    expect(() => parseIdx(idx(8, [2, 2], [1, 2, 3]))).toThrow(
      "idx: u8[2,2] takes 4 bytes and the file has 3 after its header; it is cut short",
    );
    expect(() => parseIdx(idx(8, [1], [1, 2]))).toThrow("it is too long");
  });

  test("of images and labels are a data set", async () => {
    const images = file("images", idx(8, [2, 1, 3], [0, 51, 255, 102, 0, 0]));
    const labels = file("labels", idx(8, [2], [7, 3]));
    const { x, y } = (await readMnist(images, labels)).all();
    expect(x.type).toEqual(f32(2, 1, 1, 3));
    expect([...x.data]).toEqual([0, Math.fround(0.2), 1, Math.fround(0.4), 0, 0]);
    expect(y).toEqual(tensor([7, 3], "i32"));
    await expect(readMnist(labels, images)).rejects.toThrow("they are images u8[rows, height, width] and labels u8[rows]");
    await expect(readMnist(join(folder, "none"), labels)).rejects.toThrow("there is no such file or folder");
  });
});

describe("CIFAR-10", () => {
  const record = (label: number, first: number): number[] => [label, first, ...new Array<number>(3071).fill(0)];

  test("is read record by record, from several files", async () => {
    const a = file("a.bin", Uint8Array.from([...record(3, 255), ...record(9, 0)]));
    const b = file("b.bin", Uint8Array.from(record(0, 51)));
    const digits = await readCifar10(a, b);
    const { x, y } = digits.all();
    expect(x.type).toEqual(f32(3, 3, 32, 32));
    expect([x.data[0], x.data[3072], x.data[6144]]).toEqual([1, 0, Math.fround(0.2)]);
    expect([...y.data]).toEqual([3, 9, 0]);
  });

  test("that is cut short, or has other labels, is refused", () => {
    expect(() => parseCifar10(new Uint8Array(100))).toThrow("cifar: the file has 100 bytes, and records of CIFAR-10 have 3073 each");
    expect(() => parseCifar10(Uint8Array.from(record(10, 0)))).toThrow("cifar: the label of record 0 is 10; CIFAR-10 has classes 0..9");
  });
});

describe("rows of .npy files", () => {
  const rows = 23;
  const x = tensor(
    Float32Array.from({ length: rows * 3 }, (_, i) => i),
    f32(rows, 3),
  );
  const y = tensor(
    Int32Array.from({ length: rows }, (_, i) => i % 4),
    i32(rows),
  );
  const files = { x: file("x.npy", serializeNpy(x)), y: file("y.npy", serializeNpy(y)) };

  test.each([undefined, 5])("are those that a loader over all of it gives, shuffle %s", async (shuffle) => {
    const options = shuffle === undefined ? { batch: 4 } : { batch: 4, shuffle };
    const source = await npyRows(files, options);
    const whole = loader(dataset({ x, y }), options);
    expect(source.length).toBe(6);
    expect(source.order).toEqual(whole.order);
    for (const [pass, from] of [
      [0, 0],
      [1, 0],
      [2, 3],
    ] as const) {
      expect(await all(source, pass, from)).toEqual([...whole.pass(pass, from)]);
      expect(source.rows!(pass, from)).toEqual(whole.rows(pass, from));
    }
    expect((await npyRows(files, { batch: 4, last: "drop" })).length).toBe(5);
  });

  test("that do not fit are refused", async () => {
    await expect(npyRows(files, { batch: 0 })).rejects.toThrow("npyRows: batch is 0; it is a whole number, 1 or more");
    await expect(npyRows({}, { batch: 1 })).rejects.toThrow("npyRows: there are no files");
    const scalar = file("s.npy", serializeNpy(tensor(1)));
    await expect(npyRows({ scalar }, { batch: 1 })).rejects.toThrow("is f64[], a scalar; rows are axis 0");
    const few = file("few.npy", serializeNpy(tensor([1, 2])));
    await expect(npyRows({ ...files, few }, { batch: 1 })).rejects.toThrow("they have one row each for every sample");
    const cut = file("cut.npy", serializeNpy(x).slice(0, -4));
    await expect(npyRows({ cut }, { batch: 1 })).rejects.toThrow(
      `${cut}: npy: f32[23,3] takes 276 bytes and the file has 272 after its header`,
    );
    // A byte a character: the decoder of the name "latin1" is that of windows-1252, which newer Nodes hold to.
    const text = String.fromCharCode(...serializeNpy(x)).replace("False", "True ");
    const columns = file(
      "columns.npy",
      Uint8Array.from(text, (c) => c.charCodeAt(0)),
    );
    await expect(npyRows({ columns }, { batch: 1 })).rejects.toThrow("npy: the array is column-major");
    const shrinking = file("shrink.npy", serializeNpy(x));
    const source = await npyRows({ shrinking }, { batch: 4 });
    writeFileSync(shrinking, serializeNpy(x).slice(0, -8));
    await expect(all(source)).rejects.toThrow("the file has become shorter while it was read");
  });
});

describe("sources of sources", () => {
  const numbers = loader(dataset({ x: tensor([1, 2, 3, 4, 5], "f32") }), { batch: 2 });
  const firsts = (batches: readonly { readonly x: Tensor }[]): number[] => batches.map(({ x }) => x.data[0]!);

  test("mapBatches puts each batch through a function, later too", async () => {
    const doubled = mapBatches(numbers, async ({ x }) => ({ x: tensor(x.data.map((v) => 2 * v)) }));
    expect(firsts(await all(doubled))).toEqual([2, 6, 10]);
    expect(firsts(await all(doubled, 0, 1))).toEqual([6, 10]);
    expect(doubled.length).toBe(3);
  });

  test("prefetch gives the same in the same order, asks ahead, and closes what it reads", async () => {
    const asked: number[] = [];
    let closed = false;
    const slow: Batches<number> = {
      batch: 1,
      length: 5,
      order: {},
      pass: async function* () {
        try {
          for (let i = 0; i < 5; i++) {
            asked.push(i);
            yield i;
          }
        } finally {
          closed = true;
        }
      },
    };
    expect(await all(prefetch(slow))).toEqual([0, 1, 2, 3, 4]);
    asked.length = 0;
    closed = false;
    for await (const i of prefetch(slow, { ahead: 3 }).pass(0)) {
      await new Promise((resolve) => setTimeout(resolve, 1));
      expect(asked.length).toBe(4);
      if (i === 0) break;
    }
    expect(closed).toBe(true);
    expect(firsts(await all(prefetch(numbers, { ahead: 9 })))).toEqual([1, 3, 5]);
    expect(() => prefetch(numbers, { ahead: 0 })).toThrow("prefetch: ahead is 0; it is a whole number, 1 or more");
    const failing = mapBatches(numbers, () => {
      throw new Error("no");
    });
    await expect(all(prefetch(failing))).rejects.toThrow("no");
  });
});
