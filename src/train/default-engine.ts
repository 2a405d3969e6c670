import type { Engine } from "../engines/engine.ts";

/** Whether this is a page's own thread, which stops answering while something computes on it. */
function inPage(): boolean {
  const { document, Worker } = globalThis as { readonly document?: unknown; readonly Worker?: unknown };
  return typeof document === "object" && document !== null && typeof Worker === "function";
}

/**
 * The compiling engine: in a worker where this is a page's own thread, here anywhere else. It is loaded when it is asked for, so that a program which
 * names an engine has no other one in its bundle.
 */
export async function defaultEngine(): Promise<Engine> {
  const { wasm } = await import("../engines/wasm/wasm.ts");
  return inPage() ? wasm({ worker: true }) : wasm();
}
