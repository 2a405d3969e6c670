import { i32, ModuleBuilder, v128 } from "./encoder.ts";

let relaxed: boolean | null = null;

/** Whether this host compiles relaxed SIMD, whose multiply-and-add rounds once where the processor does. Asked of the host once. */
export function hasRelaxedSimd(): boolean {
  if (relaxed === null) {
    const module = new ModuleBuilder();
    module.add(null, [i32], [], (c) => {
      const x = c.local(v128);
      c.get(x).get(x).get(x).relaxedMadd("f32").set(x);
    });
    relaxed = WebAssembly.validate(module.bytes(null));
  }
  return relaxed;
}
