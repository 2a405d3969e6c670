import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { serializeNpy } from "../../src/data/npy.ts";
import { parseNpz, serializeNpz } from "../../src/data/npz.ts";
import { npzColumns } from "../../src/data/npz-rows.ts";
import { storeInFiles } from "../../src/data/rows-in-files.ts";
import { writeZip } from "../../src/data/zip.ts";
import { ParseError } from "../../src/ir/errors.ts";
import { tensor } from "../../src/ir/tensor.ts";
import { contentOf, fixture } from "./fixture.ts";

const folder = mkdtempSync(join(tmpdir(), "npz-rows-"));
afterAll(() => rmSync(folder, { recursive: true }));
const path = join(folder, "a.npz");
const columnsOf = (bytes: Uint8Array) => {
  writeFileSync(path, bytes);
  return npzColumns(path);
};
/** The error of a promise, without the path, or null. */
const faultOf = async (made: Promise<unknown>): Promise<string | null> => {
  try {
    await made;
    return null;
  } catch (error) {
    if (!(error instanceof ParseError)) throw error;
    return error.message.replace(`${path}: `, "");
  }
};
const tensors = {
  x: tensor(
    [
      [1, 2],
      [3, 4],
      [5, 6],
    ],
    "f32",
  ),
  "a/y": tensor([7, 8, 9], "i64"),
  수: tensor([0.5], "f16"),
  one: tensor(3),
};

test.each(["stored.npz", "zip64.npz"])("rows of %s, as NumPy wrote it, are read from their places", async (name) => {
  const whole = await parseNpz(fixture(name));
  const columns = (await columnsOf(fixture(name)))!;
  expect([...columns.keys()].sort()).toEqual(Object.keys(whole).sort());
  for (const [key, t] of Object.entries(whole)) {
    const column = columns.get(key)!;
    expect(column.type).toEqual(t.type);
    const [rows] = t.type.shape;
    if (rows === undefined) continue;
    const read = await storeInFiles([["it", column]], rows).at(Int32Array.from({ length: rows }, (_, i) => rows - 1 - i));
    const back = await storeInFiles([["it", column]], rows).at(Int32Array.from({ length: rows }, (_, i) => i));
    expect(contentOf(back.it)).toEqual(contentOf(t));
    expect(read.it.type).toEqual(t.type);
  }
});

test("rows of what is written here", async () => {
  const columns = (await columnsOf(await serializeNpz(tensors)))!;
  expect([...columns].map(([name, { type }]) => [name, type])).toEqual(Object.entries(tensors).map(([name, { type }]) => [name, type]));
  const store = storeInFiles(
    [
      ["x", columns.get("x")!],
      ["y", columns.get("a/y")!],
    ] as const,
    3,
  );
  const { x, y } = await store.at(Int32Array.of(2, 0));
  expect([[...x.data], [...y.data]]).toEqual([
    [5, 6, 1, 2],
    [9, 7],
  ]);
});

test("a compressed file and column-major arrays have no places of rows", async () => {
  expect(await columnsOf(await serializeNpz(tensors, { compress: true }))).toBe(null);
  expect(await columnsOf(fixture("deflated.npz"))).toBe(null);
  const turned = serializeNpy(tensors.x);
  const at = new TextDecoder("latin1").decode(turned).indexOf("False");
  turned.set(new TextEncoder().encode("True "), at);
  expect(await columnsOf(await writeZip([["x.npy", turned]], false))).toBe(null);
});

test("what is called an array and is none is told by its name, as by the reader of whole files", async () => {
  const npy = serializeNpy(tensors.x);
  for (const content of [new Uint8Array(20), npy.slice(0, -4)]) {
    const bytes = await writeZip([["x.npy", content]], false);
    const fault = await faultOf(columnsOf(bytes));
    expect(fault).toMatch(/^npz: x: npy: /);
    expect(fault).toBe(await faultOf(parseNpz(bytes)));
  }
});

test("whatever byte is damaged and wherever it is cut, it says what the reader of whole files says", async () => {
  const good = await serializeNpz({ x: tensors.x, y: tensor([1, 2, 3]) });
  const damaged = [...good.keys()].flatMap((i) => [0x01, 0x80].map((bit) => good.map((b, j) => (i === j ? b ^ bit : b))));
  const cut = [...good.keys()].map((i) => good.slice(0, i));
  let refused = 0;
  for (const bytes of [...damaged, ...cut]) {
    const whole = await faultOf(parseNpz(bytes));
    const rows = await faultOf(columnsOf(bytes));
    // Where a member is called packed or no .npy file any more, the reader of whole files is asked next, and says so.
    if (rows !== null) refused++;
    if (rows === null && whole !== null) expect(await columnsOf(bytes)).toBe(null);
    else if (rows !== null) expect(whole, rows).not.toBe(null);
  }
  expect(refused).toBeGreaterThan(good.length);
  const wrong = good.slice();
  wrong[good.indexOf(0x93) + 130]! ^= 1;
  expect(await faultOf(columnsOf(wrong))).toBe(await faultOf(parseNpz(wrong)));
  expect(await faultOf(columnsOf(wrong))).toMatch(/^zip: x\.npy is damaged: its checksum does not match$/);
});
