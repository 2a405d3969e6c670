import type { Value } from "../../ir/node.ts";
import { expand } from "./sum.ts";
import { transpose } from "./transpose.ts";

/** An operand of a batching rule with the examples on axis 0, also where it is the same for every example. */
export function everyExample(x: Value, mapped: boolean, examples: number): Value {
  return mapped ? x : expand(x, { shape: [examples, ...x.type.shape] });
}

/** x with one axis moved to another place, the others in order. */
export function moveAxis(x: Value, from: number, to: number): Value {
  if (from === to) return x;
  const axes = x.type.shape.map((_, i) => i).filter((i) => i !== from);
  axes.splice(to, 0, from);
  return transpose(x, { axes });
}
