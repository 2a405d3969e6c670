import { type DType, isFloat, isInteger } from "./dtype.ts";
import { DTypeError, GraphError, InternalError, ShapeError } from "./errors.ts";
import { forever, type Keeper, Node, noAttrs, noOperands, type Value } from "./node.ts";
import type { AnyOp, Operand } from "./op.ts";
import { sizeOf } from "./shape.ts";
import { type Held, isTypedArray, type Nested, numberOf, settleNumber, type Tensor, tensor } from "./tensor.ts";
import { sameType, scalarType, type TensorType, tensorType, typeText } from "./type.ts";

/* @__NO_SIDE_EFFECTS__ */
function leafOp(name: string): AnyOp {
  const never = (): never => {
    throw new InternalError(`${name} is a leaf and is never applied`);
  };
  return {
    name,
    operands: [],
    slots: [],
    results: null,
    symbol: null,
    infer: never,
    run: never,
    scalar: null,
    pull: null,
    push: null,
    batch: null,
    facts: {
      domain: {},
      kink: null,
      local: null,
      formula: null,
      family: "leaf",
      linear: null,
      reach: null,
      dtypes: {},
      lower: null,
    },
  };
}

/** The op of leaves made by `variable`. */
export const variableOp: AnyOp = /* @__PURE__ */ leafOp("variable");
/** The op of leaves made by `constant`, and of literals. */
export const constantOp: AnyOp = /* @__PURE__ */ leafOp("constant");
/** The op of leaves made by `input`, which have a type and no value. */
export const inputOp: AnyOp = /* @__PURE__ */ leafOp("input");

/**
 * Whether this is a Value.
 * @throws GraphError for a Value of another copy of the library: serial numbers count per copy, so a walk over both would stop early and leave out
 *   gradients without a word
 */
export function isValue(x: unknown): x is Value {
  if (x instanceof Node) return true;
  if (typeof x !== "object" || x === null || (x as { kind?: unknown }).kind !== "value" || !("node" in x)) return false;
  if (x.node instanceof Node) return true;
  throw new GraphError(
    "a Value comes from another copy of chainrule, and the two cannot share a graph; install one version (npm ls chainrule shows where each comes from), bundle it once, and import it by one name",
  );
}

export function isTensor(x: unknown): x is Tensor {
  return typeof x === "object" && x !== null && (x as { kind?: unknown }).kind === "tensor" && "data" in x;
}

export function isType(x: unknown): x is TensorType {
  return typeof x === "object" && x !== null && (x as { kind?: unknown }).kind === "type" && "shape" in x;
}

export function isOperand(x: unknown): x is Operand {
  return typeof x === "number" || isValue(x) || isTensor(x) || isTypedArray(x);
}

function leaf(op: AnyOp, type: TensorType, held: Held | undefined, keeper: Keeper | null, label: string | null): Node {
  const node = new Node(op, noOperands, noAttrs, type, keeper);
  node.memo = held;
  node.label = label;
  return node;
}

function concrete(x: Tensor | ReturnType<typeof tensor>["data"] | Nested, dtype: DType | undefined, who: string): Tensor {
  if (isValue(x)) throw new GraphError(`${who}: a Value is not data; pass evaluate(value), or use the Value as it is`);
  if (isTensor(x)) return tensor(x.data, dtype === undefined || dtype === x.type.dtype ? x.type : tensorType(dtype, x.type.shape));
  return tensor(x, dtype);
}

function heldOf(t: Tensor): Held {
  return t.type.shape.length === 0 ? numberOf(t) : t;
}

/**
 * A leaf with a value that will be asked about: derivatives with respect to it can be taken at any time.
 * @param value a number (f64), a typed array, a Tensor or nested lists; copied, and never changed afterwards
 * @param name what pictures, errors and explanations call it
 */
export function variable(value: Operand | Nested, name?: string): Value {
  if (typeof value === "number") return leaf(variableOp, scalarType("f64"), value, forever, name ?? null);
  const t = concrete(value as Tensor, undefined, "variable");
  return leaf(variableOp, t.type, heldOf(t), forever, name ?? null);
}

/** A variable over what its owner never changes: no copy. */
export function variableOf(t: Tensor, name: string): Value {
  return leaf(variableOp, t.type, heldOf(t), forever, name);
}

/** A leaf with a value that is never asked about: gradients with respect to it are an error. @throws as `tensor` does */
export function constant(value: Operand | Nested, dtype?: DType): Value {
  if (typeof value === "number") return literal(value, dtype ?? "f64");
  const t = concrete(value as Tensor, dtype, "constant");
  return leaf(constantOp, t.type, heldOf(t), null, null);
}

/** A leaf with a type and no value: what graphs are made of. */
export function input(type: TensorType, name: string): Value {
  return leaf(inputOp, type, undefined, forever, name);
}

/** A constant over what an engine or rule already owns: no copy. */
export function constantOf(held: Held, type: TensorType): Value {
  return leaf(constantOp, type, held, null, null);
}

/**
 * A JavaScript number as a scalar constant of `dtype`.
 * @throws DTypeError when an integer dtype cannot hold it
 */
export function literal(x: number, dtype: DType): Value {
  const held = settleNumber(dtype, x);
  if (!isFloat(dtype) && held !== x)
    throw new DTypeError(
      `${x} beside ${dtype}: ${dtype} cannot hold it; write cast(..., "f64") on the other operand, or ${isInteger(dtype) ? "a whole number in range" : "0 or 1"}`,
    );
  return leaf(constantOp, scalarType(dtype), held, null, null);
}

/** An operand as a Value; bare numbers take `dtype`. Values pass through. */
export function lift(x: Operand, dtype: DType): Value {
  if (typeof x === "number") return literal(x, dtype);
  if (isValue(x)) return x;
  if (isTensor(x) || isTypedArray(x)) return constant(x);
  throw new GraphError(
    `an operand is ${(x ?? null) === null ? x : Array.isArray(x) ? "a list; a vector is tensor([1, 2])" : typeof x === "object" ? "a record" : `a ${typeof x}`}; operands are Values, Tensors, typed arrays and numbers`,
  );
}

/** Data or a Value for a place whose type is declared: numbers and lists convert, typed arrays and tensors must match. */
export function liftTo(x: Operand, type: TensorType, where: string): Value {
  if (typeof x === "number" && type.shape.length === 0) return literal(x, type.dtype);
  if (isTypedArray(x)) {
    if (x.length !== sizeOf(type.shape))
      throw new ShapeError(`${where} is ${typeText(type)}, with ${sizeOf(type.shape)} elements; ${x.length} were given`);
    const own = tensor(x, x instanceof Uint8Array && type.dtype === "bool" ? "bool" : undefined);
    if (own.type.dtype !== type.dtype) throw new DTypeError(`${where} is ${typeText(type)}; the typed array given is ${own.type.dtype}`);
    return constantOf(heldOf({ ...own, type }), type);
  }
  const v = lift(x, type.dtype);
  if (v.type.dtype !== type.dtype)
    throw new DTypeError(`${where} is ${typeText(type)}; ${typeText(v.type)} was given; write cast(..., "${type.dtype}")`);
  if (!sameType(v.type, type)) throw new ShapeError(`${where} is ${typeText(type)}; ${typeText(v.type)} was given`);
  return v;
}

/** The number that a scalar literal holds, or null: what rules use to stay small for constant exponents and factors. */
export function literalOf(v: Value): number | null {
  return v.node.op === constantOp && typeof v.node.memo === "number" ? v.node.memo : null;
}

/** What errors and pictures call a value: its name, else its op. */
export function nameOf(v: Value): string {
  const { label, op } = v.node;
  if (label !== null) return label;
  if (op === constantOp && typeof v.node.memo === "number") return String(v.node.memo);
  return op.name;
}

/** Gives a value a name for pictures, errors and explanations; the first name stays. Returns the same value. */
export function named<V extends Value>(value: V, name: string): V {
  value.node.label ??= name;
  return value;
}
