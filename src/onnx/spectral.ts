import { constant } from "../ir/leaf.ts";
import type { Value } from "../ir/node.ts";
import { tensor } from "../ir/tensor.ts";
import { type Complex, fft, ifft, irfft } from "../linalg/index.ts";
import { cast, gather, mul, pad, reshape, slice, stack } from "../ops/index.ts";
import type { Application, Family } from "./application.ts";
import { dtypeOfElement } from "./tensor-data.ts";

/** The two parts of complex numbers that lie on a last axis of 1 (real) or 2. */
function partsOf(n: Application, x: Value): { readonly re: Value; readonly im: Value | null } {
  const shape = x.type.shape.slice(0, -1);
  const part = (k: number): Value => reshape(slice(x, { axis: -1, start: k, end: k + 1 }), { shape });
  const count = x.type.shape.at(-1);
  if (count !== 1 && count !== 2)
    n.refuse(`the last axis of its operand has ${count ?? "no"} elements; complex numbers have 1 (real) or 2`);
  return { re: part(0), im: count === 2 ? part(1) : null };
}

/** The first `length` elements of an axis, zeros behind where there are fewer. */
function fitted(x: Value, axis: number, length: number): Value {
  const size = x.type.shape[axis]!;
  if (size > length) return slice(x, { axis, end: length });
  return size === length ? x : pad(x, { pads: x.type.shape.map((_, i): [number, number] => (i === axis ? [0, length - size] : [0, 0])) });
}

function joined({ re, im }: Complex): Value {
  return stack([re, im], { axis: re.type.shape.length });
}

/** The half of a spectrum that a real signal's other half mirrors. */
function half({ re, im }: Complex, axis: number): Complex {
  const end = Math.floor(re.type.shape[axis]! / 2) + 1;
  return { re: slice(re, { axis, end }), im: slice(im, { axis, end }) };
}

function transform(n: Application): Value {
  const x = n.floating(0);
  const rank = x.type.shape.length;
  const axis = n.axis(n.opset < 20 ? n.int("axis", 1) : (n.knownOr(2, "its axis")?.[0] ?? -2), rank);
  if (axis === rank - 1) n.refuse("its axis is the last one, on which complex numbers have their parts");
  const { re, im } = partsOf(n, x);
  const [inverse, onesided] = [n.int("inverse", 0) !== 0, n.int("onesided", 0) !== 0];
  const size = x.type.shape[axis]!;
  const length = n.knownOr(1, "its dft_length")?.[0] ?? (inverse && onesided ? 2 * (size - 1) : size);
  if (!(length >= 1)) n.refuse(`its length is ${length}; a transform has 1 element or more`);
  const of = (v: Value, count: number): Value => fitted(v, axis, count);
  if (inverse && onesided) {
    const count = Math.floor(length / 2) + 1;
    const out = irfft({ re: of(re, count), ...(im !== null && { im: of(im, count) }) }, { axis, size: length });
    return reshape(out, { shape: [...out.type.shape, 1] });
  }
  const parts = { re: of(re, length), ...(im !== null && { im: of(im, length) }) };
  const out = inverse ? ifft(parts, { axis }) : fft(parts, { axis });
  return joined(onesided ? half(out, axis) : out);
}

/** Transforms of frames of a signal, one behind the other. */
function frames(n: Application): Value {
  const given = n.floating(0);
  // PyTorch writes a real signal without the axis of 1 that the standard has; ONNX Runtime takes it too.
  const { re, im } = partsOf(n, given.type.shape.length === 2 ? reshape(given, { shape: [...given.type.shape, 1] }) : given);
  const step = n.known(1, "its frame_step")[0]!;
  const window = n.maybe(2);
  const [batch, size] = re.type.shape as readonly [number, number];
  const length = n.knownOr(3, "its frame_length")?.[0] ?? window?.type.shape[0] ?? size;
  if (!(step >= 1 && length >= 1 && length <= size))
    n.refuse(`its frames of ${length} elements, ${step} apart, do not fit a signal of ${size}`);
  const count = 1 + Math.floor((size - length) / step);
  const places = Int32Array.from({ length: count * length }, (_, i) => Math.floor(i / length) * step + (i % length));
  const at = constant(tensor(places));
  const framed = (v: Value): Value => {
    const cut = reshape(gather(v, at, { axis: 1 }), { shape: [batch, count, length] });
    return window === null ? cut : mul(cut, window);
  };
  const out = fft({ re: framed(re), ...(im !== null && { im: framed(im) }) }, { axis: 2 });
  return joined(n.int("onesided", 1) !== 0 ? half(out, 2) : out);
}

/** Weights that gather a spectrum into bands as far apart as they sound. Source: ONNX Operators.md, MelWeightMatrix. */
function melWeights(n: Application): Value {
  const number = (i: number, what: string): number => n.known(i, what)[0] ?? n.refuse(`${what} is missing`);
  const [bands, length, rate] = [number(0, "its num_mel_bins"), number(1, "its dft_length"), number(2, "its sample_rate")];
  const mel = (hertz: number): number => (2595 * Math.log1p(hertz / 700)) / Math.LN10;
  const [low, high] = [mel(number(3, "its lower_edge_hertz")), mel(number(4, "its upper_edge_hertz"))];
  const rows = Math.floor(length / 2) + 1;
  if (!(bands >= 1 && rows >= 1 && bands * rows <= 2 ** 28)) n.refuse(`it makes ${rows} rows of ${bands} bands`);
  const gap = (high - low) / (bands + 2);
  const edge = (k: number): number => Math.floor(((length + 1) * 700 * Math.expm1(((k * gap + low) / 2595) * Math.LN10)) / rate);
  const out = new Float64Array(rows * bands);
  for (let band = 0; band < bands; band++) {
    const [from, middle, to] = [edge(band), edge(band + 1), edge(band + 2)];
    if (to >= rows + 1 || from < 0) n.refuse(`its band ${band} reaches beyond the ${rows} rows of the spectrum`);
    if (middle === from) out[middle * bands + band] = 1;
    else for (let j = from; j <= middle; j++) out[j * bands + band] = (j - from) / (middle - from);
    for (let j = middle; j < to; j++) out[j * bands + band] = (to - j) / (to - middle);
  }
  const dtype = dtypeOfElement(n.int("output_datatype", 1), "attribute output_datatype");
  return cast(constant(tensor(out, { kind: "type", dtype: "f64", shape: [rows, bands] })), dtype);
}

/** Operators on spectra. */
export const spectral: Family = { DFT: transform, MelWeightMatrix: melWeights, STFT: frames };
