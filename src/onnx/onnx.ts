import { inspectModel } from "./inspect.ts";
import { readModel } from "./model.ts";
import { applicable, outline } from "./sample.ts";
import { saveModel, writeModel } from "./write-model.ts";

/** Reads models in the ONNX format, as PyTorch and others write them, tells what is in them, and writes models and graphs. */
export const onnx: {
  readonly read: typeof readModel;
  readonly inspect: typeof inspectModel;
  readonly applicable: typeof applicable;
  readonly outline: typeof outline;
  readonly write: typeof writeModel;
  readonly save: typeof saveModel;
} = { read: readModel, inspect: inspectModel, applicable, outline, write: writeModel, save: saveModel };
