import { isFloat } from "../ir/dtype.ts";
import { DomainError, GraphError, ShapeError } from "../ir/errors.ts";
import { isGraph } from "../ir/graph.ts";
import { constant, nameOf } from "../ir/leaf.ts";
import type { Value } from "../ir/node.ts";
import type { Body, BodyPullback, ForwardRegions, Operand, Regions } from "../ir/op.ts";
import { dense, type Held, type Tensor } from "../ir/tensor.ts";
import { sameType, typeText } from "../ir/type.ts";
import { add, mul, sub } from "../ops/arithmetic.ts";
import { applyTo, declare, type Op } from "../ops/define.ts";
import { cast } from "../ops/elementwise/cast.ts";
import { greater } from "../ops/elementwise/comparison.ts";
import { maximum, minimum } from "../ops/elementwise/select.ts";
import { concat } from "../ops/linear/concat.ts";
import { range, zeros } from "../ops/linear/constants.ts";
import { reshape } from "../ops/linear/reshape.ts";
import { slice } from "../ops/linear/slice.ts";
import { sum } from "../ops/linear/sum.ts";
import { bodyOf, close, inlined, placeholders, type Region, reached, regionOf, usedInputs, zeroLike } from "./region.ts";
import { Rows, rowOf, rowsOf } from "./rows.ts";

/** How a loop runs over its rows. */
export interface Walk {
  readonly length: Value | null;
  readonly rows: number;
  readonly reverse: boolean;
  /** The carry before the first step into each stretch of so many rows is a result, too; 0: none is. */
  readonly every: number;
}

interface ScanAttrs extends Omit<Walk, "length"> {
  /** Takes what is fixed, the carries, a row of what is walked over; gives the new carries, then the outs. */
  readonly body: Region;
  readonly fixed: number;
  readonly carries: number;
}

function stretches({ rows, every }: { readonly rows: number; readonly every: number }): number {
  return every === 0 ? 0 : Math.ceil(rows / every);
}

/** All rows, or as many as the length says. */
function tripCount(length: Tensor | null, rows: number): number {
  if (length === null) return rows;
  const n = length.data[0]!;
  if (!Number.isInteger(n) || n < 0 || n > rows)
    throw new DomainError(`scan: length is ${n} and there are ${rows} rows; it is a whole number from 0 to ${rows}`, { op: "scan" });
  return n;
}

type ScanFn = (length: Operand | null, xs: readonly Operand[], attrs: ScanAttrs) => readonly Value[];

/** The op behind `scan`. Its results are the last carries, the outs row by row, and the saved carries. */
export const scanOp: Op<ScanFn> = declare<ScanFn, readonly ["length?", "xs..."]>("scan", ["length?", "xs..."], {
  family: "control",
  results: "list",
  dtypes: { length: "i32", xs: "f64" },
  type: ({ length, xs, body, fixed, carries, rows, every }) => {
    if (!isGraph(body)) throw new GraphError("scan: its attribute body is no graph");
    const { inputs, outputs } = bodyOf(body);
    if (length !== null && (length.shape.length > 0 || length.dtype === "bool"))
      throw new ShapeError(`scan: length is ${typeText(length)}; it is a scalar number`, { op: "scan" });
    if (xs.length !== inputs.length)
      throw new GraphError(`scan: the body has ${inputs.length} inputs and ${xs.length} operands were given`);
    inputs.forEach((v, i) => {
      const wanted = i < fixed + carries ? v.type : rowsOf(v.type, rows);
      if (!sameType(wanted, xs[i]!))
        throw new GraphError(`scan: ${nameOf(v)} is ${typeText(v.type)} in the body, and operand ${i} is ${typeText(xs[i]!)}`);
    });
    const out = outputs.map((v) => v.type);
    const saved = every === 0 ? [] : out.slice(0, carries).map((t) => rowsOf(t, stretches({ rows, every })));
    return [...out.slice(0, carries), ...out.slice(carries).map((t) => rowsOf(t, rows)), ...saved];
  },
  eval: ({ length, xs, body, fixed, carries, rows, reverse, every }, types, runBody) => {
    const run = bodyOf(body);
    const n = tripCount(length, rows);
    const stacked = types.slice(carries).map((t) => new Rows(t));
    const outs = stacked.slice(0, run.outputs.length - carries);
    const saved = stacked.slice(outs.length);
    const walked = xs.slice(fixed + carries).map((x) => new Rows(x.type, x));
    const given: Held[] = xs.map((x) => (x.type.shape.length === 0 ? x.data[0]! : x));
    let stretch = -1;
    for (let k = 0; k < n; k++) {
      const row = reverse ? n - 1 - k : k;
      if (every > 0 && Math.floor(row / every) !== stretch) {
        stretch = Math.floor(row / every);
        for (let j = 0; j < carries; j++) saved[j]!.put(stretch, given[fixed + j]!);
      }
      for (let j = 0; j < walked.length; j++) given[fixed + carries + j] = walked[j]!.take(row);
      const made = runBody(run, given);
      for (let j = 0; j < carries; j++) given[fixed + j] = made[j]!;
      for (let j = 0; j < outs.length; j++) outs[j]!.put(row, made[carries + j]!);
    }
    return types.map((t, i) => (i < carries ? dense(given[fixed + i]!, t).data : stacked[i - carries]!.data));
  },
  formula: { xs: "dXs = scan of the body's backward over the carries, last row first" },
  jvp: ({ length, xs, d, body, regions, fixed, carries, rows, reverse, every }) =>
    push(length, xs, d.xs, bodyOf(body), { fixed, carries, rows, reverse, every }, regions),
  vjp: ({ length, xs, ct, out, body: region, fixed, carries, rows, reverse, every, regions, wanted }) => {
    const body = bodyOf(region);
    const outs = body.outputs.length - carries;
    const loop: Loop = {
      body,
      length,
      fixed: xs.slice(0, fixed),
      init: xs.slice(fixed, fixed + carries),
      walked: xs.slice(fixed + carries),
      rows,
      reverse,
      saved: every === 0 ? null : { every, carries: out.slice(carries + outs) },
    };
    const arrived = { carries: ct.slice(0, carries), outs: ct.slice(carries, carries + outs), saved: ct.slice(carries + outs) };
    const asked = xs.map((v, i) => isFloat(v.type.dtype) && wanted(i + 1));
    return { length: null, xs: pull(loop, arrived, asked, regions) };
  },
});

interface Applied {
  readonly carries: readonly Value[];
  readonly outs: readonly Value[];
  readonly saved: readonly Value[];
}

/** Applies the op; rows that the body does not use are left out. */
function apply(
  { inputs, outputs }: Body,
  fixed: readonly Value[],
  init: readonly Value[],
  walked: readonly Value[],
  { length, ...walk }: Walk,
): Applied {
  const from = fixed.length + init.length;
  const used = usedInputs({ inputs, outputs });
  const kept = (_: unknown, i: number): boolean => used[from + i]!;
  const body = { inputs: [...inputs.slice(0, from), ...inputs.slice(from).filter(kept)], outputs };
  const attrs: ScanAttrs = { body: regionOf(body), fixed: fixed.length, carries: init.length, ...walk };
  const results = applyTo(scanOp, [length, ...fixed, ...init, ...walked.filter(kept)], attrs) as readonly Value[];
  const outs = outputs.length - init.length;
  return {
    carries: results.slice(0, init.length),
    outs: results.slice(init.length, init.length + outs),
    saved: results.slice(init.length + outs),
  };
}

/** What one step makes of the carries and a row. */
export interface Step {
  readonly carries: readonly Value[];
  readonly outs: readonly Value[];
}

/** Names of placeholders, for printing and errors. */
export interface Names {
  readonly carries: readonly string[];
  readonly walked: readonly string[];
}

/**
 * A loop written as a function of placeholders: what the step uses of its surroundings becomes operands. `walk` may look at these operands.
 */
export function loop(
  step: (carries: readonly Value[], row: readonly Value[]) => Step,
  init: readonly Value[],
  walked: readonly Value[],
  walk: Walk | ((operands: readonly Value[]) => Walk),
  names?: Names,
): Applied {
  const carries = placeholders(
    init.map((v) => v.type),
    names?.carries ?? init.map((_, i) => `c${i}`),
  );
  const row = placeholders(
    walked.map((v) => rowOf(v.type)),
    names?.walked ?? walked.map((_, i) => `x${i}`),
  );
  const made = step(carries, row);
  const own = [...carries, ...row];
  const { body, captured } = close(own, [...made.carries, ...made.outs]);
  const ordered = { inputs: [...body.inputs.slice(own.length), ...own], outputs: body.outputs };
  return apply(ordered, captured, init, walked, typeof walk === "function" ? walk([...captured, ...init, ...walked]) : walk);
}

function placesOf(flags: readonly boolean[]): number[] {
  return flags.flatMap((f, i) => (f ? [i] : []));
}

/** The forward rule: one loop over carries and their tangents side by side, so nothing is kept of the steps. */
function push(
  length: Value | null,
  xs: readonly Value[],
  d: readonly (Value | null)[],
  body: Body,
  { fixed, carries, ...walk }: Omit<ScanAttrs, "body">,
  regions: ForwardRegions,
): (Value | null)[] {
  const moving = d.map((t) => t !== null);
  let forward = regions.jvp(body, placesOf(moving));
  // A carry moves if it starts to or if the body moves it.
  for (let grows = true; grows; ) {
    grows = false;
    for (const o of forward.outputs)
      if (o < carries && !moving[fixed + o]) {
        moving[fixed + o] = true;
        grows = true;
      }
    if (grows) forward = regions.jvp(body, placesOf(moving));
  }
  const places = placesOf(moving);
  const holders = forward.body.inputs.slice(body.inputs.length);
  const between = (from: number, to: number): number[] => places.flatMap((p, k) => (p >= from && p < to ? [k] : []));
  const group = (from: number, to: number): { holders: Value[]; given: Value[] } => {
    const ks = between(from, to);
    return {
      holders: [...body.inputs.slice(from, to), ...ks.map((k) => holders[k]!)],
      given: [...xs.slice(from, to), ...ks.map((k) => d[places[k]!] ?? zeroLike(xs[places[k]!]!))],
    };
  };
  const first = group(0, fixed);
  const second = group(fixed, fixed + carries);
  const third = group(fixed + carries, xs.length);
  const movingCarries = placesOf(moving.slice(fixed, fixed + carries));
  const movingOuts = forward.outputs.filter((o) => o >= carries);
  const tangentOf = (o: number): Value => {
    const k = forward.outputs.indexOf(o);
    return k < 0 ? zeroLike(body.outputs[o]!) : forward.body.outputs[k]!;
  };
  const made = apply(
    {
      inputs: [...first.holders, ...second.holders, ...third.holders],
      outputs: [...body.outputs.slice(0, carries), ...movingCarries.map(tangentOf), ...movingOuts.map(tangentOf)],
    },
    first.given,
    second.given,
    third.given,
    { length, ...walk },
  );
  const spread = (values: readonly Value[]): (Value | null)[] =>
    Array.from({ length: carries }, (_, j) => values[carries + movingCarries.indexOf(j)] ?? null).map((v, j) =>
      movingCarries.includes(j) ? v : null,
    );
  const outs = Array.from({ length: body.outputs.length - carries }, (_, j) => made.outs[movingOuts.indexOf(carries + j)] ?? null);
  return [...spread(made.carries), ...outs, ...(walk.every === 0 ? [] : spread(made.saved))];
}

/** A loop whose derivative is pulled back. */
interface Loop {
  readonly body: Body;
  readonly length: Value | null;
  readonly fixed: readonly Value[];
  readonly init: readonly Value[];
  readonly walked: readonly Value[];
  readonly rows: number;
  readonly reverse: boolean;
  readonly saved: { readonly every: number; readonly carries: readonly Value[] } | null;
}

interface Arrived {
  readonly carries: readonly (Value | null)[];
  readonly outs: readonly (Value | null)[];
  readonly saved: readonly (Value | null)[];
}

/** What all stretches of one backward pass share. */
interface Plan {
  readonly back: BodyPullback;
  /** Places of the carries that have cotangents, and of outs that bring one. */
  readonly carries: readonly number[];
  readonly outs: readonly number[];
  /** How many fixed values and how many walked ones are asked for. */
  readonly sums: number;
}

/** Cotangents on their way back through the rows. */
interface Sweep {
  readonly carries: readonly Value[];
  /** Of fixed values: the sum over the steps so far. */
  readonly sums: readonly Value[];
}

/** Up to so many steps are recorded whole rather than in stretches. */
const short = 32;
const longest = 1024;

/** The reverse rule: cotangents of the body's inputs, where `asked`. */
function pull(loop: Loop, arrived: Arrived, asked: readonly boolean[], regions: Regions): (Value | null)[] {
  const fixed = loop.fixed.length;
  const active = asked.slice();
  for (let grows = true; grows; ) {
    grows = false;
    reached(loop.body, active).forEach((r, j) => {
      if (!r || j >= loop.init.length || active[fixed + j]) return;
      active[fixed + j] = true;
      grows = true;
    });
  }
  const carries = placesOf(active.slice(fixed, fixed + loop.init.length));
  const outs = placesOf(arrived.outs.map((ct) => ct !== null));
  const back = regions.vjp(loop.body, placesOf(active), [...carries, ...outs.map((o) => loop.init.length + o)]);
  const sums = placesOf(asked.slice(0, fixed));
  const plan: Plan = { back, carries, outs, sums: sums.length };
  const start: Sweep = {
    carries: carries.map((j) => arrived.carries[j] ?? zeroLike(loop.init[j]!)),
    sums: sums.map((i) => zeroLike(loop.fixed[i]!)),
  };
  const made = sweep(
    loop,
    plan,
    start,
    outs.map((o) => arrived.outs[o]!),
    carries.map((j) => arrived.saved[j] ?? null),
    short,
  );
  const entries = new Array<Value | null>(asked.length).fill(null);
  sums.forEach((i, k) => {
    entries[i] = made.sums[k]!;
  });
  carries.forEach((j, k) => {
    if (asked[fixed + j]) entries[fixed + j] = made.carries[k]!;
  });
  const from = fixed + loop.init.length;
  placesOf(asked.slice(from)).forEach((i, k) => {
    entries[from + i] = made.walked[k]!;
  });
  return entries;
}

type Swept = Sweep & { readonly walked: readonly Value[] };

/** Takes cotangents back through all rows: with each step's carry at hand, or stretch by stretch from the saved ones. */
function sweep(loop: Loop, plan: Plan, start: Sweep, outs: readonly Value[], savedCts: readonly (Value | null)[], whole: number): Swept {
  const { saved, rows } = loop;
  if (loop.init.length === 0) return steps(loop, plan, start, [], outs, savedCts);
  if (saved?.every === 1) return steps(loop, plan, start, saved.carries, outs, savedCts);
  if (saved === null && rows <= whole) return steps(loop, plan, start, record(loop), outs, savedCts);
  if (saved === null) {
    const every = Math.ceil(Math.sqrt(rows));
    return inStretches({ ...loop, saved: { every, carries: save(loop, every) } }, plan, start, outs, savedCts);
  }
  return inStretches(loop, plan, start, outs, savedCts);
}

function again({ body, fixed, init, walked, length, rows, reverse }: Loop, outs: readonly Value[], every: number): Applied {
  const outputs = [...body.outputs.slice(0, init.length), ...outs];
  return apply({ inputs: body.inputs, outputs }, fixed, init, walked, { length, rows, reverse, every });
}

/** The carry before each step, row by row, by running the loop once more. */
function record(loop: Loop): readonly Value[] {
  const { body, fixed, init } = loop;
  return again(loop, body.inputs.slice(fixed.length, fixed.length + init.length), 0).outs;
}

/** The carry before each stretch, by running the loop once more. */
function save(loop: Loop, every: number): readonly Value[] {
  return again(loop, [], every).saved;
}

/** One step of the backward loop is the body's pullback at that step's carry and row. */
function steps(
  { length, fixed, init, walked, rows, reverse }: Loop,
  { back, carries, sums }: Plan,
  start: Sweep,
  before: readonly Value[],
  outs: readonly Value[],
  savedCts: readonly (Value | null)[],
): Swept {
  const extra = savedCts.flatMap((ct) => (ct === null ? [] : [ct]));
  const made = loop(
    (cts, row) => {
      let at = 0;
      const next = (n: number): readonly Value[] => row.slice(at, (at += n));
      const carry = next(init.length);
      const x = next(walked.length);
      const outCts = next(outs.length);
      const given = [...fixed, ...carry, ...x, ...cts.slice(0, carries.length), ...outCts];
      const pulled = inlined(back.body, given);
      const after = pulled.slice(sums, sums + carries.length).map((ct, k) => (savedCts[k] == null ? ct : add(ct, next(1)[0]!)));
      const totals = pulled.slice(0, sums).map((ct, k) => add(cts[carries.length + k]!, ct));
      return { carries: [...after, ...totals], outs: pulled.slice(sums + carries.length) };
    },
    [...start.carries, ...start.sums],
    [...before, ...walked, ...outs, ...extra],
    { length, rows, reverse: !reverse, every: 0 },
  );
  return { carries: made.carries.slice(0, carries.length), sums: made.carries.slice(carries.length), walked: made.outs };
}

/**
 * Each stretch is run again from its saved carry and then taken back, so that of `n` steps about `2 sqrt(n)` carries are held at a time.
 * Source: A. Griewank, "Achieving logarithmic growth of temporal and spatial complexity in reverse automatic differentiation", 1992, with two
 * levels; T. Chen et al., "Training deep nets with sublinear memory cost", 2016.
 */
function inStretches(given: Loop, plan: Plan, start: Sweep, outs: readonly Value[], savedCts: readonly (Value | null)[]): Swept {
  const { rows, length, reverse, init, walked } = given;
  const { every, carries: saved } = given.saved!;
  const count = stretches({ rows, every });
  const counts = countsOf(length, rows, every, count);
  const used = length === null || counts === null ? null : sum(cast(greater(counts, 0), { dtype: "i32" }));
  const split = (v: Value): Value => {
    const missing = count * every - rows;
    const row = v.type.shape.slice(1);
    const all = missing === 0 ? v : concat([v, zeros({ ...v.type, shape: [missing, ...row] })], { axis: 0 });
    return reshape(all, { shape: [count, every, ...row] });
  };
  const extra = savedCts.flatMap((ct) => (ct === null ? [] : [ct]));
  const made = loop(
    (cts, row) => {
      let at = 0;
      const next = (n: number): readonly Value[] => row.slice(at, (at += n));
      const carry = next(init.length);
      const x = next(walked.length);
      const outCts = next(outs.length);
      const stretch: Loop = { ...given, init: carry, walked: x, rows: every, saved: null, length: counts === null ? null : row.at(-1)! };
      const sofar = { carries: cts.slice(0, plan.carries.length), sums: cts.slice(plan.carries.length) };
      const back = sweep(
        stretch,
        plan,
        sofar,
        outCts,
        savedCts.map(() => null),
        longest,
      );
      const after = back.carries.map((ct, k) => (savedCts[k] == null ? ct : add(ct, next(1)[0]!)));
      return { carries: [...after, ...back.sums], outs: back.walked };
    },
    [...start.carries, ...start.sums],
    [...saved, ...walked.map(split), ...outs.map(split), ...extra, ...(counts === null ? [] : [counts])],
    { length: used, rows: count, reverse: !reverse, every: 0 },
  );
  const joined = (v: Value): Value => {
    const all = reshape(v, { shape: [count * every, ...v.type.shape.slice(2)] });
    return count * every === rows ? all : slice(all, { axis: 0, start: 0, end: rows });
  };
  return {
    carries: made.carries.slice(0, plan.carries.length),
    sums: made.carries.slice(plan.carries.length),
    walked: made.outs.map(joined),
  };
}

/** How many rows of each stretch the loop runs over; null when it is all of them. */
function countsOf(length: Value | null, rows: number, every: number, count: number): Value | null {
  if (length === null)
    return rows === count * every ? null : constant(Int32Array.from({ length: count }, (_, s) => Math.min(every, rows - s * every)));
  return minimum(maximum(sub(cast(length, { dtype: "i32" }), mul(range(count), every)), 0), every);
}
