import { describe, expect, test } from "vitest";
import { checkGradients } from "../../src/check/check-gradients.ts";
import { add, cos, mul, reshape, sum, type Tensor, tensor, type Value } from "../../src/index.ts";
import { isFloat } from "../../src/ir/dtype.ts";
import { onnx } from "../../src/onnx/onnx.ts";
import { type ModelMessage, modelShape, type ValueMessage } from "../../src/onnx/schema.ts";
import { type Message, readMessage, writeMessage } from "../../src/onnx/wire.ts";
import { type NodeCase, nodeCases, opened } from "./node-cases.ts";

/** Cases with floating-point inputs whose gradient is not checked, with the reason. */
const notChecked: Readonly<Record<string, string>> = {
  test_attention_24_qk_matmul_output_mode3_softmax_precision: "computes in singles, as its attribute says: differences are rounded",
  test_attention_4d_with_past_and_present_qk_matmul_bias_3d_mask_causal: "its result holds -infinity",
  test_l2normalization_axis_0: "its data is a row of zeros, a kink of the norm",
  test_loop11: "its loop holds a constant in singles",
  test_maxpool_3d_dilations: "all its data is 1, so all is a tie",
  test_maxpool_3d_dilations_use_ref_impl: "all its data is 1, so all is a tie",
  test_reduce_min_default_axes_keepdims_example: "the least elements tie",
  test_scatternd_max: "its updates tie",
  test_scatternd_min: "its updates tie",
  test_sign: "0 is among the data, where the sign jumps",
};

/** Operands that the standard calls not differentiable. */
const settings: readonly string[] = ["scales", "roi"];

/** A model whose floating-point inputs are doubles, because differences of singles are not accurate enough to judge a gradient by. */
function inDouble(bytes: Uint8Array): Uint8Array {
  const message = readMessage(bytes, modelShape) as ModelMessage;
  const doubled = (message.graph!.input ?? []).map((v: ValueMessage): ValueMessage => {
    const t = v.type?.tensor_type;
    return t !== undefined && [1, 10].includes(t.elem_type ?? 0) ? { ...v, type: { tensor_type: { ...t, elem_type: 11 } } } : v;
  });
  return writeMessage({ ...message, graph: { ...message.graph, input: doubled } } as unknown as Message, modelShape);
}

/** What is said of a case without floating-point inputs or results. */
const whole = "there is nothing to differentiate";

async function verdict(c: NodeCase): Promise<string | null> {
  const { inputs } = await opened(c);
  const model = await onnx.read(inDouble(c.model));
  const doubles = Object.fromEntries(
    Object.entries(inputs).map(([name, t]) => [
      name,
      isFloat(t.type.dtype) ? tensor(Float64Array.from(t.data), { ...t.type, dtype: "f64" }) : t,
    ]),
  );
  const floats = Object.keys(doubles).filter(
    (name) =>
      isFloat(doubles[name]!.type.dtype) &&
      !settings.includes(name) &&
      doubles[name]!.data.length > 0 &&
      doubles[name]!.data.every(Number.isFinite),
  );
  const at: Record<string, Tensor> = Object.fromEntries(floats.map((name) => [name, doubles[name]!]));
  const loss = (given: Record<string, Value>): Value => {
    const out = model.apply({}, { ...doubles, ...given });
    const parts = Object.values(out).filter((v) => v !== undefined && v.type.dtype === "f64") as Value[];
    if (parts.length === 0) throw new Error(whole);
    return parts
      .map((v) =>
        sum(
          mul(
            reshape(v, { shape: [-1] }),
            cos(tensor(Float64Array.from({ length: v.type.shape.reduce((a, b) => a * b, 1) }, (_, i) => i))),
          ),
        ),
      )
      .reduce((a, b) => add(a, b));
  };
  if (floats.length === 0) return whole;
  try {
    const { rows } = checkGradients(loss as never, at as never, { order: 1, elements: 4, directions: 1 });
    const failed = rows.find((row) => row.verdict === "fail");
    if (failed !== undefined) return `wrong: ${failed.path} ${failed.analytic} for ${failed.numeric}`;
    return rows.some((row) => row.verdict === "pass")
      ? null
      : `no row passes: ${rows[0]?.verdict} ${rows[0]?.analytic} for ${rows[0]?.numeric}`;
  } catch (error) {
    return (error as Error).message;
  }
}

describe("gradients of ONNX's backend node tests agree with differences:", () => {
  const cases = nodeCases();
  let checked = 0;
  test.each(cases.map((c) => [c.name, c] as const))("%s", async (name, c) => {
    const found = await verdict(c);
    if (found === null) checked++;
    if (Object.hasOwn(notChecked, name)) expect(found, "it passes: take it off the list").not.toBeNull();
    else if (found !== whole) expect(found).toBeNull();
  });

  test("most cases have something to check", () => {
    expect(checked).toBeGreaterThan(330);
  });
});
