import { readWhole, withFile } from "../files/open-file.ts";
import { DomainError, ParseError } from "../ir/errors.ts";
import { hold, type Tensor } from "../ir/tensor.ts";
import { tensorType } from "../ir/type.ts";
import { decodeImage, type ImageFit, type Pixels } from "./decode-image.ts";
import { bytesOf } from "./given-data.ts";

/** How an image becomes a tensor. */
export interface ImageOptions {
  /** The size of the result, one number for a square or [height, width]; its own when left out. */
  readonly size?: number | readonly [height: number, width: number];
  /** How it is brought to that size: `"stretch"` (when left out), or `"cover"`, which keeps its shape and cuts off what sticks out on both sides alike. */
  readonly fit?: "stretch" | "cover";
  /** One channel, 0.299 red + 0.587 green + 0.114 blue (ITU-R BT.601, as Pillow and OpenCV have it), instead of three. */
  readonly grey?: boolean;
  /** `"f32"` (when left out) from 0 to 1, or `"u8"` from 0 to 255. */
  readonly dtype?: "f32" | "u8";
}

/** Options of images, checked. */
export interface ImageForm {
  readonly fit: ImageFit | null;
  readonly grey: boolean;
  readonly dtype: "f32" | "u8";
}

/** @throws DomainError for options that are none */
export function imageForm(who: string, { size, fit = "stretch", grey = false, dtype = "f32" }: ImageOptions): ImageForm {
  if (fit !== "stretch" && fit !== "cover") throw new DomainError(`${who}: fit is ${String(fit)}; it is "stretch" or "cover"`);
  if (dtype !== "f32" && dtype !== "u8") throw new DomainError(`${who}: dtype is ${String(dtype)}; it is "f32", from 0 to 1, or "u8"`);
  if (size === undefined) return { fit: null, grey, dtype };
  const sides = typeof size === "number" ? [size, size] : size;
  if (sides.length !== 2 || sides.some((n) => !Number.isInteger(n) || n < 1 || n > 2 ** 14))
    throw new DomainError(
      `${who}: size is ${JSON.stringify(size)}; it is a number of pixels, or [height, width], each a whole number from 1 to 16384`,
    );
  return { fit: { height: sides[0]!, width: sides[1]!, fit }, grey, dtype };
}

/** Pixels as a tensor, channels last or first. */
export function tensorOfPixels({ width, height, data }: Pixels, { grey, dtype }: ImageForm, order: "last" | "first"): Tensor {
  const channels = grey ? 1 : 3;
  const pixels = width * height;
  const out = dtype === "f32" ? new Float32Array(pixels * channels) : new Uint8Array(pixels * channels);
  const scale = dtype === "f32" ? 255 : 1;
  const [step, stride] = order === "last" ? [channels, 1] : [1, pixels];
  for (let i = 0; i < pixels; i++) {
    const [r, g, b] = [data[3 * i]!, data[3 * i + 1]!, data[3 * i + 2]!];
    if (grey) {
      const level = (299 * r + 587 * g + 114 * b) / 1000;
      out[i] = dtype === "f32" ? level / 255 : Math.round(level);
    } else {
      out[i * step] = r / scale;
      out[i * step + stride] = g / scale;
      out[i * step + 2 * stride] = b / scale;
    }
  }
  return hold(tensorType(dtype, order === "last" ? [height, width, channels] : [channels, height, width]), out);
}

/**
 * Reads a PNG, JPEG or WebP image: [height, width, channels], three channels or one. It is turned upright as its camera says; what is transparent lies on white.
 * Networks take channels first: `transpose(image, { axes: [2, 0, 1] })`, as {@link imageFolder} gives them.
 *
 * In Node the package `sharp` decodes (an optional peer: `npm install sharp`), in a page the browser. Pixels that are not resized are the same in both, but
 * for the last bit of a JPEG image.
 * @param source a path in Node, an address in a page, or the bytes of the file
 * @throws ParseError, with the path, for what cannot be read, is no such image, damaged or cut short; EngineError where sharp is not installed; DomainError
 *   for a size or a dtype that is none
 */
export async function readImage(source: string | Uint8Array | ArrayBuffer | Blob, options: ImageOptions = {}): Promise<Tensor> {
  const form = imageForm("readImage", options);
  const read = async (bytes: Uint8Array): Promise<Tensor> => tensorOfPixels(await decodeImage(bytes, form.fit), form, "last");
  if (typeof source !== "string")
    return read(bytesOf("readImage", source instanceof Blob ? await source.arrayBuffer() : source, 'its path, readImage("cat.png")'));
  if (typeof createImageBitmap === "function") return read(await fetched(source));
  return withFile(source, async (file, size) => read(await readWhole(file, size)));
}

async function fetched(address: string): Promise<Uint8Array> {
  const answer = await fetch(address);
  if (!answer.ok) throw new ParseError(`${address}: it cannot be fetched: ${answer.status} ${answer.statusText}`);
  return new Uint8Array(await answer.arrayBuffer());
}
