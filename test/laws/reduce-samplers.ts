import type { Draw } from "../../src/check/draws.ts";
import { argMax, argMin, concat, max, min, norm, type Tensor, type Value } from "../../src/index.ts";
import type { Reduce } from "../../src/ops/linear/sum.ts";
import { anyTensor, axes, axisOf, chance, distinct, made, mild, pick, type Sample, type Sampler, signed, someShape } from "./sample.ts";

/** A reduction over numbers that do not tie, or of which each ties with one that moves with it: then shares have to add up to one derivative. */
const ordered =
  (op: Reduce): Sampler =>
  (d) => {
    if (chance(d, 0.2)) return twins(d, op);
    const shape = someShape(d);
    return { args: [distinct(d, shape), axes(d, shape.length)], room: [0.1] };
  };

function twins(d: Draw, op: (x: Value, attrs: object) => Value, attrs: object = {}): Sample {
  const shape = someShape(d, 1, 3);
  const axis = axisOf(d, shape.length);
  const x = distinct(d, shape);
  // Magnitudes do not tie either, so that the largest of them is one pair.
  for (let i = 0; i < x.data.length; i++) x.data[i] = (chance(d, 0.5) ? -1 : 1) * (x.data[i]! + x.data.length + 1);
  const all = { ...attrs, axis, keepDims: chance(d, 0.5) };
  return { args: [x], f: (v: never) => op(concat([v, v], { axis }), all), room: [0.1] };
}

function line(d: Draw): { readonly x: Tensor; readonly axis: number; readonly size: number } {
  const shape = someShape(d, 1, 4);
  const axis = axisOf(d, shape.length);
  return { x: distinct(d, shape), axis, size: shape.at(axis)! };
}

export const reduceSamplers: Readonly<Record<string, Sampler>> = {
  max: ordered(max),
  min: ordered(min),
  argMax: ordered(argMax),
  argMin: ordered(argMin),
  prod: (d) => {
    const shape = someShape(d, 0, 3);
    // Zeros have a room of their own: the product is smooth there.
    return {
      args: [made(shape, () => (chance(d, 0.15) ? 0 : (chance(d, 0.5) ? -1 : 1) * (0.3 + 1.5 * d.fraction()))), axes(d, shape.length)],
    };
  },
  variance: (d) => {
    const shape = someShape(d, 1, 4).map((s) => Math.max(2, s));
    return { args: [anyTensor(d, shape, 100), { ...axes(d, shape.length), ...(chance(d, 0.5) && { correction: pick(d, [0, 1, 0.5]) }) }] };
  },
  logSumExp: (d) => {
    const shape = someShape(d);
    return { args: [anyTensor(d, shape), axes(d, shape.length)] };
  },
  norm: (d) => {
    const shape = someShape(d);
    const ord = pick(d, [undefined, 1, 1.5, 3, Number.POSITIVE_INFINITY]);
    const attrs = { ...axes(d, shape.length), ...(ord !== undefined && { ord }) };
    if (ord === Number.POSITIVE_INFINITY && chance(d, 0.4)) return twins(d, norm, { ord });
    if (ord === Number.POSITIVE_INFINITY) {
      const x = distinct(d, shape);
      // Magnitudes that do not tie: distinct numbers above 0, then signs.
      for (let i = 0; i < x.data.length; i++) x.data[i] = (chance(d, 0.5) ? -1 : 1) * (x.data[i]! + x.data.length + 1);
      return { args: [x, attrs], room: [0.1] };
    }
    // Zeros, and rows of nothing else: the convention there is a derivative of 0, which is what central differences say too.
    const none = chance(d, 0.15);
    const x = made(shape, () => {
      const v = signed(d, 100);
      return none || chance(d, 0.1) ? 0 : Math.sign(v) * Math.max(0.02, Math.abs(v));
    });
    return { args: [x, attrs], room: [0.015] };
  },
  sort: (d) => {
    const { x, axis } = line(d);
    return { args: [x, { ...(chance(d, 0.8) && { axis }), ...(chance(d, 0.6) && { descending: chance(d, 0.7) }) }], room: [0.1] };
  },
  topK: (d) => {
    const { x, axis, size } = line(d);
    return { args: [x, { k: d.whole(0, size), axis, ...(chance(d, 0.6) && { largest: chance(d, 0.4) }) }], room: [0.1] };
  },
  dot: (d) => {
    const shape = someShape(d, 1, 3);
    return { args: [mild(d, shape), mild(d, shape)] };
  },
};
