import type { NodeSize, WireSize } from "./layout/layers.ts";
import type { GroupSize } from "./layout/nested.ts";
import type { Direction, SceneGroup, SceneItem, SceneWire } from "./scene.ts";
import { fitText, textWidth } from "./text-width.ts";

/** The outline of an item's body. */
export type Outline = "circle" | "pill" | "box" | "name" | "module";

/** An item's body and the texts that fit into it. */
export interface ItemBody {
  readonly outline: Outline;
  readonly width: number;
  readonly height: number;
  readonly label: string;
  readonly labelSize: number;
  readonly shape: string;
}

/** Which ports of an item are in use; wires name ports, the layout counts them. */
export interface Ports {
  readonly inputs: readonly number[];
  readonly outputs: readonly number[];
  /** The outputs that keep room for a trunk's texts. */
  readonly trunks: readonly number[];
}

/** Text sizes in pixels. */
export const numberSize = 12;
export const shapeSize = 10;

/** Room around a wire: the value above it; the gradient and, in three rows, the chip or badge below. */
export const slotUp = 20;
const tallSlotDown = 36;
const slotDown: Record<2 | 3, number> = { 2: 20, 3: tallSlotDown };
const slotWidth = 62;
/** Beside a wire that runs down, the same rows stand to its right. */
const downLeft = 6;
const downSlot = { left: downLeft, least: 84, rows: { 2: 36, 3: 54 } } as const;
/** A tensor's texts: a small histogram and a shape or norm. */
const tensorSlotWidth = 124;
export const barsWidth = 30;
const widest = 200;

/** The least distances between ports, so that two wires never look like one. */
const inputGap = 11;
const outputGap = 16;
const trunkGap: Record<Direction, number> = { right: slotUp + tallSlotDown + 4, down: downLeft + tensorSlotWidth + 4 };

/** The height of a module's repeats that show behind it, and of the pill on an item's edge. */
export const stackShift = 4;
export const noteHeight = 15;

/** How an item's body is drawn, before its wires are known. */
export function bodyOf(item: SceneItem, ports: Ports, direction: Direction = "right"): ItemBody {
  const body = widened(
    item.note,
    item.kind === "op"
      ? opBody(item.label)
      : item.kind === "output"
        ? nameBody(item.label)
        : item.kind === "module"
          ? moduleBody(item)
          : boxBody(item),
  );
  const gap = ports.trunks.length > 0 && ports.outputs.length > 1 ? trunkGap[direction] : outputGap;
  const needed = 2 * Math.ceil(Math.max((ports.inputs.length - 1) * inputGap + 22, (ports.outputs.length - 1) * gap + 22) / 2);
  const outline = body.outline === "circle" ? "pill" : body.outline;
  if (direction === "down") return needed <= body.width ? body : { ...body, outline, width: needed };
  return needed <= body.height ? body : { ...body, outline, height: needed };
}

/** A body as wide as the pill on its edge. */
function widened(note: string | undefined, body: ItemBody): ItemBody {
  const needed = note === undefined ? 0 : Math.min(120, even(textWidth(note, 10) + 8));
  if (needed <= Math.max(48, body.width)) return body;
  return { ...body, outline: body.outline === "circle" ? "pill" : body.outline, width: needed };
}

function opBody(text: string): ItemBody {
  const size = [...text].length === 1 ? 18 : 12;
  if ([...text].length <= 3 && textWidth(text, size) <= 36)
    return { outline: "circle", width: 44, height: 44, label: text, labelSize: size, shape: "" };
  const label = fitText(text, 13, 200);
  return { outline: "pill", width: even(Math.max(56, textWidth(label, 13) + 26)), height: 44, label, labelSize: 13, shape: "" };
}

function moduleBody(item: SceneItem): ItemBody {
  const title = `▸ ${item.label}`;
  const times = item.repeat !== undefined && item.repeat > 1 ? ` ×${item.repeat}` : "";
  const label = `${fitText(title, 13, 200)}${times}`;
  const shape = fitText(item.shape ?? "", shapeSize, 190);
  const width = even(Math.max(64, textWidth(label, 13) + 24, textWidth(shape, shapeSize) + 22));
  return { outline: "module", width, height: shape === "" ? 38 : 46, label, labelSize: 13, shape };
}

function nameBody(text: string): ItemBody {
  const label = fitText(text, 15, 120);
  return { outline: "name", width: even(textWidth(label, 15) + 8), height: 26, label, labelSize: 15, shape: "" };
}

function boxBody(item: SceneItem): ItemBody {
  // Paths such as blocks.0.attn.qkv.w are names too: smaller type keeps them whole.
  const labelSize = textWidth(item.label.slice(0, 40), 14) > 110 ? 12 : 14;
  const label = fitText(item.label, labelSize, 180);
  const shape = fitText(item.shape ?? "", shapeSize, 140);
  const width = even(Math.max(44, textWidth(label, labelSize) + 18, textWidth(shape, shapeSize) + 16));
  return { outline: "box", width, height: shape === "" ? 32 : 42, label, labelSize, shape };
}

const even = (x: number): number => 2 * Math.ceil(x / 2);

/** The room for a trunk's texts, between the body and where the branches part. Always three rows: the third is for the sum's badge. */
export function trunkSlot(isTensor: boolean, direction: Direction = "right"): WireSize["slot"] {
  if (direction === "down") return { width: downSlot.rows[3], up: downSlot.left, down: isTensor ? tensorSlotWidth : downSlot.least };
  return { width: isTensor ? tensorSlotWidth - barsWidth : slotWidth, up: slotUp, down: slotDown[3] };
}

/** The room a body and its trunks take, and where its ports are; for wires that run down, turned so that they run to the right. */
export function nodeSize(
  item: SceneItem,
  body: ItemBody,
  ports: Ports,
  trunk: WireSize["slot"] | undefined,
  direction: Direction,
): NodeSize {
  const isDown = direction === "down";
  const along = (isDown ? body.height : body.width) / 2;
  const across = (isDown ? body.width : body.height) / 2;
  const gap = trunk && ports.outputs.length > 1 ? trunkGap[direction] : outputGap;
  const outputs = spreadPorts(ports.outputs.length, gap);
  const edge = Math.max(0, ...outputs.map(Math.abs));
  const stack = item.repeat !== undefined && item.repeat > 1 ? 2 * stackShift : 0;
  const note = item.note === undefined ? 0 : noteHeight - 3;
  const up = Math.max(across + (isDown ? 0 : note), trunk ? edge + trunk.up : 0);
  const down = Math.max(across + stack, trunk ? edge + trunk.down : 0);
  return {
    left: along + (isDown ? note : 0),
    right: along + Math.max(stack, trunk ? trunk.width : 0),
    up,
    down,
    body: along,
    half: across,
    corner: body.outline === "circle" || body.outline === "pill" ? 22 : 0,
    inputs: spreadPorts(ports.inputs.length, ports.inputs.length === 2 ? 16 : inputGap),
    outputs,
  };
}

/** Whole-number offsets, evenly spread about the middle. */
function spreadPorts(count: number, gap: number): number[] {
  return Array.from({ length: count }, (_, i) => Math.round((i - (count - 1) / 2) * gap));
}

/** The room a wire's texts take. The same at every step of a walk as long as its numbers come from `formatNumber`, so that nothing shifts. */
export function wireSlot(wire: SceneWire, rows: 2 | 3, direction: Direction = "right"): WireSize["slot"] {
  const bars = wire.tensor === true ? barsWidth : 0;
  const text = Math.max(textWidth(wire.above, numberSize), wire.gradient === "number" ? textWidth(wire.below, numberSize) : 0);
  const width = Math.max(wire.tensor === true ? tensorSlotWidth : slotWidth, Math.min(widest, text + bars + 4));
  const room = even(width > slotWidth + 8 || wire.tensor === true ? width : slotWidth);
  if (direction === "down") return { width: downSlot.rows[rows], up: downSlot.left, down: Math.max(room, downSlot.least) };
  return { width: room, up: slotUp, down: slotDown[rows] };
}

/** The title of an open group, cut to a reasonable length. */
export const groupTitleSize = 12;
export function groupTitle(group: SceneGroup): string {
  return `▾ ${fitText(group.label, groupTitleSize, 220)}`;
}

/** The room around the content of an open group: the title stands in the upper left corner of its box. */
export function groupFrame(group: SceneGroup, direction: Direction): Omit<GroupSize, "parent"> {
  const title = even(textWidth(groupTitle(group), groupTitleSize) + 20);
  if (direction === "down") return { before: 30, after: 12, above: 12, below: 12, leastWidth: 40, leastHeight: title };
  return { before: 12, after: 12, above: 26, below: 10, leastWidth: title, leastHeight: 40 };
}
