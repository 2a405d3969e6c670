// PNG files written by hand, so that what is read is known without the decoder that is tested.
import { deflateSync } from "node:zlib";
import { crc32 } from "../../src/data/crc32.ts";

function chunk(name: string, data: Uint8Array): Uint8Array {
  const out = new Uint8Array(12 + data.length);
  const view = new DataView(out.buffer);
  view.setUint32(0, data.length);
  out.set(new TextEncoder().encode(name), 4);
  out.set(data, 8);
  view.setUint32(8 + data.length, crc32(out.subarray(4, 8 + data.length)));
  return out;
}

const channelsOf = { grey: [0, 1], rgb: [2, 3], rgba: [6, 4] } as const;

/** A PNG file with these samples, row by row; 16-bit samples are big-endian words. */
export function png(
  kind: keyof typeof channelsOf,
  width: number,
  height: number,
  samples: readonly number[],
  bits: 8 | 16 = 8,
): Uint8Array {
  const [code, channels] = channelsOf[kind];
  const head = new Uint8Array(13);
  const view = new DataView(head.buffer);
  view.setUint32(0, width);
  view.setUint32(4, height);
  head.set([bits, code, 0, 0, 0], 8);
  const line = (width * channels * bits) / 8;
  const raw = new Uint8Array(height * (line + 1));
  for (let y = 0; y < height; y++)
    for (let i = 0; i < width * channels; i++) {
      const v = samples[y * width * channels + i]!;
      if (bits === 8) raw[y * (line + 1) + 1 + i] = v;
      else raw.set([v >> 8, v & 255], y * (line + 1) + 1 + 2 * i);
    }
  const parts = [
    Uint8Array.of(0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a),
    chunk("IHDR", head),
    chunk("IDAT", new Uint8Array(deflateSync(raw))),
    chunk("IEND", new Uint8Array(0)),
  ];
  return Uint8Array.from(parts.flatMap((part) => [...part]));
}
