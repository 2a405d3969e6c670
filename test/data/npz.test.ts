import { describe, expect, test } from "vitest";
import { serializeNpy } from "../../src/data/npy.ts";
import { parseNpz, serializeNpz } from "../../src/data/npz.ts";
import { unpack, writeZip, zipMembers } from "../../src/data/zip.ts";
import { DomainError } from "../../src/ir/errors.ts";
import { tensor } from "../../src/ir/tensor.ts";
import { contentOf, expectEveryCutToFail, expectedOf, fixture, parseErrorOf } from "./fixture.ts";

const names = ["w", "b", "deep/name"];

test.each(["stored.npz", "deflated.npz", "zip64.npz"])("%s as NumPy wrote it", async (name) => {
  const read = await parseNpz(fixture(name));
  expect(Object.keys(read).sort()).toEqual([...names, ...(name === "deflated.npz" ? ["zeros"] : [])].sort());
  for (const key of names) expect(contentOf(read[key]!)).toEqual(expectedOf(`npz:${key}`));
  if (name === "deflated.npz") expect(read["zeros"]!.data).toEqual(new Float64Array(10000));
});

test.each([false, true])("what is written is read, compress %s", async (compress) => {
  const tensors = { 한글: tensor([1, 2, 3], "i64"), "a/b": tensor([[0.5]], "f16"), zeros: tensor(new Float64Array(5000)) };
  const bytes = await serializeNpz(tensors, { compress });
  expect(await serializeNpz(tensors, { compress })).toEqual(bytes);
  expect(bytes.length < 5000).toBe(compress);
  expect(await parseNpz(bytes)).toEqual(tensors);
  expect(await parseNpz(await serializeNpz({}))).toEqual({});
});

/** The zip64 file with its 32-bit end record filled with the mark that says: look in the 64-bit one. */
function escaped(): Uint8Array {
  const bytes = fixture("zip64.npz");
  return bytes.fill(0xff, bytes.length - 14, bytes.length - 2);
}

test("count, size and place of the directory from the zip64 end record", async () => {
  expect(Object.keys(await parseNpz(escaped())).sort()).toEqual([...names].sort());
});

/** A good file of one member, with the byte at a field of the directory entry (or of the local header) changed. */
async function changed(change: (view: DataView, directory: number, end: number) => void, compress = false): Promise<Uint8Array> {
  const bytes = await serializeNpz({ a: tensor([1, 2, 3, 4]) }, { compress });
  const view = new DataView(bytes.buffer);
  const end = bytes.length - 22;
  change(view, view.getUint32(end + 16, true), end);
  return bytes;
}

describe("refuses", () => {
  const npy = serializeNpy(tensor([1]));
  const two = (name: string) =>
    writeZip(
      [
        [name, npy],
        ["b.npy", npy],
      ],
      false,
    );
  test.each<[string, () => Promise<Uint8Array>, string]>([
    ["a file that is no zip", async () => new Uint8Array(50), "zip: the file does not begin with PK; it is no zip file"],
    [
      "no end record",
      async () => (await two("a.npy")).slice(0, -1),
      "zip: the file has no directory at its end; it is cut short or no zip file",
    ],
    ["a name twice", () => two("b.npy"), 'zip: "b.npy" is in the file twice'],
    ["other files", () => two("notes.txt"), 'npz: "notes.txt" is no .npy file; a .npz file holds nothing else'],
    ["a bad array", () => writeZip([["a.npy", new Uint8Array(20)]], false), "npz: a: npy: the file does not begin with \\x93NUMPY"],
    ["encryption", () => changed((v, d) => v.setUint16(d + 8, 1, true)), "zip: a.npy is encrypted; save it without a password"],
    [
      "another method",
      () => changed((v, d) => v.setUint16(d + 10, 12, true)),
      "zip: a.npy is packed by method 12; stored (0) and deflate (8) are known",
    ],
    ["a wrong checksum", () => changed((v, d) => v.setUint32(d + 16, 1, true)), "zip: a.npy is damaged: its checksum does not match"],
    ["stored with two sizes", () => changed((v, d) => v.setUint32(d + 24, 7, true)), "zip: a.npy is stored in 160 bytes and declared as 7"],
    ["too large a promise", () => changed((v, d) => v.setUint32(d + 24, 1e9, true), true), "zip: a.npy declares 1000000000 bytes, which"],
    [
      "more than declared",
      () => changed((v, d) => v.setUint32(d + 24, 100, true), true),
      "zip: a.npy unpacks to more than the 100 bytes it declares",
    ],
    [
      "less than declared",
      () => changed((v, d) => v.setUint32(d + 24, 999, true), true),
      "zip: a.npy unpacks to 160 bytes and declares 999",
    ],
    ["damaged packing", () => changed((v) => v.setUint8(35, 0xff), true), "zip: a.npy is damaged: it does not unpack"],
    [
      "no zip64 sizes",
      () => changed((v, d) => v.setUint32(d + 20, 0xffffffff, true)),
      "zip: a.npy has no zip64 sizes where its directory entry says so",
    ],
    [
      "a member elsewhere",
      () => changed((v, d) => v.setUint32(d + 42, 5, true)),
      "zip: a.npy should begin at byte 5 and does not; the file is damaged",
    ],
    [
      "a member past the directory",
      () => changed((v, d) => v.setBigUint64(d + 20, (5000n << 32n) | 5000n, true)),
      "zip: a.npy runs into the directory; the file is damaged",
    ],
    ["a damaged directory", () => changed((v, d) => v.setUint8(d, 0)), "zip: the directory is damaged at byte"],
    ["a name past the directory", () => changed((v, d) => v.setUint16(d + 28, 5000, true)), "zip: the directory is damaged at byte"],
    ["a name that is not UTF-8", () => changed((v, d) => v.setUint8(d + 46, 0xff)), "zip: a member's name is not UTF-8; rename it"],
    [
      "a directory that is too long",
      () => changed((v, _, e) => v.setUint16(e + 10, 0, true)),
      "zip: the directory has 51 bytes more than its 0 entries take",
    ],
    ["a directory past its end", () => changed((v, d, e) => v.setUint32(e + 12, d, true)), "zip: the directory would end at byte"],
    [
      "a part of several",
      () => changed((v, _, e) => v.setUint16(e + 4, 1, true)),
      "zip: the file is one of several parts; join them first",
    ],
    [
      "zip64 that is not there",
      async () => {
        const bytes = escaped();
        new DataView(bytes.buffer).setUint8(bytes.length - 42 + 8, 1);
        return bytes;
      },
      "zip: the zip64 end record is not where it should be",
    ],
    [
      "two names for one member",
      async () => {
        const bytes = await two("a.npy");
        const view = new DataView(bytes.buffer);
        const directory = view.getUint32(bytes.length - 22 + 16, true);
        view.setUint32(directory + 51 + 42, 0, true);
        return bytes;
      },
      "zip: members a.npy and b.npy overlap",
    ],
  ])("%s", async (_, make, message) => {
    const bytes = await make();
    const error = await parseErrorOf(() => parseNpz(bytes));
    expect(error?.message.slice(0, message.length)).toBe(message);
  });

  test("more than the limit, before unpacking", async () => {
    const bytes = await serializeNpz({ a: tensor(new Float64Array(1000)) }, { compress: true });
    const error = await parseErrorOf(() => parseNpz(bytes, { limit: 8000 }));
    expect(error?.message).toBe("npz: the arrays would take 8128 bytes, more than 8000; pass { limit } to allow it");
    expect((await parseNpz(bytes, { limit: 8128 }))["a"]!.data.length).toBe(1000);
  });

  test("when writing: a name of nothing, and what zip cannot hold", async () => {
    await expect(serializeNpz({ "": tensor([1]) })).rejects.toThrow(new DomainError("npz: an array needs a name"));
    await expect(writeZip([["x".repeat(65536), npy]], false)).rejects.toThrow(
      new DomainError("zip: the file would pass 4 GiB, 65534 members or a name of 65535 bytes; save as safetensors instead"),
    );
  });
});

test("a comment after the end, and members of other programs", async () => {
  const bytes = await writeZip([["a.npy", serializeNpy(tensor([1]))]], true);
  const longer = new Uint8Array(bytes.length + 30);
  longer.set(bytes);
  new DataView(longer.buffer).setUint16(bytes.length - 2, 30, true);
  expect([...(await parseNpz(longer))["a"]!.data]).toEqual([1]);
  expect((await unpack(zipMembers(longer)[0]!)).length).toBe(136);
});

test("every beginning of a good file is refused", async () => {
  await expectEveryCutToFail(await serializeNpz({ a: tensor([1, 2]), b: tensor([3], "u8") }), parseNpz);
  await expectEveryCutToFail(await serializeNpz({ a: tensor([1, 2]) }, { compress: true }), parseNpz);
  await expectEveryCutToFail(fixture("zip64.npz"), parseNpz);
});
