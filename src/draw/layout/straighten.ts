import type { Item, Link } from "./layers.ts";
import { least } from "./spacing.ts";

/** Items to be drawn on one horizontal line, apart from whole-number port offsets. */
interface Run {
  readonly items: readonly Item[];
  /** How far each item lies below the first. */
  readonly offset: readonly number[];
}

/**
 * Straightens runs of wire: trunks, and chains of ops with one operand. Longest first, each run moves as one piece to where its ends want it, as
 * far as its neighbours allow; a run that has no common height is cut where it is tightest. Heights end up as whole numbers.
 */
export function straighten(layers: readonly (readonly Item[])[]): void {
  const runs = findRuns(layers).sort((a, b) => b.items.length - a.items.length);
  for (let round = 0; round < 6; round++) for (const run of runs) moveRun(layers, run, 0, run.items.length);
  for (const run of runs) if (!hasOneHeight(run)) for (const [from, to] of pieces(layers, run)) level(layers, run, from, to);
  for (const layer of layers) toWholeNumbers(layer);
  for (const run of runs) if (run.items.length > 1) moveWhole(layers, run);
}

/** The one stretch that should go straight on from an item: its only one, or the trunk's. */
function straightOut(item: Item): Link | undefined {
  return item.outs.length === 1 ? item.outs[0] : item.outs.find((link) => link.to.role === "pass");
}

function findRuns(layers: readonly (readonly Item[])[]): Run[] {
  const runs: Run[] = [];
  const continued = new Set<Item>();
  for (const layer of layers) {
    for (const item of layer) {
      if (continued.has(item)) continue;
      const items = [item];
      const offset = [0];
      for (let link = straightOut(item); link && link.to.ins.length === 1; link = straightOut(link.to)) {
        offset.push(offset[offset.length - 1]! + link.fromOffset - link.toOffset);
        items.push(link.to);
        continued.add(link.to);
      }
      runs.push({ items, offset });
    }
  }
  return runs;
}

/** The heights between which an item can move while its neighbours stay. */
function room(layers: readonly (readonly Item[])[], item: Item): [number, number] {
  const layer = layers[item.layer]!;
  const above = layer[item.position - 1];
  const below = layer[item.position + 1];
  return [above ? above.y + least(above, item) : Number.NEGATIVE_INFINITY, below ? below.y - least(item, below) : Number.POSITIVE_INFINITY];
}

/** Where the stretches that leave the piece pull its first item. */
function pull(run: Run, from: number, to: number): number {
  let sum = 0;
  let total = 0;
  for (let i = from; i < to; i++) {
    const item = run.items[i]!;
    // A trunk that meets one of its branches squarely stays: half a bend at each branch is worse than one.
    if (item.outs.length > 1 && item.outs.some(isStraight)) return run.items[from]!.y - run.offset[from]!;
    for (const link of item.ins) {
      if (i > from && link.from === run.items[i - 1]) continue;
      sum += link.stiffness * (link.from.y + link.fromOffset - link.toOffset - run.offset[i]!);
      total += link.stiffness;
    }
    for (const link of item.outs) {
      if (i + 1 < to && link.to === run.items[i + 1]) continue;
      sum += link.stiffness * (link.to.y + link.toOffset - link.fromOffset - run.offset[i]!);
      total += link.stiffness;
    }
  }
  return total > 0 ? sum / total : run.items[from]!.y - run.offset[from]!;
}

function isStraight(link: Link): boolean {
  return Math.abs(link.from.y + link.fromOffset - link.to.y - link.toOffset) < 1e-6;
}

function commonRoom(layers: readonly (readonly Item[])[], run: Run, from: number, to: number): [number, number] {
  let low = Number.NEGATIVE_INFINITY;
  let high = Number.POSITIVE_INFINITY;
  for (let i = from; i < to; i++) {
    const [itemLow, itemHigh] = room(layers, run.items[i]!);
    low = Math.max(low, itemLow - run.offset[i]!);
    high = Math.min(high, itemHigh - run.offset[i]!);
  }
  return [low, high];
}

function moveRun(layers: readonly (readonly Item[])[], run: Run, from: number, to: number): void {
  const [low, high] = commonRoom(layers, run, from, to);
  if (low > high) {
    for (const [a, b] of pieces(layers, run)) level(layers, run, a, b);
  } else setHeight(run, from, to, clamp(pull(run, from, to), low, high));
}

function level(layers: readonly (readonly Item[])[], run: Run, from: number, to: number): void {
  const [low, high] = commonRoom(layers, run, from, to);
  if (low <= high) setHeight(run, from, to, clamp(pull(run, from, to), low, high));
}

/** Cuts a run into the longest pieces, from its start, that each have a common height. */
function pieces(layers: readonly (readonly Item[])[], run: Run): [number, number][] {
  const cuts: [number, number][] = [];
  for (let from = 0; from < run.items.length; ) {
    let low = Number.NEGATIVE_INFINITY;
    let high = Number.POSITIVE_INFINITY;
    let to = from;
    for (; to < run.items.length; to++) {
      const [itemLow, itemHigh] = room(layers, run.items[to]!);
      low = Math.max(low, itemLow - run.offset[to]!);
      high = Math.min(high, itemHigh - run.offset[to]!);
      if (low > high) break;
    }
    if (to === from) to++;
    cuts.push([from, to]);
    from = to;
  }
  return cuts;
}

function setHeight(run: Run, from: number, to: number, y: number): void {
  for (let i = from; i < to; i++) run.items[i]!.y = y + run.offset[i]!;
}

function clamp(y: number, low: number, high: number): number {
  return Math.min(high, Math.max(low, y));
}

function hasOneHeight({ items, offset }: Run): boolean {
  return items.every((item, i) => Math.abs(item.y - offset[i]! - items[0]!.y) < 1e-6);
}

/** Rounding keeps the order and the whole-number gaps; the inner rounding only takes away what float arithmetic left behind. */
function toWholeNumbers(layer: readonly Item[]): void {
  for (const item of layer) item.y = Math.round(Math.round(item.y * 1024) / 1024);
}

/** Rounding may have torn a run by a pixel, at a half: mend it where there is room. */
function moveWhole(layers: readonly (readonly Item[])[], run: Run): void {
  const [low, high] = commonRoom(layers, run, 0, run.items.length);
  if (low <= high) setHeight(run, 0, run.items.length, clamp(run.items[0]!.y, low, high));
}
