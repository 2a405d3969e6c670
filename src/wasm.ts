export { type WasmOptions, wasm } from "./engines/wasm/wasm.ts";
