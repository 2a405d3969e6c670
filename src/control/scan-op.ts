import { isFloat } from "../ir/dtype.ts";
import { GraphError, ShapeError } from "../ir/errors.ts";
import { isGraph } from "../ir/graph.ts";
import { nameOf } from "../ir/leaf.ts";
import type { Value } from "../ir/node.ts";
import type { AnyOp, BatchRegions, Body, Operand } from "../ir/op.ts";
import { dense, type Held, type Tensor } from "../ir/tensor.ts";
import { sameType, typeText } from "../ir/type.ts";
import { applyTo, declare, type Op } from "../ops/define.ts";
import { everyExample, moveAxis } from "../ops/linear/every-example.ts";
import { noLength } from "./limits.ts";
import { type Applied, loopWith, type Names, type Step, stretches, type Walk } from "./loop.ts";
import { bodyOf, type Region, regionOf, usedInputs } from "./region.ts";
import { Rows, rowsOf } from "./rows.ts";
import { type Loop, pullScan } from "./scan-pull.ts";
import { pushScan } from "./scan-push.ts";

/** Attributes of `scan`. */
export interface ScanAttrs extends Omit<Walk, "length"> {
  /** Takes what is fixed, the carries, a row of what is walked over; gives the new carries, then the outs. */
  readonly body: Region;
  readonly fixed: number;
  readonly carries: number;
}

/** All rows, or as many as the length says. */
function tripCount(length: Tensor | null, rows: number): number {
  if (length === null) return rows;
  const n = length.data[0]!;
  if (!Number.isInteger(n) || n < 0 || n > rows) throw noLength(n, rows);
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
  batch: (s) => {
    const { length, xs, mapped, examples, body, regions, fixed, carries, rows, reverse, every } = s;
    const attrs: ScanAttrs = { body, fixed, carries, rows, reverse, every };
    if (mapped.length) return overExamples(scanOp, [length, ...xs], [true, ...mapped.xs], examples, attrs);
    return batchScan(length, xs, mapped.xs, examples, attrs, regions);
  },
  formula: { xs: "dXs = the body backward, last row first" },
  jvp: ({ length, xs, d, body, regions, fixed, carries, rows, reverse, every }) =>
    pushScan(apply, length, xs, d.xs, bodyOf(body), { fixed, carries, rows, reverse, every }, regions),
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
    return { length: null, xs: pullScan(apply, loop, arrived, asked, regions) };
  },
});

/** Applies the op; rows that the body does not use are left out. */
export function apply(
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

/** A loop written as a function of placeholders: what the step uses of its surroundings becomes operands. */
export function loop(
  step: (carries: readonly Value[], row: readonly Value[]) => Step,
  init: readonly Value[],
  walked: readonly Value[],
  walk: Walk | ((operands: readonly Value[]) => Walk),
  names?: Names,
): Applied {
  return loopWith(apply, step, init, walked, walk, names);
}

/** One loop over all examples: rows are on axis 0, the examples on axis 1. */
function batchScan(
  length: Value | null,
  xs: readonly Value[],
  mapped: readonly boolean[],
  examples: number,
  { body, fixed, carries, ...walk }: ScanAttrs,
  regions: BatchRegions,
): readonly Value[] {
  const many = mapped.slice();
  const run = bodyOf(body);
  const wanted = (): boolean[] => run.outputs.map((_, o) => o < carries && many[fixed + o]!);
  let batched = regions.batch(run, many, examples, wanted());
  // A carry differs between examples if it starts to or if the body makes it.
  for (let grows = true; grows; ) {
    grows = false;
    for (let j = 0; j < carries; j++)
      if (batched.outputs[j] && !many[fixed + j]) {
        many[fixed + j] = true;
        grows = true;
      }
    if (grows) batched = regions.batch(run, many, examples, wanted());
  }
  const from = fixed + carries;
  const made = apply(
    batched.body,
    xs.slice(0, fixed),
    xs.slice(fixed, from).map((x, j) => (many[fixed + j] ? everyExample(x, mapped[fixed + j]!, examples) : x)),
    xs.slice(from).map((x, j) => (mapped[from + j] ? moveAxis(x, 0, 1) : x)),
    { length, ...walk },
  );
  const rows = (v: Value, has: boolean): Value => (has ? moveAxis(v, 0, 1) : everyExample(v, false, examples));
  return [
    ...made.carries.map((v, j) => everyExample(v, many[fixed + j]!, examples)),
    ...made.outs.map((v, j) => rows(v, batched.outputs[carries + j]!)),
    ...made.saved.map((v, j) => rows(v, many[fixed + j]!)),
  ];
}

/** An op applied example by example, in a loop: for what takes its own course in each. */
export function overExamples(
  op: AnyOp,
  operands: readonly (Value | null)[],
  mapped: readonly boolean[],
  examples: number,
  attrs: object,
): readonly Value[] {
  const walked = operands.filter((v, i): v is Value => v !== null && mapped[i]!);
  const step = (_: readonly Value[], row: readonly Value[]): Step => {
    let at = 0;
    const given = operands.map((v, i) => (v !== null && mapped[i] ? row[at++]! : v));
    return { carries: [], outs: applyTo(op, given, attrs) as readonly Value[] };
  };
  return loop(step, [], walked, { length: null, rows: examples, reverse: false, every: 0 }).outs;
}
