import { evaluate, heldBy } from "../evaluate/evaluate.ts";
import { allocate, isFloat, type NumberArray } from "../ir/dtype.ts";
import { InternalError } from "../ir/errors.ts";
import { constantOf, constantOp, variableOp } from "../ir/leaf.ts";
import { type Node, type Value, valuesOf } from "../ir/node.ts";
import type { AnyOp, Interval } from "../ir/op.ts";
import { broadcast, broadcastStrides, sizeOf, stridesOf } from "../ir/shape.ts";
import { dense, hold, type Tensor } from "../ir/tensor.ts";
import { leaves } from "../ir/tree.ts";
import { tensorType } from "../ir/type.ts";
import { applyTo } from "../ops/define.ts";

/** One point at which laws are checked: an op with operands and attributes, or any function of tensors. */
export interface Case {
  readonly name: string;
  /** The op when the case is one application of it; null for a function. */
  readonly op: AnyOp | null;
  readonly operands: readonly (Tensor | null)[];
  readonly attrs: object;
  /** How far each element may be moved without leaving the domain or crossing a kink. */
  readonly room: readonly (Float64Array | null)[];
  /** Which operands have derivatives. */
  readonly floats: readonly number[];
  apply(operands: readonly (Value | null)[]): readonly Value[];
}

/** A constant over a copy of a tensor. */
export function constantFrom(t: Tensor): Value {
  const data = t.data.slice();
  return constantOf(t.type.shape.length === 0 ? data[0]! : hold(t.type, data), t.type);
}

/** The values of a call's result, whatever tree it is. */
export function resultsIn(result: unknown): readonly Value[] {
  return leaves(result).map(({ leaf }) => leaf as Value);
}

/** A case from the arguments of a call of an op: what `op(...args)` means, with the operands as tensors. */
export function caseOf(op: AnyOp, args: readonly unknown[], room?: readonly (number | null)[]): Case {
  const made = resultsIn((op as unknown as (...a: unknown[]) => unknown)(...args));
  const node = made[0]?.node;
  if (node === undefined || node.op.name !== op.name || made.length !== valuesOf(node).length)
    throw new InternalError(`${op.name}: the call did not make one node of the op; give it as a function of tensors instead`);
  const operands = node.operands.map((v) => (v === null ? null : tensorOf(v)));
  return {
    name: op.name,
    op,
    operands,
    attrs: node.attrs,
    room: roomOf(op, node, operands, room),
    floats: floatsOf(operands),
    apply: (values) => valuesOf((resultsIn(applyTo(node.op, values, node.attrs))[0] as Value).node),
  };
}

/** A case from a function of tensors. */
export function caseOfFunction(
  name: string,
  f: (...xs: Value[]) => unknown,
  operands: readonly Tensor[],
  room?: readonly (number | null)[],
): Case {
  const floats = floatsOf(operands);
  return {
    name,
    op: null,
    operands,
    attrs: {},
    room: operands.map((t, i) => (isFloat(t.type.dtype) ? new Float64Array(t.data.length).fill(room?.[i] ?? 1) : null)),
    floats,
    apply: (values) => resultsIn(f(...(values as Value[]))),
  };
}

function floatsOf(operands: readonly (Tensor | null)[]): number[] {
  return operands.flatMap((t, i) => (t !== null && isFloat(t.type.dtype) ? [i] : []));
}

function tensorOf(v: Value): Tensor {
  if (v.node.op !== constantOp && v.node.op !== variableOp) return evaluate(v) as Tensor;
  const t = dense(heldBy(v), v.type);
  return hold(t.type, t.data.slice());
}

function distance(x: number, { min, max, nonzero }: Interval): number {
  let d = Number.POSITIVE_INFINITY;
  if (min !== undefined) d = Math.min(d, x - min);
  if (max !== undefined) d = Math.min(d, max - x);
  return nonzero === true ? Math.min(d, Math.abs(x)) : d;
}

/** Room by the declared domain, the kink distance of elementwise ops, and what the sampler says (a number for all elements of an operand). */
export function roomOf(
  op: AnyOp,
  node: Node,
  operands: readonly (Tensor | null)[],
  given: readonly (number | null)[] | undefined,
): (Float64Array | null)[] {
  const { domain, kink } = op.facts;
  const rooms = operands.map((t, i) => {
    if (t === null || !isFloat(t.type.dtype)) return null;
    const interval = domain[op.slots[Math.min(i, op.slots.length - 1)]!.name];
    return Float64Array.from(t.data, (x) => Math.min(given?.[i] ?? 1, interval === undefined ? 1 : distance(x, interval)));
  });
  if (kink === null || operands.some((t) => t === null)) return rooms;
  const tensors = operands as readonly Tensor[];
  const shape = tensors.reduce<readonly number[] | null>((s, t) => s && broadcast(s, t.type.shape), []);
  if (shape === null || sizeOf(shape) !== sizeOf(valuesOf(node)[0]!.type.shape)) return rooms;
  const strides = tensors.map((t) => broadcastStrides(t.type.shape, shape));
  const own = stridesOf(shape);
  for (let i = 0; i < sizeOf(shape); i++) {
    const at = strides.map((s) => s.reduce((p, step, axis) => p + step * (Math.floor(i / own[axis]!) % shape[axis]!), 0));
    const d =
      kink(
        tensors.map((t, k) => t.data[at[k]!]!),
        node.attrs,
      ) / Math.max(1, tensors.length);
    rooms.forEach((r, k) => {
      if (r !== null) r[at[k]!] = Math.min(r[at[k]!]!, d);
    });
  }
  return rooms;
}

/** The same tensors in another float dtype, rounded. */
export function inDtype(t: Tensor, dtype: "f64" | "f32"): Tensor {
  if (!isFloat(t.type.dtype)) return t;
  const data: NumberArray = allocate(dtype, t.data.length);
  data.set(t.data);
  return hold(tensorType(dtype, t.type.shape), data);
}
