import { expect, test } from "vitest";
import { grad, hessian, read, stack, unstack, type Value, variable } from "../../src/index.ts";
import { compileExpression } from "../../src/notation/compile-expression.ts";
import { fixture, numberFrom, type StoredNumber } from "./fixture.ts";

interface ExpressionCase {
  readonly expr: string;
  readonly at: Readonly<Record<string, StoredNumber>>;
  readonly value: StoredNumber;
  readonly gradient: Readonly<Record<string, StoredNumber>>;
  readonly hessian: Readonly<Record<string, Readonly<Record<string, StoredNumber>>>>;
}

const { cases } = fixture<ExpressionCase>("expressions");

/**
 * The cases are well-conditioned (moving the point by 1e-12 changes no number by more than 1e-9 of its size), so a few hundred roundings of 1e-16,
 * each amplified a thousandfold at worst, stay below 1e-11; numbers below 1 are compared absolutely.
 */
const tolerance = 1e-11;

function near(got: number, want: StoredNumber): void {
  const w = numberFrom(want);
  expect(Math.abs(got - w)).toBeLessThanOrEqual(tolerance * Math.max(1, Math.abs(w)));
}

test("there are 150 expressions, with Hangul and Greek names among them", () => {
  expect(cases.length).toBeGreaterThanOrEqual(150);
  expect(cases.some((c) => /\p{Script=Hangul}/u.test(c.expr))).toBe(true);
});

test.each(cases.map((c) => [c.expr, c] as const))("%s", (_, { expr, at, value, gradient, hessian: second }) => {
  const f = compileExpression(expr, { variables: Object.keys(at) });
  const names = Object.keys(at);
  const numbers = names.map((n) => numberFrom(at[n]!));
  near(read(f(Object.fromEntries(names.map((n, i) => [n, variable(numbers[i]!, n)])))), value);
  const slope = grad((p: Record<string, Value>) => f(p))(Object.fromEntries(names.map((n, i) => [n, numbers[i]!])));
  for (const n of names) near(read(slope[n]!), gradient[n]!);
  const byVector = (v: Value): Value => f(Object.fromEntries(unstack(v).map((x, i) => [names[i]!, x])));
  const h = hessian(byVector)(stack(numbers));
  names.forEach((a, i) => {
    names.forEach((b, j) => {
      near(read(unstack(unstack(h)[i]!)[j]!), second[a]![b]!);
    });
  });
});
