import { isFloat } from "../ir/dtype.ts";
import { DTypeError, ShapeError } from "../ir/errors.ts";
import type { Value } from "../ir/node.ts";
import { broadcast, broadcastStrides, type Shape, sizeOf } from "../ir/shape.ts";
import { type TensorType, tensorType, typeText } from "../ir/type.ts";
import { add, mul } from "../ops/arithmetic.ts";
import { offsetsOf } from "../ops/kernels/walk.ts";
import { aligned } from "../ops/linear/aligned.ts";
import { ones } from "../ops/linear/constants.ts";
import { diag } from "../ops/linear/diag.ts";
import { reshape } from "../ops/linear/reshape.ts";
import { transpose } from "../ops/linear/transpose.ts";
import { tril } from "../ops/linear/triangle.ts";

/** @throws DTypeError for anything but floats, ShapeError below two axes */
export function checkMatrix(op: string, name: string, type: TensorType): void {
  if (!isFloat(type.dtype))
    throw new DTypeError(`${op}: ${name} is ${typeText(type)} and ${op} takes floating-point numbers; write cast(${name}, "f64")`, { op });
  if (type.shape.length < 2)
    throw new ShapeError(
      `${op}: ${name} is ${typeText(type)}; it takes a matrix, or matrices along leading axes: a row is reshape(x, { shape: [1, -1] })`,
      { op },
    );
}

/** The size n of matrices n by n. @throws ShapeError for others */
export function checkSquare(op: string, name: string, type: TensorType): number {
  checkMatrix(op, name, type);
  const n = type.shape.at(-1)!;
  const rows = type.shape.at(-2)!;
  if (rows !== n) throw new ShapeError(`${op}: ${name} is ${typeText(type)}, ${rows} by ${n}; ${op} takes square matrices`, { op });
  return n;
}

/** What stands before the last two axes. */
export function batchOf({ shape }: TensorType): Shape {
  return shape.slice(0, -2);
}

/** How many matrices a tensor holds. */
export function matricesIn(type: TensorType): number {
  return sizeOf(batchOf(type));
}

/** Which matrix of a batch, for messages: nothing where there is only one. */
export function matrixAt(name: string, batch: Shape, index: number): string {
  if (batch.length === 0) return name;
  const place: number[] = [];
  let rest = index;
  for (let axis = batch.length - 1; axis >= 0; axis--) {
    place.unshift(rest % batch[axis]!);
    rest = Math.floor(rest / batch[axis]!);
  }
  return `${name}[${place.join(",")}]`;
}

/** A system `a x = b`: sizes, and how many axes b has. */
export interface System {
  readonly batch: Shape;
  readonly n: number;
  /** Columns of b. */
  readonly columns: number;
  /** b is one vector, not a matrix of columns. */
  readonly vector: boolean;
}

/**
 * Sizes of a linear system: b is a vector, or matrices of columns; leading axes of a and b broadcast.
 * @throws ShapeError that names both operands
 */
export function systemOf(op: string, a: TensorType, b: TensorType): System {
  const n = checkSquare(op, "a", a);
  if (b.shape.length === 0)
    throw new ShapeError(`${op}: b is ${typeText(b)}; it takes a vector of ${n}, or a matrix with ${n} rows`, { op });
  const vector = b.shape.length === 1;
  const rows = vector ? b.shape[0]! : b.shape.at(-2)!;
  if (rows !== n) {
    // Vectors side by side are what people mean by [batch, n].
    const meant = !vector && b.shape.at(-1) === n ? "; if b holds vectors along its last axis, write unsqueeze(b, { axis: -1 })" : "";
    throw new ShapeError(`${op}: a is ${typeText(a)} and b is ${typeText(b)}; b needs ${n} rows, as many as a, and has ${rows}${meant}`, {
      op,
    });
  }
  const batch = broadcast(batchOf(a), vector ? [] : batchOf(b));
  if (batch === null)
    throw new ShapeError(`${op}: a is ${typeText(a)} and b is ${typeText(b)}; the sizes before the last two must be equal or 1`, { op });
  return { batch, n, columns: vector ? 1 : b.shape.at(-1)!, vector };
}

/** The type of a system's solution. */
export function solutionType({ batch, n, columns, vector }: System, dtype: TensorType["dtype"]): TensorType {
  return tensorType(dtype, vector ? [...batch, n] : [...batch, n, columns]);
}

/** What a batching rule of a system knows. */
interface ManySystems {
  readonly a: Value;
  readonly b: Value;
  readonly mapped: { readonly a: boolean; readonly b: boolean };
  readonly examples: number;
  /** The solution for one example. */
  readonly out: Value;
}

/** Systems of many examples as one batch: the examples become the first leading axis, vectors become columns. */
export function overExamples({ a, b, mapped, examples, out }: ManySystems, solved: (a: Value, b: Value) => Value): Value {
  const vector = b.type.shape.length === (mapped.b ? 2 : 1);
  const rank = out.type.shape.length + (vector ? 1 : 0);
  const left = mapped.a ? aligned(a, rank) : a;
  if (!mapped.b) return solved(left, b);
  const x = solved(left, aligned(columns(b, vector), rank));
  return vector ? reshape(x, { shape: [examples, ...out.type.shape] }) : x;
}

/** Where the matrices of an operand start, one offset per matrix of the broadcast batch. */
export function starts(operand: Shape, batch: Shape, size: number): Int32Array {
  return offsetsOf(
    batch,
    broadcastStrides(operand, batch).map((step) => step * size),
  );
}

/** The last two axes exchanged. */
export function transposed(x: Value): Value {
  const rank = x.type.shape.length;
  return transpose(x, { axes: [...Array.from({ length: rank - 2 }, (_, i) => i), rank - 1, rank - 2] });
}

/** A vector as a column, vectors along leading axes as columns. */
export function asColumn(x: Value): Value {
  return reshape(x, { shape: [...x.type.shape, 1] });
}

/** The right side or the solution of a system as columns. */
export function columns(x: Value, vector: boolean): Value {
  return vector ? asColumn(x) : x;
}

/** A vector as a row, vectors along leading axes as rows. */
export function asRow(x: Value): Value {
  const { shape } = x.type;
  return reshape(x, { shape: [...shape.slice(0, -1), 1, shape.at(-1)!] });
}

/** One number per matrix, so that it multiplies all of it. */
export function perMatrix(x: Value): Value {
  return reshape(x, { shape: [...x.type.shape, 1, 1] });
}

/** (x + x^T) / 2. */
export function symmetricPart(x: Value): Value {
  return mul(0.5, add(x, transposed(x)));
}

/** The lower triangle with half the diagonal: Murray's Phi, and what a symmetric matrix is the double of. */
export function halfTriangle(x: Value): Value {
  return mul(0.5, add(tril(x), tril(x, { offset: -1 })));
}

/** The unit matrix of a dtype. */
export function unitMatrix(n: number, dtype: TensorType["dtype"]): Value {
  return diag(ones(tensorType(dtype, [n])));
}
