import { allocate } from "../../ir/dtype.ts";
import { InternalError } from "../../ir/errors.ts";
import type { Value } from "../../ir/node.ts";
import { sizeOf } from "../../ir/shape.ts";
import { hold, type Tensor } from "../../ir/tensor.ts";
import { rebuild } from "../../ir/tree.ts";
import { sameType, tensorType } from "../../ir/type.ts";
import type { Ranks } from "../../mpi/ranks.ts";
import { reshape } from "../../ops/linear/reshape.ts";
import { slice } from "../../ops/linear/slice.ts";
import type { Optimizer, OptimizerState } from "../../optim/optimizer.ts";
import { ownOf } from "../feed.ts";
import type { Bucket, Place } from "./buckets.ts";

/** Elements of a leaf as it lies flat, from one and up to another, and where they lie among those that their rank has of the bucket. */
interface Piece {
  readonly place: Place;
  readonly from: number;
  readonly to: number;
  readonly at: number;
}

/**
 * Who updates what: each rank its own elements of every bucket, for which alone it keeps the numbers of the optimiser (Rajbhandari, Rasley, Ruwase and He 2020, "ZeRO:
 * Memory Optimizations Toward Training Trillion Parameter Models", stage 1). Shares are even to one element; where an optimiser looks at whole parameters
 * each parameter is one rank's, the largest first, always to the rank that has least.
 */
export class Shards {
  readonly buckets: readonly Bucket[];
  /** For each bucket the number of elements of each rank, in their order. */
  readonly rows: readonly (readonly number[])[];
  private readonly optimizer: Optimizer;
  private readonly rank: number;
  private readonly whole: boolean;
  /** For each rank its pieces by path. */
  private readonly pieces: readonly ReadonlyMap<string, Piece>[];
  /** The state of the optimiser as one process has it, by types, and which of its keys are shared out. */
  private layout: { readonly types: Readonly<Record<string, Tensor["type"]>>; readonly divided: ReadonlySet<string> } | null = null;

  constructor(buckets: readonly Bucket[], { rank, size }: Ranks, optimizer: Optimizer) {
    this.rank = rank;
    this.optimizer = optimizer;
    this.whole = optimizer.elementwise !== true;
    if (this.whole) {
      const owner = ownersOf(buckets, size);
      this.buckets = buckets.map(({ type, places }) => ({ type, places: inOrderOf(places, owner) }));
      this.rows = this.buckets.map(({ places }) =>
        Array.from({ length: size }, (_, r) => places.reduce((n, p) => n + (owner.get(p.path) === r ? p.length : 0), 0)),
      );
    } else {
      this.buckets = buckets;
      this.rows = buckets.map(({ type }) => Array.from({ length: size }, (_, r) => ownOf(type.shape[0]!, r, size).rows));
    }
    this.pieces = Array.from({ length: size }, (_, r) => this.piecesOf(r));
  }

  private piecesOf(rank: number): ReadonlyMap<string, Piece> {
    const found = new Map<string, Piece>();
    this.buckets.forEach(({ places }, i) => {
      const first = this.firstOf(i, rank);
      const last = first + this.rows[i]![rank]!;
      for (const place of places) {
        const from = Math.max(first, place.start);
        const to = Math.min(last, place.start + place.length);
        const piece = to > from ? { from: from - place.start, to: to - place.start, at: from - first } : { from: 0, to: 0, at: 0 };
        found.set(place.path, { place, ...piece });
      }
    });
    return found;
  }

  /** Where the elements of a rank begin in a bucket. */
  firstOf(bucket: number, rank: number = this.rank): number {
    return this.rows[bucket]!.slice(0, rank).reduce((a, b) => a + b, 0);
  }

  /** The leaves of a tree of parameters as this rank updates them: its pieces, flat; what is in no bucket as it is. */
  parts(params: unknown): unknown {
    return rebuild(params, (leaf, path) => {
      const piece = this.pieces[this.rank]!.get(path);
      if (piece === undefined) return leaf;
      if (this.isAll(piece)) return leaf;
      return slice(reshape(leaf as Value, { shape: [piece.place.length] }), { start: piece.from, end: piece.to });
    });
  }

  /** The same of tensors. */
  private partsOfTensors(params: unknown, of: (path: string) => Piece | "nothing" | undefined): unknown {
    return rebuild(params, (leaf, path) => {
      const piece = of(path);
      if (piece === undefined || (piece !== "nothing" && this.isAll(piece))) return leaf;
      const { type, data } = leaf as Tensor;
      if (piece === "nothing") return hold(tensorType(type.dtype, [0]), allocate(type.dtype, 0));
      return hold(tensorType(type.dtype, [piece.to - piece.from]), data.slice(piece.from, piece.to));
    });
  }

  /** Where whole parameters are dealt out, those of this rank keep their shapes. */
  private isAll({ from, to, place }: Piece): boolean {
    return this.whole && to - from === place.length && to > 0;
  }

  /** The gradients of this rank's pieces, from its elements of every bucket. */
  slopes(own: readonly Value[]): Map<string, Value> {
    const found = new Map<string, Value>();
    this.buckets.forEach(({ places }, i) => {
      for (const { path, type } of places) {
        const piece = this.pieces[this.rank]!.get(path)!;
        const part = slice(own[i]!, { start: piece.at, end: piece.at + piece.to - piece.from });
        found.set(path, this.isAll(piece) ? reshape(part, { shape: type.shape }) : part);
      }
    });
    return found;
  }

  /** The elements of this rank of a bucket, one place after the other. */
  inBucket(bucket: number): readonly string[] {
    return this.buckets[bucket]!.places.map(({ path }) => path).filter((path) => {
      const { from, to } = this.pieces[this.rank]!.get(path)!;
      return to > from;
    });
  }

  /** This rank's part of the state of the optimiser. */
  cut(params: unknown, opt: OptimizerState): OptimizerState {
    const inBuckets = this.pieces[this.rank]!;
    const none = this.optimizer.init(this.partsOfTensors(params, (path) => (inBuckets.has(path) ? "nothing" : undefined)));
    const own = this.optimizer.init(this.partsOfTensors(params, (path) => inBuckets.get(path)));
    const divided = new Set(Object.keys(opt).filter((key) => none[key] === undefined || !sameType(none[key].type, opt[key]!.type)));
    const types = Object.fromEntries(Object.entries(opt).map(([key, { type }]) => [key, type]));
    this.layout = { types, divided };
    const part: Record<string, Tensor> = {};
    for (const [key, { type }] of Object.entries(own)) {
      const all = opt[key];
      if (all === undefined) part[key] = own[key]!;
      else if (!divided.has(key)) part[key] = all;
      else {
        const { from, to } = inBuckets.get(pathOf(key, inBuckets))!;
        part[key] = hold(type, all.data.slice(from, to));
      }
    }
    return part;
  }

  /** What all ranks have alike of the state of the optimiser. */
  alike(opt: OptimizerState): OptimizerState {
    return Object.fromEntries(
      Object.entries(opt).filter(([key]) => this.layout!.types[key] !== undefined && !this.layout!.divided.has(key)),
    );
  }

  /** The state of the optimiser as one process has it, from the parts of all ranks, which all have to ask. */
  async joined(ranks: Ranks, opt: OptimizerState, keep: boolean): Promise<OptimizerState> {
    const { types, divided } = this.layout!;
    const found: Record<string, Tensor> = {};
    for (const [key, type] of Object.entries(types)) {
      if (!divided.has(key)) {
        found[key] = opt[key]!;
        continue;
      }
      const path = pathOf(key, this.pieces[this.rank]!);
      const rows = this.pieces.map((of) => of.get(path)!.to - of.get(path)!.from);
      const { data } = opt[key]!;
      const { data: all } = await ranks.allGather(hold(tensorType(type.dtype, [data.length]), data), { rows });
      if (all.length !== sizeOf(type.shape)) throw new InternalError(`train: ${key} has ${all.length} elements on all ranks together`);
      // Ranks that write nothing need not hold what they helped to put together.
      found[key] = keep ? hold(type, all) : hold(tensorType(type.dtype, [0]), allocate(type.dtype, 0));
    }
    return found;
  }
}

/** The parameter that a slot belongs to: keys are `slot/path`. */
function pathOf(key: string, pieces: ReadonlyMap<string, unknown>): string {
  const path = key.slice(key.indexOf("/") + 1);
  if (!pieces.has(path)) throw new InternalError(`train: ${key} of the optimiser belongs to no parameter`);
  return path;
}

/** The rank of each parameter: the largest first, each to the rank that has least (Graham 1969, "Bounds on multiprocessing timing anomalies"). */
function ownersOf(buckets: readonly Bucket[], size: number): ReadonlyMap<string, number> {
  const loads = Array.from({ length: size }, () => 0);
  const owner = new Map<string, number>();
  const all = buckets.flatMap(({ places }) => places).sort((a, b) => b.length - a.length);
  for (const { path, length } of all) {
    const least = loads.indexOf(Math.min(...loads));
    owner.set(path, least);
    loads[least]! += length;
  }
  return owner;
}

/** The places of a bucket, those of the first rank first. */
function inOrderOf(places: readonly Place[], owner: ReadonlyMap<string, number>): Place[] {
  let start = 0;
  return [...places]
    .sort((a, b) => owner.get(a.path)! - owner.get(b.path)!)
    .map((place) => {
      const moved = { ...place, start };
      start += place.length;
      return moved;
    });
}
