import { CrossingCount } from "./crossing-count.ts";
import type { Item } from "./layers.ts";

/** The most first orders that are tried. */
const mostStarts = 32;

/** How many neighbouring layers a new start shuffles. */
const shuffledLayers = 8;

/**
 * Orders each layer so that few wires cross: barycentre sweeps forward and back with exchanges of neighbours, from the natural order, its mirror
 * image, and the best order so far with a few layers shuffled, again and again; then sifting. Small scenes get more starts, and none once many
 * in a row have gained nothing. Their numbers depend on the scene alone, never on the clock, and the shuffles on a fixed seed, so the same scene
 * always gives the same picture.
 */
export function orderLayers(layers: readonly Item[][]): void {
  for (const layer of layers) layer.sort((a, b) => a.guess - b.guess);
  const order = new Order(layers);
  const { count } = order;
  const starts = Math.max(1, Math.min(mostStarts, Math.round(2600 / count)));
  const patience = (800 / count) * Math.max(1, 160 / count);
  const sweeps = count < 4000 ? 12 : count < 12_000 ? 6 : 3;
  const isExchanged = count < 40_000;
  for (let start = 0, stale = 0; start < starts && (start === 0 || (order.best > 0 && stale < patience)); start++) {
    const { best } = order;
    if (start === 1) order.mirror();
    else if (start > 1) order.disturb(start);
    order.improve(sweeps, isExchanged, start % 2 === 0);
    stale = order.best < best ? 0 : stale + 1;
  }
  order.restore();
  if (isExchanged) order.sift(count < 1000 ? 6 : count < 4000 ? 3 : 1);
  order.write(layers);
}

/** The layers in arrays, in an order that changes. */
class Order {
  readonly count: number;
  best: number = Number.POSITIVE_INFINITY;
  private readonly crossings: CrossingCount;
  private readonly layers: number;
  private readonly layerStart: Int32Array;
  /** The items of all layers in their current order. */
  private readonly sequence: Int32Array;
  private readonly kept: Int32Array;
  private readonly first: Int32Array;
  private readonly keys: Float64Array;
  /**
   * How often each layer's order has changed, with a layer that never does at either end: what depends on some layers still holds while the sum of
   * theirs is the same.
   */
  private readonly changes: Float64Array;
  /** The changes around each layer when a sweep, forward or back, last left it as it was. */
  private readonly settled: { readonly forward: Float64Array; readonly back: Float64Array };
  private readonly before: Int32Array;
  /** The crossings of each channel, and the changes beside it at which they were counted. */
  private readonly crossed: Float64Array;
  private readonly counted: Float64Array;

  constructor(layers: readonly (readonly Item[])[]) {
    const crossings = new CrossingCount(layers);
    const { layerStart } = crossings;
    this.crossings = crossings;
    this.layers = layers.length;
    this.layerStart = layerStart;
    this.count = crossings.items.length;
    this.sequence = new Int32Array(this.count).map((_, i) => i);
    this.kept = this.sequence.slice();
    this.first = this.sequence.slice();
    this.keys = new Float64Array(this.count);
    this.changes = new Float64Array(layers.length + 2);
    this.settled = { forward: new Float64Array(layers.length).fill(-1), back: new Float64Array(layers.length).fill(-1) };
    this.before = new Int32Array(layers.reduce((most, { length }) => Math.max(most, length), 0));
    this.crossed = new Float64Array(layers.length);
    this.counted = new Float64Array(layers.length).fill(-1);
    for (let l = 0; l < layers.length; l++) this.renumber(l);
  }

  /** The first order, upside down. */
  mirror(): void {
    for (let l = 0; l < this.layers; l++) {
      const from = this.layerStart[l]!;
      const to = this.layerStart[l + 1]!;
      for (let p = from; p < to; p++) this.sequence[p] = this.first[from + to - 1 - p]!;
      this.changeTo(l);
    }
  }

  /** The best order, with a few neighbouring layers shuffled as `seed` decides. */
  disturb(seed: number): void {
    this.restore();
    let state = seed * 48271;
    const below = (n: number): number => {
      state = (state * 48271 + 11) % 2147483647;
      return state % n;
    };
    const first = below(Math.max(1, this.layers - shuffledLayers + 1));
    for (let l = first; l < Math.min(this.layers, first + shuffledLayers); l++) {
      const from = this.layerStart[l]!;
      for (let p = this.layerStart[l + 1]! - 1; p > from; p--) {
        const other = from + below(p - from + 1);
        const item = this.sequence[p]!;
        this.sequence[p] = this.sequence[other]!;
        this.sequence[other] = item;
      }
      this.changeTo(l);
    }
  }

  improve(sweeps: number, isExchanged: boolean, isForwardFirst: boolean): void {
    this.keep(this.total());
    let own = Number.POSITIVE_INFINITY;
    for (let sweep = 0, stale = 0; sweep < sweeps && stale < 2 && own > 0; sweep++) {
      const forward = (sweep % 2 === 0) === isForwardFirst;
      for (let i = 0; i < this.layers; i++) this.settle(forward ? i : this.layers - 1 - i, forward, isExchanged);
      const total = this.total();
      this.keep(total);
      stale = total < own ? 0 : stale + 1;
      own = Math.min(own, total);
    }
  }

  /** One layer's turn in a sweep. Left out where it would change nothing: it did not last time, and nothing around has changed. */
  private settle(layer: number, forward: boolean, isExchanged: boolean): void {
    const { sequence, changes, before } = this;
    const settled = forward ? this.settled.forward : this.settled.back;
    const around = changes[layer]! + changes[layer + 1]! + changes[layer + 2]!;
    if (settled[layer] === around) return;
    const from = this.layerStart[layer]!;
    const to = this.layerStart[layer + 1]!;
    for (let p = from; p < to; p++) before[p - from] = sequence[p]!;
    this.sortByBarycentre(layer, forward);
    if (isExchanged) this.exchange(layer);
    let p = from;
    while (p < to && sequence[p] === before[p - from]) p++;
    if (p < to) changes[layer + 1]!++;
    else settled[layer] = around;
  }

  /** Moves each item to the best of all places in its layer, forward and back, until that changes nothing. */
  sift(rounds: number): void {
    for (let round = 0; round < rounds && this.best > 0; round++) {
      let gain = 0;
      for (let i = 0; i < this.layers; i++) gain += this.siftLayer(round % 2 === 0 ? i : this.layers - 1 - i);
      if (gain === 0) break;
      for (let i = 0; i < this.layers; i++) this.exchange(round % 2 === 0 ? this.layers - 1 - i : i);
    }
  }

  restore(): void {
    const { sequence, kept } = this;
    for (let l = 0; l < this.layers; l++) {
      let isChanged = false;
      for (let p = this.layerStart[l]!; p < this.layerStart[l + 1]!; p++) {
        if (sequence[p] === kept[p]) continue;
        sequence[p] = kept[p]!;
        isChanged = true;
      }
      if (isChanged) this.changeTo(l);
    }
  }

  write(layers: readonly Item[][]): void {
    layers.forEach((layer, l) => {
      const from = this.layerStart[l]!;
      for (let p = 0; p < layer.length; p++) {
        layer[p] = this.crossings.items[this.sequence[from + p]!]!;
        layer[p]!.position = p;
      }
    });
  }

  private total(): number {
    const { changes, crossed, counted } = this;
    let count = 0;
    for (let l = 0; l < this.layers; l++) {
      const beside = changes[l + 1]! + changes[l + 2]!;
      if (counted[l] !== beside) {
        crossed[l] = this.crossings.inChannel(l);
        counted[l] = beside;
      }
      count += crossed[l]!;
    }
    return count;
  }

  private keep(total: number): void {
    // Of equally good orders the first stays: it is nearer to how the operands were written.
    if (total >= this.best) return;
    this.best = total;
    this.kept.set(this.sequence);
  }

  private changeTo(layer: number): void {
    this.changes[layer + 1]!++;
    this.renumber(layer);
  }

  private renumber(layer: number): void {
    const { crossings, sequence } = this;
    const from = this.layerStart[layer]!;
    const to = this.layerStart[layer + 1]!;
    for (let p = from; p < to; p++) crossings.place(sequence[p]!, p - from);
  }

  private sortByBarycentre(layer: number, forward: boolean): void {
    const { sequence, keys } = this;
    const { position, inStart, inNet, entryItem, entryFraction, outStart, exitStart, exitItem, exitFraction } = this.crossings;
    const from = this.layerStart[layer]!;
    const to = this.layerStart[layer + 1]!;
    for (let p = from; p < to; p++) {
      const item = sequence[p]!;
      let sum = 0;
      let count = 0;
      if (forward) {
        for (let i = inStart[item]!; i < inStart[item + 1]!; i++) {
          const net = inNet[i]!;
          sum += position[entryItem[net]!]! + entryFraction[net]!;
          count++;
        }
      } else {
        for (let e = exitStart[outStart[item]!]!; e < exitStart[outStart[item + 1]!]!; e++) {
          sum += position[exitItem[e]!]! + exitFraction[e]!;
          count++;
        }
      }
      keys[item] = count > 0 ? sum / count : p - from;
    }
    // Insertion sort: stable, and the order of one sweep is near that of the last.
    let isMoved = false;
    for (let p = from + 1; p < to; p++) {
      const item = sequence[p]!;
      const key = keys[item]!;
      let q = p - 1;
      for (; q >= from && keys[sequence[q]!]! > key; q--) sequence[q + 1] = sequence[q]!;
      if (q + 1 === p) continue;
      sequence[q + 1] = item;
      isMoved = true;
    }
    if (isMoved) this.renumber(layer);
  }

  private exchange(layer: number): void {
    const { sequence, crossings } = this;
    const from = this.layerStart[layer]!;
    const to = this.layerStart[layer + 1]!;
    for (let round = 0, improved = true; improved && round < 4; round++) {
      improved = false;
      for (let p = from; p + 1 < to; p++) {
        const upper = sequence[p]!;
        const lower = sequence[p + 1]!;
        const before = crossings.between(upper, lower);
        if (before === 0) continue;
        this.swap(p, p - from);
        if (crossings.between(upper, lower) < before) improved = true;
        else this.swap(p, p - from);
      }
    }
  }

  private swap(place: number, position: number): void {
    const upper = this.sequence[place]!;
    const lower = this.sequence[place + 1]!;
    this.sequence[place] = lower;
    this.sequence[place + 1] = upper;
    this.crossings.place(lower, position);
    this.crossings.place(upper, position + 1);
  }

  private siftLayer(layer: number): number {
    const from = this.layerStart[layer]!;
    const to = this.layerStart[layer + 1]!;
    if (to - from > 400) return 0;
    let saved = 0;
    for (const item of this.sequence.slice(from, to)) {
      const start = from + this.crossings.position[item]!;
      let bestGain = 0;
      let bestPlace = start;
      let place = start;
      let gain = 0;
      for (; place > from; place--) {
        gain += this.gainOfSwap(place - 1, from);
        if (gain > bestGain) {
          bestGain = gain;
          bestPlace = place - 1;
        }
      }
      // Back down through the start and on to the end.
      for (; place + 1 < to; place++) {
        gain += this.gainOfSwap(place, from);
        if (gain > bestGain && place + 1 !== start) {
          bestGain = gain;
          bestPlace = place + 1;
        }
      }
      for (; place > bestPlace; place--) this.swap(place - 1, place - 1 - from);
      saved += bestGain;
    }
    return saved;
  }

  private gainOfSwap(place: number, from: number): number {
    const upper = this.sequence[place]!;
    const lower = this.sequence[place + 1]!;
    const before = this.crossings.between(upper, lower);
    this.swap(place, place - from);
    return before - this.crossings.between(upper, lower);
  }
}
