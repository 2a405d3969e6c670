import { describe, expect, test } from "vitest";
import {
  abs,
  add,
  clip,
  constant,
  evaluate,
  exp,
  f64,
  graph,
  type HealthFinding,
  type HealthReport,
  health,
  hinge,
  log,
  matmul,
  max,
  maximum,
  mean,
  mul,
  norm,
  type Rule,
  random,
  relu,
  scope,
  sigmoid,
  softmaxCrossEntropy,
  square,
  sub,
  sum,
  type Tensor,
  tanh,
  tensor,
  thresholds,
  type Value,
  variable,
} from "../../../src/index.ts";

const found = (report: HealthReport, rule: Rule): readonly HealthFinding[] => report.findings.filter((x) => x.rule === rule);
const draw = (seed: number, rows: number, columns: number, scale: number): Value =>
  mul(random.normal(random.key(seed), f64(rows, columns)) as Value, scale);
const weights = (seed: number, rows: number, columns: number, scale = Math.sqrt(2 / rows)): Value => {
  const t = draw(seed, rows, columns, scale);
  return variable(evaluate(t) as Tensor, `w${seed}`);
};

/** A classifier of `depth` layers on standardised data. */
function classifier({ depth = 3, scale = Math.SQRT2, gate = relu as (x: Value) => Value, data = 1, bias = 0 } = {}): Value {
  let h = draw(100, 32, 10, data);
  for (let i = 0; i < depth; i++) {
    const b = variable(new Float64Array(10).fill(bias), `b${i}`);
    const below = h;
    h = scope(`fc${i}`, () => gate(add(matmul(below, weights(i, 10, 10, scale / Math.sqrt(10))), b)));
  }
  const labels = tensor(
    Array.from({ length: 32 }, (_, i) => i % 4),
    "i32",
  );
  return softmaxCrossEntropy(matmul(h, weights(50, 10, 4, 0.1)), labels);
}

test("a healthy classifier is healthy, with its layers and parameters measured", () => {
  const report = health(classifier(), { rate: 0.05, initial: true });
  expect(report.findings.filter((x) => x.level !== "note")).toEqual([]);
  expect(report.healthy).toBe(true);
  expect(report.layers.map((l) => l.name)).toEqual(["fc0", "fc1", "fc2", "w50"]);
  expect(report.parameters.map((p) => p.name)).toEqual(["w0", "b0", "w1", "b1", "w2", "b2", "w50"]);
  expect(found(report, "first-loss")[0]).toMatchObject({ level: "note", limit: Math.log(4) });
  for (const { ratio, rate, weightRms, gradientRms } of report.parameters) {
    if (weightRms === 0) expect([ratio, rate]).toEqual([null, null]);
    else {
      expect(ratio).toBeCloseTo((0.05 * gradientRms) / weightRms, 12);
      // At the rate that is proposed, an update is 1e-3 of the weights.
      expect((rate! * gradientRms) / weightRms).toBeCloseTo(thresholds.updateToWeight.aim, 12);
    }
  }
});

describe("each fault is named:", () => {
  test("units that are off for every sample", () => {
    const report = health(classifier({ bias: -20 }));
    expect(found(report, "dead-units").length).toBeGreaterThan(0);
    expect(found(report, "dead-units")[0]).toMatchObject({ level: "warn", measured: 1, limit: 0.5, scope: "fc0" });
    expect(found(report, "dead-units")[0]!.sentence).toContain("100% of its 10 units are off for every one of the 32 samples");
    // max(x, 0) is a relu too; half of the elements off is how relus work.
    const x = variable([[-1, 2]], "x");
    expect(found(health(sum(maximum(x, 0))), "dead-units")).toEqual([]);
    expect(found(health(sum(maximum(0, mul(x, tensor([[1, -1]]))))), "dead-units")).toHaveLength(1);
    expect(found(health(relu(variable(-3, "q"))), "dead-units")[0]!.sentence).toContain("is off, so no gradient passes");
  });

  test("saturated gates", () => {
    const w = variable([0.001, 30, -40, 25], "w");
    for (const gate of [sigmoid, tanh]) {
      expect(found(health(sum(gate(w))), "saturation")[0]).toMatchObject({ level: "warn", measured: 0.75, limit: 0.5 });
      expect(found(health(sum(gate(mul(w, 0.01)))), "saturation")).toEqual([]);
    }
  });

  test("updates that are too small or too large for the weights", () => {
    const w = variable([3, 4], "w");
    const loss = sum(square(w)); // gradient [6, 8]: norm 10, weights 5
    expect(health(loss, { rate: 1e-3 }).parameters[0]).toMatchObject({ ratio: 2e-3, rate: 5e-4 });
    expect(health(loss, { rate: 1e-3 }).healthy).toBe(true);
    expect(found(health(loss, { rate: 1e-7 }), "update-ratio")[0]).toMatchObject({ measured: 2e-7, limit: 1e-5 });
    expect(found(health(loss, { rate: 1 }), "update-ratio")[0]).toMatchObject({ measured: 2, limit: 1e-1 });
    expect(health(loss, { updates: { w: [0.003, 0.004] } }).parameters[0]!.ratio).toBeCloseTo(1e-3, 15);
    expect(health(loss).parameters[0]!.ratio).toBeNull();
  });

  test("a first loss far from guessing", () => {
    const scores = variable([[9, 0, 0]], "s");
    const labels = tensor([1], "i32");
    expect(found(health(softmaxCrossEntropy(scores, labels), { initial: true }), "first-loss")[0]).toMatchObject({
      level: "warn",
      limit: Math.log(3),
    });
    expect(found(health(softmaxCrossEntropy(scores, labels)), "first-loss")[0]!.level).toBe("note");
    expect(found(health(hinge(mul(scores, 0.01), labels), { initial: true }), "first-loss")[0]).toMatchObject({ level: "note", limit: 2 });
  });

  test("data whose scale makes gradients too large", () => {
    const report = health(classifier({ data: 200, scale: 0.01 }));
    expect(found(report, "input-scale")).toHaveLength(1);
    expect(found(report, "input-scale")[0]!.sentence).toContain("which meets w0");
    expect(found(health(classifier({ data: 1e-4 })), "input-scale")).toHaveLength(1);
  });

  test("gradients that vanish or explode from layer to layer", () => {
    const vanishing = health(classifier({ depth: 8, gate: sigmoid, scale: 0.3 }));
    expect(found(vanishing, "vanishing").some((x) => /from layer .* back to layer .* the gradient shrinks/.test(x.sentence))).toBe(true);
    const exploding = health(classifier({ depth: 8, scale: 30 }));
    expect(found(exploding, "exploding").some((x) => x.sentence.includes("it explodes toward the input"))).toBe(true);
  });

  test("parameters without a gradient", () => {
    const [w, v] = [variable(2, "w"), variable(3, "v")];
    expect(found(health(square(w), { wrt: { w, v } }), "no-gradient")[0]!.sentence).toBe(
      "no gradient reaches v: it does not influence the loss",
    );
    expect(found(health(add(square(w), mul(v, 0)), { wrt: { w, v } }), "no-gradient")[0]!.sentence).toContain(
      "the gradient of v is exactly 0 everywhere",
    );
  });

  test("the first value and the first gradient that are not finite", () => {
    const x = variable([1, 0, -1], "x");
    const forward = health(sum(mul(log(x), 2)));
    expect(found(forward, "non-finite").map((f) => f.level)).toEqual(["bad", "bad"]);
    expect(found(forward, "non-finite")[0]!.sentence).toContain(
      "(log) is the first value that is not finite: 2 of 3 elements are NaN, Infinity",
    );
    const backward = health(sum(norm(mul(x, 0)))); // fine: 0
    expect(found(backward, "non-finite")).toEqual([]);
    const s = health(sum(exp(mul(0.5, log(variable([0, 1], "p"))))), {});
    expect(found(s, "non-finite").length).toBeGreaterThan(0);
    // A mask of minus infinity is no fault.
    expect(
      found(health(max(add(variable([1, 2], "v"), constant([0, Number.NEGATIVE_INFINITY])))), "non-finite").every(
        (f) => f.subject !== "const",
      ),
    ).toBe(true);
  });

  test("kinks and ties with the convention, and where JAX has another", () => {
    const x = variable([0, 1, -1], "x");
    const sentence = (f: Value, convention: "pytorch" | "jax" = "pytorch"): string[] =>
      found(health(f, { convention }), "kink").map((k) => k.sentence);
    expect(sentence(sum(relu(x)))[0]).toContain(
      "1 of 3 elements sit exactly on a kink or tie of relu; the derivative taken there is 0 (PyTorch and JAX agree)",
    );
    expect(sentence(sum(abs(x)))[0]).toContain("of abs");
    expect(sentence(sum(clip(x, { min: -1, max: 1 })))[0]).toContain(
      "2 of 3 elements sit exactly on a kink or tie of clip; the derivative taken there is 1 (PyTorch 1, JAX 1/2)",
    );
    expect(
      sentence(sum(clip(x, { min: -1, max: 1 })), "jax").some((s) => s.includes("JAX takes 1/2 as the derivative of clip there")),
    ).toBe(true);
    expect(health(sum(clip(x, { min: -1, max: 1 })), { convention: "jax" }).healthy).toBe(false);
    expect(sentence(maximum(variable(2, "a"), variable(2, "b")))[0]).toContain("1/2, 1/2");
    expect(sentence(max(variable([3, 1, 3], "v")))[0]).toContain("1 of 1 elements");
    const rows = variable(tensor([3, 3, 1, 2], { kind: "type", dtype: "f64", shape: [2, 2] }), "r");
    expect(sentence(sum(max(rows, { axis: 1 })))[0]).toContain("1 of 2 elements");
    expect(sentence(norm(mul(x, 0)))[0]).toContain("(PyTorch 0, JAX NaN)");
    expect(sentence(sum(relu(add(x, 0.5))))).toEqual([]);
    // The largest score of a softmax is subtracted without a derivative: its ties do not count.
    expect(sentence(softmaxCrossEntropy(variable([[1, 1]], "s"), tensor([0], "i32")))).toEqual([]);
  });
});

test("a graph or a function and its inputs are taken too", () => {
  const g = graph({ w: f64(2), x: f64(2) }, ({ w, x }) => ({ loss: sum(square(sub(mul(w, x), 1))), other: w }));
  const report = health(g, { w: tensor([1, 2]), x: tensor([1, 1]) });
  expect(report.parameters.map((p) => p.name)).toEqual(["w", "x"]);
  const { f } = { f: ({ w }: { w: Value }) => mean(square(w)) };
  expect(health(f, { w: tensor([1, 2]) }, { rate: 0.1 }).parameters[0]!.ratio).toBeGreaterThan(0);
});

test("reports read as text, Markdown and JSON, in both languages", () => {
  const bad = classifier({ bias: -20 });
  const text = health(bad, { rate: 0.1 }).text();
  expect(text).toContain("Health: ");
  expect(text).toMatch(/parameter +type +rms of weights/);
  expect(health(bad, { language: "ko" }).text()).toContain("꺼져 있습니다");
  expect(health(bad, { language: "ko" }).markdown()).toContain("| 매개변수 | 타입 |");
  const json = JSON.parse(JSON.stringify(health(bad))) as Record<string, unknown[]>;
  expect(Object.keys(json)).toEqual(["healthy", "findings", "parameters", "layers"]);
  expect(Object.keys(json["findings"]![0]!)).toEqual(["rule", "level", "subject", "scope", "measured", "limit", "sentence"]);
  expect(Object.keys(json["parameters"]![0]!)).toEqual(["name", "type", "weightRms", "gradientRms", "ratio", "rate"]);
  expect(Object.keys(json["layers"]![0]!)).toEqual(["name", "activationRms", "gradientRms"]);
  expect(JSON.stringify(health(log(variable(-1, "x"))).toJSON())).not.toContain("null,null,null");
});

test("limits can be one's own", () => {
  const w = variable([3, 4], "w");
  expect(health(sum(square(w)), { rate: 1e-3, thresholds: { updateToWeight: { aim: 1e-3, low: 1e-5, high: 1e-3 } } }).healthy).toBe(false);
});

test("odd graphs: one value, none in common, nothing, five thousand gates", () => {
  expect(health(variable(2, "x")).healthy).toBe(true);
  expect(health(constant(2)).parameters).toEqual([]);
  expect(health(sum(variable(new Float64Array(0), "x"))).healthy).toBe(true);
  let chain: Value = variable(1, "x");
  for (let i = 0; i < 5000; i++) chain = add(chain, 1e-9);
  expect(health(chain).healthy).toBe(true);
});

test("what cannot be looked at says why", () => {
  const w = variable([1, 2], "w");
  expect(() => health(w)).toThrow("health: the loss is f64[2]; give a floating-point scalar");
  expect(() => health(5 as never)).toThrow("health: give a loss, or a function or graph and its inputs");
  expect(() => health(sum(w), { language: "fr" as never })).toThrow('health: language "fr" is not there');
  expect(() => health(sum(w), { convention: "tf" as never })).toThrow('health: convention "tf" is not there');
  expect(() => health(sum(w), { rate: -1 })).toThrow("health: rate is -1; a learning rate is a number above 0");
  expect(() => health(sum(w), { updates: { v: 1 } })).toThrow("health: updates name v, which is no parameter; there are w");
  expect(() => health(sum(w), { wrt: { i: constant([1], "i32") } })).toThrow(
    "health: wrt names i, which is i32[1]; parameters are floating-point Values",
  );
});
