import { GraphError } from "../ir/errors.ts";
import { isOperand, isType, isValue, literal } from "../ir/leaf.ts";
import type { Value } from "../ir/node.ts";
import type { Operand } from "../ir/op.ts";
import { type Nested, tensor } from "../ir/tensor.ts";
import type { TensorType } from "../ir/type.ts";
import { stack } from "../ops/index.ts";

/** The results of an op with several, in order, to be taken by `[0]`, `[1]`. */
export interface Results {
  readonly kind: "results";
  readonly from: string;
  readonly names: readonly string[];
  readonly values: readonly Value[];
}

/**
 * What a part of a formula stands for while it is worked out: an operand, or something only a call can use (a truth value, a word, a type, a
 * list, `None` as null). Numbers stay JavaScript numbers as long as no Value joins them, so that they take the dtype of what they meet.
 */
export type Item = Operand | boolean | string | null | TensorType | Results | readonly Item[];

export function isResults(x: unknown): x is Results {
  return typeof x === "object" && x !== null && (x as { kind?: unknown }).kind === "results";
}

export function isList(x: Item): x is readonly Item[] {
  return Array.isArray(x);
}

/** What an item is, for messages. */
export function describeItem(item: Item): string {
  if (item === null) return "None";
  if (typeof item === "string") return `the word "${item}"`;
  if (isResults(item)) return `the ${item.values.length} results of ${item.from} (${item.names.join(", ")})`;
  if (isType(item)) return "a type";
  return isList(item) ? "a list" : `a ${typeof item}`;
}

/**
 * An item as an operand: truth values become bool scalars; a list of numbers becomes a tensor (f64, or bool), a list with Values their stack.
 * @throws GraphError for words, types and several results
 */
export function operandOf(item: Item): Operand {
  if (isOperand(item)) return item;
  if (typeof item === "boolean") return literal(item ? 1 : 0, "bool");
  if (isList(item)) return isNested(item) ? tensor(item) : stack(item.map(operandOf));
  const advice = isResults(item) ? `; take one with [0] to [${item.values.length - 1}]` : "";
  throw new GraphError(`${describeItem(item)} stands where a value is wanted${advice}`);
}

/** Whether an item is a list of numbers or truth values, nested to any rank: data, not a list of values. */
export function isNested(item: Item): item is Nested {
  return typeof item === "number" || typeof item === "boolean" || (isList(item) && item.every(isNested));
}

/** An item as the value of an attribute. @throws GraphError for several results */
export function attributeOf(item: Item): unknown {
  if (isResults(item)) throw new GraphError(`${describeItem(item)} stand where an attribute is wanted; take one with [0]`);
  return isList(item) ? item.map(attributeOf) : item;
}

/** An attribute of an op: no Value, since a graph has to know it when it is built. @throws GraphError for a Value or tensor */
export function knownAttribute(name: string, key: string, item: Item): unknown {
  if (typeof item !== "number" && isOperand(item))
    throw new GraphError(`${name}: ${key} is a value of the graph; an attribute has to be known beforehand: write a number, word or list`);
  return attributeOf(item);
}

/** What a function gave back as an item. A record of Values is several results. */
export function itemOf(from: string, given: unknown): Item {
  if (isOperand(given) || isType(given)) return given;
  if (Array.isArray(given)) return given.map((x) => itemOf(from, x));
  if (typeof given === "object" && given !== null) {
    const entries = Object.entries(given).filter((entry): entry is [string, Value] => isValue(entry[1]));
    return { kind: "results", from, names: entries.map(([name]) => name), values: entries.map(([, value]) => value) };
  }
  throw new GraphError(`${from} gives ${given === undefined ? "nothing" : `a ${typeof given}`}, which a formula cannot use`);
}
