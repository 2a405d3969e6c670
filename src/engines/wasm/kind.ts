import type { Node } from "../../ir/node.ts";
import { elementwise } from "./elementwise.ts";
import { kindOf } from "./kernel.ts";

/** Reductions that loops compute. */
export const reductions: ReadonlySet<string> = /* @__PURE__ */ new Set(["sum", "prod", "max", "min"]);

/** Ops whose results need no more digits than their operands: one of them, its magnitude or sign, or a truth value. */
const exact: ReadonlySet<string> = /* @__PURE__ */ new Set(["abs", "sign", "relu", "maximum", "minimum", "clip", "where", "cast", "identity", "stop", "equal", "notEqual", "less", "lessEqual", "greater", "greaterEqual", "isNaN"]); // biome-ignore format: a list

/** Whether loops can compute a node: a row, dtypes they know, one result. */
export function loopable(node: Node): boolean {
  const { name } = node.op;
  const row = elementwise[name];
  if (row === undefined || node.outputs !== null) return false;
  const given = node.type.dtype;
  const to = kindOf(given);
  if (to === null) return false;
  for (let i = 0; i < node.count; i++) {
    const v = node.operand(i);
    if (v === null || kindOf(v.type.dtype) === null) return false;
  }
  const { dtype } = node.operand(name === "where" ? 1 : 0)!.type;
  const first = kindOf(dtype)!;
  if (!row.kinds.includes(first) || (first !== dtype && !exact.has(name))) return false;
  if (name !== "cast" || to === "bool" || first === "bool" || dtype === given) return true;
  // To 64-bit whole numbers only from those that are some; to halves with one rounding.
  if (to === "f64" && to !== given) return given === "i64" && (dtype === "i32" || dtype === "u64");
  return to !== "i32" && (first !== "i32" || to === given);
}
