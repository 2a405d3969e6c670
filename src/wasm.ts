export { wasm } from "./engines/wasm/wasm.ts";
