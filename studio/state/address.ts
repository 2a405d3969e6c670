import { type AppState, isRecord, readState, stateVersion } from "./slices.ts";

/** More than this of unpacked text is nobody's state: an address that unpacks to it is refused (a "zip bomb"). */
const mostText = 3_000_000;

async function through(bytes: Uint8Array<ArrayBuffer>, stream: GenericTransformStream, most: number): Promise<Uint8Array> {
  const reader = new Blob([bytes]).stream().pipeThrough(stream).getReader();
  const parts: Uint8Array[] = [];
  let length = 0;
  for (;;) {
    const { done, value } = await reader.read();
    if (done) break;
    length += value.length;
    if (length > most) {
      await reader.cancel();
      throw new Error("too long");
    }
    parts.push(value);
  }
  const whole = new Uint8Array(length);
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}

/** The state as text for the address's hash: JSON, deflated, in base64url; empty where it is more than an address may bring. */
export async function packState(state: AppState): Promise<string> {
  const text = new TextEncoder().encode(JSON.stringify({ v: stateVersion, ...state }));
  if (text.length > mostText) return "";
  const packed = await through(text, new CompressionStream("deflate-raw"), Number.POSITIVE_INFINITY);
  let binary = "";
  for (const byte of packed) binary += String.fromCharCode(byte);
  return btoa(binary).replaceAll("+", "-").replaceAll("/", "_").replace(/=+$/, "");
}

/** What an address said, and whether it could be read and is of this version. */
export interface Unpacked {
  readonly state: AppState;
  readonly trouble: "garbled" | "version" | null;
}

/** Reads the hash of an address; what cannot be read gives the state that the page begins with, and says so. */
export async function unpackState(hash: string): Promise<Unpacked> {
  try {
    const binary = atob(hash.replaceAll("-", "+").replaceAll("_", "/"));
    const bytes = await through(
      Uint8Array.from(binary, (c) => c.charCodeAt(0)),
      new DecompressionStream("deflate-raw"),
      mostText,
    );
    const given: unknown = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes));
    return { state: readState(given), trouble: isRecord(given) && given["v"] === stateVersion ? null : "version" };
  } catch {
    return { state: readState(undefined), trouble: "garbled" };
  }
}
