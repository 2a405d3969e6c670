import { type FlatLayout, layoutFlat } from "./flat.ts";
import type { NodeSize, WireSize } from "./layers.ts";
import { type Point, type Route, simplify } from "./routes.ts";
import { pixels } from "./spacing.ts";

/** A group: the group around it (-1: none; else one before it), and the room between its edge and its content. */
export interface GroupSize {
  readonly parent: number;
  readonly before: number;
  readonly after: number;
  readonly above: number;
  readonly below: number;
  /** Room for the title. */
  readonly leastWidth: number;
  readonly leastHeight: number;
}

/** What is to be laid out; wires run to the right. */
export interface NestedProblem {
  readonly sizes: readonly NodeSize[];
  /** The group of each node, -1 for none. */
  readonly groupOf: readonly number[];
  readonly wires: readonly WireSize[];
  readonly groups: readonly GroupSize[];
  readonly maxPlaces: number;
}

export interface NestedTrunk {
  readonly from: number;
  readonly output: number;
  readonly stretches: readonly (readonly Point[])[];
  readonly dots: readonly Point[];
}

export interface NestedLayout {
  readonly width: number;
  readonly height: number;
  readonly nodes: readonly Point[];
  readonly labels: readonly Point[];
  readonly routes: readonly Route[];
  readonly trunks: readonly NestedTrunk[];
  /** Corner and size of each group's box. */
  readonly frames: readonly { readonly x: number; readonly y: number; readonly width: number; readonly height: number }[];
}

/** An end of a stretch in one group: a node of the group, and which of its ports; ports of an inner group are named by that group's pin. */
interface End {
  readonly local: number;
  readonly port: number;
  /** The inner group whose pin `port` is, -1 where `port` counts the ports of an item. */
  readonly inner: number;
}

interface Stretch {
  readonly from: End;
  readonly to: End;
  readonly slot: WireSize["slot"];
  readonly wires: number[];
}

/** One group (or, last, the picture itself) with what lies directly in it. */
interface Room {
  /** Pins by the wire's source: the local number of each. */
  readonly ins: Map<string, number>;
  readonly outs: Map<string, number>;
  readonly local: { readonly kind: "item" | "group" | "in" | "out"; readonly of: number }[];
  readonly stretches: Stretch[];
  readonly known: Map<string, number>;
  layout: FlatLayout | null;
  width: number;
  height: number;
  /** Where the content starts in the box. */
  before: number;
  above: number;
  /** The local numbers of pins from top to bottom. */
  inOrder: number[];
  outOrder: number[];
}

const noSlot: WireSize["slot"] = { width: 0, up: 6, down: 6 };
const pin: NodeSize = { left: 0, right: 0, up: 7, down: 7, body: 0, half: 0, corner: 0, inputs: [0], outputs: [0] };

/**
 * Lays out groups from the inside out: each is laid out by itself, with pins on its left and right edges where wires come in and go out, and then
 * stands as one node, with the pins as its ports in order, in the group around it.
 */
export function layoutNested(problem: NestedProblem): NestedLayout {
  const { sizes, groupOf, wires, groups, maxPlaces } = problem;
  if (groups.length === 0) {
    const flat = layoutFlat(sizes, wires, maxPlaces, pixels);
    return { ...flat, frames: [] };
  }
  const root = groups.length;
  const rooms = Array.from({ length: root + 1 }, newRoom);
  const itemLocal = new Int32Array(sizes.length);
  const groupLocal = new Int32Array(root);
  const roomOf = (group: number): number => (group < 0 ? root : group);
  groupOf.forEach((group, i) => {
    itemLocal[i] = addLocal(rooms[roomOf(group)]!, "item", i);
  });
  groups.forEach(({ parent }, g) => {
    groupLocal[g] = addLocal(rooms[roomOf(parent)]!, "group", g);
  });
  const above = groups.map(({ parent }) => roomOf(parent));
  const paths = wires.map((wire, w) => {
    const path: { readonly room: number; readonly stretch: number }[] = [];
    const key = `${wire.output} ${wire.from}`;
    const up = chainOf(roomOf(groupOf[wire.from]!), above, root);
    const down = chainOf(roomOf(groupOf[wire.to]!), above, root);
    while (up.length > 1 && down.length > 1 && up[up.length - 2] === down[down.length - 2]) {
      up.pop();
      down.pop();
    }
    let from: End = { local: itemLocal[wire.from]!, port: wire.output, inner: -1 };
    for (let k = 0; k + 1 < up.length; k++) {
      const room = up[k]!;
      const out = pinOf(rooms[room]!, "out", key);
      path.push({ room, stretch: stretchOf(rooms[room]!, from, { local: out, port: 0, inner: -1 }, noSlot, w) });
      from = { local: groupLocal[room]!, port: out, inner: room };
    }
    for (let k = down.length - 2; k >= 0; k--) {
      const outer = down[k + 1]!;
      const inner = down[k]!;
      const way = pinOf(rooms[inner]!, "in", key);
      path.push({ room: outer, stretch: stretchOf(rooms[outer]!, from, { local: groupLocal[inner]!, port: way, inner }, noSlot, w) });
      from = { local: way, port: 0, inner: -1 };
    }
    const last = down[0]!;
    path.push({
      room: last,
      stretch: stretchOf(rooms[last]!, from, { local: itemLocal[wire.to]!, port: wire.input, inner: -1 }, wire.slot, w),
    });
    return path;
  });
  for (let g = root - 1; g >= 0; g--) layoutRoom(rooms, g, sizes, groups[g]!, maxPlaces);
  layoutRoom(rooms, root, sizes, undefined, maxPlaces);
  return assemble(problem, rooms, itemLocal, groupLocal, paths);
}

function newRoom(): Room {
  return {
    ins: new Map(),
    outs: new Map(),
    local: [],
    stretches: [],
    known: new Map(),
    layout: null,
    width: 0,
    height: 0,
    before: 0,
    above: 0,
    inOrder: [],
    outOrder: [],
  };
}

function addLocal(room: Room, kind: Room["local"][number]["kind"], of: number): number {
  return room.local.push({ kind, of }) - 1;
}

/** The rooms from one outward to the picture. */
function chainOf(room: number, above: readonly number[], root: number): number[] {
  const chain = [room];
  while (chain[chain.length - 1] !== root) chain.push(above[chain[chain.length - 1]!]!);
  return chain;
}

function pinOf(room: Room, side: "in" | "out", key: string): number {
  const pins = side === "in" ? room.ins : room.outs;
  let found = pins.get(key);
  if (found === undefined) pins.set(key, (found = addLocal(room, side, pins.size)));
  return found;
}

function stretchOf(room: Room, from: End, to: End, slot: WireSize["slot"], wire: number): number {
  const key = `${from.local},${from.port},${to.local},${to.port}`;
  const known = room.known.get(key);
  if (known !== undefined) {
    room.stretches[known]!.wires.push(wire);
    return known;
  }
  room.known.set(key, room.stretches.length);
  return room.stretches.push({ from, to, slot, wires: [wire] }) - 1;
}

const even = (x: number): number => 2 * Math.ceil(x / 2);

function layoutRoom(
  rooms: readonly Room[],
  index: number,
  itemSizes: readonly NodeSize[],
  frame: GroupSize | undefined,
  maxPlaces: number,
): void {
  const room = rooms[index]!;
  const sizes = room.local.map(({ kind, of }) => (kind === "item" ? itemSizes[of]! : kind === "group" ? groupSize(rooms[of]!) : pin));
  const wires = room.stretches.map(({ from, to, slot }) => ({
    from: from.local,
    output: from.inner < 0 ? from.port : rooms[from.inner]!.outOrder.indexOf(from.port),
    to: to.local,
    input: to.inner < 0 ? to.port : rooms[to.inner]!.inOrder.indexOf(to.port),
    slot,
  }));
  const layout = layoutFlat(sizes, wires, maxPlaces, pixels, { first: [...room.ins.values()], last: [...room.outs.values()] });
  room.layout = layout;
  const byHeight = (a: number, b: number): number => layout.nodes[a]!.y - layout.nodes[b]!.y;
  room.inOrder = [...room.ins.values()].sort(byHeight);
  room.outOrder = [...room.outs.values()].sort(byHeight);
  const { before = 0, after = 0, above = 0, below = 0, leastWidth = 0, leastHeight = 0 } = frame ?? {};
  room.width = even(Math.max(layout.width + before + after, leastWidth));
  room.height = even(Math.max(layout.height + above + below, leastHeight));
  room.before = before;
  room.above = above;
}

function groupSize(room: Room): NodeSize {
  const { width, height, above, layout, inOrder, outOrder } = room;
  const offset = (local: number): number => layout!.nodes[local]!.y + above - height / 2;
  const half = { left: width / 2, right: width / 2, up: height / 2, down: height / 2 };
  return { ...half, body: width / 2, half: 0, corner: 0, inputs: inOrder.map(offset), outputs: outOrder.map(offset) };
}

function assemble(
  { sizes, groupOf, wires, groups }: NestedProblem,
  rooms: readonly Room[],
  itemLocal: Int32Array,
  groupLocal: Int32Array,
  paths: readonly (readonly { readonly room: number; readonly stretch: number }[])[],
): NestedLayout {
  const root = groups.length;
  const boxes: { x: number; y: number; width: number; height: number }[] = [];
  const origin: Point[] = new Array(root + 1);
  origin[root] = { x: 0, y: 0 };
  groups.forEach(({ parent }, g) => {
    const outer = parent < 0 ? root : parent;
    const { width, height, before, above } = rooms[g]!;
    const middle = rooms[outer]!.layout!.nodes[groupLocal[g]!]!;
    const x = origin[outer]!.x + middle.x - width / 2;
    const y = origin[outer]!.y + middle.y - height / 2;
    boxes.push({ x, y, width, height });
    origin[g] = { x: x + before, y: y + above };
  });
  const shift = (room: number, points: readonly Point[]): Point[] =>
    points.map(({ x, y }) => ({ x: x + origin[room]!.x, y: y + origin[room]!.y }));
  /** Lines that start or end at a pin go on to the edge of the group. */
  const toEdge = (room: number, from: End | undefined, to: End | undefined, points: readonly Point[]): Point[] => {
    const moved = shift(room, points);
    if (room === root) return moved;
    const { x, width } = boxes[room]!;
    if (from && rooms[room]!.local[from.local]!.kind === "in") moved[0] = { x, y: moved[0]!.y };
    if (to && rooms[room]!.local[to.local]!.kind === "out") moved[moved.length - 1] = { x: x + width, y: moved[moved.length - 1]!.y };
    return moved;
  };
  const trunks = new Map<string, { from: number; output: number; stretches: Point[][]; dots: Point[] }>();
  const trunkOf = (wire: number): { stretches: Point[][]; dots: Point[] } => {
    const { from, output } = wires[wire]!;
    const key = `${output} ${from}`;
    let trunk = trunks.get(key);
    if (trunk === undefined) trunks.set(key, (trunk = { from, output, stretches: [], dots: [] }));
    return trunk;
  };
  rooms.forEach((room, r) => {
    const netWire = new Map<string, Stretch>();
    for (const stretch of room.stretches) {
      const { from } = stretch;
      const port = from.inner < 0 ? from.port : rooms[from.inner]!.outOrder.indexOf(from.port);
      netWire.set(`${port} ${from.local}`, stretch);
    }
    for (const { from, output, stretches, dots } of room.layout!.trunks) {
      const stretch = netWire.get(`${output} ${from}`)!;
      const trunk = trunkOf(stretch.wires[0]!);
      const start = room.layout!.nodes[from]!;
      for (const points of stretches) {
        const atPin = points[0]!.x === start.x && points[0]!.y === start.y;
        trunk.stretches.push(toEdge(r, atPin ? stretch.from : undefined, undefined, points));
      }
      trunk.dots.push(...shift(r, dots));
    }
    room.stretches.forEach((stretch, s) => {
      if (stretch.wires.length < 2) return;
      const { points, own } = room.layout!.routes[s]!;
      const start = samePoint(own[0]!, points[0]!) ? stretch.from : undefined;
      trunkOf(stretch.wires[0]!).stretches.push(toEdge(r, start, stretch.to, own));
    });
  });
  const routes = paths.map((path): Route => {
    const points: Point[] = [];
    let own: Point[] = [];
    let isOwn = true;
    for (let k = path.length - 1; k >= 0; k--) {
      const { room, stretch: s } = path[k]!;
      const stretch = rooms[room]!.stretches[s]!;
      const route = rooms[room]!.layout!.routes[s]!;
      points.unshift(...toEdge(room, stretch.from, stretch.to, route.points));
      isOwn &&= stretch.wires.length === 1;
      if (!isOwn) continue;
      const whole = samePoint(route.own[0]!, route.points[0]!);
      own = [...toEdge(room, whole ? stretch.from : undefined, stretch.to, route.own), ...own];
      isOwn = whole;
    }
    return { points: simplify(points), own: simplify(own) };
  });
  const labels = paths.map((path) => {
    const { room, stretch } = path[path.length - 1]!;
    return shift(room, [rooms[room]!.layout!.labels[stretch]!])[0]!;
  });
  const nodes = sizes.map((_, i) => {
    const room = groupOf[i]! < 0 ? root : groupOf[i]!;
    return shift(room, [rooms[room]!.layout!.nodes[itemLocal[i]!]!])[0]!;
  });
  const { width, height } = rooms[root]!.layout!;
  return { width, height, nodes, labels, routes, trunks: [...trunks.values()], frames: boxes };
}

function samePoint(a: Point, b: Point): boolean {
  return a.x === b.x && a.y === b.y;
}
