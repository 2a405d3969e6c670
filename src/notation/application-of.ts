import { dtypes } from "../ir/dtype.ts";
import type { Node, Value } from "../ir/node.ts";
import type { Slot } from "../ir/op.ts";
import { sameShape } from "../ir/shape.ts";
import { isBareScalar, withDType } from "./bare-scalar.ts";
import type { Expression, Keyword, Subscript } from "./expression.ts";
import { nowhere, numberExpression } from "./literal-text.ts";
import { operatorOf } from "./operator-ops.ts";
import { wordAttributes } from "./signatures.ts";
import { writtenAttributes } from "./written-attributes.ts";

/** Ops that only carry a value on and are not written. */
const silent: ReadonlySet<string> = /* @__PURE__ */ new Set(["identity", "customGradient"]);

/** What is written for such an op: its first operand; of a custom gradient what stands behind the stop. */
function carried(node: Node, first: Value): Value {
  return node.op.name === "customGradient" ? (first.node.operands[0] ?? first) : first;
}

/** How one application of an op is written, given how its operands are. */
export function applicationOf(node: Node, written: (v: Value) => Expression): Expression {
  const { name } = node.op;
  const [first, second] = node.operands;
  if (first == null) return callOf(node, written);
  if (silent.has(name)) return written(carried(node, first));
  if (name === "neg") return { kind: "negation", operand: operandText(node, 0, written), span: nowhere };
  const operator = operatorOf(name);
  if (operator !== undefined && second != null)
    return { kind: "operation", operator, left: operandText(node, 0, written), right: operandText(node, 1, written), span: nowhere };
  if (name === "transpose" && isReversed(node)) return { kind: "transpose", operand: operandText(node, 0, written), span: nowhere };
  if (name === "slice") return indexingOf(node, null, written) ?? callOf(node, written);
  if (name === "reshape") return indexingOf(first.node, node.type.shape, written) ?? callOf(node, written);
  return callOf(node, written);
}

/** An operand; a bare number says its dtype where nothing beside it does. */
function operandText(node: Node, i: number, written: (v: Value) => Expression): Expression {
  const v = node.operands[i]!;
  const expression = written(v);
  if (!isBareScalar(v) || v.type.dtype === "f64") return expression;
  const { slots, facts } = node.op;
  const own = facts.dtypes[slots[Math.min(i, slots.length - 1)]!.name];
  if (own !== undefined) return own === v.type.dtype ? expression : withDType(expression, v);
  const joined = node.operands.some((other, j) => {
    if (other === null || j === i) return false;
    const slot = slots[Math.min(j, slots.length - 1)]!.name;
    return facts.dtypes[slot] === undefined && (!isBareScalar(other) || j < i);
  });
  return joined ? expression : withDType(expression, v);
}

function callOf(node: Node, written: (v: Value) => Expression): Expression {
  const { name, slots } = node.op;
  const operands: Expression[] = [];
  const keywords: Keyword[] = [];
  let skipped = false;
  slots.forEach((slot: Slot, i) => {
    if (slot.arity === "rest") {
      const items = node.operands.slice(i).flatMap((v, k) => (v === null ? [] : [operandText(node, i + k, written)]));
      operands.push({ kind: "list", items, span: nowhere });
    } else if (node.operands[i] == null) skipped = true;
    else if (skipped) keywords.push(keyword(slot.name, operandText(node, i, written)));
    else operands.push(operandText(node, i, written));
  });
  for (const [key, value] of writtenAttributes(node)) {
    const given = key === "axis" && Array.isArray(value) && value.length === 1 ? expressionOf(key, value[0]) : expressionOf(key, value);
    if (given === null) continue;
    if (name === "cast" && key === "dtype") operands.push(given);
    else if (name === "einsum" && given.kind === "string") operands.unshift(given);
    else keywords.push(keyword(key, given));
  }
  if (name === "einsum") {
    const list = operands.at(-1);
    if (list?.kind === "list") operands.splice(-1, 1, ...list.items);
  }
  return { kind: "call", name, nameSpan: nowhere, operands, keywords, span: nowhere };
}

function keyword(name: string, value: Expression): Keyword {
  return { name, nameSpan: nowhere, value, span: nowhere };
}

/** An attribute as it is written; null for what has no notation (a function, a graph). */
function expressionOf(key: string, value: unknown): Expression | null {
  if (typeof value === "number") return numberExpression(value);
  if (typeof value === "boolean") return { kind: "name", name: String(value), span: nowhere };
  if (typeof value === "string")
    return wordAttributes.has(key) && (key !== "dtype" || (dtypes as readonly string[]).includes(value)) && /^[A-Za-z]\w*$/.test(value)
      ? { kind: "name", name: value, span: nowhere }
      : { kind: "string", value, span: nowhere };
  if (!Array.isArray(value)) return null;
  const items = value.map((item) => expressionOf(key, item));
  return items.every((item) => item !== null) ? { kind: "list", items, span: nowhere } : null;
}

function isReversed(node: Node): boolean {
  const { axes } = node.attrs as { readonly axes?: readonly number[] };
  return axes === undefined || axes.every((axis, i) => axis === axes.length - 1 - i);
}

interface Range {
  readonly axis: number;
  readonly start: number;
  readonly step: number;
  readonly count: number;
}

const whole: Subscript = { kind: "slice", start: null, end: null, step: null, span: nowhere };

/**
 * `x[2, :, 1:4]` for slices along different axes; `shape` is what a reshape makes of them, which may drop axes of one element.
 * Null where it is no such thing.
 */
function indexingOf(node: Node, shape: readonly number[] | null, written: (v: Value) => Expression): Expression | null {
  const ranges = new Map<number, Range & { readonly size: number }>();
  let from: Value = node;
  while (from.node.op.name === "slice" && from.node.operands.length === 1 && (from === node || written(from).kind !== "name")) {
    const range = from.node.attrs as Range;
    const inner: Value = from.node.operands[0]!;
    if (ranges.has(range.axis)) break;
    ranges.set(range.axis, { ...range, size: inner.type.shape[range.axis]! });
    from = inner;
  }
  if (ranges.size === 0 || isBareScalar(from)) return null;
  const dropped = shape === null ? new Set<number>() : droppedAxes(node.type.shape, shape, ranges);
  if (dropped === null) return null;
  const last = Math.max(...ranges.keys());
  const subscripts = Array.from({ length: last + 1 }, (_, axis): Subscript => {
    const range = ranges.get(axis);
    if (range === undefined) return whole;
    return dropped.has(axis) ? { kind: "at", index: numberExpression(range.start), span: nowhere } : rangeSubscript(range);
  });
  return { kind: "index", operand: written(from), subscripts, span: nowhere };
}

/** The axes of one picked element that `to` has lost; null if it is another shape altogether. */
function droppedAxes(from: readonly number[], to: readonly number[], ranges: ReadonlyMap<number, Range>): Set<number> | null {
  const dropped = new Set<number>();
  for (const [axis, { count }] of ranges) if (count === 1 && dropped.size < from.length - to.length) dropped.add(axis);
  const kept = from.filter((_, axis) => !dropped.has(axis));
  return dropped.size > 0 && sameShape(kept, to) ? dropped : null;
}

/** `1:4` for a stored range of an axis. */
function rangeSubscript({ start, step, count, size }: Range & { readonly size: number }): Subscript {
  if (count === 0) return { kind: "slice", start: numberExpression(0), end: numberExpression(0), step: null, span: nowhere };
  const end = start + count * step;
  const first = step > 0 ? 0 : size - 1;
  return {
    kind: "slice",
    start: start === first ? null : numberExpression(start),
    end: (step > 0 ? end >= size : end < 0) ? null : numberExpression(end),
    step: step === 1 ? null : numberExpression(step),
    span: nowhere,
  };
}
