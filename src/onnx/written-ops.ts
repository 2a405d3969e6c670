import { evaluate } from "../evaluate/evaluate.ts";
import { type DType, isFloat, isInteger } from "../ir/dtype.ts";
import { sizeOf } from "../ir/shape.ts";
import { tensorType } from "../ir/type.ts";
import { averagePool, conv, ones } from "../ops/index.ts";
import { windowCount } from "../ops/kernels/window.ts";
import { type Attribute, coordinates, type Emitter, type Written } from "./emitter.ts";
import { foldKeyRow, normalRow, splitKeysRow, uniformRow } from "./written-random.ts";

/** A row of the table: how an op is written, or why it is not. */
export type Row = ((e: Emitter, w: Written) => string | readonly string[]) | { readonly no: string };

function attrs(w: Written): unknown {
  return w.node.attrs;
}

/* @__NO_SIDE_EFFECTS__ */
function same(op: string, attributes: Readonly<Record<string, Attribute>> = {}): Row {
  return (e, w) => e.op(op, w.inputs, attributes);
}

function number(e: Emitter, w: Written, x: number): string {
  return e.constant([x], w.operands[0]!.type.dtype);
}

/** e^x - 1 without cancellation near 0: 2 t / (1 - t) with t = tanh(x / 2). */
const expm1: Row = (e, w) => {
  const [x] = w.inputs as readonly [string];
  const n = (v: number): string => number(e, w, v);
  const t = e.op("Tanh", [e.op("Mul", [x, n(0.5)])]);
  const near = e.op("Div", [e.op("Mul", [n(2), t]), e.op("Sub", [n(1), t])]);
  return e.op("Where", [e.op("Less", [e.op("Abs", [x]), n(1)]), near, e.op("Sub", [e.op("Exp", [x]), n(1)])]);
};

/** log(1 + x) with the rounding of 1 + x made up for. Source: Higham, Accuracy and Stability of Numerical Algorithms, 1.14.1. */
const log1p: Row = (e, w) => {
  const [x] = w.inputs as readonly [string];
  const n = (v: number): string => number(e, w, v);
  const u = e.op("Add", [x, n(1)]);
  const flat = e.op("Equal", [u, n(1)]);
  const endless = e.op("Equal", [u, n(Number.POSITIVE_INFINITY)]);
  const gap = e.op("Where", [e.op("Or", [flat, endless]), n(1), e.op("Sub", [u, n(1)])]);
  const good = e.op("Div", [e.op("Mul", [e.op("Log", [u]), x]), gap]);
  return e.op("Where", [flat, x, e.op("Where", [endless, u, good])]);
};

/** The angle of a point, from the angle of its ratio and the half plane. */
const atan2: Row = (e, w) => {
  const [y, x] = w.inputs as readonly [string, string];
  const n = (v: number): string => number(e, w, v);
  const zero = e.op("Equal", [x, n(0)]);
  const ratio = e.op("Atan", [e.op("Div", [y, e.op("Where", [zero, n(1), x])])]);
  const below = e.op("Less", [y, n(0)]);
  const turn = e.op("Where", [below, n(-Math.PI), n(Math.PI)]);
  const left = e.op("Where", [e.op("Less", [x, n(0)]), e.op("Add", [ratio, turn]), ratio]);
  const upright = e.op("Where", [e.op("Equal", [y, n(0)]), n(0), e.op("Where", [below, n(-Math.PI / 2), n(Math.PI / 2)])]);
  return e.op("Where", [zero, upright, left]);
};

/**
 * What whole numbers are divided by. Runtimes end their process over a division by 0, and over the smallest number by -1: a 0 is an error before, and for -1
 * stands a 1, the places of which `flipped` tells.
 */
function divisor(e: Emitter, w: Written): { readonly safe: string; readonly flipped: string | null } {
  const y = w.inputs[1]!;
  const n = (v: number): string => number(e, w, v);
  const checked = e.op("Add", [y, stops(e, e.op("Equal", [y, n(0)]), w.dtype)]);
  if (w.dtype.startsWith("u")) return { safe: checked, flipped: null };
  const flipped = e.op("Equal", [checked, n(-1)]);
  return { safe: e.op("Where", [flipped, n(1), checked]), flipped };
}

const div: Row = (e, w) => {
  if (isFloat(w.dtype)) return e.op("Div", w.inputs);
  const { safe, flipped } = divisor(e, w);
  const quotient = e.op("Div", [w.inputs[0]!, safe]);
  return flipped === null ? quotient : e.op("Where", [flipped, e.op("Neg", [quotient]), quotient]);
};

/** The remainder with the sign of the divisor: ONNX has it for whole numbers, and C's for floats. */
const mod: Row = (e, w) => {
  if (!isFloat(w.dtype)) return e.op("Mod", [w.inputs[0]!, divisor(e, w).safe], { fmod: 0 });
  const y = w.inputs[1]!;
  const n = (v: number): string => number(e, w, v);
  const r = e.op("Mod", w.inputs, { fmod: 1 });
  const differ = e.op("Xor", [e.op("Less", [r, n(0)]), e.op("Less", [y, n(0)])]);
  return e.op("Where", [e.op("And", [e.op("Not", [e.op("Equal", [r, n(0)])]), differ]), e.op("Add", [r, y]), r]);
};

/** Comparisons and products of truth values and narrow numbers, which runtimes do not have, in 32 bits. */
function widened(e: Emitter, w: Written, op: string): string {
  const from = w.operands[0]!.type.dtype;
  const narrow = from === "bool" || ["i8", "u8", "i16", "u16"].includes(from);
  return e.op(op, narrow ? w.inputs.map((x) => e.cast(x, "i32")) : w.inputs);
}

const clip: Row = (e, w) => {
  const { min, max } = attrs(w) as { readonly min?: number; readonly max?: number };
  const bound = (x: number | undefined): string => (x === undefined ? "" : number(e, w, x));
  return e.op("Clip", [w.inputs[0]!, bound(min), bound(max)]);
};

interface Axes {
  readonly axis: readonly number[];
  readonly keepDims: boolean;
}

/* @__NO_SIDE_EFFECTS__ */
function reduction(op: string): Row {
  return (e, w) => {
    const { axis, keepDims } = attrs(w) as Axes;
    const from = w.operands[0]!.type.dtype;
    const x = from === w.dtype ? w.inputs[0]! : e.cast(w.inputs[0]!, w.dtype);
    return e.reduce(op, x, axis, keepDims);
  };
}

const logSumExp: Row = (e, w) => {
  const { axis, keepDims } = attrs(w) as Axes;
  const [x] = w.inputs as readonly [string];
  const n = (v: number): string => number(e, w, v);
  const top = e.reduce("ReduceMax", x, axis, true);
  const endless = e.op("Equal", [e.op("Abs", [top]), n(Number.POSITIVE_INFINITY)]);
  const from = e.op("Where", [endless, n(0), top]);
  const sum = e.sum(e.op("Exp", [e.op("Sub", [x, from])]), axis, true);
  const out = e.op("Where", [endless, top, e.op("Add", [e.op("Log", [sum]), from])]);
  return keepDims ? out : e.reshape(out, w.shape);
};

const variance: Row = (e, w) => {
  const { axis, keepDims, correction } = attrs(w) as Axes & { readonly correction: number };
  const [x] = w.inputs as readonly [string];
  const centred = e.op("Sub", [x, e.reduce("ReduceMean", x, axis, true)]);
  const count = Math.max(0, sizeOf(axis.map((a) => w.operands[0]!.type.shape[a]!)) - correction);
  return e.op("Div", [e.sum(e.op("Mul", [centred, centred]), axis, keepDims), number(e, w, count)]);
};

/** Divided by the largest magnitude first, so that no power overflows. */
const norm: Row = (e, w) => {
  const { axis, keepDims, ord } = attrs(w) as Axes & { readonly ord: number };
  const size = e.op("Abs", [w.inputs[0]!]);
  if (ord === 1) return e.sum(size, axis, keepDims);
  const n = (v: number): string => number(e, w, v);
  const top = e.reduce("ReduceMax", size, axis, true);
  if (ord === Number.POSITIVE_INFINITY) return keepDims ? top : e.reshape(top, w.shape);
  const odd = e.op("Or", [e.op("Equal", [top, n(0)]), e.op("Equal", [top, n(Number.POSITIVE_INFINITY)])]);
  const ratio = e.op("Div", [size, e.op("Where", [odd, n(1), top])]);
  const sum = e.sum(ord === 2 ? e.op("Mul", [ratio, ratio]) : e.op("Pow", [ratio, n(ord)]), axis, true);
  const root = ord === 2 ? e.op("Sqrt", [sum]) : e.op("Pow", [sum, n(1 / ord)]);
  const out = e.op("Where", [odd, top, e.op("Mul", [top, root])]);
  return keepDims ? out : e.reshape(out, w.shape);
};

/** Places of extremes over several axes: those axes joined into one. */
/* @__NO_SIDE_EFFECTS__ */
function place(op: string): Row {
  return (e, w) => {
    const { axis } = attrs(w) as Axes;
    const { shape } = w.operands[0]!.type;
    const rest = shape.map((_, i) => i).filter((i) => !axis.includes(i));
    const flat = e.reshape(e.transpose(w.inputs[0]!, [...rest, ...axis]), [
      ...rest.map((i) => shape[i]!),
      sizeOf(axis.map((i) => shape[i]!)),
    ]);
    return e.reshape(e.cast(e.op(op, [flat], { axis: rest.length, keepdims: 0 }), w.dtype), w.shape);
  };
}

const sort: Row = (e, w) => {
  const { axis, descending } = attrs(w) as { readonly axis: number; readonly descending: boolean };
  const size = w.operands[0]!.type.shape[axis]!;
  const [values, places] = e.several("TopK", [w.inputs[0]!, e.ints([size])], 2, { axis, largest: descending ? 1 : 0, sorted: 1 }) as [
    string,
    string,
  ];
  return [values, e.cast(places, "i32")];
};

const topK: Row = (e, w) => {
  const { axis, k, largest } = attrs(w) as { readonly axis: number; readonly k: number; readonly largest: boolean };
  const [values, places] = e.several("TopK", [w.inputs[0]!, e.ints([k])], 2, { axis, largest: largest ? 1 : 0, sorted: 1 }) as [
    string,
    string,
  ];
  return [values, e.cast(places, "i32")];
};

interface Range {
  readonly axis: number;
  readonly start: number;
  readonly step: number;
  readonly count: number;
}

const slice: Row = (e, w) => {
  const { axis, start, step, count } = attrs(w) as Range;
  return count === 0 ? e.slice(w.inputs[0]!, axis, 0, 0) : e.slice(w.inputs[0]!, axis, start, count, step);
};

/** Elements at every `step`-th place of an axis of zeros: each gets `step - 1` zeros behind it, then the whole is put in its place. */
const unslice: Row = (e, w) => {
  const { axis, start, step, size } = attrs(w) as {
    readonly axis: number;
    readonly start: number;
    readonly step: number;
    readonly size: number;
  };
  const { shape } = w.operands[0]!.type;
  const count = shape[axis]!;
  const gap = Math.abs(step);
  let x = step < 0 ? e.slice(w.inputs[0]!, axis, count - 1, count, -1) : w.inputs[0]!;
  const first = step < 0 ? start + (count - 1) * step : start;
  if (gap > 1) {
    const apart = [...shape.slice(0, axis + 1), 1, ...shape.slice(axis + 1)];
    const wide = e.op("Pad", [
      e.reshape(x, apart),
      e.ints([...apart.map(() => 0), ...apart.map((_, i) => (i === axis + 1 ? gap - 1 : 0))]),
    ]);
    x = e.reshape(
      wide,
      shape.map((s, i) => (i === axis ? s * gap : s)),
    );
    x = e.slice(x, axis, 0, Math.max(0, (count - 1) * gap + 1));
  }
  const length = count === 0 ? 0 : (count - 1) * gap + 1;
  const before = count === 0 ? size : first;
  return e.op("Pad", [
    x,
    e.ints([...shape.map((_, i) => (i === axis ? before : 0)), ...shape.map((_, i) => (i === axis ? size - before - length : 0))]),
  ]);
};

const pad: Row = (e, w) => {
  const { pads, mode, value } = attrs(w) as {
    readonly pads: readonly (readonly [number, number])[];
    readonly mode: string;
    readonly value: number;
  };
  const list = e.ints([...pads.map(([low]) => low), ...pads.map(([, high]) => high)]);
  return e.op("Pad", mode === "constant" ? [w.inputs[0]!, list, number(e, w, value)] : [w.inputs[0]!, list], { mode });
};

/** Each element added at the place it showed: axis by axis a product with the matrix of zeros and ones. */
const unpad: Row = (e, w) => {
  const { pads, mode } = attrs(w) as { readonly pads: readonly (readonly [number, number])[]; readonly mode: string };
  let x = w.inputs[0]!;
  const shape = [...w.operands[0]!.type.shape];
  pads.forEach(([low, high], axis) => {
    if (low + high === 0) return;
    const from = shape[axis]!;
    const to = from - low - high;
    const matrix = new Array<number>(from * to).fill(0);
    for (let i = 0; i < from; i++) {
      const at = i - low;
      const back = Math.abs(at);
      const shown = mode === "edge" ? Math.min(to - 1, Math.max(0, at)) : back < to ? back : 2 * (to - 1) - back;
      matrix[i * to + shown] = 1;
    }
    const order = [...shape.map((_, i) => i).filter((i) => i !== axis), axis];
    const product = e.op("MatMul", [e.transpose(x, order), e.constant(matrix, w.dtype, [from, to])]);
    x = e.transpose(
      product,
      order.map((_, i) => order.indexOf(i)),
    );
    shape[axis] = to;
  });
  return x;
};

const split: Row = (e, w) => {
  const { axis, sizes } = attrs(w) as { readonly axis: number; readonly sizes: readonly number[] };
  return e.several("Split", [w.inputs[0]!, e.ints(sizes)], sizes.length, { axis });
};

const unstack: Row = (e, w) => {
  const { axis } = attrs(w) as { readonly axis: number };
  const count = w.operands[0]!.type.shape[axis]!;
  return e
    .several("Split", [w.inputs[0]!, e.ints(new Array<number>(count).fill(1))], count, { axis })
    .map((part) => e.reshape(part, w.shape));
};

const diag: Row = (e, w) => {
  const { offset } = attrs(w) as { readonly offset: number };
  const { shape } = w.operands[0]!.type;
  const matrix = shape.length === 2 ? shape : w.shape;
  const [rows, columns] = matrix as readonly [number, number];
  const places = coordinates([rows, columns]).flatMap(([r, c], at) => (c! - r! === offset ? [at] : []));
  if (shape.length === 2) return e.op("Gather", [e.reshape(w.inputs[0]!, [rows * columns]), e.ints(places)], { axis: 0 });
  const empty = e.op("Expand", [number(e, w, 0), e.ints([rows * columns])]);
  return e.reshape(e.op("ScatterElements", [empty, e.ints(places), w.inputs[0]!], { axis: 0 }), matrix);
};

/** Where there is nothing to put anywhere. */
function nothingToPut(w: Written): boolean {
  return w.operands[2]!.type.shape.includes(0);
}

const scatterAdd: Row = (e, w) => {
  if (nothingToPut(w)) return e.op("Identity", [w.inputs[0]!]);
  const { axis } = attrs(w) as { readonly axis: number };
  const { shape } = w.operands[0]!.type;
  const count = sizeOf(w.operands[1]!.type.shape);
  const [before, behind] = [sizeOf(shape.slice(0, axis)), sizeOf(shape.slice(axis + 1))];
  const flat = e.reshape(w.inputs[0]!, [before, shape[axis]!, behind]);
  const updates = e.reshape(w.inputs[2]!, [before, count, behind]);
  const at = e.op("Expand", [e.reshape(w.inputs[1]!, [1, count, 1]), e.ints([before, count, behind])]);
  return e.reshape(e.op("ScatterElements", [flat, at, updates], { axis: 1, reduction: "add" }), shape);
};

const scatterElements: Row = (e, w) =>
  nothingToPut(w)
    ? e.op("Identity", [w.inputs[0]!])
    : e.op("ScatterElements", w.inputs, attrs(w) as { readonly axis: number; readonly reduction: string });

/** Slices by index tuples: leading axes in common become numbers of the tuples. */
function tuples(e: Emitter, w: Written): string {
  const { batchDims } = attrs(w) as { readonly batchDims: number };
  const at = w.operands[1]!.type;
  const plain = e.cast(w.inputs[1]!, "i64");
  if (batchDims === 0) return plain;
  const lead = at.shape.slice(0, -1);
  const own = e.constant(
    coordinates(lead).flatMap((c) => c.slice(0, batchDims)),
    "i64",
    [...lead, batchDims],
  );
  return e.op("Concat", [own, plain], { axis: lead.length });
}

const scatterND: Row = (e, w) =>
  nothingToPut(w)
    ? e.op("Identity", [w.inputs[0]!])
    : e.op("ScatterND", [w.inputs[0]!, tuples(e, w), w.inputs[2]!], { reduction: (attrs(w) as { readonly reduction: string }).reduction });

const oneHot: Row = (e, w) => {
  const { depth } = attrs(w) as { readonly depth: number };
  const { shape, dtype } = w.operands[0]!.type;
  const classes = e.constant(
    Array.from({ length: depth }, (_, i) => i),
    dtype,
    [depth],
  );
  return e.cast(e.op("Equal", [e.reshape(w.inputs[0]!, [...shape, 1]), classes]), w.dtype);
};

/** Attributes of convolutions and poolings; sizes are those of a gradient's image, or of a pooling's windows. */
export interface Windows {
  readonly stride: readonly number[];
  readonly padding: readonly (readonly [number, number])[];
  readonly dilation: readonly number[];
  readonly groups: number;
  readonly size: readonly number[];
}

function pads(padding: readonly (readonly [number, number])[]): number[] {
  return [...padding.map(([low]) => low), ...padding.map(([, high]) => high)];
}

const convolution: Row = (e, w) => {
  const { stride, padding, dilation, groups } = attrs(w) as Windows;
  return e.op(
    "Conv",
    w.inputs.filter((x) => x !== ""),
    { strides: stride, pads: pads(padding), dilations: dilation, group: groups, kernel_shape: w.operands[1]!.type.shape.slice(2) },
  );
};

/** The transposed convolution that gives exactly `size` places. */
function transposedConv(
  e: Emitter,
  dy: string,
  kernel: string,
  places: readonly number[],
  taps: readonly number[],
  windows: Windows,
): string {
  const { stride, padding, dilation, groups, size } = windows;
  const high: number[] = [];
  const extra: number[] = [];
  size.forEach((wanted, i) => {
    const over = (places[i]! - 1) * stride[i]! + (taps[i]! - 1) * dilation[i]! + 1 - padding[i]![0] - wanted;
    high.push(Math.max(0, over));
    extra.push(Math.max(0, -over));
  });
  const shape = { strides: stride, dilations: dilation, group: groups, kernel_shape: taps };
  const low = padding.map(([l]) => l);
  if (extra.every((x, i) => x < Math.max(stride[i]!, dilation[i]!)))
    return e.op("ConvTranspose", [dy, kernel], { ...shape, pads: [...low, ...high], output_padding: extra });
  const out = e.op("ConvTranspose", [dy, kernel], { ...shape, pads: [...low, ...high] });
  return e.op("Pad", [out, e.ints([0, 0, ...low.map(() => 0), 0, 0, ...extra])]);
}

const convInput: Row = (e, w) => {
  const [dy, kernel] = [w.operands[0]!.type.shape, w.operands[1]!.type.shape];
  return transposedConv(e, w.inputs[0]!, w.inputs[1]!, dy.slice(2), kernel.slice(2), attrs(w) as Windows);
};

/** Larger kernels are not unfolded: each tap is a copy of the input. */
const mostTaps = 64;
/** Fewer places than this are too short a sum for a product of each example by itself. */
const fewPlaces = 128;

/** The input of a convolution with the zeros around it that its windows reach, and none more. */
function reached(
  e: Emitter,
  data: string,
  { stride, padding, dilation, size }: Windows,
  places: readonly number[],
  x: readonly number[],
): string {
  const reach = size.map((k, i) => (k - 1) * dilation[i]! + (places[i]! - 1) * stride[i]! + 1);
  const low = padding.map(([l]) => l);
  const high = reach.map((r, i) => Math.max(0, r - low[i]! - x[i]!));
  return [...low, ...high].some((p) => p > 0) ? e.op("Pad", [data, e.ints([0, 0, ...low, 0, 0, ...high])]) : data;
}

/**
 * Example by example, and summed: the taps along the last axis beside each other, and for each tap along the others a product with dy. So what is laid out is as
 * many copies of x as the kernel is wide, not as it has elements, and no examples and channels change places.
 */
function weightByExamples(e: Emitter, w: Written): string {
  const windows = attrs(w) as Windows;
  const { stride, dilation, size } = windows;
  const [dy, x] = [w.operands[0]!.type.shape, w.operands[1]!.type.shape];
  const [batch, outs, inner] = [dy[0]!, dy[1]!, x[1]!];
  const places = dy.slice(2);
  const count = sizeOf(places);
  const last = size.length - 1;
  const wide = size[last]!;
  const data = reached(e, w.inputs[1]!, windows, places, x.slice(2));
  const cut = (from: string, tap: readonly number[], first: number): string => {
    const starts = tap.map((t, i) => t * dilation[first + i]!);
    const ends = starts.map((s, i) => s + (places[first + i]! - 1) * stride[first + i]! + 1);
    const axes = tap.map((_, i) => first + i + 2);
    return e.op("Slice", [from, e.ints(starts), e.ints(ends), e.ints(axes), e.ints(stride.slice(first, first + tap.length))]);
  };
  const lines = Array.from({ length: wide }, (_, t) => cut(data, [t], last));
  const beside = wide === 1 ? lines[0]! : e.op("Concat", lines, { axis: 1 });
  const kernel = e.reshape(w.inputs[0]!, [batch, outs, count]);
  const parts = coordinates(size.slice(0, last)).map((tap) => {
    const columns = e.reshape(tap.length === 0 ? beside : cut(beside, tap, 0), [batch, wide * inner, count]);
    return e.sum(e.op("MatMul", [kernel, e.transpose(columns, [0, 2, 1])]), [0], false);
  });
  const all = parts.length === 1 ? parts[0]! : e.op("Concat", parts, { axis: 1 });
  return e.reshape(e.transpose(e.reshape(all, [outs, parts.length * wide, inner]), [0, 2, 1]), [outs, inner, ...size]);
}

/** Unfolded: for each tap the elements of x that it met, beside each other, and one product with dy. Runtimes are slow at kernels as large as an image. */
function weightByProduct(e: Emitter, w: Written): string {
  const windows = attrs(w) as Windows;
  const { stride, dilation, size } = windows;
  const [dy, x] = [w.operands[0]!.type.shape, w.operands[1]!.type.shape];
  const [batch, outs, inner] = [dy[0]!, dy[1]!, x[1]!];
  const space = dy.slice(2);
  const swap = [1, 0, ...size.map((_, i) => i + 2)];
  const count = batch * sizeOf(space);
  const data = reached(e, e.transpose(w.inputs[1]!, swap), windows, space, x.slice(2));
  const axes = e.ints(size.map((_, i) => i + 2));
  const parts = coordinates(size).map((tap) => {
    const from = tap.map((t, i) => t * dilation[i]!);
    const to = from.map((f, i) => f + (space[i]! - 1) * stride[i]! + 1);
    return e.reshape(e.op("Slice", [data, e.ints(from), e.ints(to), axes, e.ints(stride)]), [inner, count]);
  });
  const taps = parts.length;
  const columns = taps === 1 ? parts[0]! : e.op("Concat", parts, { axis: 0 });
  const kernel = e.reshape(e.transpose(w.inputs[0]!, swap), [outs, count]);
  const product = e.op("MatMul", [kernel, e.transpose(columns, [1, 0])]);
  return e.reshape(e.transpose(e.reshape(product, [outs, taps, inner]), [0, 2, 1]), [outs, inner, ...size]);
}

/** A convolution of x with dy, channels in the place of examples; strides and dilations change places. */
const convWeight: Row = (e, w) => {
  const { stride, padding, dilation, groups, size } = attrs(w) as Windows;
  const [dy, x] = [w.operands[0]!.type.shape, w.operands[1]!.type.shape];
  const [batch, outs] = [dy[0]!, dy[1]!];
  if (groups === 1 && sizeOf(size) <= mostTaps) {
    const places = sizeOf(dy.slice(2));
    return places >= Math.max(fewPlaces, outs) ? weightByExamples(e, w) : weightByProduct(e, w);
  }
  const inner = x[1]! / groups;
  const space = (v: readonly number[]): number[] => v.slice(2) as number[];
  const swap = (rank: number): number[] => [1, 0, ...Array.from({ length: rank }, (_, i) => i + 2)];
  const rank = size.length;
  // [N, G, C / G, ...] as [C / G, G N, ...].
  const parts = e.reshape(w.inputs[1]!, [batch, groups, inner, ...space(x)]);
  const data = e.reshape(e.transpose(parts, [2, 1, 0, ...Array.from({ length: rank }, (_, i) => i + 3)]), [
    inner,
    groups * batch,
    ...space(x),
  ]);
  const kernel = e.transpose(w.inputs[0]!, swap(rank));
  const out = e.op("Conv", [data, kernel], {
    strides: dilation,
    dilations: stride,
    pads: pads(padding),
    group: groups,
    kernel_shape: space(dy),
  });
  let cut = out;
  size.forEach((wanted, i) => {
    const [low, high] = padding[i]!;
    if (windowCount(x[i + 2]!, dy[i + 2]!, dilation[i]!, low, high, stride[i]!) > wanted) cut = e.slice(cut, i + 2, 0, wanted);
  });
  return e.reshape(e.transpose(cut, swap(rank)), [outs, inner, ...size]);
};

interface Pool {
  readonly size: readonly number[];
  readonly stride: readonly number[];
  readonly padding: readonly (readonly [number, number])[];
  readonly dilation: readonly number[];
  readonly ceilMode: boolean;
  readonly countIncludePad: boolean;
}

function poolAttributes({ size, stride, padding, ceilMode }: Pool): Record<string, Attribute> {
  return { kernel_shape: size, strides: stride, pads: pads(padding), ceil_mode: ceilMode ? 1 : 0 };
}

const maxPool: Row = (e, w) => {
  const pool = attrs(w) as Pool;
  return e.half("MaxPool", w.inputs, 0, { ...poolAttributes(pool), dilations: pool.dilation });
};

const maxPoolPlaces: Row = (e, w) => {
  const pool = attrs(w) as Pool;
  return e.cast(e.half("MaxPool", w.inputs, 1, { ...poolAttributes(pool), dilations: pool.dilation }), "i32");
};

/** The number that each mean was divided by is worked out here; the rest is a convolution with ones, or its transpose, channel by channel. */
function poolCounts(pool: Pool, space: readonly number[]): { readonly counts: readonly number[]; readonly shape: readonly number[] } {
  const unit = ones(tensorType("f64", [1, 1, ...space]));
  const { space: _, ...windows } = pool as Pool & { readonly space?: unknown };
  const means = averagePool(unit, { ...windows, ...(pool.dilation.every((d) => d === 1) ? { dilation: undefined } : {}) } as never);
  const places = means.type.shape.slice(2);
  const reach = pool.size.map((k, i) => (places[i]! - 1) * pool.stride[i]! + (k - 1) * pool.dilation[i]! + 1);
  const padding = pool.padding.map(([low], i): readonly [number, number] => [low, Math.max(0, reach[i]! - low - space[i]!)]);
  const inside = conv(unit, ones(tensorType("f64", [1, 1, ...pool.size])), { stride: pool.stride, padding, dilation: pool.dilation });
  const [m, n] = [evaluate(means).data, evaluate(inside).data];
  return { counts: Array.from(n, (x, i) => (m[i] === 0 ? 1 : x / m[i]!)), shape: [1, 1, ...inside.type.shape.slice(2)] };
}

const averaged: Row = (e, w) => {
  const pool = attrs(w) as Pool;
  if (pool.dilation.every((d) => d === 1) && !pool.ceilMode)
    return e.op("AveragePool", w.inputs, { ...poolAttributes(pool), count_include_pad: pool.countIncludePad ? 1 : 0 });
  const { shape } = w.operands[0]!.type;
  const { counts, shape: out } = poolCounts(pool, shape.slice(2));
  const reach = pool.size.map((k, i) => (w.shape[i + 2]! - 1) * pool.stride[i]! + (k - 1) * pool.dilation[i]! + 1);
  const high = reach.map((r, i) => Math.max(0, r - pool.padding[i]![0] - shape[i + 2]!));
  const total = e.op("Conv", [w.inputs[0]!, kernelOfOnes(e, w.dtype, shape[1]!, pool.size)], {
    strides: pool.stride,
    dilations: pool.dilation,
    pads: [...pool.padding.map(([low]) => low), ...high],
    group: shape[1]!,
    kernel_shape: pool.size,
  });
  return e.op("Div", [total, e.constant(counts, w.dtype, out)]);
};

function kernelOfOnes(e: Emitter, dtype: DType, channels: number, size: readonly number[]): string {
  return e.op("Expand", [e.constant([1], dtype), e.ints([channels, 1, ...size])]);
}

const averagePoolInput: Row = (e, w) => {
  const pool = attrs(w) as Pool & { readonly space: readonly number[] };
  const { shape } = w.operands[0]!.type;
  const { counts, shape: out } = poolCounts(pool, pool.space);
  const shares = e.op("Div", [w.inputs[0]!, e.constant(counts, w.dtype, out)]);
  const channels = shape[1]!;
  const windows: Windows = { stride: pool.stride, padding: pool.padding, dilation: pool.dilation, groups: channels, size: pool.space };
  return transposedConv(e, shares, kernelOfOnes(e, w.dtype, channels, pool.size), shape.slice(2), pool.size, windows);
};

const pick: Row = (e, w) => {
  const flat = e.reshape(w.inputs[0]!, [sizeOf(w.operands[0]!.type.shape)]);
  const zero = e.constant([0], w.operands[1]!.type.dtype);
  const taken = e.op("Gather", [flat, e.op("Max", [w.inputs[1]!, zero])], { axis: 0 });
  return e.op("Where", [e.op("Less", [w.inputs[1]!, zero]), e.constant([0], w.dtype), taken]);
};

/**
 * The gradient of a max pool whose windows lie side by side, as ONNX has it: no element is in two windows, so nothing is added, and ONNX Runtime takes less than half the
 * time of ScatterElements. Null for other places, and for a shape that is not the one which the windows make.
 */
function unpooled(e: Emitter, w: Written, shape: readonly number[]): string | null {
  const { op, operands, attrs: pool } = w.operands[1]!.node;
  if (op.name !== "maxPoolPlaces" || w.dtype !== "f32") return null;
  const { size, stride, padding, dilation, ceilMode } = pool as unknown as Pool;
  const made = w.operands[0]!.type.shape;
  const fits = size.every((k, i) => {
    const [low, high] = padding[i]!;
    return dilation[i] === 1 && stride[i]! >= k && (made[i + 2]! - 1) * stride[i]! + k - low - high === shape[i + 2];
  });
  const x = operands[0]!;
  const name = e.names.get(x);
  if (!fits || ceilMode || name === undefined || String(x.type.shape) !== String(shape)) return null;
  const places = e.half("MaxPool", [name], 1, { ...poolAttributes(pool as unknown as Pool), dilations: dilation });
  return e.op("MaxUnpool", [w.inputs[0]!, places], { kernel_shape: size, strides: stride, pads: pads(padding) });
}

const unpick: Row = (e, w) => {
  const { shape } = attrs(w) as { readonly shape: readonly number[] };
  const side = unpooled(e, w, shape);
  if (side !== null) return side;
  const count = sizeOf(w.operands[0]!.type.shape);
  const zero = e.constant([0], w.operands[1]!.type.dtype);
  const some = e.op("Where", [e.op("Less", [w.inputs[1]!, zero]), e.constant([0], w.dtype), w.inputs[0]!]);
  const empty = e.op("Expand", [e.constant([0], w.dtype), e.ints([sizeOf(shape)])]);
  const at = e.reshape(e.op("Max", [w.inputs[1]!, zero]), [count]);
  return e.reshape(e.op("ScatterElements", [empty, at, e.reshape(some, [count])], { axis: 0, reduction: "add" }), shape);
};

/** A 0, or, where `bad` holds anywhere, an error of the runtime: an element beyond the end of one. */
function stops(e: Emitter, bad: string, dtype: DType): string {
  const first = e.reduce("ReduceMax", e.reshape(e.cast(bad, "i32"), [-1]), [0], false);
  return e.op("Gather", [e.constant([0], dtype, [1]), first], { axis: 0 });
}

const classLabels: Row = (e, w) => {
  const {
    classes,
    ignoreIndex = -1,
    what = "label",
  } = attrs(w) as {
    readonly classes: number;
    readonly ignoreIndex?: number;
    readonly what?: string;
  };
  const [given] = w.inputs as readonly [string];
  const lowest = what === "id" ? 0 : ignoreIndex;
  if ((lowest === 0 || lowest === -1) && (w.dtype === "i32" || w.dtype === "i64")) {
    const bound = (v: number): string => e.constant([v], w.dtype);
    const inside = e.op("Clip", [given, bound(lowest), bound(classes - 1)]);
    const off = e.op("Abs", [e.op("Sub", [inside, given])]);
    return e.op("Add", [given, e.op("Gather", [e.constant([0], w.dtype, [1]), off], { axis: 0 })]);
  }
  const x = e.cast(given, "i64");
  const n = (v: number): string => e.constant([v], "i64");
  const beyond = e.op("Or", [e.op("Less", [x, n(0)]), e.op("GreaterOrEqual", [x, n(classes)])]);
  const bad = what === "id" ? beyond : e.op("And", [beyond, e.op("Not", [e.op("Equal", [x, n(ignoreIndex)])])]);
  return e.cast(e.op("Add", [x, stops(e, bad, "i64")]), w.dtype);
};

const gamma = { no: "ONNX has no operator of the gamma function" };
const factors = { no: "ONNX has no operators of linear algebra beyond products and determinants" };
const shuffled = {
  no: "each of its exchanges needs the one before, which ONNX could only do in a loop; shuffle outside and hand the order in as an input",
};

/** Every op of ours: how it is written with ONNX's operators, or why it is not. */
export const rows: Readonly<Record<string, Row>> = {
  abs: same("Abs"),
  acos: same("Acos"),
  add: same("Add"),
  apart: factors,
  argMax: place("ArgMax"),
  argMin: place("ArgMin"),
  asin: same("Asin"),
  atan: same("Atan"),
  atan2,
  averagePool: averaged,
  averagePoolInput,
  cast: (e, w) => e.cast(w.inputs[0]!, w.dtype),
  ceil: (e, w) => (isInteger(w.dtype) ? e.op("Identity", w.inputs) : e.op("Ceil", w.inputs)),
  cholesky: factors,
  classLabels,
  clip,
  cofactor: factors,
  concat: (e, w) => {
    const parts = w.inputs.filter((_, i) => !w.operands[i]!.type.shape.includes(0));
    return e.op("Concat", parts, { axis: (attrs(w) as { readonly axis: number }).axis });
  },
  conv: convolution,
  convInput,
  convWeight,
  cos: same("Cos"),
  cosh: same("Cosh"),
  cumsum: (e, w) => {
    const { axis, exclusive, reverse } = attrs(w) as {
      readonly axis: number;
      readonly exclusive: boolean;
      readonly reverse: boolean;
    };
    const x = w.operands[0]!.type.dtype === w.dtype ? w.inputs[0]! : e.cast(w.inputs[0]!, w.dtype);
    return e.op("CumSum", [x, e.constant([axis], "i64")], { exclusive: exclusive ? 1 : 0, reverse: reverse ? 1 : 0 });
  },
  customGradient: (e, w) => e.op("Identity", [w.inputs[0]!]),
  det: same("Det"),
  diag,
  digamma: gamma,
  div,
  eigh: factors,
  ensure: (e, w) => {
    const { most } = attrs(w) as { readonly most: number };
    const kept = e.op("LessOrEqual", [w.inputs[1]!, e.constant([most], w.operands[1]!.type.dtype)]);
    // The check is part of the shape, so that it comes before the data and leaves every bit of it alone.
    return e.op("Reshape", [w.inputs[0]!, e.op("Add", [e.ints(w.shape), stops(e, e.op("Not", [kept]), "i64")])], { allowzero: 1 });
  },
  equal: (e, w) => (w.operands[0]!.type.dtype === "bool" ? e.op("Equal", w.inputs) : widened(e, w, "Equal")),
  erf: same("Erf"),
  exp: same("Exp"),
  expand: (e, w) => e.op("Expand", [w.inputs[0]!, e.ints(w.shape)]),
  expm1,
  flip: (e, w) =>
    (attrs(w) as Axes).axis.reduce((x, axis) => e.slice(x, axis, w.shape[axis]! - 1, w.shape[axis]!, -1), e.op("Identity", w.inputs)),
  floor: (e, w) => (isInteger(w.dtype) ? e.op("Identity", w.inputs) : e.op("Floor", w.inputs)),
  foldKey: foldKeyRow,
  fourier: { no: "its halves of real and imaginary parts are other ones than those of ONNX's DFT" },
  gather: (e, w) => e.op("Gather", w.inputs, { axis: (attrs(w) as { readonly axis: number }).axis }),
  gatherElements: (e, w) => e.op("GatherElements", w.inputs, { axis: (attrs(w) as { readonly axis: number }).axis }),
  gatherND: (e, w) => e.op("GatherND", [w.inputs[0]!, tuples(e, w)]),
  greater: (e, w) => widened(e, w, "Greater"),
  greaterEqual: (e, w) => widened(e, w, "GreaterOrEqual"),
  identity: same("Identity"),
  inverse: factors,
  isNaN: (e, w) => e.op("IsNaN", isFloat(w.operands[0]!.type.dtype) ? w.inputs : [e.cast(w.inputs[0]!, "f32")]),
  less: (e, w) => widened(e, w, "Less"),
  lessEqual: (e, w) => widened(e, w, "LessOrEqual"),
  lgamma: gamma,
  log: same("Log"),
  log1p,
  logSumExp,
  logicalAnd: same("And"),
  logicalNot: same("Not"),
  logicalOr: same("Or"),
  logicalXor: same("Xor"),
  matmul: same("MatMul"),
  max: reduction("ReduceMax"),
  maxPool,
  maxPoolPlaces,
  maximum: same("Max"),
  mean: reduction("ReduceMean"),
  min: reduction("ReduceMin"),
  minimum: same("Min"),
  mod,
  mul: same("Mul"),
  neg: same("Neg"),
  norm,
  normalNumbers: normalRow,
  notEqual: (e, w) => e.op("Not", [w.operands[0]!.type.dtype === "bool" ? e.op("Equal", w.inputs) : widened(e, w, "Equal")]),
  oneHot,
  pad,
  pick,
  polygamma: gamma,
  pow: same("Pow"),
  prod: reduction("ReduceProd"),
  qr: factors,
  reciprocal: same("Reciprocal"),
  relu: same("Relu"),
  reshape: (e, w) => e.reshape(w.inputs[0]!, w.shape),
  round: (e, w) => (isInteger(w.dtype) ? e.op("Identity", w.inputs) : e.op("Round", w.inputs)),
  rsqrt: (e, w) => e.op("Reciprocal", [e.op("Sqrt", w.inputs)]),
  scatterAdd,
  scatterElements,
  scatterND,
  shuffledRange: shuffled,
  sigmoid: same("Sigmoid"),
  sign: same("Sign"),
  sin: same("Sin"),
  sinh: same("Sinh"),
  slice,
  slogDet: factors,
  softplus: same("Softplus"),
  solve: factors,
  sort,
  split,
  splitKeys: splitKeysRow,
  sqrt: same("Sqrt"),
  square: (e, w) => e.op("Mul", [w.inputs[0]!, w.inputs[0]!]),
  stop: same("Identity"),
  sub: same("Sub"),
  sum: reduction("ReduceSum"),
  svd: factors,
  tan: same("Tan"),
  tanh: same("Tanh"),
  tile: (e, w) => e.op("Tile", [w.inputs[0]!, e.ints((attrs(w) as { readonly repeats: readonly number[] }).repeats)]),
  topK,
  transpose: (e, w) => e.op("Transpose", w.inputs, { perm: (attrs(w) as { readonly axes: readonly number[] }).axes }),
  triangularSolve: factors,
  tril: (e, w) => e.op("Trilu", [w.inputs[0]!, e.constant([(attrs(w) as { readonly offset: number }).offset], "i64")], { upper: 0 }),
  triu: (e, w) => e.op("Trilu", [w.inputs[0]!, e.constant([(attrs(w) as { readonly offset: number }).offset], "i64")], { upper: 1 }),
  uniformNumbers: uniformRow,
  unpad,
  unpick,
  unslice,
  unstack,
  variance,
  where: same("Where"),
};
