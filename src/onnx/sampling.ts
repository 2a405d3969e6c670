import { constant, lift } from "../ir/leaf.ts";
import type { Value } from "../ir/node.ts";
import { type Shape, sizeOf, stridesOf } from "../ir/shape.ts";
import { tensor } from "../ir/tensor.ts";
import {
  abs,
  add,
  cast,
  clip,
  convInput,
  div,
  equal,
  floor,
  gatherND,
  greater,
  greaterEqual,
  less,
  lessEqual,
  logicalAnd,
  logicalOr,
  matmul,
  mod,
  mul,
  reshape,
  round,
  slice,
  sub,
  transpose,
  unsqueeze,
  where,
} from "../ops/index.ts";
import type { Application, Family } from "./application.ts";
import { spatial } from "./windows.ts";

/** The places of a grid of `size` between -1 and 1, in the axes' order from the last, with a 1 behind: [places, axes + 1]. */
function places(size: readonly number[], corners: boolean): Float64Array {
  const count = sizeOf(size);
  const strides = stridesOf(size);
  const out = new Float64Array(count * (size.length + 1));
  for (let p = 0; p < count; p++) {
    size.forEach((length, axis) => {
      const k = Math.floor(p / strides[axis]!) % length;
      const at = corners ? (length === 1 ? -1 : (2 * k) / (length - 1) - 1) : (2 * k + 1) / length - 1;
      out[p * (size.length + 1) + size.length - 1 - axis] = at;
    });
    out[p * (size.length + 1) + size.length] = 1;
  }
  return out;
}

/** Where each place of a result comes from under a matrix: a grid for GridSample. */
function affineGrid(n: Application): Value {
  const theta = n.floating(0);
  const size = n.known(1, "its size").slice(2);
  const rank = size.length;
  if (rank !== 2 && rank !== 3) n.refuse(`its size has ${rank} axes of space; 2 and 3 are supported`);
  const grid = tensor(places(size, n.int("align_corners", 0) !== 0), { kind: "type", dtype: "f64", shape: [sizeOf(size), rank + 1] });
  const wide = matmul(cast(constant(grid), theta.type.dtype), transpose(theta, { axes: [0, 2, 1] }));
  return reshape(wide, { shape: [theta.type.shape[0]!, ...size, rank] });
}

type Edges = "zeros" | "border" | "reflection";

/** What lies beyond the ends, mirrored at them as often as it takes. */
function mirrored(x: Value, low: number, high: number): Value {
  const span = high - low;
  if (span === 0) return add(mul(x, 0), low);
  const far = abs(sub(x, low));
  const turns = floor(div(far, span));
  const rest = sub(far, mul(turns, span));
  return where(equal(mod(turns, 2), 0), add(rest, low), sub(high, rest));
}

interface Tap {
  /** The place on its axis, a whole number, within the axis. */
  readonly at: Value;
  readonly weight: Value | null;
  /** Whether it lies on the axis at all; null where it always does. */
  readonly inside: Value | null;
}

/** Keys' weights of the four neighbours, a = -0.75. Source: Keys 1981, as PyTorch and ONNX have it. */
function cubicWeights(t: Value): Value[] {
  const a = -0.75;
  const near = (d: Value): Value => add(mul(sub(mul(a + 2, d), a + 3), mul(d, d)), 1);
  const far = (d: Value): Value => sub(mul(add(mul(sub(mul(a, d), 5 * a), d), 8 * a), d), 4 * a);
  return [far(add(t, 1)), near(t), near(sub(1, t)), far(sub(2, t))];
}

/** The neighbours of places on one axis and their weights. */
function tapsOf(g: Value, length: number, mode: string, edges: Edges, corners: boolean): Tap[] {
  const [low, high] = corners ? [0, length - 1] : [-0.5, length - 0.5];
  const whole = corners ? mul(div(add(g, 1), 2), length - 1) : div(sub(mul(add(g, 1), length), 1), 2);
  const nearest = mode === "nearest" ? round(whole) : whole;
  const beyond = logicalOr(less(nearest, low), greater(nearest, high));
  const x =
    edges === "zeros"
      ? nearest
      : where(beyond, edges === "border" ? clip(nearest, { min: 0, max: length - 1 }) : mirrored(nearest, low, high), nearest);
  const tap = (at: Value, weight: Value | null): Tap => {
    const inside = edges === "zeros" ? logicalAnd(greaterEqual(at, 0), lessEqual(at, length - 1)) : null;
    const back = edges === "reflection" ? mirrored(at, low, high) : at;
    return { at: cast(clip(floor(back), { min: 0, max: length - 1 }), "i32"), weight, inside };
  };
  if (mode === "nearest") return [tap(x, null)];
  const from = floor(x);
  const t = sub(x, from);
  if (mode === "linear") return [tap(from, sub(1, t)), tap(add(from, 1), t)];
  return cubicWeights(t).map((weight, k) => tap(add(from, k - 1), weight));
}

/** Values of x at the places of a grid, between its elements: gradients go to both. Source: Jaderberg et al. 2015, arXiv:1506.02025. */
function gridSample(n: Application): Value {
  const [x, grid] = [n.floating(0), n.floating(1)];
  const [batch, channels, ...space] = x.type.shape as readonly [number, number, ...number[]];
  const rank = space.length;
  const out = grid.type.shape.slice(1, -1);
  if (grid.type.shape.length !== rank + 2 || grid.type.shape.at(-1) !== rank || grid.type.shape[0] !== batch)
    n.refuse(`its grid is [${grid.type.shape.join(",")}]; for ${rank} axes of space it is [${batch}, ...places, ${rank}]`);
  const word = n.text("mode", "linear");
  const mode = word === "bilinear" ? "linear" : word === "bicubic" ? "cubic" : word;
  if (mode !== "nearest" && mode !== "linear" && mode !== "cubic") n.refuse(`mode ${word} is none of linear, nearest and cubic`);
  const edges = n.text("padding_mode", "zeros");
  if (edges !== "zeros" && edges !== "border" && edges !== "reflection")
    n.refuse(`padding_mode ${edges} is none of zeros, border and reflection`);
  if (sizeOf(space) === 0) n.refuse("its operand 0 has no elements to sample");
  const count = sizeOf(out);
  const flat = reshape(grid, { shape: [batch, count, rank] });
  const strides = stridesOf(space);
  const taps = space.map((length, axis) => {
    const g = reshape(slice(flat, { axis: 2, start: rank - 1 - axis, end: rank - axis }), { shape: [batch, count] });
    return tapsOf(g, length, mode, edges, n.int("align_corners", 0) !== 0);
  });
  const rows = transpose(reshape(x, { shape: [batch, channels, sizeOf(space)] }), { axes: [0, 2, 1] });
  const both = (f: (a: Value, b: Value) => Value, a: Value | null, b: Value | null): Value | null =>
    a === null ? b : b === null ? a : f(a, b);
  const all = taps.reduce<readonly Tap[]>(
    (found, own, axis) =>
      found.flatMap((a) =>
        own.map((b) => ({
          at: add(a.at, mul(b.at, strides[axis]!)),
          weight: both(mul, a.weight, b.weight),
          inside: both(logicalAnd, a.inside, b.inside),
        })),
      ),
    [{ at: lift(0, "i32"), weight: null, inside: null }],
  );
  const parts = all.map(({ at, weight, inside }) => {
    const value = gatherND(rows, unsqueeze(at, { axis: 2 }), { batchDims: 1 });
    const counted = inside === null ? value : where(unsqueeze(inside, { axis: 2 }), value, 0);
    return weight === null ? counted : mul(counted, cast(unsqueeze(weight, { axis: 2 }), x.type.dtype));
  });
  const sampled = parts.reduce((a, b) => add(a, b));
  return reshape(transpose(sampled, { axes: [0, 2, 1] }), { shape: [batch, channels, ...out] });
}

/** Columns of blocks put back in their image, overlaps added: the transpose of taking them out, which is a convolution with a kernel for each place. */
function columnsToImage(n: Application): Value {
  const x = n.get(0);
  const [image, block] = [n.known(1, "its image_shape"), n.known(2, "its block_shape")];
  const rank = image.length;
  const { stride, dilation } = spatial(n, rank);
  const pads = n.ints("pads") ?? new Array<number>(2 * rank).fill(0);
  const padding = image.map((_, i): readonly [number, number] => [pads[i]!, pads[i + rank]!]);
  const counts = image.map((size, i) =>
    Math.floor((size + padding[i]![0] + padding[i]![1] - dilation[i]! * (block[i]! - 1) - 1) / stride[i]! + 1),
  );
  const [batch, wide, length] = x.type.shape as readonly [number, number, number];
  const inBlock = sizeOf(block);
  if (length !== sizeOf(counts) || wide % inBlock !== 0)
    n.refuse(
      `its operand is [${x.type.shape.join(",")}]; an image of [${image.join(",")}] has ${sizeOf(counts)} blocks of ${inBlock} elements a channel`,
    );
  const channels = wide / inBlock;
  const one = new Float64Array(inBlock * inBlock);
  for (let k = 0; k < inBlock; k++) one[k * inBlock + k] = 1;
  const kernel: Shape = [inBlock, 1, ...block];
  const w = cast(constant(tensor(one, { kind: "type", dtype: "f64", shape: kernel })), x.type.dtype);
  const columns = reshape(x, { shape: [batch * channels, inBlock, ...counts] });
  return reshape(convInput(columns, w, { stride, dilation, padding, groups: 1, size: image }), { shape: [batch, channels, ...image] });
}

/** Operators that read an image between its elements, or put one together. */
export const sampling: Family = { AffineGrid: affineGrid, Col2Im: columnsToImage, GridSample: gridSample };
