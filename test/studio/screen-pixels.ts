import sharp from "sharp";

/** The pixels of a picture, three numbers each, row by row. */
export interface Pixels {
  readonly width: number;
  readonly height: number;
  readonly rgb: Uint8Array;
}

/**
 * How far a channel of a pixel may lie from the reference's before the pixel counts as another one. The edges of letters are grey, and how grey
 * depends on the version of the font's rasteriser and on the machine's hinting; a letter that stands elsewhere changes from paper to ink, which is
 * three times as much (`docs/decisions/0046-screens.md` has the measurements).
 */
export const tolerance = 64;

/** The share of pixels that may differ. */
export const mostDiffering = 0.005;

export async function readPixels(png: Uint8Array | string): Promise<Pixels> {
  const { data, info } = await sharp(png).removeAlpha().toColourspace("srgb").raw().toBuffer({ resolveWithObject: true });
  return { width: info.width, height: info.height, rgb: new Uint8Array(data) };
}

/** @returns a picture as a small PNG: at most 256 colours, each within a few levels of what it was */
export async function smallPng(png: Uint8Array): Promise<Uint8Array> {
  return sharp(png).removeAlpha().png({ palette: true, colours: 256, dither: 0, effort: 10, compressionLevel: 9 }).toBuffer();
}

const isOther = (a: Pixels, b: Pixels, i: number, most: number): boolean =>
  Math.abs(a.rgb[i]! - b.rgb[i]!) > most ||
  Math.abs(a.rgb[i + 1]! - b.rgb[i + 1]!) > most ||
  Math.abs(a.rgb[i + 2]! - b.rgb[i + 2]!) > most;

/** @returns the share of pixels that differ, from 0 to 1; 1 where the sizes differ */
export function differing(a: Pixels, b: Pixels, most: number = tolerance): number {
  if (a.width !== b.width || a.height !== b.height) return 1;
  let count = 0;
  for (let i = 0; i < a.rgb.length; i += 3) if (isOther(a, b, i, most)) count++;
  return (3 * count) / a.rgb.length;
}

/** @returns the same picture moved to the right by some pixels, its left edge drawn out */
export function shifted({ width, height, rgb }: Pixels, by: number): Pixels {
  const moved = new Uint8Array(rgb.length);
  for (let y = 0; y < height; y++)
    for (let x = 0; x < width; x++) {
      const from = 3 * (y * width + Math.max(0, x - by));
      moved.set(rgb.subarray(from, from + 3), 3 * (y * width + x));
    }
  return { width, height, rgb: moved };
}

/** A picture of where two differ, for who has to look: red where they do, the reference pale beneath. */
export async function differencePng(wanted: Pixels, found: Pixels): Promise<Uint8Array> {
  const drawn = Uint8Array.from(wanted.rgb, (v) => 255 - ((255 - v) >> 2));
  if (wanted.rgb.length === found.rgb.length)
    for (let i = 0; i < drawn.length; i += 3) if (isOther(wanted, found, i, tolerance)) drawn.set([220, 0, 40], i);
  return sharp(drawn, { raw: { width: wanted.width, height: wanted.height, channels: 3 } })
    .png()
    .toBuffer();
}
