import type { Between } from "../autodiff/pullback.ts";
import { allocate } from "../ir/dtype.ts";
import { GradientError } from "../ir/errors.ts";
import { nameOf } from "../ir/leaf.ts";
import { type Value, valuesOf } from "../ir/node.ts";
import { sizeOf, stridesOf } from "../ir/shape.ts";
import { type Held, hold, type Tensor } from "../ir/tensor.ts";
import { typeText } from "../ir/type.ts";

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

/** A flat row-major index from one of either kind. @throws GradientError for one out of range */
export function flatIndex(who: string, v: Value, index: number | readonly number[], name: string): number {
  const { shape } = v.type;
  const size = sizeOf(shape);
  const wrong = (): GradientError =>
    new GradientError(
      `${who}: ${name} is ${typeof index === "number" ? index : `[${index.join(", ")}]`}, and ${nameOf(v)} is ${typeText(v.type)}, with ${size} elements; give a flat index or one index per axis`,
    );
  if (typeof index === "number") {
    if (!Number.isInteger(index) || index < 0 || index >= size) throw wrong();
    return index;
  }
  if (index.length !== shape.length || index.some((c, d) => !Number.isInteger(c) || c < 0 || c >= shape[d]!)) throw wrong();
  const strides = stridesOf(shape);
  return index.reduce((n, c, d) => n + c * strides[d]!, 0);
}

/** The gate that an edge leaves, by binary search. */
export function gateOf({ first }: Between, edge: number): number {
  let low = 0;
  let high = first.length - 1;
  while (high - low > 1) {
    const middle = (low + high) >> 1;
    if (first[middle]! <= edge) low = middle;
    else high = middle;
  }
  // Nodes without operands share their first edge with the next one.
  return low;
}
