import { ParseError } from "../ir/errors.ts";
import { type OpenFile, reasonOf } from "./node-files.ts";

/** Bytes that are read where they are asked for. What `read` gives is the caller's own, or a view on bytes that are in memory anyway. */
export interface Ranges {
  readonly size: number;
  /** @throws ParseError for what cannot be read and for what does not fit memory; `from` and `to` lie within `size` */
  read(from: number, to: number): Promise<Uint8Array>;
}

/** Node reads at most 2 GiB at a time. */
const mostAtOnce: number = 2 ** 30;

function room(size: number): Uint8Array {
  try {
    return new Uint8Array(size);
  } catch (cause) {
    throw new ParseError(`${size} bytes do not fit memory`, { cause });
  }
}

/** The bytes of a file that is open. */
export function rangesOfFile(file: OpenFile, size: number): Ranges {
  return {
    size,
    read: async (from, to) => {
      const bytes = room(to - from);
      for (let at = 0; at < bytes.length; ) {
        const { bytesRead } = await file.read(bytes, at, Math.min(bytes.length - at, mostAtOnce), from + at).catch((cause: unknown) => {
          throw new ParseError(`cannot read it: ${reasonOf(cause)}`, { cause });
        });
        if (bytesRead === 0) throw new ParseError("it ended while it was read");
        at += bytesRead;
      }
      return bytes;
    },
  };
}

/** The bytes of a file that a user chose in a page: its slices are read from the disk one by one. */
export function rangesOfBlob(blob: Blob): Ranges {
  return {
    size: blob.size,
    read: async (from, to) => {
      try {
        return new Uint8Array(await blob.slice(from, to).arrayBuffer());
      } catch (cause) {
        throw new ParseError(`cannot read bytes ${from} to ${to} of it: ${reasonOf(cause)}`, { cause });
      }
    },
  };
}

/** Bytes in memory. */
export function rangesOfBytes(bytes: Uint8Array): Ranges {
  return { size: bytes.length, read: (from, to) => Promise.resolve(bytes.subarray(from, to)) };
}
