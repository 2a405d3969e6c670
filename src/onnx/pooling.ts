import { lift } from "../ir/leaf.ts";
import type { Value } from "../ir/node.ts";
import { sizeOf } from "../ir/shape.ts";
import { tensorType } from "../ir/type.ts";
import {
  abs,
  add,
  averagePool,
  cast,
  conv,
  div,
  equal,
  max,
  maxPool,
  maxPoolPlaces,
  mean,
  mod,
  mul,
  norm,
  ones,
  pad,
  pow,
  sub,
  unpick,
  where,
} from "../ops/index.ts";
import type { Application, Family } from "./application.ts";
import { alignedPads, spatial } from "./windows.ts";

interface Windows {
  readonly size: readonly number[];
  readonly stride: readonly number[];
  readonly padding: readonly (readonly [number, number])[];
  readonly dilation: readonly number[];
  readonly ceilMode: boolean;
}

function windowsOf(n: Application): Windows {
  const sizes = n.shape(0).slice(2);
  const size = n.ints("kernel_shape") ?? n.refuse("its kernel_shape is missing");
  if (size.length !== sizes.length) n.refuse(`kernel_shape has ${size.length} numbers and there are ${sizes.length} spatial axes`);
  const { stride, dilation } = spatial(n, size.length);
  return { size, stride, padding: alignedPads(n, sizes, size, stride, dilation), dilation, ceilMode: n.int("ceil_mode", 0) !== 0 };
}

/** Windows that lie in padding alone have no place in our pools; padding beyond the window's reach is put on by hand. */
function fits({ size, dilation, padding }: Windows): boolean {
  return padding.every(([low, high], i) => Math.max(low, high) < (size[i]! - 1) * dilation[i]! + 1);
}

function padSpace(x: Value, pairs: readonly (readonly [number, number])[], value: number): Value {
  return pad(x, { pads: [[0, 0], [0, 0], ...pairs], value });
}

/** Flat places of each plane in column-major order, for the attribute storage_order. */
function columnMajor(places: Value, shape: readonly number[]): Value {
  const space = shape.slice(2);
  const plane = sizeOf(space);
  const within = mod(places, plane);
  let rest = within;
  let out: Value | null = null;
  let step = 1;
  const parts: Value[] = [];
  for (let i = space.length - 1; i >= 0; i--) {
    parts.unshift(mod(rest, space[i]!));
    rest = div(sub(rest, parts[0]!), space[i]!);
  }
  parts.forEach((part, i) => {
    const term = mul(part, step);
    out = out === null ? term : add(out, term);
    step *= space[i]!;
  });
  return add(sub(places, within), out ?? within);
}

function largest(n: Application): readonly (Value | null)[] {
  const x = n.get(0);
  const windows = windowsOf(n);
  const lowest = x.type.dtype === "u8" || x.type.dtype === "i8" ? "f32" : null;
  const v = lowest === null ? x : cast(x, lowest);
  const plain = fits(windows);
  const wide = plain ? v : padSpace(v, windows.padding, Number.NEGATIVE_INFINITY);
  const attrs = plain ? windows : { ...windows, padding: 0 };
  const out = maxPool(wide, attrs);
  if (!n.wants(1)) return [lowest === null ? out : cast(out, x.type.dtype), null];
  if (!plain) n.refuse("it asks for places and pads by more than its window");
  const places = maxPoolPlaces(wide, attrs);
  const counted = n.int("storage_order", 0) === 0 ? places : columnMajor(places, x.type.shape);
  return [lowest === null ? out : cast(out, x.type.dtype), cast(counted, "i64")];
}

/**
 * Means of dilated windows, and of padding that no window of ours has: a convolution of each channel by itself with ones, over the number of elements
 * under the window.
 */
function spreadAverage(x: Value, windows: Windows, counts: boolean): Value {
  const { size, stride, dilation, padding } = windows;
  const [, channels] = x.type.shape as readonly [number, number];
  const { low, high } = reach(x, windows);
  const kernel = ones(tensorType(x.type.dtype, [channels, 1, ...size]));
  const extra = padding.map(([l, h], i): readonly [number, number] => [l + low[i]!, h + high[i]!]);
  const total = conv(padSpace(x, extra, 0), kernel, { stride, dilation, groups: channels });
  // What counts: the elements, and the padding that was asked for, not what fills the last window up.
  const shape = [1, 1, ...x.type.shape.slice(2)];
  const inside = ones(tensorType(x.type.dtype, shape));
  const counted = counts
    ? padSpace(
        padSpace(inside, padding, 1),
        padding.map((_, i) => [low[i]!, high[i]!] as const),
        0,
      )
    : padSpace(inside, extra, 0);
  const number = conv(counted, ones(tensorType(x.type.dtype, [1, 1, ...size])), { stride, dilation });
  return div(total, number);
}

/** How much more padding the last, incomplete window needs with ceil_mode. */
function reach(
  x: Value,
  { size, stride, dilation, padding, ceilMode }: Windows,
): { readonly low: readonly number[]; readonly high: readonly number[] } {
  const high = size.map((k, i) => {
    const [before, behind] = padding[i]!;
    const span = x.type.shape[i + 2]! + before + behind - ((k - 1) * dilation[i]! + 1);
    const left = span % stride[i]!;
    const starts = Math.ceil(span / stride[i]!) * stride[i]!;
    return ceilMode && left !== 0 && starts < x.type.shape[i + 2]! + before ? stride[i]! - left : 0;
  });
  return { low: size.map(() => 0), high };
}

function average(n: Application): Value {
  const x = n.get(0);
  const windows = windowsOf(n);
  const counts = n.int("count_include_pad", 0) !== 0;
  if (windows.dilation.every((d) => d === 1) && fits(windows)) return averagePool(x, { ...windows, countIncludePad: counts });
  return spreadAverage(x, windows, counts);
}

/** (sum |x|^p)^(1/p) over windows: a convolution of each channel by itself with ones. */
function lengthPool(n: Application): Value {
  const x = n.get(0);
  const windows = windowsOf(n);
  const p = n.int("p", 2);
  const { low, high } = reach(x, windows);
  const [, channels] = x.type.shape as readonly [number, number];
  const pairs = windows.padding.map(([l, h], i): readonly [number, number] => [l + low[i]!, h + high[i]!]);
  const powers = p === 1 ? abs(x) : pow(abs(x), p);
  const kernel = ones(tensorType(x.type.dtype, [channels, 1, ...windows.size]));
  const total = conv(padSpace(powers, pairs, 0), kernel, { stride: windows.stride, dilation: windows.dilation, groups: channels });
  if (p === 1) return total;
  // The root of 0 has an infinite derivative: where nothing is under the window the result is 0 and has none.
  const none = equal(total, 0);
  return where(none, 0, pow(where(none, lift(1, x.type.dtype), total), 1 / p));
}

function spaceOf(x: Value): number[] {
  return x.type.shape.map((_, i) => i).slice(2);
}

/** Elements back to where a max pool took them from, zeros elsewhere. */
function unpooled(n: Application): Value {
  const [x, places] = [n.get(0), n.get(1)];
  const size = n.ints("kernel_shape") ?? n.refuse("its kernel_shape is missing");
  const { stride } = spatial(n, size.length);
  const pads = n.ints("pads") ?? new Array<number>(2 * size.length).fill(0);
  const { shape } = x.type;
  const plain = [...shape.slice(0, 2), ...size.map((k, i) => (shape[i + 2]! - 1) * stride[i]! - pads[i]! - pads[i + size.length]! + k)];
  const wanted = n.knownOr(2, "its output shape") ?? plain;
  const put = unpick(x, cast(places, "i32"), { shape: plain });
  return pad(put, { pads: wanted.map((s, i) => [0, s - plain[i]!] as const) });
}

/** Pools. */
export const pooling: Family = {
  AveragePool: average,
  GlobalAveragePool: (n) => mean(n.get(0), { axis: spaceOf(n.get(0)), keepDims: true }),
  GlobalLpPool: (n) => norm(n.get(0), { axis: spaceOf(n.get(0)), keepDims: true, ord: n.int("p", 2) }),
  GlobalMaxPool: (n) => max(n.get(0), { axis: spaceOf(n.get(0)), keepDims: true }),
  LpPool: lengthPool,
  MaxPool: largest,
  MaxUnpool: unpooled,
};
