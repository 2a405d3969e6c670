import type { Way } from "../autodiff/grad.ts";
import { jacobian } from "../autodiff/jacobian.ts";
import { evaluate } from "../evaluate/evaluate.ts";
import { DomainError, GraphError } from "../ir/errors.ts";
import { isValue } from "../ir/leaf.ts";
import type { Value } from "../ir/node.ts";
import { sizeOf } from "../ir/shape.ts";
import { type Tensor, tensor } from "../ir/tensor.ts";
import type { Tensors, Values } from "../ir/tree.ts";
import { f64, typeText } from "../ir/type.ts";
import { qr } from "../linalg/qr.ts";
import { svd } from "../linalg/svd.ts";
import { cast, reshape } from "../ops/index.ts";
import { caller, Flat } from "./flat.ts";
import { checkSearch, checkSearched, type Reason, type SearchOptions } from "./search.ts";
import { dot, largest, norm } from "./vector.ts";

/** Options of {@link leastSquares}. */
export interface LeastSquaresOptions extends SearchOptions {
  /** How the Jacobian is taken: "forward" pays per variable, "reverse" per residual; the fewer of them unless given. */
  readonly mode?: Way;
  /** Ends where the residuals are at right angles to the columns of the Jacobian up to this cosine; 1e-10 unless given. */
  readonly tolerance?: number;
  /** Ends where a step lowers the sum of squares, and was expected to lower it, by no more than this share; 1e-14 unless given. */
  readonly valueTolerance?: number;
  /** Ends where steps are no longer than this share of the point; 1e-14 unless given. */
  readonly stepTolerance?: number;
}

/** What {@link leastSquares} found. */
export interface Fit<P> {
  readonly at: Tensors<P>;
  /** The sum of the squared residuals. */
  readonly value: number;
  readonly residuals: Tensor;
  readonly rounds: number;
  /** How often the residuals were evaluated. */
  readonly evaluations: number;
  /** "gradient": the slope is 0 as far as asked for. "value", "step": nothing changes any more. "limit", "signal": stopped before. */
  readonly reason: Reason;
  /**
   * The covariance of the variables, `[n, n]` in the order of the leaves: the inverse of J^T J times the residual variance, value / (m - n). Its
   * diagonal has the squared standard errors. Null where it is not determined: fewer residuals than variables, or a Jacobian of lower rank.
   */
  readonly covariance: Tensor | null;
}

/** A matrix by its singular values: `u` transposed times the residuals, the values, and the right vectors as rows. */
interface Factors {
  readonly ur: Float64Array;
  readonly s: Float64Array;
  readonly vt: Float64Array;
}

/** The factors of a Jacobian of m rows and n columns, of which far longer ones are first made square by QR. */
function factorsOf(j: Float64Array, m: number, n: number, r: Float64Array): Factors {
  let matrix = tensor(j, f64(m, n));
  let right = r;
  if (m > n) {
    const { q, r: upper } = evaluate(qr(matrix));
    right = turned(q.data as Float64Array, m, n, r);
    matrix = upper;
  }
  const rows = Math.min(m, n);
  const { u, s, vt } = evaluate(svd(matrix));
  return { ur: turned(u.data as Float64Array, rows, rows, right), s: s.data as Float64Array, vt: vt.data as Float64Array };
}

/** Q^T r for a row-major Q of m rows and k columns. */
function turned(q: Float64Array, m: number, k: number, r: Float64Array): Float64Array {
  const out = new Float64Array(k);
  for (let i = 0; i < m; i++) for (let c = 0; c < k; c++) out[c] = out[c]! + q[i * k + c]! * r[i]!;
  return out;
}

/** -V c, for right vectors as rows. */
function combined(vt: Float64Array, c: Float64Array, n: number): Float64Array {
  const p = new Float64Array(n);
  for (let k = 0; k < c.length; k++) for (let i = 0; i < n; i++) p[i] = p[i]! - vt[k * n + i]! * c[k]!;
  return p;
}

/**
 * The multiplier that makes a damped step as long as the region is wide: the root of |p| - radius, by Newton's method on its reciprocal (Moré 1978).
 * 0 where the undamped step fits.
 */
function damping({ ur, s }: Factors, radius: number): number {
  const rank = s[0]! * s.length * 2 ** -52;
  const sized = (mu: number): readonly [length: number, bend: number] => {
    let total = 0;
    let bend = 0;
    for (let k = 0; k < s.length; k++) {
      const d = s[k]! ** 2 + mu;
      if (d === 0 || (mu === 0 && s[k]! <= rank)) continue;
      const c = (s[k]! * ur[k]!) / d;
      total += c * c;
      bend += (c * c) / d;
    }
    return [Math.sqrt(total), bend];
  };
  const [whole] = sized(0);
  if (whole <= radius) return 0;
  let low = 0;
  let high = norm(s.map((x, k) => x * ur[k]!)) / radius;
  let mu = high / 1e3;
  for (let i = 0; i < 60; i++) {
    const [length, bend] = sized(mu);
    if (Math.abs(length - radius) <= 1e-3 * radius) break;
    if (length > radius) low = mu;
    else high = mu;
    const next = mu + (length ** 2 / bend) * ((length - radius) / radius);
    mu = next > low && next < high ? next : (low + high) / 2;
  }
  return mu;
}

/**
 * Variables that make a vector of residuals small: a minimum of the sum of their squares close to `start`, by the Levenberg-Marquardt method as a trust
 * region in the variables' own scales (Moré 1978, "The Levenberg-Marquardt algorithm: implementation and theory", as in MINPACK's lmder), here with the
 * singular values of the scaled Jacobian, so that J^T J is never formed and Jacobians of low rank do not matter. Residuals that are not finite are walls
 * that the search turns back from. On the host, with nothing compiled unless `engine` says so.
 * @throws DomainError where residuals or their Jacobian are not finite at the start, and for bad options; GraphError for a function that gives no Value
 */
export function leastSquares<P>(residuals: (at: Values<P>) => Value, start: P, options: LeastSquaresOptions = {}): Fit<P> {
  checkSearched("leastSquares", residuals, options, ["tolerance", "valueTolerance", "stepTolerance", "mode"]);
  const { tolerance = 1e-10, valueTolerance = 1e-14, stepTolerance = 1e-14, limit = 400, signal, each, engine, mode } = options;
  checkSearch("leastSquares", limit, { tolerance, valueTolerance, stepTolerance });
  const flat = new Flat(start, "leastSquares");
  const f = flat.of((at: Values<P>) => asVector(residuals(at)));
  const valueAt = caller(f, engine) as (x: Float64Array) => Tensor;
  const slopeAt = caller(jacobian(f, mode === undefined ? {} : { mode }) as (x: Value) => Value, engine) as (x: Float64Array) => Tensor;
  let evaluations = 0;
  const look = (x: Float64Array): { x: Float64Array; r: Float64Array; size: number } => {
    evaluations++;
    const r = Float64Array.from(valueAt(x).data);
    return { x, r, size: norm(r) };
  };
  let point = look(flat.start);
  const n = point.x.length;
  const m = point.r.length;
  const bad = point.r.findIndex((v) => !Number.isFinite(v));
  if (bad >= 0) throw new DomainError(`leastSquares: residual ${bad} is ${point.r[bad]} at the start; begin where all are finite`);
  if (m === 0) throw new DomainError("leastSquares: there are no residuals; the function gave a Value of no elements");

  let j = Float64Array.from(slopeAt(point.x).data);
  const worst = j.findIndex((v) => !Number.isFinite(v));
  if (worst >= 0)
    throw new DomainError(
      `leastSquares: the derivative of residual ${Math.floor(worst / n)} by ${flat.name(worst % n)} is ${j[worst]} at the start; begin away from edges and kinks`,
    );
  // Each variable is measured by the largest its column has been.
  const scale = new Float64Array(n);
  let radius: number | null = null;
  let rounds = 0;
  let reason: Reason = "limit";
  for (;;) {
    const columns = columnNorms(j, m, n);
    for (let i = 0; i < n; i++) scale[i] = Math.max(scale[i]!, columns[i]!);
    const units = scale.map((x) => (x === 0 ? 1 : x));
    if (point.size === 0 || largest(cosines(j, m, n, columns, point)) <= tolerance) {
      reason = "gradient";
      break;
    }
    if (signal?.aborted) {
      reason = "signal";
      break;
    }
    if (rounds >= limit) break;
    const span = norm(point.x.map((x, i) => x * units[i]!));
    radius ??= span === 0 ? 100 : 100 * span;
    const factors = factorsOf(
      j.map((x, i) => x / units[i % n]!),
      m,
      n,
      point.r,
    );
    const taken = step(factors, units, radius, point, look, { valueTolerance, stepTolerance, span });
    radius = taken.radius;
    if (taken.next !== null) {
      const fresh = Float64Array.from(slopeAt(taken.next.x).data);
      if (!fresh.every(Number.isFinite)) {
        // The values are finite there and the slopes are not: an edge, to be approached in shorter steps.
        radius = taken.length / 4;
        if (!(radius > stepTolerance * span)) {
          reason = "step";
          break;
        }
        rounds++;
        continue;
      }
      j = fresh;
      point = taken.next;
      rounds++;
      each?.({ round: rounds, value: point.size ** 2, slope: 2 * largest(turned(j, m, n, point.r)) });
    }
    if (taken.reason !== null) {
      reason = taken.reason;
      break;
    }
  }
  return {
    at: flat.tensors(point.x) as Tensors<P>,
    value: point.size ** 2,
    residuals: tensor(point.r),
    rounds,
    evaluations,
    reason,
    covariance: covarianceOf(j, m, n, point.r),
  };
}

interface Seen {
  readonly x: Float64Array;
  readonly r: Float64Array;
  readonly size: number;
}

/** Shortens a step until it lowers the residuals; Moré's rules for the radius. */
function step(
  factors: Factors,
  units: Float64Array,
  radius: number,
  point: Seen,
  look: (x: Float64Array) => Seen,
  ends: { readonly valueTolerance: number; readonly stepTolerance: number; readonly span: number },
): { readonly next: Seen | null; readonly radius: number; readonly length: number; readonly reason: Reason | null } {
  const { ur, s, vt } = factors;
  const n = units.length;
  const rank = s[0]! * s.length * 2 ** -52;
  for (;;) {
    const mu = damping(factors, radius);
    const c = s.map((x, k) => (mu === 0 && x <= rank ? 0 : (x * ur[k]!) / (x * x + mu)));
    const p = combined(vt, c, n);
    const length = norm(p);
    const next = look(point.x.map((x, i) => x + p[i]! / units[i]!));
    const fine = next.r.every(Number.isFinite);
    // All as shares of the sum of squares: what the linear model gains, and what was gained.
    const model = norm(s.map((x, k) => x * c[k]!)) / point.size;
    const damped = (Math.sqrt(mu) * length) / point.size;
    const predicted = model ** 2 + 2 * damped ** 2;
    const actual = fine && next.size < 10 * point.size ? 1 - (next.size / point.size) ** 2 : -1;
    const ratio = predicted === 0 ? 0 : actual / predicted;
    if (!fine) radius = Math.min(radius, length) / 4;
    else if (!(ratio > 0.25)) {
      const slope = -(model ** 2 + damped ** 2);
      const share = actual >= 0 ? 0.5 : (0.5 * slope) / (slope + 0.5 * actual);
      radius = Math.max(0.1, Math.min(share, 0.5)) * Math.min(radius, 10 * length);
    } else if (mu === 0 || ratio >= 0.75) radius = 2 * length;
    const taken = ratio >= 1e-4;
    // Numbers so large that the step itself is not finite leave no radius to go on with.
    if (!(radius > 0)) return { next: null, radius, length, reason: "step" };
    const span = taken ? norm(next.x.map((x, i) => x * units[i]!)) : ends.span;
    const reason: Reason | null =
      Math.abs(actual) <= ends.valueTolerance && predicted <= ends.valueTolerance && ratio <= 2
        ? "value"
        : radius <= ends.stepTolerance * span || next.x.every((x, i) => x === point.x[i])
          ? "step"
          : null;
    if (taken || reason !== null) return { next: taken ? next : null, radius, length, reason };
  }
}

/** The cosines between the residuals and the columns of the Jacobian; both are made short first, since their product could leave the range. */
function cosines(j: Float64Array, m: number, n: number, columns: Float64Array, { r, size }: Seen): Float64Array {
  const found = new Float64Array(n);
  for (let i = 0; i < m; i++) {
    const share = r[i]! / size;
    for (let c = 0; c < n; c++) if (columns[c] !== 0) found[c] = found[c]! + (j[i * n + c]! / columns[c]!) * share;
  }
  return found;
}

function columnNorms(j: Float64Array, m: number, n: number): Float64Array {
  return Float64Array.from({ length: n }, (_, c) => norm(Float64Array.from({ length: m }, (_, i) => j[i * n + c]!)));
}

function covarianceOf(j: Float64Array, m: number, n: number, r: Float64Array): Tensor | null {
  if (m <= n) return null;
  const columns = columnNorms(j, m, n).map((x) => (x === 0 ? 1 : x));
  const { s, vt } = factorsOf(
    j.map((x, i) => x / columns[i % n]!),
    m,
    n,
    r,
  );
  if (s[n - 1]! <= s[0]! * n * 2 ** -52) return null;
  const variance = dot(r, r) / (m - n);
  const out = new Float64Array(n * n);
  for (let a = 0; a < n; a++)
    for (let b = 0; b < n; b++) {
      let total = 0;
      for (let k = 0; k < n; k++) total += (vt[k * n + a]! * vt[k * n + b]!) / s[k]! ** 2;
      out[a * n + b] = (total * variance) / (columns[a]! * columns[b]!);
    }
  return tensor(out, f64(n, n));
}

/** The residuals in one row, in f64. @throws GraphError for what is no Value */
function asVector(value: unknown): Value {
  if (!isValue(value))
    throw new GraphError(
      `leastSquares: the function gave ${typeof value === "number" ? `the number ${value}` : typeof value}; it computes a Value of residuals`,
    );
  if (value.type.dtype !== "f64" && value.type.dtype !== "f32")
    throw new GraphError(`leastSquares: the residuals are ${typeText(value.type)}; they are floating-point numbers`);
  const row = reshape(value, { shape: [sizeOf(value.type.shape)] });
  return row.type.dtype === "f64" ? row : cast(row, "f64");
}
