import { layoutFlat } from "../layout/flat.ts";
import type { NodeSize, WireSize } from "../layout/layers.ts";
import type { Point } from "../layout/routes.ts";
import type { Spacing } from "../layout/spacing.ts";
import { englishWords, type PictureWords } from "../picture-words.ts";
import { checkScene, type Direction, type Scene, type SceneItem, type SceneWire } from "../scene.ts";
import { cellWidth, fitCells } from "./cell-width.ts";
import { gradientCells } from "./gradient-cells.ts";
import { Grid, type Stroke } from "./grid.ts";
import { listPicture } from "./list-picture.ts";

/** How a picture for a terminal is made. */
export interface TextPictureOptions {
  /** The most columns a line may take; 80 when left out. */
  readonly columns?: number;
  readonly words?: PictureWords;
}

/** With more items a drawing is no longer read; a list is. */
const mostDrawn = 120;

/**
 * A scene for a terminal, in box characters: from left to right if that fits the columns, else from top to bottom, else (and for many items) as a list.
 * Open groups are drawn without their frames.
 */
export function renderTextPicture(scene: Scene, { columns = 80, words = englishWords }: TextPictureOptions = {}): string {
  checkScene(scene);
  const directions: readonly Direction[] = scene.direction === undefined ? ["right", "down"] : [scene.direction];
  if (scene.items.length <= mostDrawn)
    for (const direction of directions) {
      const lines = drawCells(scene, direction, words);
      if (lines.every((line) => cellWidth(line) <= columns)) return `${lines.join("\n")}\n`;
    }
  return listPicture(scene, columns, words);
}

const cells: Record<Direction, Spacing> = {
  right: { pass: 1, label: 0, node: 1, apart: 1, touch: 0, nodeMargin: 1, labelMargin: 1, detour: 2, clearance: 1, trackGap: 2 },
  down: { pass: 1, label: 0, node: 2, apart: 1, touch: 0, nodeMargin: 1, labelMargin: 1, detour: 2, clearance: 1, trackGap: 1 },
};

/** The most columns of a name. */
const longestName = 18;

interface Ports {
  readonly inputs: readonly number[];
  readonly outputs: readonly number[];
}

function bodyText(item: SceneItem, isActive: boolean): string {
  const label = fitCells(item.label, longestName);
  const times = (item.repeat ?? 1) > 1 ? ` ×${item.repeat}` : "";
  const text =
    item.kind === "op"
      ? `(${label})`
      : item.kind === "parameter"
        ? `[${label}]`
        : item.kind === "input"
          ? `<${label}>`
          : item.kind === "module"
            ? `[[${label}${times}]]`
            : label;
  const note = item.note === undefined ? "" : ` !${fitCells(item.note, 12)}`;
  return `${isActive ? ">" : ""}${text}${note}${isActive ? "<" : ""}`;
}

/** The texts beside a wire, from top to bottom. */
function textsOf(wire: SceneWire, words: PictureWords): string[] {
  const chip = wire.rule ?? (wire.localGradient === undefined ? "" : `∂=${wire.localGradient}`);
  return [wire.above, gradientCells(wire.gradient, wire.below, words), chip].map((text) => fitCells(text, 26));
}

function drawCells(scene: Scene, direction: Direction, words: PictureWords): string[] {
  const isDown = direction === "down";
  const index = new Map(scene.items.map((item, i) => [item.id, i]));
  const ports = portsOf(scene, index);
  const trunkTexts = new Map<number, { readonly output: number; readonly texts: string[] }[]>();
  for (const trunk of scene.trunks ?? []) {
    const i = index.get(trunk.from)!;
    const branches = trunk.branches ?? scene.wires.filter((w) => w.from === trunk.from && w.output === trunk.output).length;
    const texts = [trunk.above, `Σ${branches} ${gradientCells(trunk.gradient, trunk.below, words)}`.trimEnd()];
    trunkTexts.set(i, [...(trunkTexts.get(i) ?? []), { output: ports[i]!.outputs.indexOf(trunk.output), texts }]);
  }
  const widest = (texts: readonly string[]): number => texts.reduce((most, text) => Math.max(most, cellWidth(text)), 0);
  const odd = (n: number): number => n + ((n + 1) % 2);
  const bodies = scene.items.map((item, i) => {
    const text = bodyText(item, item.id === scene.active);
    const least = isDown ? 2 * Math.max(ports[i]!.inputs.length, ports[i]!.outputs.length) - 1 : 1;
    return { text, width: odd(Math.max(cellWidth(text), least)) };
  });
  const spread = (n: number): number[] =>
    Array.from({ length: n }, (_, i) => (isDown || n === 2 ? 2 * i - (n - 1) : Math.round(i - (n - 1) / 2)));
  const sizes = scene.items.map((_, i): NodeSize => {
    const half = (bodies[i]!.width - 1) / 2;
    const inputs = spread(ports[i]!.inputs.length);
    const outputs = ports[i]!.outputs.map((_o, k) => (isDown ? 2 : 4) * k - (isDown ? 1 : 2) * (ports[i]!.outputs.length - 1));
    const trunk = widest(trunkTexts.get(i)?.flatMap(({ texts }) => texts) ?? []);
    const edge = Math.max(0, ...inputs.map(Math.abs), ...outputs.map(Math.abs));
    const base = { body: isDown ? 1 : half + 1, half: 0, corner: 0, inputs, outputs };
    if (isDown) return { ...base, left: 0, right: trunk > 0 ? 4 : 1, up: half, down: Math.max(half + 1, trunk > 0 ? edge + trunk + 3 : 0) };
    return {
      ...base,
      left: half,
      right: half + 1 + (trunk > 0 ? trunk + 2 : 0),
      up: Math.max(edge, trunk > 0 ? 1 : 0),
      down: edge + (trunk > 0 ? 2 : 1),
    };
  });
  const texts = scene.wires.map((wire) => textsOf(wire, words));
  const hasChips = texts.some((list) => list[2] !== "");
  const wires = scene.wires.map((wire, w): WireSize & { slot: WireSize["slot"] } => {
    const from = index.get(wire.from)!;
    const to = index.get(wire.to)!;
    const width = widest(texts[w]!);
    const slot = isDown
      ? { width: hasChips ? 4 : 2, up: 0, down: width === 0 ? 1 : width + 3 }
      : { width: Math.max(2, 2 * Math.ceil((width + 1) / 2)), up: texts[w]![0] === "" ? 0 : 1, down: hasChips ? 3 : 2 };
    return { from, to, output: ports[from]!.outputs.indexOf(wire.output), input: ports[to]!.inputs.indexOf(wire.input), slot };
  });
  const layout = layoutFlat(sizes, wires, 100_000, cells[direction]);
  const turn = ({ x, y }: Point): Point => (isDown ? { x: y, y: x } : { x, y });
  const grid = new Grid();
  scene.wires.forEach((wire, w) => {
    const points = layout.routes[w]!.points.map(turn);
    const { from, to } = wires[w]!;
    if (!isDown) {
      // Ports off the middle row bend toward their node.
      const start = turn(layout.nodes[from]!);
      const end = turn(layout.nodes[to]!);
      if (points[0]!.y !== start.y)
        points.unshift({ x: start.x, y: start.y + Math.sign(points[0]!.y - start.y) }, { x: start.x, y: points[0]!.y });
      const last = points[points.length - 1]!;
      if (last.y !== end.y) points.push({ x: end.x, y: last.y }, { x: end.x, y: end.y + Math.sign(last.y - end.y) });
      grid.line(points, strokeOf(wire), start, end);
    } else grid.line(points, strokeOf(wire), turn(layout.nodes[from]!), turn(layout.nodes[to]!));
    if (wire.flow === "downstream") grid.put(points[0]!, isDown ? "^" : "<");
  });
  scene.items.forEach((_, i) => {
    const { x, y } = turn(layout.nodes[i]!);
    const { text, width } = bodies[i]!;
    const lead = (width - 1) / 2 - ((width - cellWidth(text)) >> 1);
    grid.write({ x: x - lead, y }, text);
    for (const { output, texts: trunk } of trunkTexts.get(i) ?? []) {
      const offset = sizes[i]!.outputs[output]!;
      trunk.forEach((line, row) => {
        grid.write(
          isDown ? { x: x + offset + 2, y: y + 1 + row } : { x: x + (width - 1) / 2 + 2, y: y + offset + (row === 0 ? -1 : 1) },
          line,
        );
      });
    }
  });
  scene.wires.forEach((_, w) => {
    const { x, y } = turn(layout.labels[w]!);
    texts[w]!.forEach((line, row) => {
      const rows = isDown ? row - (hasChips ? 2 : 1) : row === 0 ? -1 : row;
      grid.write({ x: isDown ? x + 2 : x - (cellWidth(line) >> 1), y: y + rows }, line);
    });
  });
  return grid.lines();
}

function strokeOf(wire: SceneWire): Stroke {
  if (wire.flow === "upstream") return "heavy";
  if (wire.flow === "downstream") return "dashed";
  return wire.gradient === "zero" ? "dotted" : "light";
}

function portsOf(scene: Scene, index: ReadonlyMap<string, number>): Ports[] {
  const used = scene.items.map(() => ({ inputs: new Set<number>(), outputs: new Set<number>() }));
  for (const wire of scene.wires) {
    used[index.get(wire.from)!]!.outputs.add(wire.output);
    used[index.get(wire.to)!]!.inputs.add(wire.input);
  }
  const sorted = (set: Set<number>): number[] => [...set].sort((a, b) => a - b);
  return used.map(({ inputs, outputs }) => ({ inputs: sorted(inputs), outputs: sorted(outputs) }));
}
