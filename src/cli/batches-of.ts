import type { Batches } from "../data/batches.ts";
import type { Columns } from "../data/dataset.ts";
import { rowsFrom } from "../data/row-order.ts";
import { type RowStore, type StoreOptions, storeBatches, storeChecksum } from "../data/row-store.ts";
import { prefetch } from "../data/sources.ts";

/** Batches of some rows of a store, all where none are named; what is read from a file is read ahead of the step that needs it. */
export async function batchesOf(
  store: RowStore<Columns>,
  places: Int32Array | null,
  options: StoreOptions,
  held: boolean,
): Promise<Batches<Columns>> {
  const size = places?.length ?? store.size;
  const checksum = size === 0 ? null : await storeChecksum(store, places ?? rowsFrom(0, size));
  const batches = storeBatches(store, places, options, checksum === null ? {} : { checksum });
  return held ? batches : prefetch(batches);
}
