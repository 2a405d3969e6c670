import type { Value } from "../../ir/node.ts";
import { reshape } from "./reshape.ts";
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

/** Examples on axis 0 joined with another axis of each example: with the batch axis of images, or with their channels. */
export function folded(x: Value, axis: number): Value {
  const v = moveAxis(x, 0, axis);
  const { shape } = v.type;
  return reshape(v, { shape: [...shape.slice(0, axis), shape[axis]! * shape[axis + 1]!, ...shape.slice(axis + 2)] });
}

/** The way back from `folded`: the examples on axis 0 again. */
export function unfolded(x: Value, axis: number, examples: number): Value {
  const { shape } = x.type;
  const apart = reshape(x, { shape: [...shape.slice(0, axis), examples, shape[axis]! / examples, ...shape.slice(axis + 1)] });
  return moveAxis(apart, axis, 0);
}
