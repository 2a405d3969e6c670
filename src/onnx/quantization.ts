import { isFloat } from "../ir/dtype.ts";
import type { Value } from "../ir/node.ts";
import { sizeOf } from "../ir/shape.ts";
import { add, cast, clip, div, expand, maximum, minimum, mul, reshape, round, slice, stop, sub } from "../ops/index.ts";
import type { Application, Family } from "./application.ts";
import { dtypeOfElement } from "./tensor-data.ts";

const ranges: Readonly<Record<string, readonly [number, number]>> = {
  i8: [-128, 127],
  u8: [0, 255],
  i16: [-32768, 32767],
  u16: [0, 65535],
};

/** What was quantised, by the integers that came of it: rounding has no derivative, so a gradient goes straight through the pair. */
const straight: WeakMap<Value, { readonly x: Value; readonly low: Value; readonly high: Value }> = /* @__PURE__ */ new WeakMap();

/** What was quantised to these integers, which a gradient goes straight to where they are dequantised; undefined for others. */
export function quantizedFrom(q: Value): Value | undefined {
  return straight.get(q)?.x;
}

/** A setting of one number, or a list along an axis, shaped so that it broadcasts. */
export function along(p: Value, rank: number, axis: number): Value {
  const { shape } = p.type;
  if (shape.length === 1 && shape[0] === 1) return reshape(p, { shape: [] });
  return shape.length === 1 ? reshape(p, { shape: Array.from({ length: rank }, (_, i) => (i === axis ? shape[0]! : 1)) }) : p;
}

/** A scale or zero point shaped so that it lies along its axis of x: one number, one per element of the axis, or one per block. */
function spread(n: Application, p: Value, x: Value): Value {
  const { shape } = x.type;
  if (p.type.shape.length === 0) return p;
  const block = n.int("block_size", 0);
  // One number for all, in a list: ONNX Runtime's quantiser writes it so for biases, which have no axis 1.
  if (block === 0 && sizeOf(p.type.shape) === 1) return reshape(p, { shape: [] });
  const axis = n.axis(n.int("axis", 1), shape.length);
  if (block === 0) return along(p, shape.length, axis);
  const wide = [...p.type.shape.slice(0, axis + 1), block, ...p.type.shape.slice(axis + 1)];
  const copies = expand(reshape(p, { shape: [...p.type.shape.slice(0, axis + 1), 1, ...p.type.shape.slice(axis + 1)] }), { shape: wide });
  const joined = reshape(copies, { shape: p.type.shape.map((s, i) => (i === axis ? s * block : s)) });
  return slice(joined, { axis, end: shape[axis]! });
}

function quantized(n: Application): Value {
  const x = n.get(0);
  const { dtype } = x.type;
  const scale = cast(spread(n, n.get(1), x), dtype);
  const to = n.has(2)
    ? n.dtype(2)
    : n.hasAttribute("output_dtype") && n.int("output_dtype", 0) !== 0
      ? dtypeOfElement(n.int("output_dtype", 2), "attribute output_dtype")
      : "u8";
  const [low, high] = ranges[to] ?? n.refuse(`it quantises to ${to}; whole numbers of 8 and 16 bits are supported`);
  const zero = n.has(2) ? cast(spread(n, n.get(2), x), dtype) : null;
  const steps = round(div(x, scale));
  const out = cast(clip(zero === null ? steps : add(steps, zero), { min: low, max: high }), to);
  const edge = (bound: number): Value => mul(scale, zero === null ? bound : sub(bound, zero));
  straight.set(out, { x, low: edge(low), high: edge(high) });
  return out;
}

function dequantized(n: Application): Value {
  const q = n.get(0);
  const scale = n.get(1);
  const { dtype } = scale.type;
  if (!isFloat(dtype)) n.refuse("its scale is no floating-point number");
  const number = cast(q, dtype);
  const zero = n.has(2) ? cast(spread(n, n.get(2), q), dtype) : null;
  const out = mul(zero === null ? number : sub(number, zero), spread(n, scale, q));
  const pair = straight.get(q);
  if (pair === undefined || pair.x.type.dtype !== dtype) return out;
  const passed = minimum(maximum(pair.x, pair.low), pair.high);
  return add(passed, stop(sub(out, passed)));
}

/** Quantisation of numbers, with gradients that go straight through. */
export const quantization: Family = { DequantizeLinear: dequantized, QuantizeLinear: quantized };
