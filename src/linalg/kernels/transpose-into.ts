import type { NumberArray } from "../../ir/dtype.ts";

/** Writes the transpose of the first `rows` by `columns` elements of a, row-major, to `to` from `at` on. */
export function transposeInto(a: NumberArray, rows: number, columns: number, to: NumberArray, at: number): void {
  for (let i = 0; i < rows; i++) for (let j = 0; j < columns; j++) to[at + j * rows + i] = a[i * columns + j]!;
}
