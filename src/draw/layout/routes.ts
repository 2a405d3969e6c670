import { routeChannel, type Vertical } from "./channels.ts";
import type { Item, Layers, Link, NodeSize, WireSize } from "./layers.ts";
import type { Spacing } from "./spacing.ts";

/** A point of the picture: x to the right, y down, in pixels. */
export interface Point {
  readonly x: number;
  readonly y: number;
}

/** The way of one wire. */
export interface Route {
  /** From the source's output port to the consumer's input port. */
  readonly points: readonly Point[];
  /** The last part, which no other wire shares: from the last junction, or the source, to the consumer. */
  readonly own: readonly Point[];
}

/** Stretches that several wires of one output share, and the dots where they part. */
export interface Trunk {
  readonly from: number;
  readonly output: number;
  readonly stretches: readonly (readonly Point[])[];
  readonly dots: readonly Point[];
}

export interface Routes {
  readonly routes: readonly Route[];
  readonly trunks: readonly Trunk[];
  readonly width: number;
}

/** Sets every item's x column by column, with a channel of tracks between neighbours, then reads each wire's way off the channels. */
export function routeWires(
  { layers, nodes, labels }: Layers,
  sizes: readonly NodeSize[],
  wires: readonly WireSize[],
  spacing: Spacing,
): Routes {
  const { trackGap, nodeMargin, labelMargin } = spacing;
  const bends = new Map<Link, readonly Vertical[]>();
  let x = 0;
  for (const layer of layers) {
    x += layer.reduce((most, item) => Math.max(most, item.left), 0);
    for (const item of layer) item.x = x;
    x += layer.reduce((most, item) => Math.max(most, item.right), 0);
    const channel = routeChannel(layer, spacing);
    if (layer === layers[layers.length - 1]) break;
    const isNodes = layer[0]?.layer !== undefined && layer[0].layer % 2 === 0;
    const before = isNodes ? nodeMargin : labelMargin;
    for (const vertical of channel.verticals) vertical.x = x + before + vertical.track * trackGap;
    for (const [link, verticals] of channel.bends) bends.set(link, verticals);
    x += channel.tracks > 0 ? before + (channel.tracks - 1) * trackGap + (isNodes ? labelMargin : nodeMargin) : nodeMargin;
  }
  const trunks = new Map<number, { from: number; output: number; stretches: Map<string, Point[]> }>();
  const routes = wires.map((wire, w): Route => {
    const source = nodes[wire.from]!;
    const path = pathTo(labels[w]!, source);
    const net = path[0]!.net;
    const parts = walk(path, bends, startPoint(path[0]!, sizes[wire.from]!), endPoint(lastOf(path), sizes[wire.to]!));
    if (parts.length > 1) {
      let trunk = trunks.get(net);
      if (trunk === undefined) trunks.set(net, (trunk = { from: wire.from, output: wire.output, stretches: new Map() }));
      // Each dot has one way to it, so from the first stretch that is known on, all before it are.
      for (let i = parts.length - 2; i >= 0; i--) {
        const { x, y } = lastOf(parts[i]!);
        if (trunk.stretches.has(`${x},${y}`)) break;
        trunk.stretches.set(`${x},${y}`, parts[i]!);
      }
    }
    return { points: simplify(parts.flat()), own: simplify(lastOf(parts)) };
  });
  return {
    routes,
    trunks: [...trunks.values()].map(({ from, output, stretches }) => ({
      from,
      output,
      stretches: [...stretches.values()].map(simplify),
      dots: [...stretches.values()].map(lastOf),
    })),
    width: x,
  };
}

function lastOf<T>(list: readonly T[]): T {
  return list[list.length - 1]!;
}

/** The links from the source to a label and on to its consumer. */
function pathTo(label: Item, source: Item): Link[] {
  const path = [label.outs[0]!];
  for (let item = label; item !== source; ) {
    const link = item.ins[0]!;
    path.push(link);
    item = link.from;
  }
  return path.reverse();
}

/** How far the body's side bows in at a height off its middle. */
function bow(size: NodeSize, offset: number): number {
  const beyond = Math.abs(offset) - (size.half - size.corner);
  return beyond > 0 ? size.corner - Math.sqrt(Math.max(0, size.corner ** 2 - beyond ** 2)) : 0;
}

const hundredths = (x: number): number => Math.round(x * 100) / 100;

function startPoint(link: Link, size: NodeSize): Point {
  return { x: hundredths(link.from.x + size.body - bow(size, link.fromOffset)), y: link.from.y + link.fromOffset };
}

function endPoint(link: Link, size: NodeSize): Point {
  return { x: hundredths(link.to.x - size.body + bow(size, link.toOffset)), y: link.to.y + link.toOffset };
}

/** The points of a wire, cut into parts at every dot where another branch of its net leaves. */
function walk(path: readonly Link[], bends: Map<Link, readonly Vertical[]>, from: Point, to: Point): Point[][] {
  let part: Point[] = [from];
  const parts = [part];
  const go = (point: Point, isDot: boolean): void => {
    part.push(point);
    if (isDot) parts.push((part = [point]));
  };
  for (const link of path) {
    const exit = link.to.y + link.toOffset;
    const chain = bends.get(link) ?? [];
    chain.forEach((vertical, i) => {
      const { x, entry, stops, dots } = vertical;
      const leave = chain[i + 1]?.entry ?? exit;
      const step = leave < entry ? -1 : 1;
      const last = stops.indexOf(leave);
      for (let stop = stops.indexOf(entry); stop !== last + step; stop += step) go({ x, y: stops[stop]! }, dots.has(stops[stop]!));
    });
  }
  part.push(to);
  return parts;
}

/** Drops repeated points and points in the middle of a straight stretch. */
export function simplify(points: readonly Point[]): Point[] {
  const kept: Point[] = [];
  for (const point of points) {
    const last = kept[kept.length - 1];
    if (last && last.x === point.x && last.y === point.y) continue;
    const previous = kept[kept.length - 2];
    const inLine = last && previous && ((previous.x === last.x && last.x === point.x) || (previous.y === last.y && last.y === point.y));
    if (inLine) kept.pop();
    kept.push(point);
  }
  return kept;
}
