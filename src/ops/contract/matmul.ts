import { allocate } from "../../ir/dtype.ts";
import { ShapeError } from "../../ir/errors.ts";
import { lift } from "../../ir/leaf.ts";
import type { Value } from "../../ir/node.ts";
import type { Operand } from "../../ir/op.ts";
import { broadcast, broadcastStrides, type Shape, sameShape, sizeOf } from "../../ir/shape.ts";
import { type TensorType, tensorType, typeText } from "../../ir/type.ts";
import { mul, sub } from "../arithmetic.ts";
import { declare, type Op } from "../define.ts";
import { batchedProduct } from "../kernels/matmul.ts";
import { aligned } from "../linear/aligned.ts";
import { concat } from "../linear/concat.ts";
import { everyExample } from "../linear/every-example.ts";
import { refuseBool } from "../linear/refuse-bool.ts";
import { reshape } from "../linear/reshape.ts";
import { slice } from "../linear/slice.ts";
import { unsqueeze } from "../linear/squeeze.ts";
import { sum } from "../linear/sum.ts";
import { transpose } from "../linear/transpose.ts";

interface Sizes {
  readonly batch: Shape;
  readonly m: number;
  readonly k: number;
  readonly n: number;
}

/** Batch and inner sizes of a product; vectors count as one row on the left and one column on the right. */
function sizesOf(a: TensorType, b: TensorType): Sizes {
  const p = a.shape;
  const q = b.shape;
  if (p.length === 0 || q.length === 0)
    throw new ShapeError(
      `matmul: a is ${typeText(a)} and b is ${typeText(b)}; a matrix product takes vectors or matrices: write mul for a scalar factor`,
      { op: "matmul" },
    );
  const k = p[p.length - 1]!;
  const inner = q.length === 1 ? q[0]! : q[q.length - 2]!;
  if (k !== inner)
    throw new ShapeError(`matmul: a is ${typeText(a)} and b is ${typeText(b)}; the inner sizes ${k} and ${inner} must match`, {
      op: "matmul",
    });
  const batch = broadcast(p.slice(0, -2), q.slice(0, -2));
  if (batch === null)
    throw new ShapeError(`matmul: a is ${typeText(a)} and b is ${typeText(b)}; the sizes before the last two must be equal or 1`, {
      op: "matmul",
    });
  return { batch, m: p.length === 1 ? 1 : p[p.length - 2]!, k, n: q.length === 1 ? 1 : q[q.length - 1]! };
}

/**
 * The matrix product: `[..., m, k] @ [..., k, n]`, leading axes broadcast; a vector is a row on the left and a column on the right, and its axis
 * is gone from the result (NumPy's `matmul`). Sums in double. Backward: the switcher, each factor's gradient is the upstream one times the other
 * factor transposed.
 */
export const matmul: Op<(a: Operand, b: Operand) => Value> = declare<(a: Operand, b: Operand) => Value, readonly ["a", "b"]>(
  "matmul",
  ["a", "b"],
  {
    family: "contract",
    symbol: "@",
    type: ({ a, b }) => {
      refuseBool("matmul", "a", a);
      const { batch, m, n } = sizesOf(a, b);
      return tensorType(a.dtype, [...batch, ...(a.shape.length === 1 ? [] : [m]), ...(b.shape.length === 1 ? [] : [n])]);
    },
    eval: ({ a, b }, out) => {
      const { batch, m, k, n } = sizesOf(a.type, b.type);
      const c = allocate(out.dtype, sizeOf(out.shape));
      const strides = (s: Shape, rows: number): number[] => broadcastStrides(s.slice(0, -2), batch).map((t) => t * rows);
      batchedProduct(a.data, b.data, c, {
        batch,
        m,
        k,
        n,
        a: { offset: 0, row: k, column: 1, batch: strides(a.type.shape, m * k) },
        b: { offset: 0, row: n, column: 1, batch: strides(b.type.shape, k * n) },
      });
      return c;
    },
    linear: ["a", "b"],
    batch: ({ a, b, out, mapped, examples }) => {
      const product = mapped.a && mapped.b ? pairwise(a, b) : mapped.a ? timesOne(a, b, examples) : swappedProduct(a, b, examples);
      const shape = [examples, ...out.type.shape];
      return sameShape(product.type.shape, shape) ? product : reshape(product, { shape });
    },
    formula: { a: "dA = dY B^T", b: "dB = A^T dY" },
    vjp: ({ ct, a, b }) => {
      const { batch, m, k, n } = sizesOf(a.type, b.type);
      const upstream = reshape(ct, { shape: [...batch, m, n] });
      const [p, q] = [isVector(a), isVector(b)];
      const left = p ? reshape(a, { shape: [m, k] }) : a;
      const right = q ? reshape(b, { shape: [k, n] }) : b;
      // A vector's axis of size 1 is taken out; the walk sums over the batch axes before it.
      const flat = (piece: Value): Value => reshape(piece, { shape: [...batch, k] });
      return {
        a: () => {
          const piece = matmul(upstream, swapped(right));
          return p ? flat(piece) : piece;
        },
        b: () => {
          const piece = matmul(swapped(left), upstream);
          return q ? flat(piece) : piece;
        },
      };
    },
  },
);

/** Both factors for each example: a vector is a row or a column, and the axes before matrices are aligned after that of the examples. */
function pairwise(a: Value, b: Value): Value {
  const left = a.type.shape.length === 2 ? unsqueeze(a, { axis: 1 }) : a;
  const right = b.type.shape.length === 2 ? unsqueeze(b, { axis: 2 }) : b;
  const rank = Math.max(left.type.shape.length, right.type.shape.length) - 1;
  return matmul(aligned(left, rank), aligned(right, rank));
}

/**
 * `a` for each example times one `b`. Against one matrix the rows of all examples are one tall matrix, so that the gradient of `b` is one product,
 * not a sum of one matrix for each example.
 */
function timesOne(a: Value, b: Value, examples: number): Value {
  if (b.type.shape.length > 2) return pairwise(a, everyExample(b, false, examples));
  const { shape } = a.type;
  if (shape.length === 2) return matmul(a, b);
  return matmul(reshape(a, { shape: [sizeOf(shape.slice(0, -1)), shape[shape.length - 1]!] }), b);
}

/** One `a` times `b` for each example: with one matrix, the transpose of `b^T a^T`. */
function swappedProduct(a: Value, b: Value, examples: number): Value {
  if (a.type.shape.length > 2) return pairwise(everyExample(a, false, examples), b);
  const turned = a.type.shape.length === 2 ? swapped(a) : a;
  if (b.type.shape.length === 2) return matmul(b, turned);
  const columns = swapped(b);
  const { shape } = columns.type;
  const product = timesOne(columns, turned, examples);
  return a.type.shape.length === 1 ? product : swapped(reshape(product, { shape: [...shape.slice(0, -1), a.type.shape[0]!] }));
}

function isVector(v: Value): boolean {
  return v.type.shape.length === 1;
}

/** The last two axes exchanged. */
function swapped(v: Value): Value {
  const rank = v.type.shape.length;
  return transpose(v, { axes: [...Array.from({ length: rank - 2 }, (_, i) => i), rank - 1, rank - 2] });
}

function common(a: Operand, b: Operand): readonly [Value, Value] {
  const dtype = typeof a !== "number" ? lift(a, "f64").type.dtype : typeof b !== "number" ? lift(b, "f64").type.dtype : "f64";
  return [lift(a, dtype), lift(b, dtype)];
}

/** The inner product over the last axis, other axes broadcast: `sum(a * b)` for vectors. @throws ShapeError when the last axes differ */
export function dot(a: Operand, b: Operand): Value {
  const [x, y] = common(a, b);
  const p = x.type.shape[x.type.shape.length - 1];
  const q = y.type.shape[y.type.shape.length - 1];
  if (p === undefined || q === undefined || p !== q)
    throw new ShapeError(`dot: a is ${typeText(x.type)} and b is ${typeText(y.type)}; both have a last axis of one size`, { op: "dot" });
  return sum(mul(x, y), { axis: -1 });
}

/** The cross product of 3-vectors along the last axis; other axes broadcast. @throws ShapeError when a last axis is not 3 */
export function cross(a: Operand, b: Operand): Value {
  const [x, y] = common(a, b);
  for (const [name, v] of [
    ["a", x],
    ["b", y],
  ] as const)
    if (v.type.shape[v.type.shape.length - 1] !== 3)
      throw new ShapeError(`cross: ${name} is ${typeText(v.type)}; its last axis has size 3`, { op: "cross" });
  const turned = (v: Value, by: 1 | 2): Value => concat([slice(v, { axis: -1, start: by }), slice(v, { axis: -1, end: by })], { axis: -1 });
  return sub(mul(turned(x, 1), turned(y, 2)), mul(turned(x, 2), turned(y, 1)));
}
