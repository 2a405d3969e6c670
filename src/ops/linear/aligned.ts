import type { Value } from "../../ir/node.ts";
import { reshape } from "./reshape.ts";

/** A value with the examples on axis 0, given axes of size 1 after that so that each example has this rank: it then broadcasts as one example would. */
export function aligned(x: Value, rank: number): Value {
  const [examples, ...own] = x.type.shape;
  if (own.length >= rank) return x;
  return reshape(x, { shape: [examples!, ...new Array<number>(rank - own.length).fill(1), ...own] });
}
