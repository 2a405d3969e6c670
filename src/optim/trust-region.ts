import { evaluate } from "../evaluate/evaluate.ts";
import { tensor } from "../ir/tensor.ts";
import { f64 } from "../ir/type.ts";
import { eigh } from "../linalg/eigh.ts";
import type { Descent } from "./search.ts";
import { dot, norm } from "./vector.ts";

/** Eigenvalues, ascending, and eigenvectors as columns of a row-major matrix. */
interface Eigen {
  readonly values: Float64Array;
  readonly vectors: Float64Array;
}

function eigen(matrix: Float64Array, n: number): Eigen {
  const { values, vectors } = evaluate(eigh(tensor(matrix, f64(n, n))));
  return { values: values.data as Float64Array, vectors: vectors.data as Float64Array };
}

/**
 * The lowest point of g.p + p.H.p / 2 with |p| <= radius, for any symmetric H (Moré and Sorensen 1983, "Computing a trust region step"; here in the
 * eigenvectors of H, where the multiplier is the root of one function of one number).
 */
export function trustStep(
  gradient: Float64Array,
  { values, vectors }: Eigen,
  radius: number,
): { readonly p: Float64Array; readonly inside: boolean } {
  const n = gradient.length;
  const slopes = new Float64Array(n);
  for (let k = 0; k < n; k++) for (let i = 0; i < n; i++) slopes[k] = slopes[k]! + vectors[i * n + k]! * gradient[i]!;
  const lowest = values[0]!;
  const step = (shift: number): Float64Array =>
    slopes.map((g, k) => {
      const d = values[k]! + shift;
      return g === 0 ? 0 : -g / d;
    });
  const back = (c: Float64Array): Float64Array => {
    const p = new Float64Array(n);
    for (let i = 0; i < n; i++) p[i] = dot(c, vectors.subarray(i * n, (i + 1) * n));
    return p;
  };
  if (lowest > 0) {
    const c = step(0);
    if (norm(c) <= radius) return { p: back(c), inside: true };
  }
  // The multiplier is above -lowest, and at most what a slope of all in the lowest eigenvector would need.
  const size = Math.max(Math.abs(lowest), Math.abs(values[n - 1]!));
  let low = Math.max(0, -lowest);
  let high = Math.max(low, norm(slopes) / radius - lowest);
  const tiny = 2 ** -52 * Math.max(size, norm(slopes) / radius);
  const edge = step(low + tiny);
  if (norm(edge) < radius) {
    // The hard case: no slope along the lowest eigenvector, which is then free to reach the edge of the region.
    const rest = Math.sqrt(Math.max(0, radius ** 2 - norm(edge) ** 2));
    edge[0] = edge[0]! + (edge[0]! > 0 ? rest : -rest);
    return { p: back(edge), inside: false };
  }
  let shift = Math.min(Math.max(low + tiny, low), high);
  for (let i = 0; i < 100; i++) {
    const c = step(shift);
    const length = norm(c);
    if (Math.abs(length - radius) <= 1e-10 * radius) break;
    if (length > radius) low = shift;
    else high = shift;
    // Newton on 1 / |p| - 1 / radius, which is nearly straight.
    let bend = 0;
    for (let k = 0; k < n; k++) bend += c[k]! ** 2 / (values[k]! + shift);
    const next = shift + (length ** 2 / bend) * ((length - radius) / radius);
    shift = next > low && next < high ? next : (low + high) / 2;
  }
  return { p: back(step(shift)), inside: false };
}

/**
 * Newton's method in a trust region (Conn, Gould and Toint 2000, "Trust-Region Methods", algorithm 6.1.1): steps along the second-order model where it
 * was right, shorter ones where it was not, along negative curvature too. Each variable is measured by the root of the largest curvature met along it,
 * so that its unit does not matter (as Moré 1978 scales least squares). A round is one accepted step; null when none lowers the value any more.
 */
export function newton(hessianAt: (x: Float64Array) => Float64Array, epsilon: number): Descent {
  let radius: number | null = null;
  let scale: Float64Array | null = null;
  return (from, look) => {
    const { x, value, gradient } = from;
    const n = x.length;
    const matrix = hessianAt(x);
    if (!matrix.every(Number.isFinite)) return null;
    scale ??= new Float64Array(n);
    for (let i = 0; i < n; i++) scale[i] = Math.max(scale[i]!, Math.sqrt(Math.abs(matrix[i * n + i]!)));
    const units = scale.map((d) => (d === 0 ? 1 : d));
    const slopes = gradient.map((g, i) => g / units[i]!);
    const curved = matrix.map((h, k) => h / (units[Math.floor(k / n)]! * units[k % n]!));
    const model = eigen(curved, n);
    radius ??= Math.min(norm(x.map((v, i) => v * units[i]!)) || Number.POSITIVE_INFINITY, norm(slopes));
    // Differences of values below this are rounding (Conn, Gould and Toint, 17.4.2).
    const noise = 10 * epsilon * Math.max(Math.abs(value), Number.MIN_VALUE);
    for (;;) {
      const { p, inside } = trustStep(slopes, model, radius);
      let predicted = -dot(slopes, p);
      for (let i = 0; i < n; i++) predicted -= (p[i]! * dot(p, curved.subarray(i * n, (i + 1) * n))) / 2;
      const next = look(x.map((v, i) => v + p[i]! / units[i]!));
      const fine = Number.isFinite(next.value) && next.gradient.every(Number.isFinite);
      const ratio = fine ? (value - next.value + noise) / (predicted + noise) : Number.NEGATIVE_INFINITY;
      const taken = ratio > 1e-4 && next.value <= value + noise;
      if (!taken || ratio < 0.25) radius = norm(p) / 4;
      else if (ratio > 0.75 && !inside) radius *= 2;
      if (!(radius > 0) || next.x.every((v, i) => v === x[i])) return null;
      if (taken) return next;
    }
  };
}
