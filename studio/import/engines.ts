import { type ReadonlySignal, signal } from "@preact/signals";
import type { EngineName } from "./protocol.ts";

/**
 * The folder of ONNX Runtime's files, as the studio's server says it in the page; the empty text where there is none: on a static site, and where the
 * package is not installed beside the library.
 */
export function runtimeAddress(): string {
  const told = document.querySelector<HTMLMetaElement>('meta[name="onnxruntime-web"]')?.content;
  return told === undefined ? "" : new URL(told, document.baseURI).href;
}

interface Gpu {
  requestAdapter(): Promise<{ readonly info?: { readonly isFallbackAdapter?: boolean } } | null>;
}

const found = signal<readonly EngineName[]>(runtimeAddress() === "" ? ["wasm"] : ["wasm", "onnxruntime"]);
const slow = signal(false);

/** The engines that there are here, the library's own first. */
export const engines: ReadonlySignal<readonly EngineName[]> = found;
/** Whether the graphics card is only played by the processor, which is slow. */
export const isSoftware: ReadonlySignal<boolean> = slow;

let looking = false;

/** Looks once for a graphics card that ONNX Runtime can compute on: one that the browser gives an adapter for. */
export async function lookForEngines(): Promise<void> {
  if (looking || runtimeAddress() === "") return;
  looking = true;
  const { gpu } = navigator as unknown as { readonly gpu?: Gpu };
  const adapter = await gpu?.requestAdapter().catch(() => null);
  if (adapter === null || adapter === undefined) return;
  slow.value = adapter.info?.isFallbackAdapter === true;
  found.value = ["wasm", "onnxruntime", "webgpu"];
}
