/** What the address says of this tab. */
export interface GraphState {
  readonly [key: string]: unknown;
}

export const defaultGraph: GraphState = {};

/** Reads the slice from anything; what does not fit gets its default. */
export function readGraph(_given: unknown): GraphState {
  return defaultGraph;
}
