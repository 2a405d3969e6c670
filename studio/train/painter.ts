import type { Facts, Look, Places, Snapshot } from "./messages.ts";
import { paintMap, paintPlane, paintWires, sized } from "./pictures.ts";

/** The pictures over a plane, drawn in the worker on canvases that the page has handed over. */
export interface Painter {
  /** Another net or other data: what was drawn is no longer true. */
  begin(facts: Facts, activation: string): void;
  /** A canvas to draw on, or that one is gone. */
  take(name: string, canvas: OffscreenCanvas | null): void;
  look(look: Look): void;
  place(places: Places, width: number, height: number, fine: number): void;
  /** Draws new numbers: all pictures, or the output's and a part of the others in turn. */
  paint(now: Pick<Snapshot, "maps" | "surface" | "weights">, all: boolean): void;
  /** Draws the last numbers again. */
  again(): void;
}

export function makePainter(): Painter {
  const canvases = new Map<string, OffscreenCanvas>();
  let facts: Facts | null = null;
  let activation = "";
  let look: Look = { isDark: false, discrete: false, unit: null };
  let wired: { readonly places: Places; readonly width: number; readonly height: number; readonly fine: number } | null = null;
  let last: Pick<Snapshot, "maps" | "surface" | "weights"> | null = null;
  let turns = 0;

  const paintNet = (canvas: OffscreenCanvas, now: Pick<Snapshot, "weights">): void => {
    if (wired === null || wired.width === 0) return;
    const { width, height, fine, places } = wired;
    const context = sized(canvas, Math.max(1, Math.round(width * fine)), Math.max(1, Math.round(height * fine)));
    if (context === null) return;
    context.setTransform(fine, 0, 0, fine, 0, 0);
    context.clearRect(0, 0, width, height);
    paintWires(context, places, now.weights, false);
  };
  const paint: Painter["paint"] = (now, all) => {
    last = now;
    if (facts === null) return;
    // While it learns, every picture paints the units of one parity, or the wires: the output's map shows each step, these need not.
    const turn = all ? -1 : turns++ % 3;
    for (const [name, canvas] of canvases) {
      if (name === "map") paintPlane(canvas, facts, now, look, activation);
      else if (name === "wires") {
        if (turn !== 0 && turn !== 1) paintNet(canvas, now);
      } else {
        const [layer, unit] = name.split(":").map(Number) as [number, number];
        if (turn < 0 || (layer + unit) % 2 === turn) paintMap(canvas, facts, now.maps, { layer, unit }, activation, look.isDark);
      }
    }
  };
  return {
    begin(now, named) {
      facts = now;
      activation = named;
      last = null;
    },
    take(name, canvas) {
      if (canvas === null) canvases.delete(name);
      else canvases.set(name, canvas);
    },
    look(now) {
      look = now;
    },
    place(places, width, height, fine) {
      wired = { places, width, height, fine };
    },
    paint,
    again() {
      if (last !== null) paint(last, true);
    },
  };
}
