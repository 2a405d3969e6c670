import { expect, test } from "vitest";
import { parseSafetensors, serializeSafetensors } from "../../src/data/safetensors.ts";
import { type DType, dtypes } from "../../src/ir/dtype.ts";
import { hold, type Tensor, tensor } from "../../src/ir/tensor.ts";
import { tensorType } from "../../src/ir/type.ts";
import { expectOnlyParseErrors, parseErrorOf } from "./fixture.ts";

function file(header: unknown, data: Uint8Array = new Uint8Array(0)): Uint8Array {
  const text = new TextEncoder().encode(typeof header === "string" ? header : JSON.stringify(header));
  const out = new Uint8Array(8 + text.length + data.length);
  new DataView(out.buffer).setUint32(0, text.length, true);
  out.set(text, 8);
  out.set(data, 8 + text.length);
  return out;
}

const floats: readonly number[] = [1.5, -0, 0.1, Infinity, -65504, 2 ** -24];
function sample(dtype: DType): Tensor {
  if (dtype === "bool") return tensor([true, false, true, true, false, false], "bool");
  if (dtype.startsWith("f") || dtype === "bf16") return tensor([...floats], dtype);
  return tensor(dtype.startsWith("u") ? [0, 1, 2, 3, 255, 7] : [0, -1, 2, -128, 127, 7], dtype);
}
const every: Record<string, Tensor> = Object.fromEntries(
  dtypes.map((dtype) => [`x.${dtype}`, hold(tensorType(dtype, [2, 3]), sample(dtype).data)]),
);

test("noise and damage are refused or read", async () => {
  await expectOnlyParseErrors(serializeSafetensors(every, { a: "b" }), parseSafetensors, 2000);
});

test("a header of a million brackets is refused without a stack", async () => {
  const deep = `{"a":${"[".repeat(1e6)}${"]".repeat(1e6)}}`;
  expect((await parseErrorOf(() => parseSafetensors(file(deep))))?.message).toMatch(/^safetensors: a: must be an object/);
});
