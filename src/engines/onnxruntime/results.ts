import type { NumberArray } from "../../ir/dtype.ts";
import type { Tensor } from "../../ir/tensor.ts";

/** Smaller arrays are left to the garbage collector: sending one off costs a microsecond. */
const leastSent = 2 ** 13;
let closed: MessagePort | null = null;

/** Whether a result is not in the place that it was to be written to. No document promises that it is there. */
export function isUnfilled(told: NumberArray, place: Tensor | null): boolean {
  return place !== null && told !== place.data && told.some((x, i) => !Object.is(x, place.data[i]));
}

/**
 * Gives back the memory of results that were filled in elsewhere. Node's binding answers with a copy of each result, of those too that it wrote where it was told to, and for steps of a
 * training these are all weights, each time: left to the garbage collector they make it search the whole heap every few dozen steps, and each step writes
 * to memory that is in no cache. What is sent to a closed port is taken from here and given up at once.
 */
export function dropCopies(told: readonly NumberArray[], filled: readonly (Tensor | null)[]): void {
  const copies = told.flatMap(({ buffer }, i) => {
    const place = filled[i];
    return place != null && buffer !== place.data.buffer && buffer.byteLength >= leastSent ? [buffer as ArrayBuffer] : [];
  });
  if (copies.length === 0) return;
  if (closed === null) {
    closed = new MessageChannel().port1;
    closed.close();
  }
  closed.postMessage(null, [...new Set(copies)]);
}
