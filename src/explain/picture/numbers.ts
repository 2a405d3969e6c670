import { formatNumber, type NumberFormat } from "../../draw/format-number.ts";
import type { GradientState } from "../../draw/scene.ts";
import type { Tensor } from "../../ir/tensor.ts";
import type { TensorType } from "../../ir/type.ts";

const bins = 11;

export function shapeText(type: TensorType): string {
  return type.shape.join("×");
}

/** A scalar as its number; of a tensor the shape, and how many of its elements are not finite. */
export function valueText(t: Tensor, format: NumberFormat): string {
  if (t.type.shape.length === 0) return t.type.dtype === "bool" ? (t.data[0] === 1 ? "true" : "false") : formatNumber(t.data[0]!, format);
  return `${shapeText(t.type)}${badText(t)}`;
}

/** A scalar as its number; of a tensor its norm, scaled so that it does not overflow. */
export function gradientText(t: Tensor, format: NumberFormat): string {
  if (t.type.shape.length === 0) return formatNumber(t.data[0]!, format);
  return `‖∇‖ ${formatNumber(norm(t))}`;
}

function badText({ data }: Tensor): string {
  let nan = 0;
  let infinite = 0;
  for (let i = 0; i < data.length; i++) {
    if (Number.isNaN(data[i])) nan++;
    else if (!Number.isFinite(data[i])) infinite++;
  }
  return `${nan > 0 ? ` ${nan} NaN` : ""}${infinite > 0 ? ` ${infinite} ∞` : ""}`;
}

function norm({ data }: Tensor): number {
  let most = 0;
  for (let i = 0; i < data.length; i++) {
    const size = Math.abs(data[i]!);
    if (!(size <= most)) most = size;
    if (Number.isNaN(size)) return Number.NaN;
  }
  if (most === 0 || !Number.isFinite(most)) return most;
  let sum = 0;
  for (let i = 0; i < data.length; i++) sum += (data[i]! / most) ** 2;
  return most * Math.sqrt(sum);
}

export function stateOf({ data }: Tensor): GradientState {
  for (let i = 0; i < data.length; i++) if (data[i] !== 0) return "number";
  return "zero";
}

/** Heights of an 11-bin histogram of the finite elements; what is not finite is counted in the text beside it. */
export function histogram({ data }: Tensor): readonly number[] {
  let low = Number.POSITIVE_INFINITY;
  let high = Number.NEGATIVE_INFINITY;
  for (let i = 0; i < data.length; i++) {
    const x = data[i]!;
    if (!Number.isFinite(x)) continue;
    low = Math.min(low, x);
    high = Math.max(high, x);
  }
  const counts = new Array<number>(bins).fill(0);
  if (low > high) return counts;
  // Half the range first: the whole may be beyond the largest number.
  const half = high / 2 - low / 2;
  for (let i = 0; i < data.length; i++) {
    const x = data[i]!;
    if (Number.isFinite(x)) counts[half === 0 ? (bins - 1) / 2 : Math.min(bins - 1, Math.floor(((x / 2 - low / 2) / half) * bins))]!++;
  }
  const most = Math.max(...counts);
  return counts.map((c) => c / most);
}

/** `₆₄`. */
export function subscript(n: number): string {
  return String(n).replace(/\d/g, (digit) => "₀₁₂₃₄₅₆₇₈₉"[Number(digit)]!);
}

/** A count in a few characters: `832`, `12.4k`, `1.24M`. */
export function countText(n: number): string {
  for (const [size, letter] of [
    [1e9, "G"],
    [1e6, "M"],
    [1e3, "k"],
  ] as const)
    if (n >= 10 * size || (n >= size && size > 1e3)) return `${Number((n / size).toPrecision(3))}${letter}`;
  return String(n);
}
