import { describe, expect, test } from "vitest";
import { drawsFrom } from "../../../src/check/draws.ts";
import { lowered } from "../../../src/engines/wasm/lower.ts";
import { plan } from "../../../src/engines/wasm/plan.ts";
import {
  abs,
  add,
  batchMoments,
  batchNormalization,
  clip,
  compile,
  div,
  evaluate,
  f32,
  f64,
  gatherElements,
  graph,
  groupNormalization,
  i32,
  instanceNormalization,
  layerNormalization,
  logSoftmax,
  max,
  mul,
  reference,
  reshape,
  rmsNormalization,
  slice,
  softmax,
  softmaxCrossEntropy,
  sub,
  sum,
  type Tensor,
  type TensorType,
  tensor,
  type Value,
  vjp,
} from "../../../src/index.ts";
import { leaves } from "../../../src/ir/tree.ts";
import { wasm } from "../../../src/wasm.ts";
import { firstApart, roomFor } from "./tolerances.ts";

type Values = Record<string, Value>;
type Form = (v: Values) => Value;
type Types = Record<string, TensorType>;

/** The graph of a form, and with the way back: gradients of all floats for a cotangent that is an input. */
function graphs(types: Types, f: Form): { readonly forward: ReturnType<typeof graph>; readonly both: ReturnType<typeof graph> } {
  let type: TensorType | null = null;
  const forward = graph(types, (v) => {
    const y = f(v as Values);
    type = y.type;
    return { y };
  });
  const floats = Object.keys(types).filter((name) => types[name]!.dtype !== "i32");
  const both = graph({ ...types, ct: type! }, (v) => {
    const { ct, ...rest } = v as Values & { ct: Value };
    const { value, pull } = vjp((w: Values) => f({ ...rest, ...w }))(Object.fromEntries(floats.map((name) => [name, rest[name]!])));
    const grads = pull(ct) as Values;
    return { y: value, ...Object.fromEntries(Object.entries(grads).map(([name, d]) => [`d${name}`, d])) };
  });
  return { forward: forward as never, both: both as never };
}

/** The steps that walk over something, by their kinds: single numbers and the check of labels, which come before all rows, are none. */
function walks(g: ReturnType<typeof graph>): string[] {
  const [inputs, outputs] = [g.inputs, g.outputs].map((tree) => leaves(tree).map(({ leaf }) => leaf as Value)) as [Value[], Value[]];
  const low = lowered(inputs, outputs);
  const { steps } = plan(low.inputs, low.outputs);
  return steps.flatMap((s) =>
    (s.kind === "loop" && s.shape.length === 0) || (s.kind === "kernel" && s.node.op.name === "classLabels") ? [] : [s.kind],
  );
}

const float = (dtype: "f32" | "f64", ...shape: number[]): TensorType => (dtype === "f32" ? f32 : f64)(...shape);
const crossEntropy =
  (attrs: Parameters<typeof softmaxCrossEntropy>[2] = {}): Form =>
  ({ x, y, w }) =>
    softmaxCrossEntropy(x!, y!, w === undefined ? attrs : { ...attrs, weights: w });
const norm =
  (f: (x: Value, g: Value, b: Value) => Value): Form =>
  ({ x, g, b }) =>
    f(x!, g!, b!);
const batchNorm = norm((x, g, b) => {
  const { mean, variance } = batchMoments(x);
  return batchNormalization(x, g, b, mean, variance);
});
const groupNorm = norm((x, g, b) => groupNormalization(x, g, b, { groups: 2 }));
/** A formula of nobody's: each channel over its largest magnitude, less its mean, times its g. */
const own = norm((x, g) => {
  const axis = x.type.shape.map((_, i) => i).filter((i) => i !== 1);
  const scaled = div(x, add(max(abs(x), { axis, keepDims: true }), 1));
  const count = x.type.shape.reduce((a, s, i) => (i === 1 ? a : a * s), 1);
  const centred = sub(scaled, div(sum(scaled, { axis, keepDims: true }), count));
  return mul(centred, reshape(g, { shape: [-1, ...x.type.shape.slice(2).map(() => 1)] }));
});

const labels = (dtype: "f32" | "f64", shape: readonly number[]): Types => ({ x: float(dtype, ...shape), y: i32(...shape.slice(0, -1)) });
const probabilities = (dtype: "f32" | "f64", shape: readonly number[]): Types => ({ x: float(dtype, ...shape), y: float(dtype, ...shape) });
const weighted = (dtype: "f32" | "f64", shape: readonly number[]): Types => ({ ...labels(dtype, shape), w: float(dtype, shape.at(-1)!) });
const alone = (dtype: "f32" | "f64", shape: readonly number[]): Types => ({ x: float(dtype, ...shape) });
const perLast = (dtype: "f32" | "f64", shape: readonly number[]): Types => ({ x: float(dtype, ...shape), g: float(dtype, shape.at(-1)!), b: float(dtype, shape.at(-1)!) }); // biome-ignore format: one record
const perChannel = (dtype: "f32" | "f64", shape: readonly number[]): Types => ({ x: float(dtype, ...shape), g: float(dtype, shape[1]!), b: float(dtype, shape[1]!) }); // biome-ignore format: one record

/** Each form: its operands, itself, how many kernels it is forward and there and back, and shapes. */
const forms: Readonly<Record<string, readonly [(dtype: "f32" | "f64", shape: readonly number[]) => Types, Form, number, number]>> = {
  "cross entropy of labels": [labels, crossEntropy(), 1, 2],
  "smoothed labels": [labels, crossEntropy({ labelSmoothing: 0.1 }), 1, 2],
  "labels of which some are ignored": [labels, crossEntropy({ ignoreIndex: -1 }), 1, 2],
  "cross entropy of probabilities": [probabilities, crossEntropy(), 1, 2],
  softmax: [alone, ({ x }) => softmax(x!), 1, 1],
  logSoftmax: [alone, ({ x }) => logSoftmax(x!), 1, 1],
  layerNormalization: [perLast, norm((x, g, b) => layerNormalization(x, g, b)), 1, 1],
  rmsNormalization: [perLast, norm((x, g, b) => add(rmsNormalization(x, g), b)), 1, 1],
  groupNormalization: [perChannel, groupNorm, 1, 1],
  instanceNormalization: [perChannel, norm((x, g, b) => instanceNormalization(x, g, b)), 1, 1],
  batchNormalization: [perChannel, batchNorm, 1, 1],
  own: [perChannel, own, 1, 1],
};

test.each(Object.entries(forms))("%s: one kernel each way", (_, [types, f, forward, both]) => {
  for (const shape of types === perChannel ? [[8, 6, 5, 5], [64, 10], [8, 16, 7, 7]] : [[64, 10], [256, 10], [512, 100]]) {
    const made = graphs(types("f32", shape), f);
    expect([shape, walks(made.forward).length]).toEqual([shape, forward]);
    expect([shape, walks(made.both).length]).toEqual([shape, both]);
  }
}); // biome-ignore format: one table

test("weights of samples are looked up before the rows", () => {
  const made = graphs(weighted("f32", [256, 10]), crossEntropy());
  expect(walks(made.forward)).toEqual(["loop", "kernel", "rows"]);
});

/** Operands; labels are classes, or ignored. */
function drawn(type: TensorType, seed: number): Tensor {
  const d = drawsFrom(seed);
  const classes = type.dtype === "i32";
  const list = Array.from({ length: type.shape.reduce((a, b) => a * b, 1) }, () => (classes ? d.whole(-1, 4) : d.fraction() * 3 - 1.5));
  return tensor(list.length === 0 ? new Float64Array(0) : list, type);
}

const drawnFor = (g: ReturnType<typeof graph>): Record<string, Tensor> =>
  Object.fromEntries(leaves(g.inputs).map(({ path, leaf }, i) => [path.replace(/^\./, ""), drawn((leaf as Value).type, i + 1)]));

async function agrees(
  name: string,
  types: Types,
  f: Form,
  changes: readonly ((inputs: Record<string, Tensor>) => void)[] = [() => undefined],
): Promise<void> {
  const { both } = graphs(types, f);
  const [right, program] = [await compile(both, reference()), await compile(both, wasm())];
  for (const change of changes) {
    const inputs = drawnFor(both);
    change(inputs);
    const want = right.run(inputs) as Record<string, Tensor>;
    const [got, again] = [program.run(inputs), program.run(inputs)] as Record<string, Tensor>[];
    for (const [key, { type, data }] of Object.entries(want)) {
      const of = [...Object.values(inputs), ...Object.values(want)].filter((t) => t.type.dtype !== "i32").map((t) => t.data);
      const room = 8 * roomFor(name, type.dtype, [inputs["x"]!.data as never, ...(of as never[])], data as never);
      expect([key, firstApart(data as never, got![key]!.data as never, room)]).toEqual([key, null]);
      expect(again![key]!.data).toEqual(got![key]!.data);
    }
  }
}

describe.each(["f32", "f64"] as const)("forms agree with the reference in %s", (dtype) => {
  test.each(Object.entries(forms))("%s, of one row, of a prime number of rows, of none", async (name, [types, f]) => {
    const shapes = types === perChannel ? [[2, 6, 5, 7], [3, 4, 1, 1], [1, 2, 9, 9], [97, 10], [13, 8, 31, 17], [0, 4, 3, 3], [3, 2, 0, 3]] : [[64, 10], [1, 7], [97, 13], [1009, 5], [3, 50, 31], [0, 5]]; // biome-ignore format: two lists
    for (const shape of shapes) {
      // The mean of nothing is NaN or an error, the largest of nothing too.
      if (name === "own" && shape.includes(0)) continue;
      await agrees(name, types(dtype, shape), f);
    }
  });

  test.each(Object.entries(forms))("%s with a NaN, an infinity, huge and tiny numbers in some of the rows", async (name, [types, f]) => {
    const shape = types === perChannel ? [4, 6, 9, 5] : [97, 13];
    const odd = [[Number.NaN], [Number.POSITIVE_INFINITY], [Number.NEGATIVE_INFINITY], [3e37, -3e37], [1e-40, 0, -0]];
    const changes = odd.map((values) => ({ x }: Record<string, Tensor>) => {
      values.forEach((v, i) => {
        x!.data[7 * i + 40] = v;
      });
    });
    await agrees(name, types(dtype, shape), f, changes);
  });
});

test.each(["batchNormalization", "own"])("%s of channels that are walked in turns is that of some channels alone", async (form) => {
  const [types, f] = forms[form]!;
  const [n, channels, space, some] = [6, 20, 71, 5];
  const whole = graphs(types("f32", [n, channels, space, space]), f).both;
  expect(walks(whole)).toEqual(["rows"]);
  const part = graphs(types("f32", [n, some, space, space]), f).both;
  expect(walks(part).length).toBeGreaterThan(1);
  const inputs = drawnFor(whole);
  const [all, few] = [await compile(whole, wasm()), await compile(part, wasm())];
  const got = all.run(inputs) as Record<string, Tensor>;
  for (let from = 0; from < channels; from += some) {
    const cut = (t: Tensor): Tensor =>
      evaluate(slice(t, { axis: t.type.shape.length === 1 ? 0 : 1, start: from, end: from + some })) as Tensor;
    const want = few.run(Object.fromEntries(Object.entries(inputs).map(([name, t]) => [name, cut(t)]))) as Record<string, Tensor>;
    for (const [key, { data }] of Object.entries(want))
      expect([key, firstApart(data as never, cut(got[key]!).data as never, 2e-3)]).toEqual([key, null]);
  }
});

test("an index that is held in range picks from what a loop computes; others are looked at", async () => {
  const types = { x: f32(40, 7), y: i32(40, 1) };
  const pick = (low: number, high: number): Form => ({ x, y }) => gatherElements(mul(x!, 2), clip(y!, { min: low, max: high }), { axis: 1 }); // biome-ignore format: one function
  expect(walks(graphs(types, pick(0, 6)).forward)).toEqual(["rows"]);
  expect(walks(graphs(types, pick(-1, 6)).forward)).toContain("kernel");
  expect(walks(graphs(types, pick(0, 7)).forward)).toContain("kernel");
  await agrees("gatherElements", types, pick(0, 6));
  await agrees("gatherElements", types, pick(-1, 6));
});

test("what is added up over all rows is the same bits on any number of threads", async () => {
  const bits = (t: Tensor): string => Buffer.from(new Uint8Array(t.data.slice().buffer)).toString("base64");
  const shapes = { layerNormalization: [2048, 128], groupNormalization: [32, 16, 28, 28], batchNormalization: [6, 20, 71, 71], "cross entropy of labels": [4096, 33] }; // biome-ignore format: one record
  for (const [name, shape] of Object.entries(shapes)) {
    const [types, f] = forms[name]!;
    const { both } = graphs(types("f32", shape), f);
    const inputs = drawnFor(both);
    const results: string[] = [];
    for (const threads of [1, 2, 5]) {
      const program = await compile(both, wasm({ threads }));
      for (let run = 0; run < 3; run++) {
        results.push(Object.values(program.run(inputs) as Record<string, Tensor>).map(bits).join()); // biome-ignore format: one line
        if (run === 1 && threads > 1) await new Promise((done) => setTimeout(done, 200));
      }
    }
    expect([name, new Set(results).size]).toEqual([name, 1]);
  }
});
