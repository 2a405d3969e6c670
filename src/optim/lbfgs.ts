import { type Along, lineSearch } from "./line-search.ts";
import type { Descent, Point } from "./search.ts";
import { dot, largest, moved, norm } from "./vector.ts";

interface Pair {
  readonly s: Float64Array;
  readonly y: Float64Array;
  readonly rho: number;
}

/** The direction that the curvature of the last steps suggests: the two-loop recursion, Nocedal and Wright 2006, algorithm 7.4. */
function directionOf(gradient: Float64Array, pairs: readonly Pair[]): Float64Array {
  const q = gradient.slice();
  const shares = new Array<number>(pairs.length);
  for (let i = pairs.length - 1; i >= 0; i--) {
    const { s, y, rho } = pairs[i]!;
    shares[i] = rho * dot(s, q);
    for (let k = 0; k < q.length; k++) q[k] = q[k]! - shares[i]! * y[k]!;
  }
  const last = pairs.at(-1);
  const scale = last === undefined ? 1 : 1 / (last.rho * dot(last.y, last.y));
  for (let k = 0; k < q.length; k++) q[k] = q[k]! * scale;
  for (const [i, { s, y, rho }] of pairs.entries()) {
    const rest = shares[i]! - rho * dot(y, q);
    for (let k = 0; k < q.length; k++) q[k] = q[k]! + rest * s[k]!;
  }
  return q.map((x) => -x);
}

/**
 * L-BFGS: Liu and Nocedal 1989, "On the limited memory BFGS method for large scale optimization", with a line search for the strong Wolfe conditions.
 * A round is one accepted step; null when no step lowers the value any more.
 */
export function lbfgs(memory: number, epsilon: number): Descent {
  let pairs: Pair[] = [];
  return (from, look) => {
    for (;;) {
      let direction = directionOf(from.gradient, pairs);
      let slope = dot(direction, from.gradient);
      if (!(slope < 0)) {
        pairs = [];
        direction = from.gradient.map((x) => -x);
        slope = dot(direction, from.gradient);
      }
      // The first step has no curvature to go by: of length 1 at most.
      const first = pairs.length > 0 ? 1 : Math.min(1, 1 / norm(from.gradient));
      const at = (t: number): Along & { readonly point: Point } => {
        const point = look(moved(from.x, t, direction));
        return { t, value: point.value, slope: dot(point.gradient, direction), point };
      };
      const noise = 10 * epsilon * Math.abs(from.value);
      const found = lineSearch(at, { t: 0, value: from.value, slope }, first, noise);
      if (found === null) {
        if (pairs.length === 0) return null;
        pairs = [];
        continue;
      }
      const { point } = found;
      const s = point.x.map((x, i) => x - from.x[i]!);
      const y = point.gradient.map((g, i) => g - from.gradient[i]!);
      const curvature = dot(s, y);
      if (curvature > epsilon * norm(s) * norm(y)) pairs.push({ s, y, rho: 1 / curvature });
      if (pairs.length > memory) pairs.shift();
      return largest(s) === 0 ? null : point;
    }
  };
}
