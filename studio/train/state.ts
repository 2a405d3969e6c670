/** What the address says of this tab. */
export interface TrainState {
  readonly [key: string]: unknown;
}

export const defaultTrain: TrainState = {};

/** Reads the slice from anything; what does not fit gets its default. */
export function readTrain(_given: unknown): TrainState {
  return defaultTrain;
}
