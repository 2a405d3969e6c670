import { byteSize } from "../../files/element-bytes.ts";
import type { Value } from "../../ir/node.ts";
import { sizeOf } from "../../ir/shape.ts";
import { type TensorType, tensorType } from "../../ir/type.ts";
import { concat } from "../../ops/linear/concat.ts";
import { reshape } from "../../ops/linear/reshape.ts";
import { slice } from "../../ops/linear/slice.ts";

/** Where a leaf lies in its bucket. */
export interface Place {
  readonly path: string;
  readonly type: TensorType;
  readonly start: number;
  readonly length: number;
}

/** Leaves that are summed over the ranks together: a vector. */
export interface Bucket {
  readonly type: TensorType;
  readonly places: readonly Place[];
}

/** Puts leaves, in the order in which they are there, into buckets of about so many bytes. A leaf is never divided, and a bucket has one dtype. */
export function bucketsOf(leaves: readonly { readonly path: string; readonly type: TensorType }[], bytes: number): Bucket[] {
  const buckets: Bucket[] = [];
  const open = new Map<string, { places: Place[]; length: number }>();
  const close = (dtype: TensorType["dtype"]): void => {
    const own = open.get(dtype);
    if (own === undefined) return;
    open.delete(dtype);
    buckets.push({ type: tensorType(dtype, [own.length]), places: own.places });
  };
  for (const { path, type } of leaves) {
    const length = sizeOf(type.shape);
    const { dtype } = type;
    const before = open.get(dtype);
    if (before !== undefined && (before.length + length) * byteSize(dtype) > bytes) close(dtype);
    const own = open.get(dtype) ?? { places: [], length: 0 };
    own.places.push({ path, type, start: own.length, length });
    own.length += length;
    open.set(dtype, own);
    if (own.length * byteSize(dtype) >= bytes) close(dtype);
  }
  for (const dtype of [...open.keys()]) close(dtype as TensorType["dtype"]);
  return buckets;
}

/** The leaves of a bucket one after the other. */
export function packed({ places }: Bucket, leaf: (path: string) => Value): Value {
  return concat(places.map(({ path, length }) => reshape(leaf(path), { shape: [length] })));
}

/** The leaves in buckets, by path. */
export function unpacked(buckets: readonly Bucket[], values: readonly Value[]): Map<string, Value> {
  const found = new Map<string, Value>();
  buckets.forEach(({ places }, i) => {
    for (const { path, type, start, length } of places) {
      const part = places.length === 1 ? values[i]! : slice(values[i]!, { start, end: start + length });
      found.set(path, reshape(part, { shape: type.shape }));
    }
  });
  return found;
}
