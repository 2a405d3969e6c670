import { readModel } from "./model.ts";

/** Reads models in the ONNX format, as PyTorch and others write them, and writes them. */
export const onnx: {
  readonly read: typeof readModel;
} = { read: readModel };
