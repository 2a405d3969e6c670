import { ParseError } from "../ir/errors.ts";

function oneChunk(bytes: Uint8Array): ReadableStream<Uint8Array<ArrayBuffer>> {
  return new ReadableStream({
    start(controller) {
      if (bytes.length > 0) controller.enqueue(new Uint8Array(bytes));
      controller.close();
    },
  });
}

/**
 * Unpacks raw deflate data of a known size.
 * @throws ParseError when the data is damaged or unpacks to another size; it stops as soon as there is too much
 */
export async function inflate(packed: Uint8Array, size: number, where: string): Promise<Uint8Array> {
  const reader = oneChunk(packed).pipeThrough(new DecompressionStream("deflate-raw")).getReader();
  const chunks: Uint8Array[] = [];
  let length = 0;
  try {
    for (let next = await reader.read(); !next.done; next = await reader.read()) {
      length += next.value.length;
      if (length > size) break;
      chunks.push(next.value);
    }
  } catch (cause) {
    throw new ParseError(`${where} is damaged: it does not unpack (${cause instanceof Error ? cause.message : cause})`, { cause });
  }
  if (length > size) {
    await reader.cancel().catch(() => undefined);
    throw new ParseError(`${where} unpacks to more than the ${size} bytes it declares`);
  }
  if (length < size) throw new ParseError(`${where} unpacks to ${length} bytes and declares ${size}`);
  return join(chunks, length);
}

/** Packs as raw deflate data. */
export async function deflate(bytes: Uint8Array): Promise<Uint8Array> {
  const reader = oneChunk(bytes).pipeThrough(new CompressionStream("deflate-raw")).getReader();
  const chunks: Uint8Array[] = [];
  let length = 0;
  for (let next = await reader.read(); !next.done; next = await reader.read()) {
    length += next.value.length;
    chunks.push(next.value);
  }
  return join(chunks, length);
}

function join(chunks: readonly Uint8Array[], length: number): Uint8Array {
  const out = new Uint8Array(length);
  let at = 0;
  for (const chunk of chunks) {
    out.set(chunk, at);
    at += chunk.length;
  }
  return out;
}
