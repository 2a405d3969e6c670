/** How much of some files was read. */
export type ReadSoFar = (bytes: number, of: number) => void;

/** A part of up to so many bytes is read at once: a stream takes longer to begin than that to read. */
const mostAtOnce: number = 2 ** 20;

/**
 * Files that tell how much of them was read, all together, at most 30 times a second and at their end. Each is read as the file itself: whole, as text, or
 * a part of it.
 */
export function countedFiles(files: readonly File[], tell: ReadSoFar): File[] {
  const of = files.reduce((sum, { size }) => sum + size, 0);
  let done = 0;
  let last = 0;
  const add = (bytes: number): void => {
    // A file that is read again begins no second hundred per cent.
    done = Math.min(of, done + bytes);
    const now = performance.now();
    if (now - last < 33 && done < of) return;
    last = now;
    tell(done, of);
  };
  const read = async (blob: Blob): Promise<ArrayBuffer> => {
    if (blob.size <= mostAtOnce) {
      const bytes = await Blob.prototype.arrayBuffer.call(blob);
      add(bytes.byteLength);
      return bytes;
    }
    const whole = new Uint8Array(blob.size);
    const reader = blob.stream().getReader();
    let at = 0;
    for (;;) {
      const { done: ended, value } = await reader.read();
      if (ended) break;
      whole.set(value, at);
      at += value.length;
      add(value.length);
    }
    return whole.buffer;
  };
  return files.map((file) => {
    // A file of a file holds no second copy of it.
    const counted = new File([file], file.name, { type: file.type });
    return Object.assign(counted, {
      arrayBuffer: () => read(file),
      text: async () => new TextDecoder().decode(await read(file)),
      slice: (from?: number, to?: number) => {
        const part = file.slice(from, to);
        return Object.assign(part, { arrayBuffer: () => read(part) });
      },
    });
  });
}
