export { type WasmOptions, type WorkerOptions, wasm } from "./engines/wasm/wasm.ts";
