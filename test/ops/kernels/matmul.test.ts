import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { batchedProduct, type MatrixLayout, product } from "../../../src/ops/kernels/matmul.ts";
import { numbers } from "./arbitrary.ts";

/** The definition, summed from the left in double. */
function naive(a: ArrayLike<number>, la: MatrixLayout, b: ArrayLike<number>, lb: MatrixLayout, m: number, k: number, n: number): number[] {
  const c: number[] = [];
  for (let i = 0; i < m; i++)
    for (let j = 0; j < n; j++) {
      let sum = 0;
      for (let p = 0; p < k; p++) sum += a[la.offset + i * la.row + p * la.column]! * b[lb.offset + p * lb.row + j * lb.column]!;
      c.push(sum);
    }
  return c;
}

function layout(rows: number, columns: number, turned: boolean, offset: number): MatrixLayout {
  return turned ? { offset, row: 1, column: rows } : { offset, row: columns, column: 1 };
}

const cases = fc.record({
  m: fc.nat(13),
  k: fc.nat(20),
  n: fc.nat(13),
  turns: fc.tuple(fc.boolean(), fc.boolean(), fc.boolean()),
  add: fc.boolean(),
  single: fc.boolean(),
});

describe("product", () => {
  it("is the sum from the left in double, bit for bit, for any sizes and strides", () => {
    fc.assert(
      fc.property(cases, ({ m, k, n, turns, add, single }) => {
        const Kind = single ? Float32Array : Float64Array;
        const a = Kind.from(numbers(m * k + 2, 1));
        const b = Kind.from(numbers(k * n + 3, 2));
        const la = layout(m, k, turns[0], 2);
        const lb = layout(k, n, turns[1], 3);
        const lc = layout(m, n, turns[2], 1);
        const c = new Kind(m * n + 2).fill(0.5);
        product(a, la, b, lb, c, lc, m, k, n, add);
        const expected = new Kind(m * n + 2).fill(0.5);
        naive(a, la, b, lb, m, k, n).forEach((sum, at) => {
          const to = lc.offset + Math.floor(at / n) * lc.row + (at % n) * lc.column;
          expected[to] = add ? 0.5 + sum : sum;
        });
        expect([...c]).toEqual([...expected]);
      }),
      { seed: 1, numRuns: 400 },
    );
  });

  it("works in panels of columns when the matrices are large", () => {
    const [m, k, n] = [9, 1201, 70];
    const a = numbers(m * k, 3);
    const b = numbers(k * n, 4);
    const c = new Float64Array(m * n);
    const [la, lb] = [layout(m, k, false, 0), layout(k, n, true, 0)];
    product(a, la, b, lb, c, layout(m, n, false, 0), m, k, n);
    expect([...c]).toEqual(naive(a, la, b, lb, m, k, n));
  });

  it("carries infinities and NaN of the operands only into their own rows", () => {
    const a = new Float64Array(10 * 10).fill(1);
    a[25] = Infinity;
    a[37] = NaN;
    const b = new Float64Array(10 * 10).fill(1);
    const c = new Float64Array(100);
    const l = layout(10, 10, false, 0);
    product(a, l, b, l, c, l, 10, 10, 10);
    expect([...c]).toEqual(Array.from({ length: 100 }, (_, i) => (i >= 20 && i < 30 ? Infinity : i >= 30 && i < 40 ? NaN : 10)));
  });

  it("wraps integers as their arrays do", () => {
    const c = new Int32Array(1);
    const l = layout(1, 1, false, 0);
    product(Int32Array.of(70000), l, Int32Array.of(70000), l, c, l, 1, 1, 1);
    expect(c[0]).toBe((70000 * 70000) | 0);
  });
});

describe("batchedProduct", () => {
  it("walks the batch under the strides of each operand", () => {
    const [m, k, n] = [4, 6, 5];
    const batch = [2, 3];
    const a = numbers(2 * m * k, 5);
    const b = numbers(3 * k * n + 1, 6);
    const c = new Float64Array(7 + 6 * m * n);
    batchedProduct(a, b, c, {
      batch,
      m,
      k,
      n,
      a: { ...layout(m, k, false, 0), batch: [m * k, 0] },
      b: { ...layout(k, n, false, 1), batch: [0, k * n] },
      cOffset: 7,
    });
    const expected = [0, 1].flatMap((i) =>
      [0, 1, 2].flatMap((j) => naive(a, layout(m, k, false, i * m * k), b, layout(k, n, false, 1 + j * k * n), m, k, n)),
    );
    expect([...c.subarray(7)]).toEqual(expected);
    expect([...c.subarray(0, 7)]).toEqual(new Array(7).fill(0));
  });

  it("comes back to the start of an inner batch axis when an outer one moves on", () => {
    const a = numbers(3 * 4, 7);
    const b = numbers(2 * 4, 8);
    const c = new Float64Array(6);
    const row = { offset: 0, row: 4, column: 1 };
    const column = { offset: 0, row: 1, column: 1 };
    batchedProduct(a, b, c, { batch: [2, 3], m: 1, k: 4, n: 1, a: { ...row, batch: [0, 4] }, b: { ...column, batch: [4, 0] } });
    const expected = [0, 1].flatMap((i) =>
      [0, 1, 2].flatMap((j) => naive(a, { ...row, offset: 4 * j }, b, { ...column, offset: 4 * i }, 1, 4, 1)),
    );
    expect([...c]).toEqual(expected);
  });

  it("of no batch axes is one product, of an empty batch none", () => {
    const c = new Float64Array(1);
    const one = { offset: 0, row: 1, column: 1, batch: [] };
    batchedProduct(Float64Array.of(3), Float64Array.of(4), c, { batch: [], m: 1, k: 1, n: 1, a: one, b: one });
    expect(c[0]).toBe(12);
    const none = { ...one, batch: [0] };
    batchedProduct(Float64Array.of(3), Float64Array.of(5), c, { batch: [0], m: 1, k: 1, n: 1, a: none, b: none });
    expect(c[0]).toBe(12);
  });
});
