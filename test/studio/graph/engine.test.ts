import { readFileSync } from "node:fs";
import { evaluate, type Tensor, tensor } from "chainrule";
import { expect, test } from "vitest";
import { build, isFault, type Model, read, valueIn } from "../../../studio/graph/engine.ts";

const view = { language: "en", depth: 0, open: [], closed: [], near: null, reach: "feeds", direction: "right" } as const;

function drawn(formula: string, values: Readonly<Record<string, string>> = {}) {
  const source = read(formula);
  return isFault(source) ? source : build(source, values, view, null);
}

test("what the hint of a variable's box says can be written in it", () => {
  for (const language of ["en", "ko"]) {
    const words = readFileSync(new URL(`../../../studio/graph/words-${language}.ts`, import.meta.url), "utf8");
    const [hint] = /valueHint:.*/.exec(words)!;
    const [formula] = /ones\(.*?\)\)/.exec(hint)!;
    expect(valueIn(formula).type).toMatchObject({ dtype: "f64", shape: [2, 3] });
    const [list] = /\[\[.*\]\]/.exec(hint)!;
    expect(valueIn(list).type.shape).toEqual([2, 2]);
  }
  expect(valueIn("i32 2").type).toMatchObject({ dtype: "i32", shape: [] });
});

test("more numbers than a page computes are refused before they are made", () => {
  expect(drawn("sum(ones(f64(100000, 100000)))")).toMatchObject({ message: expect.stringContaining("holds 10000000002 numbers") });
});

test("a graph is worked out once, however it is looked at, and anew when one of its numbers changes", () => {
  const source = read("## a: w\nh = tanh(w * x)\n##\nf = sum(h)");
  if (isFault(source)) throw new Error(source.message);
  const made = (...given: [Record<string, string>, Partial<typeof view>?, Model?, Map<string, Tensor>?]): Model => {
    const [values, part = {}, before = null, beside] = given;
    const model = build(source, values, { ...view, ...part }, before, beside);
    if (isFault(model)) throw new Error(model.message);
    return model;
  };
  const values = { x: "[1, 2]", w: "[3, 4]" };
  const first = made(values);
  const opened = made({ ...values }, { depth: 1 as never }, first);
  expect(opened.f).toBe(first.f);
  expect(opened.gradients).toBe(first.gradients);
  expect(opened.picture.scene().items.length).toBeGreaterThan(first.picture.scene().items.length);
  expect(made({ ...values, w: "[3, 5]" }, {}, opened).f).not.toBe(first.f);
  // Numbers that no box holds, and a box before them.
  const w = tensor([3, 4]);
  const beside = new Map([["w", w]]);
  const held = made({ x: "[1, 2]" }, {}, first, beside);
  expect(evaluate(held.f)).toEqual(evaluate(first.f));
  expect(made({ x: "[1, 2]" }, {}, held, new Map([["w", w]])).f).toBe(held.f);
  expect(evaluate(made({ x: "[1, 2]", w: "[0, 0]" }, {}, held, beside).f)).toEqual(tensor(0));
});

test("lines under a heading are a module, which may take variables in and ends at the next heading", () => {
  const labels = (formula: string): readonly string[] => {
    const model = drawn(formula, { x: "[1, 2]", w: "[3, 4]" });
    if (isFault(model)) throw new Error(model.message);
    return model.picture
      .scene()
      .items.map(({ label }) => label)
      .sort();
  };
  expect(labels("## 층 1: w\nh = tanh(w * x)\n##\nf = sum(h) * 2")).toEqual(["2", "f", "x", "×", "Σ", "층 1"]);
  expect(labels("  ## a/b\nh = w * x\nf = sum(h)")).toEqual(["a∕b", "f", "w", "x"]);
  // A comment is no heading, and two headings of one name are two modules.
  expect(labels("# a\nh = w * x\n## a\ng = exp(h)\n## b\nk = g + 1\n## a\nf = sum(k)")).toEqual(["a", "a", "b", "f", "w", "x", "×"]);
});
