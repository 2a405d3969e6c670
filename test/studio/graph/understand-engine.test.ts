import { f64, tensor } from "chainrule";
import { expect, test } from "vitest";
import { build, isFault, type Model, read } from "../../../studio/graph/engine.ts";
import type { Chosen } from "../../../studio/graph/questions.ts";
import { answerTo } from "../../../studio/graph/understand-engine.ts";

const view = { language: "en", depth: null, open: [], closed: [], near: null, reach: "feeds", direction: "right" } as const;

function modelOf(formula: string, values: Readonly<Record<string, string>>): Model {
  const source = read(formula);
  if (isFault(source)) throw new Error(source.message);
  const model = build(source, values, view, null);
  if (isFault(model)) throw new Error(model.message);
  return model;
}

const verdicts = (model: Model, what: Chosen | null): readonly string[] => {
  const answer = answerTo(what === null ? "checkAll" : "checkOne", model, what, "en");
  if (answer.failed) throw new Error(answer.text!);
  return answer.rows!.map(({ verdict }) => verdict);
};

test("every node and wire of a graph of narrow floats is checked, against the same graph in f64", () => {
  for (const dtype of ["f32", "f16", "bf16"]) {
    const model = modelOf("h = tanh(W @ x)\nf = sum(h^2) + mean(h)", { W: `${dtype} [[1, 2], [3, 4]]`, x: `${dtype} [0.5, -0.25]` });
    expect(verdicts(model, null)).toEqual(Array(6).fill("pass"));
    const { items, wires } = model.picture.scene();
    for (const [index, wire] of wires.entries()) {
      const found = verdicts(model, { kind: "wire", index });
      expect(new Set(found), `${wire.from} ${wire.to}`).toEqual(
        new Set(items.find(({ id }) => id === wire.from)!.kind === "constant" ? [] : ["pass"]),
      );
    }
    for (const { id, kind } of items)
      expect(new Set(verdicts(model, { kind: "item", id }))).toEqual(new Set(kind === "constant" ? [] : ["pass"]));
  }
});

test("a branch of a narrow float is moved alone, and a cast inside is no hindrance to its variables", () => {
  const twice = modelOf("f = x*y + exp(x)", { x: "f32 2", y: "f32 3" });
  const rows = twice.picture.scene().wires.flatMap((_, index) => answerTo("checkOne", twice, { kind: "wire", index }, "en").rows!);
  expect(rows.filter(({ name }) => name.startsWith("x →")).map(({ numeric }) => numeric.toFixed(3))).toEqual([
    "3.000",
    Math.exp(2).toFixed(3),
  ]);
  const narrow = modelOf("f = sum(cast(x, f64) * y)", { x: "f32 [0.5, -0.25]", y: "[1, 2]" });
  expect(verdicts(narrow, null)).toEqual(Array(4).fill("pass"));
});

test("a graph of very many numbers is checked along one direction of all its variables", () => {
  const source = read("f = mean(tanh(X @ W + b)^2)");
  if (isFault(source)) throw new Error(source.message);
  const draw = (...shape: number[]) =>
    tensor(
      Float64Array.from({ length: shape.reduce((a, b) => a * b) }, (_, i) => Math.sin(i) / 10),
      f64(...shape),
    );
  const beside = new Map([
    ["X", draw(2, 500)],
    ["W", draw(500, 420)],
    ["b", draw(420)],
  ]);
  const model = build(source, {}, view, null, beside);
  if (isFault(model)) throw new Error(model.message);
  const { rows, failed, text } = answerTo("checkAll", model, null, "en");
  expect([failed, text]).toEqual([false, null]);
  expect(rows).toMatchObject([{ name: "X + W + b", verdict: "pass" }]);
});
