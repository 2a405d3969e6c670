import { allocate } from "../ir/dtype.ts";
import { type Value, valuesOf } from "../ir/node.ts";
import { sizeOf } from "../ir/shape.ts";
import { type Held, hold, type Tensor } from "../ir/tensor.ts";

/** An edge of a path: a gate and the operand that it goes on to. `weight` is null by edge. */
export interface PathEdge {
  readonly edge: number;
  /** Which of the gate's results the path comes through. */
  readonly result: number;
  readonly element: number;
  readonly intoElement: number;
  readonly weight: number | null;
}

/** What the searches find, before it gets names. */
export interface FoundPaths {
  readonly count: bigint;
  readonly live: bigint | null;
  readonly ranked: boolean;
  readonly top: readonly { readonly edges: readonly PathEdge[]; readonly contribution: Held; readonly size: number }[];
  readonly restCount: bigint;
  readonly restSum: Held;
  readonly magnitude: number | null;
}

/** Elements of a value's type with one 1 among zeros. */
export function unitData(v: Value, element: number): Tensor["data"] {
  const data = allocate(v.type.dtype, sizeOf(v.type.shape));
  data[element] = 1;
  return data;
}

/** The cotangents that start a pass at one element of a value. */
export function seedAt(f: Value, element: number): (Held | null)[] {
  const ct: Held = f.type.shape.length === 0 ? 1 : hold(f.type, unitData(f, element));
  return valuesOf(f.node).map((_, r) => (r === f.index ? ct : null));
}
