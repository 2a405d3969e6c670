import { constantOp } from "../../ir/leaf.ts";
import type { Node, Value } from "../../ir/node.ts";
import type { Tensor } from "../../ir/tensor.ts";
import { held } from "./gradients-everywhere.ts";

/** What a relu takes, max(x, 0) by the op or as the larger of a value and 0; null for other gates. */
export function reluInput(node: Node): Value | null {
  if (node.op.name === "relu") return node.operands[0]!;
  if (node.op.name !== "maximum") return null;
  const isZero = (v: Value): boolean => v.node.op === constantOp && v.type.shape.length === 0 && held(v).data[0] === 0;
  const [a, b] = node.operands as [Value, Value];
  return isZero(b) ? a : isZero(a) ? b : null;
}

/** The share of a relu's elements that are off, by what it takes: at most 0. NaN is not off. */
export function offShare({ data }: Pick<Tensor, "data">): number {
  let off = 0;
  for (let i = 0; i < data.length; i++) if (data[i]! <= 0) off++;
  return data.length === 0 ? 0 : off / data.length;
}

/** The share of the elements of a sigmoid or tanh, by its result, whose local derivative is below `slope` times the largest one; null for other gates. */
export function saturatedShare({ op }: Node, { data }: Pick<Tensor, "data">, slope: number): number | null {
  if (op.name !== "sigmoid" && op.name !== "tanh") return null;
  let flat = 0;
  for (let i = 0; i < data.length; i++) {
    const y = data[i]!;
    if ((op.name === "sigmoid" ? 4 * y * (1 - y) : 1 - y * y) < slope) flat++;
  }
  return data.length === 0 ? 0 : flat / data.length;
}
