/** What the address says of this tab: how the picture is shown. Files themselves stay on the reader's machine. */
export interface ImportState {
  /** How many levels of modules are open; null: as many as are comfortable. */
  readonly depth: number | null;
}

export const defaultImport: ImportState = { depth: null };

/** Reads the slice from anything; what does not fit gets its default. */
export function readImport(given: unknown): ImportState {
  const depth = typeof given === "object" && given !== null && "depth" in given ? given.depth : null;
  return { depth: typeof depth === "number" && Number.isInteger(depth) && depth >= 0 && depth <= 20 ? depth : null };
}
