import { allocate } from "../../ir/dtype.ts";
import { GraphError, ShapeError } from "../../ir/errors.ts";
import { lift } from "../../ir/leaf.ts";
import type { Value } from "../../ir/node.ts";
import type { Operand } from "../../ir/op.ts";
import { axisOf, sizeOf } from "../../ir/shape.ts";
import { tensorType, typeText } from "../../ir/type.ts";
import { declare, known, type Op } from "../define.ts";
import { everyExample } from "./every-example.ts";
import { reshape } from "./reshape.ts";
import { sliceRange } from "./slice.ts";

interface OneAxis {
  readonly axis: number;
}

/**
 * Joins tensors along an axis (0 when left out); all other sizes must be equal. Backward: each part gets its slice of the gradient.
 * @throws ShapeError for an empty list and for sizes that differ
 */
export const concat: Op<(xs: readonly Operand[], attrs?: { readonly axis?: number }) => Value> = declare<
  (xs: readonly Operand[], attrs?: { readonly axis?: number }) => Value,
  readonly ["xs..."],
  OneAxis
>("concat", ["xs..."], {
  family: "linear",
  attrs: ({ axis = 0 }, { xs }) => {
    if (xs.length === 0) throw new ShapeError("concat: the list is empty; give one tensor or more", { op: "concat" });
    return { axis: axisOf("concat", axis, xs[0]!.shape.length) };
  },
  type: ({ xs, axis }) => {
    const first = xs[0]!;
    let size = 0;
    xs.forEach((x, k) => {
      const fits = x.shape.length === first.shape.length && x.shape.every((s, i) => i === axis || s === first.shape[i]);
      if (!fits)
        throw new ShapeError(
          `concat: xs[0] is ${typeText(first)} and xs[${k}] is ${typeText(x)}; all sizes but that of axis ${axis} must be equal`,
          { op: "concat" },
        );
      size += x.shape[axis]!;
    });
    return tensorType(
      first.dtype,
      first.shape.map((s, i) => (i === axis ? size : s)),
    );
  },
  eval: ({ xs, axis }, out) => {
    const y = allocate(out.dtype, sizeOf(out.shape));
    const outer = sizeOf(out.shape.slice(0, axis));
    const inner = sizeOf(out.shape.slice(axis + 1));
    const row = out.shape[axis]! * inner;
    let start = 0;
    for (const x of xs) {
      const width = x.type.shape[axis]! * inner;
      for (let o = 0; o < outer; o++) y.set(x.data.subarray(o * width, (o + 1) * width), o * row + start);
      start += width;
    }
    return y;
  },
  linear: "all",
  reach: "moves",
  batch: ({ xs, axis, mapped, examples }) =>
    concat(
      xs.map((x, i) => everyExample(x, mapped.xs[i]!, examples)),
      { axis: axis + 1 },
    ),
  formula: { xs: "dXs[i] = slice(dY)" },
  vjp: ({ ct, xs, axis }) => {
    let start = 0;
    return {
      xs: xs.map((x) => {
        const from = start;
        const count = x.type.shape[axis]!;
        start += count;
        return () => sliceRange(ct, { axis, start: from, step: 1, count });
      }),
    };
  },
});

/** Joins tensors of one shape along a new axis (0 when left out). @throws ShapeError for an empty list and for shapes that differ */
export function stack(xs: readonly Operand[], attrs: { readonly axis?: number } = {}): Value {
  if (!Array.isArray(xs)) throw new GraphError("stack: xs is a list of operands: stack([a, b])", { op: "stack" });
  const { axis = 0 } = known("stack", attrs, ["axis"]);
  const typed = xs.find((x) => typeof x !== "number");
  const dtype = typed === undefined ? "f64" : lift(typed, "f64").type.dtype;
  const values = xs.map((x) => lift(x, dtype));
  const first = values[0];
  if (first === undefined) throw new ShapeError("stack: the list is empty; give one tensor or more", { op: "stack" });
  const at = axisOf("stack", axis, first.type.shape.length + 1);
  values.forEach((v, i) => {
    if (v.type.shape.join() !== first.type.shape.join())
      throw new ShapeError(`stack: xs[0] is ${typeText(first.type)} and xs[${i}] is ${typeText(v.type)}; all must have one shape`, {
        op: "stack",
      });
  });
  const shape = [...first.type.shape.slice(0, at), 1, ...first.type.shape.slice(at)];
  return concat(
    values.map((v) => reshape(v, { shape })),
    { axis: at },
  );
}
