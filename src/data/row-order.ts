import { DomainError } from "../ir/errors.ts";
import { fillPermutation } from "../random/fill.ts";
import { fold, key } from "../random/random.ts";

/** The rows from one place up to another. A loop: `Int32Array.from` takes a hundred times as long. */
export function rowsFrom(from: number, to: number): Int32Array {
  const rows = new Int32Array(to - from);
  for (let i = 0; i < rows.length; i++) rows[i] = from + i;
  return rows;
}

/** The rows 0 .. size - 1 in an order of the seed's; `pass` gives further orders of the same seed. @throws DomainError for a seed that is no whole number */
export function rowOrder(seed: number, size: number, pass = 0): Int32Array {
  if (!Number.isSafeInteger(seed)) throw new DomainError(`shuffle: the seed is ${seed}; it is a whole number`);
  const order = new Int32Array(size);
  fillPermutation(fold(key(seed), pass).data, order);
  return order;
}
