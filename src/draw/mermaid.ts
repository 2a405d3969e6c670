import { englishWords, type PictureWords } from "./picture-words.ts";
import { checkScene, type Scene, type SceneItem, type SceneWire } from "./scene.ts";
import { gradientCells } from "./text/gradient-cells.ts";
import { palettes } from "./theme.ts";

const brackets: Record<SceneItem["kind"], readonly [string, string]> = {
  op: ["((", "))"],
  parameter: ["(", ")"],
  input: ["(", ")"],
  constant: ["[", "]"],
  output: [">", "]"],
  module: ["[[", "]]"],
};

/** A scene as a Mermaid flowchart, which many Markdown readers draw: `value / gradient` on each arrow, open groups as subgraphs. */
export function renderMermaid(scene: Scene, { words = englishWords }: { readonly words?: PictureWords } = {}): string {
  checkScene(scene);
  const p = palettes[scene.theme ?? "light"];
  const number = new Map(scene.items.map(({ id }, i) => [id, `n${i}`]));
  const inside = new Map<string | undefined, string[]>();
  const add = (group: string | undefined, lines: readonly string[]): void => {
    inside.set(group, [...(inside.get(group) ?? []), ...lines]);
  };
  scene.items.forEach((item, i) => {
    const [open, close] = item.kind === "op" && [...item.label].length > 3 ? ["([", "])"] : brackets[item.kind];
    const times = (item.repeat ?? 1) > 1 ? ` ×${item.repeat}` : "";
    const label = [`${item.label}${times}`, item.shape, item.note].filter((text) => text !== undefined).map(escaped);
    add(item.group, [`n${i}${open}"${label.join("<br/>")}"${close}:::${item.id === scene.active ? "active" : item.kind}`]);
  });
  const groups = scene.groups ?? [];
  for (let g = groups.length - 1; g >= 0; g--) {
    const { id, label, group } = groups[g]!;
    add(group, [`subgraph g${g}["${escaped(label)}"]`, ...(inside.get(id) ?? []).map((line) => `  ${line}`), "end"]);
  }
  const lines = [`flowchart ${scene.direction === "down" ? "TB" : "LR"}`, ...(inside.get(undefined) ?? []).map((line) => `  ${line}`)];
  for (const wire of scene.wires) lines.push(`  ${number.get(wire.from)} ${arrowOf(wire)}${labelOf(wire, words)} ${number.get(wire.to)}`);
  const style = (fill: string, line: string): string => `fill:${fill},stroke:${line},color:${p.ink}`;
  lines.push(
    `  classDef op ${style(p.op, p.ink)}`,
    `  classDef module ${style(p.op, p.ink)}`,
    `  classDef parameter ${style(p.parameter, p["parameter-line"])}`,
    `  classDef input ${style(p.input, p["input-line"])}`,
    `  classDef constant ${style(p.paper, p.muted)},stroke-dasharray:4 3`,
    `  classDef output fill:none,stroke:none,color:${p.ink}`,
    `  classDef active ${style(p["accent-fill"], p.accent)},stroke-width:4px`,
  );
  return `${lines.join("\n")}\n`;
}

function arrowOf(wire: SceneWire): string {
  if (wire.flow === "upstream") return "==>";
  return wire.flow === "downstream" || wire.gradient === "zero" || wire.broadcast ? "-.->" : "-->";
}

function labelOf(wire: SceneWire, words: PictureWords): string {
  const texts = [wire.above, gradientCells(wire.gradient, wire.below, words)].filter((text) => text !== "");
  return texts.length === 0 ? "" : `|"${texts.map(escaped).join(" / ")}"|`;
}

/** Text between quotes: everything that Mermaid, Markdown or HTML would read as more than a letter becomes a numeric entity. */
function escaped(text: string): string {
  return text.replace(/[^\p{L}\p{N}\p{M} .,+−×÷·=^|‖∇Σ∞/()₀-₉⇢→°²√@-]/gu, (character) => {
    const code = character.codePointAt(0)!;
    return code < 0x20 || (code >= 0xd800 && code <= 0xdfff) ? " " : `#${code};`;
  });
}
