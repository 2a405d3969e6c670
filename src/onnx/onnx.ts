import { readModel } from "./model.ts";
import { saveModel, writeModel } from "./write-model.ts";

/** Reads models in the ONNX format, as PyTorch and others write them, and writes models and graphs. */
export const onnx: {
  readonly read: typeof readModel;
  readonly write: typeof writeModel;
  readonly save: typeof saveModel;
} = { read: readModel, write: writeModel, save: saveModel };
