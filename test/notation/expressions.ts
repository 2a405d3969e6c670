import fc from "fast-check";
import type { BinaryOperator, Expression, Statement, Subscript } from "../../src/notation/expression.ts";

const nowhere = { from: 0, to: 0 };

/** An expression without its spans, to compare meanings. */
export function bare(node: Expression | Statement): unknown {
  return JSON.parse(JSON.stringify(node, (key, value: unknown) => (key === "span" || key === "nameSpan" ? undefined : value)));
}

const operators: readonly BinaryOperator[] = ["<", "<=", ">", ">=", "==", "!=", "+", "-", "*", "/", "@", "^"];

/** Variable names: ASCII, subscripts, Greek, Hangul, Han, primes, paths. */
export const someName: fc.Arbitrary<string> = fc.constantFrom(
  "x",
  "y_1",
  "w₀",
  "θ",
  "∂x",
  "가중치",
  "学習率",
  "x'",
  "f″",
  "fc1.w",
  "blocks.0.w",
  "T",
  "e",
  "_a",
);

/** Every character there is but halves of pairs. fast-check's own `binary` makes a table of them all when a text is drawn first, which takes seconds. */
export const anyCharacter: fc.Arbitrary<string> = fc
  .oneof(fc.integer({ min: 0, max: 0x7f }), fc.integer({ min: 0, max: 0xd7ff }), fc.integer({ min: 0xe000, max: 0x10ffff }))
  .map((code) => String.fromCodePoint(code));

const subscripts = (inner: fc.Arbitrary<Expression>): fc.Arbitrary<Subscript[]> =>
  fc
    .array(
      fc.oneof(
        inner.map((index): Subscript => ({ kind: "at", index, span: nowhere })),
        fc
          .tuple(fc.option(inner), fc.option(inner), fc.option(inner))
          .map(([start, end, step]): Subscript => ({ kind: "slice", start, end, step, span: nowhere })),
        fc.constant<Subscript>({ kind: "newAxis", span: nowhere }),
      ),
      { minLength: 1, maxLength: 3 },
    )
    .chain((list) => fc.boolean().map((dots): Subscript[] => (dots ? [...list, { kind: "ellipsis", span: nowhere }] : list)));

/** Any expression of the grammar. */
export const someExpression: fc.Arbitrary<Expression> = fc.letrec<{ expression: Expression }>((tie) => ({
  expression: fc.oneof(
    { depthSize: "small", withCrossShrink: true },
    fc
      .double({ min: 0, noNaN: true, noDefaultInfinity: true })
      .map((value): Expression => ({ kind: "number", value: Math.abs(value), span: nowhere })),
    fc.nat(100).map((value): Expression => ({ kind: "number", value, span: nowhere })),
    someName.map((name): Expression => ({ kind: "name", name, span: nowhere })),
    fc.constantFrom("edge", "ij,jk->ik", "한글 · ${x}").map((value): Expression => ({ kind: "string", value, span: nowhere })),
    fc
      .tuple(fc.constantFrom(...operators), tie("expression"), tie("expression"))
      .map(([operator, left, right]): Expression => ({ kind: "operation", operator, left, right, span: nowhere })),
    tie("expression").map((operand): Expression => ({ kind: "negation", operand, span: nowhere })),
    tie("expression").map((operand): Expression => ({ kind: "transpose", operand, span: nowhere })),
    fc.array(tie("expression"), { maxLength: 3 }).map((items): Expression => ({ kind: "list", items, span: nowhere })),
    fc
      .tuple(tie("expression"), subscripts(tie("expression")))
      .map(([operand, list]): Expression => ({ kind: "index", operand, subscripts: list, span: nowhere })),
    fc
      .tuple(
        fc.constantFrom("f", "sum", "owner.op"),
        fc.array(tie("expression"), { maxLength: 3 }),
        fc.uniqueArray(fc.tuple(fc.constantFrom("axis", "keepDims", "mode"), tie("expression")), { selector: ([k]) => k, maxLength: 2 }),
      )
      .map(
        ([name, operands, keywords]): Expression => ({
          kind: "call",
          name,
          nameSpan: nowhere,
          operands,
          keywords: keywords.map(([keyword, value]) => ({ name: keyword, nameSpan: nowhere, value, span: nowhere })),
          span: nowhere,
        }),
      ),
  ),
})).expression;
