/** What the address says of this tab. */
export interface CodeState {
  readonly [key: string]: unknown;
}

export const defaultCode: CodeState = {};

/** Reads the slice from anything; what does not fit gets its default. */
export function readCode(_given: unknown): CodeState {
  return defaultCode;
}
