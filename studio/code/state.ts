/** What the address says of this tab: the text of the program. Its result is not kept: it runs again when asked to. */
export interface CodeState {
  /** Null: the first example. */
  readonly source: string | null;
}

/** More text than anyone writes by hand; an address with more is cut off here. */
const longest = 200_000;

export const defaultCode: CodeState = { source: null };

/** Reads the slice from anything; what does not fit gets its default. */
export function readCode(given: unknown): CodeState {
  const source = typeof given === "object" && given !== null && "source" in given ? given.source : undefined;
  return typeof source === "string" ? { source: source.slice(0, longest) } : defaultCode;
}
