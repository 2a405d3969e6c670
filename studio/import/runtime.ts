import { type Engine, EngineError } from "chainrule";
import { type Ort, onnxruntime } from "chainrule/onnxruntime";
import type { EngineName } from "./protocol.ts";

/** ONNX Runtime's module, as far as it is set up here. */
interface Module extends Ort {
  readonly env: { readonly wasm: { wasmPaths: string }; readonly webgpu?: { readonly device?: PromiseLike<GpuDevice> | GpuDevice } };
}

/** What is asked of a graphics card's device; the library's types know no WebGPU. */
interface GpuDevice {
  readonly lost: Promise<{ readonly message: string }>;
}

/** ONNX Runtime, loaded from where the studio's server has it. */
export interface Runtime {
  readonly engine: Engine<"async">;
  /** Is aborted when the graphics card's device is lost. A run that waits for it is refused then, and leaves the state as it was. */
  readonly lost: AbortSignal;
  /** Begins to watch for a lost device; the device is there once something was compiled. */
  watch(): Promise<void>;
  /** Whether the device is lost. A run fails a moment before the browser says so, which is waited for. */
  isLost(): Promise<boolean>;
}

/**
 * Loads ONNX Runtime into this worker.
 * @param address the folder of its files
 * @throws EngineError when it cannot be loaded
 */
export async function openRuntime(name: Exclude<EngineName, "wasm">, address: string): Promise<Runtime> {
  const onGpu = name === "webgpu";
  const file = `${address}${onGpu ? "ort.webgpu.min.mjs" : "ort.wasm.min.mjs"}`;
  const ort = (await import(/* @vite-ignore */ file).catch((error: unknown) => {
    throw new EngineError(`ONNX Runtime could not be loaded: ${error instanceof Error ? error.message : String(error)}`);
  })) as Module;
  ort.env.wasm.wasmPaths = address;
  const gone = new AbortController();
  let telling: Promise<void> | null = null;
  return {
    engine: onnxruntime(ort, { providers: [onGpu ? "webgpu" : "wasm"] }),
    lost: gone.signal,
    watch: async () => {
      const device = onGpu ? await ort.env.webgpu?.device : undefined;
      telling = device?.lost.then(({ message }) => gone.abort(new EngineError(message || "the device was lost"))) ?? null;
    },
    isLost: async () => {
      if (telling !== null) await Promise.race([telling, new Promise((done) => setTimeout(done, 500))]);
      return gone.signal.aborted;
    },
  };
}
