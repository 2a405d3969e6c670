import type { Value } from "../../ir/node.ts";
import type { Operand } from "../../ir/op.ts";
import { reducedShape, sizeOf, stridesOf } from "../../ir/shape.ts";
import type { Tensor } from "../../ir/tensor.ts";
import { tensorType } from "../../ir/type.ts";
import { declare } from "../define.ts";
import { argMaxInto, argMinInto } from "../kernels/sort.ts";
import { copyStrided } from "../kernels/walk.ts";
import type { Axes, AxisAttrs, Reduce } from "../linear/sum.ts";
import { axesIn, checkNumbers, checkSome, countOver } from "./reduction.ts";

/** The elements with the axes of a reduction last, so that each result's elements lie side by side. */
function inRows(x: Tensor, axis: readonly number[]): Tensor["data"] {
  const { shape } = x.type;
  const order = [...shape.map((_, i) => i).filter((i) => !axis.includes(i)), ...axis];
  if (order.every((a, i) => a === i)) return x.data;
  const strides = stridesOf(shape);
  const rows = new Float64Array(x.data.length);
  copyStrided(
    x.data,
    order.map((a) => strides[a]!),
    0,
    rows,
    order.map((a) => shape[a]!),
  );
  return rows;
}

/* @__NO_SIDE_EFFECTS__ */
function argExtreme(name: "argMax" | "argMin", find: typeof argMaxInto, what: string): Reduce {
  const made: Reduce = declare<(x: Operand, attrs?: AxisAttrs) => Value, readonly ["x"], Axes>(name, ["x"], {
    family: "reduce",
    attrs: (given, { x }) => axesIn(name, given, x),
    type: ({ x, axis, keepDims }) => {
      checkNumbers(name, x);
      checkSome(name, x, axis, what);
      return tensorType("i32", reducedShape(x.shape, axis, keepDims));
    },
    eval: ({ x, axis }, out) => {
      const places = new Int32Array(sizeOf(out.shape));
      find(inRows(x, axis), { outer: places.length, size: countOver(x.type.shape, axis), inner: 1 }, places);
      return places;
    },
    batch: ({ x, axis, keepDims }) => made(x, { axis: axis.map((a) => a + 1), keepDims }),
    vjp: null,
  });
  return made;
}

/**
 * Where the largest element along an axis is, i32: the first of equals, and the first NaN. Over several axes (all when left out) the position counts
 * their elements in row-major order. No derivative.
 * @throws ShapeError over an axis without elements; DTypeError for bool
 */
export const argMax: Reduce = /* @__PURE__ */ argExtreme("argMax", argMaxInto, "the place of the largest");

/** Where the smallest element along an axis is; otherwise as `argMax`. */
export const argMin: Reduce = /* @__PURE__ */ argExtreme("argMin", argMinInto, "the place of the smallest");
