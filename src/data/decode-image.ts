import { importInNode } from "../files/node-files.ts";
import { EngineError, ParseError } from "../ir/errors.ts";

/** Pixels by rows from the top, red, green and blue of each, 0 to 255. */
export interface Pixels {
  readonly width: number;
  readonly height: number;
  readonly data: Uint8Array;
}

/** The size that pixels are brought to, and how: stretched, or filled with what sticks out cut off on both sides alike. */
export interface ImageFit {
  readonly height: number;
  readonly width: number;
  readonly fit: "stretch" | "cover";
}

/** The part of sharp that is used here. Declared by hand: the package is an optional peer, and the library compiles without it. */
interface Sharp {
  autoOrient(): Sharp;
  flatten(options: { readonly background: string }): Sharp;
  resize(options: { readonly width: number; readonly height: number; readonly fit: "fill" | "cover" }): Sharp;
  toColourspace(name: string): Sharp;
  raw(): Sharp;
  toBuffer(options: { readonly resolveWithObject: true }): Promise<{
    readonly data: Uint8Array;
    readonly info: { readonly width: number; readonly height: number; readonly channels: number };
  }>;
}
type SharpOf = (bytes: Uint8Array, options: { readonly failOn: "truncated" | "error" | "warning" }) => Sharp;

const signatures: readonly (readonly [kind: string, at: number, bytes: readonly number[]])[] = [
  ["PNG", 0, [0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]],
  ["JPEG", 0, [0xff, 0xd8, 0xff]],
  ["WebP", 8, [0x57, 0x45, 0x42, 0x50]],
];

/** What kind of image the bytes begin as. Asked first, so that no decoder is handed anything else: they know many formats, some of which are programs. */
function kindOf(bytes: Uint8Array): string {
  const found = signatures.find(([, at, magic]) => magic.every((b, i) => bytes[at + i] === b));
  if (found === undefined)
    throw new ParseError(
      bytes.length === 0
        ? "image: the file is empty"
        : `image: it is no PNG, JPEG or WebP image: it begins with the bytes ${[...bytes.subarray(0, 8)].map((b) => b.toString(16).padStart(2, "0")).join(" ")}`,
    );
  return found[0];
}

/**
 * The pixels of a PNG, JPEG or WebP image, turned upright as its camera says, what is transparent on white. In a page the browser decodes, in Node the
 * package sharp.
 * @throws ParseError for bytes that are no such image, or a damaged one; EngineError where there is no decoder
 */
export async function decodeImage(
  bytes: Uint8Array,
  fit: ImageFit | null,
  load: () => Promise<unknown> = () => importInNode("sharp"),
): Promise<Pixels> {
  const kind = kindOf(bytes);
  const inPage = typeof createImageBitmap === "function" && typeof OffscreenCanvas === "function";
  const decode = inPage ? () => byBrowser(bytes, fit) : await bySharp(bytes, fit, load);
  return decode().catch((cause: unknown) => {
    const reason = cause instanceof Error ? cause.message.split("\n")[0] : String(cause);
    throw new ParseError(`image: the ${kind} image cannot be decoded; it is damaged or cut short (${reason})`, { cause });
  });
}

async function bySharp(bytes: Uint8Array, fit: ImageFit | null, load: () => Promise<unknown>): Promise<() => Promise<Pixels>> {
  let sharp: SharpOf;
  try {
    sharp = ((await load()) as { readonly default: SharpOf }).default;
  } catch (cause) {
    throw new EngineError("images are decoded by the package sharp, which is not installed: npm install sharp", { cause });
  }
  return async () => {
    let image = sharp(bytes, { failOn: "truncated" }).autoOrient().flatten({ background: "#ffffff" });
    if (fit !== null) image = image.resize({ width: fit.width, height: fit.height, fit: fit.fit === "cover" ? "cover" : "fill" });
    const { data, info } = await image.toColourspace("srgb").raw().toBuffer({ resolveWithObject: true });
    const { width, height, channels } = info;
    if (channels === 3) return { width, height, data: new Uint8Array(data.buffer, data.byteOffset, data.byteLength) };
    return { width, height, data: three(data, width * height, channels) };
  };
}

async function byBrowser(bytes: Uint8Array, fit: ImageFit | null): Promise<Pixels> {
  const bitmap = await createImageBitmap(new Blob([bytes as Uint8Array<ArrayBuffer>]), { imageOrientation: "from-image" });
  try {
    const { width, height } = fit ?? bitmap;
    const context = new OffscreenCanvas(width, height).getContext("2d", { willReadFrequently: true })!;
    context.fillStyle = "#ffffff";
    context.fillRect(0, 0, width, height);
    context.imageSmoothingQuality = "high";
    const scale = Math.max(width / bitmap.width, height / bitmap.height);
    const [w, h] = fit?.fit === "cover" ? [bitmap.width * scale, bitmap.height * scale] : [width, height];
    context.drawImage(bitmap, (width - w) / 2, (height - h) / 2, w, h);
    return { width, height, data: three(context.getImageData(0, 0, width, height).data, width * height, 4) };
  } finally {
    bitmap.close();
  }
}

/** Red, green and blue of pixels with so many channels, of which one alone is grey. */
function three(data: ArrayLike<number>, pixels: number, channels: number): Uint8Array {
  const out = new Uint8Array(pixels * 3);
  for (let i = 0; i < pixels; i++) for (let c = 0; c < 3; c++) out[3 * i + c] = data[i * channels + (channels < 3 ? 0 : c)]!;
  return out;
}
