import { allocate } from "../../ir/dtype.ts";
import { DomainError, ShapeError } from "../../ir/errors.ts";
import type { Value } from "../../ir/node.ts";
import type { Operand } from "../../ir/op.ts";
import { axisOf, sizeOf, stridesOf } from "../../ir/shape.ts";
import { tensorType, typeText } from "../../ir/type.ts";
import { eachRow } from "../arithmetic.ts";
import { declare, type Op } from "../define.ts";
import { reshape } from "./reshape.ts";

/** Which part of an axis: NumPy's `start:end:step`, negatives count from the end, out-of-range ends are cut. */
export interface SliceAttrs {
  readonly axis?: number;
  readonly start?: number;
  readonly end?: number;
  readonly step?: number;
}

/** A slice as stored: elements `start + i * step` for `i < count`. */
export interface Range {
  readonly axis: number;
  readonly start: number;
  readonly step: number;
  readonly count: number;
}

/** Elements of one axis by start, end and step (axis 0 when left out). Backward: the gradient goes back where it came from, zero elsewhere. */
export const slice: Op<(x: Operand, attrs?: SliceAttrs) => Value> = declare<
  (x: Operand, attrs?: SliceAttrs) => Value,
  readonly ["x"],
  Range
>("slice", ["x"], {
  family: "linear",
  attrs: (given, { x }) => rangeOf(given, x.shape, typeText(x)),
  also: ["end"],
  type: ({ x, axis, count }) =>
    tensorType(
      x.dtype,
      x.shape.map((s, i) => (i === axis ? count : s)),
    ),
  eval: ({ x, axis, start, step }, out) => {
    const y = allocate(out.dtype, sizeOf(out.shape));
    const a = x.data;
    const strides = stridesOf(x.type.shape);
    const offset = start * strides[axis]!;
    strides[axis]! *= step;
    eachRow(out.shape, [strides], (at, base, steps, length) => {
      let p = base[0]! + offset;
      const dp = steps[0]!;
      for (let i = 0; i < length; i++, p += dp) y[at + i] = a[p]!;
    });
    return y;
  },
  linear: ["x"],
  reach: "moves",
  batch: ({ x, axis, start, step, count }) => sliceRange(x, { axis: axis + 1, start, step, count }),
  formula: { x: "dX = unslice(dY)" },
  vjp: ({ ct, x, axis, start, step }) => ({ x: unslice(ct, { axis, start, step, size: x.type.shape[axis]! }) }),
});

function rangeOf(given: SliceAttrs | Range, shape: readonly number[], text: string): Range {
  const { axis = 0, start, step = 1 } = given;
  const end = "end" in given ? given.end : undefined;
  if (shape.length === 0) throw new ShapeError(`slice: x is ${text}, a scalar; it has no axis to slice`, { op: "slice" });
  if (!Number.isInteger(step) || step === 0)
    throw new DomainError(`slice: step is ${step}; it is a whole number other than 0`, { op: "slice" });
  for (const [name, v] of [
    ["start", start],
    ["end", end],
  ] as const)
    if (v !== undefined && !Number.isInteger(v) && Math.abs(v) !== Infinity)
      throw new DomainError(`slice: ${name} is ${v}; it is a whole number`, { op: "slice" });
  const at = axisOf("slice", axis, shape.length);
  // A stored record is accepted again, so that printed graphs read back.
  if ("count" in given) return given;
  const size = shape[at]!;
  const low = step > 0 ? 0 : -1;
  const high = step > 0 ? size : size - 1;
  const place = (v: number): number => Math.min(high, Math.max(low, v < 0 ? v + size : v));
  const from = start === undefined ? (step > 0 ? low : high) : place(start);
  const to = end === undefined ? (step > 0 ? high : low) : place(end);
  return { axis: at, start: from, step, count: Math.max(0, Math.ceil((to - from) / step)) };
}

/** The transpose of `slice`: puts x at `start + i * step` of an axis of `size` zeros. */
export const unslice: Op<(x: Operand, attrs: Unslice) => Value> = declare<(x: Operand, attrs: Unslice) => Value, readonly ["x"]>(
  "unslice",
  ["x"],
  {
    family: "linear",
    type: ({ x, axis, size }) =>
      tensorType(
        x.dtype,
        x.shape.map((s, i) => (i === axis ? size : s)),
      ),
    eval: ({ x, axis, start, step }, out) => {
      const y = allocate(out.dtype, sizeOf(out.shape));
      const a = x.data;
      const strides = stridesOf(out.shape);
      const offset = start * strides[axis]!;
      strides[axis]! *= step;
      eachRow(x.type.shape, [strides], (at, base, steps, length) => {
        let q = base[0]! + offset;
        const dq = steps[0]!;
        for (let i = 0; i < length; i++, q += dq) y[q] = a[at + i]!;
      });
      return y;
    },
    linear: ["x"],
    reach: "moves",
    batch: ({ x, axis, start, step, size }) => unslice(x, { axis: axis + 1, start, step, size }),
    formula: { x: "dX = slice(dY)" },
    vjp: ({ ct, x, axis, start, step }) => ({ x: sliceRange(ct, { axis, start, step, count: x.type.shape[axis]! }) }),
  },
);

/** Attributes of `unslice`. */
export interface Unslice {
  readonly axis: number;
  readonly start: number;
  readonly step: number;
  readonly size: number;
}

/** A slice from its stored form. */
export function sliceRange(x: Operand, { axis, start, step, count }: Range): Value {
  // An empty range may start at -1, which would be read as the last element.
  if (count === 0) return slice(x, { axis, end: 0 });
  const last = start + count * step;
  return last < 0 ? slice(x, { axis, start, step, end: Number.NEGATIVE_INFINITY }) : slice(x, { axis, start, end: last, step });
}

/** One element or sub-tensor by index along the leading axes: `at(x, 2)`, `at(x, 0, -1)`. @throws DomainError for an index out of range */
export function at(x: Operand, ...index: readonly number[]): Value {
  let v: Value | null = null;
  let shape: readonly number[] = [];
  index.forEach((i, axis) => {
    const from: Operand = v ?? x;
    const size = axis < shape.length ? shape[axis]! : typeof from === "object" && "kind" in from ? from.type.shape[axis] : undefined;
    if (size !== undefined && (!Number.isInteger(i) || i < -size || i >= size))
      throw new DomainError(`at: index ${i} on axis ${axis} is out of range for size ${size}; indices are -${size}..${size - 1}`, {
        op: "at",
      });
    const p = i < 0 && size !== undefined ? i + size : i;
    v = slice(from, { axis, start: p, end: p + 1 });
    shape = v.type.shape;
  });
  if (v === null) return slice(x, {});
  return reshape(v, { shape: shape.slice(index.length) });
}
