import { allocate, type NumberArray } from "../../ir/dtype.ts";
import { DomainError, ShapeError } from "../../ir/errors.ts";
import type { Value } from "../../ir/node.ts";
import type { Operand } from "../../ir/op.ts";
import { type Shape, sizeOf, stridesOf } from "../../ir/shape.ts";
import { type TensorType, tensorType, typeText } from "../../ir/type.ts";
import { declare, type Op } from "../define.ts";
import { copyStrided } from "../kernels/walk.ts";
import { refuseBool } from "./refuse-bool.ts";
import { slice } from "./slice.ts";

/** What padding is filled with: a constant, the elements mirrored at the edge (which is not repeated), or the edge again and again. */
export type PadMode = "constant" | "reflect" | "edge";

/** Attributes of `pad`. */
export interface PadAttrs {
  /** For each axis how many elements to put before and after. */
  readonly pads: readonly (readonly [number, number])[];
  /** "constant" when left out. */
  readonly mode?: PadMode;
  /** What constant padding holds; 0 when left out. */
  readonly value?: number;
}

interface Padded {
  readonly pads: readonly (readonly [number, number])[];
  readonly mode: PadMode;
  readonly value: number;
}

function paddedOf({ pads, mode = "constant", value = 0 }: PadAttrs, x: TensorType): Padded {
  if (mode !== "constant" && mode !== "reflect" && mode !== "edge")
    throw new DomainError(`pad: mode is "${String(mode)}"; it is "constant", "reflect" or "edge"`, { op: "pad" });
  if (pads.length !== x.shape.length)
    throw new ShapeError(
      `pad: x is ${typeText(x)} and pads has ${pads.length} pairs; write [before, after] for each of the ${x.shape.length} axes`,
      {
        op: "pad",
      },
    );
  pads.forEach((pair, axis) => {
    if (pair.length !== 2 || pair.some((p) => !Number.isInteger(p) || p < 0))
      throw new ShapeError(
        `pad: pads[${axis}] is [${pair.join(",")}]; a pair is [before, after], whole numbers, 0 or more; to take elements off write slice`,
        { op: "pad" },
      );
    const size = x.shape[axis]!;
    if (mode === "edge" && size === 0 && pair[0] + pair[1] > 0)
      throw new ShapeError(`pad: x is ${typeText(x)} and axis ${axis} has no edge to repeat; use mode "constant"`, { op: "pad" });
    if (mode === "reflect" && Math.max(...pair) > Math.max(0, size - 1))
      throw new ShapeError(
        `pad: pads[${axis}] is [${pair.join(",")}] and axis ${axis} of x, ${typeText(x)}, has size ${size}; mode "reflect" can mirror at most ${Math.max(0, size - 1)} elements`,
        { op: "pad" },
      );
  });
  return { pads, mode, value };
}

/** The place along an axis that a place of the padded axis shows. */
function source(place: number, size: number, mode: PadMode): number {
  if (mode === "edge") return Math.min(size - 1, Math.max(0, place));
  const back = Math.abs(place);
  return back < size ? back : 2 * (size - 1) - back;
}

/** For each element of the padded shape the element of x it shows. */
function sources(shape: Shape, padded: Shape, { pads, mode }: Omit<Padded, "value">): Int32Array {
  const strides = stridesOf(shape);
  let found = new Int32Array(1);
  padded.forEach((size, axis) => {
    const longer = new Int32Array(found.length * size);
    for (let i = 0, at = 0; i < found.length; i++)
      for (let p = 0; p < size; p++) longer[at++] = found[i]! + source(p - pads[axis]![0], shape[axis]!, mode) * strides[axis]!;
    found = longer;
  });
  return found;
}

function paddedShape(shape: Shape, pads: Padded["pads"]): number[] {
  return shape.map((s, i) => s + pads[i]![0] + pads[i]![1]);
}

function constantPadded(x: NumberArray, shape: Shape, out: TensorType, { pads, value }: Padded): NumberArray {
  const y = allocate(out.dtype, sizeOf(out.shape)).fill(value);
  const strides = stridesOf(out.shape);
  const start = pads.reduce((at, [before], axis) => at + before * strides[axis]!, 0);
  if (x.length > 0) copyStrided(x, stridesOf(shape), 0, y, shape, strides, start);
  return y;
}

/**
 * x with elements put around it: `pad(x, { pads: [[1, 1], [0, 2]] })`. "constant" fills with `value`; "reflect" mirrors (the edge itself once), at most
 * size - 1 elements; "edge" repeats the edge. Backward: the gradient without its padding; what a padding element showed gets its gradient too.
 * @throws ShapeError for pairs that do not fit x; DomainError for an unknown mode
 */
export const pad: Op<(x: Operand, attrs: PadAttrs) => Value> = declare<(x: Operand, attrs: PadAttrs) => Value, readonly ["x"], Padded>(
  "pad",
  ["x"],
  {
    family: "linear",
    attrs: (given, { x }) => paddedOf(given, x),
    type: ({ x, pads }) => tensorType(x.dtype, paddedShape(x.shape, pads)),
    eval: ({ x, pads, mode, value }, out) => {
      if (mode === "constant") return constantPadded(x.data, x.type.shape, out, { pads, mode, value });
      const from = sources(x.type.shape, out.shape, { pads, mode });
      const y = allocate(out.dtype, from.length);
      for (let i = 0; i < y.length; i++) y[i] = x.data[from[i]!]!;
      return y;
    },
    reach: "moves",
    batch: ({ x, pads, mode, value }) => pad(x, { pads: [[0, 0], ...pads], mode, value }),
    formula: { x: "dX = dY without its padding" },
    // Not `linear`: a constant other than 0 is not scaled with x.
    jvp: ({ d, pads, mode }) => d.x && pad(d.x, { pads, mode }),
    vjp: ({ ct, x, pads, mode }) => {
      if (mode !== "constant") return { x: unpad(ct, { pads, mode }) };
      let cut = ct;
      pads.forEach(([before, after], axis) => {
        if (before + after > 0) cut = slice(cut, { axis, start: before, end: before + x.type.shape[axis]! });
      });
      return { x: cut };
    },
  },
);

/** Attributes of `unpad`. */
export interface UnpadAttrs {
  readonly pads: readonly (readonly [number, number])[];
  readonly mode: "reflect" | "edge";
}

/** The transpose of `pad` with "reflect" or "edge": takes the padding off and adds each element of it to the one that it showed. */
export const unpad: Op<(x: Operand, attrs: UnpadAttrs) => Value> = declare<(x: Operand, attrs: UnpadAttrs) => Value, readonly ["x"]>(
  "unpad",
  ["x"],
  {
    family: "linear",
    type: ({ x, pads }) => {
      refuseBool("unpad", "x", x);
      return tensorType(
        x.dtype,
        x.shape.map((s, i) => s - (pads[i]?.[0] ?? 0) - (pads[i]?.[1] ?? 0)),
      );
    },
    eval: ({ x, pads, mode }, out) => {
      const to = sources(out.shape, x.type.shape, { pads, mode });
      const y = new Float64Array(sizeOf(out.shape));
      for (let i = 0; i < to.length; i++) y[to[i]!]! += x.data[i]!;
      return y;
    },
    linear: ["x"],
    batch: ({ x, pads, mode }) => unpad(x, { pads: [[0, 0], ...pads], mode }),
    formula: { x: "dX = pad(dY)" },
    vjp: ({ ct, pads, mode }) => ({ x: pad(ct, { pads, mode }) }),
  },
);
