// Lion, LAMB and Muon a second time, written from their papers over plain arrays, without a line of the library.

export interface PlainLeaf {
  readonly shape: readonly number[];
  p: number[];
}

type Slots = Record<string, number[]>;
export type PlainRule = (leaf: PlainLeaf, g: readonly number[], slots: Slots, t: number) => void;

const zerosFor = (slots: Slots, name: string, n: number): number[] => (slots[name] ??= new Array<number>(n).fill(0));
const length = (x: readonly number[]): number => Math.sqrt(x.reduce((s, v) => s + v * v, 0));

/** Chen et al. 2023, algorithm 2. */
export function plainLion({ rate, beta1, beta2, decay }: { rate: number; beta1: number; beta2: number; decay: number }): PlainRule {
  return (leaf, g, slots) => {
    const m = zerosFor(slots, "m", g.length);
    for (let i = 0; i < g.length; i++) {
      const c = beta1 * m[i]! + (1 - beta1) * g[i]!;
      leaf.p[i] = leaf.p[i]! - rate * (Math.sign(c) + decay * leaf.p[i]!);
      m[i] = beta2 * m[i]! + (1 - beta2) * g[i]!;
    }
  };
}

/** You et al. 2020, algorithm 2. */
export function plainLamb({
  rate,
  beta1,
  beta2,
  epsilon,
  decay,
}: {
  rate: number;
  beta1: number;
  beta2: number;
  epsilon: number;
  decay: number;
}): PlainRule {
  return (leaf, g, slots, t) => {
    const m = zerosFor(slots, "m", g.length);
    const v = zerosFor(slots, "v", g.length);
    const along = g.map((gi, i) => {
      m[i] = beta1 * m[i]! + (1 - beta1) * gi;
      v[i] = beta2 * v[i]! + (1 - beta2) * gi * gi;
      return m[i]! / (1 - beta1 ** t) / (Math.sqrt(v[i]! / (1 - beta2 ** t)) + epsilon) + decay * leaf.p[i]!;
    });
    const [size, step] = [length(leaf.p), length(along)];
    const trust = size > 0 && step > 0 ? size / step : 1;
    leaf.p = leaf.p.map((x, i) => x - rate * trust * along[i]!);
  };
}

type Matrix = number[][];
const product = (a: Matrix, b: Matrix): Matrix => a.map((row) => b[0]!.map((_, j) => row.reduce((s, x, k) => s + x * b[k]![j]!, 0)));
const turned = (a: Matrix): Matrix => a[0]!.map((_, j) => a.map((row) => row[j]!));
const mixed = (s: number, a: Matrix, t: number, b: Matrix): Matrix => a.map((row, i) => row.map((x, j) => s * x + t * b[i]![j]!));

/** `zeropower_via_newtonschulz5` of Jordan's repository. */
export function plainNewtonSchulz(g: Matrix, rounds: number): Matrix {
  let x = g.length > g[0]!.length ? turned(g) : g;
  const size = length(x.flat()) + 1e-7;
  x = x.map((row) => row.map((v) => v / size));
  for (let i = 0; i < rounds; i++) {
    const a = product(x, turned(x));
    const b = mixed(-4.775, a, 2.0315, product(a, a));
    x = mixed(3.4445, x, 1, product(b, x));
  }
  return g.length > g[0]!.length ? turned(x) : x;
}

interface PlainMuon {
  rate: number;
  momentum: number;
  nesterov: boolean;
  decay: number;
  adam: { rate: number; beta1: number; beta2: number; epsilon: number };
  byAdam: (leaf: PlainLeaf) => boolean;
}

/** `muon_update` and `adam_update` of Jordan's repository; kernels of convolutions are [out, rest], linear weights [in, out]. */
export function plainMuon({ rate, momentum, nesterov, decay, adam, byAdam }: PlainMuon): PlainRule {
  return (leaf, g, slots, t) => {
    if (leaf.shape.length < 2 || byAdam(leaf)) {
      const m = zerosFor(slots, "m", g.length);
      const v = zerosFor(slots, "v", g.length);
      leaf.p = leaf.p.map((x, i) => {
        m[i] = adam.beta1 * m[i]! + (1 - adam.beta1) * g[i]!;
        v[i] = adam.beta2 * v[i]! + (1 - adam.beta2) * g[i]! ** 2;
        const step = m[i]! / (1 - adam.beta1 ** t) / (Math.sqrt(v[i]! / (1 - adam.beta2 ** t)) + adam.epsilon);
        return x * (1 - adam.rate * decay) - adam.rate * step;
      });
      return;
    }
    const m = zerosFor(slots, "m", g.length);
    for (let i = 0; i < g.length; i++) m[i] = momentum * m[i]! + (1 - momentum) * g[i]!;
    const along = nesterov ? g.map((gi, i) => (1 - momentum) * gi + momentum * m[i]!) : m;
    const rows = leaf.shape[0]!;
    const columns = g.length / rows;
    const matrix = Array.from({ length: rows }, (_, i) => along.slice(i * columns, (i + 1) * columns));
    const straight = plainNewtonSchulz(matrix, 5).flat();
    const [outs, ins] = leaf.shape.length === 2 ? [columns, rows] : [rows, columns];
    const scale = Math.sqrt(Math.max(1, outs / ins));
    leaf.p = leaf.p.map((x, i) => x * (1 - rate * decay) - rate * scale * straight[i]!);
  };
}
