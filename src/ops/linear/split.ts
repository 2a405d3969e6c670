import { allocate } from "../../ir/dtype.ts";
import { ShapeError } from "../../ir/errors.ts";
import type { Value } from "../../ir/node.ts";
import type { Operand } from "../../ir/op.ts";
import { axisOf, shapeText, sizeOf } from "../../ir/shape.ts";
import { type TensorType, tensorType, typeText } from "../../ir/type.ts";
import { declare, type Op } from "../define.ts";
import { axisLayout } from "../kernels/walk.ts";
import { concat, stack } from "./concat.ts";
import { zeros } from "./constants.ts";

/** Where to cut: the sizes of the pieces, or the number of equal parts. */
export interface SplitAttrs {
  /** 0 when left out. */
  readonly axis?: number;
  readonly sizes?: readonly number[];
  readonly parts?: number;
}

interface Cut {
  readonly axis: number;
  readonly sizes: readonly number[];
}

function sizesOf({ sizes, parts }: SplitAttrs, x: TensorType, axis: number): readonly number[] {
  const total = x.shape[axis]!;
  if (sizes !== undefined) {
    if (sizes.length === 0 || sizes.some((s) => !Number.isInteger(s) || s < 0) || sizes.reduce((a, b) => a + b, 0) !== total)
      throw new ShapeError(
        `split: x is ${typeText(x)} and sizes is ${shapeText(sizes)}; the sizes are whole numbers that add up to ${total}, the size of axis ${axis}`,
        { op: "split" },
      );
    return sizes;
  }
  if (parts === undefined || !Number.isInteger(parts) || parts < 1 || total % parts !== 0)
    throw new ShapeError(
      `split: x is ${typeText(x)} and parts is ${parts ?? "missing"}; axis ${axis} has size ${total}: write a number of parts that divides it, or { sizes: [...] }`,
      { op: "split" },
    );
  return new Array<number>(parts).fill(total / parts);
}

/**
 * x cut along an axis (0 when left out) into pieces of the given sizes or into equal parts, as a list. Backward: the pieces' gradients joined, zeros
 * for a piece that nothing depends on.
 * @throws ShapeError for sizes that do not add up or parts that do not divide
 */
export const split: Op<(x: Operand, attrs: SplitAttrs) => Value[]> = declare<
  (x: Operand, attrs: SplitAttrs) => Value[],
  readonly ["x"],
  Cut
>("split", ["x"], {
  family: "linear",
  results: "list",
  also: ["parts"],
  attrs: (given, { x }) => {
    const axis = axisOf("split", given.axis ?? 0, x.shape.length);
    return { axis, sizes: sizesOf(given, x, axis) };
  },
  type: ({ x, axis, sizes }) =>
    sizes.map((size) =>
      tensorType(
        x.dtype,
        x.shape.map((s, i) => (i === axis ? size : s)),
      ),
    ),
  eval: ({ x, axis, sizes }, out) => {
    const { outer, size, inner } = axisLayout(x.type.shape, axis);
    let start = 0;
    return sizes.map((count, k) => {
      const y = allocate(out[k]!.dtype, sizeOf(out[k]!.shape));
      const width = count * inner;
      for (let o = 0; o < outer; o++) {
        const from = (o * size + start) * inner;
        y.set(x.data.subarray(from, from + width), o * width);
      }
      start += count;
      return y;
    });
  },
  linear: ["x"],
  reach: "moves",
  batch: ({ x, axis, sizes }) => split(x, { axis: axis + 1, sizes }),
  formula: { x: "dX = concat(dY)" },
  vjp: ({ ct, out, axis }) => ({
    x: concat(
      out.map((piece, i) => ct[i] ?? zeros(piece.type)),
      { axis },
    ),
  }),
});

/** Attributes of `unstack`. */
export interface UnstackAttrs {
  /** 0 when left out. */
  readonly axis?: number;
}

/**
 * The sub-tensors along an axis (0 when left out), as a list without that axis: `const [x, y] = unstack(point)`. Backward: the gradients stacked,
 * zeros for what nothing depends on.
 * @throws ShapeError for a scalar or an axis without elements
 */
export const unstack: Op<(x: Operand, attrs?: UnstackAttrs) => Value[]> = declare<
  (x: Operand, attrs?: UnstackAttrs) => Value[],
  readonly ["x"],
  { readonly axis: number }
>("unstack", ["x"], {
  family: "linear",
  results: "list",
  attrs: ({ axis = 0 }, { x }) => {
    const at = axisOf("unstack", axis, x.shape.length);
    if (x.shape[at] === 0)
      throw new ShapeError(`unstack: x is ${typeText(x)} and axis ${at} has no elements, so there is nothing to list`, { op: "unstack" });
    return { axis: at };
  },
  type: ({ x, axis }) => {
    const type = tensorType(
      x.dtype,
      x.shape.filter((_, i) => i !== axis),
    );
    return Array.from({ length: x.shape[axis]! }, () => type);
  },
  eval: ({ x, axis }, out) => {
    const { outer, size, inner } = axisLayout(x.type.shape, axis);
    return out.map((type, k) => {
      const y = allocate(type.dtype, outer * inner);
      for (let o = 0; o < outer; o++) {
        const from = (o * size + k) * inner;
        y.set(x.data.subarray(from, from + inner), o * inner);
      }
      return y;
    });
  },
  linear: ["x"],
  reach: "moves",
  batch: ({ x, axis }) => unstack(x, { axis: axis + 1 }),
  formula: { x: "dX = stack(dY)" },
  vjp: ({ ct, out, axis }) => ({
    x: stack(
      out.map((piece, i) => ct[i] ?? zeros(piece.type)),
      { axis },
    ),
  }),
});
