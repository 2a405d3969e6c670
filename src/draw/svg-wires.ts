import { barsWidth, freshScale, numberSize, wireText } from "./item-size.ts";
import type { PlacedTrunk, PlacedWire, Slot } from "./layout/layout-scene.ts";
import type { PictureWords } from "./picture-words.ts";
import type { GradientState, Scene, SceneTrunk, SceneWire } from "./scene.ts";
import { textWidth } from "./text-width.ts";
import { arrowHead, roundedPath, shortened } from "./wire-path.ts";
import { decimal, escapeXml } from "./xml.ts";

/** Where the rows of text stand, from the wire. */
const valueRow = -6;
const gradientRow = 15;
const chipRow = 27;

/** One wire: its own line, its numbers, its local gradient. */
export function wireSvg(
  wire: SceneWire,
  index: number,
  placed: PlacedWire,
  startsAtDot: boolean,
  names: Map<string, string>,
  words: PictureWords,
): string {
  const classes = ["cr-wire"];
  if (wire.tensor) classes.push("cr-tensor");
  if (wire.broadcast) classes.push("cr-broadcast");
  if (wire.gradient === "zero") classes.push("cr-zero");
  if (wire.flow) classes.push(`cr-${wire.flow}`);
  const isDown = wire.flow === "downstream";
  const own = isDown && startsAtDot ? shortened(placed.own, 4) : placed.own;
  const { slot } = placed;
  const center = slot.x + (wire.aboveBars || wire.belowBars ? barsWidth / 2 : 0);
  const name = `${names.get(wire.from)} ${words.to} ${names.get(wire.to)}: ${numbersAloud(wire, words)}`;
  return [
    `<g class="${classes.join(" ")}" data-wire="${index}" role="graphics-symbol" aria-label="${escapeXml(name)}"><title>${escapeXml(name)}</title>`,
    `<path class="cr-line" d="${roundedPath(isDown ? shortened(own, 8) : own)}"/>`,
    isDown ? `<path class="cr-arrow" d="${arrowHead(own)}"/>` : "",
    barsSvg(wire.aboveBars, "cr-value-bars", slot, -4),
    valueSvg(wire.above, center, slot.y, wire.fresh === "value"),
    barsSvg(wire.belowBars, "cr-gradient-bars", slot, 17),
    gradientSvg(wire.gradient, wire.below, center, slot.y, isDown || wire.fresh === "gradient", words),
    wire.localGradient !== undefined && slot.down > chipRow ? chipSvg("cr-chip", `∂ = ${wire.localGradient}`, slot) : "",
    "</g>",
  ].join("");
}

/** The stretches several wires share, the dots where they part, and what stands on the trunk. */
export function trunkSvg(
  placed: PlacedTrunk,
  scene: SceneTrunk | undefined,
  wires: readonly SceneWire[],
  names: Map<string, string>,
  words: PictureWords,
): string {
  const classes = ["cr-trunk"];
  if (wires.some((wire) => wire.tensor)) classes.push("cr-tensor");
  if (wires.every((wire) => wire.gradient === "zero")) classes.push("cr-zero");
  if (scene?.active || wires.some((wire) => wire.flow === "upstream")) classes.push("cr-upstream");
  const parts = placed.stretches.map((points) => `<path class="cr-line" d="${roundedPath(points)}"/>`);
  for (const dot of placed.dots) parts.push(`<circle class="cr-dot" cx="${decimal(dot.x)}" cy="${decimal(dot.y)}" r="3"/>`);
  let label = "";
  if (scene && placed.slot) {
    const name = `${names.get(scene.from)}, ${words.sum}: ${numbersAloud(scene, words)}`;
    label = ` role="graphics-symbol" aria-label="${escapeXml(name)}"><title>${escapeXml(name)}</title`;
    parts.push(valueSvg(scene.above, placed.slot.x, placed.slot.y, false));
    parts.push(gradientSvg(scene.gradient, scene.below, placed.slot.x, placed.slot.y, scene.active === true, words));
    parts.push(chipSvg(scene.active ? "cr-sum cr-active" : "cr-sum", `Σ ${wires.length}`, placed.slot));
  }
  return `<g class="${classes.join(" ")}"${label}>${parts.join("")}</g>`;
}

/** The wires of each output of each item, keyed like `trunkKey`. */
export function wiresByOutput(scene: Scene): Map<string, SceneWire[]> {
  const groups = new Map<string, SceneWire[]>();
  for (const wire of scene.wires) {
    const key = trunkKey(wire);
    const group = groups.get(key);
    if (group) group.push(wire);
    else groups.set(key, [wire]);
  }
  return groups;
}

export function trunkKey({ from, output }: { readonly from: string; readonly output: number }): string {
  return `${output} ${from}`;
}

interface Numbers {
  readonly above: string;
  readonly below: string;
  readonly gradient: GradientState;
  readonly localGradient?: string;
}

function numbersAloud({ above, below, gradient, localGradient }: Numbers, words: PictureWords): string {
  const said = {
    number: `${words.gradient} ${below}`,
    zero: `${words.gradient} 0`,
    none: words.noGradient,
    "not yet": `${words.gradient} ${words.notYet}`,
  };
  const parts = [above === "" ? "" : `${words.value} ${above}`, said[gradient]];
  if (localGradient !== undefined) parts.push(`${words.localGradient} ${localGradient}`);
  return parts.filter((part) => part !== "").join(", ");
}

function valueSvg(text: string, x: number, y: number, fresh: boolean): string {
  if (text === "") return "";
  return `<text class="cr-value${fresh ? " cr-fresh" : ""}" x="${decimal(x)}" y="${y + valueRow}">${escapeXml(wireText(text, numberSize))}</text>`;
}

function gradientSvg(state: GradientState, below: string, x: number, y: number, fresh: boolean, words: PictureWords): string {
  const at = `x="${decimal(x)}" y="${y + gradientRow}"`;
  if (state === "none") return `<text class="cr-quiet" ${at}>${escapeXml(words.noGradient)}</text>`;
  if (state === "not yet") return `<text class="cr-quiet" ${at}>·</text>`;
  const text = state === "zero" ? "0" : wireText(below, fresh ? numberSize * freshScale : numberSize);
  return `<text class="cr-gradient${fresh ? " cr-fresh" : ""}" ${at}>${escapeXml(text)}</text>`;
}

function chipSvg(classes: string, text: string, slot: Slot): string {
  const shown = wireText(text, 10.5);
  const width = Math.ceil(textWidth(shown, 10.5) + 10);
  const y = slot.y + chipRow;
  return `<g class="${classes}"><rect x="${decimal(slot.x - width / 2)}" y="${y - 8}" width="${width}" height="15" rx="7.5"/><text x="${decimal(slot.x)}" y="${y + 3}">${escapeXml(shown)}</text></g>`;
}

function barsSvg(bars: readonly number[] | undefined, classes: string, slot: Slot, base: number): string {
  if (bars === undefined || bars.length === 0) return "";
  const step = (barsWidth - 4) / bars.length;
  const left = slot.x - slot.width / 2 + 4;
  let path = "";
  bars.forEach((bar, i) => {
    const height = 12 * Math.min(1, Math.max(0, Number.isFinite(bar) ? bar : 0));
    if (height > 0) path += `M${decimal(left + i * step)} ${slot.y + base}v${decimal(-height)}h${decimal(step * 0.8)}v${decimal(height)}z`;
  });
  return `<path class="${classes}" d="${path}"/>`;
}
