import { isTensor } from "../ir/leaf.ts";
import { leaves } from "../ir/tree.ts";
import { typeText } from "../ir/type.ts";
import { crc32 } from "./crc32.ts";

/** Rows and bytes that are looked at: enough to tell data from other data, and few enough to be read in a moment, each row by itself. */
const enough: { readonly rows: number; readonly bytes: number } = { rows: 1024, bytes: 2 ** 22 };

/** Rows that stand for all: every one where they are few, and else some, evenly apart, with the first and the last. */
export function standingRows(rows: number, bytesOfRow: number): Int32Array {
  const count = Math.min(rows, enough.rows, Math.max(2, Math.floor(enough.bytes / Math.max(1, bytesOfRow))));
  return Int32Array.from({ length: count }, (_, i) => (count === 1 ? 0 : Math.round((i * (rows - 1)) / (count - 1))));
}

/** A checksum, eight digits, of the tensors in a tree: their names, types and elements. */
export function checksumOf(tree: unknown): string {
  let sum = "";
  for (const { path, leaf } of leaves(tree))
    if (isTensor(leaf)) {
      const { buffer, byteOffset, byteLength } = leaf.data;
      const elements = crc32(new Uint8Array(buffer, byteOffset, byteLength));
      sum = hex(crc32(new TextEncoder().encode(`${sum} ${path} ${typeText(leaf.type)} ${hex(elements)}`)));
    }
  return sum;
}

function hex(sum: number): string {
  return sum.toString(16).padStart(8, "0");
}
