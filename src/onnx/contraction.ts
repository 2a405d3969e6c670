import { lift } from "../ir/leaf.ts";
import type { Value } from "../ir/node.ts";
import { det } from "../linalg/index.ts";
import { add, conv, convTranspose, einsum, matmul, mul, pad, reshape, slice, transpose } from "../ops/index.ts";
import type { Application, Family } from "./application.ts";
import { alignedPads, spatial } from "./windows.ts";

function gemm(n: Application): Value {
  const [alpha, beta] = [n.float("alpha", 1), n.float("beta", 1)];
  const a = n.int("transA", 0) === 0 ? n.get(0) : transpose(n.get(0));
  const b = n.int("transB", 0) === 0 ? n.get(1) : transpose(n.get(1));
  const product = matmul(a, b);
  const scaled = alpha === 1 ? product : mul(product, lift(alpha, product.type.dtype));
  const c = n.maybe(2);
  if (c === null) return scaled;
  return add(scaled, beta === 1 ? c : mul(c, lift(beta, c.type.dtype)));
}

function convolution(n: Application): Value {
  const [x, w] = [n.get(0), n.get(1)];
  const kernel = n.ints("kernel_shape") ?? w.type.shape.slice(2);
  const { stride, dilation } = spatial(n, kernel.length);
  const padding = alignedPads(n, x.type.shape.slice(2), kernel, stride, dilation);
  return conv(x, w, n.maybe(2), { stride, dilation, padding, groups: n.int("group", 1) });
}

/**
 * The transposed convolution. `output_shape` decides the padding, the odd one before (SAME_LOWER) or behind; where the padding comes out negative the
 * result is padded instead.
 */
function transposedConvolution(n: Application): Value {
  const [x, w, bias] = [n.get(0), n.get(1), n.maybe(2)];
  const kernel = n.ints("kernel_shape") ?? w.type.shape.slice(2);
  const rank = kernel.length;
  const { stride, dilation } = spatial(n, rank);
  const extra = n.ints("output_padding") ?? new Array<number>(rank).fill(0);
  const sizes = x.type.shape.slice(2);
  const auto = n.text("auto_pad", "NOTSET");
  const wanted = n.ints("output_shape")?.slice(-rank) ?? (auto.startsWith("SAME") ? sizes.map((s, i) => s * stride[i]!) : undefined);
  const given = n.ints("pads") ?? new Array<number>(2 * rank).fill(0);
  const pads = sizes.map((size, i): readonly [number, number] => {
    if (wanted === undefined) return auto === "VALID" ? [0, 0] : [given[i]!, given[i + rank]!];
    const total = stride[i]! * (size - 1) + extra[i]! + (kernel[i]! - 1) * dilation[i]! + 1 - wanted[i]!;
    const half = Math.floor(total / 2);
    return auto === "SAME_UPPER" ? [half, total - half] : [total - half, half];
  });
  const groups = n.int("group", 1);
  if (pads.every(([low, high]) => low >= 0 && high >= 0) && extra.every((e, i) => e < Math.max(stride[i]!, dilation[i]!)))
    return convTranspose(x, w, bias, { stride, dilation, padding: pads, outputPadding: extra, groups });
  // Padding that no convolution has: the whole result, then cut or padded.
  let out = convTranspose(x, w, { stride, dilation, groups });
  pads.forEach(([low, high], i) => {
    const axis = i + 2;
    const size = out.type.shape[axis]!;
    const end = size - high + extra[i]!;
    out = slice(out, { axis, start: Math.max(0, low), end: Math.min(size, end) });
    const before = Math.max(0, -low);
    const behind = Math.max(0, end - size);
    if (before + behind > 0) out = pad(out, { pads: out.type.shape.map((_, a) => (a === axis ? [before, behind] : [0, 0])) });
  });
  return bias === null ? out : add(out, biased(bias, rank));
}

/** [C] as [1, C, 1, ...]. */
function biased(bias: Value, rank: number): Value {
  return reshape(bias, { shape: [1, -1, ...new Array<number>(rank).fill(1)] });
}

/** Products and convolutions. */
export const contraction: Family = {
  Conv: convolution,
  ConvTranspose: transposedConvolution,
  Det: (n) => det(n.get(0)),
  Einsum: (n) => einsum(n.text("equation", ""), ...n.all()),
  Gemm: gemm,
  MatMul: (n) => matmul(n.get(0), n.get(1)),
};
