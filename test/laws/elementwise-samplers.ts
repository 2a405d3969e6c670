import { caseOf } from "../../src/check/case.ts";
import type { Draw } from "../../src/check/draws.ts";
import { clip, pow, type tensor } from "../../src/index.ts";
import type { AnyOp } from "../../src/ir/op.ts";
import { anyTensor, chance, inside, made, narrower, pick, type Sample, type Sampler, shapeOf, signed, sizeOf, truths } from "./sample.ts";

/** The largest magnitude drawn where the function overflows or flattens beyond it. */
const most: Readonly<Record<string, number>> = { exp: 300, expm1: 300, sinh: 300, cosh: 300 };

const logical: ReadonlySet<string> = new Set(["logicalNot", "logicalAnd", "logicalOr", "logicalXor"]);

/** A sampler for an op of one operand from its declared domain and kinks. */
export function unarySampler(op: AnyOp): Sampler {
  if (logical.has(op.name)) return (d) => ({ args: [truths(d, shapeOf(d))] });
  const { domain, kink } = op.facts;
  const element = (d: Draw): number => {
    for (;;) {
      const x = inside(d, domain["x"] ?? {}, most[op.name] ?? 1e3);
      if (kink === null || kink([x], {}) > 5e-4) return x;
    }
  };
  return (d) => ({ args: [made(shapeOf(d), () => element(d))] });
}

/** A sampler for an op of two operands: every broadcasting side, and one of them a bare number now and then. */
export function binarySampler(op: AnyOp): Sampler {
  if (logical.has(op.name)) return (d) => broadcastPair(d, truths);
  const { domain, kink } = op.facts;
  const limits = pairLimits[op.name] ?? { x: 1e3, y: 1e3 };
  return (d) => {
    for (;;) {
      const sample = broadcastPair(d, (e, shape, k) =>
        made(shape, () => inside(e, domain[k === 0 ? "x" : "y"] ?? {}, k === 0 ? limits.x : limits.y)),
      );
      const [x, y] = sample.args as [ReturnType<typeof tensor>, ReturnType<typeof tensor>];
      if (kink !== null && apart(kink, Array.from(x.data), Array.from(y.data)) < 5e-4) continue;
      if (!chance(d, 0.25)) return sample;
      const side = d.whole(0, 1);
      const literals = op.name === "pow" ? (side === 0 ? [1, 2, 0.5] : [0, 1, 2, 3, -1, 0.5]) : [-1, 0.5, 2, 3];
      const value = pick(d, literals);
      const other = side === 0 ? y : x;
      if (kink !== null && apart(kink, side === 0 ? [value] : Array.from(x.data), side === 0 ? Array.from(y.data) : [value]) < 5e-4)
        continue;
      if (chance(d, 0.5)) return { args: side === 0 ? [value, other] : [other, value] };
      // As a literal the number stays one while derivatives are built, and rules may simplify by it.
      const call = op as unknown as (x: unknown, y: unknown) => unknown;
      const { room } = caseOf(op, side === 0 ? [value, other] : [other, value]);
      return { args: [other], f: (v: never) => (side === 0 ? call(value, v) : call(v, value)), room: [Math.min(1, ...room[1 - side]!)] };
    }
  };
}

const pairLimits: Readonly<Record<string, { readonly x: number; readonly y: number }>> = { pow: { x: 1e3, y: 4 }, mod: { x: 8, y: 5 } };

/** The least kink distance over all pairs: more than any that meet by broadcasting. */
function apart(kink: NonNullable<AnyOp["facts"]["kink"]>, xs: readonly number[], ys: readonly number[]): number {
  let least = Number.POSITIVE_INFINITY;
  for (const x of xs) for (const y of ys) least = Math.min(least, kink([x, y], {}));
  return least;
}

function broadcastPair(d: Draw, element: (d: Draw, shape: readonly number[], k: number) => ReturnType<typeof tensor>): Sample {
  const shape = shapeOf(d, 0, 4, [1, 2, 3, 5]);
  const small = sizeOf(shape) > 24 ? shape.slice(-2) : shape;
  const [a, b] = chance(d, 0.3) ? [small, small] : [narrower(d, small), narrower(d, small)];
  return { args: [element(d, a, 0), element(d, b, 1)] };
}

/** Whole literal exponents, of either sign of the base and of 0, which the declared domain leaves out: it is for any exponent. */
const wholePower: Sampler = (d) => {
  const n = pick(d, [0, 1, 2, 3, -1, -2]);
  const x = made(shapeOf(d), () => {
    for (;;) {
      const v = n >= 0 && chance(d, 0.1) ? 0 : signed(d, 20);
      if (n >= 0 || Math.abs(v) > 0.05) return v;
    }
  });
  return { args: [x], f: (v: never) => pow(v, n), room: [n < 0 ? 0.02 : 1] };
};

const anyPower: Sampler = binarySampler(pow);

/** Ops that are elementwise with attributes or three operands, or have more to them than their declared domain. */
export const otherElementwise: Readonly<Record<string, Sampler>> = {
  pow: (d) => (chance(d, 0.25) ? wholePower(d) : anyPower(d)),
  where: (d) => {
    const shape = shapeOf(d, 0, 4, [1, 2, 3, 5]);
    return { args: [truths(d, narrower(d, shape)), anyTensor(d, narrower(d, shape)), anyTensor(d, narrower(d, shape))] };
  },
  clip: (d) => {
    const attrs = { ...(chance(d, 0.7) && { min: -0.75 }), ...(chance(d, 0.7) && { max: 1.25 }) };
    const x = made(shapeOf(d), () => {
      for (;;) {
        const edge = pick(d, [-0.75, 1.25]);
        const v = chance(d, 0.3) ? edge + (chance(d, 0.5) ? 1 : -1) * 10 ** (-3 * d.fraction()) : signed(d);
        if (clip.facts.kink!([v], attrs) > 5e-4) return v;
      }
    });
    return { args: [x, attrs] };
  },
  cast: (d) => ({ args: [made(shapeOf(d), () => inside(d, {}, 100)), { dtype: pick(d, ["f64", "f64", "i32", "bool"]) }] }),
  identity: (d) => ({ args: [anyTensor(d, shapeOf(d))] }),
  polygamma: (d) => ({
    args: [
      made(shapeOf(d, 0, 3), () => {
        for (;;) {
          const x = inside(d, {}, 50);
          if (x > 0.01 || Math.abs(x - Math.round(x)) > 0.01) return x;
        }
      }),
      { order: d.whole(1, 3) },
    ],
  }),
  isNaN: (d) => ({ args: [made(shapeOf(d), () => (chance(d, 0.3) ? Number.NaN : signed(d)))] }),
};
