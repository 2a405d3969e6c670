import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import sharp from "sharp";
import { afterAll, describe, expect, test } from "vitest";
import { decodeImage } from "../../src/data/decode-image.ts";
import { readImage } from "../../src/data/image.ts";
import { imageFolder, imageRows } from "../../src/data/image-folder.ts";
import { loader } from "../../src/data/loader.ts";
import type { Tensor } from "../../src/ir/tensor.ts";
import { png } from "./make-image.ts";

const folder = mkdtempSync(join(tmpdir(), "image-"));
afterAll(() => rmSync(folder, { recursive: true }));

const colours = [255, 0, 0, 0, 255, 0, 0, 0, 255, 10, 20, 30, 0, 0, 0, 255, 255, 255];
const small = png("rgb", 3, 2, colours);
/** A soft gradient, which survives JPEG. */
const soft = Array.from({ length: 32 * 16 * 3 }, (_, i) => Math.round(40 + 4 * ((i / 3) % 32) + 20 * (i % 3)));
const other = (kind: "jpeg" | "webp", options: object): Promise<Buffer> =>
  sharp(Uint8Array.from(soft), { raw: { width: 32, height: 16, channels: 3 } })
    [kind](options)
    .toBuffer();

describe("readImage", () => {
  test("gives rows from the top, red, green and blue, from 0 to 1 or as bytes", async () => {
    const bytes = await readImage(small, { dtype: "u8" });
    expect(bytes.type).toMatchObject({ dtype: "u8", shape: [2, 3, 3] });
    expect([...bytes.data]).toEqual(colours);
    const shares = await readImage(small);
    expect(shares.type).toMatchObject({ dtype: "f32", shape: [2, 3, 3] });
    expect([...shares.data]).toEqual(colours.map((c) => Math.fround(c / 255)));
  });

  test("reads grey, 16-bit and transparent images; what is transparent lies on white", async () => {
    expect([...(await readImage(png("grey", 2, 1, [7, 200]), { dtype: "u8" })).data]).toEqual([7, 7, 7, 200, 200, 200]);
    expect([...(await readImage(png("rgb", 1, 1, [65535, 32768, 257], 16), { dtype: "u8" })).data]).toEqual([255, 128, 1]);
    const veiled = png("rgba", 3, 1, [9, 8, 7, 255, 9, 8, 7, 0, 0, 0, 0, 128]);
    const { data } = await readImage(veiled, { dtype: "u8" });
    expect([...data.slice(0, 6)]).toEqual([9, 8, 7, 255, 255, 255]);
    for (const v of data.slice(6)) expect(Math.abs(v - 127)).toBeLessThanOrEqual(1);
  });

  test("makes one grey channel by the weights of BT.601", async () => {
    const grey = await readImage(small, { grey: true });
    expect(grey.type.shape).toEqual([2, 3, 1]);
    [0.299, 0.587, 0.114, (0.299 * 10 + 0.587 * 20 + 0.114 * 30) / 255, 0, 1].forEach((v, i) => {
      expect(grey.data[i]).toBeCloseTo(v, 6);
    });
  });

  test("reads JPEG and WebP too, by what the bytes are and not by the name", async () => {
    const exact = await readImage(await other("webp", { lossless: true }), { dtype: "u8" });
    expect([...exact.data]).toEqual(soft);
    writeFileSync(join(folder, "photo.png"), await other("jpeg", { quality: 95 }));
    const photo = await readImage(join(folder, "photo.png"), { dtype: "u8" });
    expect(photo.type.shape).toEqual([16, 32, 3]);
    expect(Math.max(...soft.map((v, i) => Math.abs(v - photo.data[i]!)))).toBeLessThan(12);
    expect((await readImage(new Blob([small as Uint8Array<ArrayBuffer>]))).type.shape).toEqual([2, 3, 3]);
  });

  test("turns photographs upright", async () => {
    const turned = await sharp(small).withMetadata({ orientation: 6 }).webp({ lossless: true }).toBuffer();
    const upright = await readImage(turned, { dtype: "u8" });
    expect(upright.type.shape).toEqual([3, 2, 3]);
    expect([...upright.data.slice(0, 6)]).toEqual([10, 20, 30, 255, 0, 0]);
  });

  test("brings images to a size, stretched or covered", async () => {
    // Left half black, right half white, twice as wide as high.
    const halves = png(
      "grey",
      8,
      4,
      Array.from({ length: 32 }, (_, i) => (i % 8 < 4 ? 0 : 255)),
    );
    const stretched = await readImage(halves, { size: 4, grey: true });
    expect(stretched.type.shape).toEqual([4, 4, 1]);
    expect([stretched.data[0]!, stretched.data[3]!]).toEqual([expect.closeTo(0, 1), expect.closeTo(1, 1)]);
    const covered = await readImage(halves, { size: [4, 4], fit: "cover", grey: true, dtype: "u8" });
    expect([...covered.data.slice(0, 4)]).toEqual([0, 0, 255, 255]);
    expect((await readImage(small, { size: [5, 7] })).type.shape).toEqual([5, 7, 3]);
  });

  test.each<[string, object, string]>([
    ["a size of 0", { size: 0 }, "readImage: size is 0; it is a number of pixels"],
    ["three sizes", { size: [1, 2, 3] }, "readImage: size is [1,2,3]; it is a number of pixels, or [height, width]"],
    ["a huge size", { size: 1e9 }, "each a whole number from 1 to 16384"],
    ["another fit", { fit: "contain" }, 'readImage: fit is contain; it is "stretch" or "cover"'],
    ["another dtype", { dtype: "f64" }, 'readImage: dtype is f64; it is "f32", from 0 to 1, or "u8"'],
  ])("refuses %s", async (_, options, message) => {
    await expect(readImage(small, options)).rejects.toThrow(message);
  });

  test("refuses files that are no images, and hands them to no decoder", async () => {
    const text = (s: string): Uint8Array => new TextEncoder().encode(s);
    await expect(readImage(text('<svg xmlns="http://www.w3.org/2000/svg"/>'))).rejects.toThrow(
      "image: it is no PNG, JPEG or WebP image: it begins with the bytes 3c 73 76 67",
    );
    await expect(readImage(text("GIF89a"))).rejects.toThrow("it is no PNG, JPEG or WebP image");
    writeFileSync(join(folder, "empty.png"), "");
    await expect(readImage(join(folder, "empty.png"))).rejects.toThrow(`${join(folder, "empty.png")}: image: the file is empty`);
    await expect(readImage(join(folder, "none.png"))).rejects.toThrow("cannot read it: there is no such file or folder");
    await expect(readImage(folder)).rejects.toThrow("it is a folder, not a file");
  });

  test("refuses images that are cut short anywhere, and damaged ones are read or refused", async () => {
    const cuts = process.env["CHAINRULE_FAST"] === "1" ? 8 : 40;
    const kinds = [png("rgb", 32, 16, soft), await other("jpeg", { quality: 90 }), await other("webp", { lossless: true })];
    for (const good of kinds) {
      // The last bytes of a file may be its end mark alone, which decoders do not need.
      for (let cut = 12; cut < good.length - 16; cut += 1 + Math.floor(good.length / cuts))
        await expect(readImage(new Uint8Array(good.subarray(0, cut))), `cut at ${cut}`).rejects.toThrow(
          "image cannot be decoded; it is damaged or cut short (",
        );
      for (let i = 0; i < cuts; i++) {
        const bad = new Uint8Array(good);
        const place = 12 + ((i * 7919) % (bad.length - 12));
        bad[place] = bad[place]! ^ (1 + ((i * 37) % 255));
        await readImage(bad).catch((error: Error) => expect(error.message).toMatch(/^image: /));
      }
    }
  });

  test("says what to install where there is no decoder", async () => {
    await expect(decodeImage(small, null, () => Promise.reject(new Error("Cannot find package")))).rejects.toThrow(
      "images are decoded by the package sharp, which is not installed: npm install sharp",
    );
  });
});

describe("a folder of images", () => {
  const place = join(folder, "classes");
  /** Writes small pictures of one colour: its red is `level`, its size `side`. */
  const put = (path: string, level: number, side = 4): void => {
    const full = join(place, path);
    mkdirSync(join(full, ".."), { recursive: true });
    writeFileSync(
      full,
      png(
        "rgb",
        side,
        side,
        Array.from({ length: side * side * 3 }, (_, i) => (i % 3 === 0 ? level : i % 3)),
      ),
    );
  };
  const hostile = ["a b.png", "x..png", 'it\'s "quoted".PNG', "line\nbreak.png", "$(rm -rf x).png", "%2e%2e.png", "한글 이름.jpeg"];
  for (const [i, name] of hostile.entries()) put(`가방/${name}`, 10 * i);
  for (let i = 0; i < 5; i++) put(`cat/${i}.webp`, 100 + i);
  writeFileSync(join(place, "cat/.DS_Store"), "x");
  writeFileSync(join(place, "cat/readme.txt"), "x");
  writeFileSync(join(place, "labels.csv"), "x");

  test("is a data set whose classes are its folders, in the order of their names", async () => {
    const { classes, files, ...pictures } = await imageFolder(place);
    expect(classes).toEqual(["cat", "가방"]);
    expect(pictures.size).toBe(12);
    const { x, y } = pictures.all();
    expect(x.type).toMatchObject({ dtype: "f32", shape: [12, 3, 4, 4] });
    expect([...y.data]).toEqual([0, 0, 0, 0, 0, 1, 1, 1, 1, 1, 1, 1]);
    expect(files.slice(5).map((path) => path.slice(place.length + 4))).toEqual([...hostile].sort());
    const red = [...x.data].filter((_, i) => i % 48 === 0).map((v) => Math.round(v * 255));
    expect(red).toEqual([100, 101, 102, 103, 104, ...[...hostile].sort().map((name) => 10 * hostile.indexOf(name))]);
    const [fit, held] = pictures.split(0.5, { seed: 0, stratify: "y" });
    expect([fit.size, held.size]).toEqual([6, 6]);
  });

  test("gives the same rows batch by batch, from any place on", async () => {
    const options = { size: 3, grey: true, dtype: "u8" } as const;
    const whole = loader(await imageFolder(place, options), { batch: 5, shuffle: 2 });
    const rows = await imageRows(place, { ...options, batch: 5, shuffle: 2 });
    expect([rows.batch, rows.length, rows.classes]).toEqual([5, 3, ["cat", "가방"]]);
    for (const from of [0, 2]) {
      const got: { x: Tensor; y: Tensor }[] = [];
      for await (const batch of rows.pass(1, from)) got.push(batch);
      expect(got).toEqual([...whole.pass(1, from)]);
    }
    expect(rows.rows!(1, 2)).toEqual(whole.rows(1, 2));
    put("cat/9.png", 1);
    expect((await imageRows(place, { ...options, batch: 5, shuffle: 2 })).order).not.toEqual(rows.order);
    rmSync(join(place, "cat/9.png"));
  });

  test("is refused where sizes differ, with both files, unless a size is said", async () => {
    put("cat/wide.png", 1, 9);
    await expect(imageFolder(place)).rejects.toThrow(
      /images have one size, and .*cat\/0.webp is f32\[3,4,4\] and .*wide.png is f32\[3,9,9\]; say which/,
    );
    expect((await imageFolder(place, { size: 2 })).size).toBe(13);
    rmSync(join(place, "cat/wide.png"));
  });

  test("is refused with the path of what is wrong", async () => {
    const empty = join(folder, "nothing");
    mkdirSync(join(empty, "class"), { recursive: true });
    await expect(imageFolder(empty)).rejects.toThrow(`${empty}/class: the class has no image`);
    rmSync(join(empty, "class"), { recursive: true });
    await expect(imageFolder(`${empty}/`)).rejects.toThrow("it has no folders, and each class is a folder of images");
    await expect(imageFolder(join(folder, "nowhere"))).rejects.toThrow("cannot read the folder: there is no such file or folder");
    writeFileSync(join(place, "cat/old.bmp"), "BM");
    await expect(imageFolder(place)).rejects.toThrow("old.bmp: images of this kind are not read; make it a PNG");
    rmSync(join(place, "cat/old.bmp"));
    writeFileSync(join(place, "cat/broken.png"), small.subarray(0, 40));
    await expect(imageFolder(place)).rejects.toThrow(/broken.png: image: the PNG image cannot be decoded/);
    rmSync(join(place, "cat/broken.png"));
    put(`${"가방".normalize("NFD")}/1.png`, 1);
    await expect(imageFolder(place)).rejects.toThrow("two folders have this name, written in different ways");
    rmSync(join(place, "가방".normalize("NFD")), { recursive: true });
    await expect(imageRows(place, { batch: 0 })).rejects.toThrow("imageRows: batch is 0");
    await expect(imageRows(place, { batch: 1, last: "no" as "drop" })).rejects.toThrow('imageRows: last is no; it is "drop" or "smaller"');
  });
});
