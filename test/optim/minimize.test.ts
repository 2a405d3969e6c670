import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  add,
  at,
  cos,
  div,
  exp,
  expr,
  f32,
  f64,
  i32,
  log,
  matmul,
  mul,
  read,
  sqrt,
  square,
  sub,
  sum,
  tensor,
  transpose,
  type Value,
  whileLoop,
} from "../../src/index.ts";
import { lineSearch } from "../../src/optim/line-search.ts";
import { trustStep } from "../../src/optim/trust-region.ts";
import { type MinimizeOptions, minimize, type Round } from "../../src/optim.ts";
import { wasm } from "../../src/wasm.ts";

const rosenbrock = ({ x, y }: { readonly x: Value; readonly y: Value }): Value => expr`(1 - ${x})^2 + 100 * (${y} - ${x}^2)^2`;
const methods = ["lbfgs", "newton"] as const;

describe.each(methods)("%s", (method) => {
  test("finds a minimum of a tree of numbers, and says how it ended", () => {
    const found = minimize(rosenbrock, { x: -1.2, y: 1 }, { method });
    expect([read(found.at.x), read(found.at.y)]).toEqual([expect.closeTo(1, 7), expect.closeTo(1, 7)]);
    expect(found.value).toBeLessThan(1e-12);
    expect(found.reason).toBe("gradient");
    expect(found.evaluations).toBeGreaterThanOrEqual(found.rounds);
  });

  test("searches lists, matrices and scalars together", () => {
    const goal = tensor([
      [1, 2],
      [3, 4],
    ]);
    const { at: best } = minimize(
      ({ parts: [m, s] }: { parts: readonly [Value, Value] }) => add(sum(square(sub(m, goal))), square(sub(mul(s, 3), at(m, 0, 1)))),
      {
        parts: [
          tensor([
            [0, 0],
            [0, 0],
          ]),
          7,
        ] as const,
      },
      { method },
    );
    expect([...best.parts[0].data]).toEqual([1, 2, 3, 4].map((x) => expect.closeTo(x, 7)));
    expect(read(best.parts[1])).toBeCloseTo(2 / 3, 7);
  });

  test("goes on with f32, to what f32 can tell", () => {
    const found = minimize((x: Value) => sum(square(sub(x, tensor([1, 2], "f32")))), tensor([10, -10], "f32"), { method });
    expect(found.at.type.dtype).toBe("f32");
    expect([...found.at.data]).toEqual([expect.closeTo(1, 3), expect.closeTo(2, 3)]);
    const hard = minimize(rosenbrock, { x: tensor(-1.2, "f32"), y: tensor(1, "f32") }, { method, tolerance: 0 });
    expect(["step", "gradient"]).toContain(hard.reason);
    expect(read(hard.at.x)).toBeCloseTo(1, 2);
  });

  test("turns back from where the function is not a number", () => {
    // log is NaN below 0, and the first steps from 20 go there.
    const found = minimize((x: Value) => sub(mul(x, x), mul(3, log(x))), 20, { method });
    expect(read(found.at)).toBeCloseTo(Math.sqrt(1.5), 7);
    const wall = minimize((x: Value) => add(square(x), div(1e-3, sqrt(sub(1, x)))), -30, { method });
    expect(read(wall.at)).toBeCloseTo(-0.00024982, 6);
  });

  test("ends at the limit, or where it is told to, with the best so far", () => {
    const short = minimize(rosenbrock, { x: -1.2, y: 1 }, { method, limit: 3 });
    expect([short.rounds, short.reason]).toEqual([3, "limit"]);
    expect(short.value).toBeLessThan(24.2);
    const none = minimize(rosenbrock, { x: -1.2, y: 1 }, { method, limit: 0 });
    expect([read(none.at.x), none.value, none.reason]).toEqual([-1.2, expect.closeTo(24.2, 12), "limit"]);
    const stop = new AbortController();
    const seen: Round[] = [];
    const each = (round: Round): void => {
      seen.push(round);
      if (round.round === 4) stop.abort();
    };
    const stopped = minimize(rosenbrock, { x: -1.2, y: 1 }, { method, signal: stop.signal, each });
    expect([stopped.rounds, stopped.reason]).toEqual([4, "signal"]);
    expect(seen.map(({ value }) => value)).toEqual(seen.map(({ value }) => value).toSorted((a, b) => b - a));
    expect(stopped.value).toBe(seen.at(-1)!.value);
  });

  test("ends on numbers of any size", () => {
    for (const size of [1e-300, 1e-150, 1e100, 1e150]) {
      const found = minimize((x: Value) => mul(size, square(square(sub(x, 3)))), 1, { method, limit: 300 });
      expect(found.value).toBeLessThanOrEqual(16 * size);
      const far = minimize((x: Value) => square(sub(x, size)), 1, { method, limit: 300 });
      expect(far.rounds).toBeLessThanOrEqual(300);
    }
  });

  test("starts at a minimum, on a line, on a plane", () => {
    expect(minimize((x: Value) => square(x), 0, { method })).toMatchObject({ value: 0, rounds: 0, reason: "gradient" });
    const flat = minimize((x: Value) => mul(0, sum(x)), tensor([1, 2]), { method });
    expect([flat.rounds, flat.reason]).toEqual([0, "gradient"]);
  });

  test("does not end in the start's favour where the function has no lowest point", () => {
    const endless = minimize((x: Value) => mul(-1, x), 0, { method, limit: 50 });
    expect(endless.value).toBeLessThan(-1e6);
    expect(["limit", "step"]).toContain(endless.reason);
  });

  test("compiles the function when it is given an engine, and finds the same", () => {
    const plain = minimize(rosenbrock, { x: -1.2, y: 1 }, { method });
    const fast = minimize(rosenbrock, { x: -1.2, y: 1 }, { method, engine: wasm() });
    expect(read(fast.at.x)).toBeCloseTo(read(plain.at.x), 6);
    expect(fast.reason).toBe("gradient");
  });

  test("is not led astray by units", () => {
    const found = minimize(
      ({ a, b }: { a: Value; b: Value }) => expr`(${a} / 1e6 - 1)^2 + (1e4 * ${b} - 2)^2 + (${a} * ${b} * 1e-2 - 2)^2`,
      { a: 0, b: 0 },
      { method },
    );
    expect([read(found.at.a) / 1e6, read(found.at.b) * 1e4]).toEqual([expect.closeTo(1, 5), expect.closeTo(2, 5)]);
  });

  test("minimises what has a loop in it", () => {
    // The root of a, by Newton's method inside.
    const root = (a: Value): Value =>
      whileLoop(
        ({ n }) => expr`${n} < 20`,
        ({ x, n }) => ({ x: mul(0.5, add(x, div(a, x))), n: add(n, 1) }),
        { x: 1, n: 0 },
      ).x;
    if (method === "newton") return;
    expect(read(minimize((a: Value) => square(sub(root(a), 3)), 2).at)).toBeCloseTo(9, 5);
  });
});

test("newton leaves a saddle point along negative curvature, where the slope is 0", () => {
  const f = ({ x, y }: { x: Value; y: Value }): Value => expr`${x}^2 - ${y}^2 + ${y}^4`;
  const found = minimize(f, { x: 1, y: 1e-9 }, { method: "newton" });
  expect(Math.abs(read(found.at.y))).toBeCloseTo(Math.SQRT1_2, 7);
  expect(found.value).toBeCloseTo(-0.25, 12);
});

test("a quadratic takes newton one step inside its region, and L-BFGS about as many as it has variables", () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 8 }), fc.integer({ min: 1, max: 1e6 }), (n, seed) => {
      const noise = (k: number): number => Math.sin(12.9898 * (k + 1) + 78.233 * seed);
      const a = tensor(
        Float64Array.from({ length: n * n }, (_, k) => noise(k)),
        f64(n, n),
      );
      const goal = Float64Array.from({ length: n }, (_, k) => 3 * noise(k + 100));
      const f = (x: Value): Value => {
        const d = sub(x, tensor(goal));
        return add(sum(square(matmul(a, d))), mul(0.1, sum(square(d))));
      };
      for (const method of methods) {
        const found = minimize(f, tensor(new Float64Array(n)), { method, tolerance: 1e-9 });
        expect(found.rounds).toBeLessThan(method === "newton" ? 12 : 60);
        for (let i = 0; i < n; i++) expect(found.at.data[i]).toBeCloseTo(goal[i]!, 6);
      }
    }),
    { seed: 6, numRuns: 25 },
  );
});

describe("the step in a trust region", () => {
  const model = (values: number[], g: number[]): { values: Float64Array; vectors: Float64Array; g: Float64Array } => ({
    values: Float64Array.from(values),
    vectors: Float64Array.from(values.flatMap((_, i) => values.map((_, j) => (i === j ? 1 : 0)))),
    g: Float64Array.from(g),
  });

  test("is the lowest point of the model in the region, inside, on the edge and in the hard case", () => {
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.integer({ min: -4, max: 6 }), fc.integer({ min: -3, max: 3 })), { minLength: 2, maxLength: 2 }),
        fc.integer({ min: 1, max: 8 }),
        (pairs, r) => {
          const sorted = pairs.toSorted((a, b) => a[0] - b[0]);
          const { g, ...eigen } = model(
            sorted.map(([v]) => v),
            sorted.map(([, s]) => s),
          );
          const radius = r / 4;
          const { p } = trustStep(g, eigen, radius);
          const height = (x: number, y: number): number =>
            g[0]! * x + g[1]! * y + (eigen.values[0]! * x * x + eigen.values[1]! * y * y) / 2;
          expect(Math.hypot(...p)).toBeLessThanOrEqual(radius * (1 + 1e-8));
          const own = height(p[0]!, p[1]!);
          let lowest = Number.POSITIVE_INFINITY;
          for (let k = 0; k < 360; k++)
            for (const share of [0.25, 0.5, 0.75, 1]) {
              const [x, y] = [Math.cos((k * Math.PI) / 180) * radius * share, Math.sin((k * Math.PI) / 180) * radius * share];
              lowest = Math.min(lowest, height(x, y));
            }
          expect(own).toBeLessThanOrEqual(lowest + 1e-7);
        },
      ),
      { seed: 3, numRuns: 150 },
    );
  });
});

describe("the line search", () => {
  const along = (f: (t: number) => number, d: (t: number) => number) => (t: number) => ({ t, value: f(t), slope: d(t) });

  test.each([
    ["a bowl", (t: number) => (t - 3) ** 2, (t: number) => 2 * (t - 3), 1],
    ["a bowl, far too long a step", (t: number) => (t - 3) ** 2, (t: number) => 2 * (t - 3), 1e6],
    ["a bowl, far too short a step", (t: number) => (t - 3) ** 2, (t: number) => 2 * (t - 3), 1e-6],
    // Moré and Thuente 1994, their first and second functions.
    ["Moré and Thuente's first", (t: number) => -t / (t * t + 2), (t: number) => (t * t - 2) / (t * t + 2) ** 2, 1e-3],
    [
      "Moré and Thuente's second",
      (t: number) => (t + 0.004) ** 5 - 2 * (t + 0.004) ** 4,
      (t: number) => 5 * (t + 0.004) ** 4 - 8 * (t + 0.004) ** 3,
      10,
    ],
    ["a wall", (t: number) => (t < 2 ? -Math.log(2 - t) - 2 * t : Number.NaN), (t: number) => 1 / (2 - t) - 2, 5],
  ])("ends where both Wolfe conditions hold: %s", (_, f, d, first) => {
    const at = along(f, d);
    const start = at(0);
    const found = lineSearch(at, start, first, 0)!;
    expect(found.value).toBeLessThanOrEqual(start.value + 1e-4 * found.t * start.slope);
    expect(Math.abs(found.slope)).toBeLessThanOrEqual(0.9 * Math.abs(start.slope));
  });

  test("finds nothing where the slope lies", () => {
    const at = along(
      (t) => t,
      () => -1,
    );
    expect(lineSearch(at, at(0), 1, 0)).toBeNull();
  });
});

describe("bad input is told:", () => {
  const f = (x: Value): Value => sum(square(x));
  const go =
    (start: unknown, options: MinimizeOptions = {}, g: (x: Value) => Value = f) =>
    (): unknown =>
      minimize(g, start as number, options);

  test("starts", () => {
    expect(go(Number.NaN)).toThrow("minimize: element 0 of the start is NaN; the start has to be finite");
    expect(go(tensor([1, 2], "i32"))).toThrow("minimize: the start is i32[2]; only floating-point numbers are searched: close over it");
    expect(go(i32(2))).toThrow("minimize: the start is a type; a search begins somewhere, so give numbers or tensors");
    expect(go(f32(0))).toThrow("minimize: the start is a type");
    expect(go(tensor(new Float64Array(0)))).toThrow("minimize: the start has no numbers in it, so there is nothing to search for");
    expect(() => minimize(({ p }: { p: { q: Value } }) => f(p.q), { p: { q: tensor([1, Number.POSITIVE_INFINITY]) } })).toThrow(
      "element 1 of p.q is Infinity",
    );
  });

  test("functions", () => {
    expect(go(-1, {}, (x) => log(x))).toThrow("minimize: the function is NaN at the start; begin where it is finite");
    expect(() => minimize(({ a }: { a: Value }) => sum(sqrt(a)), { a: tensor([1, 0]) })).toThrow(
      "minimize: the derivative by a[1] is Infinity at the start; begin away from edges and kinks",
    );
    expect(go(1, {}, () => 3 as never)).toThrow("minimize: the function gave the number 3; it computes a scalar Value");
    expect(go(tensor([1, 2]), {}, (x) => cos(x))).toThrow("a gradient is of a scalar");
  });

  test("options", () => {
    expect(go(1, { limit: Number.NaN })).toThrow("minimize: limit is NaN; it is the number of rounds at most, 0 or more");
    expect(go(1, { tolerance: -1 })).toThrow("minimize: tolerance is -1; it is a number of 0 or more");
    expect(go(1, { memory: 0 })).toThrow("minimize: memory is 0; it is the number of steps to remember, 1 or more");
    expect(go(1, { method: "simplex" as never })).toThrow(
      "minimize: method is simplex; there are lbfgs and newton, and leastSquares for sums of squares",
    );
  });
});

test("symmetric Hessians of trees with matrices are taken whole", () => {
  const found = minimize(
    ({ w, b }: { w: Value; b: Value }) =>
      add(
        sum(
          square(
            sub(
              matmul(w, transpose(w)),
              tensor([
                [2, 0],
                [0, 2],
              ]),
            ),
          ),
        ),
        square(sub(exp(b), 2)),
      ),
    {
      w: tensor([
        [1, 0.2],
        [0.1, 1],
      ]),
      b: 0,
    },
    { method: "newton" },
  );
  expect(found.value).toBeLessThan(1e-12);
  expect(read(found.at.b)).toBeCloseTo(Math.LN2, 7);
});
