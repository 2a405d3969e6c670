import { execFileSync } from "node:child_process";
import { chmodSync, copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { readTensorFile } from "../../src/data/read-file.ts";
import { serializeSafetensors } from "../../src/data/safetensors.ts";
import { writeFileWhole } from "../../src/files/write-file.ts";
import { type Tensor, tensor } from "../../src/ir/tensor.ts";
import { expectEveryCutToFail, expectedOf, parseErrorOf } from "./fixture.ts";

let folder = "";
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "chainrule-files-"));
});
afterEach(() => {
  vi.restoreAllMocks();
  rmSync(folder, { recursive: true, force: true });
});
const at = (name: string): string => join(folder, name);
const copy = (name: string, as: string): string => {
  copyFileSync(fileURLToPath(new URL(`../fixtures/files/${name}`, import.meta.url)), at(as));
  return at(as);
};
const write = (name: string, text: string): string => {
  writeFileSync(at(name), text);
  return at(name);
};
const folderAt = (name: string): string => {
  mkdirSync(at(name));
  return at(name);
};
const linkToItself = (name: string): string => {
  symlinkSync(at(name), at(name));
  return at(name);
};

describe("readTensorFile", () => {
  test("chooses by extension, in any case", async () => {
    const npy = (await readTensorFile(copy("f4.npy", "x.NPY"))) as Tensor;
    expect([...npy.data]).toEqual(expectedOf("f4.npy").data);
    const npz = (await readTensorFile(copy("deflated.npz", "x.npz"))) as Record<string, Tensor>;
    expect([...npz["b"]!.data]).toEqual([1, 2, 3]);
    const tensors = { w: tensor([1, 2], "f32") };
    await writeFileWhole(at("x.safetensors"), serializeSafetensors(tensors));
    expect(await readTensorFile(at("x.safetensors"))).toEqual(tensors);
    writeFileSync(at("x.csv"), "a;b\n1;2\n3;4\n5;6\n");
    expect(await readTensorFile(at("x.csv"), { delimiter: ";" })).toEqual(
      tensor([
        [1, 2],
        [3, 4],
        [5, 6],
      ]),
    );
  });

  test("a .csv file of several pieces", async () => {
    const rows = 120_000;
    writeFileSync(at("x.csv"), Array.from({ length: rows }, (_, i) => `${i},0.5\n`).join(""));
    const read = (await readTensorFile(at("x.csv"))) as Tensor;
    expect(read.type.shape).toEqual([rows, 2]);
    expect(read.data.every((x, i) => x === (i % 2 === 0 ? i / 2 : 0.5))).toBe(true);
  });

  test.each<[string, () => string, string]>([
    ["no file", () => at("none.npy"), "cannot read it: there is no such file or folder"],
    ["a folder", () => folderAt("a.npy"), "it is a folder, not a file"],
    ["a path through a file", () => join(copy("f4.npy", "f"), "x.npy"), "cannot read it: a part of the path is no folder"],
    ["a circle of links", () => linkToItself("l.npy"), "cannot read it: its links go in a circle"],
    ["no extension", () => copy("f4.npy", "x"), "no extension; known are .npy .npz .safetensors .csv"],
    ["another extension", () => copy("f4.npy", "x.pt"), "extension .pt; known are .npy .npz .safetensors .csv"],
    [
      "an extension that objects have",
      () => copy("f4.npy", "x.constructor"),
      "extension .constructor; known are .npy .npz .safetensors .csv",
    ],
    ["an empty file", () => write("x.npy", ""), "npy: the file does not begin with \\x93NUMPY; it is no .npy file"],
    ["an empty .csv", () => write("x.csv", ""), "csv: the file is empty"],
    ["a .npz called .npy", () => copy("stored.npz", "x.npy"), "npy: this is a zip file, as np.savez writes; call it .npz"],
    ["a .npy called .npz", () => copy("f4.npy", "x.npz"), "zip: the file does not begin with PK; it is no zip file"],
    ["a .npy called .csv", () => copy("f4.npy", "x.csv"), "csv: the file is not UTF-8 text; save it as UTF-8"],
  ])("refuses %s", async (_, make, message) => {
    const path = make();
    expect((await parseErrorOf(() => readTensorFile(path)))?.message).toBe(`${path}: ${message}`);
  });

  test.runIf(process.platform !== "win32")("refuses a file without permission", async () => {
    const path = copy("f4.npy", "x.npy");
    chmodSync(path, 0);
    // Root may read everything, so root steps down for the attempt.
    const root = process.geteuid?.() === 0;
    if (root) process.seteuid?.(65534);
    const error = await parseErrorOf(() => readTensorFile(path)).finally(() => {
      if (root) process.seteuid?.(0);
    });
    expect(error?.message).toBe(`${path}: cannot read it: permission is denied`);
  });

  test.runIf(process.platform === "linux")("refuses a pipe without waiting for its other end", async () => {
    execFileSync("mkfifo", [at("x.csv")]);
    expect((await parseErrorOf(() => readTensorFile(at("x.csv"))))?.message).toBe(`${at("x.csv")}: it is no ordinary file`);
  });

  test("refuses every beginning of a good file", async () => {
    const good = new Uint8Array(readFileSync(copy("f4.npy", "good.npy")));
    await expectEveryCutToFail(good, async (bytes) => {
      writeFileSync(at("x.npy"), bytes);
      await readTensorFile(at("x.npy"));
    });
  });
});
