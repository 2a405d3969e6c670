import { expect, test, vi } from "vitest";
import * as ours from "../../src/index.ts";

async function anotherCopy(): Promise<typeof ours> {
  vi.resetModules();
  return await import("../../src/index.ts");
}

const refused = (): object =>
  expect.objectContaining({
    name: "GraphError",
    message:
      "a Value comes from another copy of chainrule, and the two cannot share a graph; install one version (npm ls chainrule shows where each comes from), bundle it once, and import it by one name",
  });

test("a Value of another copy of the library is refused instead of cutting a gradient off without a word", async () => {
  const theirs = await anotherCopy();
  expect(theirs.variable).not.toBe(ours.variable);
  const own = ours.variable(2, "x");
  // The other copy counts its nodes anew, so theirs are older than ours by number and newer by birth.
  const foreign = theirs.variable(3, "w");
  const loss = theirs.mul(foreign, foreign);
  const [part] = theirs.split(theirs.variable([1, 2], "v"), { parts: 2 });
  expect(() => ours.mul(own, foreign)).toThrow(refused());
  expect(() => ours.add(own, part!)).toThrow(refused());
  expect(() => ours.gradients(loss, { dw: foreign })).toThrow(refused());
  expect(() => ours.gradients(ours.mul(own, own), { dw: foreign })).toThrow(refused());
  expect(() => ours.grad((x: ours.Value) => theirs.mul(x, foreign))(2)).toThrow(refused());
  expect(() => ours.grad((x: ours.Value) => ours.mul(x, x))(foreign)).toThrow(refused());
  expect(() => ours.graph({ x: ours.f64() }, () => ({ loss }))).toThrow(refused());
  expect(() => ours.evaluate({ loss })).toThrow(refused());
  expect(() => ours.read(loss)).toThrow(refused());
  expect(() => ours.explain(loss)).toThrow(refused());
  expect(() => ours.paths(loss, foreign)).toThrow(refused());
  expect(() => ours.whyZero(loss, foreign)).toThrow(refused());
  expect(ours.read(ours.mul(own, own))).toBe(4);
  expect(theirs.read(loss)).toBe(9);
});
