import { describe, expect, test } from "vitest";
import {
  batchMoments,
  batchNormalization,
  binaryCrossEntropy,
  celu,
  compile,
  constant,
  DomainError,
  DTypeError,
  elu,
  evaluate,
  f32,
  f64,
  gelu,
  grad,
  graph,
  groupNormalization,
  hardSwish,
  hinge,
  huber,
  instanceNormalization,
  jvp,
  klDivergence,
  layerNormalization,
  logSoftmax,
  meanAbsoluteError,
  meanSquaredError,
  mul,
  negativeLogLikelihood,
  read,
  reference,
  relu,
  reshape,
  rmsNormalization,
  ShapeError,
  scaledDotProductAttention,
  smoothL1,
  softmax,
  softmaxCrossEntropy,
  sum,
  tensor,
  toArray,
  tripletMargin,
  type Value,
} from "../../../src/index.ts";
import { wasm } from "../../../src/wasm.ts";

const labels = (...y: readonly number[]): Value => constant(tensor([...y], "i32"));
const scores = tensor([
  [3.2, 5.1, -1.7],
  [1.3, 4.9, 2],
  [2.2, 2.5, -3.1],
]);

describe("activations", () => {
  test("do not let an overflow of the other branch into the gradient", () => {
    for (const f of [elu, celu]) {
      expect(read(grad((x: Value) => f(x))(1000))).toBe(1);
      expect(read(grad(grad((x: Value) => f(x)))(1000))).toBe(0);
    }
  });
  test("keep f32, and name their nodes", () => {
    const y = gelu(tensor([1], "f32"), { approximate: "tanh" });
    expect(y.type).toEqual(f32(1));
    expect(y.node.where?.scope).toBe("gelu");
    expect(relu(tensor([1], "f32")).type).toEqual(f32(1));
  });
});

describe("softmax", () => {
  test("of nothing is nothing, as in PyTorch, and attention to no keys 0; an axis that is not there is its own fault", async () => {
    const none = tensor([[], []]);
    for (const f of [softmax, logSoftmax]) {
      expect(toArray(f(none))).toEqual([[], []]);
      expect(toArray(grad((x: Value) => sum(f(x)))(none))).toEqual([[], []]);
      expect(() => f(none, { axis: 2 })).toThrow(`${f.name}: axis 2 is out of range for rank 2; axes are -2..1`);
      expect(() => f(1)).toThrow(`${f.name}: axis -1 of a scalar`);
      const program = await compile(
        graph({ x: f64(2, 0) }, ({ x }) => ({ y: f(x) })),
        wasm(),
      );
      expect(program.run({ x: none }).y).toEqual(none);
    }
    const queries = tensor([[1, 2]]);
    const keys = tensor(new Float64Array(0), f64(0, 2));
    expect(toArray(scaledDotProductAttention(queries, keys, keys))).toEqual([[0, 0]]);
  });
  const x = tensor([
    [1000, 1001],
    [-1000, 2],
  ]);
  test("is stable, and its forward mode is its reverse mode", () => {
    const p = 1 / (1 + Math.E);
    expect(toArray(softmax(x))).toEqual([
      [expect.closeTo(p, 15), expect.closeTo(1 - p, 15)],
      [0, 1],
    ]);
    expect(toArray(logSoftmax(x))).toEqual([
      [expect.closeTo(Math.log(p), 14), expect.closeTo(Math.log(1 - p), 14)],
      [-1002, 0],
    ]);
    for (const f of [softmax, logSoftmax]) {
      const loss = (v: Value): Value =>
        sum(
          mul(
            f(v, { axis: 0 }),
            tensor([
              [1, -2],
              [3, 0.5],
            ]),
          ),
        );
      const at = tensor([
        [0.3, -1],
        [2, 0.7],
      ]);
      const reverse = evaluate(grad(loss)(at)).data;
      evaluate(grad(loss, { mode: "forward" })(at)).data.forEach((v, i) => {
        expect(v).toBeCloseTo(reverse[i]!, 14);
      });
    }
  });
  test("sees no derivative through its shift", () => {
    expect(toArray(grad((v: Value) => sum(softmax(v)))(tensor([1, 1])))).toEqual([0, 0]);
    expect(toArray(jvp((v: Value) => logSoftmax(v))(tensor([1, 1]), 1).tangent)).toEqual([0, 0]);
  });
});

describe("normalization", () => {
  const x = tensor([
    [1, 2, 3, 6],
    [0, 0, 4, 4],
  ]);
  test("takes its operands or leaves them out", () => {
    const plain = toArray(layerNormalization(x));
    expect(toArray(layerNormalization(x, { axis: -1 }))).toEqual(plain);
    expect(toArray(layerNormalization(x, 1, null, {}))).toEqual(plain);
    expect(toArray(layerNormalization(x, tensor([1, 1, 1, 1]), tensor([0, 0, 0, 0])))).toEqual(plain);
    expect(toArray(layerNormalization(tensor([[1, -1]]), { epsilon: 3 }))).toEqual([[0.5, -0.5]]);
    expect(toArray(rmsNormalization(tensor([[3, 4]]), tensor([1, 10]), { epsilon: 3.5 }))).toEqual([[0.75, 10]]);
  });
  test("of a batch uses one number per channel, of groups one per channel too", () => {
    const { mean, variance } = batchMoments(x);
    expect([toArray(mean), toArray(variance)]).toEqual([
      [0.5, 1, 3.5, 5],
      [0.25, 1, 0.25, 1],
    ]);
    expect(toArray(batchNormalization(x, 2, 1, mean, variance, { epsilon: 0 }))).toEqual([
      [3, 3, -1, 3],
      [-1, -1, 3, -1],
    ]);
    expect(toArray(groupNormalization(x, tensor([1, 1, 1, 2]), { groups: 2, epsilon: 0 }))).toEqual([
      [-1, 1, -1, 2],
      [Number.NaN, Number.NaN, Number.NaN, Number.NaN],
    ]);
    expect(toArray(instanceNormalization(tensor([[[1, 3]]]), { epsilon: 0 }))).toEqual([[[-1, 1]]]);
  });
  test("explains what does not fit", () => {
    expect(() => layerNormalization(x, tensor([1, 2]))).toThrow(
      "layerNormalization: scale is f64[2] and x is f64[2,4]; scale needs 4 elements, those of axis 1",
    );
    expect(() => groupNormalization(x, { groups: 3 })).toThrow(DomainError);
    expect(() => groupNormalization(x, { groups: 3 })).toThrow(
      "groups is 3 and x has 4 channels; the groups must divide the channels evenly",
    );
    expect(() => batchMoments(tensor([1, 2]))).toThrow("batchMoments: x is f64[2]; channels are axis 1 of [N, C, ...]");
  });
});

describe("attention", () => {
  const q = tensor([
    [1, 0],
    [0, 1],
  ]);
  const v = tensor([
    [1, 2],
    [3, 4],
  ]);
  test("without a key to see gives the mean of the values", () => {
    const seen = tensor([
      [false, false],
      [false, true],
    ]);
    expect(toArray(scaledDotProductAttention(q, q, v, { mask: seen }))).toEqual([
      [2, 3],
      [3, 4],
    ]);
  });
  test("that is causal sees no later key", () => {
    expect((toArray(scaledDotProductAttention(q, q, v, { causal: true })) as number[][])[0]).toEqual([1, 2]);
  });
  test("explains what does not fit", () => {
    expect(() => scaledDotProductAttention(tensor([1]), q, v)).toThrow(ShapeError);
    expect(() => scaledDotProductAttention(tensor([1]), q, v)).toThrow("q is f64[1] and k is f64[2,2]; both are [..., positions, size]");
    expect(() => scaledDotProductAttention(q, q, v, { mask: labels(1, 0) })).toThrow(DTypeError);
    expect(() => scaledDotProductAttention(q, q, v, { mask: labels(1, 0) })).toThrow("mask is i32[2]; it is bool (what is seen)");
  });
});

describe("losses", () => {
  test("refuse a column of predictions beside a row of targets, which would be compared each with each", () => {
    const [column, row] = [tensor([[1], [2], [3]], "f32"), tensor([1, 2, 3], "f32")];
    const why = "is f32[3,1] and t is f32[3], together [3,3], every prediction against every target; give them one shape: reshape(";
    for (const [name, loss] of Object.entries({ meanSquaredError, meanAbsoluteError, huber, smoothL1 })) {
      expect(() => loss(column, row)).toThrow(new ShapeError(`${name}: p ${why}p, { shape: [3] })`, { op: name }).message);
      expect(() => loss(row, column)).toThrow(ShapeError);
      expect(loss(column, tensor([2], "f32")).type.shape).toEqual([]);
      expect(loss(tensor([[1, 2, 3]], "f32"), row).type.shape).toEqual([]);
      expect(loss(column, 2).type.shape).toEqual([]);
    }
    expect(() => binaryCrossEntropy(column, row)).toThrow(`binaryCrossEntropy: logits ${why}logits, { shape: [3] })`);
    expect(() => klDivergence(column, row)).toThrow("klDivergence: logP is f32[3,1] and q is f32[3], together [3,3]");
    expect(() => meanSquaredError(column, tensor([1, 2], "f32"))).toThrow(
      "together [3,2], every prediction against every target; give them one shape",
    );
    // Shapes that do not broadcast at all are told as ever.
    expect(() => meanSquaredError(row, tensor([1, 2], "f32"))).toThrow("sub: ");
  });
  const one = tensor([1, 1, 1]);
  test("hinge is CS231n's: 2.9, 0 and 12.9 for the cat, the car and the frog", () => {
    const own = tensor([
      [3.2, 5.1, -1.7],
      [1.3, 4.9, 2],
      [2.2, 2.5, -3.1],
    ]);
    const each = evaluate(hinge(own, labels(0, 1, 2), { reduction: "none" })).data;
    expect([...each].map((x) => Number(x.toFixed(10)))).toEqual([2.9, 0, 12.9]);
    expect(read(hinge(own, labels(0, 1, 2)))).toBeCloseTo(15.8 / 3, 12);
    expect(toArray(grad((s: Value) => hinge(s, labels(0, 1, 2), { reduction: "sum" }))(own))).toEqual([
      [-1, 1, 0],
      [0, 0, 0],
      [1, 1, -2],
    ]);
  });
  test.each([hinge, softmaxCrossEntropy])("a label of -1 counts for nothing: %o", (loss) => {
    const some = loss(scores, labels(0, -1, 2));
    expect(read(some)).toBe((read(loss(scores, labels(0, -1, 2), { reduction: "sum" })) as number) / 2);
    expect((toArray(grad((s: Value) => loss(s, labels(0, -1, 2)))(scores)) as number[][])[1]).toEqual([0, 0, 0]);
    expect(read(loss(scores, labels(-1, -1, -1)))).toBe(0);
  });
  test.each([3, -2])("a label of %d is named with its place", (bad) => {
    const message = `labels[1] is ${bad} and there are 3 classes; labels are 0..2, or -1 to be ignored`;
    expect(() => read(softmaxCrossEntropy(scores, labels(0, bad, 2)))).toThrow(`softmaxCrossEntropy: ${message}`);
    expect(() => read(hinge(scores, labels(0, bad, 2)))).toThrow(`hinge: ${message}`);
    expect(() => read(hinge(scores, labels(0, bad, 2)))).toThrow(DomainError);
    const rows = () =>
      softmaxCrossEntropy(reshape(scores, { shape: [3, 3, 1] }), reshape(labels(0, 0, 0, 0, bad, 0, 0, 0, 0), { shape: [3, 3] }));
    expect(() => read(rows())).toThrow(`softmaxCrossEntropy: labels[1,1] is ${bad} and there is 1 class; labels are 0..0, or -1 to`);
  });
  test("another label can be the ignored one, and -1 is then none", () => {
    const attrs = { ignoreIndex: 2 };
    expect(read(softmaxCrossEntropy(scores, labels(0, 1, 2), attrs))).toBeCloseTo(read(softmaxCrossEntropy(scores, labels(0, 1, -1))), 14);
    expect(() => read(softmaxCrossEntropy(scores, labels(0, -1, 2), attrs))).toThrow(
      /labels\[1\] is -1 and there are 3 classes; labels are 0\.\.2$/,
    );
    expect(() => read(softmaxCrossEntropy(scores, labels(0, -1, 2), { ignoreIndex: -100 }))).toThrow("or -100 to be ignored");
    expect(read(negativeLogLikelihood(scores, labels(2, 2, 2), { ...attrs, weights: one }))).toBe(0);
  });
  test("labels that do not fit are explained", () => {
    expect(() => hinge(scores, labels(0, 1))).toThrow("hinge: labels are i32[2] beside f64[3,3]; they are i32[3], one class per sample");
    expect(() => hinge(scores, tensor([0, 1, 2]))).toThrow(DTypeError);
    expect(() => hinge(1, labels(0))).toThrow("hinge: the scores are a scalar; classes are the last axis");
    expect(() => softmaxCrossEntropy(tensor([[], []]), labels(-1, -1))).toThrow(
      "softmaxCrossEntropy: the scores are f64[2,0] and axis 1 is that of the classes; there are none",
    );
  });
  test("take probabilities too", () => {
    const hot = tensor([
      [1, 0, 0],
      [0, 1, 0],
      [0, 0, 1],
    ]);
    expect(read(softmaxCrossEntropy(scores, hot))).toBeCloseTo(read(softmaxCrossEntropy(scores, labels(0, 1, 2))), 14);
  });
  test("neither overflow nor cancel", () => {
    expect(read(softmaxCrossEntropy(tensor([[1e4, -1e4]]), labels(1)))).toBe(2e4);
    expect(read(binaryCrossEntropy(40, 1))).toBe(Math.log1p(Math.exp(-40)));
    expect(read(binaryCrossEntropy(-40, 0))).toBe(Math.log1p(Math.exp(-40)));
    expect(read(grad((z: Value) => binaryCrossEntropy(z, 1))(800))).toBe(0);
  });
  test("take a number for either side, in the dtype of the other", () => {
    const x = tensor([1, -2], "f32");
    for (const loss of [binaryCrossEntropy, meanSquaredError, meanAbsoluteError, huber, smoothL1, klDivergence])
      for (const given of [loss(x, 0.25), loss(0.25, tensor([0.5, 0.25], "f32"))]) expect(evaluate(given).type.dtype).toBe("f32");
    expect(read(binaryCrossEntropy(x, 0.25))).toBe(read(binaryCrossEntropy(x, tensor([0.25, 0.25], "f32"))));
  });
  test.each(["f32", "f64"] as const)(
    "of %s have their slopes where the error or its square is infinite, on both engines",
    async (dtype) => {
      const most = dtype === "f32" ? 3e38 : 1.7e308;
      const at = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, most, -most, 0.5, -2];
      const x = tensor(at, dtype);
      const slopes: readonly (readonly [(x: Value) => Value, readonly number[]])[] = [
        [(v) => huber(v, 0, { delta: 2, reduction: "sum" }), [2, -2, 2, -2, 0.5, -2]],
        [(v) => smoothL1(v, 0, { beta: 0.25, reduction: "sum" }), [1, -1, 1, -1, 1, -1]],
        [(v) => sum(hardSwish(v)), [1, 0, 1, 0, 2 / 3, -1 / 6]],
      ];
      for (const [f, wanted] of slopes)
        for (const engine of [reference(), wasm()]) {
          const program = await compile(
            graph({ x: x.type }, (given) => ({ slope: grad(f)(given.x) })),
            engine,
          );
          const { data } = program.run({ x }).slope;
          wanted.forEach((slope, i) => {
            expect(data[i]).toBeCloseTo(slope, 6);
          });
        }
    },
  );
  test("explain bad attributes", () => {
    expect(() => meanSquaredError(1, 2, { reduction: "average" as "mean" })).toThrow(
      'meanSquaredError: reduction is average; it is "mean", "sum" or "none"',
    );
    expect(() => huber(1, 2, { delta: 0 })).toThrow("huber: delta is 0; it is a number above 0");
    expect(() => smoothL1(1, 2, { beta: -1 })).toThrow("smoothL1: beta is -1; it is a number of 0 or more");
    expect(() => tripletMargin(one, one, one, { ord: 0 })).toThrow("tripletMargin: ord is 0; the order of a norm is above 0");
    expect(() => softmaxCrossEntropy(scores, labels(0, 1, 2), { labelSmoothing: 1.5 })).toThrow(
      "softmaxCrossEntropy: labelSmoothing is 1.5; it is the share",
    );
    expect(() => softmaxCrossEntropy(scores, labels(0, 1, 2), { ignoreIndex: 0.5 })).toThrow("ignoreIndex is 0.5; it is a whole number");
    expect(() => negativeLogLikelihood(scores, labels(0, 1, 2), { weights: tensor([1, 2]) })).toThrow(
      "negativeLogLikelihood: weights are f64[2] and there are 3 classes; weights are [3], one a class",
    );
  });
});
