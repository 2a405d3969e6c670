import { constant, lift } from "../ir/leaf.ts";
import type { Value } from "../ir/node.ts";
import { sizeOf, stridesOf } from "../ir/shape.ts";
import { tensor } from "../ir/tensor.ts";
import { tensorType } from "../ir/type.ts";
import {
  add,
  cast,
  equal,
  gather,
  gatherElements,
  gatherND,
  greaterEqual,
  less,
  logicalAnd,
  maximum,
  minimum,
  mod,
  mul,
  range,
  reshape,
  scatterElements,
  scatterND,
  slice,
  topK,
  unsqueeze,
  where,
} from "../ops/index.ts";
import type { Application, Family } from "./application.ts";

/** Indices as i32, which all engines have kernels for. Shapes here are far below 2^31. */
function indices(n: Application, i: number): Value {
  const v = n.get(i);
  return v.type.dtype === "i32" ? v : cast(v, "i32");
}

type Update = "none" | "add" | "mul" | "min" | "max";

function updateOf(n: Application): Update {
  const word = n.text("reduction", "none");
  if (word === "none" || word === "add" || word === "mul" || word === "min" || word === "max") return word;
  return n.refuse(`reduction ${JSON.stringify(word)} is none of none, add, mul, min and max`);
}

/**
 * Scatters that multiply or take extremes, one update after another: what was there is read, joined with the update and put back. Places that only
 * one update names would not need that; whether places are distinct is known only where the indices are.
 */
function oneByOne(
  x: Value,
  updates: number,
  update: Exclude<Update, "none" | "add">,
  step: (x: Value, k: number, join: (a: Value, b: Value) => Value) => Value,
): Value {
  const join = update === "mul" ? mul : update === "min" ? minimum : maximum;
  let v = x;
  for (let k = 0; k < updates; k++) v = step(v, k, join);
  return v;
}

/** Along an axis, in slices of indices: within one slice no two updates can meet. */
function scatterAlong(n: Application): Value {
  const [x, updates] = [n.get(0), n.get(2)];
  const at = indices(n, 1);
  const axis = n.axis(n.int("axis", 0), x.type.shape.length);
  const update = updateOf(n);
  if (update === "none" || update === "add") return scatterElements(x, at, updates, { axis, reduction: update });
  return oneByOne(x, at.type.shape[axis]!, update, (v, k, join) => {
    const place = slice(at, { axis, start: k, end: k + 1 });
    const next = join(gatherElements(v, place, { axis }), slice(updates, { axis, start: k, end: k + 1 }));
    return scatterElements(v, place, next, { axis });
  });
}

function scatterSlices(n: Application): Value {
  const x = n.get(0);
  const at = indices(n, 1);
  const updates = n.get(2);
  const update = updateOf(n);
  if (update === "none" || update === "add") return scatterND(x, at, updates, { reduction: update });
  const depth = at.type.shape.at(-1)!;
  const count = sizeOf(at.type.shape.slice(0, -1));
  const tuples = reshape(at, { shape: [count, depth] });
  const slices = reshape(updates, { shape: [count, ...x.type.shape.slice(depth)] });
  return oneByOne(x, count, update, (v, k, join) => {
    const place = slice(tuples, { start: k, end: k + 1 });
    return scatterND(v, place, join(gatherND(v, place), slice(slices, { start: k, end: k + 1 })));
  });
}

function gathered(n: Application): Value {
  return gather(n.get(0), indices(n, 1), { axis: n.int("axis", 0) });
}

/** Negative classes count from the end; classes out of range give rows of the "off" value. */
function oneHot(n: Application): Value {
  const depth = n.known(1, "its depth")[0]!;
  const values = n.get(2);
  const given = n.get(0);
  const classes = cast(given, "i64");
  const rank = classes.type.shape.length;
  const axis = n.axis(n.int("axis", -1), rank + 1);
  const counted = where(less(classes, 0), add(classes, depth), classes);
  const inside = logicalAnd(greaterEqual(counted, 0), less(counted, depth));
  const steps = reshape(range(depth, { dtype: "i64" }), { shape: Array.from({ length: rank + 1 }, (_, i) => (i === axis ? depth : 1)) });
  const hot = logicalAnd(equal(unsqueeze(counted, { axis }), steps), unsqueeze(inside, { axis }));
  const [off, on] = [0, 1].map((k) => reshape(slice(values, { start: k, end: k + 1 }), { shape: [] })) as [Value, Value];
  return where(hot, on, off);
}

/** The places of elements other than 0, as columns: their number depends on data, so the data has to be there, or the places bound. */
function nonZero(n: Application): Value {
  const { shape } = n.get(0).type;
  return n.places(0, "which elements of its operand are not 0", (numbers) => {
    const strides = stridesOf(shape);
    const places = numbers.flatMap((x, i) => (x === 0 ? [] : [i]));
    const rows = shape.map((size, axis) => places.map((p) => Math.floor(p / strides[axis]!) % size));
    return tensor(Int32Array.from(rows.flat()), tensorType("i32", [shape.length, places.length]));
  });
}

function largest(n: Application): readonly Value[] {
  const x = n.get(0);
  const k = n.opset < 10 ? n.int("k", 1) : (n.known(1, "its k")[0] ?? n.refuse("its k is missing"));
  const { values, indices: places } = topK(x, {
    k,
    axis: n.axis(n.int("axis", -1), x.type.shape.length),
    largest: n.int("largest", 1) !== 0,
  });
  return [values, cast(places, "i64")];
}

/** Elements or slices that a mask keeps: their number depends on data. */
function compressed(n: Application): Value {
  const x = n.get(0);
  const at = n.places(1, "which elements its condition keeps", (mask) =>
    tensor(Int32Array.from(mask.flatMap((keep, i) => (keep === 0 ? [] : [i])))),
  );
  if (!n.hasAttribute("axis")) return gather(reshape(x, { shape: [sizeOf(x.type.shape)] }), cast(at, "i32"));
  return gather(x, cast(at, "i32"), { axis: n.int("axis", 0) });
}

/** Rows written into a cache from a place on, round and round where the mode says so. */
function scatteredTensor(n: Application): Value {
  const [past, update] = [n.get(0), n.get(1)];
  const rank = past.type.shape.length;
  const axis = n.axis(n.int("axis", -2), rank);
  const size = past.type.shape[axis]!;
  const count = update.type.shape[axis]!;
  const steps = reshape(range(count), { shape: Array.from({ length: rank }, (_, i) => (i === axis ? count : 1)) });
  const batch = past.type.shape[0]!;
  const start = n.has(2) ? reshape(indices(n, 2), { shape: [batch, ...new Array<number>(rank - 1).fill(1)] }) : lift(0, "i32");
  const wide = add(start, steps);
  const place = n.text("mode", "linear") === "circular" ? mod(wide, size) : wide;
  const at = add(
    place,
    constant(tensor(new Int32Array(sizeOf(update.type.shape)), { kind: "type", dtype: "i32", shape: update.type.shape })),
  );
  return scatterElements(past, at, update, { axis });
}

/** Operators that pick elements by index. */
export const indexing: Family = {
  Compress: compressed,
  Gather: gathered,
  GatherElements: (n) => gatherElements(n.get(0), indices(n, 1), { axis: n.int("axis", 0) }),
  GatherND: (n) => gatherND(n.get(0), indices(n, 1), { batchDims: n.int("batch_dims", 0) }),
  NonZero: nonZero,
  OneHot: oneHot,
  Scatter: scatterAlong,
  ScatterElements: scatterAlong,
  ScatterND: scatterSlices,
  TensorScatter: scatteredTensor,
  TopK: largest,
};
