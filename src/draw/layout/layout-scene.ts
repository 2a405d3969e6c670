import { GraphError } from "../../ir/errors.ts";
import { bodyOf, groupFrame, type ItemBody, nodeSize, type Ports, trunkSlot, wireSlot } from "../item-size.ts";
import { checkScene, type Direction, type Scene } from "../scene.ts";
import type { WireSize } from "./layers.ts";
import { layoutNested } from "./nested.ts";
import type { Point } from "./routes.ts";

/** How a scene is laid out. */
export interface LayoutOptions {
  /**
   * 3 (default) keeps room under every wire for a local gradient or a sum badge, so that nothing moves from step to step; 2 is for a picture that
   * shows neither.
   */
  readonly labelRows?: 2 | 3;
  /** The most items that are laid out, 5000 when left out. */
  readonly maxItems?: number;
}

/** An item's place: the middle of its body. */
export interface PlacedItem {
  readonly id: string;
  readonly x: number;
  readonly y: number;
  readonly body: ItemBody;
}

/** The room for texts about a wire: `x`, `y` is the middle of the wire's stretch in it, the others how far the room reaches from there. */
export interface Slot {
  readonly x: number;
  readonly y: number;
  readonly left: number;
  readonly right: number;
  readonly up: number;
  readonly down: number;
}

/** A wire's way, in the order of the scene's wires. */
export interface PlacedWire {
  /** From port to port. */
  readonly points: readonly Point[];
  /** The part no other wire shares. */
  readonly own: readonly Point[];
  readonly slot: Slot;
}

/** The shared stretches of one output's wires. */
export interface PlacedTrunk {
  readonly from: string;
  readonly output: number;
  readonly stretches: readonly (readonly Point[])[];
  readonly dots: readonly Point[];
  /** Room for the sum's texts, when the scene has a trunk here. */
  readonly slot?: Slot;
}

/** The box of an open group: its corner and its size. */
export interface PlacedGroup {
  readonly id: string;
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

/** Where everything in a scene goes, in pixels from the top left. */
export interface Layout {
  readonly direction: Direction;
  readonly width: number;
  readonly height: number;
  readonly items: readonly PlacedItem[];
  readonly wires: readonly PlacedWire[];
  readonly trunks: readonly PlacedTrunk[];
  readonly groups: readonly PlacedGroup[];
}

/**
 * Lays a scene out in layers from left to right (or from top to bottom), operands in port order, with room for the numbers on every wire, and open
 * groups from the inside out. The same scene always gives the same layout; which numbers the wires carry does not change it.
 *
 * @throws GraphError for a scene that is not well formed, has a cycle, or has more than `maxItems` items.
 */
export function layoutScene(scene: Scene, options: LayoutOptions = {}): Layout {
  const { labelRows = 3, maxItems = 5000 } = options;
  if (scene.items.length > maxItems || scene.wires.length > 4 * maxItems) {
    throw new GraphError(
      `draw: the scene has ${scene.items.length} items and ${scene.wires.length} wires, more than maxItems = ${maxItems} (and four wires to each) allows; draw it at a smaller depth, draw a part of it, or raise maxItems`,
    );
  }
  checkScene(scene);
  const { direction = "right" } = scene;
  const ports = portsOf(scene);
  const bodies = scene.items.map((item, i) => bodyOf(item, ports[i]!, direction));
  const slots = trunkSlots(scene, direction);
  const sizes = bodies.map((body, i) => nodeSize(scene.items[i]!, body, ports[i]!, slots[i], direction));
  const index = new Map(scene.items.map((item, i) => [item.id, i]));
  const wires = scene.wires.map((wire) => {
    const from = index.get(wire.from)!;
    const to = index.get(wire.to)!;
    return {
      from,
      to,
      output: ports[from]!.outputs.indexOf(wire.output),
      input: ports[to]!.inputs.indexOf(wire.input),
      slot: wireSlot(wire, labelRows, direction),
    };
  });
  const groups = scene.groups ?? [];
  const groupIndex = new Map(groups.map(({ id }, g) => [id, g]));
  const inside = (group: string | undefined): number => (group === undefined ? -1 : groupIndex.get(group)!);
  const found = layoutNested({
    sizes,
    wires,
    groupOf: scene.items.map(({ group }) => inside(group)),
    groups: groups.map((group) => ({ parent: inside(group.group), ...groupFrame(group, direction) })),
    maxPlaces: 100 * maxItems,
  });
  const turn = direction === "down" ? ({ x, y }: Point): Point => ({ x: y, y: x }) : (point: Point): Point => point;
  const line = (points: readonly Point[]): readonly Point[] => (direction === "down" ? points.map(turn) : points);
  const slotAt = (middle: Point, room: WireSize["slot"]): Slot => {
    const { width, up, down } = room;
    const along = width / 2;
    return direction === "down"
      ? { ...turn(middle), left: up, right: down, up: along, down: along }
      : { x: middle.x, y: middle.y, left: along, right: along, up, down };
  };
  const trunks = new Map<string, PlacedTrunk>();
  for (const { from, output, stretches, dots } of found.trunks) {
    const trunk = { from: scene.items[from]!.id, output: ports[from]!.outputs[output]! };
    trunks.set(keyOf(trunk), { ...trunk, stretches: stretches.map(line), dots: dots.map(turn) });
  }
  const start = new Map(scene.wires.map((wire, w) => [keyOf(wire), found.routes[w]!.points[0]!.y]));
  for (const trunk of scene.trunks ?? []) {
    const i = index.get(trunk.from)!;
    const room = slots[i]!;
    const slot = slotAt({ x: found.nodes[i]!.x + sizes[i]!.body + room.width / 2, y: start.get(keyOf(trunk))! }, room);
    const { stretches = [], dots = [] } = trunks.get(keyOf(trunk)) ?? {};
    trunks.set(keyOf(trunk), { from: trunk.from, output: trunk.output, stretches, dots, slot });
  }
  const size = turn({ x: Math.ceil(found.width), y: Math.ceil(found.height) });
  return {
    direction,
    width: size.x,
    height: size.y,
    items: scene.items.map((item, i) => ({ id: item.id, ...turn(found.nodes[i]!), body: bodies[i]! })),
    wires: found.routes.map(({ points, own }, w) => ({
      points: line(points),
      own: line(own),
      slot: slotAt(found.labels[w]!, wires[w]!.slot),
    })),
    trunks: [...trunks.values()],
    groups: found.frames.map((frame, g) => {
      const extent = turn({ x: frame.width, y: frame.height });
      return { id: groups[g]!.id, ...turn(frame), width: extent.x, height: extent.y };
    }),
  };
}

function keyOf({ from, output }: { readonly from: string; readonly output: number }): string {
  return `${output} ${from}`;
}

/** The room for the widest trunk of each item. */
function trunkSlots(scene: Scene, direction: Direction): (WireSize["slot"] | undefined)[] {
  const trunked = new Map((scene.trunks ?? []).map((trunk) => [trunk.from, false]));
  for (const wire of scene.wires) if (wire.tensor && trunked.has(wire.from)) trunked.set(wire.from, true);
  return scene.items.map((item) => {
    const isTensor = trunked.get(item.id);
    return isTensor === undefined ? undefined : trunkSlot(isTensor, direction);
  });
}

function portsOf(scene: Scene): Ports[] {
  const used = new Map(
    scene.items.map((item) => [item.id, { inputs: new Set<number>(), outputs: new Set<number>(), trunks: new Set<number>() }]),
  );
  for (const wire of scene.wires) {
    used.get(wire.from)!.outputs.add(wire.output);
    used.get(wire.to)!.inputs.add(wire.input);
  }
  for (const trunk of scene.trunks ?? []) used.get(trunk.from)!.trunks.add(trunk.output);
  const sorted = (set: Set<number>): number[] => [...set].sort((a, b) => a - b);
  return scene.items.map((item) => {
    const { inputs, outputs, trunks } = used.get(item.id)!;
    return { inputs: sorted(inputs), outputs: sorted(outputs), trunks: sorted(trunks) };
  });
}
