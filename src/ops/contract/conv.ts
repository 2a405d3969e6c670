import { allocate, type NumberArray } from "../../ir/dtype.ts";
import { ShapeError } from "../../ir/errors.ts";
import { lift } from "../../ir/leaf.ts";
import type { Value } from "../../ir/node.ts";
import type { Operand } from "../../ir/op.ts";
import { type Shape, shapeText, sizeOf } from "../../ir/shape.ts";
import { type TensorType, tensorType, typeText } from "../../ir/type.ts";
import { add } from "../arithmetic.ts";
import { declare, type Op } from "../define.ts";
import { type ConvShape, convForward, convInputGradient, convWeightGradient } from "../kernels/conv.ts";
import { transposedCount, windowCount } from "../kernels/window.ts";
import { everyExample, folded, unfolded } from "../linear/every-example.ts";
import { refuseBool } from "../linear/refuse-bool.ts";
import { reshape } from "../linear/reshape.ts";
import { slice } from "../linear/slice.ts";
import { sum } from "../linear/sum.ts";
import { type Padding, type Pairs, pairsOf, perAxis } from "./window-attrs.ts";

/** How the window of a convolution moves. Numbers hold for every spatial axis, lists are per axis. */
export interface ConvAttrs {
  readonly stride?: number | readonly number[];
  readonly padding?: Padding;
  readonly dilation?: number | readonly number[];
  readonly groups?: number;
}

/** The window as nodes store it. */
export interface Windows {
  readonly stride: readonly number[];
  readonly padding: Pairs;
  readonly dilation: readonly number[];
  readonly groups: number;
}

interface Sized extends Windows {
  /** The spatial sizes of the result. */
  readonly size: readonly number[];
}

function checkOperands(op: string, x: TensorType, w: TensorType, names: readonly [string, string]): number {
  refuseBool(op, names[0], x);
  const rank = x.shape.length - 2;
  if (rank < 1 || rank > 3 || w.shape.length !== x.shape.length)
    throw new ShapeError(
      `${op}: ${names[0]} is ${typeText(x)} and ${names[1]} is ${typeText(w)}; they are [batch, channels, ...space] and [channels, channels / groups, ...kernel] with the same 1 to 3 spatial axes`,
      { op },
    );
  return rank;
}

function windowsOf(op: string, { stride, padding, dilation, groups = 1 }: ConvAttrs, sizes: Shape, kernel: Shape): Windows {
  const rank = sizes.length;
  const steps = perAxis(op, "stride", stride, rank, 1, 1);
  const spread = perAxis(op, "dilation", dilation, rank, 1, 1);
  perAxis(op, "groups", [groups], 1, 1, 1);
  return { stride: steps, padding: pairsOf(op, padding, sizes, kernel, steps, spread), dilation: spread, groups };
}

/** The geometry that all three products share. `x` [N, C, ...], `w` [O, C / groups, ...], `y` [N, O, ...]. */
function shapeOf(x: Shape, w: Shape, y: Shape, { stride, padding, dilation, groups }: Windows): ConvShape {
  return {
    input: x.slice(2),
    kernel: w.slice(2),
    output: y.slice(2),
    stride,
    padding: padding.map(([low]) => low),
    dilation,
    batch: x[0]!,
    groups,
    inChannels: x[1]!,
    outChannels: y[1]!,
  };
}

function filled(out: TensorType, fill: (into: NumberArray) => void): NumberArray {
  const y = allocate(out.dtype, sizeOf(out.shape));
  if (y.length > 0) fill(y);
  return y;
}

function biasShape(rank: number): number[] {
  return [1, -1, ...new Array<number>(rank).fill(1)];
}

/**
 * Cross-correlation over 1 to 3 spatial axes: x [N, C, ...], w [O, C / groups, ...kernel], bias [O], result [N, O, ...]. Padding is zeros:
 * a number, one or a pair per axis, "same" or "valid". Sums in double.
 * @throws ShapeError for ranks, channels, groups or a bias that do not fit, and where the kernel is larger than the padded input
 */
export const conv: Op<(x: Operand, w: Operand, bias?: Operand | null | ConvAttrs, attrs?: ConvAttrs) => Value> = declare<
  (x: Operand, w: Operand, bias?: Operand | null | ConvAttrs, attrs?: ConvAttrs) => Value,
  readonly ["x", "w", "bias?"],
  Windows
>("conv", ["x", "w", "bias?"], {
  family: "contract",
  attrs: (given, { x, w }) => {
    checkOperands("conv", x, w, ["x", "w"]);
    return windowsOf("conv", given as ConvAttrs, x.shape.slice(2), w.shape.slice(2));
  },
  type: ({ x, w, bias, ...windows }) => {
    const rank = checkOperands("conv", x, w, ["x", "w"]);
    const { stride, padding, dilation, groups } = windows;
    const [channels, outs] = [x.shape[1]!, w.shape[0]!];
    if (channels % groups !== 0 || outs % groups !== 0 || w.shape[1] !== channels / groups)
      throw new ShapeError(
        `conv: x is ${typeText(x)} and w is ${typeText(w)} with groups ${groups}; w is [O, C / groups, ...kernel], C and O divisible by groups`,
        { op: "conv" },
      );
    if (bias !== null && shapeText(bias.shape) !== `[${outs}]`)
      throw new ShapeError(`conv: bias is ${typeText(bias)} and w has ${outs} output channels; bias is [${outs}]`, { op: "conv" });
    const space = Array.from({ length: rank }, (_, i) => {
      const [low, high] = padding[i]!;
      const n = windowCount(x.shape[i + 2]!, w.shape[i + 2]!, stride[i]!, low, high, dilation[i]!);
      if (n < 0 || (n === 0 && w.shape[i + 2]! > 0 && x.shape[i + 2]! + low + high < (w.shape[i + 2]! - 1) * dilation[i]! + 1))
        throw new ShapeError(
          `conv: w is ${typeText(w)} with dilation ${dilation[i]} and does not fit x, ${typeText(x)}, padded by ${low} and ${high} on spatial axis ${i}; pad more or use a smaller kernel`,
          { op: "conv" },
        );
      return n;
    });
    return tensorType(x.dtype, [x.shape[0]!, outs, ...space]);
  },
  eval: ({ x, w, bias, ...windows }, out) =>
    filled(out, (y) => {
      convForward(x.data, w.data, y, shapeOf(x.type.shape, w.type.shape, out.shape, windows));
      if (bias === null) return;
      const area = sizeOf(out.shape.slice(2));
      const channels = out.shape[1]!;
      for (let plane = 0, at = 0; at < y.length; plane++) {
        const b = bias.data[plane % channels]!;
        for (let i = 0; i < area; i++, at++) y[at]! += b;
      }
    }),
  batch: ({ x, w, bias, mapped, examples, stride, padding, dilation, groups }) => {
    const windows = { stride, padding, dilation, groups };
    if (!mapped.w && !mapped.bias) return unfolded(conv(folded(x, 0), w, bias, windows), 0, examples);
    const plain = !mapped.w
      ? mapped.x
        ? unfolded(conv(folded(x, 0), w, windows), 0, examples)
        : conv(x, w, windows)
      : unfolded(
          conv(folded(everyExample(x, mapped.x, examples), 1), folded(w, 0), { ...windows, groups: groups * examples }),
          1,
          examples,
        );
    if (bias === null) return plain;
    const rank = w.type.shape.length - (mapped.w ? 3 : 2);
    const channels = bias.type.shape[mapped.bias ? 1 : 0]!;
    return add(plain, reshape(bias, { shape: [mapped.bias ? examples : 1, 1, channels, ...new Array<number>(rank).fill(1)] }));
  },
  formula: { x: "dX = convInput(dY, W)", w: "dW = convWeight(dY, X)", bias: "dBias = sum(dY)" },
  vjp: ({ ct, x, w, bias, stride, padding, dilation, groups }) => {
    const windows = { stride, padding, dilation, groups };
    return {
      x: () => convInput(ct, w, { ...windows, size: x.type.shape.slice(2) }),
      w: () => convWeight(ct, x, { ...windows, size: w.type.shape.slice(2) }),
      bias: () => bias && sum(ct, { axis: ct.type.shape.flatMap((_, i) => (i === 1 ? [] : [i])) }),
    };
  },
  jvp: ({ d, x, w, out, stride, padding, dilation, groups }) => {
    const windows = { stride, padding, dilation, groups };
    const parts = [
      d.x && conv(d.x, w, windows),
      d.w && conv(x, d.w, windows),
      d.bias && reshape(d.bias, { shape: biasShape(out.type.shape.length - 2) }),
    ];
    return parts.reduce((a, b) => (a === null ? b : b === null ? a : add(a, b)));
  },
});

/** The leading part of v of this shape: where output padding leaves room for another window, `conv` finds one that the transpose did not come from. */
function cutTo(v: Value, shape: Shape): Value {
  return shape.reduce((cut, size, axis) => (cut.type.shape[axis]! > size ? slice(cut, { axis, end: size }) : cut), v);
}

/**
 * The transpose of `conv` in x: dy [N, O, ...], w [O, C / groups, ...], result [N, C, ...size].
 * @throws ShapeError when channels or sizes do not fit
 */
export const convInput: Op<(dy: Operand, w: Operand, attrs: Sized) => Value> = declare<
  (dy: Operand, w: Operand, attrs: Sized) => Value,
  readonly ["dy", "w"]
>("convInput", ["dy", "w"], {
  family: "contract",
  type: ({ dy, w, groups, size }) => {
    checkOperands("convInput", dy, w, ["dy", "w"]);
    if (dy.shape[1] !== w.shape[0])
      throw new ShapeError(`convInput: dy is ${typeText(dy)} and w is ${typeText(w)}; dy has w's output channels`, { op: "convInput" });
    return tensorType(dy.dtype, [dy.shape[0]!, w.shape[1]! * groups, ...size]);
  },
  eval: ({ dy, w, ...windows }, out) =>
    filled(out, (dx) => convInputGradient(dy.data, w.data, dx, shapeOf(out.shape, w.type.shape, dy.type.shape, windows))),
  linear: ["dy", "w"],
  batch: ({ dy, w, mapped, examples, stride, padding, dilation, groups, size }) => {
    const windows = { stride, padding, dilation, size };
    if (!mapped.w) return unfolded(convInput(folded(dy, 0), w, { ...windows, groups }), 0, examples);
    const all = everyExample(dy, mapped.dy, examples);
    return unfolded(convInput(folded(all, 1), folded(w, 0), { ...windows, groups: groups * examples }), 1, examples);
  },
  formula: { dy: "dDy = conv(dY, W)", w: "dW = convWeight(Dy, dY)" },
  vjp: ({ ct, dy, w, stride, padding, dilation, groups }) => {
    const windows = { stride, padding, dilation, groups };
    return {
      dy: () => cutTo(conv(ct, w, windows), dy.type.shape),
      w: () => convWeight(dy, ct, { ...windows, size: w.type.shape.slice(2) }),
    };
  },
});

/**
 * The transpose of `conv` in w: dy [N, O, ...], x [N, C, ...], result [O, C / groups, ...size].
 * @throws ShapeError when batch or sizes do not fit
 */
export const convWeight: Op<(dy: Operand, x: Operand, attrs: Sized) => Value> = declare<
  (dy: Operand, x: Operand, attrs: Sized) => Value,
  readonly ["dy", "x"]
>("convWeight", ["dy", "x"], {
  family: "contract",
  type: ({ dy, x, groups, size }) => {
    checkOperands("convWeight", x, dy, ["x", "dy"]);
    if (dy.shape[0] !== x.shape[0])
      throw new ShapeError(`convWeight: dy is ${typeText(dy)} and x is ${typeText(x)}; both have one batch size`, { op: "convWeight" });
    return tensorType(dy.dtype, [dy.shape[1]!, x.shape[1]! / groups, ...size]);
  },
  eval: ({ dy, x, ...windows }, out) =>
    filled(out, (dw) => convWeightGradient(dy.data, x.data, dw, shapeOf(x.type.shape, out.shape, dy.type.shape, windows))),
  linear: ["dy", "x"],
  batch: ({ dy, x, mapped, examples, stride, padding, dilation, groups, size }) => {
    const [d, v] = [everyExample(dy, mapped.dy, examples), everyExample(x, mapped.x, examples)];
    const windows = { stride, padding, dilation, size, groups: groups * examples };
    return unfolded(convWeight(folded(d, 1), folded(v, 1), windows), 0, examples);
  },
  formula: { dy: "dDy = conv(X, dY)", x: "dX = convInput(Dy, dY)" },
  vjp: ({ ct, dy, x, stride, padding, dilation, groups }) => {
    const windows = { stride, padding, dilation, groups };
    return {
      dy: () => cutTo(conv(x, ct, windows), dy.type.shape),
      x: () => convInput(dy, ct, { ...windows, size: x.type.shape.slice(2) }),
    };
  },
});

/** `conv`'s attributes, and how many places the result gets beyond the smallest that fits. */
export interface ConvTransposeAttrs extends ConvAttrs {
  readonly outputPadding?: number | readonly number[];
}

/**
 * Transposed convolution (PyTorch's ConvTranspose): x [N, C, ...], w [C, O / groups, ...kernel], bias [O]; each element of x adds a weighted kernel
 * to the result. Spatial sizes are `(n - 1) stride - padding + (kernel - 1) dilation + 1 + outputPadding`.
 * @throws ShapeError for ranks, channels, groups or a bias that do not fit, and for padding "same"
 */
export function convTranspose(x: Operand, w: Operand, bias?: Operand | null | ConvTransposeAttrs, attrs?: ConvTransposeAttrs): Value {
  const plain = typeof bias === "object" && bias !== null && !("kind" in bias) && !ArrayBuffer.isView(bias);
  const given = (plain ? bias : attrs) ?? {};
  const b = plain ? null : ((bias as Operand | null | undefined) ?? null);
  const [xv, wv] = liftBoth(x, w);
  const rank = checkOperands("convTranspose", xv.type, wv.type, ["x", "w"]);
  const sizes = xv.type.shape.slice(2);
  const kernel = wv.type.shape.slice(2);
  if (given.padding === "same")
    throw new ShapeError('convTranspose: padding "same" has no meaning here; give numbers', { op: "convTranspose" });
  const windows = windowsOf("convTranspose", given, sizes, kernel);
  const extra = perAxis("convTranspose", "outputPadding", given.outputPadding, rank, 0, 0);
  if (xv.type.shape[1] !== wv.type.shape[0])
    throw new ShapeError(
      `convTranspose: x is ${typeText(xv.type)} and w is ${typeText(wv.type)}; w is [C, O / groups, ...kernel] with x's C channels`,
      { op: "convTranspose" },
    );
  if (wv.type.shape[0]! % windows.groups !== 0)
    throw new ShapeError(
      `convTranspose: groups is ${windows.groups} and x has ${wv.type.shape[0]} channels; the groups must divide the channels evenly`,
      { op: "convTranspose" },
    );
  const size = sizes.map((n, i) => {
    const [low, high] = windows.padding[i]!;
    const count = transposedCount(n, kernel[i]!, windows.stride[i]!, low, high, windows.dilation[i]!, extra[i]!);
    if (extra[i]! >= Math.max(windows.stride[i]!, windows.dilation[i]!))
      throw new ShapeError(
        `convTranspose: outputPadding ${extra[i]} on spatial axis ${i} is not smaller than stride ${windows.stride[i]} or dilation ${windows.dilation[i]}`,
        { op: "convTranspose" },
      );
    if (count < 1)
      throw new ShapeError(`convTranspose: padding ${low} and ${high} leaves nothing of spatial axis ${i}`, { op: "convTranspose" });
    return count;
  });
  const out = convInput(xv, wv, { ...windows, size });
  return b === null ? out : add(out, reshape(b, { shape: biasShape(rank) }));
}

function liftBoth(x: Operand, w: Operand): readonly [Value, Value] {
  return [lift(x, "f64"), lift(w, "f64")];
}
