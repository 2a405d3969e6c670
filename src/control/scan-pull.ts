import { constant } from "../ir/leaf.ts";
import type { Value } from "../ir/node.ts";
import type { Body, BodyPullback, Regions } from "../ir/op.ts";
import { add, mul, sub } from "../ops/arithmetic.ts";
import { cast } from "../ops/elementwise/cast.ts";
import { greater } from "../ops/elementwise/comparison.ts";
import { maximum, minimum } from "../ops/elementwise/select.ts";
import { concat } from "../ops/linear/concat.ts";
import { range, zeros } from "../ops/linear/constants.ts";
import { reshape } from "../ops/linear/reshape.ts";
import { slice } from "../ops/linear/slice.ts";
import { sum } from "../ops/linear/sum.ts";
import { type Applied, type Apply, loopWith, placesOf, stretches } from "./loop.ts";
import { inlined, reached, zeroLike } from "./region.ts";

/** A loop whose derivative is pulled back. */
export interface Loop {
  readonly body: Body;
  readonly length: Value | null;
  readonly fixed: readonly Value[];
  readonly init: readonly Value[];
  readonly walked: readonly Value[];
  readonly rows: number;
  readonly reverse: boolean;
  readonly saved: { readonly every: number; readonly carries: readonly Value[] } | null;
}

export interface Arrived {
  readonly carries: readonly (Value | null)[];
  readonly outs: readonly (Value | null)[];
  readonly saved: readonly (Value | null)[];
}

/** What all stretches of one backward pass share. */
interface Plan {
  readonly apply: Apply;
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
export function pullScan(apply: Apply, loop: Loop, arrived: Arrived, asked: readonly boolean[], regions: Regions): (Value | null)[] {
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
  const plan: Plan = { apply, back, carries, outs, sums: sums.length };
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
  if (saved === null && rows <= whole) return steps(loop, plan, start, record(plan.apply, loop), outs, savedCts);
  if (saved === null) {
    const every = Math.ceil(Math.sqrt(rows));
    return inStretches({ ...loop, saved: { every, carries: save(plan.apply, loop, every) } }, plan, start, outs, savedCts);
  }
  return inStretches(loop, plan, start, outs, savedCts);
}

function again(apply: Apply, { body, fixed, init, walked, length, rows, reverse }: Loop, outs: readonly Value[], every: number): Applied {
  const outputs = [...body.outputs.slice(0, init.length), ...outs];
  return apply({ inputs: body.inputs, outputs }, fixed, init, walked, { length, rows, reverse, every });
}

/** The carry before each step, row by row, by running the loop once more. */
function record(apply: Apply, loop: Loop): readonly Value[] {
  const { body, fixed, init } = loop;
  return again(apply, loop, body.inputs.slice(fixed.length, fixed.length + init.length), 0).outs;
}

/** The carry before each stretch, by running the loop once more. */
function save(apply: Apply, loop: Loop, every: number): readonly Value[] {
  return again(apply, loop, [], every).saved;
}

/** One step of the backward loop is the body's pullback at that step's carry and row. */
function steps(
  { length, fixed, init, walked, rows, reverse }: Loop,
  { apply, back, carries, sums }: Plan,
  start: Sweep,
  before: readonly Value[],
  outs: readonly Value[],
  savedCts: readonly (Value | null)[],
): Swept {
  const extra = savedCts.flatMap((ct) => (ct === null ? [] : [ct]));
  const made = loopWith(
    apply,
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
  const { apply } = plan;
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
  const made = loopWith(
    apply,
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
