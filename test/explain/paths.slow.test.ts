import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { findingEn } from "../../src/explain/words/finding-en.ts";
import { findingKo } from "../../src/explain/words/finding-ko.ts";
import {
  add,
  concat,
  constant,
  div,
  evaluate,
  exp,
  explain,
  expr,
  f64,
  floor,
  gradients,
  input,
  matmul,
  mul,
  neg,
  paths,
  read,
  relu,
  sin,
  sort,
  square,
  stopGradient,
  sub,
  sum,
  tanh,
  tensor,
  type Value,
  variable,
  where,
} from "../../src/index.ts";
import type { Node } from "../../src/ir/node.ts";

/** Every path from f to x with its product, by plain recursion over scalar gates: what the dynamic program must agree with. */
function enumerated(f: Value, x: Value): number[] {
  if (f === x) return [1];
  const node = f.node as Node;
  if (node.op.pull === null) return [];
  const found: number[] = [];
  node.operands.forEach((v, j) => {
    const tails = enumerated(v!, x);
    if (tails.length === 0) return;
    const local = node.op.facts.local?.(node)[j] ?? 0;
    const weight = typeof local === "number" ? local : read(local as Value);
    for (const t of tails) found.push(weight * t);
  });
  return found;
}

const unary = [sin, exp, tanh, neg, relu, square, (v: Value) => mul(0.5, v)];
const binary = [add, sub, mul];
const recipe = fc.array(fc.tuple(fc.nat(), fc.nat(), fc.nat()), { minLength: 1, maxLength: 11 });

function built(steps: readonly (readonly [number, number, number])[], x: Value): Value {
  const made: Value[] = [x];
  for (const [op, i, j] of steps) {
    const pick = (k: number): Value => made[Math.max(0, made.length - 1 - (k % 4))]!;
    const n = op % (unary.length + 2 * binary.length);
    made.push(n < unary.length ? unary[n]!(pick(i)) : binary[(n - unary.length) % 3]!(pick(i), pick(j)));
  }
  return made[made.length - 1]!;
}

describe("the sum over paths", () => {
  test("agrees with an enumeration of all paths on 200 random graphs of up to 12 nodes", () => {
    fc.assert(
      fc.property(recipe, fc.double({ min: -1.5, max: 1.5, noNaN: true }), fc.integer({ min: 0, max: 6 }), (steps, at, top) => {
        const x = variable(at, "x");
        const f = built(steps, x);
        const all = enumerated(f, x);
        fc.pre(all.length <= 5000 && all.every(Number.isFinite));
        const p = paths(f, x, { top });
        const sizes = all.map(Math.abs).sort((a, b) => b - a);
        const scale = sizes.reduce((a, b) => a + b, 0);
        const near = (a: number, b: number): void => expect(Math.abs(a - b)).toBeLessThanOrEqual(1e-12 * scale + 1e-300);
        expect(p.count).toBe(BigInt(all.length));
        expect(p.top.length).toBe(Math.min(top, all.length));
        expect(p.rest.count).toBe(BigInt(all.length - p.top.length));
        p.top.forEach((path, i) => {
          near(path.size, sizes[i]!);
          near(
            path.steps.reduce((product, s) => product * s.local!, 1),
            path.contribution.data[0]!,
          );
        });
        near(p.rest.sum.data[0]!, all.reduce((a, b) => a + b, 0) - p.top.reduce((a, t) => a + t.contribution.data[0]!, 0));
        near(p.total.data[0]!, p.gradient.data[0]!);
        near(p.gradient.data[0]!, all.length === 0 ? 0 : read(gradients(f, { x }).x));
        near(p.magnitude!, scale);
        expect(p.live).toBeLessThanOrEqual(p.count);
      }),
      { seed: 3, numRuns: 200 },
    );
  });

  test("of a diamond ladder of 60 layers with 2^60 paths is exact, and the rest is summed without subtraction", () => {
    const x = variable(1, "x");
    let y: Value = x;
    for (let i = 0; i < 60; i++) y = add(mul(y, 0.75), mul(0.25, y));
    const p = paths(y, x, { top: 3 });
    expect(p.count).toBe(2n ** 60n);
    expect(p.top.map((t) => t.size)).toEqual([0.75 ** 60, 0.75 ** 59 * 0.25, 0.75 ** 59 * 0.25].map((v) => expect.closeTo(v, 20)));
    expect(p.rest.count).toBe(2n ** 60n - 3n);
    expect(p.total.data[0]).toBeCloseTo(1, 12);
    expect(p.gradient.data[0]).toBeCloseTo(1, 12);
    expect(JSON.parse(JSON.stringify(p)).count).toBe("1152921504606846976");
    expect(p.text()).toContain("dq180/dx is a sum over 1152921504606846976 paths".replace("q180", "f"));
  });

  test("of a chain of 20,000 gates is one path, shown with its middle left out", () => {
    const x = variable(1, "x");
    let y: Value = x;
    for (let i = 0; i < 20_000; i++) y = i % 2 ? mul(y, 1.00001) : sin(y);
    const p = paths(y, x);
    expect(p.count).toBe(1n);
    expect(p.top[0]!.steps.length).toBe(20_000);
    expect(p.text()).toContain("… 19988 more gates …");
    expect(p.total.data[0]).toBeCloseTo(p.gradient.data[0]!, 12);
  });
});

describe("paths through tensors", () => {
  const w = variable(
    [
      [1, 2],
      [3, -1],
    ],
    "w",
  );
  const v = variable([1, 2], "v");
  const loss = sum(square(relu(add(matmul(w, v), v))));

  test("go from value to value, and give blocks that add up to the gradient", () => {
    const p = paths(loss, v);
    expect(p.by).toBe("edge");
    expect(p.count).toBe(2n);
    expect(p.top.map((t) => [...t.contribution.data])).toEqual([
      [30, 18],
      [12, 6],
    ]);
    expect([...p.total.data]).toEqual([42, 24]);
    expect([...p.gradient.data]).toEqual([...evaluate(gradients(loss, { v }).v).data]);
    expect(p.top[0]!.steps.map((s) => s.op)).toEqual(["sum", "square", "relu", "add", "matmul"]);
    const block = p.top[0]!.steps[4]!.jacobian();
    expect(block.type.shape).toEqual([2, 2]);
    expect([...block.data]).toEqual([1, 2, 3, -1]);
    expect(p.text()).toContain("J(sum) x J(square) x J(relu) x J(add) x J(matmul) = [30, 18]");
  });

  test("by element they are numbers again", () => {
    const p = paths(loss, v, { element: 1 });
    expect(p.wrt).toBe("v[1]");
    expect(p.count).toBe(3n);
    expect(p.live).toBe(3n);
    expect(p.top.map((t) => t.contribution.data[0])).toEqual([24, -6, 6]);
    expect(p.gradient.data[0]).toBe(24);
  });

  test("`of` names an element of an end that is no scalar, and indices may be per axis", () => {
    const p = paths(square(matmul(w, v)), w, { element: [1, 0], of: [1] });
    expect([p.name, p.wrt]).toEqual(["f[1]", "w[1,0]"]);
    expect(p.total.data[0]).toBe(2);
    expect(paths(square(matmul(w, v)), w, { element: [0, 0], of: 1 }).count).toBe(0n);
    expect([...paths(square(matmul(w, v)), w, { of: 1 }).total.data]).toEqual([0, 0, 2, 4]);
  });

  test("blocks agree with all elements' paths on random tensor graphs, and their rest is summed from where paths part", () => {
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.nat(6), fc.nat(3)), { minLength: 2, maxLength: 9 }),
        fc.integer({ min: 1, max: 4 }),
        (steps, top) => {
          const x = variable([0.3, -0.7, 1.1], "x");
          const m = tensor([
            [0.2, 1, -0.4],
            [0.5, -0.3, 0.9],
            [-1.2, 0.1, 0.6],
          ]);
          const made: Value[] = [x];
          for (const [op, i] of steps) {
            const a = made[made.length - 1]!;
            const b = made[Math.max(0, made.length - 2 - i)]!;
            made.push(
              [
                () => sin(a),
                () => matmul(m, a),
                () => mul(a, b),
                () => add(a, b),
                () => where(tensor([true, false, true]), a, b),
                () => mul(a, sum(b)),
                () => sub(b, tanh(a)),
              ][op]!(),
            );
          }
          const f = sum(made[made.length - 1]!);
          const g = evaluate(gradients(f, { x }).x).data;
          const p = paths(f, x, { top });
          const near = (a: ArrayLike<number>, b: ArrayLike<number>): void => {
            for (let i = 0; i < 3; i++) expect(a[i]).toBeCloseTo(b[i]!, 9);
          };
          near(p.total.data, g);
          near(p.gradient.data, g);
          expect(p.count).toBe(BigInt(p.top.length) + p.rest.count);
          const all = paths(f, x, { top: 1000 });
          fc.pre(all.count <= 1000n);
          expect(p.top.map((t) => t.size)).toEqual(all.top.slice(0, top).map((t) => expect.closeTo(t.size, 9)));
          for (let e = 0; e < 3; e++) expect(paths(f, x, { element: e }).total.data[0]).toBeCloseTo(g[e]!, 9);
        },
      ),
      { seed: 5, numRuns: 40 },
    );
  });

  test("a tensor ladder with 2^40 paths is ranked where the bound is exact, and else says that it gave up", () => {
    const x = variable([0.5, 0.25], "x");
    let y: Value = x;
    for (let i = 0; i < 40; i++) y = add(mul(y, 0.75), mul(0.25, y));
    const p = paths(sum(y), x, { top: 2 });
    expect(p.ranked).toBe(true);
    expect(p.count).toBe(2n ** 40n);
    expect(p.top[0]!.size).toBeCloseTo(2 * 0.75 ** 40, 16);
    expect(p.total.data[0]).toBeCloseTo(1, 12);
    const m = tensor([
      [0.3, 0.7],
      [-0.2, 0.6],
    ]);
    let z: Value = x;
    for (let i = 0; i < 40; i++) z = add(matmul(m, z), sin(z));
    const q = paths(sum(z), x, { top: 2 });
    expect(q.ranked).toBe(false);
    expect(q.top.length).toBe(2);
    expect(q.text()).toContain("the search for the largest was given up");
    expect(q.total.data[0]).toBeCloseTo(q.gradient.data[0]!, 9);
  });

  test("several results are told apart", () => {
    const x = variable([3, 1, 2], "x");
    const { values } = sort(x);
    const p = paths(sum(mul(values, tensor([1, 10, 100]))), x, { element: 0 });
    expect(p.total.data[0]).toBe(100);
    expect(p.top[0]!.steps[2]!.op).toBe("sort");
  });
});

describe("corners:", () => {
  const x = variable(2, "x");

  test("x itself is a path of no gates with product 1", () => {
    const p = paths(x, x);
    expect([p.count, p.total.data[0], p.gradient.data[0]]).toEqual([1n, 1, 1]);
    expect(p.text()).toContain("runs along the only path");
  });

  test("no path, a stopped path, a path of zeros", () => {
    expect(paths(variable(1, "y"), x).text()).toBe("there is no path from y back to x: the gradient is 0\n");
    expect(paths(stopGradient(x), x).count).toBe(0n);
    const p = paths(mul(floor(x), 3), x);
    expect([p.count, p.live, p.total.data[0]]).toEqual([1n, 0n, 0]);
    expect(p.text()).toContain("0 of 1 have no zero on them");
  });

  test("NaN and infinities on the way come first and are not hidden", () => {
    const z = variable(0, "z");
    const p = paths(add(mul(z, div(1, z)), sin(z)), z);
    expect(p.count).toBe(3n);
    expect(p.total.data[0]).toBeNaN();
    expect(p.top[0]!.size).toBeNaN();
    expect(JSON.stringify(p)).toContain('"NaN"');
  });

  test("paths that cancel are said to", () => {
    expect(paths(sub(mul(3, x), mul(x, 3)), x).text()).toContain("the paths cancel: their sizes add up to 6, and 0 is left");
  });

  test("an intermediate value can be the end of the way, and both uses of one operand are paths", () => {
    const q = mul(x, 3);
    expect(paths(square(q), q).total.data[0]).toBe(12);
    expect(paths(mul(q, q), q).count).toBe(2n);
  });

  test("names with markup are escaped in Markdown and LaTeX, and formulas show their span", () => {
    const evil = variable(1, "<script>|$_%");
    const p = paths(expr`sin(${evil}) * 2`, evil);
    expect(p.markdown()).not.toContain("<script>");
    expect(p.latex()).not.toMatch(/[^\\]\$/);
    expect(p.text()).toContain("sin(${…}) * 2\n");
    expect(p.text()).toContain("in the formula, line 1, column 1");
  });

  test("both languages have the same sentences", () => {
    expect(Object.keys(findingKo)).toEqual(Object.keys(findingEn));
    const p = explain(mul(x, sin(x)), { language: "ko" }).paths(x);
    expect(p.text()).toContain("경로 2개의 합입니다");
    expect(p.markdown()).toContain("| # | 경로 |");
  });

  test.each([
    [
      "an integer",
      () => paths(mul(x, 2), variable(new Int32Array([1]), "i")),
      "paths: i is i32[1]; integers and truth values have no gradient",
    ],
    [
      "no Value",
      () => paths(3 as unknown as Value, x),
      "paths: the value to start from is no Value; write paths(f, x) with the Values themselves",
    ],
    [
      "no scalar",
      () => paths(mul(x, tensor([1, 2])), x),
      "paths: mul is f64[2]; say which element to differentiate: { of: 0 }, or take its sum",
    ],
    [
      "no element",
      () => paths(sum(concat([variable([1, 2], "v")])), variable([1, 2], "v"), { by: "element" }),
      "paths: v is f64[2]; say which element to go back to: { element: 0 }",
    ],
    [
      "a wrong element",
      () => paths(x, x, { element: 3 }),
      "paths: element is 3, and x is f64[], with 1 elements; give a flat index or one index per axis",
    ],
    ["a wrong index", () => paths(x, x, { of: [0] }), "paths: of is [0], and x is f64[]"],
    ["a wrong top", () => paths(x, x, { top: -1 }), "paths: top is -1; it is a whole number, 0 or more"],
    ["a wrong way", () => paths(x, x, { by: "gate" as "edge" }), 'paths: by is "gate"; it is "element" or "edge"'],
    [
      "both",
      () => paths(x, x, { by: "edge", element: 0 }),
      'paths: by "edge" gives blocks of all elements at once; leave element out, or ask by "element"',
    ],
    ["a language", () => paths(x, x, { language: "fr" as "en" }), 'paths: language "fr" is not there; "en" and "ko" are'],
    ["an input", () => paths(mul(x, input(f64(), "i")), x), "depends on input i, which has no value"],
  ])("%s is a lesson", (_, run, message) => {
    expect(run).toThrow(message);
  });

  test("what was read and forgot its history says so", () => {
    const f = sin(constant(2));
    read(f);
    expect(() => paths(f, x)).toThrow("paths: sin depends on no variable, so how it was made is forgotten once it is read");
  });

  test("Jacobians too large to go through are refused before they are waited for", () => {
    const big = variable(new Float64Array(20_000), "big");
    expect(() => paths(sum(sort(sort(big).values).values), big, { element: 0 })).toThrow(
      "paths: the Jacobians of tensors as large as sort's f64[20000] have too many elements to go through",
    );
  });
});
