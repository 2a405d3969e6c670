import { expect, test, vi } from "vitest";

const lesson =
  "wasm: this host does not compile WebAssembly with SIMD, which Chrome 91, Firefox 89, Safari 16.4 and Node 16.4 were the first to do; use reference() here, or a newer host";

test("a host without SIMD, or without WebAssembly, is told so when the engine is made, in a worker, too", async () => {
  // An engine that was made before has found out for all.
  vi.resetModules();
  const { wasm } = await import("../../../src/engines/wasm/wasm.ts");
  const validate = vi.spyOn(WebAssembly, "validate").mockReturnValue(false);
  try {
    expect(() => wasm()).toThrow(lesson);
    expect(() => wasm({ threads: 2 })).toThrow(lesson);
    expect(() => wasm({ worker: true })).toThrow(lesson);
  } finally {
    validate.mockRestore();
  }
  vi.stubGlobal("WebAssembly", undefined);
  try {
    expect(() => wasm()).toThrow(lesson);
  } finally {
    vi.unstubAllGlobals();
  }
  expect(wasm().name).toBe("wasm");
});

test("a host without relaxed SIMD gets code that does not use it", async () => {
  vi.resetModules();
  const { hasRelaxedSimd } = await import("../../../src/engines/wasm/features.ts");
  const validate = vi.spyOn(WebAssembly, "validate").mockReturnValue(false);
  try {
    expect(hasRelaxedSimd()).toBe(false);
  } finally {
    validate.mockRestore();
  }
});
