import type { NumberArray } from "../../ir/dtype.ts";
import type { AxisLayout } from "./walk.ts";

/** Lines up to this length are sorted by insertion. */
const SHORT = 12;
/** Up to this k, top-k keeps a sorted list instead of sorting the whole line. */
const FEW = 64;

/** The buffers for one line, used again for the next. */
interface Line {
  /** What is compared, smaller first: the elements, negated for descending order. */
  readonly keys: Float64Array;
  order: Int32Array;
  spare: Int32Array;
}

function lineOf(size: number): Line {
  return { keys: new Float64Array(size), order: new Int32Array(size), spare: new Int32Array(size) };
}

/**
 * Reads a line's keys and writes the positions of its numbers to order[at ...] and of its NaNs to the rest, both in the order in which they stand; NaN
 * counts as largest, so descending puts it first. Returns how many NaNs there are.
 */
function readLine(line: Line, x: NumberArray, start: number, step: number, size: number, descending: boolean): number {
  const { keys, order } = line;
  let nans = 0;
  for (let i = 0; i < size; i++) {
    const value = x[start + i * step]!;
    keys[i] = descending ? -value : value;
    if (Number.isNaN(value)) nans++;
  }
  let number = descending ? nans : 0;
  let nan = descending ? 0 : size - nans;
  for (let i = 0; i < size; i++) {
    if (Number.isNaN(keys[i]!)) order[nan++] = i;
    else order[number++] = i;
  }
  return nans;
}

function insertionSort(keys: Float64Array, order: Int32Array, from: number, to: number): void {
  for (let i = from + 1; i < to; i++) {
    const moved = order[i]!;
    const key = keys[moved]!;
    let j = i - 1;
    while (j >= from && keys[order[j]!]! > key) {
      order[j + 1] = order[j]!;
      j--;
    }
    order[j + 1] = moved;
  }
}

/** Stable bottom-up merge sort of order[from, to) by key. */
function mergeSort(line: Line, from: number, to: number): void {
  const { keys } = line;
  for (let low = from; low < to; low += SHORT) insertionSort(keys, line.order, low, Math.min(low + SHORT, to));
  for (let width = SHORT; width < to - from; width *= 2) {
    const { order, spare } = line;
    spare.set(order.subarray(0, from));
    spare.set(order.subarray(to), to);
    for (let low = from; low < to; low += 2 * width) {
      const middle = Math.min(low + width, to);
      const high = Math.min(low + 2 * width, to);
      let left = low;
      let right = middle;
      for (let at = low; at < high; at++) {
        const takeLeft = right >= high || (left < middle && keys[order[left]!]! <= keys[order[right]!]!);
        spare[at] = takeLeft ? order[left++]! : order[right++]!;
      }
    }
    line.order = spare;
    line.spare = order;
  }
}

/** Leaves the positions of the `k` smallest of order[from, to) sorted at its start, by insertion into a list that never grows beyond k. */
function selectFew(line: Line, from: number, to: number, k: number): void {
  const { keys, order } = line;
  for (let i = from + 1; i < to; i++) {
    const moved = order[i]!;
    const key = keys[moved]!;
    let j = Math.min(i, from + k);
    if (j === from + k && keys[order[j - 1]!]! <= key) continue;
    if (j === from + k) j--;
    while (j > from && keys[order[j - 1]!]! > key) {
      order[j] = order[j - 1]!;
      j--;
    }
    order[j] = moved;
  }
}

/** Writes the first `k` of each sorted line. `values` and `indices` are [outer, k, inner]. */
function sortLines(x: NumberArray, layout: AxisLayout, k: number, descending: boolean, values: NumberArray, indices: NumberArray): void {
  const { outer, size, inner } = layout;
  const line = lineOf(size);
  for (let o = 0; o < outer; o++) {
    for (let r = 0; r < inner; r++) {
      const start = o * size * inner + r;
      const nans = readLine(line, x, start, inner, size, descending);
      const from = descending ? nans : 0;
      const to = descending ? size : size - nans;
      const wanted = Math.min(k - from, to - from);
      if (wanted > 0) {
        if (wanted <= FEW && wanted * 4 < to - from) selectFew(line, from, to, wanted);
        else mergeSort(line, from, to);
      }
      const { order } = line;
      for (let j = 0; j < k; j++) {
        const at = (o * k + j) * inner + r;
        values[at] = x[start + order[j]! * inner]!;
        indices[at] = order[j]!;
      }
    }
  }
}

/** Sorts along an axis, stably in both directions; NaN counts as largest, as in PyTorch. `values` and `indices` have x's layout. */
export function sortInto(x: NumberArray, layout: AxisLayout, descending: boolean, values: NumberArray, indices: NumberArray): void {
  sortLines(x, layout, layout.size, descending, values, indices);
}

/**
 * The k largest (or smallest) along an axis, best first, of equals the first; NaN counts as largest. `values` and `indices` are [outer, k, inner];
 * 0 <= k <= size.
 */
export function topKInto(x: NumberArray, layout: AxisLayout, k: number, largest: boolean, values: NumberArray, indices: NumberArray): void {
  sortLines(x, layout, k, largest, values, indices);
}

/** The position of the largest element along an axis, the first of equals; the first NaN wins. `indices` is [outer, inner]; size >= 1. */
export function argMaxInto(x: NumberArray, layout: AxisLayout, indices: NumberArray): void {
  argExtreme(x, layout, 1, indices);
}

/** The position of the smallest element along an axis, the first of equals; the first NaN wins. `indices` is [outer, inner]; size >= 1. */
export function argMinInto(x: NumberArray, layout: AxisLayout, indices: NumberArray): void {
  argExtreme(x, layout, -1, indices);
}

function argExtreme(x: NumberArray, layout: AxisLayout, sign: number, indices: NumberArray): void {
  const { outer, size, inner } = layout;
  for (let o = 0; o < outer; o++) {
    for (let r = 0; r < inner; r++) {
      const start = o * size * inner + r;
      let best = sign * x[start]!;
      let at = 0;
      for (let i = 1; i < size && !Number.isNaN(best); i++) {
        const value = sign * x[start + i * inner]!;
        if (value > best || Number.isNaN(value)) {
          best = value;
          at = i;
        }
      }
      indices[o * inner + r] = at;
    }
  }
}
