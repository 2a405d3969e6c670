import { DomainError, ShapeError } from "../../ir/errors.ts";
import { samePadding } from "../kernels/window.ts";

/** Padding as users write it: one number, one per axis, a pair per axis, or by name. */
export type Padding = number | readonly number[] | readonly (readonly [number, number])[] | "same" | "valid";

/** Padding before and after each axis. */
export type Pairs = readonly (readonly [number, number])[];

/** One whole number, or one per spatial axis. @throws DomainError for others */
export function perAxis(
  op: string,
  name: string,
  given: number | readonly number[] | undefined,
  rank: number,
  least: number,
  fallback: number,
): readonly number[] {
  const list =
    given === undefined ? new Array<number>(rank).fill(fallback) : typeof given === "number" ? new Array<number>(rank).fill(given) : given;
  if (list.length !== rank)
    throw new ShapeError(`${op}: ${name} has ${list.length} numbers and there are ${rank} spatial axes; give one number, or one per axis`, {
      op,
    });
  for (const n of list)
    if (!Number.isInteger(n) || n < least)
      throw new DomainError(`${op}: ${name} is [${list.join(",")}]; whole numbers of ${least} or more are wanted`, { op });
  return list;
}

/** Padding as pairs. "same" pads so that the output has ceil(input / stride) places, the odd one behind. */
export function pairsOf(
  op: string,
  padding: Padding | undefined,
  sizes: readonly number[],
  kernel: readonly number[],
  stride: readonly number[],
  dilation: readonly number[],
): Pairs {
  if (padding === undefined || padding === "valid") return sizes.map(() => [0, 0]);
  if (padding === "same") return sizes.map((n, i) => samePadding(n, kernel[i]!, stride[i]!, dilation[i]!));
  if (typeof padding === "string")
    throw new DomainError(`${op}: padding is "${String(padding)}"; write "same", "valid", a number, one per axis, or pairs`, { op });
  const list = typeof padding === "number" ? sizes.map(() => padding) : padding;
  if (list.length !== sizes.length)
    throw new ShapeError(`${op}: padding has ${list.length} entries and there are ${sizes.length} spatial axes`, { op });
  return list.map((p) => {
    const pair = typeof p === "number" ? ([p, p] as const) : p;
    if (pair.length !== 2 || pair.some((n) => !Number.isInteger(n) || n < 0))
      throw new DomainError(`${op}: padding has ${JSON.stringify(p)}; whole numbers of 0 or more, or pairs of them`, { op });
    return pair;
  });
}
