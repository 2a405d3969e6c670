import { heldBy } from "../evaluate/evaluate.ts";
import { isFloat } from "../ir/dtype.ts";
import type { Node, Value } from "../ir/node.ts";
import { sizeOf } from "../ir/shape.ts";
import { dense } from "../ir/tensor.ts";
import type { Cause } from "./finding.ts";
import { broadcastPlaces, isElementwise } from "./jacobian-rows.ts";
import type { FindingWords } from "./words/finding-en.ts";

type Advice = Extract<keyof FindingWords, `advice${string}`>;

/** How a gate made a number that is not finite, through which operand, and what to write instead. */
export interface BadCause {
  readonly cause: Cause;
  readonly operand: number;
  readonly advice: Advice | null;
}

/** The number of an operand that stands at element `at` of an elementwise gate's result. */
export function numberAt(node: Node, operand: number, at: number): number {
  const v = node.operands[operand]!;
  const { data } = dense(heldBy(v), v.type);
  if (isElementwise(node)) return data[broadcastPlaces(v.type.shape, node.type.shape)(at)]!;
  return data.length === 1 ? data[0]! : data.length === sizeOf(node.type.shape) ? data[at]! : Number.NaN;
}

function has(v: Value | null, test: (x: number) => boolean): boolean {
  if (v === null || !isFloat(v.type.dtype)) return false;
  const { data } = dense(heldBy(v), v.type);
  for (let i = 0; i < data.length; i++) if (test(data[i]!)) return true;
  return false;
}

const isInfinite = (x: number): boolean => Math.abs(x) === Number.POSITIVE_INFINITY;

/** The cause of a forward value: `at` is the flat place of the first element that is not finite, `value` what stands there. */
export function forwardCause(node: Node, at: number, value: number, users: (n: Node) => readonly Node[]): BadCause {
  const { name } = node.op;
  const [a, b] = node.operands.map((v, j) => (v !== null && isElementwise(node) ? numberAt(node, j, at) : Number.NaN)) as [number, number];
  switch (name) {
    case "log":
    case "log1p": {
      const edge = name === "log" ? 0 : -1;
      return {
        cause: a === edge ? "logOfZero" : a < edge ? "logOfNegative" : "madeNotFinite",
        operand: 0,
        advice: a < edge ? "adviceNegativeLog" : logAdvice(node),
      };
    }
    case "sqrt":
      return { cause: "rootOfNegative", operand: 0, advice: "adviceNotNegative" };
    case "rsqrt":
      return a === 0
        ? { cause: "overZero", operand: 0, advice: "adviceEpsilonRoot" }
        : { cause: "rootOfNegative", operand: 0, advice: "adviceNotNegative" };
    case "exp":
      return { cause: "overflow", operand: 0, advice: expAdvice(node, users) };
    case "reciprocal":
      return { cause: "overZero", operand: 0, advice: "adviceSafeDivide" };
    case "div":
    case "mod":
      if (b === 0) return { cause: a === 0 || name === "mod" ? "zeroOverZero" : "overZero", operand: 1, advice: "adviceSafeDivide" };
      if (isInfinite(a) && isInfinite(b)) return { cause: "infinityOverInfinity", operand: 1, advice: "adviceScaleDown" };
      break;
    case "add":
    case "sub":
      if (isInfinite(a) && isInfinite(b)) {
        const masked = node.operands.some((v) => isShift(v)) || scopeOf(node).includes("oftmax");
        return { cause: "infinityLessInfinity", operand: 1, advice: masked ? "adviceMaskedRow" : "adviceScaleDown" };
      }
      break;
    case "mul":
      if (Number.isNaN(value)) return { cause: "zeroTimesInfinity", operand: isInfinite(a) ? 0 : 1, advice: "adviceWhereNotTimes" };
      break;
    case "pow":
      if (a < 0 && !Number.isInteger(b)) return { cause: "powerOfNegative", operand: 0, advice: "adviceAbsPower" };
      if (a === 0 && b < 0) return { cause: "zeroToNegative", operand: 0, advice: "adviceSafeDivide" };
      break;
  }
  return generalCause(node, at, value);
}

/** What can be told of any op: its domain, infinities among its operands, overflow. */
function generalCause(node: Node, at: number, value: number): BadCause {
  const { domain } = node.op.facts;
  for (let j = 0; j < node.operands.length; j++) {
    const slot = node.op.slots[Math.min(j, node.op.slots.length - 1)]!.name;
    const range = domain[slot];
    if (range === undefined || node.operands[j] === null) continue;
    const x = numberAt(node, j, at);
    if (
      x < (range.min ?? -Infinity) ||
      x > (range.max ?? Infinity) ||
      (range.nonzero === true && x === 0) ||
      (range.open === true && (x === range.min || x === range.max))
    )
      return { cause: "outsideDomain", operand: j, advice: "adviceDomain" };
  }
  const infinite = node.operands.findIndex((v) => has(v, isInfinite));
  if (infinite >= 0 && Number.isNaN(value)) {
    const bilinear = node.op.facts.linear !== null && node.op.facts.linear !== "all" && node.operands.length > 1;
    return bilinear && node.operands.some((v, j) => j !== infinite && has(v, (x) => x === 0))
      ? { cause: "zeroTimesInfinity", operand: infinite, advice: "adviceWhereNotTimes" }
      : { cause: "infinityLessInfinity", operand: infinite, advice: "adviceScaleDown" };
  }
  if (Number.isNaN(value) && node.operands.some((v) => v !== null && sizeOf(v.type.shape) === 0))
    return { cause: "zeroOverZero", operand: 0, advice: null };
  if (isInfinite(value)) {
    const narrow = node.type.dtype === "f16" || node.type.dtype === "f32" || node.type.dtype === "bf16";
    return { cause: "overflow", operand: 0, advice: narrow ? "adviceWider" : "adviceScaleDown" };
  }
  return { cause: "madeNotFinite", operand: 0, advice: null };
}

function scopeOf(node: Node): string {
  return node.where?.scope ?? "";
}

/** Whether a value comes of one of these ops. */
function made(v: Value | null | undefined, ...ops: readonly string[]): boolean {
  return v != null && ops.includes(v.node.op.name);
}

function operandOf(v: Value | null | undefined, i: number): Value | null {
  return v?.node.operands[i] ?? null;
}

/** max(x), also behind stopGradient: what softmax takes out of its operand. */
function isShift(v: Value | null): boolean {
  return made(v, "max") || (made(v, "stop") && made(operandOf(v, 0), "max"));
}

function logAdvice(node: Node): Advice {
  const x = node.operands[0];
  if (
    made(x, "div") &&
    ((x?.node.where?.scope ?? "").includes("softmax") || (made(operandOf(x, 0), "exp") && made(operandOf(x, 1), "sum")))
  )
    return "adviceLogSoftmax";
  if (made(x, "sigmoid")) return "adviceLogSigmoid";
  if (made(x, "sum") && made(operandOf(x, 0), "exp")) return "adviceLogSumExp";
  return "adviceEpsilonLog";
}

function expAdvice(node: Node, users: (n: Node) => readonly Node[]): Advice {
  for (const user of users(node)) {
    if (user.op.name === "sum") return users(user).some((u) => u.op.name === "log") ? "adviceLogSumExp" : "adviceSoftmax";
    if (user.op.name === "div" && user.operands[0]?.node === node) return "adviceSoftmax";
    if (user.op.name === "add")
      for (const next of users(user)) {
        if (next.op.name === "log") return "adviceSoftplus";
        if (next.op.name === "div" || next.op.name === "reciprocal") return "adviceSigmoid";
      }
  }
  return users(node).some((u) => u.op.name === "log1p") ? "adviceSoftplus" : "adviceScaleDown";
}

/** The cause of a gradient that a gate's rule spoiled: what arrived was finite, what left is not. `upstream` is what arrived at that element. */
export function backwardCause(node: Node, operand: number, upstream: number | null): BadCause {
  const { name } = node.op;
  const times = upstream === 0;
  if (name === "sqrt") {
    const x = node.operands[0];
    const squares = made(x, "sum") && made(operandOf(x, 0), "square", "mul", "pow");
    return {
      cause: times ? "zeroTimesInfiniteSlope" : "slopeOfRoot",
      operand,
      advice: squares ? "adviceNorm" : times ? "adviceDoubleWhere" : "adviceEpsilonRoot",
    };
  }
  if (times) return { cause: "zeroTimesInfiniteSlope", operand, advice: "adviceDoubleWhere" };
  const advice: Advice =
    name === "log" || name === "log1p"
      ? logAdvice(node)
      : name === "div" || name === "reciprocal"
        ? "adviceSafeDivide"
        : name === "rsqrt"
          ? "adviceEpsilonRoot"
          : "adviceDomain";
  return { cause: "infiniteSlope", operand, advice };
}
