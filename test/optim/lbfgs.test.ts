import { expect, test } from "vitest";
import { lbfgs } from "../../src/optim/lbfgs.ts";
import type { Point } from "../../src/optim/search.ts";

type Function2 = (x: number, y: number) => readonly [value: number, dx: number, dy: number];
const look =
  (f: Function2, seen: number[][] = []) =>
  (x: Float64Array): Point => {
    seen.push([...x]);
    const [value, ...gradient] = f(x[0]!, x[1]!);
    return { x, value, gradient: Float64Array.from(gradient) };
  };
/** x^2 / 2 + 50 y^2 */
const bowl: Function2 = (x, y) => [x * x * 0.5 + 50 * y * y, x, 100 * y];

/** One step in a bowl, a second one on another function, and where the third, in the bowl again, looks first; with the point it starts from. */
function third(second: (from: Point) => Function2): { readonly from: number[]; readonly first: number[] } {
  const step = lbfgs(10, 1e-16);
  const one = step(look(bowl)(Float64Array.of(10, 0.05)), look(bowl))!;
  step(one, look(second(one)));
  const seen: number[][] = [];
  step(one, look(bowl, seen));
  return { from: [...one.x], first: seen[0]! };
}

/** The two-loop recursion for one pair, written out: the step from `from` that the pair of the first step in the bowl suggests. */
function byOnePair(from: readonly number[]): number[] {
  const one = lbfgs(10, 1e-16)(look(bowl)(Float64Array.of(10, 0.05)), look(bowl))!;
  const [s, y] = [
    [one.x[0]! - 10, one.x[1]! - 0.05],
    [one.gradient[0]! - 10, one.gradient[1]! - 5],
  ] as const;
  const by = (a: readonly number[], b: readonly number[]): number => a[0]! * b[0]! + a[1]! * b[1]!;
  const g = [from[0]!, 100 * from[1]!];
  const share = by(s, g) / by(s, y);
  const scale = by(s, y) / by(y, y);
  const q = g.map((v, i) => scale * (v - share * y[i]!));
  const rest = share - by(y, q) / by(s, y);
  return from.map((v, i) => v - (q[i]! + rest * s[i]!));
}

/** Down along the slope for ever: no step satisfies the Wolfe conditions, and the search takes the lowest point it saw. */
const plane =
  ({ x, value, gradient }: Point): Function2 =>
  (u, v) => [value + gradient[0]! * (u - x[0]!) + gradient[1]! * (v - x[1]!), gradient[0]!, gradient[1]!];
/** The same, and ever steeper: negative curvature. */
const ridge =
  (from: Point): Function2 =>
  (u, v) => {
    const [f, dx, dy] = plane(from)(u, v);
    const [a, b] = [u - from.x[0]!, v - from.x[1]!];
    return [f - 0.01 * (a * a + b * b), dx - 0.02 * a, dy - 0.02 * b];
  };

test.each([
  ["none", plane],
  ["a negative one", ridge],
] as const)(
  "a step that shows no curvature that a minimum could have, %s, is not remembered: the one before it is, and no other",
  (_, second) => {
    const { from, first } = third(second);
    const wanted = byOnePair(from);
    for (const i of [0, 1]) expect(first[i]! - from[i]!).toBeCloseTo(wanted[i]! - from[i]!, 12);
    // Steepest descent, which forgetting everything would give, goes another way.
    const slope = [from[0]!, 100 * from[1]!];
    const steepest = from.map((v, i) => v - Math.min(1, 1 / Math.hypot(...slope)) * slope[i]!);
    expect(Math.hypot(first[0]! - steepest[0]!, first[1]! - steepest[1]!)).toBeGreaterThan(1e-3);
  },
);

test("a step with curvature is remembered", () => {
  const { from, first } = third(() => bowl);
  expect(Math.abs(first[0]! - byOnePair(from)[0]!)).toBeGreaterThan(1e-6);
});
