import { heldBy } from "../evaluate/evaluate.ts";
import { isFloat } from "../ir/dtype.ts";
import { constantOf } from "../ir/leaf.ts";
import type { Node, Value } from "../ir/node.ts";
import type { Held } from "../ir/tensor.ts";
import { applyTo } from "../ops/define.ts";
import { abs } from "../ops/elementwise/rounding.ts";
import { numberAt } from "./bad-cause.ts";
import type { Cause } from "./finding.ts";
import { isElementwise } from "./jacobian-rows.ts";
import { pulled } from "./sweep.ts";

/** How the gates that are known by name stop a gradient; the others are judged by their numbers. */
const stops: Readonly<Record<string, Cause>> = {
  relu: "reluOff",
  maximum: "lost",
  minimum: "lost",
  max: "lost",
  min: "lost",
  maxPool: "lost",
  topK: "lost",
  pick: "lost",
  clip: "clipped",
  where: "branchNotTaken",
  stop: "stopped",
  gather: "neverRead",
  gatherElements: "neverRead",
  gatherND: "neverRead",
  slice: "neverRead",
  split: "neverRead",
  scatterElements: "neverRead",
  scatterND: "neverRead",
  tril: "neverRead",
  triu: "neverRead",
  diag: "neverRead",
  unpad: "neverRead",
  floor: "rounded",
  ceil: "rounded",
  round: "rounded",
  sign: "rounded",
  mod: "rounded",
  mul: "zeroFactor",
  div: "zeroFactor",
  matmul: "zeroFactor",
  dot: "zeroFactor",
  einsum: "zeroFactor",
  conv: "zeroFactor",
  prod: "zeroFactor",
  sigmoid: "saturated",
  tanh: "saturated",
  erf: "saturated",
  softplus: "saturated",
  exp: "saturated",
  expm1: "saturated",
  logSumExp: "saturated",
  atan: "saturated",
  customGradient: "ruleSendsNothing",
};

/** Why a gate over which a gradient arrived sent nothing on toward an operand. `linked` false: the elements in question are never read. */
export function stopCause(node: Node, operand: number, linked: boolean, ct: Held | null): Cause {
  const { name, facts } = node.op;
  if (!linked) return "neverRead";
  const known = stops[name];
  if (known === "zeroFactor") return factorIsZero(node, operand, ct) ? "zeroFactor" : sumsAway(node, operand) ? "cancels" : "underflow";
  if (known !== undefined) return known;
  if (facts.family === "unary" || facts.family === "binary") return sumsAway(node, operand) ? "cancels" : "flat";
  return facts.linear !== null ? "cancels" : "ruleSendsNothing";
}

/** Why a gate ends what has a derivative. */
export function blockCause(node: Node): Cause {
  const { name } = node.op;
  if (name === "stop") return "stopped";
  if (name === "cast") return "integer";
  const float = (node.outputs ?? [node]).some((v) => isFloat(v.type.dtype));
  if (!float && node.type.dtype === "bool") return "compared";
  return float ? "ruleSendsNothing" : "integer";
}

function allZero(held: Held): boolean {
  if (typeof held === "number") return held === 0;
  for (let i = 0; i < held.data.length; i++) if (held.data[i] !== 0) return false;
  return true;
}

/** Whether a product's other factors are 0 wherever a gradient arrived (for a quotient's divisor: its dividend). */
function factorIsZero(node: Node, operand: number, ct: Held | null): boolean {
  if (node.op.name === "prod") return true;
  if (node.op.name === "div" && operand === 0) return false;
  if (!isElementwise(node) || ct === null || typeof ct === "number") {
    const others = node.operands.filter((v, j): v is Value => j !== operand && v !== null && isFloat(v.type.dtype));
    return others.some((v) => allZero(heldBy(v))) || (ct !== null && !isElementwise(node) && !sendsAnySize(node, operand, ct));
  }
  const factor = node.op.name === "div" ? 0 : 1 - operand;
  for (let i = 0; i < ct.data.length; i++) if (ct.data[i] !== 0 && numberAt(node, factor, i) === 0) return true;
  return false;
}

/** Whether a product of sizes, in which nothing cancels, would send something: if not, the factors are 0 where it matters. */
function sendsAnySize(node: Node, operand: number, ct: Held): boolean {
  const operands = node.operands.map((v) =>
    v === null || !isFloat(v.type.dtype) ? v : constantOf(heldBy(abs(constantOf(heldBy(v), v.type))), v.type),
  );
  const made = applyTo(node.op, operands, node.attrs) as Value;
  const size = heldBy(abs(constantOf(ct, node.type)));
  const piece = pulled(made.node, [size], (j) => j === operand)[operand];
  return piece != null && !allZero(piece);
}

/** Whether a broadcast operand gets a sum, which may come to 0 of parts that are not. */
function sumsAway(node: Node, operand: number): boolean {
  const x = node.operands[operand]!;
  return (
    node.type.shape.length > x.type.shape.length ||
    node.type.shape.some((s, d) => s !== x.type.shape[d]) ||
    node.op.facts.family === "contract"
  );
}
