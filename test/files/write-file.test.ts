import { chmodSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { writeFilesWhole, writeFileWhole } from "../../src/files/write-file.ts";
import { DomainError } from "../../src/ir/errors.ts";

let folder = "";
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "chainrule-files-"));
});
afterEach(() => {
  vi.restoreAllMocks();
  rmSync(folder, { recursive: true, force: true });
});
const at = (name: string): string => join(folder, name);

describe("writeFileWhole", () => {
  test("writes text and bytes, new and over an old file, and leaves nothing else", async () => {
    await writeFileWhole(at("a.txt"), "héllo");
    expect(readFileSync(at("a.txt"), "utf8")).toBe("héllo");
    chmodSync(at("a.txt"), 0o640);
    await writeFileWhole(at("a.txt"), new Uint8Array([1, 2]));
    expect([...readFileSync(at("a.txt"))]).toEqual([1, 2]);
    if (process.platform !== "win32") expect(statSync(at("a.txt")).mode & 0o777).toBe(0o640);
    expect(readdirSync(folder)).toEqual(["a.txt"]);
  });

  test("writes through a link", async () => {
    writeFileSync(at("real"), "old");
    symlinkSync(at("real"), at("link"));
    await writeFileWhole(at("link"), "new");
    expect(readFileSync(at("real"), "utf8")).toBe("new");
    expect(readdirSync(folder).sort()).toEqual(["link", "real"]);
  });

  test("leaves the old file and nothing else when it fails", async () => {
    mkdirSync(at("d"));
    await expect(writeFileWhole(at("d"), "x")).rejects.toThrow(new DomainError(`cannot write ${at("d")}: it is a folder`));
    const nowhere = join(folder, "none", "x");
    await expect(writeFileWhole(nowhere, "x")).rejects.toThrow(new DomainError(`cannot write ${nowhere}: there is no such file or folder`));
    await writeFileWhole(at("a.txt"), "old");
    const poison = { *[Symbol.iterator]() { yield "half"; throw new Error("stopped"); } } as unknown as string; // biome-ignore format: one line
    await expect(writeFileWhole(at("a.txt"), poison)).rejects.toThrow(new DomainError(`cannot write ${at("a.txt")}: stopped`));
    expect(readFileSync(at("a.txt"), "utf8")).toBe("old");
    expect(readdirSync(folder).sort()).toEqual(["a.txt", "d"]);
  });

  test("writes files that belong together, in pieces, all or none", async () => {
    const piece = (n: number, fill: number): Uint8Array => new Uint8Array(n).fill(fill);
    await writeFilesWhole([
      { path: at("data"), content: [piece(3, 1), piece(2 ** 20, 2), piece(2 ** 20 + 1, 3), piece(5, 4)] },
      { path: at("model"), content: "about data" },
    ]);
    const data = readFileSync(at("data"));
    expect([data.length, data[2], data[3], data[2 ** 20 + 2], data[2 ** 20 + 3], data.at(-1)]).toEqual([2 ** 21 + 9, 1, 2, 2, 3, 4]);
    mkdirSync(at("d"));
    const list = [
      { path: at("data"), content: "other" },
      { path: at("d"), content: "x" },
    ];
    await expect(writeFilesWhole(list)).rejects.toThrow(`cannot write ${at("d")}: it is a folder`);
    expect(readFileSync(at("data")).length).toBe(2 ** 21 + 9);
    expect(readdirSync(folder).sort()).toEqual(["d", "data", "model"]);
  });
});
