import { ShapeError } from "../../ir/errors.ts";
import { lift } from "../../ir/leaf.ts";
import type { Value } from "../../ir/node.ts";
import type { Operand } from "../../ir/op.ts";
import { axesOf } from "../../ir/shape.ts";
import { typeText } from "../../ir/type.ts";
import { known } from "../define.ts";
import { reshape } from "./reshape.ts";

/**
 * x without axes of size 1: those named, or all of size 1. A `reshape`.
 * @throws ShapeError for a named axis of another size
 */
export function squeeze(x: Operand, attrs: { readonly axis?: number | readonly number[] } = {}): Value {
  const { axis } = known("squeeze", attrs, ["axis"]);
  const v = lift(x, "f64");
  const { shape } = v.type;
  const gone = axis === undefined ? null : axesOf("squeeze", axis, shape.length);
  const wide = gone?.find((a) => shape[a] !== 1);
  if (wide !== undefined)
    throw new ShapeError(`squeeze: x is ${typeText(v.type)} and axis ${wide} has size ${shape[wide]}; only axes of size 1 can go`, {
      op: "squeeze",
    });
  return reshape(v, { shape: shape.filter((s, i) => (gone === null ? s !== 1 : !gone.includes(i))) });
}

/** x with new axes of size 1; `axis` names their places in the result. A `reshape`. @throws ShapeError for places the result does not have */
export function unsqueeze(x: Operand, attrs: { readonly axis: number | readonly number[] }): Value {
  const { axis } = known("unsqueeze", attrs, ["axis"]);
  const v = lift(x, "f64");
  const added = typeof axis === "number" ? 1 : axis.length;
  const places = axesOf("unsqueeze", axis, v.type.shape.length + added);
  const rest = [...v.type.shape];
  const shape = Array.from({ length: rest.length + added }, (_, i) => (places.includes(i) ? 1 : rest.shift()!));
  return reshape(v, { shape });
}
