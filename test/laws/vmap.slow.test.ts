import { expect, test } from "vitest";
import { batchLaw } from "../../src/check/batch-law.ts";
import { lawsAt } from "./run-laws.ts";
import { isOp, ops } from "./samplers.ts";

/** Ops of several operands have a batching rule for each choice of mapped ones, and the fast suite draws too few cases to meet every one. */
const several: readonly string[] = [...ops].flatMap(([name, op]) =>
  isOp(op) && op.slots.length > 1 && op.facts.family !== "binary" ? [name] : [],
);

test.each(several)("vmap of %s is the stack over the examples, whichever operands are mapped", (name) => {
  for (let i = 0; i < 200; i++) expect(lawsAt(name, Math.imul(i + 1, 2654435761) | 0, { "vmap = stack": batchLaw }, {})).toBeNull();
});

test("there are such ops", () => {
  expect(several).toEqual(expect.arrayContaining(["where", "gather", "scatterAdd", "gatherND", "scatterND", "matmul", "conv", "pick"]));
});
