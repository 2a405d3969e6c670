import { effect, type ReadonlySignal, signal } from "@preact/signals";
import { theme } from "../state/store.ts";

/*
 * Pictures made of numbers: signed heat maps from orange (negative) over white to blue (positive), which stay apart for all kinds of colour vision.
 */

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

/** Whether the page is dark now. */
const dark = signal(false);
const changes = signal(0);
/** Counts what pictures have to be painted anew for beside their numbers: another theme, another size. */
export const repaint: ReadonlySignal<number> = changes;
effect(() => {
  theme.value;
  // The attribute is set by the page's own effect, which runs in the same turn.
  queueMicrotask(() => {
    dark.value = (document.documentElement.dataset["theme"] ?? "").includes("dark");
    inks.clear();
    changes.value = changes.peek() + 1;
  });
});

/** Sizes of canvases as the browser tells them: asking for them amid changes would lay the page out each time. */
const sizes = new WeakMap<Element, { width: number; height: number }>();
const observer = new ResizeObserver((entries) => {
  for (const { target, contentRect } of entries) sizes.set(target, contentRect);
  changes.value = changes.peek() + 1;
});

export function classColour(label: number, classes: number): Rgb {
  if (classes <= 2) return label === 1 ? blue : orange;
  return several[label % several.length]!;
}
export const css = ([r, g, b]: Rgb): string => `rgb(${r} ${g} ${b})`;

const inks = new Map<string, string>();

/** The page's colours, as they are now; asked of the page once a theme. */
export function ink(name: string): string {
  let found = inks.get(name);
  if (found === undefined) {
    found = getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim() || "#888";
    inks.set(name, found);
  }
  return found;
}

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
export const rampNow = (): Uint32Array => (dark.value ? ramps.dark : ramps.light);

/** Not a number in a picture: a colour that the ramp does not have. */
const bad = (255 << 24) | (160 << 16) | (40 << 8) | 200;

/**
 * Draws every `stride`-th number from `offset` on as a picture of `width` x `height` pixels; `scale` is what full blue stands for, 0 for the largest.
 */
export function heat(
  canvas: HTMLCanvasElement,
  data: Float32Array,
  width: number,
  height: number,
  offset = 0,
  stride = 1,
  scale = 0,
): void {
  const context = sized(canvas, width, height);
  if (context === null) return;
  const { image, pixels } = imageOf(context, canvas, width, height);
  const table = rampNow();
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
const images = new WeakMap<HTMLCanvasElement, Image>();

function imageOf(context: CanvasRenderingContext2D, canvas: HTMLCanvasElement, width: number, height: number): Image {
  let found = images.get(canvas);
  if (found === undefined || found.image.width !== width || found.image.height !== height) {
    const image = context.createImageData(width, height);
    found = { image, pixels: new Uint32Array(image.data.buffer) };
    images.set(canvas, found);
  }
  return found;
}

/** Where several classes win, in their colours, paler where the net is less sure. */
export function regions(canvas: HTMLCanvasElement, data: Float32Array, side: number, classes: number, discrete: boolean): void {
  const context = sized(canvas, side, side);
  if (context === null) return;
  const { image } = imageOf(context, canvas, side, side);
  const pale = dark.value ? 236 : 255;
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
export function sized(canvas: HTMLCanvasElement, width: number, height: number): CanvasRenderingContext2D | null {
  if (canvas.width !== width) canvas.width = width;
  if (canvas.height !== height) canvas.height = height;
  return canvas.getContext("2d");
}

/** A context in the page's own pixels, sharp on fine screens; cleared. */
export function sharp(canvas: HTMLCanvasElement): { context: CanvasRenderingContext2D; width: number; height: number } | null {
  let size = sizes.get(canvas);
  if (size === undefined) {
    size = { width: canvas.clientWidth, height: canvas.clientHeight };
    sizes.set(canvas, size);
    observer.observe(canvas);
  }
  const { width, height } = size;
  const fine = Math.min(3, globalThis.devicePixelRatio || 1);
  const context = sized(canvas, Math.max(1, Math.round(width * fine)), Math.max(1, Math.round(height * fine)));
  if (context === null || width === 0) return null;
  context.setTransform(fine, 0, 0, fine, 0, 0);
  context.clearRect(0, 0, width, height);
  return { context, width, height };
}

/** A point of the data: a square of class 0, a disc of class 1, so that colour is not alone; a ring for test points. */
export function mark(context: CanvasRenderingContext2D, x: number, y: number, r: number, label: number, fill: string, test: boolean): void {
  context.beginPath();
  if (label === 0) context.rect(x - r * 0.9, y - r * 0.9, 1.8 * r, 1.8 * r);
  else if (label === 1) context.arc(x, y, r, 0, 7);
  else {
    // A polygon with a corner more for each class, up to eight.
    const corners = 3 + ((label - 2) % 6);
    for (let k = 0; k < corners; k++)
      context.lineTo(x + r * 1.15 * Math.sin((2 * Math.PI * k) / corners), y - r * 1.15 * Math.cos((2 * Math.PI * k) / corners));
    context.closePath();
  }
  context.fillStyle = fill;
  context.fill();
  context.lineWidth = test ? 1.6 : 1;
  context.strokeStyle = test ? "#10141c" : "#ffffff";
  context.stroke();
}
