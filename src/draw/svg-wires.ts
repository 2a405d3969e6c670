import { barsWidth, numberSize } from "./item-size.ts";
import type { PlacedTrunk, PlacedWire, Slot } from "./layout/layout-scene.ts";
import type { PictureWords } from "./picture-words.ts";
import type { Direction, GradientState, Scene, SceneTrunk, SceneWire } from "./scene.ts";
import { fitText, textWidth } from "./text-width.ts";
import { arrowHead, roundedPath, shortened } from "./wire-path.ts";
import { decimal, escapeXml } from "./xml.ts";

/** Where the rows of text stand, from the middle of the wire's stretch: baselines, and the middle of the chip. Beside a wire that runs down all stand to its right. */
const rows = { right: { value: -6, gradient: 15, chip: 27 }, down: { value: -8, gradient: 7, chip: 19 } } as const;
/** From a wire that runs down to its texts. */
const beside = 7;

/** One wire: its own line, its numbers, its local gradient. */
export function wireSvg(
  wire: SceneWire,
  index: number,
  placed: PlacedWire,
  direction: Direction,
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
  const spot = spotOf(slot, direction, bars);
  const chip = wire.rule ?? (wire.localGradient === undefined ? undefined : `∂ = ${wire.localGradient}`);
  const name = `${names.get(wire.from)} ${words.to} ${names.get(wire.to)}: ${numbersAloud(wire, words)}`;
  return [
    `<g class="${classes.join(" ")}" data-wire="${index}" role="graphics-symbol" aria-label="${escapeXml(name)}"><title>${escapeXml(name)}</title>`,
    `<path class="cr-line" d="${roundedPath(isDown ? shortened(own, 8) : own)}"/>`,
    isDown ? `<path class="cr-arrow" d="${arrowHead(own)}"/>` : "",
    barsSvg(wire.aboveBars, "cr-value-bars", spot, spot.rows.value + 2),
    valueSvg(wire.above, spot, wire.fresh === "value"),
    barsSvg(wire.belowBars, "cr-gradient-bars", spot, spot.rows.gradient + 2),
    gradientSvg(wire.gradient, wire.below, spot, isDown || wire.fresh === "gradient", words),
    chip !== undefined && slot.down >= spot.rows.chip ? chipSvg("cr-chip", chip, spot) : "",
    "</g>",
  ].join("");
}

/** The stretches several wires share, and what stands on the trunk. */
export function trunkSvg(
  placed: PlacedTrunk,
  direction: Direction,
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
  const spot = spotOf(slot, direction, 0);
  const name = `${names.get(scene.from)}, ${words.sum}: ${numbersAloud(scene, words)}`;
  return [
    `<g class="${classes.join(" ")}" role="graphics-symbol" aria-label="${escapeXml(name)}"><title>${escapeXml(name)}</title>`,
    lines,
    valueSvg(scene.above, spot, false),
    gradientSvg(scene.gradient, scene.below, spot, scene.active === true, words),
    chipSvg(scene.active ? "cr-sum cr-active" : "cr-sum", `Σ ${scene.branches ?? wires.length}`, spot),
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
  readonly rule?: string;
}

function numbersAloud({ above, below, gradient, localGradient, rule }: Numbers, words: PictureWords): string {
  const said = {
    number: `${words.gradient} ${below}`,
    zero: `${words.gradient} 0`,
    none: words.noGradient,
    "not yet": `${words.gradient} ${words.notYet}`,
    unknown: "",
  };
  const parts = [above === "" ? "" : `${words.value} ${above}`, said[gradient]];
  if (rule !== undefined) parts.push(`${words.localGradient} ${rule}`);
  else if (localGradient !== undefined) parts.push(`${words.localGradient} ${localGradient}`);
  return parts.filter((part) => part !== "").join(", ");
}

/** Where a wire's texts stand and how wide they may be: their middle, or their start beside a wire that runs down. */
interface Spot {
  readonly x: number;
  readonly y: number;
  readonly room: number;
  /** Where the bars start. */
  readonly left: number;
  readonly isBeside: boolean;
  readonly rows: (typeof rows)[Direction];
}

function spotOf({ x, y, left, right }: Slot, direction: Direction, bars: number): Spot {
  if (direction === "down")
    return { x: x + beside + bars, y, room: right - beside - bars + 4, left: x + beside, isBeside: true, rows: rows.down };
  return { x: x + bars / 2, y, room: left + right - bars + (bars > 0 ? 4 : 12), left: x - left + 4, isBeside: false, rows: rows.right };
}

function valueSvg(text: string, spot: Spot, fresh: boolean): string {
  if (text === "") return "";
  const shown = fitText(text, numberSize, spot.room);
  return `<text class="cr-value${fresh ? " cr-fresh" : ""}${side(spot)}" x="${decimal(spot.x)}" y="${decimal(spot.y + spot.rows.value)}">${escapeXml(shown)}</text>`;
}

function side(spot: Spot): string {
  return spot.isBeside ? " cr-side" : "";
}

function gradientSvg(state: GradientState, below: string, spot: Spot, fresh: boolean, words: PictureWords): string {
  const at = `x="${decimal(spot.x)}" y="${decimal(spot.y + spot.rows.gradient)}"`;
  if (state === "none")
    return `<text class="cr-quiet${side(spot)}" ${at}>${escapeXml(fitText(words.noGradient, numberSize, spot.room))}</text>`;
  if (state === "not yet") return `<text class="cr-quiet cr-not-yet${side(spot)}" ${at}>·</text>`;
  if (state === "unknown") return "";
  const text = state === "zero" ? "0" : fitText(below, numberSize, spot.room);
  return `<text class="cr-gradient${fresh ? " cr-fresh" : ""}${side(spot)}" ${at}>${escapeXml(text)}</text>`;
}

function chipSvg(classes: string, text: string, spot: Spot): string {
  const shown = fitText(text, 10.5, spot.room + 12);
  const width = Math.ceil(textWidth(shown, 10.5) + 10);
  const middle = spot.isBeside ? spot.left + width / 2 : spot.x;
  const y = spot.y + spot.rows.chip;
  return `<g class="${classes}"><rect x="${decimal(middle - width / 2)}" y="${decimal(y - 8)}" width="${width}" height="15" rx="7.5"/><text x="${decimal(middle)}" y="${decimal(y + 3)}">${escapeXml(shown)}</text></g>`;
}

function barsSvg(bars: readonly number[] | undefined, classes: string, spot: Spot, base: number): string {
  if (bars === undefined || bars.length === 0) return "";
  const step = (barsWidth - 4) / bars.length;
  let path = "";
  bars.forEach((bar, i) => {
    const height = 12 * Math.min(1, Math.max(0, Number.isFinite(bar) ? bar : 0));
    if (height > 0)
      path += `M${decimal(spot.left + i * step)} ${decimal(spot.y + base)}v${decimal(-height)}h${decimal(step * 0.8)}v${decimal(height)}z`;
  });
  return `<path class="${classes}" d="${path}"/>`;
}
