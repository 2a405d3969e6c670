import type { DType } from "../../ir/dtype.ts";
import type { Node } from "../../ir/node.ts";
import { type Shape, sameShape, sizeOf } from "../../ir/shape.ts";
import { type Buffer, isWhole, type View, wholeView } from "./view.ts";

/**
 * Steps that are run one after the other on some rows, then on the next, so that what one writes the next finds in the cache. The rows are whatever the steps
 * keep apart: the rows of a matrix, the channels of images, the groups of channels of each image.
 */
export interface Rows<S> {
  readonly kind: "rows";
  readonly turns: number;
  /** The steps on the rows of one turn; products are whole, and take the matrices of their turn. */
  readonly steps: readonly S[];
  /** The same on all rows. */
  readonly whole: readonly S[];
  /** Memory that each thread needs for what nobody reads after the turn. */
  readonly bytes: number;
  /** Into how many parts it can be cut: what is added up over all rows is added up in each, and `sums` adds up those. */
  readonly parts: number;
  readonly sums: readonly S[];
}

type Source = { readonly member: number } | { readonly view: View };

/** A loop, as far as it matters here. */
interface Loop {
  readonly kind: "loop";
  readonly shape: Shape;
  readonly members: readonly { readonly node: Node; readonly args: readonly Source[]; readonly out: View | null }[];
  readonly totals: readonly Total[];
}
interface Total {
  readonly source: Source;
  readonly out: View;
  readonly onto?: boolean;
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
/**
 * Bytes of the first-level cache that the rows of a turn may take, and of the second that those of a single turn may; and bytes in all that rows in stretches
 * far from each other, as the channels of images are, are worth it for: the processor reads ahead of a walk in order, which is faster where a cache has it all.
 */
const [mostBytes, mostTogether, worthApart] = [20_000, 1_000_000, 12_000_000];
/** Elements that a turn is worth starting for, and those side by side of rows that lie apart from each other. */
const [fewest, leastStretch] = [256, 1024];
/** Parts of turns that threads can share, and bytes from which on they may. */
const [fewParts, worthParts] = [8, 200_000];

/** Any step, as far as it matters here. */
type Touching =
  | Loop
  | { readonly kind: "product" | "convolution"; readonly a: View; readonly b: View; readonly out: Buffer }
  | { readonly kind: "rows"; readonly whole: readonly Touching[] }
  | { readonly kind: "kernel" | "host" | "control"; readonly operands: readonly (View | null)[]; readonly outs: readonly Buffer[] };

/** What a step reads, and the buffers that it writes. */
interface Touched {
  readonly reads: readonly View[];
  readonly outs: readonly Buffer[];
}

/** Finds out what a step reads and writes. */
export function touched(step: Touching): Touched {
  if ("operands" in step) return { reads: step.operands.flatMap((v) => v ?? []), outs: step.outs };
  if ("a" in step) return { reads: [step.a, step.b], outs: [step.out] };
  if ("whole" in step) {
    const all = step.whole.map(touched);
    return { reads: all.flatMap((t) => t.reads), outs: all.flatMap((t) => t.outs) };
  }
  const reads: View[] = [];
  const outs: Buffer[] = [];
  // Some hundreds of members a loop, of which a large graph has thousands: no lists of lists.
  const read = (s: Source): void => {
    if ("view" in s) reads.push(s.view);
  };
  for (const { args, out } of step.members) {
    for (const a of args) read(a);
    if (out !== null) outs.push(out.buffer);
  }
  for (const { source, out } of step.totals) {
    read(source);
    outs.push(out.buffer);
  }
  return { reads, outs };
}

/** Where the rows are among the axes of a shape, one of which may be cut in two for that. */
interface Place {
  readonly shape: Shape;
  readonly from: number;
  readonly to: number;
  readonly cut: number;
}

/** So many rows from an axis on, null where its sizes do not come to that. */
function placeAt(shape: Shape, rows: number, from: number): Place | null {
  let rest = rows;
  for (let to = from; to < shape.length; to++) {
    const size = shape[to]!;
    if (size === rest) return { shape, from, to: to + 1, cut: -1 };
    if (size > rest)
      return size % rest === 0
        ? { shape: [...shape.slice(0, to), rest, size / rest, ...shape.slice(to + 1)], from, to: to + 1, cut: to }
        : null;
    if (rest % size !== 0) return null;
    rest /= size;
  }
  return null;
}

/** A view of the shape of a place. */
const cutView = (view: View, { shape, cut }: Place): View =>
  cut < 0 ? view : { ...view, shape, strides: view.strides.flatMap((s, i) => (i === cut ? [s * shape[cut + 1]!, s] : [s])) };

/** From one row of a view to the next, and after how many rows it begins anew; null where rows do not lie evenly. */
function walkOf({ shape, strides }: View, { from, to }: Place): { readonly step: number; readonly wrap: number } | null {
  let [step, wrap, all] = [0, 1, 1];
  for (let i = to - 1; i >= from; i--) {
    const [size, stride] = [shape[i]!, strides[i]!];
    if (size === 1) continue;
    if (wrap === 1 && all === 1) step = stride;
    if (stride === step * all && wrap === all) wrap *= size;
    else if (stride !== 0) return null;
    all *= size;
  }
  return { step, wrap: step === 0 ? all : wrap };
}

/** Whether each row of a view lies within the same row of a buffer in which `inner` elements of a row are side by side. */
function staysWithin(view: View, place: Place, rows: number, inner: number): boolean {
  const walk = walkOf(view, place);
  if (walk?.step !== inner || walk.wrap !== rows) return false;
  let low = view.offset % (inner * rows);
  let high = low;
  for (const [i, stride] of view.strides.entries()) {
    if ((i >= place.from && i < place.to) || stride % (inner * rows) === 0) continue;
    const reach = (view.shape[i]! - 1) * stride;
    if (reach < 0) low += reach;
    else high += reach;
  }
  return low >= 0 && high < inner;
}

/** For each buffer that was written how many elements of a row are side by side in it; NaN for what is there when all rows are done. */
type Written = ReadonlyMap<Buffer, number>;

/** What a step writes, as `Written`, if it can be run row by row at a place after others; null where it cannot. */
function writtenAt(step: Loop | Product, { reads, outs }: Touched, place: Place, rows: number, before: Written): Written | null {
  const able = (v: View): boolean => {
    const view = step.kind === "loop" ? cutView(v, place) : v;
    const inner = before.get(v.buffer);
    return inner === undefined ? walkOf(view, place) !== null : staysWithin(view, place, rows, inner);
  };
  if (outs.some((b) => before.has(b)) || !reads.every(able)) return null;
  const inner = sizeOf(place.shape.slice(place.to));
  const found = new Map<Buffer, number>();
  if (step.kind === "product") return found.set(step.out, inner);
  for (const { out } of step.members) {
    if (out === null) continue;
    if (!isWhole(out)) return null;
    found.set(out.buffer, inner);
  }
  for (const t of step.totals) {
    const out = cutView(t.out, place);
    const walk = walkOf(out, place);
    if (walk === null || out.strides.some((s, i) => i < place.from && s !== 0)) return null;
    found.set(out.buffer, walk.step === 0 || walk.wrap < rows ? Number.NaN : walk.step);
  }
  return found;
}

/** Where the rows of a step are: of several places the one that agrees with where others of the same size have theirs. */
function placeOf(
  step: Loop | Product,
  what: Touched,
  rows: number,
  before: Written,
  inners: ReadonlyMap<number, number>,
): [Place, Written] | null {
  const { shape } = step.kind === "product" ? step.node.type : step;
  const size = sizeOf(shape);
  if (size === 0 || size % rows !== 0) return null;
  if (step.kind === "product") {
    // A matrix of its own for each row on both sides.
    const batch = shape.slice(0, -2);
    const place = { shape, from: 0, to: batch.length, cut: -1 };
    if (sizeOf(batch) !== rows) return null;
    for (const { shape: s, strides } of [step.a, step.b])
      if (!sameShape(s.slice(0, -2), batch) || batch.some((n, i) => n !== 1 && strides[i] === 0)) return null;
    const written = writtenAt(step, what, place, rows, before);
    return written && [place, written];
  }
  const inner = inners.get(size);
  for (const cut of [false, true])
    for (let from = 0; from < shape.length; from++) {
      const place = placeAt(shape, rows, from);
      if (place === null || place.cut >= 0 !== cut) continue;
      if (inner !== undefined && inner !== sizeOf(place.shape.slice(place.to))) continue;
      const written = writtenAt(step, what, place, rows, before);
      if (written !== null) return [place, written];
    }
  return null;
}

/** A loop on `count` of its rows; the views move on with each turn. */
function narrowed<L extends Loop>(
  loop: L,
  place: Place,
  rows: number,
  count: number,
  own: Written = new Map(),
  sum = (_: Total, out: View): View => out,
): L {
  const { from, to } = place;
  const among = (list: readonly number[], one: number): number[] => [...list.slice(0, from), one, ...list.slice(to)];
  const shape = among(place.shape, count);
  const part = (v: View): View => {
    const view = cutView(v, place);
    const { step, wrap } = walkOf(view, place)!;
    const apart = own.get(v.buffer)! * rows;
    // Of what is kept for one turn alone, the other rows are left out.
    if (apart > 0) return { ...view, shape, strides: among(view.strides.map((s) => (s % apart === 0 ? (s / rows) * count : s)), step) }; // biome-ignore format: one view
    return { ...view, shape, strides: among(view.strides, step), turn: count * step, wrap: wrap < rows ? wrap / count : 0 };
  };
  const source = (s: Source): Source => ("view" in s ? { view: part(s.view) } : s);
  return {
    ...loop,
    shape,
    members: loop.members.map((m) => ({ ...m, args: m.args.map(source), out: m.out === null ? null : part(m.out) })),
    totals: loop.totals.map((t) => {
      const out = part(t.out);
      const onto = out.turn === 0 || (out.wrap ?? 0) > 0;
      return { ...t, source: source(t.source), out: onto ? sum(t, out) : out, onto };
    }),
  };
}

/** Steps that can be run row by row, and where each has its rows. */
interface Run {
  readonly rows: number;
  readonly steps: (Loop | Product)[];
  readonly touched: Touched[];
  readonly places: Place[];
  readonly written: Map<Buffer, number>;
}

/** How many rows a turn has: as many as the cache holds, in turns of one length; 0 where turns are not worth it. */
function rowsOf({ rows, steps, touched: views, places }: Run, bytesOf: (b: Buffer) => number): number {
  if (steps.some((s) => s.kind === "product")) return 1;
  const buffers = new Set(views.flatMap(({ reads, outs }) => [...reads.map((v) => v.buffer), ...outs]));
  const bytes = [...buffers].map(bytesOf).reduce((a, b) => a + b, 0);
  const wraps = steps.flatMap((s, i) =>
    [...views[i]!.reads, ...(s as Loop).totals.map((t) => t.out)].map((v) => walkOf(cutView(v, places[i]!), places[i]!)!.wrap),
  );
  const elements = Math.max(...places.map(({ shape }) => sizeOf(shape))) / rows;
  const least = Math.max(...places.map(({ shape, from, to }) => (from === 0 ? 1 : Math.ceil(leastStretch / sizeOf(shape.slice(to))))));
  const most = Math.max(least, Math.floor((mostBytes * rows) / bytes), 1);
  // Their greatest common divisor.
  const unit = wraps.reduce((a, b) => {
    while (b > 0) [a, b] = [b, a % b];
    return a;
  }, rows);
  let count = Math.min(most, unit);
  while (unit % count !== 0) count--;
  if (
    (bytes >= worthApart || places.every((p) => p.from === 0)) &&
    count >= least &&
    count < rows &&
    count * elements >= fewest &&
    count * 8 >= most
  )
    return count;
  return bytes <= mostTogether ? rows : 0;
}

/** What a step keeps apart: how many rows, of what size in all, with how many elements side by side. */
type Choice = readonly [rows: number, size: number, inner: number];

function choicesOf(step: Loop | Product | null): readonly Choice[] {
  if (step === null) return [];
  if (step.kind === "product") {
    const { shape } = step.node.type;
    return [[sizeOf(shape.slice(0, -2)), sizeOf(shape), sizeOf(shape.slice(-2))]];
  }
  return step.totals.flatMap(({ out: { strides } }) => {
    const from = strides.findIndex((stride) => stride !== 0);
    const kept = strides.filter((stride) => stride !== 0).length;
    // All of the axes that are kept, or all but the last, of which a row then has more than one place.
    return [kept, kept - 1].map((n): Choice => {
      const [rows, rest] = [step.shape.slice(from, from + n), step.shape.slice(from + n)];
      return [strides.slice(from, from + n).includes(0) ? 0 : sizeOf(rows), sizeOf(step.shape), sizeOf(rest)];
    });
  });
}

/** Puts steps that follow each other together where they can be run row by row and one reads what another wrote; `joined` hears of the first and last of each. */
export function byRows<S extends { readonly kind: string }>(
  steps: readonly S[],
  bytesOf: (b: Pick<Buffer, "dtype" | "length">) => number,
  joined: (first: number, last: number, buffers: readonly Buffer[]) => void,
  buffer: (dtype: DType, length: number) => Buffer,
): (S | Rows<S>)[] {
  const made: (S | Rows<S>)[] = [];
  const able = steps.map((s) => (s.kind === "loop" || s.kind === "product" ? (s as unknown as Loop | Product) : null));
  const seen: Touched[] = [];
  const choices = able.map(choicesOf);
  for (let i = 0; i < steps.length; ) {
    let best: Run = { rows: 0, steps: [], touched: [], places: [], written: new Map() };
    let count = 0;
    for (const [rows, size, inner] of choices.slice(i, i + 3).flat()) {
      const written = new Map<Buffer, number>();
      const run: Run = { rows, steps: [], touched: [], places: [], written };
      const inners = new Map([[size, inner]]);
      let read = false;
      for (let at = i; rows > 1 && at < i + mostSteps; at++) {
        const step = able[at];
        if (!step) break;
        const what = (seen[at] ??= touched(step));
        const found = placeOf(step, what, rows, written, inners);
        if (found === null) break;
        run.steps.push(step);
        run.touched.push(what);
        run.places.push(found[0]);
        if (what.reads.some((v) => written.has(v.buffer))) read = true;
        for (const [b, side] of found[1]) {
          written.set(b, side);
          if (side > 0) inners.set(b.length, side);
        }
      }
      const some = read && run.steps.length > best.steps.length ? rowsOf(run, bytesOf) : 0;
      if (some > 0) [best, count] = [run, some];
    }
    const { rows, steps: run, places } = best;
    if (count === 0) {
      made.push(steps[i++]!);
      continue;
    }
    const whole = steps.slice(i, i + run.length);
    let [narrow, bytes] = [whole, 0];
    const sums: Loop[] = [];
    let parts = fewParts;
    if (count < rows) {
      const all = best.touched.flatMap(({ reads, outs }) => [...reads.map((v) => v.buffer), ...outs]);
      const own = ownOf(best, i);
      if (all.reduce((n, b) => n + bytesOf(b), 0) < worthParts) parts = 1;
      while ((rows / count) % parts !== 0) parts--;
      const sum = (t: Total, out: View): View => {
        if (parts === 1) return out;
        const { dtype, length } = t.out.buffer;
        const each = buffer(dtype, parts * length);
        all.push(each);
        const shape = [parts, length];
        const onto = { buffer: t.out.buffer, shape, strides: [0, 1], offset: 0 };
        sums.push({ kind: "loop", shape, members: [], totals: [{ ...t, source: { view: wholeView(each, shape) }, out: onto }] });
        return { ...out, buffer: each, stretch: [rows / count / parts, length] };
      };
      for (const b of own.keys()) {
        b.place = "turn";
        b.offset = bytes;
        b.length *= count / rows;
        bytes += Math.ceil((bytesOf(b) + 16) / 64) * 64;
      }
      narrow = run.map((s, k) => (s.kind === "loop" ? narrowed(s, places[k]!, rows, count, own, sum) : s)) as unknown as S[];
      joined(i, i + run.length - 1, all.filter((b) => !own.has(b))); // biome-ignore format: one call
    }
    made.push({ kind: "rows", turns: rows / count, steps: narrow, whole, bytes, parts, sums: sums as unknown as S[] });
    i += run.length;
  }
  return made;
}

/** Of what a run writes, from step `first` on, that which nobody reads after the turn. Products find their matrices in the whole. */
function ownOf({ steps, written }: Run, first: number): Written {
  const products = new Set(steps.flatMap((s) => (s.kind === "product" ? [s.a.buffer, s.b.buffer, s.out] : [])));
  return new Map([...written].filter(([b, inner]) => inner > 0 && b.place === "scratch" && b.first >= first && b.last < first + steps.length && !products.has(b))); // biome-ignore format: one condition
}

/** A loop as so many turns, or about as many; null where its rows depend on each other. */
export function inTurns<L extends Loop>(loop: L, parts: number): Rows<L> | null {
  let [rows, turns] = [1, parts];
  for (const size of loop.shape) if (rows < parts) rows *= size;
  while (turns <= mostSteps && rows % turns !== 0) turns++;
  const place = parts > 1 && turns <= mostSteps && sizeOf(loop.shape) > 0 ? placeAt(loop.shape, rows, 0) : null;
  const written = place && writtenAt(loop, touched(loop), place, rows, new Map());
  if (written === null || [...written.values()].some(Number.isNaN)) return null;
  return { kind: "rows", turns, steps: [narrowed(loop, place!, rows, rows / turns)], whole: [loop], bytes: 0, parts: 1, sums: [] };
}
