import type { Draw } from "../../src/check/draws.ts";
import { full, type Value } from "../../src/index.ts";
import {
  anyTensor,
  axes,
  axisOf,
  chance,
  permutation,
  pick,
  places,
  type Sampler,
  type Shape,
  shapeOf,
  sizeOf,
  someShape,
  wholes,
} from "./sample.ts";

function factors(d: Draw, n: number): number[] {
  if (n === 0) return [0, 3];
  const shape = [n];
  for (const p of [2, 3, 5, 7]) if (n % p === 0 && chance(d, 0.6)) shape.splice(0, 1, shape[0]! / p, p);
  if (chance(d, 0.3)) shape.push(1);
  return chance(d, 0.5) ? shape : shape.reverse();
}

/** A shape that fits around `x` when x keeps its sizes: ones grow, axes come in front. */
function wider(d: Draw, x: Shape): number[] {
  const grown = x.map((s) => (s === 1 && chance(d, 0.6) ? pick(d, [2, 3]) : s));
  return [...(x.length < 4 && chance(d, 0.5) ? [pick(d, [1, 2, 3])] : []), ...grown];
}

function bounds(d: Draw, size: number): { start?: number; end?: number; step?: number } {
  return {
    ...(chance(d, 0.6) && { start: d.whole(-size - 1, size + 1) }),
    ...(chance(d, 0.6) && { end: d.whole(-size - 1, size + 1) }),
    ...(chance(d, 0.6) && { step: pick(d, [1, 2, 3, -1, -2, -3]) }),
  };
}

/** Indices of which no two along the axis are equal, so that "put" has one meaning. */
function scattered(d: Draw, shape: Shape, axis: number, size: number): ReturnType<typeof wholes> {
  const at = axis < 0 ? axis + shape.length : axis;
  const inner = sizeOf(shape.slice(at + 1));
  const lines = new Map<number, number[]>();
  let i = 0;
  return wholes(shape, () => {
    const line = Math.floor(i / (inner * shape[at]!)) * inner + (i++ % inner);
    let order = lines.get(line);
    if (order === undefined) lines.set(line, (order = permutation(d, size)));
    return order.pop()! - (chance(d, 0.5) ? size : 0);
  });
}

function elementIndices(d: Draw, unique: boolean): { x: number[]; axis: number; indices: ReturnType<typeof wholes>; shape: number[] } {
  const x = someShape(d, 1, 3);
  const axis = axisOf(d, x.length);
  const at = axis < 0 ? axis + x.length : axis;
  const shape = x.map((s, i) => (i === at ? (unique ? d.whole(1, s) : d.whole(1, s + 1)) : d.whole(1, s)));
  return { x, axis, shape, indices: unique ? scattered(d, shape, axis, x[at]!) : places(d, shape, x[at]!) };
}

function tuples(d: Draw): { x: number[]; batchDims: number; indices: ReturnType<typeof wholes>; picked: number[] } {
  const x = someShape(d, 1, 4);
  const batchDims = d.whole(0, x.length - 1);
  const depth = d.whole(1, x.length - batchDims);
  const middle = d.whole(0, 1) === 0 ? [] : [d.whole(1, 3)];
  const lead = [...x.slice(0, batchDims), ...middle];
  let i = 0;
  const indices = wholes([...lead, depth], () => {
    const size = x[batchDims + (i++ % depth)]!;
    return d.whole(-size, size - 1);
  });
  return { x, batchDims, indices, picked: [...lead, ...x.slice(batchDims + depth)] };
}

const offset = (d: Draw): object => (chance(d, 0.7) ? { offset: d.whole(-3, 3) } : {});

export const linearSamplers: Readonly<Record<string, Sampler>> = {
  sum: (d) => {
    const shape = shapeOf(d);
    return { args: [anyTensor(d, shape), axes(d, shape.length)] };
  },
  mean: (d) => {
    const shape = someShape(d);
    return { args: [anyTensor(d, shape), axes(d, shape.length)] };
  },
  expand: (d) => {
    const x = shapeOf(d, 0, 3, [1, 1, 2, 3]);
    return { args: [anyTensor(d, x), { shape: wider(d, x) }] };
  },
  reshape: (d) => {
    const x = shapeOf(d);
    const shape = factors(d, sizeOf(x));
    if (sizeOf(x) > 0 && chance(d, 0.4)) shape[d.whole(0, shape.length - 1)] = -1;
    return { args: [anyTensor(d, x), { shape }] };
  },
  transpose: (d) => {
    const x = shapeOf(d);
    const order = permutation(d, x.length).map((a) => (chance(d, 0.3) ? a - x.length : a));
    return { args: [anyTensor(d, x), ...(chance(d, 0.8) ? [{ axes: order }] : [])] };
  },
  slice: (d) => {
    const x = shapeOf(d, 1, 4, [1, 2, 3, 5, 7]);
    const axis = axisOf(d, x.length);
    return { args: [anyTensor(d, x), { ...(axis === 0 && chance(d, 0.5) ? {} : { axis }), ...bounds(d, x.at(axis)!) }] };
  },
  unslice: (d) => {
    const x = shapeOf(d, 1, 4, [1, 2, 3]);
    const axis = d.whole(0, x.length - 1);
    const step = pick(d, [1, 2, -1, -2]);
    const reach = Math.max(0, x[axis]! - 1) * Math.abs(step);
    const lead = d.whole(0, 2);
    return { args: [anyTensor(d, x), { axis, step, start: step > 0 ? lead : lead + reach, size: lead + reach + 1 + d.whole(0, 2) }] };
  },
  at: (d) => {
    const x = someShape(d, 1, 3);
    const index = x.slice(0, d.whole(1, x.length)).map((s) => d.whole(-s, s - 1));
    return { args: [anyTensor(d, x), ...index] };
  },
  concat: (d) => {
    const x = shapeOf(d, 1, 4, [1, 2, 3]);
    const axis = axisOf(d, x.length);
    const at = axis < 0 ? axis + x.length : axis;
    const parts = Array.from({ length: d.whole(1, 3) }, () =>
      anyTensor(
        d,
        x.map((s, i) => (i === at ? d.whole(0, 3) : s)),
      ),
    );
    return { args: [parts, ...(axis === 0 && chance(d, 0.5) ? [] : [{ axis }])] };
  },
  stack: (d) => {
    const x = shapeOf(d, 0, 3, [1, 2, 3]);
    return { args: [Array.from({ length: d.whole(1, 3) }, () => anyTensor(d, x)), { axis: axisOf(d, x.length + 1) }] };
  },
  split: (d) => {
    const x = someShape(d, 1, 4);
    const axis = axisOf(d, x.length);
    const size = x.at(axis)!;
    const first = d.whole(0, size);
    const parts = [1, 2, 3, 5, 7].filter((p) => size % p === 0);
    return { args: [anyTensor(d, x), chance(d, 0.5) ? { axis, sizes: [first, size - first] } : { axis, parts: pick(d, parts) }] };
  },
  unstack: (d) => {
    const x = someShape(d, 1, 3);
    return { args: [anyTensor(d, x), { axis: axisOf(d, x.length) }] };
  },
  squeeze: (d) => {
    const x = someShape(d, 0, 4).map((s) => (chance(d, 0.5) ? 1 : s));
    const ones = x.flatMap((s, i) => (s === 1 ? [chance(d, 0.5) ? i : i - x.length] : []));
    return { args: [anyTensor(d, x), ...(ones.length > 0 && chance(d, 0.6) ? [{ axis: pick(d, ones) }] : [])] };
  },
  unsqueeze: (d) => {
    const x = shapeOf(d, 0, 3);
    return { args: [anyTensor(d, x), { axis: axisOf(d, x.length + 1) }] };
  },
  flip: (d) => {
    const x = shapeOf(d, 1, 4);
    const { axis } = axes(d, x.length);
    return { args: [anyTensor(d, x), ...(axis === undefined ? [] : [{ axis }])] };
  },
  tile: (d) => {
    const x = shapeOf(d, 0, 3, [1, 2, 3]);
    return { args: [anyTensor(d, x), { repeats: x.map(() => d.whole(1, 3)) }] };
  },
  cumsum: (d) => {
    const x = shapeOf(d, 1, 4);
    return {
      args: [
        anyTensor(d, x),
        {
          axis: axisOf(d, x.length),
          ...(chance(d, 0.5) && { exclusive: chance(d, 0.7) }),
          ...(chance(d, 0.5) && { reverse: chance(d, 0.7) }),
        },
      ],
    };
  },
  pad: (d) => {
    const x = someShape(d, 1, 3);
    const mode = pick(d, ["constant", "reflect", "edge"]);
    const pads = x.map((s) => (mode === "reflect" ? [d.whole(0, s - 1), d.whole(0, s - 1)] : [d.whole(0, 2), d.whole(0, 2)]));
    return {
      args: [
        anyTensor(d, x),
        { pads, ...(chance(d, 0.8) || mode !== "constant" ? { mode } : {}), ...(mode === "constant" && chance(d, 0.4) && { value: 1.5 }) },
      ],
    };
  },
  gather: (d) => {
    const x = someShape(d, 1, 3);
    const axis = axisOf(d, x.length);
    return { args: [anyTensor(d, x), places(d, shapeOf(d, 0, 2, [1, 2, 3]), x.at(axis)!), { axis }] };
  },
  scatterAdd: (d) => {
    const x = someShape(d, 1, 3);
    const axis = axisOf(d, x.length);
    const at = axis < 0 ? axis + x.length : axis;
    const shape = shapeOf(d, 0, 2, [1, 2, 3]);
    return { args: [anyTensor(d, x), places(d, shape, x[at]!), anyTensor(d, [...x.slice(0, at), ...shape, ...x.slice(at + 1)]), { axis }] };
  },
  gatherElements: (d) => {
    const { x, axis, indices } = elementIndices(d, false);
    return { args: [anyTensor(d, x), indices, { axis }] };
  },
  scatterElements: (d) => {
    const reduction = pick(d, ["none", "add", undefined]);
    const { x, axis, indices, shape } = elementIndices(d, reduction !== "add" && chance(d, 0.5));
    return { args: [anyTensor(d, x), indices, anyTensor(d, shape), { axis, ...(reduction !== undefined && { reduction }) }] };
  },
  gatherND: (d) => {
    const { x, batchDims, indices } = tuples(d);
    return { args: [anyTensor(d, x), indices, ...(batchDims === 0 && chance(d, 0.5) ? [] : [{ batchDims }])] };
  },
  scatterND: (d) => {
    const { x, batchDims, indices, picked } = tuples(d);
    const reduction = pick(d, ["none", "add", undefined]);
    return { args: [anyTensor(d, x), indices, anyTensor(d, picked), { batchDims, ...(reduction !== undefined && { reduction }) }] };
  },
  diag: (d) => ({ args: [anyTensor(d, someShape(d, 1, 2)), offset(d)] }),
  triu: (d) => ({ args: [anyTensor(d, someShape(d, 2, 4)), offset(d)] }),
  tril: (d) => ({ args: [anyTensor(d, someShape(d, 2, 4)), offset(d)] }),
  unpad: (d) => {
    const mode = pick(d, ["reflect", "edge"]);
    const x = someShape(d, 1, 3);
    const pads = x.map((s) => (mode === "reflect" ? [d.whole(0, s - 1), d.whole(0, s - 1)] : [d.whole(0, 2), d.whole(0, 2)]));
    return {
      args: [
        anyTensor(
          d,
          x.map((s, i) => s + pads[i]![0]! + pads[i]![1]!),
        ),
        { pads, mode },
      ],
    };
  },
  oneHot: (d) => ({ args: [wholes(shapeOf(d, 0, 2), () => d.whole(-1, 3)), { depth: 4, dtype: pick(d, ["f64", "i32"]) }] }),
  full: (d) => {
    const shape = shapeOf(d);
    return { args: [anyTensor(d, [])], f: (v: never) => full({ ...(v as Value).type, shape }, v) };
  },
};
