import { type DType, isArrayOf, type NumberArray } from "../ir/dtype.ts";
import { isTensor } from "../ir/leaf.ts";
import type { Value } from "../ir/node.ts";
import { sizeOf } from "../ir/shape.ts";
import { dense, type Held, hold, isTypedArray } from "../ir/tensor.ts";
import { isLeaf } from "../ir/tree.ts";
import { sameType, type TensorType } from "../ir/type.ts";
import type { Executable, Mode } from "./engine.ts";

/** A leaf of a tree of inputs or outputs: its place among them, and its type. */
interface LeafPort {
  readonly place: number;
  readonly type: TensorType;
  readonly size: number;
}

interface TreePort {
  readonly list: boolean;
  readonly keys: readonly string[];
  readonly parts: readonly Port[];
}

/** A tree of Values made ready for calls: what is walked for each call is worked out once. */
export type Port = LeafPort | TreePort;

/** A port for a tree of Values; `places` says which number each leaf has, by its path. */
export function portOf(tree: unknown, places: (path: string) => number, path = ""): Port {
  if (isLeaf(tree)) {
    const { type } = tree as Value;
    return { place: places(path), type, size: sizeOf(type.shape) };
  }
  const keys = Object.keys(tree as object);
  const parts = keys.map((k) => portOf((tree as Record<string, unknown>)[k], places, path === "" ? k : `${path}.${k}`));
  return { list: Array.isArray(tree), keys, parts };
}

/** Whether an array has the elements of a type as engines hold them, so that it can be read as it is. */
function fits(data: NumberArray, { type: { dtype }, size }: LeafPort): boolean {
  return data.length === size && isArrayOf(dtype, data);
}

/** Whether any elements of such an array are some of the dtype: those of a tensor are, others may have to be rounded. */
function holdsAll(dtype: DType): boolean {
  return dtype === "f32" || dtype === "f64" || dtype === "i32" || dtype === "bool";
}

/**
 * Takes data out of a tree in the usual case: the very keys, numbers for f64 scalars, and tensors and typed arrays of the very types, whose
 * elements are not copied. False where anything else is there, right or wrong: the long way then knows what to do or say.
 * @param flat typed arrays stand for vectors alone, not for any shape of their size
 */
export function take(given: unknown, port: Port, into: Held[], flat = false): boolean {
  if ("parts" in port) {
    if (typeof given !== "object" || given === null || Array.isArray(given) !== port.list) return false;
    const { keys, parts } = port;
    let count = 0;
    for (const _ in given) count++;
    if (count !== keys.length) return false;
    for (let i = 0; i < keys.length; i++) {
      if (!Object.hasOwn(given, keys[i]!) || !take((given as Record<string, unknown>)[keys[i]!], parts[i]!, into, flat)) return false;
    }
    return true;
  }
  const { type, place } = port;
  if (typeof given === "number") {
    if (type.dtype !== "f64" || type.shape.length !== 0) return false;
    into[place] = given;
    return true;
  }
  if (isTensor(given)) {
    if (!sameType(given.type, type) || !fits(given.data, port)) return false;
    into[place] = type.shape.length === 0 ? given.data[0]! : given;
    return true;
  }
  if (!isTypedArray(given) || (flat && type.shape.length !== 1) || type.shape.length === 0) return false;
  if (!holdsAll(type.dtype) || !fits(given as NumberArray, port)) return false;
  into[place] = hold(type, given as NumberArray);
  return true;
}

/** The tree of tensors for results in the order of places. */
export function give(results: readonly Held[], port: Port): unknown {
  if (!("parts" in port)) return dense(results[port.place]!, port.type);
  const { keys, parts } = port;
  if (port.list) return parts.map((p) => give(results, p));
  const out: Record<string, unknown> = {};
  for (let i = 0; i < keys.length; i++) {
    const key = keys[i]!;
    const value = give(results, parts[i]!);
    if (key === "__proto__") Object.defineProperty(out, key, { value, enumerable: true, configurable: true, writable: true });
    else out[key] = value;
  }
  return out;
}

/** Copies: what runs later must not see what becomes of the caller's data until then. Entries that are not there are left alone. */
export function ownAll({ own }: Executable<Mode>, values: readonly Held[]): Held[] {
  return own?.(values) ?? values.map((held) => (typeof held === "number" ? held : hold(held.type, held.data.slice())));
}
