export { type AutoOptions, auto, type Choice } from "./engines/onnxruntime/auto.ts";
export { type OrtOptions, onnxruntime } from "./engines/onnxruntime/onnxruntime.ts";
export type { Ort } from "./engines/onnxruntime/ort.ts";
