import {
  constant,
  mean,
  named,
  reshape,
  softmaxCrossEntropy,
  sum,
  type Tensor,
  type TensorType,
  tensor,
  type Value,
  variable,
} from "chainrule";
import type { Model } from "chainrule/onnx";
import type { GradientAsk } from "./protocol.ts";

/** Numbers for an input: for floats, from -1.7 to 1.7 with variance 1, by a seed; for whole numbers, which are tokens and masks, ones. */
export function inputData(type: TensorType, seed: number): Tensor {
  const n = type.shape.reduce((a, b) => a * b, 1);
  const floats = type.dtype.startsWith("f") || type.dtype === "bf16";
  const data = new Float64Array(n);
  // Marsaglia's xorshift: enough for looking at a model.
  let state = (seed * 2654435761 + 88172645) >>> 0 || 1;
  for (let i = 0; i < n; i++) {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    data[i] = floats ? ((state >>> 0) / 2 ** 32 - 0.5) * Math.sqrt(12) : 1;
  }
  return tensor(data, type);
}

/** A model applied to data: its weights as variables, its inputs as constants with their names. */
export function modelValues(
  model: Model<string, string>,
  types: Readonly<Record<string, TensorType>>,
  seed: number,
): { readonly params: Record<string, Value>; readonly inputs: Record<string, Value>; readonly outputs: Readonly<Record<string, Value>> } {
  const params = Object.fromEntries(Object.entries(model.params).map(([name, value]) => [name, variable(value, name)]));
  const inputs = Object.fromEntries(
    Object.entries(types).map(([name, type], i) => [name, named(constant(inputData(type, seed + i)), name)]),
  );
  return { params, inputs, outputs: model.apply(params, inputs) };
}

/** A scalar to differentiate: the sum or mean of an output, or the cross entropy of a class along its last axis. */
export function lossOf(outputs: Readonly<Record<string, Value>>, { output, loss, target }: GradientAsk): Value {
  const y = outputs[output];
  if (y === undefined) throw new Error(`the model has no output ${output}`);
  if (!y.type.dtype.startsWith("f")) throw new Error(`${output} holds whole numbers, which have no gradient`);
  if (loss === "sum") return sum(y);
  if (loss === "mean") return mean(y);
  const classes = y.type.shape.at(-1) ?? 1;
  if (!(Number.isInteger(target) && target >= 0 && target < classes))
    throw new Error(`class ${target} is not one of the ${classes} of ${output}`);
  const rows = y.type.shape.reduce((a, b) => a * b, 1) / classes;
  return softmaxCrossEntropy(reshape(y, { shape: [rows, classes] }), tensor(new Int32Array(rows).fill(target)));
}
