import type { Draw } from "../../src/check/draws.ts";
import { f64, fft, ifft, irfft, rfft, type Tensor, tensor, type Value } from "../../src/index.ts";
import { axisOf, chance, distinct, mild, pick, type Sampler, type Shape, sizeOf } from "./sample.ts";

/** Leading axes: none, one or two, now and then empty. */
function batch(d: Draw): number[] {
  return [...pick<readonly number[]>(d, [[], [], [], [2], [2], [3], [2, 1], [1, 2], [0]])];
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

/** Orthonormal rows: random ones by Gram and Schmidt, drawn again until no component decides by a hair which way its row points. */
function orthonormal(d: Draw, rows: number, length: number): Float64Array[] {
  for (;;) {
    const made: Float64Array[] = [];
    for (let i = 0; i < rows; i++) {
      const row = Float64Array.from({ length }, () => small(d));
      for (let pass = 0; pass < 2; pass++)
        for (const other of made) {
          const dot = row.reduce((s, x, k) => s + x * other[k]!, 0);
          for (let k = 0; k < length; k++) row[k]! -= dot * other[k]!;
        }
      const norm = Math.hypot(...row);
      made.push(row.map((x) => x / norm));
    }
    const decided = made.every((row) => {
      const [first, second] = Array.from(row, Math.abs).sort((a, b) => b - a);
      return row.every(Number.isFinite) && (second === undefined || first! > second + 0.05);
    });
    if (decided) return made;
  }
}

/** Matrices `sum_i values_i left_i right_i^T` with values at least 1 apart, either sign if wanted. */
function apartMatrices(d: Draw, lead: Shape, m: number, n: number, symmetric: boolean): Tensor {
  return matrices(lead, m, n, () => {
    const k = Math.min(m, n);
    const left = orthonormal(d, k, m);
    const right = symmetric ? left : orthonormal(d, k, n);
    const a = new Float64Array(m * n);
    for (let i = 0; i < k; i++) {
      const value = i + 0.7 + 0.3 * d.fraction() - (symmetric ? k >> 1 : 0);
      for (let p = 0; p < m; p++) for (let q = 0; q < n; q++) a[p * n + q]! += value * left[i]![p]! * right[i]![q]!;
    }
    return a;
  });
}

/** Few rows or columns: decompositions of long drawn products take their time. */
function sides(d: Draw): [number, number] {
  return pick<[number, number]>(d, [
    [1, 1],
    [2, 2],
    [3, 3],
    [3, 2],
    [2, 3],
    [4, 3],
    [2, 4],
    [1, 3],
    [3, 1],
    [4, 4],
    [0, 2],
    [2, 0],
    [0, 0],
  ]);
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
  cofactor: (d) => ({ args: [regular(d, batch(d), Math.min(3, order(d)))], room: [0.1] }),
  det: (d) => ({ args: [regular(d, batch(d), order(d))], room: [0.1] }),
  slogDet: (d) => ({ args: [regular(d, batch(d), order(d))], room: [0.1] }),
  logDet: (d) => ({ args: [definite(d, batch(d), order(d))], room: [0.05] }),
  qr: (d) => {
    const [m, n] = sides(d);
    // Pivots away from 0, so that no sign of r changes.
    const a = matrices(batch(d), m, n, () => {
      const own = Float64Array.from({ length: m * n }, () => 0.3 * small(d));
      for (let i = 0; i < Math.min(m, n); i++) own[i * (n + 1)] = (chance(d, 0.5) ? -1 : 1) * (1 + d.fraction());
      return own;
    });
    return { args: [a], room: [0.02] };
  },
  eigh: (d) => {
    const n = pick(d, [0, 1, 2, 2, 3, 3, 4]);
    return { args: [apartMatrices(d, batch(d), n, n, true)], room: [0.01] };
  },
  svd: (d) => {
    const [m, n] = sides(d);
    return { args: [apartMatrices(d, batch(d), m, n, false)], room: [0.01] };
  },
  apart: (d) => ({
    args: [distinct(d, [...batch(d), order(d)]), { of: pick(d, ["eigh", "svd"]), zero: chance(d, 0.5) }],
    room: [0.1],
  }),
  fourier: (d) => {
    const shape = signal(d);
    const im = chance(d, 0.7) ? [mild(d, shape)] : chance(d, 0.5) ? [null] : [];
    return { args: [mild(d, shape), ...im, { axis: axisOf(d, shape.length), inverse: chance(d, 0.5) }] };
  },
  fft: (d) => complexCall(d, fft),
  ifft: (d) => complexCall(d, ifft),
  rfft: (d) => {
    const shape = signal(d);
    const attrs = chance(d, 0.8) ? { axis: axisOf(d, shape.length) } : {};
    return { args: [mild(d, shape)], f: (x: Value) => rfft(x, attrs) };
  },
  irfft: (d) => {
    const shape = signal(d, 1);
    const axis = axisOf(d, shape.length);
    const m = shape.at(axis)!;
    const size = m === 1 || chance(d, 0.5) ? 2 * m - 1 : 2 * m - 2;
    const attrs = { axis, ...(size !== 2 * m - 2 || chance(d, 0.5) ? { size } : {}) };
    return { args: [mild(d, shape), mild(d, shape)], f: (re: Value, im: Value) => irfft({ re, im }, attrs) };
  },
};

/** The shape of signals: lengths that are products of small primes, and primes, 17 among them, which goes another way. */
function signal(d: Draw, least = 0): number[] {
  const length = pick(d, [0, 1, 2, 3, 3, 4, 5, 6, 8, 12, 17]);
  return [...pick<readonly number[]>(d, [[], [], [], [2], [1, 2]]), Math.max(least, length), ...(chance(d, 0.2) ? [2] : [])];
}

function complexCall(d: Draw, f: typeof fft): ReturnType<Sampler> {
  const shape = signal(d);
  const axis = axisOf(d, shape.length);
  const attrs = chance(d, 0.8) ? { axis } : {};
  if (chance(d, 0.3)) return { args: [mild(d, shape)], f: (x: Value) => f(x, attrs) };
  return { args: [mild(d, shape), mild(d, shape)], f: (re: Value, im: Value) => f({ re, im }, attrs) };
}
