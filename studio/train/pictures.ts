import type { Facts, Look, Place, Places, Snapshot } from "./messages.ts";

/*
 * Pictures made of numbers: signed heat maps from orange (negative) over white to blue (positive), which stay apart for all kinds of colour vision.
 * Nothing here needs the page: the worker that learns draws its own pictures on canvases that the page hands to it; where a browser cannot hand them
 * over, the page draws them by the same functions.
 */

export type Canvas = HTMLCanvasElement | OffscreenCanvas;
export type Context = CanvasRenderingContext2D | OffscreenCanvasRenderingContext2D;

export type Rgb = readonly [number, number, number];
const orange: Rgb = [240, 140, 29];
const blue: Rgb = [11, 110, 190];

/** Colours of classes beyond two: Okabe and Ito's, made to stand on white and on black. */
const several: readonly Rgb[] = [
  [11, 110, 190],
  [240, 140, 29],
  [0, 150, 110],
  [204, 95, 160],
  [140, 120, 0],
  [70, 170, 225],
  [205, 75, 20],
  [110, 80, 205],
  [125, 125, 125],
  [60, 60, 90],
];

export function classColour(label: number, classes: number): Rgb {
  if (classes <= 2) return label === 1 ? blue : orange;
  return several[label % several.length]!;
}
export const css = ([r, g, b]: Rgb): string => `rgb(${r} ${g} ${b})`;

function ramp(middle: Rgb): Uint32Array {
  const table = new Uint32Array(256);
  for (let i = 0; i < 256; i++) {
    const v = i / 127.5 - 1;
    const end = v < 0 ? orange : blue;
    // A little steeper at first, so that weak answers are seen.
    const t = Math.abs(v) ** 0.85;
    const [r, g, b] = [0, 1, 2].map((k) => Math.round(middle[k]! + t * (end[k]! - middle[k]!)));
    table[i] = (255 << 24) | (b! << 16) | (g! << 8) | r!;
  }
  return table;
}
const ramps = { light: ramp([255, 255, 255]), dark: ramp([236, 239, 244]) };

/** Not a number in a picture: a colour that the ramp does not have. */
const bad = (255 << 24) | (160 << 16) | (40 << 8) | 200;

/**
 * Draws every `stride`-th number from `offset` on as a picture of `width` x `height` pixels; `scale` is what full blue stands for, 0 for the largest.
 */
export function heat(
  canvas: Canvas,
  data: Float32Array,
  width: number,
  height: number,
  offset = 0,
  stride = 1,
  scale = 0,
  isDark = false,
): void {
  const context = sized(canvas, width, height);
  if (context === null) return;
  const { image, pixels } = imageOf(context, canvas, width, height);
  const table = isDark ? ramps.dark : ramps.light;
  let most = scale;
  if (most === 0) {
    for (let i = 0; i < pixels.length; i++) {
      const v = Math.abs(data[offset + i * stride]!);
      if (v > most && v < Number.POSITIVE_INFINITY) most = v;
    }
    if (most === 0) most = 1;
  }
  for (let i = 0; i < pixels.length; i++) {
    const v = data[offset + i * stride]!;
    pixels[i] = v !== v ? bad : table[v <= -most ? 0 : v >= most ? 255 : Math.round(127.5 + (127.5 * v) / most)]!;
  }
  context.putImageData(image, 0, 0);
}

interface Image {
  readonly image: ImageData;
  readonly pixels: Uint32Array;
}
/** Pictures are painted thirty times a second: each canvas keeps its memory. */
const images = new WeakMap<Canvas, Image>();

function imageOf(context: Context, canvas: Canvas, width: number, height: number): Image {
  let found = images.get(canvas);
  if (found === undefined || found.image.width !== width || found.image.height !== height) {
    const image = context.createImageData(width, height);
    found = { image, pixels: new Uint32Array(image.data.buffer) };
    images.set(canvas, found);
  }
  return found;
}

/** Where several classes win, in their colours, paler where the net is less sure. */
export function regions(canvas: Canvas, data: Float32Array, side: number, classes: number, discrete: boolean, isDark: boolean): void {
  const context = sized(canvas, side, side);
  if (context === null) return;
  const { image } = imageOf(context, canvas, side, side);
  const pale = isDark ? 236 : 255;
  for (let i = 0; i < side * side; i++) {
    const v = data[i]!;
    const label = Math.floor(v);
    const sure = discrete ? 0.85 : 0.85 * Math.max(0, 2 * (v - label) - 1 / classes) * (classes / (classes - 1));
    const colour = classColour(label, classes);
    for (let k = 0; k < 3; k++) image.data[4 * i + k] = pale + sure * (colour[k]! - pale);
    image.data[4 * i + 3] = 255;
  }
  context.putImageData(image, 0, 0);
}

/** The context of a canvas of this many pixels. */
export function sized(canvas: Canvas, width: number, height: number): Context | null {
  if (canvas.width !== width) canvas.width = width;
  if (canvas.height !== height) canvas.height = height;
  const known = contexts.get(canvas);
  if (known !== undefined) return known;
  const context = canvas.getContext("2d") as Context | null;
  if (context !== null) contexts.set(canvas, context);
  return context;
}

/** Firefox refuses to give the context of a canvas that was handed to a worker a second time. */
const contexts = new WeakMap<Canvas, Context>();

/** What a unit says over the plane. False for a unit that has no picture of its own: those of the output, and those beyond the shown. */
export function paintMap(
  canvas: Canvas,
  { grid, layers }: Pick<Facts, "grid" | "layers">,
  maps: Snapshot["maps"],
  { layer, unit }: { readonly layer: number; readonly unit: number },
  activation: string,
  isDark: boolean,
): boolean {
  const shown = layer < layers.length - 1 ? layers[layer]!.shown : 0;
  if (unit >= shown) return false;
  const map = maps[layer];
  if (map !== undefined) heat(canvas, map, grid, grid, unit, shown, ends[activation] ?? 0, isDark);
  return true;
}

/** The output over the plane, or the unit that is looked at. */
export function paintPlane(
  canvas: Canvas,
  facts: Facts,
  now: Pick<Snapshot, "maps" | "surface">,
  { isDark, discrete, unit }: Look,
  activation: string,
): void {
  if (unit !== null && paintMap(canvas, facts, now.maps, unit, activation, isDark)) return;
  const { fine } = facts;
  const { task, range } = facts.problem;
  if (now.surface.length !== fine * fine) return;
  if (task.kind === "classes") regions(canvas, now.surface, fine, task.count, discrete, isDark);
  else {
    const scale = task.kind === "number" ? Math.max(Math.abs(range[0]), Math.abs(range[1])) || 1 : 1;
    heat(canvas, discrete ? now.surface.map(Math.sign) : now.surface, fine, fine, 0, 1, scale, isDark);
  }
}

/** The ends of activations that have them: their pictures keep one scale, the others are scaled to their largest number. */
export const ends: Readonly<Record<string, number>> = { tanh: 1, sigmoid: 1, sin: 1 };

/** Wires of this many at most in all: the strongest stay. */
const mostWires = 3000;

/** The wires, by strength and sign, on a canvas that has been cleared. */
export function paintWires(context: Context, { inputs, layers, output }: Places, weights: Snapshot["weights"], image: boolean): void {
  const columns = [inputs, ...layers, output === null ? [] : [output]];
  const wires: { from: Place; to: Place; v: number }[] = [];
  for (let i = 0; i < columns.length - 1; i++) {
    const part = weights[i];
    if (part === undefined) continue;
    // One picture stands for all 64 pixels: its wires say no number.
    if (i === 0 && image) {
      for (const to of columns[1]!) for (const from of columns[0]!) wires.push({ from, to, v: 0 });
      continue;
    }
    const kernels = part.w.length !== part.rows * part.columns;
    columns[i + 1]!.forEach((to, column) => {
      columns[i]!.forEach((from, row) => {
        if (row >= part.rows || column >= part.columns) return;
        // Of kernels the sum.
        const v = kernels
          ? part.w.subarray((column * part.rows + row) * 9, (column * part.rows + row + 1) * 9).reduce((a, b) => a + b, 0)
          : part.w[row * part.columns + column]!;
        wires.push({ from, to, v });
      });
    });
  }
  let most = 0.5;
  for (const { v } of wires) if (Math.abs(v) > most && Math.abs(v) < Number.POSITIVE_INFINITY) most = Math.abs(v);
  if (wires.length > mostWires) {
    wires.sort((a, b) => Math.abs(b.v) - Math.abs(a.v));
    wires.length = mostWires;
  }
  const colours = { plus: "rgb(11 110 190)", minus: "rgb(224 122 20)" };
  for (const { from, to, v } of wires) {
    const size = Math.min(1, Math.abs(v) / most);
    context.beginPath();
    const middle = (from.end + to.x) / 2;
    context.moveTo(from.end, from.y);
    context.bezierCurveTo(middle, from.y, middle, to.y, to.x, to.y);
    context.strokeStyle = v < 0 ? colours.minus : colours.plus;
    context.globalAlpha = 0.18 + 0.75 * size;
    context.lineWidth = 0.6 + 4.4 * size;
    context.setLineDash(v < 0 ? [6, 3] : []);
    context.stroke();
  }
  context.globalAlpha = 1;
  context.setLineDash([]);
}
