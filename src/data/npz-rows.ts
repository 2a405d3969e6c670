import type { OpenFile } from "../files/node-files.ts";
import { withFile } from "../files/open-file.ts";
import { ParseError } from "../ir/errors.ts";
import { crc32 } from "./crc32.ts";
import { checkSize, npyLayout } from "./npy.ts";
import { ofArray } from "./npz.ts";
import { type RowsInFile, readAt } from "./rows-in-files.ts";
import { type ZipPlace, zipPlaces } from "./zip.ts";

/** More than the header of any .npy file. */
const longestHeader = 2 ** 16;
const blockBytes = 2 ** 22;

/**
 * Where the arrays of a .npz file lie, by name, as `np.savez` writes them; their checksums are looked at once. Null where a row has no place of its own: in a compressed file
 * (`np.savez_compressed`), and in one with column-major arrays.
 * @throws ParseError, with the path, for a file that cannot be read or is none, and for arrays whose checksum is not as declared
 */
export async function npzColumns(path: string): Promise<ReadonlyMap<string, RowsInFile> | null> {
  return withFile(path, async (file, size) => {
    const read = async (from: number, to: number): Promise<Uint8Array> => {
      const bytes = new Uint8Array(to - from);
      await readAt(file, bytes, from);
      return bytes;
    };
    const members = await zipPlaces(read, size);
    if (members.some(({ method, name }) => method !== "stored" || !name.endsWith(".npy"))) return null;
    const found = new Map<string, RowsInFile>();
    for (const member of members) {
      const name = member.name.slice(0, -4);
      const head = await read(member.from, Math.min(member.to, member.from + longestHeader));
      const { type, order, columns, start } = ofArray(name, () => {
        const layout = npyLayout(head);
        checkSize(layout.type, member.size - layout.start);
        return layout;
      });
      if (columns && type.shape.length > 1) return null;
      found.set(name, { path, label: `${name} of ${path}`, format: "npy", type, order, start: member.from + start });
    }
    for (const member of members) await checkSum(file, member);
    return found;
  });
}

async function checkSum(file: OpenFile, { name, from, to, crc }: ZipPlace): Promise<void> {
  const block = new Uint8Array(Math.min(blockBytes, to - from));
  let sum = 0;
  for (let at = from; at < to; at += block.length) {
    const piece = block.subarray(0, Math.min(block.length, to - at));
    await readAt(file, piece, at);
    sum = crc32(piece, sum);
  }
  if (sum !== crc) throw new ParseError(`zip: ${name} is damaged: its checksum does not match`);
}
