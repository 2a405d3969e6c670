import { between, pullback, zerosLike } from "../../autodiff/pullback.ts";
import { evaluate, heldBy, settleAll } from "../../evaluate/evaluate.ts";
import { allocate, isFloat } from "../../ir/dtype.ts";
import { DTypeError } from "../../ir/errors.ts";
import { lift, variable } from "../../ir/leaf.ts";
import { memoOf, type Node, type Value, valuesOf } from "../../ir/node.ts";
import { dense, hold, type Tensor } from "../../ir/tensor.ts";
import { rebuild } from "../../ir/tree.ts";
import { collect } from "../../ir/walk.ts";
import { applyTo } from "../../ops/define.ts";
import { type Case, inDtype, resultsIn, roomOf } from "../case.ts";
import { drawsFrom, weight } from "../draws.ts";
import { judge } from "../judge.ts";
import { allFinite, dot, largest, moved, pointAt, pulledAt, resultsAt } from "../point.ts";
import { thresholds } from "../thresholds.ts";
import { crossings, sidesIn } from "./kink-sides.ts";

/** One step size of a sweep: how far plain central differences are from the gradient there. */
export interface SweepPoint {
  readonly step: number;
  /** |analytic - numeric| / max(|analytic|, |numeric|), computed in f64. */
  readonly error: number;
  /** The same with the function computed in f32; null where it cannot be. */
  readonly error32: number | null;
  /** Elements of gates that are on another side of a kink at the two ends of the difference. */
  readonly crossings: number;
}

/** The step sizes of one variable, moved as a whole along a random direction. */
export interface Sweep {
  readonly path: string;
  readonly analytic: number;
  readonly points: readonly SweepPoint[];
}

/** One op of the graph: the rules of its gates against differences, each gate by itself, on the values that it has. */
export interface OpRow {
  readonly op: string;
  /** Gates of this op that gradients pass, and how many of them were checked. */
  readonly gates: number;
  readonly checked: number;
  readonly error: number;
  readonly verdict: "pass" | "look" | "fail" | "kink";
}

/** One variable's gradient in f32 beside that in f64. */
export interface PrecisionRow {
  readonly path: string;
  /** The largest difference, relative to the largest element. */
  readonly error: number;
  /** The same in units in the last place of f32. */
  readonly ulps: number;
}

/** What a gradient check says beyond its rows. */
export interface GradientDetails {
  readonly ops: readonly OpRow[];
  readonly sweeps: readonly Sweep[];
  /** Null where the function cannot be computed in f32. */
  readonly precision: readonly PrecisionRow[] | null;
}

/** What details are made from. */
export interface DetailsSource {
  readonly loss: (tree: unknown) => Value;
  readonly tree: unknown;
  readonly given: readonly { readonly path: string; readonly tensor: Tensor }[];
  readonly seed: number;
}

const gatesPerOp = 8;

/** Takes the details: one sweep a float variable, one row an op, the gradient in f32. */
export function detailsOf(source: DetailsSource): GradientDetails {
  const at = tracedAt(source, (t) => t);
  const single = inSingle(source);
  return {
    ops: opRows(at, source.seed),
    sweeps: at.floats.map((k) => sweepOf(source, at, single, k)),
    precision: single === null ? null : precisionRows(source, at, single),
  };
}

interface Traced {
  readonly f: Value;
  readonly leaves: readonly Value[];
  readonly floats: readonly number[];
  readonly gradients: ReadonlyMap<number, Tensor>;
}

function tracedAt({ loss, tree, given }: DetailsSource, change: (t: Tensor, k: number) => Tensor): Traced {
  const leaves = given.map(({ tensor }, k) => variable(change(tensor, k)));
  let i = 0;
  const f = loss(rebuild(tree, () => leaves[i++]!));
  const floats = leaves.flatMap((v, k) => (isFloat(v.type.dtype) ? [k] : []));
  const asked = floats.map((k) => leaves[k]!);
  const found = pullback([f], [lift(1, f.type.dtype)], asked);
  const gradients = new Map(floats.map((k, j) => [k, evaluate(found[j] ?? zerosLike(asked[j]!)) as Tensor]));
  return { f, leaves, floats, gradients };
}

/** The same in f32; null where the function insists on f64. */
function inSingle(source: DetailsSource): Traced | null {
  try {
    const at = tracedAt(source, (t) => inDtype(t, "f32"));
    return at.f.type.dtype === "f32" ? at : null;
  } catch (error) {
    if (error instanceof DTypeError) return null;
    throw error;
  }
}

function directionFor(t: Tensor, seed: number): Tensor {
  const draw = drawsFrom(seed);
  const data = allocate("f64", t.data.length);
  // Steps are relative to the size of what is moved, and absolute below 1.
  const scale = Math.max(1, largest(t));
  for (let i = 0; i < data.length; i++) data[i] = weight(draw) * scale;
  return hold({ ...t.type, dtype: "f64" }, data);
}

function inner(a: Tensor, b: Tensor): number {
  let s = 0;
  for (let i = 0; i < a.data.length; i++) s += a.data[i]! * b.data[i]!;
  return s;
}

function relative(a: number, b: number): number {
  const apart = Math.abs(a - b);
  return apart === 0 ? 0 : apart / Math.max(Math.abs(a), Math.abs(b));
}

function sweepOf(source: DetailsSource, at: Traced, single: Traced | null, k: number): Sweep {
  const { path, tensor } = source.given[k]!;
  const along = directionFor(tensor, source.seed + 17 * k + 1);
  const analytic = inner(at.gradients.get(k)!, along);
  const runAt = (h: number, change: (t: Tensor) => Tensor): { readonly value: number; readonly sides: Float64Array[] } => {
    const shifted = hold(
      tensor.type,
      tensor.data.map((x: number, i: number) => x + h * along.data[i]!),
    );
    let i = 0;
    const leaves = source.given.map((g, j) => variable(change(j === k ? shifted : g.tensor)));
    const f = source.loss(rebuild(source.tree, () => leaves[i++]!));
    settleAll([f]);
    const held = heldBy(f);
    const sides = sidesIn(collect([f]), (node, operand) => heldAt(node.operands[operand]!));
    return { value: typeof held === "number" ? held : held.data[0]!, sides };
  };
  const points: SweepPoint[] = [];
  for (let i = 0; i <= 22; i++) {
    const step = Number(`1e-${1 + Math.floor(i / 2)}`) * (i % 2 === 0 ? 1 : Math.sqrt(0.1));
    const [right, left] = [runAt(step, (t) => t), runAt(-step, (t) => t)];
    const slope = (right.value - left.value) / (2 * step);
    let error32: number | null = null;
    if (single !== null) {
      const narrow = (t: Tensor): Tensor => inDtype(t, "f32");
      error32 = relative((runAt(step, narrow).value - runAt(-step, narrow).value) / (2 * step), analytic);
    }
    points.push({ step, error: relative(slope, analytic), error32, crossings: crossings(right.sides, left.sides) });
  }
  return { path, analytic, points };
}

function heldAt(v: Value): Tensor {
  return dense(memoOf(v) ?? heldBy(v), v.type);
}

function precisionRows({ given }: DetailsSource, at: Traced, single: Traced): PrecisionRow[] {
  return at.floats.map((k) => {
    const [wide, narrow] = [at.gradients.get(k)!, single.gradients.get(k)!];
    let apart = 0;
    for (let i = 0; i < wide.data.length; i++) apart = Math.max(apart, Math.abs(wide.data[i]! - narrow.data[i]!));
    const top = largest(wide);
    const error = apart === 0 ? 0 : apart / top;
    return { path: given[k]!.path, error, ulps: apart === 0 ? 0 : apart / 2 ** (Math.floor(Math.log2(top)) - 23) };
  });
}

function opRows({ f, leaves, floats }: Traced, seed: number): OpRow[] {
  const { order, active } = between(
    [f],
    floats.map((k) => leaves[k]!),
  );
  settleAll([f]);
  const byOp = new Map<string, Node[]>();
  order.forEach((node, i) => {
    if (active[i] !== 1 || node.operands.length === 0 || node.op.pull === null) return;
    const list = byOp.get(node.op.name);
    if (list === undefined) byOp.set(node.op.name, [node]);
    else list.push(node);
  });
  const rank = { pass: 0, kink: 1, look: 2, fail: 3 };
  const rows: OpRow[] = [];
  for (const [op, nodes] of byOp) {
    // Spread over the graph, so that one layer does not stand for all.
    const chosen =
      nodes.length <= gatesPerOp
        ? nodes
        : Array.from({ length: gatesPerOp }, (_, i) => nodes[Math.floor((i * nodes.length) / gatesPerOp)]!);
    let worst: Pick<OpRow, "error" | "verdict"> = { error: 0, verdict: "pass" };
    for (const [i, node] of chosen.entries()) {
      const found = gateRow(node, seed + i);
      if (rank[found.verdict] > rank[worst.verdict] || (found.verdict === worst.verdict && found.error > worst.error)) worst = found;
    }
    rows.push({ op, gates: nodes.length, checked: chosen.length, ...worst });
  }
  return rows;
}

/** One gate by itself: its rule along a random direction against differences of its kernel, within reach of its domain and kinks. */
function gateRow(node: Node, seed: number): Pick<OpRow, "error" | "verdict"> {
  const operands = node.operands.map((v) => (v === null ? null : inDtype(heldAt(v), "f64")));
  const room = roomOf(
    node.op,
    node,
    operands,
    operands.map((t) => (t === null ? null : Math.max(1e-3, largest(t)))),
  );
  const c: Case = {
    name: node.op.name,
    op: node.op,
    operands,
    attrs: node.attrs,
    room,
    floats: operands.flatMap((t, i) => (t !== null && isFloat(t.type.dtype) ? [i] : [])),
    apply: (values) => valuesOf((resultsIn(applyTo(node.op, values, node.attrs))[0] as Value).node),
  };
  const point = pointAt(c, drawsFrom(seed));
  if (!point.finite || point.live.length === 0) return { error: Number.NaN, verdict: "look" };
  const pulled = pulledAt(point, point.xs).grads.map((g) => evaluate(g) as Tensor);
  if (!pulled.every(allFinite)) return { error: Number.NaN, verdict: "look" };
  const numbers = (t: number): number => {
    const all = resultsAt(c, moved(point.xs, point.along, t));
    return dot(
      point.live.map((i) => all[i]!),
      point.cts,
    ).sum;
  };
  const { error, verdict } = judge(numbers, dot(pulled, point.along).sum, 0.1, thresholds.f64, "f64");
  // Elements on a kink have no room, so they did not move: what was judged is the others.
  const onKink = node.op.facts.kink !== null && room.some((r) => r?.some((x) => x === 0));
  return { error, verdict: onKink && verdict !== "fail" ? "kink" : verdict };
}
