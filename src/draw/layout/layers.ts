import { GraphError } from "../../ir/errors.ts";
import { networkSimplex } from "./network-simplex.ts";
import type { Spacing } from "./spacing.ts";

/** What the layout needs to know of a node: how far it reaches from its middle, where its wires end. */
export interface NodeSize {
  readonly left: number;
  readonly right: number;
  readonly up: number;
  readonly down: number;
  /** Half the width of the drawn body; wires end on it. What `right` has beyond it is room for the trunk's texts. */
  readonly body: number;
  /** Half the body's height. */
  readonly half: number;
  /** Radius of the body's corners: half its height for a circle or pill. */
  readonly corner: number;
  /** Offsets of the input ports from the middle, whole numbers, growing. */
  readonly inputs: readonly number[];
  /** Offsets of the output ports. */
  readonly outputs: readonly number[];
}

/** One wire between numbered nodes. `slot` is the room its texts need around the wire. */
export interface WireSize {
  readonly from: number;
  /** Index into the source's `outputs`. */
  readonly output: number;
  readonly to: number;
  /** Index into the consumer's `inputs`. */
  readonly input: number;
  readonly slot: { readonly width: number; readonly up: number; readonly down: number };
}

/** A node, a label slot on a wire, or a place where a trunk passes through a layer. */
export interface Item {
  readonly role: "node" | "label" | "pass";
  readonly layer: number;
  /** The node, or the trunk's source. */
  readonly node: number;
  /** The wire of a label, else -1. */
  readonly wire: number;
  readonly left: number;
  readonly right: number;
  readonly up: number;
  readonly down: number;
  /** Half the height of a node's body; 0 for the others. */
  readonly half: number;
  readonly ins: Link[];
  readonly outs: Link[];
  /** Where the first guess at the order puts it. */
  readonly guess: number;
  readonly spacing: Spacing;
  position: number;
  x: number;
  y: number;
}

/** A stretch of wire between items of neighbouring layers. */
export interface Link {
  readonly from: Item;
  readonly to: Item;
  /** Identifies the trunk: wires of one output share a net. */
  readonly net: number;
  fromOffset: number;
  toOffset: number;
  /** The port as a fraction of the item's place in its layer, between -0.5 and 0.5. */
  readonly toFraction: number;
  readonly fromFraction: number;
  /** What a bend here costs: most in the middle of a trunk. */
  readonly stiffness: number;
}

export interface Layers {
  readonly layers: readonly Item[][];
  readonly nodes: readonly Item[];
  /** The label slot of each wire. */
  readonly labels: readonly Item[];
}

/** Nodes that stand for the places where wires enter and leave a group: they keep to its edges. */
export interface Pins {
  readonly first: readonly number[];
  readonly last: readonly number[];
}

const noPins: Pins = { first: [], last: [] };

/**
 * Puts nodes on even layers by network simplex and, on the odd layer before each consumer, a label slot for every wire. Wires of one output share
 * one chain of passing places, so a fan-out is one trunk with branches.
 *
 * @throws GraphError when the wires form a cycle, or pass through more than `maxPlaces` layers in all.
 */
export function buildLayers(
  sizes: readonly NodeSize[],
  wires: readonly WireSize[],
  maxPlaces: number,
  spacing: Spacing,
  pins: Pins = noPins,
): Layers {
  const pinned = new Set([...pins.first, ...pins.last]);
  const rank = networkSimplex(
    sizes.length,
    wires.map((wire) => ({ from: wire.from, to: wire.to, weight: pinned.has(wire.from) || pinned.has(wire.to) ? 0 : 1, length: 1 })),
  );
  // Nothing comes before a way in nor after a way out, so they can move outward.
  const farthest = rank.reduce((a, b) => Math.max(a, b), 0);
  for (const v of pins.first) rank[v] = 0;
  for (const v of pins.last) rank[v] = farthest;
  const visit = visitOrder(sizes.length, wires);
  const depth = rank.reduce((a, b) => Math.max(a, b), -1);
  const layers: Item[][] = Array.from({ length: Math.max(0, 2 * depth + 1) }, () => []);
  const add = (item: Item): Item => {
    layers[item.layer]!.push(item);
    return item;
  };
  const nodes = sizes.map((size, v) => add(makeItem("node", 2 * rank[v]!, v, -1, size, visit[v]!, spacing, size.half)));
  const labels: Item[] = new Array(wires.length);
  let places = 0;
  for (const { net, members } of netsOf(sizes, wires)) {
    const source = nodes[wires[members[0]!]!.from]!;
    const output = wires[members[0]!]!.output;
    const port: Port = { offset: sizes[source.node]!.outputs[output]!, fraction: portFraction(output, sizes[source.node]!.outputs.length) };
    const farthest = members.reduce((layer, w) => Math.max(layer, nodes[wires[w]!.to]!.layer - 1), 0);
    places += farthest - source.layer;
    if (places > maxPlaces) {
      throw new GraphError(
        `draw: wires pass through more than ${maxPlaces} places on their way; the graph is too long for one picture, draw it at a smaller depth or a part of it`,
      );
    }
    const trunk: Item[] = [source];
    for (let layer = source.layer + 1; layer < farthest; layer++) {
      const pass = add(makeItem("pass", layer, source.node, -1, nothing, source.guess, spacing));
      const last = trunk[trunk.length - 1]!;
      connect(last, pass, net, last === source ? port : middle, middle);
      trunk.push(pass);
    }
    for (const w of members) {
      const { to, input, slot } = wires[w]!;
      const consumer = nodes[to]!;
      const ports = sizes[to]!.inputs;
      const branch = trunk[consumer.layer - 2 - source.layer]!;
      const size = { left: slot.width / 2, right: slot.width / 2, up: slot.up, down: slot.down };
      const label = add(makeItem("label", consumer.layer - 1, to, w, size, consumer.guess - 1 + (input + 1) / (ports.length + 2), spacing));
      connect(branch, label, net, branch === source ? port : middle, middle);
      connect(label, consumer, net, middle, { offset: ports[input]!, fraction: portFraction(input, ports.length) });
      labels[w] = label;
    }
  }
  for (const node of nodes) node.ins.sort((a, b) => a.toOffset - b.toOffset);
  return { layers, nodes, labels };
}

interface Extents {
  readonly left: number;
  readonly right: number;
  readonly up: number;
  readonly down: number;
}

const nothing: Extents = { left: 0, right: 0, up: 0, down: 0 };

function makeItem(
  role: Item["role"],
  layer: number,
  node: number,
  wire: number,
  size: Extents,
  guess: number,
  spacing: Spacing,
  half = 0,
): Item {
  const { left, right, up, down } = size;
  return { role, layer, node, wire, left, right, up, down, half, ins: [], outs: [], guess, spacing, position: 0, x: 0, y: 0 };
}

function connect(from: Item, to: Item, net: number, start: Port, end: Port): void {
  const passes = Number(from.role === "pass") + Number(to.role === "pass");
  const stiffness = passes === 2 ? 8 : passes === 1 ? 3 : 2;
  const { offset: fromOffset, fraction: fromFraction } = start;
  const { offset: toOffset, fraction: toFraction } = end;
  const link: Link = { from, to, net, fromOffset, toOffset, toFraction, fromFraction, stiffness };
  from.outs.push(link);
  to.ins.push(link);
}

/** Where a stretch meets an item: how far from its middle, and that as a fraction of its place in the layer. */
interface Port {
  readonly offset: number;
  readonly fraction: number;
}

const middle: Port = { offset: 0, fraction: 0 };

function portFraction(port: number, ports: number): number {
  return (0.8 * (port + 1)) / (ports + 1) - 0.4;
}

function netsOf(sizes: readonly NodeSize[], wires: readonly WireSize[]): { net: number; members: number[] }[] {
  const at: (number[] | undefined)[][] = sizes.map(() => []);
  wires.forEach((wire, w) => {
    const outputs = at[wire.from]!;
    const members = outputs[wire.output];
    if (members) members.push(w);
    else outputs[wire.output] = [w];
  });
  return at.flatMap((outputs) => outputs.filter((members) => members !== undefined)).map((members, net) => ({ net, members }));
}

/** The order in which a depth-first walk from the ends leaves the nodes, operands first to last: near planar for a tree of operations. */
function visitOrder(count: number, wires: readonly WireSize[]): Int32Array {
  const operands: WireSize[][] = Array.from({ length: count }, () => []);
  const isSource = new Uint8Array(count);
  for (const wire of wires) {
    operands[wire.to]!.push(wire);
    isSource[wire.from] = 1;
  }
  for (const list of operands) list.sort((a, b) => a.input - b.input);
  const order = new Int32Array(count);
  const seen = new Uint8Array(count);
  const cursor = new Int32Array(count);
  let next = 0;
  for (let end = 0; end < count; end++) {
    if (isSource[end]) continue;
    const stack = [end];
    seen[end] = 1;
    while (stack.length > 0) {
      const v = stack[stack.length - 1]!;
      const wire = operands[v]![cursor[v]!++];
      if (wire === undefined) {
        order[v] = next++;
        stack.pop();
      } else if (!seen[wire.from]) {
        seen[wire.from] = 1;
        stack.push(wire.from);
      }
    }
  }
  return order;
}
