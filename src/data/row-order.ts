import { DomainError } from "../ir/errors.ts";
import { fillOrder } from "../random/order.ts";
import { foldNumber, keyOfSeed } from "../random/threefry.ts";

/** The rows from one place up to another. A loop: `Int32Array.from` takes a hundred times as long. */
export function rowsFrom(from: number, to: number): Int32Array {
  const rows = new Int32Array(to - from);
  for (let i = 0; i < rows.length; i++) rows[i] = from + i;
  return rows;
}

/**
 * Writes the rows 0 .. order.length - 1 in an order of the seed's; `pass` gives further orders of the same seed: that of `random.permutation` for the key
 * `random.fold(random.key(seed), pass)`. @throws DomainError for a seed or a pass that is no whole number
 */
export function orderRows(seed: number, order: Int32Array, pass = 0): void {
  if (!Number.isSafeInteger(seed)) throw new DomainError(`shuffle: the seed is ${seed}; it is a whole number`);
  if (!Number.isSafeInteger(pass)) throw new DomainError(`shuffle: the pass is ${pass}; it is a whole number`);
  const key = new Int32Array(2);
  keyOfSeed(seed, key);
  foldNumber(key, pass, key);
  fillOrder(key, order);
}

/** The same as rows of their own. */
export function rowOrder(seed: number, size: number, pass = 0): Int32Array {
  const order = new Int32Array(size);
  orderRows(seed, order, pass);
  return order;
}
