import { expect, test } from "vitest";
import { picture } from "../../../src/explain/picture/picture.ts";
import { maximum, mul, relu, scope, sigmoid, sum, tanh, tensor, type Value, variable } from "../../../src/index.ts";
import { faults } from "../../draw/geometry.ts";

/** As many elements below 0 as said, of ten, all far from it. */
const far = (below: number): Value => variable(tensor(Array.from({ length: 10 }, (_, i) => (i < below ? -9 : 0.1))), "x");

function noted(f: Value, language: "en" | "ko" = "en"): { note: string | undefined; title: string }[] {
  const made = picture(f, { language });
  expect(faults(made.scene(), made.layout)).toEqual([]);
  return made.scene().items.flatMap(({ note, title }) => (note === undefined ? [] : [{ note, title }]));
}

test("gates that are mostly off or saturated have a pill that says so, in both languages", () => {
  for (const off of [relu(far(7)), maximum(far(7), 0)]) {
    expect(noted(sum(off))[0]?.note).toBe("▲ 70% off");
    expect(noted(sum(off))[0]?.title).toMatch(/, 70% of its 10 elements are off$/);
    expect(noted(sum(off), "ko")[0]?.note).toBe("▲ 70% 꺼짐");
  }
  for (const flat of [sigmoid(far(6)), tanh(far(6))]) {
    expect(noted(sum(flat))[0]?.note).toBe("▲ 60% flat");
    expect(noted(sum(flat), "ko")[0]?.title).toMatch(/원소 10개 중 60%가 포화되어 있습니다$/);
  }
  expect(picture(sum(relu(far(7)))).svg()).toContain("70% of its 10 elements are off</title>");
});

test("half of the elements, few elements and scalars have no pill", () => {
  expect(noted(sum(relu(far(5))))).toEqual([]);
  expect(noted(sum(relu(variable(tensor([-1, -1, -1, 1]), "x"))))).toEqual([]);
  expect(noted(sigmoid(variable(50, "x")))).toEqual([]);
});

test("a parameter with a vanishing gradient has its size as a pill; one of exactly 0 has none", () => {
  expect(noted(sum(mul(far(2), 1e-9)))).toMatchObject([{ note: "∇ 1e−9", title: expect.stringMatching(/tiny: 1e−9/) }]);
  expect(noted(sum(mul(far(2), 0)))).toEqual([]);
});

test("a closed module bears the pill of the gate inside and names it", () => {
  const x = far(8);
  const scene = picture(sum(scope("block", () => relu(mul(x, 2)))), { depth: 0 }).scene();
  expect(scene.items.find(({ kind }) => kind === "module")).toMatchObject({
    note: "▲ 80% off",
    title: expect.stringMatching(/^block, .+: 80% of its 10 elements are off$/),
  });
});
