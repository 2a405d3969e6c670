import { ParseError } from "../ir/errors.ts";
import type { AnyOp, Operand, Slot } from "../ir/op.ts";
import { scalarType } from "../ir/type.ts";
import * as linalg from "../linalg/index.ts";
import * as ops from "../ops/index.ts";
import { withAttributes } from "./attributes.ts";
import type { Callable, OpFunction } from "./callable.ts";
import { attributeOf, type Item, isList, itemOf, knownAttribute, operandOf } from "./item.ts";
import { oddCallables } from "./odd-callables.ts";
import { signatures } from "./signatures.ts";

/** Exports of `ops/` that declare ops and are none. */
const declarers: ReadonlySet<string> = /* @__PURE__ */ new Set(["binary", "declare", "op", "unary"]);

let table: Map<string, Callable> | null = null;

/** Every callable by its name: all ops and composites, found in `ops/` and `linalg/` themselves, those with a signature of their own kind, and the dtypes. */
export function callables(): ReadonlyMap<string, Callable> {
  if (table !== null) return table;
  table = new Map();
  const all: Readonly<Record<string, unknown>> = { ...ops, ...linalg };
  for (const [name, f] of Object.entries(all))
    if (typeof f === "function" && !declarers.has(name)) table.set(name, callableOf(name, f as OpFunction));
  for (const [name, make] of Object.entries(oddCallables())) {
    const odd = make(all);
    if (odd !== null) table.set(name, odd);
  }
  return table;
}

/** An outside op or any function of operands and one attribute record as a callable. */
export function callableOf(name: string, f: OpFunction): Callable {
  const op = isOp(f) ? f : null;
  const slots = op?.slots ?? signatures[name]?.map(slotOf) ?? null;
  return (operands, keywords) => {
    if (op !== null && keywords.size === 0 && isFolded(op) && operands.length === op.operands.length && operands.every(isNumber))
      return op.scalar!(...operands);
    const attrs = new Map<string, unknown>();
    const named = new Map<string, Operand>();
    for (const [key, item] of keywords) {
      if (slots?.some((slot) => slot.name === key)) named.set(key, operandOf(item));
      else if (item !== null) attrs.set(key, op === null ? attributeOf(item) : knownAttribute(name, key, item));
    }
    const args = slots === null ? operands.map(operandOf) : arranged(name, slots, operands, named);
    return itemOf(
      name,
      withAttributes(name, attrs, (record) => (record === undefined ? f(...args) : f(...args, record))),
    );
  };
}

function isNumber(x: Item): x is number {
  return typeof x === "number";
}

function isOp(f: OpFunction): f is OpFunction & AnyOp {
  return Array.isArray((f as Partial<AnyOp>).slots);
}

/** Whether the op of plain numbers is a plain number: elementwise, on floats, and no predicate. */
function isFolded(op: AnyOp): boolean {
  const { family } = op.facts;
  if (op.scalar === null || (family !== "unary" && family !== "binary")) return false;
  const number = scalarType("f64");
  try {
    return (
      op.infer(
        op.slots.map(() => number),
        {},
      ) === number
    );
  } catch {
    return false;
  }
}

function slotOf(text: string): Slot {
  if (text.endsWith("...")) return { name: text.slice(0, -3), arity: "rest" };
  return text.endsWith("?") ? { name: text.slice(0, -1), arity: "optional" } : { name: text, arity: "one" };
}

/** The arguments of a call, one per slot: what is left out is undefined, variadic ones are a list. */
function arranged(name: string, slots: readonly Slot[], operands: readonly Item[], named: ReadonlyMap<string, Operand>): unknown[] {
  const args: unknown[] = [];
  const rest = slots.at(-1)?.arity === "rest";
  const [first] = operands;
  if (!rest && operands.length > slots.length)
    throw new ParseError(
      `${name} takes ${slots.length} operand${slots.length === 1 ? "" : "s"} (${slots.map((s) => s.name).join(", ")}), ${operands.length} were given; attributes are keywords: ${name}(..., name=value)`,
    );
  slots.forEach((slot, i) => {
    const given = operands[i];
    const keyword = named.get(slot.name);
    if (given !== undefined && keyword !== undefined)
      throw new ParseError(`${name}: ${slot.name} is given twice, by place and by name; give it once`);
    if (slot.arity === "rest") {
      const list = i === 0 && operands.length === 1 && first !== undefined && isList(first) ? first : operands.slice(i);
      args.push(list.map(operandOf));
    } else if (keyword !== undefined) args.push(keyword);
    else if (slot.arity === "optional" && given == null) args.push(undefined);
    else if (given !== undefined) args.push(operandOf(given));
    else throw new ParseError(`${name}: operand ${slot.name} is missing; write ${name}(${slots.map((s) => s.name).join(", ")})`);
  });
  return args;
}
