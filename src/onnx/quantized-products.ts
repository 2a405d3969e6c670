import { lift } from "../ir/leaf.ts";
import type { Value } from "../ir/node.ts";
import { add, cast, clip, conv, div, equal, matmul, max, maximum, min, minimum, mul, round, sub, where } from "../ops/index.ts";
import type { Application, Family } from "./application.ts";
import { along } from "./quantization.ts";
import { alignedPads, spatial } from "./windows.ts";

/** Whole numbers as i32, what stands for 0 taken off; one for each element of `axis` where there are several. */
function centred(n: Application, i: number, zeroAt: number, axis: number): Value {
  const x = cast(n.get(i), "i32");
  const zero = n.maybe(zeroAt);
  return zero === null ? x : sub(x, cast(along(zero, x.type.shape.length, axis), "i32"));
}

/** The convolution of whole numbers, exact in i32; `x` stands among the operands at 0, `w` at `wAt`. */
function convolved(n: Application, wAt: number, zeros: readonly [number, number], bias: Value | null): Value {
  const [x, w] = [centred(n, 0, zeros[0], 1), centred(n, wAt, zeros[1], 0)];
  const kernel = n.ints("kernel_shape") ?? w.type.shape.slice(2);
  const { stride, dilation } = spatial(n, kernel.length);
  const padding = alignedPads(n, x.type.shape.slice(2), kernel, stride, dilation);
  return conv(x, w, bias, { stride, dilation, padding, groups: n.int("group", 1) });
}

const ranges: Readonly<Record<string, readonly [number, number]>> = { i8: [-128, 127], u8: [0, 255] };

/** Sums of products as quantised numbers: scaled, rounded to the nearest (even), cut to the range. */
function requantized(n: Application, product: Value, scale: Value, zeroAt: number): Value {
  const to = n.dtype(zeroAt);
  const [low, high] = ranges[to] ?? n.refuse(`it quantises to ${to}; whole numbers of 8 bits are supported`);
  const wide = mul(cast(product, "f64"), cast(scale, "f64"));
  return cast(clip(round(add(wide, cast(n.get(zeroAt), "f64"))), { min: low, max: high }), to);
}

function quantizedMatMul(n: Application): Value {
  const [ra, rb] = [n.rank(0), n.rank(3)];
  const product = matmul(centred(n, 0, 2, ra - 2), centred(n, 3, 5, rb - 1));
  const scale = div(mul(along(n.get(1), ra, ra - 2), along(n.get(4), rb, rb - 1)), n.get(6));
  return requantized(n, product, scale, 7);
}

function quantizedConv(n: Application): Value {
  const bias = n.maybe(8);
  const product = convolved(n, 3, [2, 5], bias === null ? null : cast(bias, "i32"));
  const scale = div(mul(n.get(1), along(n.get(4), product.type.shape.length, 1)), n.get(6));
  return requantized(n, product, scale, 7);
}

/** The range of the data, with 0 in it, as the 256 numbers of u8. */
function dynamic(n: Application): readonly Value[] {
  const x = n.floating(0);
  const { dtype } = x.type;
  const [low, high] = [minimum(min(x), 0), maximum(max(x), 0)];
  const span = sub(high, low);
  const scale = div(where(equal(span, 0), 1, span), lift(255, dtype));
  const zero = round(clip(sub(0, div(low, scale)), { min: 0, max: 255 }));
  const y = clip(add(round(div(x, scale)), zero), { min: 0, max: 255 });
  return [cast(y, "u8"), scale, cast(zero, "u8")];
}

/** Products of quantised numbers. They compute what an engine of whole numbers does, and have no gradients, as rounding has none. */
export const quantizedProducts: Family = {
  ConvInteger: (n) => convolved(n, 1, [2, 3], null),
  DynamicQuantizeLinear: dynamic,
  MatMulInteger: (n) => matmul(centred(n, 0, 2, n.rank(0) - 2), centred(n, 1, 3, n.rank(1) - 1)),
  QLinearConv: quantizedConv,
  QLinearMatMul: quantizedMatMul,
};
