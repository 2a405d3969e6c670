import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { parseNpz } from "../../../src/data.ts";
import { apart, ulpAt } from "../../../src/explain/diff/ulps.ts";
import {
  add,
  compile,
  diffGradients,
  dumpBy,
  dumpFromTensors,
  dumpOf,
  dumpToTensors,
  matmul,
  mean,
  mul,
  named,
  type Op,
  type Operand,
  op,
  reference,
  sigmoid,
  square,
  sub,
  sum,
  type Tensor,
  tanh,
  tensor,
  type Value,
  variable,
} from "../../../src/index.ts";

const fixture = async (name: string): Promise<Record<string, Tensor>> =>
  (await parseNpz(readFileSync(new URL(`../../fixtures/diff/${name}.npz`, import.meta.url)))) as Record<string, Tensor>;

/** The net of `scripts/reference/gradient_dump.py` on the numbers of a dump. */
function net(dump: Record<string, Tensor>): Value {
  const [x, w1, b1, w2, y] = ["x", "w1", "b1", "w2", "y"].map((name) => variable(dump[name]!, name)) as [Value, Value, Value, Value, Value];
  const h = named(add(matmul(x, w1), b1), "h");
  const a = named(tanh(h), "a");
  const s = named(matmul(a, w2), "s");
  return named(mean(square(sub(s, y))), "loss");
}

test("PyTorch's values and gradients agree, in f64 and in f32", async () => {
  for (const name of ["torch-f64", "torch-f32"]) {
    const dump = await fixture(name);
    const diff = diffGradients(net(dump), dump);
    expect(diff.unmatched).toEqual([]);
    expect(diff.rows).toHaveLength(18);
    expect(diff.agrees).toBe(true);
    expect(Math.max(...diff.rows.map((r) => r.ulps))).toBeLessThan(16);
    expect(diff.text()).toContain("all 18 tensors agree within 256 units in the last place");
  }
});

test("a wrong backward rule in the other run is found where it is: behind tanh", async () => {
  const dump = await fixture("torch-wrong");
  const diff = diffGradients(net(dump), dump);
  expect(diff.agrees).toBe(false);
  expect(diff.firstValue).toBeNull();
  expect(diff.firstGradient).toMatchObject({ name: "h", ruleOf: ["tanh (a)"] });
  expect(diff.firstGradient!.ulps).toBeGreaterThan(1e12);
  expect(diff.text()).toContain("going backward, the gradient of h is the first that deviates");
  expect(diff.text()).toContain("it was made by the backward rule of tanh (a), whose own gradient agrees: look at that rule");
  expect(diffGradients(net(dump), dump, { language: "ko" }).text()).toContain("tanh (a)의 역전파 규칙이 만들었습니다");
});

/** Twice the value; the backward rule says three times. */
const bad: Op<(x: Operand) => Value> = op("acme.bad", ["x"], {
  type: ({ x }) => x,
  eval: ({ x }) => x.data.map((v: number) => 2 * v),
  vjp: ({ ct }) => ({ x: mul(3, ct) }),
});

test("two runs: a planted op with a wrong rule is named, though the values agree", () => {
  const run = (double: (x: Value) => Value): Value => {
    const x = variable([0.5, -1, 2], "x");
    return sum(square(double(sigmoid(x))));
  };
  const diff = diffGradients(
    run((v) => bad(v)),
    dumpOf(run((v) => mul(2, v))),
  );
  expect(diff.firstValue).toBeNull();
  expect(diff.firstGradient).toMatchObject({ op: "sigmoid", ruleOf: ["acme.bad (q2)"] });
  expect(diff.rows.filter((r) => r.deviates).map((r) => `${r.kind} ${r.name}`)).toEqual(["gradient q1", "gradient x"]);
  expect(
    diffGradients(
      run((v) => mul(2, v)),
      run((v) => mul(2, v)),
    ).agrees,
  ).toBe(true);
});

test("a run on another engine, and in another dtype", async () => {
  const f = net(await fixture("torch-f64"));
  const dump = await dumpBy(async (g, x) => (await compile(g, reference())).run(x as never) as never, f);
  expect(diffGradients(f, dump)).toMatchObject({ agrees: true, firstGradient: null });
  expect(Math.max(...diffGradients(f, dump).rows.map((r) => r.ulps))).toBe(0);
  // f32 is counted in its own units.
  const single = diffGradients(f, net(await fixture("torch-f32")));
  expect(single.agrees).toBe(true);
  expect(Math.max(...single.rows.map((r) => r.ulps))).toBeGreaterThan(0);
});

test("values that deviate come first, and shapes and names are compared too", () => {
  const x = variable([1, 2], "x");
  const f = sum(tanh(x));
  const there = dumpToTensors(dumpOf(f));
  const moved = diffGradients(f, { ...there, q1: tensor([0.7, 0.9]) });
  expect(moved.firstValue).toMatchObject({ name: "q1", index: [1], theirs: 0.9 });
  expect(moved.text()).toContain("going forward, q1 (tanh) is the first value that deviates");
  const shaped = diffGradients(f, { "x.grad": tensor([1, 2, 3]) });
  expect(shaped.firstGradient).toMatchObject({ name: "x", ulps: Number.POSITIVE_INFINITY, ourType: "f64[2]", theirType: "f64[3]" });
  expect(shaped.text()).toContain("x.grad is f64[2] here and f64[3] there");
  expect(diffGradients(f, { weight: there["x"]! }, { names: { x: "weight" } }).agrees).toBe(true);
  const strange = diffGradients(f, { nobody: tensor([1]), "nobody.grad": tensor([1]) });
  expect(strange.agrees).toBe(false);
  expect(strange.unmatched).toEqual(["nobody", "nobody.grad"]);
  expect(strange.text()).toContain("there is nothing to compare");
  // A scalar written as [1] is the scalar, and the start of the pass has no rule behind it.
  expect(diffGradients(f, { "f.grad": tensor([1]) }).agrees).toBe(true);
  expect(diffGradients(f, { "f.grad": tensor([2]) }).text()).toContain("it is where the backward pass starts");
});

test("dumps go through files' tensors and back", () => {
  const dump = dumpOf(add(variable(1, "a"), variable(2, "b")));
  expect(Object.keys(dump.gradients)).toEqual(["a", "b", "f"]);
  expect(dumpFromTensors(dumpToTensors(dump))).toEqual(dump);
});

test("ulps are counted at the tensor's largest element, and at the element", () => {
  expect(ulpAt(1, "f64")).toBe(2 ** -52);
  expect(ulpAt(-3, "f32")).toBe(2 ** -22);
  expect(apart(Float64Array.of(1, 1e-20), Float64Array.of(1, 2e-20), "f64")).toMatchObject({ at: 1 });
  expect(apart(Float64Array.of(1, 1e-20), Float64Array.of(1, 2e-20), "f64").ulps).toBeLessThan(1e-3);
  expect(apart(Float64Array.of(1, 1e-20), Float64Array.of(1, 2e-20), "f64").elementUlps).toBeGreaterThan(1e14);
  expect(apart(Float64Array.of(1 + 2 ** -52), Float64Array.of(1), "f64")).toEqual({ ulps: 1, elementUlps: 1, at: 0 });
  expect(apart(Float64Array.of(Number.NaN, 1), Float64Array.of(Number.NaN, 1), "f64").ulps).toBe(0);
  expect(apart(Float64Array.of(1), Float64Array.of(Number.NaN), "f64").ulps).toBe(Number.POSITIVE_INFINITY);
  expect(apart(Float64Array.of(Number.POSITIVE_INFINITY), Float64Array.of(Number.POSITIVE_INFINITY), "f64").ulps).toBe(0);
  expect(apart(Float64Array.of(0), Float64Array.of(-0), "f64").ulps).toBe(0);
});

test("reports have their documented shapes, and refusals say why", () => {
  const f = sum(tanh(variable([1, 2], "x")));
  const json = diffGradients(f, { "x.grad": tensor([Number.NaN, 0]) }).toJSON();
  expect(Object.keys(json)).toEqual(["agrees", "firstValue", "firstGradient", "rows", "unmatched"]);
  expect(json.firstGradient).toEqual({ name: "x", ruleOf: ["tanh (q1)"] });
  expect(Object.keys(json.rows[0]!)).toEqual([
    "kind",
    "name",
    "op",
    "ourType",
    "theirType",
    "ulps",
    "elementUlps",
    "index",
    "ours",
    "theirs",
    "deviates",
  ]);
  expect(json.rows[0]).toMatchObject({ ulps: "Infinity", theirs: "NaN" });
  expect(diffGradients(f, dumpOf(f)).markdown()).toContain("| pass | name | op | ulps |");
  expect(() => diffGradients(variable([1, 2], "v"), {})).toThrow(
    "diffGradients: the loss is f64[2]; a backward pass starts at a floating-point scalar",
  );
  expect(() => dumpOf(5 as never)).toThrow("dumpOf: give the loss; a backward pass starts");
  expect(() => diffGradients(f, {}, { ulps: -1 })).toThrow("diffGradients: ulps is -1; it is a number from 0 up");
  expect(() => diffGradients(f, {}, { language: "fr" as never })).toThrow('diffGradients: language "fr" is not there');
});
