import { formatNumber } from "../../draw/format-number.ts";
import type { SceneItem } from "../../draw/scene.ts";
import { inputOp, variableOp } from "../../ir/leaf.ts";
import type { Node } from "../../ir/node.ts";
import { typeText } from "../../ir/type.ts";
import type { Language } from "../explain.ts";
import { isFixed } from "../names.ts";
import { shapeText } from "./numbers.ts";
import type { Closed } from "./view.ts";
import { moduleCounts } from "./words.ts";

const glyphs: Readonly<Record<string, string>> = {
  add: "+",
  sub: "−",
  mul: "×",
  div: "÷",
  neg: "−",
  pow: "^",
  matmul: "@",
  reciprocal: "1/x",
  square: "x²",
  sqrt: "√",
  abs: "|x|",
  equal: "=",
  less: "<",
  lessEqual: "≤",
  greater: ">",
  greaterEqual: "≥",
  maximum: "max",
  minimum: "min",
  sum: "Σ",
  and: "∧",
  or: "∨",
  not: "¬",
};

/** What a picture writes for an op: its glyph, or its name. */
export function glyphOf(op: string): string {
  return glyphs[op] ?? op;
}

/** A node as an item. */
export function itemOf(node: Node, id: string, name: string): SceneItem {
  const type = node.outputs === null ? typeText(node.type) : node.outputs.map((o) => typeText(o.type)).join(", ");
  const place = node.where?.stack == null ? "" : `, ${node.where.stack}`;
  const title = `${name}: ${node.op.name} ${type}${place}`;
  const shape = node.type.shape.length > 0 && node.operands.length === 0 ? { shape: shapeText(node.type) } : {};
  if (node.op === variableOp) return { id, kind: "parameter", label: name, title, ...shape };
  if (node.op === inputOp) return { id, kind: isParameterPath(name) ? "parameter" : "input", label: name, title, ...shape };
  if (isFixed(node)) {
    const scalar = typeof node.memo === "number" && node.type.dtype !== "bool";
    const label = scalar ? formatNumber(node.memo as number) : node.type.shape.length === 0 ? name : (node.label ?? "const");
    return { id, kind: "constant", label, title, ...shape };
  }
  return { id, kind: "op", label: glyphOf(node.op.name), name, title };
}

/** Inputs of a graph that its writer calls parameters: `params.fc1.w`. */
function isParameterPath(name: string): boolean {
  return name === "params" || name.startsWith("params.");
}

/** A closed module as an item. */
export function moduleItem({ module, repeat, ops, params }: Closed, language: Language): SceneItem {
  const shape = moduleCounts(ops, params, language);
  const times = repeat > 1 ? ` ×${repeat}` : "";
  return {
    id: module.id,
    kind: "module",
    label: module.label,
    title: `${module.path}${times}`,
    shape,
    ...(repeat > 1 && { repeat }),
  };
}
