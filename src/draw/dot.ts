import { englishWords, type PictureWords } from "./picture-words.ts";
import { checkScene, type Scene, type SceneItem, type SceneWire } from "./scene.ts";
import { gradientCells } from "./text/gradient-cells.ts";
import { palettes } from "./theme.ts";

const shapes: Record<SceneItem["kind"], string> = {
  op: "circle",
  parameter: "box",
  input: "box",
  constant: "box",
  output: "plaintext",
  module: "box",
};

/**
 * A scene in Graphviz's DOT language: values and gradients as the two lines of an edge's label, open groups as clusters.
 * The picture that Graphviz makes of it is Graphviz's own; the text is for tools that take it further.
 */
export function renderDot(scene: Scene, { words = englishWords }: { readonly words?: PictureWords } = {}): string {
  checkScene(scene);
  const p = palettes[scene.theme ?? "light"];
  const number = new Map(scene.items.map(({ id }, i) => [id, `n${i}`]));
  const lines = [
    `digraph ${quoted(scene.title)} {`,
    `  graph [rankdir=${scene.direction === "down" ? "TB" : "LR"}, bgcolor=${quoted(p.paper)}, fontcolor=${quoted(p.muted)}, color=${quoted(p["input-line"])}];`,
    `  node [fontname="sans-serif", fontcolor=${quoted(p.ink)}, color=${quoted(p.ink)}, style=filled, fillcolor=${quoted(p.op)}];`,
    `  edge [fontname="sans-serif", fontcolor=${quoted(p.ink)}, color=${quoted(p.wire)}];`,
  ];
  const inside = new Map<string | undefined, string[]>();
  scene.items.forEach((item, i) => {
    const list = inside.get(item.group) ?? [];
    inside.set(item.group, list);
    list.push(`n${i} [${itemAttributes(item, item.id === scene.active, p)}];`);
  });
  const groups = scene.groups ?? [];
  // Inner groups are written into the text of outer ones, which stand before them.
  const texts = new Map<string, string[]>();
  for (let g = groups.length - 1; g >= 0; g--) {
    const { id, label, group } = groups[g]!;
    const content = [...(inside.get(id) ?? []), ...(texts.get(id) ?? [])];
    const text = [`subgraph cluster_${g} {`, `  label=${quoted(label)}; style=dashed;`, ...content.map((line) => `  ${line}`), "}"];
    if (group === undefined) inside.set(undefined, [...(inside.get(undefined) ?? []), ...text]);
    else texts.set(group, [...text, ...(texts.get(group) ?? [])]);
  }
  for (const line of inside.get(undefined) ?? []) lines.push(`  ${line}`);
  for (const wire of scene.wires) {
    const label = [wire.above, gradientCells(wire.gradient, wire.below, words)].filter((text) => text !== "").join("\n");
    lines.push(`  ${number.get(wire.from)} -> ${number.get(wire.to)} [label=${quoted(label)}${wireAttributes(wire, p.grad)}];`);
  }
  lines.push("}", "");
  return lines.join("\n");
}

function itemAttributes(item: SceneItem, isActive: boolean, p: (typeof palettes)["light"]): string {
  const times = (item.repeat ?? 1) > 1 ? ` ×${item.repeat}` : "";
  const label = [`${item.kind === "module" ? "▸ " : ""}${item.label}${times}`, item.shape, item.note].filter((text) => text !== undefined);
  const parts = [`label=${quoted(label.join("\n"))}`, `shape=${shapes[item.kind]}`, `tooltip=${quoted(item.title)}`];
  if (item.kind === "op" && [...item.label].length > 3) parts[1] = "shape=ellipse";
  if (item.kind === "module") parts.push("peripheries=2");
  if (item.kind === "parameter") parts.push(`style="filled,rounded", fillcolor=${quoted(p.parameter)}`);
  if (item.kind === "input") parts.push(`style="filled,rounded", fillcolor=${quoted(p.input)}`);
  if (item.kind === "constant") parts.push(`style="dashed"`);
  if (item.kind === "output") parts.push(`style=""`);
  if (isActive) parts.push(`penwidth=4, color=${quoted(p.accent)}`);
  return parts.join(", ");
}

function wireAttributes(wire: SceneWire, gradient: string): string {
  const colour = `, color=${quoted(gradient)}`;
  if (wire.flow === "upstream") return `, penwidth=3.4${colour}`;
  if (wire.flow === "downstream") return `, style=dashed, dir=back, penwidth=2.4${colour}`;
  if (wire.gradient === "zero" || wire.broadcast) return ", style=dotted";
  return wire.tensor ? ", penwidth=2.6" : "";
}

/** A string of DOT: only quotes and backslashes need an escape; a real line break is written as one. */
function quoted(text: string): string {
  const plain = text.replace(/[^\n\P{C}]|\p{Cs}/gu, (character) => (/\p{Cf}/u.test(character) ? character : "\uFFFD"));
  return `"${plain.replace(/\\/g, "\\\\").replace(/"/g, '\\"').replace(/\n/g, "\\n")}"`;
}
