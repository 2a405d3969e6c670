import type { DType } from "../../ir/dtype.ts";
import type { Node } from "../../ir/node.ts";
import { elementwise, type Kind } from "./elementwise.ts";
import { f32, f64 } from "./encoder.ts";
import { cells } from "./kernel.ts";

/**
 * What loops see elements of a dtype as: halves lie in memory as f32 and 64-bit whole numbers as f64. A dtype whose kind is another one is held in more digits than it
 * has. null for small whole numbers, which loops do not read.
 */
export function kindOf(dtype: DType): Kind | null {
  if (dtype === "f64" || dtype === "f32" || dtype === "i32" || dtype === "bool") return dtype;
  const { type } = cells[dtype];
  return type === f32 ? "f32" : type === f64 ? "f64" : null;
}

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
