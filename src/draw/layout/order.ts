import type { Item, Link } from "./layers.ts";

/**
 * Orders each layer so that few wires cross: barycentre sweeps forward and back with exchanges of neighbours, from several first orders, then
 * sifting, keeping the best order seen. The numbers of starts and sweeps depend on the size alone, never on the clock, and the shuffles on a fixed
 * seed, so the same scene always gives the same picture.
 *
 * Counts what a reader will see: all branches of an output leave one vertical line, so a wire that passes them crosses it once (or, where that is
 * less, crosses some of its branches).
 */
export function orderLayers(layers: readonly Item[][]): void {
  const order = new Order(layers);
  const { count } = order;
  const starts = Math.max(1, Math.min(32, Math.round(2600 / count)));
  const sweeps = count < 4000 ? 12 : count < 12_000 ? 6 : 3;
  const isExchanged = count < 40_000;
  for (let start = 0; start < starts && (start === 0 || order.best > 0); start++) {
    if (start === 1) order.mirror();
    else if (start > 1) order.shuffle(start);
    order.improve(sweeps, isExchanged, start % 2 === 0);
  }
  order.restore();
  if (isExchanged) order.sift(count < 1000 ? 6 : count < 4000 ? 3 : 1);
  order.write(layers);
}

/** Crossings between neighbouring layers as `orderLayers` counts them, by the positions that the items have. */
export function totalCrossings(layers: readonly Item[][]): number {
  return new Order(layers, false).total();
}

/**
 * The layers in arrays. Items are numbered layer by layer. A net is what leaves one output of an item toward the next layer: one entry, one exit or
 * more. `position` is the item's place in its layer, and the places of ports are fractions of it.
 */
class Order {
  readonly count: number;
  best: number = Number.POSITIVE_INFINITY;
  private readonly items: Item[] = [];
  private readonly layerStart: Int32Array;
  /** The items of all layers in their current order. */
  private readonly sequence: Int32Array;
  private readonly position: Float64Array;
  private readonly kept: Int32Array;
  private readonly netStart: Int32Array;
  private readonly entryItem: Int32Array;
  private readonly entryFraction: Float64Array;
  private readonly exitStart: Int32Array;
  private readonly exitItem: Int32Array;
  private readonly exitFraction: Float64Array;
  /** The exit of each net that its line should meet without a bend: its only one, or the trunk's; else -1. */
  private readonly straight: Int32Array;
  /** The nets that arrive at each item (one entry for each exit there), and those that leave it. */
  private readonly inStart: Int32Array;
  private readonly inNet: Int32Array;
  private readonly inExit: Int32Array;
  private readonly outStart: Int32Array;
  private readonly keys: Float64Array;
  private readonly first: Int32Array;

  constructor(layers: readonly Item[][], isGuessed = true) {
    this.layerStart = new Int32Array(layers.length + 1);
    const number = new Map<Item, number>();
    layers.forEach((layer, l) => {
      if (isGuessed) layer.sort((a, b) => a.guess - b.guess);
      for (const item of layer) number.set(item, this.items.push(item) - 1);
      this.layerStart[l + 1] = this.items.length;
    });
    const { items } = this;
    this.count = items.length;
    this.sequence = Int32Array.from(items, (_, i) => i);
    this.position = new Float64Array(this.count);
    this.kept = this.sequence.slice();
    this.first = this.sequence.slice();
    this.keys = new Float64Array(this.count);
    for (let l = 0; l < layers.length; l++) this.renumber(l);
    const nets: { from: number; fraction: number; exits: Link[] }[] = [];
    this.outStart = new Int32Array(this.count + 1);
    this.netStart = new Int32Array(layers.length + 1);
    let links = 0;
    let layer = 0;
    items.forEach((item, i) => {
      while (i >= this.layerStart[layer + 1]!) this.netStart[++layer] = nets.length;
      const known = new Map<number, Link[]>();
      for (const link of item.outs) {
        const exits = known.get(link.net);
        if (exits) exits.push(link);
        else {
          const made = [link];
          known.set(link.net, made);
          nets.push({ from: i, fraction: link.fromFraction, exits: made });
        }
      }
      links += item.outs.length;
      this.outStart[i + 1] = nets.length;
    });
    while (layer < layers.length) this.netStart[++layer] = nets.length;
    this.entryItem = Int32Array.from(nets, ({ from }) => from);
    this.entryFraction = Float64Array.from(nets, ({ fraction }) => fraction);
    this.exitStart = new Int32Array(nets.length + 1);
    this.exitItem = new Int32Array(links);
    this.exitFraction = new Float64Array(links);
    this.inStart = new Int32Array(this.count + 1);
    this.straight = new Int32Array(nets.length);
    let at = 0;
    nets.forEach(({ exits }, n) => {
      const trunk = exits.findIndex(({ to }) => to.role === "pass");
      this.straight[n] = trunk >= 0 ? at + trunk : exits.length === 1 ? at : -1;
      for (const link of exits) {
        const to = number.get(link.to)!;
        this.exitItem[at] = to;
        this.exitFraction[at++] = link.toFraction;
        this.inStart[to + 1]!++;
      }
      this.exitStart[n + 1] = at;
    });
    for (let i = 0; i < this.count; i++) this.inStart[i + 1]! += this.inStart[i]!;
    const next = this.inStart.slice();
    this.inNet = new Int32Array(links);
    this.inExit = new Int32Array(links);
    for (let n = 0; n < nets.length; n++)
      for (let e = this.exitStart[n]!; e < this.exitStart[n + 1]!; e++) {
        const slot = next[this.exitItem[e]!]!++;
        this.inNet[slot] = n;
        this.inExit[slot] = e;
      }
  }

  /** The first order, upside down. */
  mirror(): void {
    for (let l = 0; l + 1 < this.layerStart.length; l++) {
      const from = this.layerStart[l]!;
      const to = this.layerStart[l + 1]!;
      for (let p = from; p < to; p++) this.sequence[p] = this.first[from + to - 1 - p]!;
      this.renumber(l);
    }
  }

  /** A random order that `seed` decides. */
  shuffle(seed: number): void {
    let state = seed * 48271;
    for (let l = 0; l + 1 < this.layerStart.length; l++) {
      const from = this.layerStart[l]!;
      for (let p = this.layerStart[l + 1]! - 1; p > from; p--) {
        state = (state * 48271 + 11) % 2147483647;
        const other = from + (state % (p - from + 1));
        const item = this.sequence[p]!;
        this.sequence[p] = this.sequence[other]!;
        this.sequence[other] = item;
      }
      this.renumber(l);
    }
  }

  improve(sweeps: number, isExchanged: boolean, isForwardFirst: boolean): void {
    const layers = this.layerStart.length - 1;
    this.keep(this.total());
    let own = Number.POSITIVE_INFINITY;
    for (let sweep = 0, stale = 0; sweep < sweeps && stale < 3 && own > 0; sweep++) {
      const forward = (sweep % 2 === 0) === isForwardFirst;
      for (let i = 0; i < layers; i++) {
        const layer = forward ? i : layers - 1 - i;
        this.sortByBarycentre(layer, forward);
        if (isExchanged) this.exchange(layer);
      }
      const total = this.total();
      this.keep(total);
      stale = total < own ? 0 : stale + 1;
      own = Math.min(own, total);
    }
  }

  /** Moves each item to the best of all places in its layer, forward and back, until that changes nothing. */
  sift(rounds: number): void {
    const layers = this.layerStart.length - 1;
    for (let round = 0; round < rounds && this.best > 0; round++) {
      let gain = 0;
      for (let i = 0; i < layers; i++) gain += this.siftLayer(round % 2 === 0 ? i : layers - 1 - i);
      if (gain === 0) break;
      for (let i = 0; i < layers; i++) this.exchange(round % 2 === 0 ? layers - 1 - i : i);
    }
  }

  restore(): void {
    this.sequence.set(this.kept);
    for (let l = 0; l + 1 < this.layerStart.length; l++) this.renumber(l);
  }

  write(layers: readonly Item[][]): void {
    layers.forEach((layer, l) => {
      const from = this.layerStart[l]!;
      for (let p = 0; p < layer.length; p++) {
        layer[p] = this.items[this.sequence[from + p]!]!;
        layer[p]!.position = p;
      }
    });
  }

  private keep(total: number): void {
    if (total >= this.best) return;
    this.best = total;
    this.kept.set(this.sequence);
  }

  private renumber(layer: number): void {
    const from = this.layerStart[layer]!;
    for (let p = from; p < this.layerStart[layer + 1]!; p++) this.position[this.sequence[p]!] = p - from;
  }

  private sortByBarycentre(layer: number, forward: boolean): void {
    const { sequence, position, keys } = this;
    const from = this.layerStart[layer]!;
    const to = this.layerStart[layer + 1]!;
    for (let p = from; p < to; p++) {
      const item = sequence[p]!;
      let sum = 0;
      let count = 0;
      if (forward) {
        for (let i = this.inStart[item]!; i < this.inStart[item + 1]!; i++) {
          const net = this.inNet[i]!;
          sum += position[this.entryItem[net]!]! + this.entryFraction[net]!;
          count++;
        }
      } else {
        for (let e = this.exitStart[this.outStart[item]!]!; e < this.exitStart[this.outStart[item + 1]!]!; e++) {
          sum += position[this.exitItem[e]!]! + this.exitFraction[e]!;
          count++;
        }
      }
      keys[item] = count > 0 ? sum / count : p - from;
    }
    // Insertion sort: stable, and the order of one sweep is near that of the last.
    for (let p = from + 1; p < to; p++) {
      const item = sequence[p]!;
      const key = keys[item]!;
      let q = p - 1;
      for (; q >= from && keys[sequence[q]!]! > key; q--) sequence[q + 1] = sequence[q]!;
      sequence[q + 1] = item;
    }
    this.renumber(layer);
  }

  private exchange(layer: number): void {
    const { sequence } = this;
    const from = this.layerStart[layer]!;
    const to = this.layerStart[layer + 1]!;
    for (let round = 0, improved = true; improved && round < 4; round++) {
      improved = false;
      for (let p = from; p + 1 < to; p++) {
        const upper = sequence[p]!;
        const lower = sequence[p + 1]!;
        const before = this.between(upper, lower);
        if (before === 0) continue;
        this.swap(p, p - from);
        if (this.between(upper, lower) < before) improved = true;
        else this.swap(p, p - from);
      }
    }
  }

  private swap(place: number, position: number): void {
    const upper = this.sequence[place]!;
    const lower = this.sequence[place + 1]!;
    this.sequence[place] = lower;
    this.sequence[place + 1] = upper;
    this.position[lower] = position;
    this.position[upper] = position + 1;
  }

  private siftLayer(layer: number): number {
    const from = this.layerStart[layer]!;
    const to = this.layerStart[layer + 1]!;
    if (to - from > 400) return 0;
    let saved = 0;
    for (const item of this.sequence.slice(from, to)) {
      const start = from + this.position[item]!;
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
    const before = this.between(upper, lower);
    this.swap(place, place - from);
    return before - this.between(upper, lower);
  }

  /** Crossings of the nets at one item with those at its neighbour. No other crossing depends on which of the two comes first. */
  private between(a: number, b: number): number {
    let count = 0;
    for (let i = this.inStart[a]!; i < this.inStart[a + 1]!; i++)
      for (let j = this.inStart[b]!; j < this.inStart[b + 1]!; j++) count += this.crossings(this.inNet[i]!, this.inNet[j]!);
    for (let m = this.outStart[a]!; m < this.outStart[a + 1]!; m++)
      for (let n = this.outStart[b]!; n < this.outStart[b + 1]!; n++) count += this.crossings(m, n);
    return count;
  }

  /** Crossings of two nets of one channel, the better one of them left of the other. */
  private crossings(a: number, b: number): number {
    if (a === b) return 0;
    const { position, exitStart, exitItem, exitFraction } = this;
    const entryA = position[this.entryItem[a]!]! + this.entryFraction[a]!;
    const entryB = position[this.entryItem[b]!]! + this.entryFraction[b]!;
    const startA = exitStart[a]!;
    const endA = exitStart[a + 1]!;
    const startB = exitStart[b]!;
    const endB = exitStart[b + 1]!;
    if (endA - startA === 1 && endB - startB === 1) {
      const down = position[exitItem[startA]!]! + exitFraction[startA]! - position[exitItem[startB]!]! - exitFraction[startB]!;
      return (entryA - entryB) * down < 0 ? 1 : 0;
    }
    // The exits say where a line comes in, measured among the exits: entries and exits have no common measure yet. Where that
    // contradicts the order of the entries, one of the two lines comes in just beyond the other.
    const atA = this.arrival(a);
    const atB = this.arrival(b);
    const side = entryA < entryB ? 1 : -1;
    if ((atB - atA) * side > 0) return this.crossingsAt(a, b, atA, atB);
    // The one with fewer exits gives way: its line bends for fewer of them.
    if (endB - startB < endA - startA) return this.crossingsAt(a, b, atA, atA + side * 0.01);
    return this.crossingsAt(a, b, atB - side * 0.01, atB);
  }

  /** Where a net's line comes in: level with its trunk, else in the middle of its exits. */
  private arrival(net: number): number {
    const { position, exitStart, exitItem, exitFraction } = this;
    const trunk = this.straight[net]!;
    if (trunk >= 0) return position[exitItem[trunk]!]! + exitFraction[trunk]!;
    let sum = 0;
    const start = exitStart[net]!;
    const end = exitStart[net + 1]!;
    for (let e = start; e < end; e++) sum += position[exitItem[e]!]! + exitFraction[e]!;
    return sum / (end - start);
  }

  /** Crossings of two nets that come in at these heights. */
  private crossingsAt(a: number, b: number, entryA: number, entryB: number): number {
    const { position, exitStart, exitItem, exitFraction } = this;
    const startA = exitStart[a]!;
    const endA = exitStart[a + 1]!;
    const startB = exitStart[b]!;
    const endB = exitStart[b + 1]!;
    let lowA = entryA;
    let highA = entryA;
    for (let e = startA; e < endA; e++) {
      const y = position[exitItem[e]!]! + exitFraction[e]!;
      if (y < lowA) lowA = y;
      if (y > highA) highA = y;
    }
    let lowB = entryB;
    let highB = entryB;
    for (let e = startB; e < endB; e++) {
      const y = position[exitItem[e]!]! + exitFraction[e]!;
      if (y < lowB) lowB = y;
      if (y > highB) highB = y;
    }
    if (highA <= lowB || highB <= lowA) return 0;
    let leftA = entryB > lowA && entryB < highA ? 1 : 0;
    let leftB = entryA > lowB && entryA < highB ? 1 : 0;
    for (let e = startA; e < endA; e++) {
      const y = position[exitItem[e]!]! + exitFraction[e]!;
      if (y > lowB && y < highB) leftA++;
    }
    for (let e = startB; e < endB; e++) {
      const y = position[exitItem[e]!]! + exitFraction[e]!;
      if (y > lowA && y < highA) leftB++;
    }
    return Math.min(leftA, leftB);
  }

  total(): number {
    let count = 0;
    for (let l = 0; l + 1 < this.netStart.length; l++) {
      const end = this.netStart[l + 1]!;
      for (let a = this.netStart[l]!; a < end; a++) for (let b = a + 1; b < end; b++) count += this.crossings(a, b);
    }
    return count;
  }
}
