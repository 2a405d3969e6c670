import {
  constant,
  mean,
  named,
  reshape,
  softmaxCrossEntropy,
  square,
  sub,
  sum,
  type Tensor,
  type TensorType,
  tensor,
  type Value,
  variable,
} from "chainrule";
import type { Model } from "chainrule/onnx";
import { fittedShape, readNumbers, typeOf } from "./given.ts";
import { InputFault } from "./given-input.ts";
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

/** A model applied to data: its weights as variables, its inputs as constants with their names; those that were given, the others drawn. */
export function modelValues(
  model: Model<string, string>,
  types: Readonly<Record<string, TensorType>>,
  seed: number,
  given: ReadonlyMap<string, Tensor> = new Map(),
): { readonly params: Record<string, Value>; readonly inputs: Record<string, Value>; readonly outputs: Readonly<Record<string, Value>> } {
  const params = Object.fromEntries(Object.entries(model.params).map(([name, value]) => [name, variable(value, name)]));
  const sizes = sizesOf(model, given);
  const inputs = Object.fromEntries(
    Object.entries(types).map(([name, type], i) => [
      name,
      named(constant(given.get(name) ?? inputData(sizedType(type, model.inputs[name]?.shape ?? null, sizes), seed + i)), name),
    ]),
  );
  return { params, inputs, outputs: model.apply(params, inputs) };
}

/** The sizes that a model has names for, as the given inputs say them. @throws InputFault where two say another */
function sizesOf(model: Model<string, string>, given: ReadonlyMap<string, Tensor>): ReadonlyMap<string, number> {
  const sizes = new Map<string, number>();
  for (const [input, { type }] of given)
    (model.inputs[input]?.shape ?? []).forEach((name, i) => {
      if (typeof name !== "string") return;
      const [one, other] = [sizes.get(name), type.shape[i]!];
      if (one !== undefined && one !== other) throw new InputFault({ what: "sizes", name, one, other });
      sizes.set(name, other);
    });
  return sizes;
}

function sizedType(type: TensorType, shape: readonly (number | string | null)[] | null, sizes: ReadonlyMap<string, number>): TensorType {
  if (shape === null || sizes.size === 0) return type;
  return typeOf(
    type.dtype,
    type.shape.map((n, i) => sizes.get(String(shape[i])) ?? n),
  );
}

/** A scalar to differentiate: the sum or mean of an output, the cross entropy of classes along its last axis, or how far it is from numbers. */
export function lossOf(outputs: Readonly<Record<string, Value>>, { output, loss, target }: Omit<GradientAsk, "inputs">): Value {
  const y = outputs[output];
  if (y === undefined) throw new Error(`the model has no output ${output}`);
  if (!/^b?f\d/.test(y.type.dtype)) throw new InputFault({ what: "integers", output });
  if (loss === "sum") return sum(y);
  if (loss === "mean") return mean(y);
  if (loss === "squares") return mean(square(sub(y, targetNumbers(target, output, y.type))));
  const classes = y.type.shape.at(-1) ?? 1;
  const rows = y.type.shape.reduce((a, b) => a * b, 1) / classes;
  const { data } = readNumbers(target);
  if (data.length !== 1 && data.length !== rows) throw new InputFault({ what: "targets", given: data.length, rows, output });
  const chosen = Int32Array.from({ length: rows }, (_, i) => {
    const x = data[data.length === 1 ? 0 : i]!;
    if (!(Number.isInteger(x) && x >= 0 && x < classes)) throw new InputFault({ what: "class", x: String(x), classes, output });
    return x;
  });
  return softmaxCrossEntropy(reshape(y, { shape: [rows, classes] }), tensor(chosen));
}

/** The numbers that an output is to be: one for all of it, or one for each. */
function targetNumbers(text: string, output: string, { dtype, shape }: TensorType): Tensor {
  const numbers = readNumbers(text);
  const count = shape.reduce((a, b) => a * b, 1);
  if (numbers.data.length === 1) return tensor(new Float64Array(count).fill(numbers.data[0]!), typeOf(dtype, shape));
  const fits = fittedShape(numbers, shape);
  if (fits === null) throw new InputFault({ what: "targets", given: numbers.data.length, rows: count, output });
  return tensor(Float64Array.from(numbers.data), typeOf(dtype, shape));
}
