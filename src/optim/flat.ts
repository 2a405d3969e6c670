import type { Engine } from "../engines/engine.ts";
import { jit } from "../engines/jit.ts";
import { evaluate } from "../evaluate/evaluate.ts";
import { isFloat } from "../ir/dtype.ts";
import { DomainError, DTypeError, GraphError } from "../ir/errors.ts";
import { typeOfLeaf } from "../ir/graph.ts";
import { isType, lift } from "../ir/leaf.ts";
import type { Value } from "../ir/node.ts";
import { sizeOf } from "../ir/shape.ts";
import { hold, type Tensor, tensor } from "../ir/tensor.ts";
import { leaves, rebuild } from "../ir/tree.ts";
import { type TensorType, typeText } from "../ir/type.ts";
import { cast, reshape, slice } from "../ops/index.ts";

/** A tree of floating-point leaves as one vector. */
export class Flat {
  readonly start: Float64Array;
  /** What rounding the leaves leaves of a number: that of f32 if one of them is. */
  readonly epsilon: number;
  private readonly tree: unknown;
  private readonly paths: readonly string[];
  private readonly types: readonly TensorType[];
  private readonly who: string;

  /** @throws GraphError for types and empty trees, DTypeError for integers, DomainError for numbers that are not finite */
  constructor(tree: unknown, who: string) {
    this.tree = tree;
    this.who = who;
    const found = leaves(tree);
    this.paths = found.map(({ path }) => path);
    const parts = found.map(({ path, leaf }) => {
      const at = path || "the start";
      if (isType(leaf)) throw new GraphError(`${who}: ${at} is a type; a search begins somewhere, so give numbers or tensors`);
      const type = typeOfLeaf(leaf);
      if (!isFloat(type.dtype))
        throw new DTypeError(`${who}: ${at} is ${typeText(type)}; only floating-point numbers are searched: close over it`);
      const { data } = evaluate(lift(leaf, "f64")) as Tensor;
      const bad = data.findIndex((x) => !Number.isFinite(x));
      if (bad >= 0) throw new DomainError(`${who}: element ${bad} of ${at} is ${data[bad]}; the start has to be finite`);
      return { type, data };
    });
    this.types = parts.map(({ type }) => type);
    this.start = Float64Array.from(parts.flatMap(({ data }) => [...data]));
    if (this.start.length === 0) throw new GraphError(`${who}: the start has no numbers in it, so there is nothing to search for`);
    this.epsilon = this.types.every(({ dtype }) => dtype === "f64") ? 2 ** -52 : 2 ** -23;
  }

  /** The tree with these numbers, as tensors. */
  tensors(x: Float64Array): unknown {
    let at = 0;
    let i = 0;
    return rebuild(this.tree, () => {
      const type = this.types[i++]!;
      const part = x.subarray(at, (at += sizeOf(type.shape)));
      return hold(type, tensor(part, type.dtype).data);
    });
  }

  /** The tree of the parts of a vector. */
  private values(x: Value): unknown {
    let at = 0;
    let i = 0;
    return rebuild(this.tree, () => {
      const type = this.types[i++]!;
      const part = slice(x, { axis: 0, start: at, end: (at += sizeOf(type.shape)) });
      const shaped = reshape(part, { shape: type.shape });
      return type.dtype === "f64" ? shaped : cast(shaped, type.dtype);
    });
  }

  /** A function of the tree as one of a vector. */
  of<R>(f: (at: never) => R): (x: Value) => R {
    return (x) => f(this.values(x) as never);
  }

  /** What element `i` is called. */
  name(i: number): string {
    let at = 0;
    for (const [k, type] of this.types.entries()) {
      const size = sizeOf(type.shape);
      if (i < at + size) return size === 1 ? this.paths[k] || "x" : `${this.paths[k] || "x"}[${i - at}]`;
      at += size;
    }
    return this.who;
  }
}

/** A function of a vector as one of numbers to tensors: anew at each point, or compiled once. */
export function caller<R>(f: (x: Value) => R, engine: Engine<"sync"> | undefined): (x: Float64Array) => unknown {
  if (engine === undefined) return (x) => evaluate(f(lift(tensor(x), "f64")));
  const run = jit(f as (x: Value) => Value, engine);
  return (x) => run(x);
}
