import type { DType } from "../ir/dtype.ts";
import { settleNumber } from "../ir/tensor.ts";
import type { Expression } from "./expression.ts";

export const nowhere: { readonly from: number; readonly to: number } = { from: 0, to: 0 };

/** The shortest decimal that is this element of its dtype: 0.1 for the f32 nearest to it. */
export function shortest(x: number, dtype: DType): number {
  if (!Number.isFinite(x) || Number.isInteger(x) || dtype === "f64") return x;
  for (let digits = 1; digits < 17; digits++) {
    const candidate = Number(x.toPrecision(digits));
    if (settleNumber(dtype, candidate) === x) return candidate;
  }
  return x;
}

/** A number as an expression: a numeral, its negation, `inf` or `nan`. */
export function numberExpression(x: number): Expression {
  if (Number.isNaN(x)) return { kind: "name", name: "nan", span: nowhere };
  if (x < 0 || Object.is(x, -0)) return { kind: "negation", operand: numberExpression(-x), span: nowhere };
  return x === Infinity ? { kind: "name", name: "inf", span: nowhere } : { kind: "number", value: x, span: nowhere };
}

/** An element of a dtype as an expression without its dtype. */
export function elementExpression(x: number, dtype: DType): Expression {
  return dtype === "bool" ? { kind: "name", name: x === 0 ? "false" : "true", span: nowhere } : numberExpression(shortest(x, dtype));
}
