import type { Node } from "../../ir/node.ts";
import { type Shape, sameShape, sizeOf } from "../../ir/shape.ts";
import { type Buffer, isWhole, type View } from "./view.ts";

/** Steps that are run one after the other on some rows, then on the next, so that what one writes the next finds in the first-level cache. */
export interface Rows<S> {
  readonly kind: "rows";
  readonly turns: number;
  /** The steps on the rows of one turn; products are whole, and take the matrices of their turn. */
  readonly steps: readonly S[];
  /** The same on all rows. */
  readonly whole: readonly S[];
}

type Source = { readonly member: number } | { readonly view: View };

/** A loop, as far as it matters here. */
interface Loop {
  readonly kind: "loop";
  readonly shape: Shape;
  readonly members: readonly { readonly node: Node; readonly args: readonly Source[]; readonly out: View | null }[];
  readonly totals: readonly { readonly source: Source; readonly axes: readonly number[]; readonly out: Buffer }[];
}
interface Product {
  readonly kind: "product";
  readonly node: Node;
  readonly a: View;
  readonly b: View;
  readonly out: Buffer;
}

/** So that the search for them takes no longer than in proportion to the steps; and most turns that a loop is cut into. */
const mostSteps = 64;
/** Bytes of the first-level cache that the rows of a turn may take. */
const mostBytes = 20_000;
/** Elements that a turn is worth starting for. */
const fewest = 256;

const sourcesOf = ({ members, totals }: Loop): View[] =>
  [...members.flatMap((m) => m.args), ...totals.map((t) => t.source)].flatMap((s) => ("view" in s ? [s.view] : []));

/** The buffers that a step reads and writes. */
function touched(step: Loop | Product): { readonly reads: readonly View[]; readonly outs: readonly Buffer[] } {
  if (step.kind === "product") return { reads: [step.a, step.b], outs: [step.out] };
  const outs = [...step.members.flatMap((m) => (m.out === null ? [] : [m.out.buffer])), ...step.totals.map((t) => t.out)];
  return { reads: sourcesOf(step), outs };
}

/** How many leading axes of a shape have so many places, -1 where none do. */
function leading(shape: Shape, rows: number): number {
  let places = 1;
  for (let lead = 1; lead <= shape.length; lead++) {
    places *= shape[lead - 1]!;
    if (places === rows) return lead;
  }
  return -1;
}

/** From one row of a view to the next, null where rows do not lie evenly. */
function stepOf({ shape, strides }: View, lead: number): number | null {
  const axes = Array.from({ length: lead }, (_, i) => i).filter((i) => shape[i] !== 1);
  for (const [n, i] of axes.entries()) {
    const after = axes[n + 1];
    if (after !== undefined && strides[i] !== strides[after]! * shape[after]!) return null;
  }
  return axes.length === 0 ? 0 : strides[axes[axes.length - 1]!]!;
}

/** Whether each row of a view lies within the same row of a buffer whose rows have `length` elements. */
function staysWithin(view: View, lead: number, length: number): boolean {
  if (stepOf(view, lead) !== length) return false;
  let [low, high] = [view.offset, view.offset];
  for (let i = lead; i < view.shape.length; i++) {
    const reach = (view.shape[i]! - 1) * view.strides[i]!;
    if (reach < 0) low += reach;
    else high += reach;
  }
  return low >= 0 && high < length;
}

/** Whether a step can be run row by row, after others that wrote rows of some length. */
function fits(step: Loop | Product, rows: number, written: ReadonlyMap<Buffer, number>): boolean {
  const shape = step.kind === "loop" ? step.shape : step.node.type.shape;
  const lead = leading(shape, rows);
  if (lead < 0 || sizeOf(shape) === 0) return false;
  const { reads, outs } = touched(step);
  if (outs.some((b) => b.length % rows !== 0 || written.has(b))) return false;
  if (step.kind === "product") {
    // A matrix of its own for each row on both sides.
    const batch = shape.slice(0, -2);
    if (lead > batch.length || sizeOf(batch) !== rows) return false;
    for (const { shape: s, strides } of reads)
      if (!sameShape(s.slice(0, -2), batch) || batch.some((n, i) => n !== 1 && strides[i] === 0)) return false;
    return reads.every((v) => !written.has(v.buffer) || staysWithin(v, batch.length, written.get(v.buffer)!));
  }
  if (step.members.some((m) => m.out !== null && !isWhole(m.out))) return false;
  for (const { axes } of step.totals) {
    const first = Math.min(...axes);
    if (first < lead || shape.some((s, i) => i > first && s !== 1 && !axes.includes(i))) return false;
  }
  return reads.every((v) => {
    const length = written.get(v.buffer);
    return length === undefined ? stepOf(v, lead) !== null : staysWithin(v, lead, length);
  });
}

/** A loop on `count` of its rows; the views move on with each turn. */
function narrowed<L extends Loop>(loop: L, rows: number, count: number): L {
  const lead = leading(loop.shape, rows);
  const shape = [count, ...loop.shape.slice(lead)];
  const part = (view: View): View => {
    const step = stepOf(view, lead)!;
    return { ...view, shape, strides: [step, ...view.strides.slice(lead)], turn: count * step };
  };
  const source = (s: Source): Source => ("view" in s ? { view: part(s.view) } : s);
  return {
    ...loop,
    shape,
    members: loop.members.map((m) => ({ ...m, args: m.args.map(source), out: m.out === null ? null : part(m.out) })),
    totals: loop.totals.map((t) => ({
      ...t,
      source: source(t.source),
      axes: t.axes.map((a) => a - lead + 1),
      turn: (t.out.length / rows) * count,
    })),
  };
}

/** How many rows a turn has: as many as the cache holds, in turns of one length; 0 where turns are not worth it. */
function rowsOf(steps: readonly (Loop | Product)[], rows: number, bytesOf: (b: Buffer) => number): number {
  const buffers = new Set(steps.flatMap((s) => [...touched(s).reads.map((v) => v.buffer), ...touched(s).outs]));
  const sizes = [...buffers].map(bytesOf);
  const elements = Math.max(...steps.map((s) => sizeOf(s.kind === "loop" ? s.shape : s.node.type.shape))) / rows;
  if (steps.some((s) => s.kind === "product")) return 1;
  const most = Math.max(1, Math.floor(mostBytes / (sizes.reduce((a, b) => a + b, 0) / rows)));
  let count = Math.min(most, rows);
  while (rows % count !== 0) count--;
  return count * elements < fewest || count * 8 < most ? 0 : count;
}

/** Puts steps that follow each other together where they can be run row by row and one reads what another wrote; `joined` hears of the first and last of each. */
export function byRows<S extends { readonly kind: string }>(
  steps: readonly S[],
  bytesOf: (b: Buffer) => number,
  joined: (first: number, last: number, buffers: readonly Buffer[]) => void,
): (S | Rows<S>)[] {
  const made: (S | Rows<S>)[] = [];
  const able = (s: S | undefined): (Loop | Product) | null =>
    s !== undefined && (s.kind === "loop" || s.kind === "product") ? (s as unknown as Loop | Product) : null;
  for (let i = 0; i < steps.length; ) {
    const first = able(steps[i]);
    const shape = first === null ? [] : first.kind === "loop" ? first.shape.slice(0, -1) : first.node.type.shape.slice(0, -2);
    const rows = sizeOf(shape);
    const run: (Loop | Product)[] = [];
    const written = new Map<Buffer, number>();
    let read = false;
    for (
      let next = first;
      rows > 1 && next !== null && run.length < mostSteps && fits(next, rows, written);
      next = able(steps[i + run.length])
    ) {
      run.push(next);
      const { reads, outs } = touched(next);
      if (reads.some((v) => written.has(v.buffer))) read = true;
      for (const b of outs) written.set(b, b.length / rows);
    }
    const count = run.length > 1 && read ? rowsOf(run, rows, bytesOf) : 0;
    if (count === 0 || count === rows) {
      made.push(steps[i++]!);
      continue;
    }
    const whole = steps.slice(i, i + run.length);
    const narrow = run.map((s) => (s.kind === "loop" ? narrowed(s, rows, count) : s)) as unknown as S[];
    made.push({ kind: "rows", turns: rows / count, steps: narrow, whole });
    joined(i, i + run.length - 1, run.flatMap((s) => [...touched(s).reads.map((v) => v.buffer), ...touched(s).outs])); // biome-ignore format: one call
    i += run.length;
  }
  return made;
}

/** A loop as so many turns, or about as many; null where its rows depend on each other. */
export function inTurns<L extends Loop>(loop: L, parts: number): Rows<L> | null {
  let [rows, turns] = [1, parts];
  for (const size of loop.shape) if (rows < parts) rows *= size;
  while (turns <= mostSteps && rows % turns !== 0) turns++;
  const able = parts > 1 && turns <= mostSteps && fits(loop, rows, new Map());
  return able ? { kind: "rows", turns, steps: [narrowed(loop, rows, rows / turns)], whole: [loop] } : null;
}
