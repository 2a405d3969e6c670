import { hold, type Tensor } from "../../ir/tensor.ts";
import { leaves, rebuild } from "../../ir/tree.ts";
import { tensorType } from "../../ir/type.ts";
import type { Ranks } from "../../mpi/ranks.ts";

/** A list of numbers of each rank, on all of them. `columns` is how many each has; ranks with fewer have NaN at the end. */
export async function together(
  ranks: Ranks,
  own: readonly number[],
): Promise<{ readonly each: (column: number) => number[]; readonly columns: number }> {
  const columns = own.length;
  const rows = Array.from({ length: ranks.size }, () => 1);
  const all = await ranks.allGather(hold(tensorType("f64", [1, columns]), Float64Array.from(own)), { rows });
  return { each: (column) => Array.from({ length: ranks.size }, (_, rank) => all.data[rank * columns + column]!), columns };
}

/** A text of each rank, on all of them. */
export async function texts(ranks: Ranks, own: string): Promise<string[]> {
  const bytes = new TextEncoder().encode(own);
  const rows = Array.from({ length: ranks.size }, () => 1);
  const sizes = await ranks.allGather(hold(tensorType("f64", [1]), Float64Array.of(bytes.length)), { rows });
  const lengths = [...sizes.data];
  const all = await ranks.allGather(hold(tensorType("u8", [bytes.length]), bytes), { rows: lengths });
  let at = 0;
  return lengths.map((n) => new TextDecoder().decode((all.data as Uint8Array).slice(at, (at += n))));
}

/** Bytes of rank 0, on all of them; null where it has none. */
export async function bytesOfFirst(ranks: Ranks, own: Uint8Array | null): Promise<Uint8Array | null> {
  const size = await ranks.broadcast(hold(tensorType("f64", []), Float64Array.of(own === null ? -1 : own.length)));
  const length = size.data[0]!;
  if (length < 0) return null;
  const bytes = hold(tensorType("u8", [length]), own ?? new Uint8Array(length));
  return (await ranks.broadcast(bytes)).data as Uint8Array;
}

/** A tree of tensors as rank 0 has it, on all of them. */
export async function treeOfFirst<T>(ranks: Ranks, tree: T): Promise<T> {
  const sent = new Map<string, Tensor>();
  for (const { path, leaf } of leaves(tree)) sent.set(path, await ranks.broadcast(leaf as Tensor));
  return rebuild(tree, (_, path) => sent.get(path)!) as T;
}
