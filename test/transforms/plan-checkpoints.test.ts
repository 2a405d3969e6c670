import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  add,
  checkpoint,
  constant,
  costOf,
  evaluate,
  f32,
  f64,
  grad,
  graph,
  input,
  matmul,
  mul,
  planCheckpoints,
  print,
  read,
  scan,
  sin,
  square,
  sum,
  tanh,
  tensor,
  type Value,
} from "../../src/index.ts";
import { type ChainPlan, choose, type Stage } from "../../src/transforms/checkpoint-chain.ts";

/** All plans of a chain, one after the other. */
function bruteForce(stages: readonly Stage[], budget: number): { extra: number } | null {
  let best: number | null = null;
  const visit = (i: number, stored: number, inside: number, extra: number): void => {
    if (stored + inside > budget) return;
    if (i === stages.length) {
      if (best === null || extra < best) best = extra;
      return;
    }
    visit(i + 1, stored + stages[i]!.bytes, inside, extra);
    let [bytes, flops] = [0, 0];
    for (let j = i; j < stages.length; j++) {
      bytes += stages[j]!.bytes;
      flops += stages[j]!.flops;
      visit(j + 1, stored + stages[j]!.boundary, Math.max(inside, bytes), extra + flops);
    }
  };
  visit(0, 0, 0, 0);
  return best === null ? null : { extra: best };
}

/** Whether a plan is one: choices cover the chain, and its numbers are theirs. */
function sound({ choices, peak, extra }: ChainPlan, stages: readonly Stage[]): boolean {
  let [at, stored, inside, work] = [0, 0, 0, 0];
  for (const c of choices) {
    if (c.from !== at) return false;
    at = c.to;
    const part = stages.slice(c.from, c.to);
    const bytes = part.reduce((n, s) => n + s.bytes, 0);
    stored += c.recomputed ? part[part.length - 1]!.boundary : bytes;
    if (!c.recomputed) continue;
    inside = Math.max(inside, bytes);
    work += part.reduce((n, s) => n + s.flops, 0);
  }
  return at === stages.length && peak === stored + inside && extra === work;
}

test("the chosen plan is the cheapest that fits, as trying all plans of short chains says", () => {
  const stage = fc.record({
    bytes: fc.integer({ min: 0, max: 20 }),
    boundary: fc.integer({ min: 0, max: 6 }),
    flops: fc.integer({ min: 0, max: 9 }),
  });
  fc.assert(
    fc.property(fc.array(stage, { minLength: 1, maxLength: 7 }), fc.integer({ min: 0, max: 100 }), (stages, budget) => {
      const plan = choose(stages, budget);
      const truth = bruteForce(stages, budget);
      if (plan === null || truth === null) return plan === truth;
      return plan.extra === truth.extra && plan.peak <= budget && sound(plan, stages);
    }),
    { seed: 4, numRuns: 300 },
  );
});

test("sixteen equal stages keep about two square roots of them", () => {
  const stages = Array.from({ length: 16 }, () => ({ bytes: 10, boundary: 1, flops: 5 }));
  const least = choose(stages, Number.POSITIVE_INFINITY, "least")!;
  expect(least.peak).toBeLessThanOrEqual(26);
  expect(choose(stages, 160)!.extra).toBe(0);
  expect(choose(stages, least.peak - 1)).toBeNull();
});

describe("a chain of layers", () => {
  const width = 8;
  const layers = 12;
  const g = graph({ ws: Array.from({ length: layers }, () => f64(width, width)), x: f64(width) }, ({ ws, x }) =>
    sum(square(ws.reduce((h: Value, w: Value) => tanh(mul(sin(matmul(w, h)), 2)), x))),
  );
  const at = {
    ws: Array.from({ length: layers }, (_, k) =>
      tensor(Array.from({ length: width }, (_, i) => Array.from({ length: width }, (_, j) => Math.sin(k + 3 * i + j) / 3))),
    ),
    x: tensor(new Float64Array(width).fill(0.5)),
  };
  const all = planCheckpoints(g, { budget: 1e9 });
  test("is kept whole where that fits", () => {
    expect(all.extraFlops).toBe(0);
    expect(all.segments.every(({ recomputed }) => !recomputed)).toBe(true);
    expect(print(all.graph)).toBe(print(g));
    expect(all.keptBytes).toBe(layers * 4 * width * 8 + width * 8 + 8);
  });
  test("under a budget, is computed again in parts: the same function and gradient, less memory, a known price", () => {
    const plan = planCheckpoints(g, { budget: all.keptBytes / 2 });
    expect(plan.peakBytes).toBeLessThanOrEqual(all.keptBytes / 2);
    expect(plan.extraFlops).toBeGreaterThan(0);
    expect(plan.extraFlops).toBeLessThanOrEqual(plan.forwardFlops);
    expect(print(plan.graph)).toContain("checkpoint(");
    expect(read(plan.graph(at))).toBeCloseTo(read(g(at)), 14);
    type P = typeof at;
    const slope = (f: typeof g) => grad((p: P["ws"], x: Value) => f({ ws: p, x }))(at.ws as never, at.x) as unknown as Value[];
    const [a, b] = [evaluate(slope(plan.graph)), evaluate(slope(g))];
    b.forEach((t, i) => {
      t.data.forEach((v, j) => {
        expect(a[i]!.data[j]).toBeCloseTo(v, 13);
      });
    });
    const text = plan.text();
    expect(text).toMatch(/^keeps \d+ of \d+ bytes for \d+% more forward work\n/);
    expect(text).toContain("  recompute matmul to ");
  });
  test("a budget that nothing fits says what would", () => {
    expect(() => planCheckpoints(g, { budget: 10 })).toThrow(
      /planCheckpoints: no plan fits a budget of 10 bytes; the least is \d+ bytes, for \d+% more forward work/,
    );
    expect(() => planCheckpoints(g, { budget: Number.NaN })).toThrow("planCheckpoints: budget is NaN; it is a number of bytes, 0 or more");
  });
});

describe("costOf", () => {
  test("counts operations: 2mkn of a product, one an element, a body as often as it runs", () => {
    const product = graph({ a: f64(3, 4), b: f64(4, 5) }, ({ a, b }) => matmul(a, b));
    expect(costOf(product)).toEqual({ flops: 120, peakBytes: (12 + 20 + 15) * 8 });
    expect(costOf(graph({ x: f32(7) }, ({ x }) => sin(x))).flops).toBe(7);
    const loop = graph(
      { x: f64(3) },
      ({ x }) => scan((c) => ({ carry: add(c, sin(c)) }), x, null, { length: 10, checkpointEvery: 5 }).carry,
    );
    expect(costOf(loop).flops).toBe(60);
  });
  test("drops what is not used any more: a chain holds two at a time", () => {
    const chain = graph({ x: f64(10) }, ({ x }) => sin(sin(sin(sin(sin(x))))));
    expect(costOf(chain).peakBytes).toBe(3 * 80);
  });
  test("checkpoints lower the peak of a gradient to the ends and one inside", () => {
    const layer = (h: Value): Value => {
      let v = h;
      for (let i = 0; i < 10; i++) v = sin(mul(v, 1.1));
      return v;
    };
    const net = (part: (h: Value) => Value) =>
      costOf(
        graph({ x: f64(100) }, ({ x }) =>
          grad((v: Value) => {
            let h = v;
            for (let i = 0; i < 10; i++) h = part(h);
            return sum(h);
          })(x),
        ),
      ).peakBytes;
    const [plain, saved] = [net(layer), net((h) => checkpoint(layer)(h))];
    expect(plain).toBeGreaterThan(100 * 800);
    expect(saved).toBeLessThan(45 * 800);
  });
  test("a graph that only passes an input on holds it", () => {
    const x = input(f64(2), "x");
    expect(costOf(graph({ x: x.type }, (p) => p.x))).toEqual({ flops: 0, peakBytes: 16 });
    expect(costOf(graph({ x: f64() }, () => constant(1))).peakBytes).toBe(16);
  });
});
