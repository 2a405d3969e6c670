import type { Draw } from "../../src/check/draws.ts";
import { einsum } from "../../src/index.ts";
import { chance, distinct, mild, pick, type Sampler, wholes } from "./sample.ts";

interface Axis {
  readonly stride: number;
  readonly dilation: number;
  readonly kernel: number;
  readonly padding: readonly [number, number];
  readonly n: number;
}

/** One spatial axis of a window: the kernel fits, the padding is smaller than it. */
function axis(d: Draw, dilated: boolean): Axis {
  const kernel = d.whole(1, 3);
  const dilation = dilated ? d.whole(1, 2) : 1;
  const padding = [d.whole(0, kernel - 1), d.whole(0, kernel - 1)] as const;
  const reach = (kernel - 1) * dilation + 1;
  return { kernel, dilation, padding, stride: d.whole(1, 3), n: Math.max(1, reach - padding[0] - padding[1]) + d.whole(0, 3) };
}

function axesOf(d: Draw, dilated: boolean): Axis[] {
  const rank = pick(d, [1, 1, 2, 2, 3]);
  return Array.from({ length: rank }, () => axis(d, dilated)).map((a) => (rank === 3 ? { ...a, n: Math.min(a.n, 5) } : a));
}

const same = (xs: readonly number[]): boolean => xs.every((x) => x === xs[0]);

/** One number where all axes agree, half of the time: both ways to write it are drawn. */
function written(d: Draw, xs: readonly number[]): number | readonly number[] {
  return same(xs) && chance(d, 0.5) ? xs[0]! : xs;
}

function window(d: Draw, axes: readonly Axis[], dilated: boolean): object {
  return {
    ...(chance(d, 0.8)
      ? {
          stride: written(
            d,
            axes.map((a) => a.stride),
          ),
        }
      : {}),
    ...(chance(d, 0.8) ? { padding: axes.map((a) => a.padding) } : {}),
    ...(dilated
      ? {
          dilation: written(
            d,
            axes.map((a) => a.dilation),
          ),
        }
      : {}),
  };
}

function convolution(d: Draw, transposed: boolean): { args: unknown[] } {
  const axes = axesOf(d, true);
  const groups = pick(d, [1, 1, 2]);
  const [c, o] = [groups * d.whole(1, 2), groups * d.whole(1, 2)];
  const attrs = { ...window(d, axes, true), ...(groups > 1 || chance(d, 0.3) ? { groups } : {}) };
  // Without padding the kernel still has to fit.
  const space = axes.map((a) => Math.max(a.n, (a.kernel - 1) * a.dilation + 1));
  // The padding of a transposed convolution is taken off its result, of which something has to be left.
  const few = axes.map((a) => Math.max(Math.min(3, a.n) + 1, 1 + a.padding[0] + a.padding[1] - (a.kernel - 1) * a.dilation));
  const x = mild(d, [d.whole(1, 2), c, ...(transposed ? few : space)]);
  const w = mild(d, transposed ? [c, o / groups, ...axes.map((a) => a.kernel)] : [o, c / groups, ...axes.map((a) => a.kernel)]);
  const bias = chance(d, 0.5) ? [mild(d, [o])] : chance(d, 0.5) ? [null] : [];
  if (transposed) {
    const { stride, dilation } = attrs as { stride?: number | number[]; dilation?: number | number[] };
    const least = (v: number | number[] | undefined, i: number): number => (v === undefined ? 1 : typeof v === "number" ? v : v[i]!);
    const outputPadding = axes.map((_, i) => d.whole(0, Math.max(least(stride, i), least(dilation, i)) - 1));
    return { args: [x, w, ...bias, { ...attrs, ...(chance(d, 0.6) && { outputPadding }) }] };
  }
  const word = chance(d, 0.15) ? { padding: pick(d, ["same", "valid"]) } : {};
  return { args: [x, w, ...bias, { ...attrs, ...word }] };
}

function pooling(d: Draw, kind: "max" | "average"): { args: [ReturnType<typeof mild>, object]; room: number[] } {
  const dilated = kind === "max";
  // PyTorch's rule: padding is at most half the window.
  const axes = axesOf(d, dilated).map((a) => ({
    ...a,
    padding: [Math.min(a.padding[0], a.kernel >> 1), Math.min(a.padding[1], a.kernel >> 1)] as const,
  }));
  const space = axes.map((a) => Math.max(a.n, (a.kernel - 1) * a.dilation + 1));
  const shape = [d.whole(1, 2), d.whole(1, 2), ...space];
  const attrs = {
    size: written(
      d,
      axes.map((a) => a.kernel),
    ),
    ...window(d, axes, dilated),
    ...(chance(d, 0.6) && { ceilMode: chance(d, 0.7) }),
    ...(kind === "average" && chance(d, 0.6) && { countIncludePad: chance(d, 0.4) }),
  };
  return { args: [kind === "max" ? distinct(d, shape) : mild(d, shape), attrs], room: [0.1] };
}

const specs: readonly (readonly [string, ...(readonly number[][])])[] = [
  ["ij,jk->ik", [2, 3], [3, 2]],
  ["ii->i", [3, 3]],
  ["ii", [3, 3]],
  ["ij->", [2, 3]],
  ["ij->ji", [2, 3]],
  ["i,j->ij", [2], [3]],
  ["bij,bjk->bik", [2, 2, 3], [2, 3, 2]],
  ["...ij,...jk->...ik", [2, 1, 2, 3], [3, 3, 2]],
  ["ij,ij->", [2, 3], [2, 3]],
  ["ij,jk,kl->il", [2, 3], [3, 2], [2, 2]],
  ["iij,j->i", [2, 2, 3], [3]],
  ["bhqd,bhkd->bhqk", [1, 2, 2, 3], [1, 2, 3, 3]],
];

export const contractSamplers: Readonly<Record<string, Sampler>> = {
  matmul: (d) => {
    const [m, k, n] = [pick(d, [0, 1, 2, 3, 5]), d.whole(1, 3), d.whole(1, 3)];
    if (chance(d, 0.15)) return { args: [mild(d, [k]), mild(d, [k])] };
    if (chance(d, 0.15)) return { args: [mild(d, [k]), mild(d, [pick(d, [1, 2]), k, n])] };
    if (chance(d, 0.15)) return { args: [mild(d, [2, m, k]), mild(d, [k])] };
    const [a, b] = pick<readonly [number[], number[]]>(d, [
      [[], []],
      [[2], [2]],
      [[2, 1], [3]],
      [[], [2]],
      [[3], [1]],
      [
        [1, 2],
        [2, 1],
      ],
    ]);
    return { args: [mild(d, [...a, m, k]), mild(d, [...b, k, n])] };
  },
  cross: (d) => ({ args: [mild(d, chance(d, 0.5) ? [3] : [2, 3]), mild(d, chance(d, 0.5) ? [3] : [2, 3])] }),
  einsum: (d) => {
    const [spec, ...shapes] = pick(d, specs);
    return { args: shapes.map((s) => mild(d, s)), f: (...xs: never[]) => einsum(spec, ...xs) };
  },
  conv: (d) => convolution(d, false),
  convTranspose: (d) => convolution(d, true),
  convInput: (d) => {
    const [kernel, dilation, stride, low, high, count] = [
      d.whole(1, 3),
      d.whole(1, 2),
      d.whole(1, 2),
      d.whole(0, 1),
      d.whole(0, 1),
      d.whole(2, 3),
    ];
    const groups = d.whole(1, 2);
    const size = (count - 1) * stride + (kernel - 1) * dilation + 1 - low - high + d.whole(0, stride - 1);
    const attrs = { stride: [stride], padding: [[low, high]], dilation: [dilation], groups, size: [Math.max(1, size)] };
    const out = Math.floor((attrs.size[0]! + low + high - (kernel - 1) * dilation - 1) / stride) + 1;
    return { args: [mild(d, [2, 2 * groups, Math.max(1, out)]), mild(d, [2 * groups, 2, kernel]), attrs] };
  },
  convWeight: (d) => {
    const [kernel, dilation, stride, low, high, n] = [
      d.whole(1, 3),
      d.whole(1, 2),
      d.whole(1, 2),
      d.whole(0, 1),
      d.whole(0, 1),
      d.whole(5, 7),
    ];
    const groups = d.whole(1, 2);
    const out = Math.floor((n + low + high - (kernel - 1) * dilation - 1) / stride) + 1;
    const attrs = { stride: [stride], padding: [[low, high]], dilation: [dilation], groups, size: [kernel] };
    return { args: [mild(d, [2, 2 * groups, out]), mild(d, [2, 2 * groups, n]), attrs] };
  },
  maxPool: (d) => pooling(d, "max"),
  maxPoolPlaces: (d) => pooling(d, "max"),
  averagePool: (d) => pooling(d, "average"),
  averagePoolInput: (d) => {
    const [kernel, stride, low, high, n] = [d.whole(1, 3), d.whole(1, 3), d.whole(0, 1), d.whole(0, 1), d.whole(3, 6)];
    const [a, b] = [Math.min(low, kernel >> 1), Math.min(high, kernel >> 1)];
    const out = Math.floor((n + a + b - kernel) / stride) + 1;
    const attrs = {
      size: [kernel],
      stride: [stride],
      padding: [[a, b]],
      dilation: [1],
      ceilMode: false,
      countIncludePad: chance(d, 0.5),
      space: [n],
    };
    return { args: [mild(d, [1, 2, out]), attrs] };
  },
  pick: (d) => ({ args: [mild(d, [2, 3]), wholes([4], () => d.whole(-1, 5))] }),
  unpick: (d) => ({ args: [mild(d, [2, 2]), wholes([2, 2], () => d.whole(-1, 5)), { shape: [2, 3] }] }),
};
