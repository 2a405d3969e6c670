import { pullback, zerosLike } from "../autodiff/pullback.ts";
import { evaluate } from "../evaluate/evaluate.ts";
import { allocate, isFloat } from "../ir/dtype.ts";
import { variable } from "../ir/leaf.ts";
import type { Value } from "../ir/node.ts";
import { hold, type Tensor } from "../ir/tensor.ts";
import { type Case, constantFrom } from "./case.ts";
import { type Draw, weight } from "./draws.ts";

/** A case with its result, and a cotangent and a direction to differentiate along. */
export interface Point {
  readonly c: Case;
  readonly draw: Draw;
  /** The operands with derivatives. */
  readonly xs: readonly Tensor[];
  readonly outs: readonly Tensor[];
  /** Which results have derivatives. */
  readonly live: readonly number[];
  /** A cotangent per live result. */
  readonly cts: readonly Tensor[];
  /** A direction per float operand, within its room. */
  readonly along: readonly Tensor[];
  /** Whether all numbers are finite: laws about derivatives say nothing elsewhere. */
  readonly finite: boolean;
}

/** What a law found: a fault in words, null where the law holds, undefined where it says nothing. */
export type Finding = string | null | undefined;
/** A property that every op has at every point. */
export type Law = (p: Point) => Finding;

/** Draws what the laws need at a case, and evaluates it. */
export function pointAt(c: Case, draw: Draw): Point {
  const xs = c.floats.map((i) => c.operands[i]!);
  const outs = resultsAt(c, xs);
  const live = outs.flatMap((t, i) => (isFloat(t.type.dtype) ? [i] : []));
  return {
    c,
    draw,
    xs,
    outs,
    live,
    cts: live.map((i) => weightsLike(outs[i]!, draw)),
    along: c.floats.map((i, k) => scaled(weightsLike(xs[k]!, draw), c.room[i]!)),
    finite: [...xs, ...outs].every(allFinite),
  };
}

/** The results of a case at other float operands. */
export function resultsAt(c: Case, xs: readonly Tensor[]): Tensor[] {
  return c.apply(placed(c, xs.map(constantFrom))).map((v) => evaluate(v) as Tensor);
}

/** All operands with the float ones replaced. */
export function placed(c: Case, xs: readonly Value[]): (Value | null)[] {
  const all = c.operands.map((t, i) => (t === null || c.floats.includes(i) ? null : constantFrom(t)));
  c.floats.forEach((i, k) => {
    all[i] = xs[k]!;
  });
  return all;
}

/** The case on variables: what derivative laws walk. */
export function traced(c: Case, xs: readonly Tensor[]): { readonly ps: readonly Value[]; readonly outs: readonly Value[] } {
  const ps = xs.map((t) => variable(t));
  return { ps, outs: c.apply(placed(c, ps)) };
}

/** The cotangents of the float operands. */
export function pulledAt(
  { c, live, cts }: Point,
  xs: readonly Tensor[],
): { readonly ps: readonly Value[]; readonly grads: readonly Value[] } {
  const { ps, outs } = traced(c, xs);
  return {
    ps,
    grads: pulledBy(
      ps,
      live.map((i) => outs[i]!),
      cts,
    ),
  };
}

/** Cotangents with zeros where nothing arrives. */
export function pulledBy(ps: readonly Value[], roots: readonly Value[], cts: readonly Tensor[]): Value[] {
  return pullback(roots, cts.map(constantFrom), ps).map((g, i) => g ?? zerosLike(ps[i]!));
}

/** Operands moved along a direction. */
export function moved(xs: readonly Tensor[], along: readonly Tensor[], t: number): Tensor[] {
  return xs.map((x, k) => {
    const data = allocate(x.type.dtype, x.data.length);
    const d = along[k]!.data;
    for (let i = 0; i < data.length; i++) data[i] = x.data[i]! + t * d[i]!;
    return hold(x.type, data);
  });
}

/** A tensor of this type with weights for elements, none of them small. */
export function weightsLike(t: Tensor, draw: Draw): Tensor {
  const data = allocate(t.type.dtype, t.data.length);
  for (let i = 0; i < data.length; i++) data[i] = weight(draw);
  return hold(t.type, data);
}

function scaled(t: Tensor, room: Float64Array): Tensor {
  for (let i = 0; i < room.length; i++) t.data[i]! *= room[i]!;
  return t;
}

/** Sums of products, and of their magnitudes. */
export function dot(as: readonly Tensor[], bs: readonly Tensor[]): { readonly sum: number; readonly size: number } {
  let sum = 0;
  let size = 0;
  as.forEach((a, k) => {
    const b = bs[k]!;
    for (let i = 0; i < a.data.length; i++) {
      // A cotangent of 0 asks for nothing, even of an infinite element.
      const p = b.data[i] === 0 ? 0 : a.data[i]! * b.data[i]!;
      sum += p;
      size += Math.abs(p);
    }
  });
  return { sum, size };
}

/** Whether every element is finite. */
export function allFinite(t: Tensor): boolean {
  for (let i = 0; i < t.data.length; i++) if (!Number.isFinite(t.data[i])) return false;
  return true;
}

/** Whether two tensors are the same bits, all NaNs being one. */
export function sameBits(a: Tensor, b: Tensor): boolean {
  if (a.data.length !== b.data.length) return false;
  for (let i = 0; i < a.data.length; i++) if (!Object.is(a.data[i], b.data[i])) return false;
  return true;
}

/** The largest magnitude of a tensor. */
export function largest(t: Tensor): number {
  let top = 0;
  for (let i = 0; i < t.data.length; i++) top = Math.max(top, Math.abs(t.data[i]!));
  return top;
}
