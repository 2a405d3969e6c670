import { describe, expect, test } from "vitest";
import { type ChainruleError, constant, random, relu, tensor } from "../../src/index.ts";
import * as nn from "../../src/nn.ts";
import { accuracy, classScores, topK } from "../../src/train/metrics.ts";

/** As in JavaScript: nothing is known of anything. */
type Call = (...given: unknown[]) => unknown;
const layers = nn as unknown as Readonly<Record<string, Call & { init: Call }>>;
const inStacks = nn.layer as unknown as Readonly<Record<string, Call>>;

/** What is thrown: an error of ours, and never one that JavaScript makes by itself. */
function refused(call: unknown, ...given: unknown[]): string {
  try {
    (call as Call)(...given);
  } catch (error) {
    expect((error as ChainruleError).code, String(error)).toBeTypeOf("string");
    return (error as Error).message;
  }
  throw new Error("it was not refused");
}

const key = random.key(0);
const x = tensor([[1, 2]], "f32");
const sizes: Readonly<Record<string, readonly unknown[]>> = {
  linear: [2, 3],
  conv1d: [2, 3, 3],
  conv2d: [2, 3, 3],
  conv3d: [2, 3, 3],
  convTranspose1d: [2, 3, 3],
  convTranspose2d: [2, 3, 3],
  convTranspose3d: [2, 3, 3],
  embedding: [5, 3],
  positions: [5, 3],
  rnn: [2, 3],
  lstm: [2, 3],
  gru: [2, 3],
  attention: [8],
  transformerBlock: [8],
};
const norms = ["batchNorm", "layerNorm", "rmsNorm", "groupNorm", "instanceNorm"];

describe.each(Object.keys(sizes))("%s.init refuses", (name) => {
  const { init } = layers[name]!;
  const own = sizes[name]!;

  test("a key that is missing, a seed for a key, and one that stands behind the sizes", () => {
    const rule = `it comes first, and random.key makes it: ${name}.init(random.key(0), ...)`;
    expect(refused(init)).toBe(`${name}.init: key is missing; ${rule}`);
    expect(refused(init, ...own)).toBe(`${name}.init: key is ${own[0]}; ${rule}`);
    expect(refused(init, ...own, key)).toBe(`${name}.init: key is ${own[0]}; ${rule}`);
    expect(refused(init, random.key, ...own)).toBe(`${name}.init: key is a function; ${rule}`);
    expect(refused(init, key)).toMatch(/ is missing; a layer's sizes are whole numbers of 1 or more/);
  });

  test("options of another kind, misspelt ones, and a dtype that is none", () => {
    const given = name === "attention" || name === "transformerBlock" ? [key, ...own] : [key, ...own];
    expect(refused(init, ...given, null)).toBe(`${name}.init: the options are null; they are one record: { dtype: "f32" }`);
    expect(refused(init, ...given, { dtyp: "f32" })).toBe(`${name}.init: there is no option dtyp; write dtype`);
    expect(refused(init, ...given, { dtype: "float32" })).toBe(`${name}.init: dtype is "float32"; parameters are floats, "f32" or "f64"`);
  });
});

describe.each([...Object.keys(sizes), ...norms])("%s refuses", (name) => {
  test("parameters that are none: forgotten, swapped with x, or another layer's", () => {
    const layer = layers[name]!;
    const kind = `they come first, and ${name}.init makes them: ${name}(params, x)`;
    expect(refused(layer)).toBe(`${name}: the parameters are missing; ${kind}`);
    expect(refused(layer, x, {})).toBe(`${name}: the parameters are a tensor of f32[1,2]; ${kind}`);
    expect(refused(layer, {}, x, x)).toMatch(
      new RegExp(`^${name}: the parameters have no \\w+, only nothing; ${name}.init makes those of this layer$`),
    );
  });
});

test("norms refuse a key, and initialisers that were not made are refused by their names", () => {
  expect(refused(layers["layerNorm"]!.init, key, 4)).toBe(
    "layerNorm.init: size is a tensor of i32[2]; a layer's sizes are whole numbers of 1 or more",
  );
  const rule = "an initialiser is what a call makes: initializers.kaimingUniform()";
  for (const [name, own] of [
    ["linear", [2, 3]],
    ["conv2d", [2, 3, 3]],
    ["embedding", [2, 3]],
  ] as const) {
    const { init } = layers[name]!;
    expect(refused(init, key, ...own, { weight: "kaiming" })).toBe(`${name}.init: weight is "kaiming"; ${rule}`);
    expect(refused(init, key, ...own, { weight: nn.initializers.zeros })).toBe(`${name}.init: weight is a function; ${rule}`);
  }
  expect(refused(layers["linear"]!.init, key, 2, 3, { useBias: false })).toBe("linear.init: there is no option useBias; write bias");
  expect(refused(layers["conv2d"]!.init, key, 2, 3)).toBe("conv2d.init: kernel is missing; it is one size, or a list of one per axis");
});

describe("options of calls", () => {
  test("that are forgotten or called otherwise", () => {
    const attention = nn.attention.init(key, 8);
    const block = nn.transformerBlock.init(key, 8);
    const rows = tensor([[1, 2, 3, 4, 5, 6, 7, 8]], "f32");
    expect(refused(nn.attention, attention, rows)).toBe(
      "attention: the options are missing; they are one record: { heads: 4, causal: true }",
    );
    expect(refused(nn.attention, attention, rows, { num_heads: 2 })).toBe("attention: there is no option num_heads; write heads");
    expect(refused(nn.transformerBlock, block, rows)).toContain("transformerBlock: the options are missing");
    expect(refused(nn.crossAttention, nn.crossAttention.init(key, 8), rows, rows)).toContain("crossAttention: the options are missing");
    expect(refused(nn.dropout, x)).toBe("dropout: the options are missing; they are one record: dropout(x, { rate: 0.5, key })");
    expect(refused(nn.dropout, x, { p: 0.5, key })).toBe("dropout: there is no option p; write rate");
    expect(refused(nn.groupNorm, nn.groupNorm.init(2), x)).toContain("groupNorm: the options are missing");
    const { params, stats } = nn.batchNorm.init(2);
    expect(refused(nn.batchNorm, params, stats, x)).toContain("batchNorm: the options are missing; they are one record: { train: true }");
    expect(refused(nn.batchNorm, params, stats, x, { training: true })).toBe("batchNorm: there is no option training; write train");
  });

  test("of layers in stacks", () => {
    for (const name of ["attention", "transformerBlock", "groupNorm"])
      expect(refused(inStacks[name], 8)).toContain(`layer.${name}: the options are missing; they are one record`);
    expect(refused(inStacks["batchNorm"], 8, { eps: 1 })).toBe("layer.batchNorm: there is no option eps; write epsilon");
  });
});

describe("a stack refuses", () => {
  const stack = nn.sequential({ fc: nn.layer.linear(2, 3), relu });
  const made = stack.init(key);

  test("what is no record of layers", () => {
    const rule = "they are a record by name: sequential({ fc1: layer.linear(2, 3), relu })";
    expect(refused(nn.sequential)).toBe(`sequential: the layers are missing; ${rule}`);
    expect(refused(nn.sequential, [nn.layer.linear(2, 3), relu])).toBe(`sequential: the layers are a list; ${rule}`);
    expect(refused(nn.sequential, nn.layer.linear(2, 3), relu)).toBe(`sequential: the layers are a single layer; ${rule}`);
  });

  test("a child that was not made, when it is applied", () => {
    const odd = nn.sequential({ fc: nn.layer.linear as never });
    expect(refused(odd.apply, odd.init(key).params, x, { train: false, stats: { fc: {} } })).toBe(
      "sequential: fc gave a record; a function of x gives a Value, and a layer is what a call makes: layer.linear(2, 3)",
    );
  });

  test("no key, and no call", () => {
    expect(refused(stack.init)).toBe("init: key is missing; it comes first, and random.key makes it: init(random.key(0), ...)");
    expect(refused(stack.apply, made.params, x)).toBe("sequential: the call is missing; write apply(params, x, { train: false, stats })");
    expect(refused(stack.apply, made, x, { train: false, stats: made.stats })).toContain(
      "sequential: params has no fc; it has params, stats",
    );
  });
});

test("metrics say what they were not given", () => {
  const [logits, labels] = [tensor([[1, 2]]), tensor([1], "i32")];
  expect(refused(topK, logits, labels)).toBe("topK: the options are missing; they are one record: topK(logits, labels, { k: 5 })");
  expect(refused(classScores)).toBe("classScores: the table is missing; it is what confusionMatrix counts: validation.tables");
  expect(refused(accuracy, constant([[1, 2]]))).toContain("an operand is undefined");
});
