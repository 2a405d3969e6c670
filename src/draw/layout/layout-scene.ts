import { GraphError } from "../../ir/errors.ts";
import { bodyOf, type ItemBody, nodeSize, type Ports, trunkSlot, wireSlot } from "../item-size.ts";
import { checkScene, type Scene } from "../scene.ts";
import { setHeights } from "./heights.ts";
import { buildLayers } from "./layers.ts";
import { orderLayers } from "./order.ts";
import { type Point, routeWires } from "./routes.ts";

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

/** The room for texts about a wire: `x`, `y` is the middle of the wire's stretch in it. */
export interface Slot {
  readonly x: number;
  readonly y: number;
  readonly width: number;
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

/** Where everything in a scene goes, in pixels from the top left. */
export interface Layout {
  readonly width: number;
  readonly height: number;
  readonly items: readonly PlacedItem[];
  readonly wires: readonly PlacedWire[];
  readonly trunks: readonly PlacedTrunk[];
}

/**
 * Lays a scene out from left to right in layers, operands from top to bottom in port order, with room for the numbers on every wire. The same scene
 * always gives the same layout; which numbers the wires carry does not change it.
 *
 * After Sugiyama, Tagawa and Toda (1981) and Gansner et al. (1993), with the numbers on wires as items of their own.
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
  const ports = portsOf(scene);
  const bodies = scene.items.map((item, i) => bodyOf(item, ports[i]!));
  const slots = trunkSlots(scene);
  const sizes = bodies.map((body, i) => nodeSize(body, ports[i]!, slots[i]));
  const index = new Map(scene.items.map((item, i) => [item.id, i]));
  const wires = scene.wires.map((wire) => {
    const from = index.get(wire.from)!;
    const to = index.get(wire.to)!;
    return {
      from,
      to,
      output: ports[from]!.outputs.indexOf(wire.output),
      input: ports[to]!.inputs.indexOf(wire.input),
      slot: wireSlot(wire, labelRows),
    };
  });
  const layers = buildLayers(sizes, wires, 100 * maxItems);
  orderLayers(layers.layers);
  setHeights(layers.layers);
  const height = moveToTop(layers.layers);
  const { routes, trunks, width } = routeWires(layers, sizes, wires);
  const placed = routes.map((route, w) => ({ ...route, slot: { x: layers.labels[w]!.x, y: layers.labels[w]!.y, ...wires[w]!.slot } }));
  const found = trunks.map(({ from, output, stretches, dots }) => ({
    from: scene.items[from]!.id,
    output: ports[from]!.outputs[output]!,
    stretches,
    dots,
  }));
  return {
    width: Math.ceil(width),
    height: Math.ceil(height),
    items: scene.items.map((item, i) => ({ id: item.id, x: layers.nodes[i]!.x, y: layers.nodes[i]!.y, body: bodies[i]! })),
    wires: placed,
    trunks: placeTrunks(scene, bodies, layers.nodes, slots, placed, found),
  };
}

/** The room for the widest trunk of each item. */
function trunkSlots(scene: Scene): (Omit<Slot, "x" | "y"> | undefined)[] {
  const trunked = new Map((scene.trunks ?? []).map((trunk) => [trunk.from, false]));
  for (const wire of scene.wires) if (wire.tensor && trunked.has(wire.from)) trunked.set(wire.from, true);
  return scene.items.map((item) => {
    const isTensor = trunked.get(item.id);
    return isTensor === undefined ? undefined : trunkSlot(isTensor);
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

/** Moves everything so that the highest item touches 0; returns the height. */
function moveToTop(layers: readonly (readonly { y: number; readonly up: number; readonly down: number }[])[]): number {
  let top = Number.POSITIVE_INFINITY;
  let bottom = Number.NEGATIVE_INFINITY;
  for (const layer of layers) {
    for (const item of layer) {
      top = Math.min(top, item.y - item.up);
      bottom = Math.max(bottom, item.y + item.down);
    }
  }
  if (top > bottom) return 0;
  for (const layer of layers) for (const item of layer) item.y -= top;
  return bottom - top;
}

function placeTrunks(
  scene: Scene,
  bodies: readonly ItemBody[],
  nodes: readonly Point[],
  slots: readonly (Omit<Slot, "x" | "y"> | undefined)[],
  wires: readonly PlacedWire[],
  found: readonly Omit<PlacedTrunk, "slot">[],
): PlacedTrunk[] {
  const key = ({ from, output }: { readonly from: string; readonly output: number }): string => `${output} ${from}`;
  const placed = new Map<string, PlacedTrunk>(found.map((trunk) => [key(trunk), trunk]));
  const height = new Map(scene.wires.map((wire, w) => [key(wire), wires[w]!.points[0]!.y]));
  const index = new Map(scene.items.map((item, i) => [item.id, i]));
  for (const trunk of scene.trunks ?? []) {
    const i = index.get(trunk.from)!;
    const room = slots[i]!;
    const slot = { ...room, x: nodes[i]!.x + bodies[i]!.width / 2 + room.width / 2, y: height.get(key(trunk))! };
    const { stretches = [], dots = [] } = placed.get(key(trunk)) ?? {};
    placed.set(key(trunk), { from: trunk.from, output: trunk.output, stretches, dots, slot });
  }
  return [...placed.values()];
}
