import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import type { Batches } from "../../src/data/batches.ts";
import { dataset } from "../../src/data/dataset.ts";
import { loader } from "../../src/data/loader.ts";
import { serializeSafetensors } from "../../src/data/safetensors.ts";
import { safetensorsRows } from "../../src/data/safetensors-rows.ts";
import { f32, i32, tensor, u8 } from "../../src/index.ts";

const folder = mkdtempSync(join(tmpdir(), "safetensors-rows-"));
afterAll(() => rmSync(folder, { recursive: true }));
const file = (name: string, content: Uint8Array): string => {
  writeFileSync(join(folder, name), content);
  return join(folder, name);
};
const all = async <B>(source: Batches<B>, n = 0, from = 0): Promise<B[]> => {
  const found: B[] = [];
  for await (const batch of source.pass(n, from)) found.push(batch);
  return found;
};

describe("rows of a safetensors file", () => {
  const rows = 23;
  const images = tensor(
    Float32Array.from({ length: rows * 6 }, (_, i) => i / 7),
    f32(rows, 2, 3),
  );
  const labels = tensor(
    Int32Array.from({ length: rows }, (_, i) => i % 4),
    i32(rows),
  );
  const odd = tensor(Uint8Array.of(7), u8(1));
  const half = tensor(
    Array.from({ length: rows }, (_, i) => i / 2),
    "f16",
  );
  const bytes = serializeSafetensors({ images, labels, odd, half, scalar: tensor(1) }, { of: "a test" });
  const path = file("data.safetensors", bytes);
  const names = { x: "images", y: "labels", z: "half" } as const;

  test.each([undefined, 5])("are those that a loader over all of it gives, shuffle %s", async (shuffle) => {
    const options = shuffle === undefined ? { batch: 4 } : { batch: 4, shuffle };
    const source = await safetensorsRows(path, names, options);
    const whole = loader(dataset({ x: images, y: labels, z: half }), options);
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
    expect((await safetensorsRows(path, names, { batch: 4, last: "drop" })).length).toBe(5);
  });

  test("that are not there, or do not fit each other, are refused", async () => {
    const read = (tensors: { readonly [name: string]: string }, batch = 2) => safetensorsRows(path, tensors, { batch });
    await expect(read(names, 0.5)).rejects.toThrow("safetensorsRows: batch is 0.5; it is a whole number, 1 or more");
    await expect(read({})).rejects.toThrow("safetensorsRows: no tensor is named; say which ones");
    await expect(read({ x: "pictures" })).rejects.toThrow(
      `${path}: safetensors: there is no tensor "pictures" in the file; it has scalar, images, labels, half, odd`,
    );
    await expect(read({ x: "toString" })).rejects.toThrow('there is no tensor "toString" in the file');
    await expect(read({ x: "scalar" })).rejects.toThrow(`scalar of ${path} is f64[], a scalar; rows are axis 0`);
    await expect(read({ x: "images", y: "odd" })).rejects.toThrow(
      `images of ${path} is f32[23,2,3] and odd of ${path} u8[1]; they have one row each for every sample`,
    );
  });

  test("of a file that is cut short anywhere are refused before the first batch", async () => {
    for (let length = 0; length < bytes.length; length += 13) {
      const cut = file("cut.safetensors", bytes.slice(0, length));
      await expect(safetensorsRows(cut, names, { batch: 2 })).rejects.toThrow(`${cut}: safetensors: `);
    }
    await expect(safetensorsRows(join(folder, "none"), names, { batch: 2 })).rejects.toThrow("there is no such file or folder");
  });

  test("of a file that changes under them are an error", async () => {
    const shrinking = file("shrink.safetensors", bytes);
    const source = await safetensorsRows(shrinking, names, { batch: 4 });
    writeFileSync(shrinking, bytes.slice(0, -40));
    await expect(all(source)).rejects.toThrow("the file has become shorter while it was read");
  });
});
