import { type NodeFiles, nodeFiles, reasonOf } from "../files/node-files.ts";
import { checkPath, readWhole, withFile } from "../files/open-file.ts";
import { allocate } from "../ir/dtype.ts";
import { DomainError, ParseError, ShapeError } from "../ir/errors.ts";
import { hold, type Tensor } from "../ir/tensor.ts";
import { i32, type TensorType, tensorType, typeText } from "../ir/type.ts";
import type { Batches } from "./batches.ts";
import { crc32 } from "./crc32.ts";
import { type Dataset, dataset } from "./dataset.ts";
import { decodeImage } from "./decode-image.ts";
import { type ImageForm, type ImageOptions, imageForm, tensorOfPixels } from "./image.ts";
import { type RowStore, storeBatches } from "./row-store.ts";
import { checkRows } from "./rows-in-files.ts";

/** Images and the numbers of their classes: `x` [rows, channels, height, width], `y` i32[rows]. */
export interface Images {
  readonly x: Tensor;
  readonly y: Tensor;
}

/** What a folder of images has. */
export interface ImageFolderFacts {
  /** Names of the classes, which are those of the folders, in order; class 0 is the first. */
  readonly classes: readonly string[];
  /** The path of each row's file. */
  readonly files: readonly string[];
}

/** How images are read from a folder batch by batch. */
export interface ImageRowsOptions extends ImageOptions {
  readonly batch: number;
  /** As in `loader`: pass n of a seed is always the same order. */
  readonly shuffle?: number;
  readonly last?: "drop" | "smaller";
}

interface Entry {
  readonly path: string;
  readonly label: number;
}

/** Images that are decoded at a time. */
const together = 16;

/**
 * A folder of images as a data set in memory: each folder in it is a class, called by its name, and each .png, .jpg, .jpeg and .webp file in that an image.
 * `x` is f32[rows, channels, height, width] from 0 to 1 (or u8), `y` i32[rows]. For more images than memory holds there is {@link imageRows}. Node only.
 *
 *     const { classes, ...pictures } = await imageFolder("photos", { size: 64 });
 *     const [fit, held] = pictures.split(0.8, { seed: 0, stratify: "y" });
 * @throws ParseError, with the path, for a folder without classes, a class without images, and files that are no images; ShapeError where images have
 *   different sizes and no `size` is given; DomainError for options that are none; EngineError where the package sharp is not installed
 */
export async function imageFolder(folder: string, options: ImageOptions = {}): Promise<Dataset<Images> & ImageFolderFacts> {
  const form = imageForm("imageFolder", options);
  const { entries, classes } = await entriesOf(folder);
  const batch = await imagesOf(entries, form, null);
  return { ...dataset({ x: batch.x, y: batch.y }), classes, files: entries.map(({ path }) => path) };
}

/**
 * Batches of images straight from a folder as {@link imageFolder} reads it: of the files only those of a batch are decoded, in every pass anew. Node only.
 * @throws as `imageFolder`; for files that are no images when their turn comes
 */
export async function imageRows(folder: string, options: ImageRowsOptions): Promise<Batches<Images> & ImageFolderFacts> {
  checkRows("imageRows", options, ["size", "fit", "grey", "dtype"]);
  const { batch, shuffle, last = "smaller", ...rest } = options;
  if (last !== "drop" && last !== "smaller") throw new DomainError(`imageRows: last is ${String(last)}; it is "drop" or "smaller"`);
  const form = imageForm("imageRows", rest);
  const { entries, classes } = await entriesOf(folder);
  const store = await imageStore(entries, form);
  const names = entries.map(({ path, label }) => `${label} ${path.slice(folder.length)}`).join("\n");
  const facts = { files: crc32(new TextEncoder().encode(names)) };
  const source = storeBatches(store, null, { batch, last, ...(shuffle !== undefined && { shuffle }) }, facts);
  // Not a copy: that would lose the way to read some rows of a batch alone.
  return Object.assign(source, { classes, files: entries.map(({ path }) => path) });
}

/** A folder of images whose files are decoded when they are asked for, and the classes of all of them. @throws as `imageFolder` */
export async function imagesInFolder(
  folder: string,
  options: ImageOptions,
): Promise<{ readonly store: RowStore<Images>; readonly classes: readonly string[]; readonly labels: Int32Array }> {
  const { entries, classes } = await entriesOf(folder);
  const store = await imageStore(entries, imageForm("imageFolder", options));
  return { store, classes, labels: Int32Array.from(entries, ({ label }) => label) };
}

async function imageStore(entries: readonly Entry[], form: ImageForm): Promise<RowStore<Images>> {
  // Where no size is given the first image says it, so that every batch has one type.
  const { type } = (await imagesOf(entries.slice(0, 1), form, null)).x;
  const like = { path: entries[0]!.path, type };
  return {
    size: entries.length,
    at: (rows) =>
      imagesOf(
        Array.from(rows, (row) => entries[row]!),
        form,
        like,
      ),
  };
}

async function imagesOf(
  entries: readonly Entry[],
  form: ImageForm,
  like: { readonly path: string; readonly type: TensorType } | null,
): Promise<Images> {
  let first: { readonly path: string; readonly shape: readonly number[] } | null =
    like === null ? null : { path: like.path, shape: like.type.shape.slice(1) };
  let data = allocate(form.dtype, 0);
  for (let at = 0; at < entries.length; at += together) {
    const some = entries.slice(at, at + together);
    const read = await Promise.all(some.map(({ path }) => imageAt(path, form)));
    for (const [i, image] of read.entries()) {
      const { path } = some[i]!;
      first ??= { path, shape: image.type.shape };
      const { shape } = first;
      if (image.type.shape.some((n, axis) => n !== shape[axis]))
        throw new ShapeError(
          `images have one size, and ${first.path} is ${typeText({ ...image.type, shape })} and ${path} is ${typeText(image.type)}; say which size: { size: 64 }`,
        );
      if (data.length === 0) data = allocate(form.dtype, entries.length * image.data.length);
      data.set(image.data as never, (at + i) * image.data.length);
    }
  }
  const x = hold(tensorType(form.dtype, [entries.length, ...first!.shape]), data);
  return {
    x,
    y: hold(
      i32(entries.length),
      Int32Array.from(entries, ({ label }) => label),
    ),
  };
}

function imageAt(path: string, form: ImageForm): Promise<Tensor> {
  return withFile(path, async (file, size) => tensorOfPixels(await decodeImage(await readWhole(file, size), form.fit), form, "first"));
}

/** Every image with its class, folders and files in the order of their names. */
async function entriesOf(folder: string): Promise<{ readonly entries: readonly Entry[]; readonly classes: readonly string[] }> {
  checkPath(folder);
  const files = await nodeFiles();
  const classes: string[] = [];
  const entries: Entry[] = [];
  const base = folder.replace(/[/\\]+$/, "") || folder;
  for (const name of await namesIn(files, base)) {
    const inside = `${base}/${name}`;
    if (!(await files.stat(inside).catch(() => null))?.isDirectory()) continue;
    // Some file systems take letters apart that others keep together: 가 may be stored as two.
    const called = name.normalize("NFC");
    if (classes.includes(called)) throw new ParseError(`${inside}: two folders have this name, written in different ways; a class has one`);
    const images = (await namesIn(files, inside)).filter((file) => isImage(inside, file));
    if (images.length === 0)
      throw new ParseError(
        `${inside}: the class has no image: no .png, .jpg, .jpeg or .webp file; put some there, or take the folder away`,
      );
    for (const file of images) entries.push({ path: `${inside}/${file}`, label: classes.length });
    classes.push(called);
  }
  if (classes.length === 0)
    throw new ParseError(`${folder}: it has no folders, and each class is a folder of images: ${folder}/cat/1.png, ${folder}/dog/1.png`);
  return { entries, classes };
}

/** What is in a folder, sorted by code units, without what begins with a dot. */
async function namesIn(files: NodeFiles, folder: string): Promise<readonly string[]> {
  const names = await files.readdir(folder).catch((cause: unknown) => {
    throw new ParseError(`${folder}: cannot read the folder: ${reasonOf(cause)}`, { cause });
  });
  return names.filter((name) => !name.startsWith(".")).sort();
}

/** Whether a file is one of the images. @throws ParseError for an image of a kind that is not read, which would be missed */
function isImage(folder: string, name: string): boolean {
  if (/\.(png|jpe?g|webp)$/i.test(name)) return true;
  if (/\.(bmp|gif|tiff?|heic|heif|avif|svg|jxl|ico|jp2)$/i.test(name))
    throw new ParseError(`${folder}/${name}: images of this kind are not read; make it a PNG, JPEG or WebP image, or take it away`);
  return false;
}
