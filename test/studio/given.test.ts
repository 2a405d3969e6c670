import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { serializeNpy, serializeNpz, serializeSafetensors } from "../../src/data.ts";
import { tensor } from "../../src/index.ts";
import { asInput, fittedShape, readGiven, readNumbers } from "../../studio/import/given.ts";
import { InputFault, type Port } from "../../studio/import/given-input.ts";
import { readImport } from "../../studio/import/state.ts";

/** What is wrong, in the words of the trouble; empty: nothing. */
async function trouble(run: () => unknown): Promise<string> {
  try {
    await run();
    return "";
  } catch (error) {
    if (error instanceof InputFault) return error.trouble.what;
    throw error;
  }
}

const f32 = (...shape: (number | string | null)[]): Port => ({ dtype: "f32", shape });
const file = (name: string, content: Uint8Array | string): File => new File([content as BlobPart], name);
const given = (f: File, more: { row?: number | null; entry?: string } = {}) => ({
  kind: "file" as const,
  file: f,
  entry: more.entry ?? null,
  row: more.row ?? null,
  scale: "unit" as const,
});

describe("typed numbers", () => {
  test("are a list, or lists in brackets that say a shape", () => {
    expect(readNumbers(" 1, 2;3\n−4 1e-3 ")).toEqual({ data: [1, 2, 3, -4, 0.001], shape: null });
    expect(readNumbers("[[1, 2], [3, 4], [5, 6]]")).toEqual({ data: [1, 2, 3, 4, 5, 6], shape: [3, 2] });
    expect(readNumbers("[NaN, -inf, true]")).toEqual({ data: [Number.NaN, Number.NEGATIVE_INFINITY, 1], shape: [3] });
  });

  test("come back as they were written, of any shape", () => {
    const size = fc.integer({ min: 1, max: 4 });
    fc.assert(
      fc.property(fc.array(size, { minLength: 1, maxLength: 4 }), fc.infiniteStream(fc.double({ noNaN: true })), (shape, numbers) => {
        const data: number[] = [];
        const nest = (axis: number): unknown => {
          if (axis === shape.length) {
            const x = numbers.next().value as number;
            data.push(x);
            return Number.isFinite(x) ? x : null;
          }
          return Array.from({ length: shape[axis]! }, () => nest(axis + 1));
        };
        const text = JSON.stringify(nest(0)).replaceAll("null", "inf");
        const read = readNumbers(text);
        expect(read.shape).toEqual(shape);
        expect(Array.from(read.data, Math.abs)).toEqual(data.map(Math.abs));
      }),
      { seed: 8, numRuns: 50 },
    );
  });

  test.each([
    ["", "empty"],
    ["[ ]", "empty"],
    ["1, two", "number"],
    ["1 0x", "number"],
    ["[1, 2", "brackets"],
    ["1, 2]", "brackets"],
    ["[1] [2]", "brackets"],
    ["[1, [2]]", "brackets"],
    ["[[1], 2]", "brackets"],
    ["[[1, 2], [3]]", "ragged"],
    ["[[], [3]]", "ragged"],
    ["<img src=x onerror=alert(1)>", "number"],
  ])("refuses %j: %s", async (text, what) => {
    expect(await trouble(() => readNumbers(text))).toBe(what);
  });
});

describe("numbers as an input", () => {
  const list = (n: number, shape: readonly number[] | null = null) => ({ data: Array.from({ length: n }, (_, i) => i), shape });

  test("take the model's shape where they fit it", () => {
    expect(fittedShape(list(64), ["batch", 64])).toEqual([1, 64]);
    expect(fittedShape(list(192), ["batch", 64])).toEqual([3, 64]);
    expect(fittedShape(list(64, [64]), ["batch", 64])).toEqual([1, 64]);
    expect(fittedShape(list(64, [8, 8]), ["batch", 1, 8, 8])).toBe(null);
    expect(fittedShape(list(64, [1, 8, 8]), ["batch", 1, 8, 8])).toEqual([1, 1, 8, 8]);
    // A table: each row an image.
    expect(fittedShape(list(128, [2, 64]), ["batch", 1, 8, 8])).toEqual([2, 1, 8, 8]);
    expect(fittedShape(list(7), ["batch", "sequence"])).toEqual([7, 1]);
    expect(fittedShape(list(7, [1, 7]), ["batch", "sequence"])).toEqual([1, 7]);
    expect(fittedShape(list(6, [2, 3]), null)).toEqual([2, 3]);
  });

  test("are never turned: 64 rows of one are no row of 64", async () => {
    expect(fittedShape(list(64, [64, 1]), [1, 64])).toBe(null);
    expect(fittedShape(list(64, [64, 1]), ["batch", 64])).toBe(null);
    expect(await trouble(() => asInput(list(6, [3, 2]), f32(2, 3)))).toBe("shape");
    expect(await trouble(() => asInput(list(63), f32("batch", 64)))).toBe("shape");
    expect(asInput(list(0), f32("batch", 0)).type.shape).toEqual([1, 0]);
  });

  test("of whole numbers are whole and within their range", async () => {
    const port = (dtype: Port["dtype"]): Port => ({ dtype, shape: ["n"] });
    expect(asInput({ data: [1, 2], shape: null }, port("i64")).type).toMatchObject({ dtype: "i64", shape: [2] });
    expect(await trouble(() => asInput({ data: [1.5], shape: null }, port("i64")))).toBe("whole");
    expect(await trouble(() => asInput({ data: [Number.NaN], shape: null }, port("i32")))).toBe("whole");
    expect(await trouble(() => asInput({ data: [256], shape: null }, port("u8")))).toBe("range");
    expect(await trouble(() => asInput({ data: [-129], shape: null }, port("i8")))).toBe("range");
    expect(await trouble(() => asInput({ data: [2], shape: null }, port("bool")))).toBe("range");
  });
});

describe("a file as an input", () => {
  const x = tensor(
    Float32Array.from({ length: 12 }, (_, i) => i),
    "f32",
  );
  const rows = tensor(
    [
      [1, 2, 3],
      [4, 5, 6],
    ],
    "f32",
  );

  test("is read from .npy, .npz, .safetensors and .csv, all of it or one row", async () => {
    expect((await readGiven(given(file("x.npy", serializeNpy(x))), "x", f32(3, 4))).tensor.type.shape).toEqual([3, 4]);
    const one = await readGiven(given(file("x.npy", serializeNpy(rows)), { row: 2 }), "x", f32(1, 3));
    expect([one.rows, [...one.tensor.data], one.tensor.type.shape]).toEqual([2, [4, 5, 6], [1, 3]]);
    const archive = file("x.npz", await serializeNpz({ x: rows, other: x }));
    expect((await readGiven(given(archive), "x", f32("n", 3))).tensor.type.shape).toEqual([2, 3]);
    expect((await readGiven(given(archive, { entry: "other" }), "x", f32("n", 3))).tensor.type.shape).toEqual([4, 3]);
    expect((await readGiven(given(file("x.safetensors", serializeSafetensors({ y: rows }))), "x", f32(2, 3))).rows).toBe(2);
    // The label's column is left out where the model does not take it, and kept where it does.
    const table = file("t.csv", "a,b,label\n1,2,3\n4,5,6\n");
    expect([...(await readGiven(given(table, { row: 2 }), "x", f32(1, 2))).tensor.data]).toEqual([4, 5]);
    expect([...(await readGiven(given(table, { row: 1 }), "x", f32(1, 3))).tensor.data]).toEqual([1, 2, 3]);
  });

  test("is refused with what to do", async () => {
    const npy = file("x.npy", serializeNpy(rows));
    expect(await trouble(() => readGiven(given(npy), "x", f32(1, 3)))).toBe("choose");
    expect(await trouble(() => readGiven(given(npy, { row: 3 }), "x", f32(1, 3)))).toBe("row");
    expect(await trouble(async () => readGiven(given(file("x.npz", await serializeNpz({ a: x, b: x }))), "x", f32(3, 4)))).toBe("entry");
    expect(await trouble(() => readGiven(given(file("x.npy", "")), "x", f32(1)))).toBe("emptyFile");
    expect(await trouble(() => readGiven(given(file("x.exe", "MZ")), "x", f32(1)))).toBe("kind");
    expect(await trouble(() => readGiven(given(file("x.png", "no image")), "x", f32(1, 5)))).toBe("image");
    await expect(readGiven(given(file("x.png", "no image")), "x", f32(1, 3, 4, 4))).rejects.toThrow("no PNG, JPEG or WebP image");
    await expect(readGiven(given(file("x.npy", serializeNpy(rows).subarray(0, 90))), "x", f32(2, 3))).rejects.toThrow("npy");
  });
});

test("an address brings no more than it may", () => {
  const read = readImport(JSON.parse('{"depth":99,"loss":"evil","target":7,"inputs":{"__proto__":{"from":"text","text":"1"},"x":5}}'));
  expect([read.depth, read.loss, read.target]).toEqual([null, "class", "0"]);
  expect(Object.keys(read.inputs)).toEqual(["__proto__", "x"]);
  expect(Object.getPrototypeOf(read.inputs)).toBe(Object.prototype);
});
