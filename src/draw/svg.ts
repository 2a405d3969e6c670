import { groupTitle, groupTitleSize, type ItemBody, noteHeight, stackShift } from "./item-size.ts";
import type { Layout, PlacedGroup, PlacedItem } from "./layout/layout-scene.ts";
import { englishWords, type PictureWords } from "./picture-words.ts";
import type { Scene, SceneGroup, SceneItem } from "./scene.ts";
import { styleSheet, themeVariables } from "./svg-style.ts";
import { dotsSvg, trunkKey, trunkSvg, wireSvg, wiresByOutput } from "./svg-wires.ts";
import { fitText, textWidth } from "./text-width.ts";
import { palettes } from "./theme.ts";
import { decimal, escapeXml } from "./xml.ts";

/** What a picture may be told apart from its scene. */
export interface SvgOptions {
  /** The words in the picture and in its accessible names; English when left out. */
  readonly words?: PictureWords;
  /** The language of the words, as in `ko`. */
  readonly language?: string;
  /** `none` leaves the background out, for a page that has its own. */
  readonly background?: "paper" | "none";
}

const margin = 16;

/**
 * Draws a laid-out scene as one SVG document: values above the wires, gradients below. It needs no script, font or other file, so it can stand
 * alone, in a page or in a README. Every text is escaped; one that is too long is cut, with the whole of it in its tooltip.
 *
 * Items carry `data-item` and wires `data-wire`, their indices in the scene, for a page that patches them.
 */
export function renderSvg(scene: Scene, layout: Layout, options: SvgOptions = {}): string {
  const { words = englishWords, language = "en", background = "paper" } = options;
  const palette = palettes[scene.theme ?? "light"];
  const width = layout.width + 2 * margin;
  const height = layout.height + 2 * margin;
  const names = new Map(scene.items.map((item) => [item.id, item.label]));
  const groups = wiresByOutput(scene);
  const sums = new Map((scene.trunks ?? []).map((trunk) => [trunkKey(trunk), trunk]));
  const shared = new Set(layout.trunks.filter((trunk) => trunk.dots.length > 0).map(trunkKey));
  const lines = [
    `<svg xmlns="http://www.w3.org/2000/svg" class="cr" style="${themeVariables(palette)}" width="${width}" height="${height}" viewBox="${-margin} ${-margin} ${width} ${height}" role="graphics-document" aria-label="${escapeXml(scene.title)}" lang="${escapeXml(language)}">`,
    `<title>${escapeXml(scene.title)}</title>`,
    `<desc>${escapeXml(scene.description ?? words.description)}</desc>`,
    `<style>\n${styleSheet(palette)}\n</style>`,
  ];
  if (background === "paper") lines.push(`<rect class="cr-paper" x="${-margin}" y="${-margin}" width="${width}" height="${height}"/>`);
  (scene.groups ?? []).forEach((group, g) => {
    lines.push(groupSvg(group, g, layout.groups[g]!));
  });
  // Lines that stand out are drawn last, so that no plain wire runs over them.
  const order = scene.wires
    .map((_, i) => i)
    .sort((a, b) => Number(scene.wires[a]!.flow !== undefined) - Number(scene.wires[b]!.flow !== undefined) || a - b);
  lines.push(`<g class="cr-wires">`);
  for (const trunk of layout.trunks)
    lines.push(trunkSvg(trunk, layout.direction, sums.get(trunkKey(trunk)), groups.get(trunkKey(trunk)) ?? [], names, words));
  for (const i of order)
    lines.push(wireSvg(scene.wires[i]!, i, layout.wires[i]!, layout.direction, shared.has(trunkKey(scene.wires[i]!)), names, words));
  for (const trunk of layout.trunks) if (trunk.dots.length > 0) lines.push(dotsSvg(trunk));
  lines.push(`</g>`);
  if (scene.groups && scene.groups.length > 0) {
    lines.push(`<g class="cr-titles">`);
    scene.groups.forEach((group, g) => {
      lines.push(titleSvg(group, layout.groups[g]!));
    });
    lines.push(`</g>`);
  }
  lines.push(`<g class="cr-items">`);
  scene.items.forEach((item, i) => {
    lines.push(itemSvg(item, i, layout.items[i]!, item.id === scene.active));
  });
  lines.push(`</g>`, `</svg>`);
  return `${lines.join("\n")}\n`;
}

/** One item: body, label, note. */
export function itemSvg(item: SceneItem, index: number, placed: PlacedItem, isActive: boolean): string {
  const { body, x, y } = placed;
  const classes = `cr-item cr-${item.kind}${item.pending ? " cr-pending" : ""}${isActive ? " cr-active" : ""}`;
  const title = item.shape ? `${item.title}, ${item.shape}` : item.title;
  const baseline = y + (body.shape === "" ? body.labelSize * 0.36 : -1);
  const isModule = body.outline === "module";
  return [
    `<g class="${classes}" data-item="${index}" role="graphics-symbol" aria-label="${escapeXml(title)}"><title>${escapeXml(title)}</title>`,
    isModule && (item.repeat ?? 1) > 1 ? stack(body, x, y) : "",
    outline(body, x, y),
    item.heat === undefined ? "" : outline(body, x, y, ` fill-opacity="${decimal(0.55 * Math.min(1, Math.max(0, item.heat)))}"`),
    isModule ? inset(body, x, y) : "",
    `<text class="cr-label${body.labelSize < 18 ? " cr-word" : ""}" x="${decimal(x)}" y="${decimal(baseline)}" font-size="${body.labelSize}">${escapeXml(body.label)}</text>`,
    body.shape === "" ? "" : `<text class="cr-shape" x="${decimal(x)}" y="${decimal(y + 13)}">${escapeXml(body.shape)}</text>`,
    item.note === undefined ? "" : noteSvg(item.note, body, x, y),
    `</g>`,
  ].join("");
}

/** The outline of a body, or with `heat` the colour over it. */
function outline({ outline, width, height }: ItemBody, x: number, y: number, heat = ""): string {
  if (outline === "name") return "";
  const name = heat === "" ? "cr-body" : "cr-heat";
  if (outline === "circle") return `<circle class="${name}"${heat} cx="${decimal(x)}" cy="${decimal(y)}" r="${width / 2}"/>`;
  const corner = outline === "pill" ? 22 : outline === "module" ? 8 : 6;
  return `<rect class="${name}"${heat} x="${decimal(x - width / 2)}" y="${decimal(y - height / 2)}" width="${width}" height="${height}" rx="${corner}"/>`;
}

/** The outlines of the repeats behind a module. */
function stack({ width, height }: ItemBody, x: number, y: number): string {
  return [2, 1]
    .map(
      (n) =>
        `<rect class="cr-body" x="${decimal(x - width / 2 + n * stackShift)}" y="${decimal(y - height / 2 + n * stackShift)}" width="${width}" height="${height}" rx="8"/>`,
    )
    .join("");
}

/** The inner line of a module's double outline. */
function inset({ width, height }: ItemBody, x: number, y: number): string {
  return `<rect class="cr-inner" x="${decimal(x - width / 2 + 3)}" y="${decimal(y - height / 2 + 3)}" width="${width - 6}" height="${height - 6}" rx="5"/>`;
}

function noteSvg(note: string, { width, height }: ItemBody, x: number, y: number): string {
  const shown = fitText(note, 10, Math.max(48, width) - 8);
  const long = Math.ceil(textWidth(shown, 10) + 8);
  const top = y - height / 2 - noteHeight + 4;
  return `<g class="cr-note"><rect x="${decimal(x - long / 2)}" y="${decimal(top)}" width="${long}" height="${noteHeight}" rx="7.5"/><text x="${decimal(x)}" y="${decimal(top + 11)}">${escapeXml(shown)}</text></g>`;
}

/** The frame of an open module. */
export function groupSvg(group: SceneGroup, index: number, { x, y, width, height }: PlacedGroup): string {
  return `<g class="cr-group" data-group="${index}" role="group" aria-label="${escapeXml(group.title)}"><title>${escapeXml(group.title)}</title><rect x="${decimal(x)}" y="${decimal(y)}" width="${width}" height="${height}" rx="10"/></g>`;
}

/** The title of an open module. */
export function titleSvg(group: SceneGroup, { x, y }: PlacedGroup): string {
  return `<text class="cr-group-title" x="${decimal(x + 10)}" y="${decimal(y + 17)}" font-size="${groupTitleSize}">${escapeXml(groupTitle(group))}</text>`;
}
