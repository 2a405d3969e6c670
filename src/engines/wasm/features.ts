import { EngineError } from "../../ir/errors.ts";
import { type Code, ModuleBuilder, v128 } from "./encoder.ts";

/** Whether the host compiles a function of a vector. */
function compiles(write: (code: Code, x: number) => void): boolean {
  const module = new ModuleBuilder();
  module.add(null, [], [], (code) => write(code, code.local(v128)));
  return WebAssembly.validate(module.bytes(null));
}

let simd = false;

/**
 * Sees to it that this host compiles vectors, which all code of the engine is made of. Only a yes is remembered.
 * @throws EngineError where it does not
 */
export function requireSimd(): void {
  if (simd) return;
  if (typeof WebAssembly === "object") simd = compiles((c, x) => c.get(x).op("v128.any_true").op("drop"));
  if (!simd)
    throw new EngineError(
      "wasm: this host does not compile WebAssembly with SIMD, which Chrome 91, Firefox 89, Safari 16.4 and Node 16.4 were the first to do; use reference() here, or a newer host",
    );
}

let relaxed: boolean | null = null;

/** Whether this host compiles relaxed SIMD, whose multiply-and-add rounds once where the processor does. Asked of the host once. */
export function hasRelaxedSimd(): boolean {
  return (relaxed ??= compiles((c, x) => c.get(x).get(x).get(x).relaxedMadd("f32").op("drop")));
}
