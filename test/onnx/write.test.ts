import { describe, expect, test } from "vitest";
import {
  add,
  call,
  cast,
  checkpoint,
  cond,
  constant,
  conv,
  evaluate,
  exp,
  expand,
  f32,
  f64,
  type Graph,
  grad,
  graph,
  greater,
  i32,
  less,
  lgamma,
  matmul,
  mean,
  mul,
  op,
  random,
  reshape,
  scan,
  scope,
  softmaxCrossEntropy,
  square,
  sub,
  sum,
  type Tensor,
  tanh,
  tensor,
  type Value,
  valueAndGrad,
  whileLoop,
  zeros,
} from "../../src/index.ts";
import { onnx } from "../../src/onnx/onnx.ts";
import { type ModelMessage, modelShape } from "../../src/onnx/schema.ts";
import { readMessage } from "../../src/onnx/wire.ts";
import { rows } from "../../src/onnx/written-ops.ts";
import { isOp, ops } from "../laws/samplers.ts";

type Inputs = Readonly<Record<string, Tensor>>;

/** What a graph gives for its inputs, and what it gives once written and read back. */
async function both(g: Graph<unknown, unknown>, inputs: Inputs): Promise<readonly [Record<string, Tensor>, Record<string, Tensor>]> {
  const model = await onnx.read(onnx.write(g));
  const given = Object.fromEntries(Object.keys(model.inputs).map((name) => [name, inputs[name]!]));
  return [evaluate(g(inputs as never)) as Record<string, Tensor>, evaluate(model.apply(model.params, given)) as Record<string, Tensor>];
}

async function same(g: Graph<unknown, unknown>, inputs: Inputs): Promise<void> {
  const [direct, through] = await both(g, inputs);
  for (const [name, t] of Object.entries(direct)) {
    const got = through[name in inputs ? `out.${name}` : name]!;
    expect(got.type).toEqual(t.type);
    t.data.forEach((x, i) => {
      expect(got.data[i]).toBeCloseTo(x, 9);
    });
  }
}

const x = tensor([0.5, -1.5, 2]);

describe("the table", () => {
  test("has a row for every op of ours, control flow aside, and no other", () => {
    const control = ["call", "checkpoint", "cond", "scan", "whileLoop"];
    const own = [...ops.values()].filter(isOp).map((o) => o.name);
    expect(own.filter((name) => !Object.hasOwn(rows, name) && !control.includes(name))).toEqual([]);
    const others = [
      "stop",
      "customGradient",
      "ensure",
      "apart",
      "cofactor",
      "fourier",
      "foldKey",
      "splitKeys",
      "uniformNumbers",
      "normalNumbers",
      "shuffledRange",
      "classLabels",
    ];
    expect(Object.keys(rows).filter((name) => !own.includes(name) && !others.includes(name))).toEqual([]);
  });
});

describe("written and read back", () => {
  test("a graph keeps its names, and names its weights", async () => {
    const g = graph({ x: f64(3) }, ({ x }) => ({ y: mul(x, constant([1, 2, 3])), z: x }));
    const model = await onnx.read(onnx.write(g));
    expect(Object.keys(model.inputs)).toEqual(["x"]);
    expect(Object.keys(model.outputs)).toEqual(["y", "z"]);
    expect(Object.keys(model.params)).toEqual(["constant"]);
    await same(g as never, { x });
  });

  test("a whole training step, whose new weights are outputs", async () => {
    const step = graph({ w: f32(2, 3), x: f32(4, 2), y: i32(4) }, ({ w, x, y }) => {
      const { value, grad } = valueAndGrad((w: Value) => softmaxCrossEntropy(matmul(x, w), y))(w);
      return { loss: value, w: sub(w, mul(0.1, grad)) };
    });
    const data = {
      w: tensor(
        [
          [0.1, 0.2, 0.3],
          [0.4, 0.5, 0.6],
        ],
        "f32",
      ),
      x: tensor(
        [
          [1, 2],
          [3, 4],
          [5, 6],
          [7, 8],
        ],
        "f32",
      ),
      y: tensor(new Int32Array([0, 1, 2, 0])),
    };
    const [direct, through] = await both(step as never, data);
    expect(Object.keys(through)).toEqual(["loss", "out.w"]);
    direct["w"]!.data.forEach((v, i) => {
      expect(through["out.w"]!.data[i]).toBeCloseTo(v, 5);
    });
  });

  test("branches, loops, calls and checkpoints, and their gradients", async () => {
    const inner = graph({ a: f64(3) }, ({ a }) => ({ b: tanh(mul(a, a)) }));
    const programs: readonly ((x: Value) => Value)[] = [
      (x) => call(inner, { a: x }).b,
      checkpoint((x: Value) => tanh(mul(x, 2))),
      (x) =>
        cond(
          greater(sum(x), 0),
          () => mul(x, 2),
          () => mul(x, 3),
        ),
      (x) => scan((c: Value, row: Value) => ({ carry: add(mul(c, 0.5), row), out: tanh(c) }), constant(0.25), x).out as Value,
      (x) => scan((c: Value, row: Value) => ({ carry: tanh(add(c, row)) }), constant(0.25), x, { reverse: true }).carry,
      (x) => scan((c: Value, row: Value) => ({ carry: add(c, row), out: c }), constant(0), x, { length: sum(greater(x, 0)) }).out as Value,
      (x) => scan((c: Value) => ({ carry: mul(c, 0.9) }), x, null, { length: 20 }).carry,
      (x) => scan((c: Value) => ({ carry: mul(c, 2) }), x, null, { length: 0 }).carry,
      (x) =>
        whileLoop(
          (c: Value) => less(sum(mul(c, c)), 100),
          (c: Value) => mul(c, 1.5),
          x,
          { limit: 50 },
        ),
    ];
    for (const f of programs) {
      await same(graph({ x: f64(3) }, ({ x }) => ({ y: f(x) })) as never, { x });
      await same(graph({ x: f64(3) }, ({ x }) => ({ g: grad((v: Value) => sum(f(v)))(x) })) as never, { x });
    }
  });

  test("an op from outside by its lower", async () => {
    const twice = op<(x: Value) => Value, readonly ["x"]>("acme.twice", ["x"], {
      type: ({ x }) => x,
      eval: ({ x }) => x.data.map((v) => 2 * v),
      vjp: null,
      lower: ({ x }) => add(x, x),
    });
    await same(graph({ x: f64(3) }, ({ x }) => ({ y: twice(x) })) as never, { x });
  });
});

describe("what cannot be written", () => {
  test.each<readonly [string, (x: Value) => Value, string]>([
    [
      "an op that ONNX does not have",
      (x) => scope("layer", () => lgamma(x)),
      "onnx: lgamma is lgamma, f64[3], in layer, and cannot be written: ONNX has no operator of the gamma function",
    ],
    [
      "a random order",
      (x) => mul(x, cast(random.permutation(random.fold(random.key(1), sum(greater(x, 0))), 3), "f64")),
      "shuffle outside and hand the order in as an input",
    ],
    ["an op from outside", (x) => outside(x), "it is an op from outside without a lower"],
    [
      "a loop of very many rounds that data counts",
      (x) =>
        scan((c: Value, row: Value) => ({ carry: add(c, row) }), constant(0), zeros(f64(200_000)), { length: sum(greater(x, 0)) }).carry,
      "of which data tells how many are made, cannot be written",
    ],
  ])("%s is named, with the reason", (_, f, message) => {
    expect(() => onnx.write(graph({ x: f64(3) }, ({ x }) => ({ y: f(x) })))).toThrow(message);
  });

  test("anything but a model or a graph is refused", () => {
    expect(() => onnx.write({} as never)).toThrow("onnx.write: this is neither a model that onnx.read gave nor a graph");
  });

  test("a graph that reads the input of another one is refused", () => {
    const other = graph({ z: f64(3) }, ({ z }) => ({ z }));
    const g = graph({ x: f64(3) }, ({ x }) => ({ y: add(x, other.inputs.z) }));
    expect(() => onnx.write(g)).toThrow("onnx: the graph reads z, which is none of its inputs");
  });
});

const outside = op<(x: Value) => Value, readonly ["x"]>("acme.odd", ["x"], {
  type: ({ x }) => x,
  eval: ({ x }) => x.data.slice(),
  vjp: null,
});

test("what is an output has its name at once, and sums that are spread again beside whole tensors are not written out", () => {
  const g = graph({ x: f32(2, 3), w: f32(3) }, ({ x, w }) => {
    const centred = sub(x, expand(mean(x, { axis: 1, keepDims: true }), { shape: [2, 3] }));
    const spread = expand(reshape(w, { shape: [1, 3] }), { shape: [2, 3] });
    return { centred, twice: centred, both: mul(spread, spread), same: x, next: exp(centred) };
  });
  const message = readMessage(onnx.write(g), modelShape) as unknown as ModelMessage;
  const nodes = message.graph!.node!;
  const count = (op: string): number => nodes.filter(({ op_type }) => op_type === op).length;
  // Once for the second name of a result, once for an input that is handed on.
  expect(count("Identity")).toBe(3);
  expect(count("Expand")).toBe(1);
  expect(nodes.find(({ op_type }) => op_type === "Exp")!.output).toEqual(["next"]);
});

test.each([
  ["one axis", [3, 2, 160], [4, 2, 5], {}],
  ["two axes, unequal, padded", [2, 3, 17, 16], [5, 3, 3, 2], { padding: [[1, 0] as const, [0, 1] as const] }],
  ["strides and dilations", [2, 2, 40, 31], [3, 2, 2, 3], { stride: [2, 1], dilation: [3, 2] }],
  ["three axes", [1, 2, 9, 8, 7], [3, 2, 2, 3, 2], {}],
  ["a kernel of one element", [2, 3, 12, 12], [4, 3, 1, 1], {}],
])("the gradient of a kernel over many places is written example by example: %s", async (_, x, w, options) => {
  const g = graph({ x: f32(...x), w: f32(...w) }, (at) =>
    grad((p: { w: Value }) => sum(square(conv(at.x, p.w, options as never))))({ w: at.w }),
  );
  const data = { x: random.normal(random.key(1), f32(...x)), w: random.normal(random.key(2), f32(...w)) };
  const written = await onnx.read(onnx.write(g));
  const given = { x: evaluate(data.x), w: evaluate(data.w) };
  const [found] = Object.values(written.apply(written.params, given));
  const own = evaluate(g(given).w);
  const other = evaluate(found!);
  expect(other.type).toEqual(own.type);
  const most = Math.max(...Array.from(own.data, Math.abs));
  own.data.forEach((v, i) => {
    expect(Math.abs(other.data[i]! - v)).toBeLessThan(1e-5 * most);
  });
});
