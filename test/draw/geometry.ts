import type { Layout, Slot } from "../../src/draw/layout/layout-scene.ts";
import type { Point } from "../../src/draw/layout/routes.ts";
import type { Scene } from "../../src/draw/scene.ts";

interface Box {
  readonly name: string;
  readonly left: number;
  readonly right: number;
  readonly top: number;
  readonly bottom: number;
}

interface Segment {
  readonly net: string;
  readonly wire: number;
  readonly from: Point;
  readonly to: Point;
}

const slotBox = (name: string, { x, y, left, right, up, down }: Slot): Box => ({
  name,
  left: x - left,
  right: x + right,
  top: y - up,
  bottom: y + down,
});

function boxesOf(layout: Layout): { bodies: Box[]; slots: Box[] } {
  const bodies = layout.items.map(({ id, x, y, body }) => ({
    name: `item ${id}`,
    left: x - body.width / 2,
    right: x + body.width / 2,
    top: y - body.height / 2,
    bottom: y + body.height / 2,
  }));
  const slots = layout.wires.map((wire, w) => slotBox(`wire ${w}`, wire.slot));
  for (const trunk of layout.trunks) if (trunk.slot) slots.push(slotBox(`trunk ${trunk.from}`, trunk.slot));
  return { bodies, slots };
}

function segmentsOf(scene: Scene, layout: Layout): Segment[] {
  return layout.wires.flatMap(({ points }, wire) => {
    const net = `${scene.wires[wire]!.from} ${scene.wires[wire]!.output}`;
    return points.slice(1).map((to, i) => ({ net, wire, from: points[i]!, to }));
  });
}

const inside = (low: number, x: number, high: number): boolean => x > low + 1e-6 && x < high - 1e-6;
const overlap = (a: number, b: number, c: number, d: number): number =>
  Math.min(Math.max(a, b), Math.max(c, d)) - Math.max(Math.min(a, b), Math.min(c, d));

function cuts(segment: Segment, box: Box): boolean {
  const { from, to } = segment;
  if (from.y === to.y) return inside(box.top, from.y, box.bottom) && overlap(from.x, to.x, box.left, box.right) > 1e-6;
  return inside(box.left, from.x, box.right) && overlap(from.y, to.y, box.top, box.bottom) > 1e-6;
}

/** A layout that runs down, turned so that it runs to the right: the laws are the same. */
function turned(layout: Layout): Layout {
  if (layout.direction === "right") return layout;
  const turn = <P extends Point>({ x, y, ...rest }: P): P => ({ ...rest, x: y, y: x }) as unknown as P;
  const turnBox = <B extends { width: number; height: number }>({ width, height, ...rest }: B): B =>
    ({ ...rest, width: height, height: width }) as unknown as B;
  const slot = (s: Slot): Slot => ({ ...turn(s), left: s.up, right: s.down, up: s.left, down: s.right });
  return {
    ...turnBox(layout),
    direction: "right",
    items: layout.items.map((item) => ({ ...turn(item), body: turnBox(item.body) })),
    wires: layout.wires.map((wire) => ({ points: wire.points.map(turn), own: wire.own.map(turn), slot: slot(wire.slot) })),
    trunks: layout.trunks.map(({ slot: room, ...trunk }) => ({
      ...trunk,
      stretches: trunk.stretches.map((points) => points.map(turn)),
      dots: trunk.dots.map(turn),
      ...(room && { slot: slot(room) }),
    })),
    groups: layout.groups.map((group) => turn(turnBox(group))),
  };
}

/** Groups that do not hold what is in them, hold what is not, or overlap. */
function groupFaults(scene: Scene, layout: Layout): string[] {
  const found: string[] = [];
  const groups = scene.groups ?? [];
  const parent = new Map<string, string | undefined>(groups.map(({ id, group }) => [id, group]));
  const isIn = (inner: string | undefined, outer: string): boolean => {
    for (let id = inner; id !== undefined; id = parent.get(id)) if (id === outer) return true;
    return false;
  };
  const box = ({ id, x, y, width, height }: Layout["groups"][number]): Box => ({
    name: id,
    left: x,
    right: x + width,
    top: y,
    bottom: y + height,
  });
  const holds = (a: Box, b: Box): boolean => b.left >= a.left && b.right <= a.right && b.top >= a.top && b.bottom <= a.bottom;
  const apart = (a: Box, b: Box): boolean =>
    overlap(a.left, a.right, b.left, b.right) <= 0 || overlap(a.top, a.bottom, b.top, b.bottom) <= 0;
  const frames = layout.groups.map(box);
  const { bodies } = boxesOf(layout);
  frames.forEach((frame, g) => {
    const id = groups[g]!.id;
    bodies.forEach((body, i) => {
      const fits = isIn(scene.items[i]!.group, id) ? holds(frame, body) : apart(frame, body);
      if (!fits) found.push(`group ${id} and ${body.name} overlap, or it is not held`);
    });
    frames.forEach((other, h) => {
      if (h === g || isIn(id, groups[h]!.id)) return;
      if (!(isIn(groups[h]!.id, id) ? holds(frame, other) : apart(frame, other))) found.push(`groups ${id} and ${groups[h]!.id} overlap`);
    });
  });
  return found;
}

/** Every breach of the laws a picture keeps, in words; none for a good layout. */
export function faults(scene: Scene, placed: Layout): string[] {
  const layout = turned(placed);
  const found = groupFaults(scene, layout);
  found.push(...wireFaults(scene, layout));
  return found;
}

function wireFaults(scene: Scene, layout: Layout): string[] {
  const found: string[] = [];
  const { bodies, slots } = boxesOf(layout);
  const boxes = [...bodies, ...slots];
  boxes.forEach((a, i) => {
    if (a.left < -1e-6 || a.top < -1e-6 || a.right > layout.width + 1e-6 || a.bottom > layout.height + 1e-6)
      found.push(`${a.name} leaves the picture`);
    for (const b of boxes.slice(i + 1)) {
      if (overlap(a.left, a.right, b.left, b.right) > 1e-6 && overlap(a.top, a.bottom, b.top, b.bottom) > 1e-6)
        found.push(`${a.name} overlaps ${b.name}`);
    }
  });
  const segments = segmentsOf(scene, layout);
  for (const segment of segments) {
    const { from, to, wire } = segment;
    if (from.x !== to.x && from.y !== to.y) found.push(`wire ${wire} has a slanted stretch`);
    if (to.x < from.x) found.push(`wire ${wire} runs backward`);
    bodies.forEach((body, i) => {
      // A wire may end on a round side, inside the corner of the body's box.
      const isEnd = [scene.wires[wire]!.from, scene.wires[wire]!.to].includes(layout.items[i]!.id);
      if (!isEnd && cuts(segment, body)) found.push(`wire ${wire} runs through ${body.name}`);
    });
    for (const slot of slots) {
      const isOwn = slot.name === `wire ${wire}` || slot.name === `trunk ${scene.wires[wire]!.from}`;
      if (!isOwn && cuts(segment, slot)) found.push(`wire ${wire} runs through the texts of ${slot.name}`);
    }
  }
  found.push(...sharedLines(segments), ...portFaults(scene, layout));
  return found;
}

/** Stretches of different nets on one line, which a reader would take for one wire. */
function sharedLines(segments: readonly Segment[]): string[] {
  const found: string[] = [];
  segments.forEach((a, i) => {
    for (const b of segments.slice(i + 1)) {
      if (a.net === b.net) continue;
      const horizontal =
        a.from.y === a.to.y && b.from.y === b.to.y && Math.abs(a.from.y - b.from.y) < 3 && overlap(a.from.x, a.to.x, b.from.x, b.to.x) > 0;
      const vertical =
        a.from.x === a.to.x && b.from.x === b.to.x && Math.abs(a.from.x - b.from.x) < 3 && overlap(a.from.y, a.to.y, b.from.y, b.to.y) > 0;
      if (horizontal || vertical) found.push(`wires ${a.wire} and ${b.wire} share a line`);
    }
  });
  return found;
}

/** Ends off the outline of their items, and operands out of order. */
function portFaults(scene: Scene, layout: Layout): string[] {
  const found: string[] = [];
  const place = new Map(layout.items.map((item) => [item.id, item]));
  const arrivals = new Map<string, { input: number; y: number }[]>();
  scene.wires.forEach((wire, w) => {
    const { points, slot } = layout.wires[w]!;
    const ends = [
      [points[0]!, wire.from, 1],
      [points[points.length - 1]!, wire.to, -1],
    ] as const;
    for (const [point, id, side] of ends) {
      const { x, y, body } = place.get(id)!;
      const dy = Math.abs(point.y - y);
      const corner = body.outline === "circle" || body.outline === "pill" ? 22 : 0;
      const beyond = dy - (body.height / 2 - corner);
      const edge = body.width / 2 - (corner > 0 && beyond > 0 ? corner - Math.sqrt(corner ** 2 - beyond ** 2) : 0);
      if (dy > body.height / 2 || Math.abs(point.x - (x + side * edge)) > 0.01)
        found.push(`wire ${w} does not end on the outline of ${id}`);
    }
    const crosses = points.some((to, i) => {
      const from = points[i - 1];
      return from?.y === slot.y && to.y === slot.y && from.x <= slot.x - slot.left && to.x >= slot.x + slot.right;
    });
    if (!crosses) found.push(`wire ${w} does not pass straight through its texts`);
    arrivals.set(wire.to, [...(arrivals.get(wire.to) ?? []), { input: wire.input, y: points[points.length - 1]!.y }]);
  });
  for (const [id, list] of arrivals) {
    list.sort((a, b) => a.input - b.input);
    for (let i = 1; i < list.length; i++)
      if (list[i]!.y - list[i - 1]!.y < 8) found.push(`operands ${i - 1} and ${i} of ${id} are not in order`);
  }
  return found;
}

/** Proper crossings of different nets, each point once. */
export function countCrossings(scene: Scene, placed: Layout): number {
  const layout = turned(placed);
  const segments = segmentsOf(scene, layout);
  const horizontal = segments.filter(({ from, to }) => from.y === to.y);
  const vertical = segments.filter(({ from, to }) => from.x === to.x);
  const points = new Set<string>();
  for (const h of horizontal) {
    for (const v of vertical) {
      if (h.net === v.net) continue;
      const x = v.from.x;
      const y = h.from.y;
      if (inside(h.from.x, x, h.to.x) && inside(Math.min(v.from.y, v.to.y), y, Math.max(v.from.y, v.to.y)))
        points.add(`${[h.net, v.net].sort()} ${x},${y}`);
    }
  }
  return points.size;
}
