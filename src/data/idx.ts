import { readElements } from "../files/element-bytes.ts";
import { readWhole, withFile } from "../files/open-file.ts";
import type { DType } from "../ir/dtype.ts";
import { ParseError, ShapeError } from "../ir/errors.ts";
import { sizeOf } from "../ir/shape.ts";
import { hold, type Tensor } from "../ir/tensor.ts";
import { f32, i32, tensorType, typeText } from "../ir/type.ts";
import { type Dataset, dataset } from "./dataset.ts";
import { bytesOf } from "./given-data.ts";

const codes: Readonly<Record<number, readonly [DType, number]>> = {
  8: ["u8", 1],
  9: ["i8", 1],
  11: ["i16", 2],
  12: ["i32", 4],
  13: ["f32", 4],
  14: ["f64", 8],
};

/**
 * Reads an IDX file, the format of MNIST: two zero bytes, the kind of element, the number of axes, their sizes, and the elements, all big-endian.
 * Format: http://yann.lecun.com/exdb/mnist/, "the IDX file format".
 * @throws ParseError for anything that is not such a file, and for one that is cut short or too long
 */
export function parseIdx(given: Uint8Array | ArrayBuffer): Tensor {
  const bytes = bytesOf("parseIdx", given, "readMnist(images, labels)");
  if (bytes[0] === 0x1f && bytes[1] === 0x8b) throw new ParseError("idx: the file is packed by gzip; unpack it first: gunzip file.gz");
  const [dtype, width] = codes[bytes[2] ?? -1] ?? [null, 0];
  const rank = bytes[3];
  if (bytes[0] !== 0 || bytes[1] !== 0 || dtype === null || rank === undefined)
    throw new ParseError("idx: the file does not begin with 0, 0, a kind of element and a number of axes; it is no IDX file");
  const start = 4 + 4 * rank;
  if (bytes.length < start) throw new ParseError(`idx: the file ends after ${bytes.length} bytes, within its header; it is cut short`);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const shape = Array.from({ length: rank }, (_, i) => view.getUint32(4 + 4 * i));
  const type = tensorType(dtype, shape);
  const size = sizeOf(shape) * width;
  if (size !== bytes.length - start)
    throw new ParseError(
      `idx: ${typeText(type)} takes ${size} bytes and the file has ${bytes.length - start} after its header; it is ${size > bytes.length - start ? "cut short" : "too long"}`,
    );
  return hold(type, readElements(dtype, bytes.subarray(start), "big", "idx"));
}

/**
 * MNIST, or what has its form: images and labels from two IDX files as `x`, f32[rows, 1, height, width] from 0 to 1, and `y`, i32[rows]. Node only.
 * @throws ParseError, with the path, for files that cannot be read; ShapeError where they are no images and their labels
 */
export async function readMnist(images: string, labels: string): Promise<Dataset<{ readonly x: Tensor; readonly y: Tensor }>> {
  const [x, y] = await Promise.all(
    [images, labels].map((path) => withFile(path, async (file, size) => parseIdx(await readWhole(file, size)))),
  );
  const [rows, height, width] = x!.type.shape;
  if (
    x!.type.dtype !== "u8" ||
    x!.type.shape.length !== 3 ||
    y!.type.dtype !== "u8" ||
    y!.type.shape.length !== 1 ||
    y!.type.shape[0] !== rows
  )
    throw new ShapeError(
      `readMnist: ${images} is ${typeText(x!.type)} and ${labels} ${typeText(y!.type)}; they are images u8[rows, height, width] and labels u8[rows]`,
    );
  return dataset({ x: shares(x!.data, [rows!, 1, height!, width!]), y: hold(i32(rows!), Int32Array.from(y!.data)) });
}

/** Bytes from 0 to 255 as numbers from 0 to 1. */
function shares(bytes: ArrayLike<number>, shape: readonly number[]): Tensor {
  return hold(
    f32(...shape),
    Float32Array.from(bytes, (b) => b / 255),
  );
}

const picture = 3 * 32 * 32;

/**
 * CIFAR-10 in its binary form: records of a label and 3072 bytes, red, green and blue of 32 x 32 pixels. `x` is f32[rows, 3, 32, 32] from 0 to 1, `y`
 * i32[rows]. Format: https://www.cs.toronto.edu/~kriz/cifar.html, "Binary version".
 * @throws ParseError for bytes that are no whole records, and for a label above 9
 */
export function parseCifar10(given: Uint8Array | ArrayBuffer): { readonly x: Tensor; readonly y: Tensor } {
  const bytes = bytesOf("parseCifar10", given, 'readCifar10("data_batch_1.bin")');
  const rows = bytes.length / (picture + 1);
  if (rows === 0 || !Number.isInteger(rows))
    throw new ParseError(
      `cifar: the file has ${bytes.length} bytes, and records of CIFAR-10 have ${picture + 1} each; it is cut short or something else`,
    );
  const x = new Float32Array(rows * picture);
  const y = new Int32Array(rows);
  for (let i = 0; i < rows; i++) {
    const at = i * (picture + 1);
    y[i] = bytes[at]!;
    if (y[i]! > 9) throw new ParseError(`cifar: the label of record ${i} is ${y[i]}; CIFAR-10 has classes 0..9`);
    for (let j = 0; j < picture; j++) x[i * picture + j] = bytes[at + 1 + j]! / 255;
  }
  return { x: hold(f32(rows, 3, 32, 32), x), y: hold(i32(rows), y) };
}

/** CIFAR-10 from its binary files, `data_batch_1.bin` and so on, one after the other. Node only. @throws ParseError, with the path, as `parseCifar10` */
export async function readCifar10(...paths: readonly string[]): Promise<Dataset<{ readonly x: Tensor; readonly y: Tensor }>> {
  const parts = await Promise.all(paths.map((path) => withFile(path, async (file, size) => parseCifar10(await readWhole(file, size)))));
  const rows = parts.reduce((n, { y }) => n + y.data.length, 0);
  const x = new Float32Array(rows * picture);
  const y = new Int32Array(rows);
  let at = 0;
  for (const part of parts) {
    x.set(part.x.data, at * picture);
    y.set(part.y.data, at);
    at += part.y.data.length;
  }
  return dataset({ x: hold(f32(rows, 3, 32, 32), x), y: hold(i32(rows), y) });
}
