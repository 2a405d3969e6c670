export type { Bound } from "./onnx/answers.ts";
export type { ExternalFiles } from "./onnx/external-data.ts";
export type { Inspection, MemoryFacts, NodeFacts, ParameterFacts } from "./onnx/inspection.ts";
export type { InspectionLanguage } from "./onnx/inspection-words.ts";
export type { Model, Port, ReadOptions } from "./onnx/model.ts";
export type { Source } from "./onnx/model-file.ts";
export { onnx } from "./onnx/onnx.ts";
export type { Applicable, Outline } from "./onnx/sample.ts";
export type { SaveOptions, Writable } from "./onnx/write-model.ts";
