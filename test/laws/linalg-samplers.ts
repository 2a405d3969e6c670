import type { Draw } from "../../src/check/draws.ts";
import { f64, type Tensor, tensor } from "../../src/index.ts";
import { chance, mild, pick, type Sampler, type Shape, sizeOf } from "./sample.ts";

/** Leading axes: none, one or two, now and then empty. */
function batch(d: Draw): number[] {
  return [...pick<readonly number[]>(d, [[], [], [2], [3], [2, 1], [1, 2], [0]])];
}

/** The size of a matrix: 0 and 1 among them. */
function order(d: Draw): number {
  return pick(d, [0, 1, 1, 2, 2, 3, 3, 4, 5]);
}

/** Matrices one by one. */
function matrices(lead: Shape, rows: number, columns: number, make: () => Float64Array): Tensor {
  const size = rows * columns;
  const data = new Float64Array(sizeOf(lead) * size);
  for (let at = 0; at < data.length; at += size) data.set(make(), at);
  return tensor(data, f64(...lead, rows, columns));
}

/** Either sign, at most 1. */
function small(d: Draw): number {
  return 2 * d.fraction() - 1;
}

/**
 * Square matrices that are well conditioned: a diagonal of either sign that outweighs its row, rows in any order, so that pivoting has work and
 * both signs of the determinant occur.
 */
export function regular(d: Draw, lead: Shape, n: number): Tensor {
  return matrices(lead, n, n, () => {
    const a = Float64Array.from({ length: n * n }, () => small(d));
    const shift = d.whole(0, Math.max(0, n - 1));
    for (let i = 0; i < n; i++) {
      const column = (i + shift) % n;
      a[i * n + column] = (chance(d, 0.5) ? -1 : 1) * (0.6 * n + 0.7 + d.fraction());
    }
    return a;
  });
}

/** Symmetric positive definite matrices: `b b^T` and enough of the unit matrix. */
export function definite(d: Draw, lead: Shape, n: number): Tensor {
  return matrices(lead, n, n, () => {
    const b = Float64Array.from({ length: n * n }, () => small(d));
    const a = new Float64Array(n * n);
    for (let i = 0; i < n; i++)
      for (let j = 0; j < n; j++) {
        let s = i === j ? 1 + d.fraction() : 0;
        for (let k = 0; k < n; k++) s += b[i * n + k]! * b[j * n + k]!;
        a[i * n + j] = s;
      }
    return a;
  });
}

/** The right side of a system: a vector, columns, or columns whose batch broadcasts with that of the matrices. */
function rightSide(d: Draw, lead: Shape, n: number): Tensor {
  if (chance(d, 0.3)) return mild(d, [n]);
  const own = chance(d, 0.5) ? lead : lead.length === 0 ? [2] : chance(d, 0.5) ? [] : lead.map((s) => (chance(d, 0.5) ? 1 : s));
  return mild(d, [...own, n, pick(d, [0, 1, 2, 3])]);
}

export const linalgSamplers: Readonly<Record<string, Sampler>> = {
  cholesky: (d) => ({ args: [definite(d, batch(d), order(d))], room: [0.05] }),
  triangularSolve: (d) => {
    const [lead, n] = [batch(d), order(d)];
    const a = regular(d, lead, n);
    // A diagonal away from 0 whatever the order of the rows.
    for (let at = 0; at < a.data.length; at += n * n)
      for (let i = 0; i < n; i++) a.data[at + i * (n + 1)] = (chance(d, 0.5) ? -1 : 1) * (0.8 + d.fraction());
    const attrs = {
      ...(chance(d, 0.7) && { lower: chance(d, 0.4) }),
      ...(chance(d, 0.7) && { transpose: chance(d, 0.6) }),
      ...(chance(d, 0.6) && { unitDiagonal: chance(d, 0.6) }),
    };
    return { args: [a, rightSide(d, lead, n), ...(chance(d, 0.9) ? [attrs] : [])], room: [0.05, 1] };
  },
  solve: (d) => {
    const [lead, n] = [batch(d), order(d)];
    return {
      args: [regular(d, lead, n), rightSide(d, lead, n), ...(chance(d, 0.5) ? [{ transpose: chance(d, 0.7) }] : [])],
      room: [0.1, 1],
    };
  },
  inverse: (d) => ({ args: [regular(d, batch(d), order(d))], room: [0.1] }),
};
