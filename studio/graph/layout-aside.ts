import type { Layout, Scene } from "chainrule";
import type { Laid } from "./layout-worker.ts";

let worker: Worker | null = null;
let free = true;

/**
 * Lays a scene out in a worker, so that the page goes on meanwhile.
 * @returns what gives the layout up: a worker in the middle of one is ended, and the next one is asked of another
 */
export function layoutAside(scene: Scene, done: (layout: Layout) => void, failed: (reason: string) => void): () => void {
  if (!free) {
    worker?.terminate();
    worker = null;
  }
  worker ??= new Worker(new URL("./layout-worker.ts", import.meta.url), { type: "module", name: "layout" });
  const own = worker;
  free = false;
  own.onmessage = ({ data }: MessageEvent<Laid>) => {
    free = true;
    if ("fault" in data) failed(data.fault);
    else {
      noteLayout(data.milliseconds);
      done(data.layout);
    }
  };
  own.onerror = (event) => {
    event.preventDefault();
    worker = null;
    free = true;
    failed(event.message || "the worker died");
  };
  own.postMessage(scene);
  return () => {
    if (worker !== own || free) return;
    own.terminate();
    worker = null;
    free = true;
  };
}

let noted = 0;

/** Leaves a layout's time where the browser's tools and the benchmark find it. */
export function noteLayout(milliseconds: number): void {
  if (++noted % 100 === 0) performance.clearMeasures("layout");
  const end = performance.now();
  performance.measure("layout", { start: Math.max(0, end - milliseconds), end });
}
