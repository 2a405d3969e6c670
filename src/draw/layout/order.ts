import type { Item, Link } from "./layers.ts";

/**
 * Orders each layer so that few wires cross: barycentre sweeps forward and back, then exchanges of neighbours, keeping the best order seen. Starts
 * from the depth-first guess. The number of sweeps depends on the size alone, never on the clock, so the same scene always gives the same picture.
 */
export function orderLayers(layers: readonly Item[][]): void {
  for (const layer of layers) renumber(layer.sort((a, b) => a.guess - b.guess));
  const count = layers.reduce((sum, layer) => sum + layer.length, 0);
  const sweeps = count < 1500 ? 24 : count < 4000 ? 10 : count < 12_000 ? 6 : 3;
  const best: Best = { crossings: totalCrossings(layers), order: layers.map((layer) => layer.slice()) };
  improve(layers, best, sweeps, count < 12_000);
  putInOrder(layers, best.order);
}

interface Best {
  crossings: number;
  order: readonly (readonly Item[])[];
}

function improve(layers: readonly Item[][], best: Best, sweeps: number, exchange: boolean): void {
  for (let sweep = 0, stale = 0; sweep < sweeps && best.crossings > 0 && stale < 3; sweep++) {
    const forward = sweep % 2 === 0;
    for (let i = 0; i < layers.length; i++) sortByBarycentre(layers[forward ? i : layers.length - 1 - i]!, forward);
    if (exchange) for (let i = 0; i < layers.length; i++) exchangeNeighbours(layers[forward ? i : layers.length - 1 - i]!);
    const crossings = totalCrossings(layers);
    if (crossings < best.crossings) {
      best.crossings = crossings;
      best.order = layers.map((layer) => layer.slice());
      stale = 0;
    } else stale++;
  }
}

function putInOrder(layers: readonly Item[][], order: readonly (readonly Item[])[]): void {
  order.forEach((items, i) => {
    const layer = layers[i]!;
    for (let p = 0; p < items.length; p++) layer[p] = items[p]!;
    renumber(layer);
  });
}

function renumber(layer: readonly Item[]): void {
  for (let p = 0; p < layer.length; p++) layer[p]!.position = p;
}

const start = (link: Link): number => link.from.position + link.fromFraction;
const end = (link: Link): number => link.to.position + link.toFraction;

function sortByBarycentre(layer: Item[], forward: boolean): void {
  const keyed = layer.map((item) => {
    const links = forward ? item.ins : item.outs;
    let sum = 0;
    for (const link of links) sum += forward ? start(link) : end(link);
    return { item, key: links.length > 0 ? sum / links.length : item.position };
  });
  keyed.sort((a, b) => a.key - b.key || a.item.position - b.item.position);
  for (let p = 0; p < keyed.length; p++) layer[p] = keyed[p]!.item;
  renumber(layer);
}

function exchangeNeighbours(layer: Item[]): void {
  for (let round = 0, improved = true; improved && round < 4; round++) {
    improved = false;
    for (let p = 0; p + 1 < layer.length; p++) {
      const upper = layer[p]!;
      const lower = layer[p + 1]!;
      if (gainOfExchange(upper, lower) <= 0) continue;
      layer[p] = lower;
      layer[p + 1] = upper;
      lower.position = p;
      upper.position = p + 1;
      improved = true;
    }
  }
}

/** Crossings saved by putting `lower` above `upper`. */
function gainOfExchange(upper: Item, lower: Item): number {
  let gain = 0;
  for (const a of upper.ins) for (const b of lower.ins) gain += Math.sign(start(a) - start(b));
  for (const a of upper.outs) for (const b of lower.outs) gain += Math.sign(end(a) - end(b));
  return gain;
}

/** Crossings between neighbouring layers, stretches of one net not counted against each other. */
export function totalCrossings(layers: readonly Item[][]): number {
  let total = 0;
  for (const layer of layers) total += crossingsAfter(layer);
  return total;
}

/** Counts pairs out of order with a Fenwick tree over the ends. */
function crossingsAfter(layer: readonly Item[]): number {
  const links = layer.flatMap((item) => item.outs).sort((a, b) => start(a) - start(b));
  if (links.length < 2) return 0;
  const ends = Float64Array.from(links, end).sort();
  const place = new Map<number, number>();
  for (const value of ends) if (!place.has(value)) place.set(value, place.size + 1);
  const tree = new Int32Array(place.size + 1);
  const countUpTo = (i: number): number => {
    let sum = 0;
    for (; i > 0; i -= i & -i) sum += tree[i]!;
    return sum;
  };
  let crossings = 0;
  for (let i = 0; i < links.length; ) {
    let next = i;
    for (; next < links.length && start(links[next]!) === start(links[i]!); next++) {
      crossings += i - countUpTo(place.get(end(links[next]!))!);
    }
    for (; i < next; i++) for (let p = place.get(end(links[i]!))!; p < tree.length; p += p & -p) tree[p]!++;
  }
  return crossings;
}
