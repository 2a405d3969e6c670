import { EngineError } from "../ir/errors.ts";
import type { Library } from "./library.ts";

/** @throws EngineError with the library's own words */
export function checked(library: Library, code: number, what: string): void {
  if (code === 0) return;
  const text = new Uint8Array(1024);
  const length = new Int32Array(1);
  library.call.Error_string(code, text, length);
  throw new EngineError(
    `mpi: ${what} failed: ${new TextDecoder().decode(text.subarray(0, length[0])) || `error ${code}`}; do all ranks give the same type?`,
  );
}
