// Lays out the scenes that would hold up the page: one is asked for at a time, and who wants it no longer ends this worker.
import { type Layout, layoutScene, type Scene } from "chainrule";

/** What the worker answers: a layout and how long it took, or what is wrong with the scene. */
export type Laid = { readonly layout: Layout; readonly milliseconds: number } | { readonly fault: string };

const scope = globalThis as unknown as {
  onmessage: ((event: MessageEvent<Scene>) => void) | null;
  postMessage(message: Laid): void;
};

scope.onmessage = ({ data: scene }) => {
  const began = performance.now();
  try {
    const layout = layoutScene(scene, { maxItems: scene.items.length });
    scope.postMessage({ layout, milliseconds: performance.now() - began });
  } catch (error) {
    scope.postMessage({ fault: error instanceof Error ? error.message : String(error) });
  }
};
