import { describe, expect, test } from "vitest";
import { checkGradients } from "../../src/check/check-gradients.ts";
import { add, cos, evaluate, mul, reshape, sum, type Tensor, tensor, type Value } from "../../src/index.ts";
import { isFloat } from "../../src/ir/dtype.ts";
import { onnx } from "../../src/onnx/onnx.ts";
import { type ModelMessage, modelShape, type TensorMessage, type ValueMessage } from "../../src/onnx/schema.ts";
import { tensorOf } from "../../src/onnx/tensor-data.ts";
import { type Message, readMessage, writeMessage } from "../../src/onnx/wire.ts";
import { moreCases, type NodeCase, nodeCases, opened } from "./node-cases.ts";

/** Cases with floating-point inputs, and nothing to differentiate: by name, under the reason. */
const nothing: Readonly<Record<string, readonly string[]>> = {
  "its result is a place, a size or a truth": [
    "test_argmax_default_axis_example",
    "test_argmax_default_axis_example_select_last_index",
    "test_argmax_default_axis_random",
    "test_argmax_default_axis_random_select_last_index",
    "test_argmax_keepdims_example_select_last_index",
    "test_argmax_keepdims_random",
    "test_argmax_keepdims_random_select_last_index",
    "test_argmax_negative_axis_keepdims_example_select_last_index",
    "test_argmax_negative_axis_keepdims_random_select_last_index",
    "test_argmax_no_keepdims_example",
    "test_argmax_no_keepdims_example_select_last_index",
    "test_argmax_no_keepdims_random",
    "test_argmax_no_keepdims_random_select_last_index",
    "test_argmin_default_axis_example",
    "test_argmin_default_axis_random",
    "test_argmin_default_axis_random_select_last_index",
    "test_argmin_keepdims_example",
    "test_argmin_keepdims_example_select_last_index",
    "test_argmin_negative_axis_keepdims_example",
    "test_argmin_negative_axis_keepdims_random",
    "test_argmin_negative_axis_keepdims_random_select_last_index",
    "test_argmin_no_keepdims_example",
    "test_argmin_no_keepdims_example_select_last_index",
    "test_argmin_no_keepdims_random",
    "test_argmin_no_keepdims_random_select_last_index",
    "test_greater_bcast",
    "test_greater_equal",
    "test_greater_equal_bcast",
    "test_isinf",
    "test_less",
    "test_less_bcast",
    "test_less_equal_bcast",
    "test_shape_end_negative_1",
    "test_shape_example",
    "test_shape_start_1",
    "test_shape_start_greater_than_end",
    "test_size",
  ],
  "its data holds infinities and NaN": ["test_mod_float_edge_cases_fmod_0_float16", "test_mod_float_edge_cases_fmod_0_float64"],
  "its result is made of rounded numbers": [
    "test_qlinearconv",
    "test_qlinearmatmul_2D_int8_float16",
    "test_qlinearmatmul_2D_int8_float32",
    "test_qlinearmatmul_2D_uint8_float16",
    "test_qlinearmatmul_2D_uint8_float32",
    "test_qlinearmatmul_3D_int8_float16",
    "test_qlinearmatmul_3D_int8_float32",
    "test_qlinearmatmul_3D_uint8_float16",
    "test_qlinearmatmul_3D_uint8_float32",
  ],
  "its operands are settings": ["test_melweightmatrix"],
  "its base and its result are whole numbers": ["test_pow_types_int32_float32"],
  "its data has no elements": [
    "test_reduce_l1_empty_set",
    "test_reduce_l2_empty_set",
    "test_reduce_log_sum_exp_empty_set",
    "test_reduce_max_empty_set",
    "test_reduce_sum_empty_set",
    "test_reduce_sum_empty_set_non_reduced_axis_zero",
    "test_reshape_allowzero_reordered",
    "test_split_zero_size_splits_opset18",
  ],
};

/** Cases whose data lies on a kink or a tie, where differences find no derivative: it is checked beside it. */
const nudged: readonly string[] = [
  "test_dynamicquantizelinear_min_adjusted",
  "test_gridsample_bilinear",
  "test_gridsample_volumetric_bilinear_align_corners_1",
  "test_l2normalization_axis_0",
  "test_maxpool_3d_dilations",
  "test_maxpool_3d_dilations_use_ref_impl",
  "test_reduce_min_default_axes_keepdims_example",
  "test_scatternd_max",
  "test_scatternd_min",
  "test_sign",
];

/** Cases whose models hold singles inside, which become doubles too: differences of singles are not accurate enough. */
const doubledInside: readonly string[] = [
  "test_attention_24_qk_matmul_output_mode3_softmax_precision",
  "test_flexattention_causal_mask",
  "test_flexattention_prob_mod",
  "test_flexattention_score_mod",
  "test_flexattention_soft_cap",
  "test_loop11",
];

/** Operands that the standard calls not differentiable. */
const settings: readonly string[] = ["scales", "roi", "r"];

/** A model whose floating-point inputs are doubles, because differences of singles are not accurate enough to judge a gradient by. */
function inDouble(bytes: Uint8Array): Uint8Array {
  const message = readMessage(bytes, modelShape) as ModelMessage;
  const doubled = (message.graph!.input ?? []).map((v: ValueMessage): ValueMessage => {
    const t = v.type?.tensor_type;
    return t !== undefined && [1, 10].includes(t.elem_type ?? 0) ? { ...v, type: { tensor_type: { ...t, elem_type: 11 } } } : v;
  });
  return writeMessage({ ...message, graph: { ...message.graph, input: doubled } } as unknown as Message, modelShape);
}

/** The same for all that lies inside a model: constants, the types of what graphs inside take and give, and the precision that a node names. */
function inDoubleInside(bytes: Uint8Array): Uint8Array {
  const floats = (t: Message): ArrayLike<number> => tensorOf(t as TensorMessage, "a constant").data;
  const deep = (value: unknown): unknown => {
    if (Array.isArray(value)) return value.map(deep);
    if (typeof value !== "object" || value === null || value instanceof Uint8Array) return value;
    const own = value as Message;
    if (own["data_type"] === 1) return { name: own["name"], dims: own["dims"], data_type: 11, double_data: Array.from(floats(own)) };
    const inner = Object.fromEntries(Object.entries(own).map(([key, v]) => [key, deep(v)]));
    if ([1, 10].includes(inner["elem_type"] as number)) return { ...inner, elem_type: 11 };
    return inner["name"] === "softmax_precision" ? { ...inner, i: 11 } : inner;
  };
  return writeMessage(deep(readMessage(bytes, modelShape)) as Message, modelShape);
}

/** What is said of a case without floating-point inputs or results. */
const whole = "there is nothing to differentiate";

async function verdict(c: NodeCase): Promise<string | null> {
  const { inputs } = await opened(c);
  const model = await onnx.read((doubledInside.includes(c.name) ? inDoubleInside : inDouble)(c.model));
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
  const nudge = (t: Tensor, phase: number): Tensor =>
    tensor(
      Float64Array.from(t.data, (x, i) => x + 0.25 * Math.sin(1.7 * i + phase)),
      t.type,
    );
  const at: Record<string, Tensor> = Object.fromEntries(
    floats.map((name, i) => [name, nudged.includes(c.name) ? nudge(doubles[name]!, i) : doubles[name]!]),
  );
  // A mask makes -infinity, of which there is no difference.
  const infinite = new Set(
    Object.entries(evaluate(model.apply({}, { ...doubles, ...at })) as Record<string, Tensor>)
      .filter(([, t]) => !t.data.every(Number.isFinite))
      .map(([name]) => name),
  );
  const loss = (given: Record<string, Value>): Value => {
    const out = model.apply({}, { ...doubles, ...given });
    const parts = Object.entries(out).flatMap(([name, v]) => (v !== undefined && v.type.dtype === "f64" && !infinite.has(name) ? [v] : []));
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
  const cases = [...nodeCases(), ...moreCases()];
  const apart = new Set(Object.values(nothing).flat());
  const count = { checked: 0, nothing: 0 };
  test.each(cases.map((c) => [c.name, c] as const))("%s", async (name, c) => {
    const { inputs } = await opened(c);
    const floating = Object.values(inputs).some((t) => isFloat(t.type.dtype));
    const found = await verdict(c);
    expect(found).toBe(floating && !apart.has(name) ? null : whole);
    if (found === null) count.checked++;
    else count.nothing++;
  });

  test("439 of 594 have something to check", () => {
    expect(count).toEqual({ checked: 439, nothing: 155 });
    expect([...apart].filter((name) => !cases.some((c) => c.name === name))).toEqual([]);
  });
});
