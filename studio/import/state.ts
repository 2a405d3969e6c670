/** What the address says of this tab. */
export interface ImportState {
  readonly [key: string]: unknown;
}

export const defaultImport: ImportState = {};

/** Reads the slice from anything; what does not fit gets its default. */
export function readImport(_given: unknown): ImportState {
  return defaultImport;
}
