import { lift } from "../ir/leaf.ts";
import type { Value } from "../ir/node.ts";
import { broadcast, sizeOf } from "../ir/shape.ts";
import { tensorType } from "../ir/type.ts";
import {
  concat,
  equal,
  expand,
  full,
  pad,
  reshape,
  slice,
  split,
  squeeze,
  tile,
  transpose,
  tril,
  triu,
  unsqueeze,
  where,
} from "../ops/index.ts";
import { type Application, type Family, wholeNumbers } from "./application.ts";

/** Numbers that files use for "to the end". */
const far: number = 2 ** 31;

function reshaped(n: Application): Value {
  const x = n.get(0);
  const wanted = n.list("shape", 1) ?? n.refuse("its shape is missing");
  const copies = n.int("allowzero", 0) === 0;
  return reshape(x, {
    shape: wanted.map((s, i) =>
      s === 0 && copies ? (x.type.shape[i] ?? n.refuse(`size ${i} is 0, "as it was", and the operand has no such axis`)) : s,
    ),
  });
}

function flattened(n: Application): Value {
  const { shape } = n.get(0).type;
  const given = n.int("axis", 1);
  const axis = given < 0 ? given + shape.length : given;
  return reshape(n.get(0), { shape: [sizeOf(shape.slice(0, axis)), sizeOf(shape.slice(axis))] });
}

function sliced(n: Application): Value {
  let x = n.get(0);
  const rank = x.type.shape.length;
  const starts = n.list("starts", 1) ?? n.refuse("its starts are missing");
  const ends = n.list("ends", 2) ?? n.refuse("its ends are missing");
  const axes = n.list("axes", 3) ?? starts.map((_, i) => i);
  const steps = n.knownOr(4, "steps") ?? starts.map(() => 1);
  starts.forEach((start, i) => {
    const axis = n.axis(axes[i]!, rank);
    const size = x.type.shape[axis]!;
    const step = steps[i]!;
    const end = ends[i]!;
    // Out of range is cut; from the back, an end before the first element is "through the first".
    const beyond = step < 0 && end < -size ? Number.NEGATIVE_INFINITY : Math.max(-far, Math.min(far, end));
    x = slice(x, { axis, start: Math.max(-far, Math.min(far, start)), end: beyond, step });
  });
  return x;
}

function pieces(n: Application): readonly Value[] {
  const x = n.get(0);
  const axis = n.axis(n.int("axis", 0), x.type.shape.length);
  const sizes = n.list("split", 1);
  if (sizes !== undefined) return split(x, { axis, sizes });
  const total = x.type.shape[axis]!;
  const parts = n.int("num_outputs", n.wanted);
  // The last piece is smaller where they do not divide.
  const size = Math.ceil(total / parts);
  return split(x, { axis, sizes: Array.from({ length: parts }, (_, i) => Math.max(0, Math.min(size, total - i * size))) });
}

function axesOfNode(n: Application, rank: number): readonly number[] | undefined {
  return n.list("axes", 1)?.map((a) => n.axis(a, rank));
}

function squeezed(n: Application): Value {
  const axis = axesOfNode(n, n.rank(0));
  return squeeze(n.get(0), axis === undefined ? {} : { axis });
}

function unsqueezed(n: Application): Value {
  const axes = n.list("axes", 1) ?? n.refuse("its axes are missing");
  return unsqueeze(n.get(0), { axis: axes.map((a) => n.axis(a, n.rank(0) + axes.length)) });
}

function expanded(n: Application): Value {
  const { shape } = n.get(0).type;
  const wanted = n.known(1, "its shape");
  return expand(n.get(0), {
    shape: broadcast(shape, wanted) ?? n.refuse(`[${shape.join(",")}] cannot be repeated to [${wanted.join(",")}]`),
  });
}

function tiled(n: Application): Value {
  return tile(n.get(0), { repeats: n.known(1, "its repeats") });
}

function transposed(n: Application): Value {
  const axes = n.ints("perm");
  return transpose(n.get(0), axes === undefined ? {} : { axes });
}

function triangle(n: Application): Value {
  const offset = n.knownOr(1, "its diagonal")?.[0] ?? 0;
  return (n.int("upper", 1) === 0 ? tril : triu)(n.get(0), { offset });
}

/** Repeats the elements along an axis round and round: what "wrap" pads with. */
function wrapped(x: Value, axis: number, before: number, behind: number): Value {
  const size = x.type.shape[axis]!;
  const round = (count: number): number => Math.ceil(count / size);
  const copies = round(before) + 1 + round(behind);
  const all = tile(x, { repeats: x.type.shape.map((_, i) => (i === axis ? copies : 1)) });
  const start = round(before) * size - before;
  return slice(all, { axis, start, end: start + before + size + behind });
}

function padded(n: Application): Value {
  let x = n.get(0);
  const rank = x.type.shape.length;
  const pads = n.list(n.opset < 2 ? "paddings" : "pads", 1) ?? n.refuse("its pads are missing");
  const axes = (n.knownOr(3, "its axes") ?? x.type.shape.map((_, i) => i)).map((a) => n.axis(a, rank));
  const mode = n.text("mode", "constant");
  const moving = n.opset >= 11 && n.has(2) && !n.isFixed(2);
  const value = n.opset < 11 ? n.float("value", 0) : moving ? 0 : (n.knownOr(2, "the padding value")?.[0] ?? 0);
  const pairs = x.type.shape.map((): [number, number] => [0, 0]);
  axes.forEach((axis, i) => {
    pairs[axis] = [pads[i]!, pads[i + axes.length]!];
  });
  // Negative padding cuts off.
  pairs.forEach(([low, high], axis) => {
    if (low < 0 || high < 0) x = slice(x, { axis, start: Math.max(0, -low), end: x.type.shape[axis]! - Math.max(0, -high) });
    pairs[axis] = [Math.max(0, low), Math.max(0, high)];
  });
  if (mode === "constant" && moving) {
    const inside = pad(full(tensorType("i32", x.type.shape), 1), { pads: pairs });
    return where(equal(inside, 1), pad(x, { pads: pairs }), reshape(n.get(2), { shape: [] }));
  }
  if (mode === "constant") return pad(x, { pads: pairs, value });
  if (mode === "edge") return pad(x, { pads: pairs, mode: "edge" });
  if (mode === "wrap") return pairs.reduce((v, [low, high], axis) => (low + high === 0 ? v : wrapped(v, axis, low, high)), x);
  if (mode !== "reflect") n.refuse(`mode ${JSON.stringify(mode)} is none of constant, edge, reflect and wrap`);
  // Reflections longer than the axis go back and forth, a stretch at a time.
  for (const [axis, pair] of pairs.entries()) {
    let [low, high] = pair;
    while (low + high > 0) {
      const most = x.type.shape[axis]! - 1;
      if (most < 1) n.refuse(`axis ${axis} has one element and cannot be reflected`);
      const now: [number, number] = [Math.min(low, most), Math.min(high, most)];
      x = pad(x, { pads: x.type.shape.map((_, i) => (i === axis ? now : [0, 0])), mode: "reflect" });
      low -= now[0];
      high -= now[1];
    }
  }
  return x;
}

/** Blocks of depth as space: DCR takes the block from the leading part of the channels, CRD from the trailing one. */
function depthToSpace(n: Application): Value {
  const x = n.get(0);
  const [batch, channels, height, width] = x.type.shape as readonly [number, number, number, number];
  const block = n.int("blocksize", 1);
  const rest = channels / (block * block);
  const column = n.text("mode", "DCR") === "CRD";
  const apart = reshape(x, { shape: column ? [batch, rest, block, block, height, width] : [batch, block, block, rest, height, width] });
  const woven = transpose(apart, { axes: column ? [0, 1, 4, 2, 5, 3] : [0, 3, 4, 1, 5, 2] });
  return reshape(woven, { shape: [batch, rest, height * block, width * block] });
}

function spaceToDepth(n: Application): Value {
  const x = n.get(0);
  const [batch, channels, height, width] = x.type.shape as readonly [number, number, number, number];
  const block = n.int("blocksize", 1);
  const apart = reshape(x, { shape: [batch, channels, height / block, block, width / block, block] });
  const axes = n.text("mode", "DCR") === "CRD" ? [0, 1, 3, 5, 2, 4] : [0, 3, 5, 1, 2, 4];
  return reshape(transpose(apart, { axes }), { shape: [batch, channels * block * block, height / block, width / block] });
}

function shapeOfOperand(n: Application): Value {
  const { shape } = n.get(0).type;
  const place = (at: number): number => Math.max(0, Math.min(shape.length, at < 0 ? at + shape.length : at));
  return wholeNumbers(shape.slice(place(n.int("start", 0)), place(n.int("end", shape.length))));
}

function sizeOfOperand(n: Application): Value {
  return lift(sizeOf(n.shape(0)), "i64");
}

function joined(n: Application): Value {
  return concat(n.all(), { axis: n.int("axis", n.opset < 4 ? 1 : 0) });
}

/** Cut or padded to a shape about the middle. */
function centred(n: Application): Value {
  const x = n.get(0);
  const wanted = n.known(1, "its shape");
  const axes = n.ints("axes") ?? x.type.shape.map((_, i) => i);
  let v = x;
  axes.forEach((given, i) => {
    const axis = n.axis(given, x.type.shape.length);
    const size = v.type.shape[axis]!;
    const target = wanted[i]!;
    if (target < size) {
      const start = Math.floor((size - target) / 2);
      v = slice(v, { axis, start, end: start + target });
    } else if (target > size) {
      const before = Math.floor((target - size) / 2);
      v = pad(v, { pads: v.type.shape.map((_, a) => (a === axis ? [before, target - size - before] : [0, 0])) });
    }
  });
  return v;
}

function reversedSequences(n: Application): Value {
  const x = n.get(0);
  const [time, batch] = [n.int("time_axis", 0), n.int("batch_axis", 1)];
  const lengths = n.known(1, "its lengths");
  const rows = split(x, { axis: batch, sizes: lengths.map(() => 1) }).map((row, i) => {
    const length = lengths[i]!;
    const turned = slice(slice(row, { axis: time, end: length }), { axis: time, step: -1 });
    return concat([turned, slice(row, { axis: time, start: length })], { axis: time });
  });
  return concat(rows, { axis: batch });
}

/** Operators that move elements. */
export const shaping: Family = {
  CenterCropPad: centred,
  Concat: joined,
  DepthToSpace: depthToSpace,
  Expand: expanded,
  Flatten: flattened,
  Pad: padded,
  Reshape: reshaped,
  ReverseSequence: reversedSequences,
  Shape: shapeOfOperand,
  Size: sizeOfOperand,
  Slice: sliced,
  SpaceToDepth: spaceToDepth,
  Split: pieces,
  Squeeze: squeezed,
  Tile: tiled,
  Transpose: transposed,
  Trilu: triangle,
  Unsqueeze: unsqueezed,
};
