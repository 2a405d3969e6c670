import { type DType, isFloat } from "../../ir/dtype.ts";
import { alone } from "../../ir/graph.ts";
import { lift, literalOf } from "../../ir/leaf.ts";
import { Node, type Value, valuesOf } from "../../ir/node.ts";
import type { AnyOp } from "../../ir/op.ts";
import type { Held } from "../../ir/tensor.ts";
import { applyTo } from "../../ops/define.ts";
import { cast } from "../../ops/index.ts";
import { hasBodies } from "./control.ts";
import { kindOf } from "./kernel.ts";
import { kernels } from "./kernels/kernels.ts";
import { loopable, reductions } from "./kind.ts";

/** Ops that the planner lays out without arithmetic. */
const moving: ReadonlySet<string> = /* @__PURE__ */ new Set(["call", "customGradient", "reshape", "transpose", "expand", "slice", "split", "unstack", "flip", "identity", "stop", "classLabels", "settled"]); // biome-ignore format: a list
/** Those that it makes copies for, in dtypes that loops know. */
const copying: ReadonlySet<string> = /* @__PURE__ */ new Set(["concat", "unslice", "pad"]);
/** Ops in which the low bits of a whole number come from low bits alone, which 32 bits with a sign have too, and where doubles would run out of digits. */
const low: ReadonlySet<string> = /* @__PURE__ */ new Set(["mul", "square", "prod"]);

const isOwn = ({ slots, facts }: AnyOp, place: number): boolean =>
  Object.hasOwn(facts.dtypes, slots[Math.min(place, slots.length - 1)]!.name);

/** The dtype that an op is computed in instead of `from`, by compiled code that knows no arithmetic of that; null where it does. */
function instead(node: Node, from: DType): DType | null {
  const { op } = node;
  const { name } = op;
  if (from === "f64" || from === "f32" || name.includes(".") || hasBodies(node)) return null;
  const kind = kindOf(from);
  if (loopable(node) || (kind !== null && copying.has(name)) || (kind === from && reductions.has(name))) return null;
  if (name === "cast") return kind !== "f64" && isFloat(node.type.dtype) && kindOf(node.type.dtype) !== node.type.dtype ? "f64" : null;
  if (kernels[name]?.(node)) return null;
  if (isFloat(from)) return "f32";
  if (from === "bool") return isFloat(node.type.dtype) ? node.type.dtype : "i32";
  return kind === null && (from !== "u32" || low.has(name)) ? "i32" : "f64";
}

/** The dtype of a node's operands that counts, null where it has none. */
function dtypeOf(node: Node): DType | null {
  const { op, count } = node;
  if (moving.has(op.name)) return null;
  for (let i = 0; i < count; i++) {
    const v = node.operand(i);
    if (v !== null && !isOwn(op, i)) return v.type.dtype;
  }
  return null;
}

/** Whether a node is computed in another dtype. */
export function isWidened(node: Node): boolean {
  // Most nodes of large graphs are these.
  if (node.type.dtype === "f64" && node.count > 0 && node.operand(0)?.type.dtype === "f64") return false;
  const from = dtypeOf(node);
  return from !== null && instead(node, from) !== null;
}

/** A literal in another dtype, or a conversion that loses nothing. */
function widened(v: Value, to: DType): Value {
  const x = literalOf(v);
  return x === null || v.type.shape.length > 0 ? cast(v, to) : lift(x, to);
}

/** The results of a node by the same op in a dtype that compiled code computes in, rounded or cut to its own; null where it is left as it is. */
export function inWider(node: Node, operands: readonly (Value | null)[]): readonly Value[] | null {
  const from = dtypeOf(node);
  const to = from && instead(node, from);
  if (to === null) return null;
  const { op } = node;
  const made = applyTo(
    op,
    operands.map((v, i) => (v === null || v.type.dtype !== from || isOwn(op, i) ? v : widened(v, to))),
    node.attrs,
  );
  const found = (op.results === null ? [made] : Object.values(made as object)) as readonly Value[];
  let settle: AnyOp | null = null;
  return valuesOf(node).map(({ type }, i) => {
    const v = found[i]!;
    if (v.type.dtype === type.dtype) return v;
    if (to !== "f64" || isFloat(type.dtype)) return cast(v, type.dtype);
    settle ??= settling(node);
    return new Node(settle, [v, ...operands], { result: i, cut: op.name === "div" }, type, null);
  });
}

/**
 * An op that makes whole numbers of the doubles that compiled code found for a node's results, which it has before that node's own operands: where they are not exact, or not
 * what the dtype holds, they are computed by the node's own kernel, which says what is wrong.
 */
function settling(node: Node): AnyOp {
  const copy = alone(node);
  return {
    name: "settled",
    run: (settled: Node, [, ...held]: readonly Held[], runBody: never) => {
      const made = node.op.run(copy, held, runBody);
      return Array.isArray(made) ? made[(settled.attrs as { readonly result: number }).result] : made;
    },
  } as unknown as AnyOp;
}
