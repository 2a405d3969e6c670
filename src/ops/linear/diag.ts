import { allocate } from "../../ir/dtype.ts";
import { ShapeError } from "../../ir/errors.ts";
import type { Value } from "../../ir/node.ts";
import type { Operand } from "../../ir/op.ts";
import { sizeOf } from "../../ir/shape.ts";
import { tensorType, typeText } from "../../ir/type.ts";
import { declare, type Op } from "../define.ts";
import { reshape } from "./reshape.ts";
import { sliceRange, unslice } from "./slice.ts";
import { type DiagonalAttrs, offsetOf } from "./triangle.ts";

/** Where a diagonal starts in a row-major matrix of `columns` columns. */
function startOf(columns: number, offset: number): number {
  return offset >= 0 ? offset : -offset * columns;
}

function lengthOf(rows: number, columns: number, offset: number): number {
  return Math.max(0, offset >= 0 ? Math.min(rows, columns - offset) : Math.min(rows + offset, columns));
}

/**
 * A vector as the diagonal of a square matrix that is zero elsewhere; the diagonal of a matrix as a vector. Backward: the diagonal of the gradient;
 * the gradient on the diagonal.
 * @throws ShapeError for anything but a vector or a matrix
 */
export const diag: Op<(x: Operand, attrs?: DiagonalAttrs) => Value> = declare<
  (x: Operand, attrs?: DiagonalAttrs) => Value,
  readonly ["x"],
  Required<DiagonalAttrs>
>("diag", ["x"], {
  family: "linear",
  attrs: (given) => offsetOf("diag", given),
  type: ({ x, offset }) => {
    const [rows, columns] = x.shape;
    if (rows === undefined || x.shape.length > 2)
      throw new ShapeError(`diag: x is ${typeText(x)}; it takes a vector, or a matrix whose diagonal is wanted`, { op: "diag" });
    if (columns !== undefined) return tensorType(x.dtype, [lengthOf(rows, columns, offset)]);
    const size = rows + Math.abs(offset);
    return tensorType(x.dtype, [size, size]);
  },
  eval: ({ x, offset }, out) => {
    const y = allocate(out.dtype, sizeOf(out.shape));
    const taken = x.type.shape.length === 2;
    const columns = (taken ? x.type.shape : out.shape)[1]!;
    const start = startOf(columns, offset);
    const count = taken ? y.length : x.data.length;
    for (let i = 0; i < count; i++) {
      if (taken) y[i] = x.data[start + i * (columns + 1)]!;
      else y[start + i * (columns + 1)] = x.data[i]!;
    }
    return y;
  },
  linear: ["x"],
  reach: "moves",
  batch: ({ x, offset, out, examples }) => {
    const [, rows = 0, columns] = x.type.shape;
    if (columns !== undefined) {
      const flat = reshape(x, { shape: [examples, rows * columns] });
      return sliceRange(flat, { axis: 1, start: startOf(columns, offset), step: columns + 1, count: out.type.shape[0]! });
    }
    const size = out.type.shape[0]!;
    const flat = unslice(x, { axis: 1, start: startOf(size, offset), step: size + 1, size: size * size });
    return reshape(flat, { shape: [examples, size, size] });
  },
  formula: { x: "dX = diag(dY)" },
  vjp: ({ ct, x, offset }) => {
    const { shape } = x.type;
    if (shape.length === 1) return { x: diag(ct, { offset }) };
    const [rows, columns] = shape as readonly [number, number];
    // The matrix need not be square, so that a diagonal of the gradient alone would not do.
    const flat = unslice(ct, { axis: 0, start: startOf(columns, offset), step: columns + 1, size: rows * columns });
    return { x: reshape(flat, { shape }) };
  },
});
