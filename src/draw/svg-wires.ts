import { barsWidth, numberSize } from "./item-size.ts";
import type { PlacedTrunk, PlacedWire, Slot } from "./layout/layout-scene.ts";
import type { PictureWords } from "./picture-words.ts";
import type { GradientState, Scene, SceneTrunk, SceneWire } from "./scene.ts";
import { fitText, textWidth } from "./text-width.ts";
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
  const bars = wire.aboveBars || wire.belowBars ? barsWidth : 0;
  const spot = { x: slot.x + bars / 2, y: slot.y, room: slot.width - bars + 16 };
  const name = `${names.get(wire.from)} ${words.to} ${names.get(wire.to)}: ${numbersAloud(wire, words)}`;
  return [
    `<g class="${classes.join(" ")}" data-wire="${index}" role="graphics-symbol" aria-label="${escapeXml(name)}"><title>${escapeXml(name)}</title>`,
    `<path class="cr-line" d="${roundedPath(isDown ? shortened(own, 8) : own)}"/>`,
    isDown ? `<path class="cr-arrow" d="${arrowHead(own)}"/>` : "",
    barsSvg(wire.aboveBars, "cr-value-bars", slot, -4),
    valueSvg(wire.above, spot, wire.fresh === "value"),
    barsSvg(wire.belowBars, "cr-gradient-bars", slot, 17),
    gradientSvg(wire.gradient, wire.below, spot, isDown || wire.fresh === "gradient", words),
    wire.localGradient !== undefined && slot.down > chipRow ? chipSvg("cr-chip", `∂ = ${wire.localGradient}`, slot) : "",
    "</g>",
  ].join("");
}

/** The stretches several wires share, and what stands on the trunk. */
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
  const lines = placed.stretches.map((points) => `<path class="cr-line" d="${roundedPath(points)}"/>`).join("");
  if (scene === undefined || placed.slot === undefined) return `<g class="${classes.join(" ")}">${lines}</g>`;
  const { slot } = placed;
  const spot = { x: slot.x, y: slot.y, room: slot.width + 8 };
  const name = `${names.get(scene.from)}, ${words.sum}: ${numbersAloud(scene, words)}`;
  return [
    `<g class="${classes.join(" ")}" role="graphics-symbol" aria-label="${escapeXml(name)}"><title>${escapeXml(name)}</title>`,
    lines,
    valueSvg(scene.above, spot, false),
    gradientSvg(scene.gradient, scene.below, spot, scene.active === true, words),
    chipSvg(scene.active ? "cr-sum cr-active" : "cr-sum", `Σ ${wires.length}`, slot),
    "</g>",
  ].join("");
}

/** The dots where a trunk's branches part; drawn over all wires. */
export function dotsSvg({ dots }: PlacedTrunk): string {
  return dots.map(({ x, y }) => `<circle class="cr-dot" cx="${decimal(x)}" cy="${decimal(y)}" r="3.2"/>`).join("");
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

/** The middle of a wire's texts, and how wide they may be. */
interface Spot {
  readonly x: number;
  readonly y: number;
  readonly room: number;
}

function valueSvg(text: string, { x, y, room }: Spot, fresh: boolean): string {
  if (text === "") return "";
  const shown = fitText(text, numberSize, room);
  return `<text class="cr-value${fresh ? " cr-fresh" : ""}" x="${decimal(x)}" y="${y + valueRow}">${escapeXml(shown)}</text>`;
}

function gradientSvg(state: GradientState, below: string, { x, y, room }: Spot, fresh: boolean, words: PictureWords): string {
  const at = `x="${decimal(x)}" y="${y + gradientRow}"`;
  if (state === "none") return `<text class="cr-quiet" ${at}>${escapeXml(fitText(words.noGradient, numberSize, room))}</text>`;
  if (state === "not yet") return `<text class="cr-quiet cr-not-yet" ${at}>·</text>`;
  const text = state === "zero" ? "0" : fitText(below, numberSize, room);
  return `<text class="cr-gradient${fresh ? " cr-fresh" : ""}" ${at}>${escapeXml(text)}</text>`;
}

function chipSvg(classes: string, text: string, slot: Slot): string {
  const shown = fitText(text, 10.5, slot.width + 16);
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
