import { effect, type ReadonlySignal, signal } from "@preact/signals";
import { shownTheme } from "../state/store.ts";
import { heat as heatOn, sized } from "./pictures.ts";

/*
 * What drawing on the page needs of the page: its colours, its theme, the sizes of its canvases.
 */

const isDark = signal(false);
/** Whether the page is dark now. */
export const dark: ReadonlySignal<boolean> = isDark;
const changes = signal(0);
/** Counts what pictures have to be painted anew for beside their numbers: another theme, another size. */
export const repaint: ReadonlySignal<number> = changes;
effect(() => {
  shownTheme.value;
  // The attribute is set by the page's own effect, which runs in the same turn.
  queueMicrotask(() => {
    isDark.value = (document.documentElement.dataset["theme"] ?? "").includes("dark");
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
  const context = sized(
    canvas,
    Math.max(1, Math.round(width * fine)),
    Math.max(1, Math.round(height * fine)),
  ) as CanvasRenderingContext2D | null;
  if (context === null || width === 0) return null;
  context.setTransform(fine, 0, 0, fine, 0, 0);
  context.clearRect(0, 0, width, height);
  return { context, width, height };
}

/** A heat map in the page's theme: `heat` of the pictures. */
export function heat(
  canvas: HTMLCanvasElement,
  data: Float32Array,
  width: number,
  height: number,
  offset = 0,
  stride = 1,
  scale = 0,
): void {
  heatOn(canvas, data, width, height, offset, stride, scale, isDark.value);
}

/** The corners of a class's mark: of a square the first, of further ones a polygon with a corner more each, up to eight; none of the second, a disc. */
export function cornersOf(label: number, x: number, y: number, r: number): readonly (readonly [number, number])[] {
  if (label === 1) return [];
  const s = r * 0.9;
  if (label === 0)
    return [
      [x - s, y - s],
      [x + s, y - s],
      [x + s, y + s],
      [x - s, y + s],
    ];
  const corners = 3 + ((label - 2) % 6);
  return Array.from({ length: corners }, (_, k) => {
    const turn = (2 * Math.PI * k) / corners;
    return [x + r * 1.15 * Math.sin(turn), y - r * 1.15 * Math.cos(turn)];
  });
}

/** A point of the data: a square of class 0, a disc of class 1, so that colour is not alone; a ring for test points. */
export function mark(context: CanvasRenderingContext2D, x: number, y: number, r: number, label: number, fill: string, test: boolean): void {
  context.beginPath();
  const corners = cornersOf(label, x, y, r);
  if (corners.length === 0) context.arc(x, y, r, 0, 7);
  else {
    for (const [a, b] of corners) context.lineTo(a, b);
    context.closePath();
  }
  context.fillStyle = fill;
  context.fill();
  context.lineWidth = test ? 1.6 : 1;
  context.strokeStyle = test ? "#10141c" : "#ffffff";
  context.stroke();
}
