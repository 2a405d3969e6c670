import type { Item, Link } from "./layers.ts";

/**
 * Counts the crossings of an order while items move. Items are numbered layer by layer. A net is what leaves one output of an item toward the next
 * layer: one entry, one exit or more. `position` is the item's place in its layer, and the places of ports are fractions of it.
 *
 * Counts what a reader will see: all branches of an output leave one vertical line, so a wire that passes them crosses it once (or, where that is
 * less, crosses some of its branches).
 */
export class CrossingCount {
  readonly items: readonly Item[];
  readonly layerStart: Int32Array;
  /** Set by `place` alone, which keeps what hangs on it right. */
  readonly position: Float64Array;
  /** The nets that leave the items of each layer, and each item. */
  readonly netStart: Int32Array;
  readonly outStart: Int32Array;
  readonly entryItem: Int32Array;
  readonly entryFraction: Float64Array;
  readonly exitStart: Int32Array;
  readonly exitItem: Int32Array;
  readonly exitFraction: Float64Array;
  /** The nets that arrive at each item, one entry for each exit there. */
  readonly inStart: Int32Array;
  readonly inNet: Int32Array;
  /** The exit of each net that its line should meet without a bend: its only one, or the trunk's; else -1. */
  private readonly straight: Int32Array;
  /** Of each net: where its line comes in (level with its trunk, else in the middle of its exits), and its first and last exit. */
  private readonly arrival: Float64Array;
  private readonly low: Float64Array;
  private readonly high: Float64Array;

  constructor(layers: readonly (readonly Item[])[]) {
    const items = layers.flat();
    const count = items.length;
    const number = new Map(items.map((item, i) => [item, i]));
    const layerStart = new Int32Array(layers.length + 1);
    layers.forEach((layer, l) => {
      layerStart[l + 1] = layerStart[l]! + layer.length;
    });
    const nets: { from: number; fraction: number; exits: Link[] }[] = [];
    const outStart = new Int32Array(count + 1);
    const inStart = new Int32Array(count + 1);
    let links = 0;
    items.forEach((item, i) => {
      const first = nets.length;
      for (const link of item.outs) {
        let at = first;
        while (at < nets.length && nets[at]!.exits[0]!.net !== link.net) at++;
        if (at < nets.length) nets[at]!.exits.push(link);
        else nets.push({ from: i, fraction: link.fromFraction, exits: [link] });
      }
      links += item.outs.length;
      outStart[i + 1] = nets.length;
    });
    const exitStart = new Int32Array(nets.length + 1);
    const exitItem = new Int32Array(links);
    const exitFraction = new Float64Array(links);
    const straight = new Int32Array(nets.length);
    let at = 0;
    nets.forEach(({ exits }, n) => {
      const trunk = exits.findIndex(({ to }) => to.role === "pass");
      straight[n] = trunk >= 0 ? at + trunk : exits.length === 1 ? at : -1;
      for (const link of exits) {
        const to = number.get(link.to)!;
        exitItem[at] = to;
        exitFraction[at++] = link.toFraction;
        inStart[to + 1]!++;
      }
      exitStart[n + 1] = at;
    });
    for (let i = 0; i < count; i++) inStart[i + 1]! += inStart[i]!;
    const next = inStart.slice();
    const inNet = new Int32Array(links);
    for (let n = 0; n < nets.length; n++) for (let e = exitStart[n]!; e < exitStart[n + 1]!; e++) inNet[next[exitItem[e]!]!++] = n;
    this.items = items;
    this.layerStart = layerStart;
    this.position = new Float64Array(count);
    this.netStart = layerStart.map((i) => outStart[i]!);
    this.outStart = outStart;
    this.entryItem = new Int32Array(nets.length).map((_, n) => nets[n]!.from);
    this.entryFraction = new Float64Array(nets.length).map((_, n) => nets[n]!.fraction);
    this.exitStart = exitStart;
    this.exitItem = exitItem;
    this.exitFraction = exitFraction;
    this.inStart = inStart;
    this.inNet = inNet;
    this.straight = straight;
    this.arrival = new Float64Array(nets.length);
    this.low = new Float64Array(nets.length);
    this.high = new Float64Array(nets.length);
  }

  place(item: number, position: number): void {
    this.position[item] = position;
    for (let i = this.inStart[item]!; i < this.inStart[item + 1]!; i++) this.settleExits(this.inNet[i]!);
  }

  private settleExits(net: number): void {
    const { position, exitItem, exitFraction } = this;
    const start = this.exitStart[net]!;
    const end = this.exitStart[net + 1]!;
    const first = position[exitItem[start]!]! + exitFraction[start]!;
    let low = first;
    let high = first;
    let sum = first;
    for (let e = start + 1; e < end; e++) {
      const y = position[exitItem[e]!]! + exitFraction[e]!;
      if (y < low) low = y;
      if (y > high) high = y;
      sum += y;
    }
    const trunk = this.straight[net]!;
    this.low[net] = low;
    this.high[net] = high;
    this.arrival[net] = trunk >= 0 ? position[exitItem[trunk]!]! + exitFraction[trunk]! : sum / (end - start);
  }

  /** Crossings of the nets at one item with those at its neighbour. No other crossing depends on which of the two comes first. */
  between(a: number, b: number): number {
    const { inStart, inNet, outStart } = this;
    let count = 0;
    for (let i = inStart[a]!; i < inStart[a + 1]!; i++)
      for (let j = inStart[b]!; j < inStart[b + 1]!; j++) count += this.ofNets(inNet[i]!, inNet[j]!);
    for (let m = outStart[a]!; m < outStart[a + 1]!; m++) for (let n = outStart[b]!; n < outStart[b + 1]!; n++) count += this.ofNets(m, n);
    return count;
  }

  /** Crossings between a layer and the next. */
  inChannel(layer: number): number {
    const end = this.netStart[layer + 1]!;
    let count = 0;
    for (let a = this.netStart[layer]!; a < end; a++) for (let b = a + 1; b < end; b++) count += this.ofNets(a, b);
    return count;
  }

  /** Crossings of two nets of one channel, the better one of them left of the other. */
  private ofNets(a: number, b: number): number {
    if (a === b) return 0;
    const { position, entryItem, entryFraction, arrival, exitStart } = this;
    const entryA = position[entryItem[a]!]! + entryFraction[a]!;
    const entryB = position[entryItem[b]!]! + entryFraction[b]!;
    const atA = arrival[a]!;
    const atB = arrival[b]!;
    const side = entryA < entryB ? 1 : -1;
    const exitsA = exitStart[a + 1]! - exitStart[a]!;
    const exitsB = exitStart[b + 1]! - exitStart[b]!;
    if (exitsA === 1 && exitsB === 1) return (entryA - entryB) * (atA - atB) < 0 ? 1 : 0;
    // The exits say where a line comes in, measured among the exits: entries and exits have no common measure yet. Where that
    // contradicts the order of the entries, one of the two lines comes in just beyond the other.
    if ((atB - atA) * side > 0) return this.high[a]! <= this.low[b]! || this.high[b]! <= this.low[a]! ? 0 : this.comingIn(a, b, atA, atB);
    // The one with fewer exits gives way: its line bends for fewer of them.
    return exitsB < exitsA ? this.comingIn(a, b, atA, atA + side * 0.01) : this.comingIn(a, b, atB - side * 0.01, atB);
  }

  /** Crossings of two nets that come in at these heights. */
  private comingIn(a: number, b: number, entryA: number, entryB: number): number {
    const { position, exitStart, exitItem, exitFraction, low, high } = this;
    const lowA = Math.min(entryA, low[a]!);
    const highA = Math.max(entryA, high[a]!);
    const lowB = Math.min(entryB, low[b]!);
    const highB = Math.max(entryB, high[b]!);
    if (highA <= lowB || highB <= lowA) return 0;
    let leftA = entryB > lowA && entryB < highA ? 1 : 0;
    let leftB = entryA > lowB && entryA < highB ? 1 : 0;
    for (let e = exitStart[a]!; e < exitStart[a + 1]!; e++) {
      const y = position[exitItem[e]!]! + exitFraction[e]!;
      if (y > lowB && y < highB) leftA++;
    }
    for (let e = exitStart[b]!; e < exitStart[b + 1]!; e++) {
      const y = position[exitItem[e]!]! + exitFraction[e]!;
      if (y > lowA && y < highA) leftB++;
    }
    return Math.min(leftA, leftB);
  }
}
