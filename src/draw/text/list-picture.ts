import type { PictureWords } from "../picture-words.ts";
import type { Scene, SceneItem, SceneTrunk, SceneWire } from "../scene.ts";
import { cellWidth, fitCells } from "./cell-width.ts";
import { gradientCells } from "./gradient-cells.ts";

/** A scene as a list, one line an item in order: what it is, its value, its gradient. */
export function listPicture(scene: Scene, columns: number, words: PictureWords): string {
  const items = new Map(scene.items.map((item) => [item.id, item]));
  const ins = new Map<string, SceneWire[]>();
  const out = new Map<string, SceneWire | SceneTrunk>();
  for (const wire of scene.wires) {
    ins.set(wire.to, [...(ins.get(wire.to) ?? []), wire]);
    if (!out.has(wire.from)) out.set(wire.from, wire);
  }
  for (const trunk of scene.trunks ?? []) out.set(trunk.from, trunk);
  const name = (item: SceneItem): string => item.name ?? item.label;
  const rows = scene.items.map((item) => {
    const operands = (ins.get(item.id) ?? []).sort((a, b) => a.input - b.input).map(({ from }) => fitCells(name(items.get(from)!), 16));
    const what = operands.length === 0 ? item.kind : item.kind === "output" ? operands[0]! : `${item.label}(${operands.join(", ")})`;
    const wire = out.get(item.id);
    const value = wire?.above ?? "";
    const gradient = wire === undefined ? "" : gradientCells(wire.gradient, wire.below, words);
    return [item.id === scene.active ? ">" : " ", name(item), what, value, gradient] as const;
  });
  const isEmpty = rows.every(([, , , , gradient]) => gradient === "");
  const limits = [1, 24, 40, 20, isEmpty ? 0 : 20];
  const head = ["", "", "", words.value, isEmpty ? "" : words.gradient] as const;
  const widths = limits.map((limit, c) => Math.min(limit, Math.max(0, ...[head, ...rows].map((row) => cellWidth(row[c]!)))));
  const pad = (text: string, width: number, isRight: boolean): string => {
    const shown = fitCells(text, width);
    const blank = " ".repeat(Math.max(0, width - cellWidth(shown)));
    return isRight ? blank + shown : shown + blank;
  };
  // The second column, what an item is, gives way where the columns do not suffice.
  const over = widths.reduce((sum, w) => sum + w + 2, -2) - columns;
  if (over > 0) widths[2] = Math.max(6, widths[2]! - over);
  return [head, ...rows]
    .map((row) =>
      fitCells(
        row
          .map((text, c) => pad(text, widths[c]!, c > 2))
          .join("  ")
          .trimEnd(),
        columns,
      ),
    )
    .map((line) => `${line}\n`)
    .join("");
}
