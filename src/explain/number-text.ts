import type { Tensor } from "../ir/tensor.ts";
import { typeText } from "../ir/type.ts";

/** A number as people read it: shortest at up to `digits` significant digits; NaN, Infinity, -Infinity and -0 by name. */
export function numberText(x: number, digits = 6): string {
  if (Object.is(x, -0)) return "-0";
  if (!Number.isFinite(x)) return String(x);
  return String(Number(x.toPrecision(digits)));
}

const shown = 6;

/** A tensor in a line: a scalar as its number, a short one whole, a long one by its first elements and its type. */
export function tensorText({ type, data }: Tensor, digits = 6): string {
  const one = (x: number): string => (type.dtype === "bool" ? (x ? "true" : "false") : numberText(x, digits));
  if (type.shape.length === 0) return one(data[0]!);
  const whole = data.length <= 12 && type.shape.length <= 2;
  if (!whole) return `${typeText(type)} [${Array.from(data.subarray(0, shown), one).join(", ")}${data.length > shown ? ", …" : ""}]`;
  const width = type.shape[type.shape.length - 1]!;
  if (type.shape.length === 1) return `[${Array.from(data, one).join(", ")}]`;
  const rows = Array.from(
    { length: type.shape[0]! },
    (_, i) => `[${Array.from(data.subarray(i * width, (i + 1) * width), one).join(", ")}]`,
  );
  return `[${rows.join(", ")}]`;
}

/** A number for JSON: NaN, Infinity, -Infinity and -0 are strings, because JSON has no such numbers. */
export function jsonNumber(x: number): number | string {
  return Number.isFinite(x) && !Object.is(x, -0) ? x : Object.is(x, -0) ? "-0" : String(x);
}

/** What JSON holds for a tensor: a number, or nested lists of them; truth values for bool. */
export type JsonTensor = number | string | boolean | readonly JsonTensor[];

/** A tensor for JSON. */
export function jsonTensor({ type, data }: Tensor): JsonTensor {
  const build = (depth: number, at: number, size: number): JsonTensor => {
    if (depth === type.shape.length) return type.dtype === "bool" ? data[at] === 1 : jsonNumber(data[at]!);
    const n = type.shape[depth]!;
    const inner = n === 0 ? 0 : size / n;
    return Array.from({ length: n }, (_, i) => build(depth + 1, at + i * inner, inner));
  };
  return build(0, 0, data.length);
}

/** A number for LaTeX. */
export function latexNumber(x: number, digits = 6): string {
  if (Number.isNaN(x)) return "\\mathrm{NaN}";
  if (!Number.isFinite(x)) return x > 0 ? "\\infty" : "-\\infty";
  const text = numberText(x, digits);
  const [mantissa, exponent] = text.split("e");
  return exponent === undefined ? text : `${mantissa} \\cdot 10^{${Number(exponent)}}`;
}
