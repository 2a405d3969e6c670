import { evaluate } from "../../evaluate/evaluate.ts";
import { inputOp, literalOf } from "../../ir/leaf.ts";
import type { Value } from "../../ir/node.ts";
import { sameShape, sizeOf } from "../../ir/shape.ts";
import { collect } from "../../ir/walk.ts";
import type { Emitter, OwnRows } from "../../onnx/emitter.ts";

/** Sums over more rows, and of more elements, are left to ONNX Runtime's own, which several threads share. */
const [mostRows, mostSummed] = [1024, 2 ** 18] as const;
/** Larger masks are not looked at, nor written out. */
const mostMask: number = 2 ** 18;

/**
 * Batches of matrices that a product takes, laid out so that rows stay whole: columns for rows, last, is part of ONNX Runtime's product, and moving rows costs less than moving
 * numbers. Null for what no transpose made. The reshape to the same shape keeps ONNX Runtime from making the two transposes one again.
 */
function laidOut(e: Emitter, given: Value): string | null {
  const rank = given.type.shape.length;
  let v = given;
  let axes = Array.from({ length: rank }, (_, i) => i);
  while (v.node.op.name === "transpose" && v.node.operands[0] != null) {
    const inner = (v.node.attrs as { readonly axes: readonly number[] }).axes;
    axes = axes.map((a) => inner[a]!);
    v = v.node.operands[0];
  }
  const from = e.names.get(v);
  if (v === given || from === undefined) return null;
  const turned = (perm: readonly number[], x: string): string =>
    perm.every((a, i) => a === i) ? x : e.half("Transpose", [x], 0, { perm });
  const swap = (list: readonly number[]): number[] => [...list.slice(0, -2), list[rank - 1]!, list[rank - 2]!];
  if (axes[rank - 2] !== rank - 1 || swap(axes).every((a, i) => a === i)) return turned(axes, from);
  const rows = turned(swap(axes), from);
  return turned(swap(axes.map((_, i) => i)), e.half("Reshape", [rows, e.ints(swap(given.type.shape))], 0, { allowzero: 1 }));
}

/** How ONNX Runtime computes some ops in less time than by the operators of their names. What comes out is the same, sums but for their rounding. */
export const ownRows: OwnRows = {
  /** A sum over rows is a product with ones. */
  sum: (e, w) => {
    const { axis, keepDims } = w.node.attrs as { readonly axis: readonly number[]; readonly keepDims: boolean };
    const { shape, dtype } = w.operands[0]!.type;
    const last = shape.length - 1;
    const [rows, columns] = [sizeOf(shape.slice(0, -1)), shape[last]!];
    const overRows = !keepDims && axis.length === last && axis.every((a) => a < last);
    if (w.dtype !== "f32" || dtype !== "f32" || !overRows || rows < 2 || rows > mostRows || rows * columns > mostSummed) return null;
    const ones = e.constant(new Array<number>(rows).fill(1), "f32", [rows]);
    return e.op("MatMul", [ones, last === 1 ? w.inputs[0]! : e.reshape(w.inputs[0]!, [rows, columns])]);
  },
  /** Products of batches of matrices, as in attention, whose heads are transposed. */
  matmul: (e, w) => {
    const [a, b] = w.operands as readonly [Value, Value];
    if (w.dtype !== "f32" || a.type.shape.length < 3 || b.type.shape.length < 3) return null;
    const [x, y] = [laidOut(e, a), laidOut(e, b)];
    return x === null && y === null ? null : e.op("MatMul", [x ?? w.inputs[0]!, y ?? w.inputs[1]!]);
  },
  /** What is seen below a diagonal, and a number above it, as in attention to what was before: the lower triangle, and that number added to the zeros above. */
  where: (e, w) => {
    const [mask, kept, other] = w.operands as readonly [Value, Value, Value];
    const c = literalOf(other.node.op.name === "expand" && other.node.operands[0] != null ? other.node.operands[0] : other);
    if (w.dtype !== "f32" || c === null || !sameShape(kept.type.shape, w.shape)) return null;
    const diagonal = diagonalOf(mask, w.shape.slice(-2));
    if (diagonal === null) return null;
    const lower = e.op("Trilu", [w.inputs[1]!, e.constant([diagonal], "i64")], { upper: 0 });
    if (c === 0) return lower;
    const [rows, columns] = w.shape.slice(-2) as [number, number];
    // Adding -0 changes no bit.
    const above = Array.from({ length: rows * columns }, (_, i) => ((i % columns) - Math.floor(i / columns) > diagonal ? c : -0));
    return e.op("Add", [lower, e.constant(above, "f32", [rows, columns])]);
  },
};

/** The diagonal up to which a constant mask of these rows and columns holds, as far as it begins in the first row; null for other masks. */
function diagonalOf(mask: Value, [rows, columns]: readonly number[]): number | null {
  const { shape } = mask.type;
  if (rows === undefined || columns === undefined || rows < 2 || rows * columns > mostMask) return null;
  if (!sameShape(shape.slice(-2), [rows, columns]) || sizeOf(shape) !== rows * columns) return null;
  if (collect([mask]).some(({ op }) => op === inputOp || op.facts.family === "control")) return null;
  const { data } = evaluate(mask);
  let seen = 0;
  while (seen < columns && data[seen] === 1) seen++;
  if (seen === 0) return null;
  for (let r = 0, at = 0; r < rows; r++) for (let c = 0; c < columns; c++, at++) if ((data[at] === 1) !== c - r < seen) return null;
  return seen - 1;
}
