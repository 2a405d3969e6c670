import type { Node } from "../../ir/node.ts";
import { broadcastStrides, sizeOf, stridesOf } from "../../ir/shape.ts";
import type { Tensor } from "../../ir/tensor.ts";

/** What two libraries take for the derivative of an op at its kink or tie. */
export interface Convention {
  /** PyTorch's, which this library follows (`docs/conventions.md`). */
  readonly pytorch: string;
  /** JAX's, as its source has it (`jax/_src/lax/lax.py`, `jax/_src/nn/functions.py`, `jax/_src/numpy/`). */
  readonly jax: string;
}

const half = { pytorch: "1/2, 1/2", jax: "1/2, 1/2" };
const none = { pytorch: "0", jax: "0" };

/** By the innermost scope that a function of ours writes, else by op. */
const conventions: Readonly<Record<string, Convention>> = {
  relu: none,
  abs: none,
  sign: none,
  floor: none,
  ceil: none,
  round: none,
  maximum: half,
  minimum: half,
  max: { pytorch: "1/n", jax: "1/n" },
  min: { pytorch: "1/n", jax: "1/n" },
  clip: { pytorch: "1", jax: "1/2" },
  norm: { pytorch: "0", jax: "NaN" },
  leakyRelu: { pytorch: "slope", jax: "1" },
  elu: { pytorch: "alpha", jax: "alpha" },
  hardSigmoid: { pytorch: "0", jax: "1/12" },
};

/** The convention at a kink of a node, null where no table has one. */
export function conventionOf(node: Node): Convention | null {
  const inner = node.where?.scope?.split("/").at(-1);
  if (inner !== undefined && Object.hasOwn(conventions, inner)) return conventions[inner]!;
  return Object.hasOwn(conventions, node.op.name) ? conventions[node.op.name]! : null;
}

/** How many elements of a node sit exactly on a kink or tie of its op. */
export function elementsOnKink(node: Node, operands: readonly Tensor[], result: Tensor): number {
  const { kink, family } = node.op.facts;
  const [x] = operands;
  if (x === undefined) return 0;
  if (node.op.name === "max" || node.op.name === "min") return tiedExtremes(node, x);
  if (node.op.name === "norm") return count(result, (v) => v === 0);
  if (kink === null || (family !== "unary" && family !== "binary" && operands.length > 2)) return 0;
  if (operands.length === 1) return count(x, (v) => kink([v], node.attrs) === 0);
  const shape = node.type.shape;
  const strides = operands.map((t) => broadcastStrides(t.type.shape, shape));
  const own = stridesOf(shape);
  let found = 0;
  const at = new Array<number>(operands.length);
  for (let i = 0; i < sizeOf(shape); i++) {
    for (let k = 0; k < operands.length; k++) {
      let place = 0;
      for (let axis = 0; axis < shape.length; axis++) place += strides[k]![axis]! * (Math.floor(i / own[axis]!) % shape[axis]!);
      at[k] = operands[k]!.data[place]!;
    }
    if (kink(at, node.attrs) === 0) found++;
  }
  return found;
}

function count({ data }: Tensor, is: (x: number) => boolean): number {
  let n = 0;
  for (let i = 0; i < data.length; i++) if (is(data[i]!)) n++;
  return n;
}

/** How many results of a reduction are reached by more than one element. */
function tiedExtremes(node: Node, x: Tensor): number {
  const { axis } = node.attrs as { axis: readonly number[] };
  const { shape } = x.type;
  const own = stridesOf(shape);
  const kept = shape.map((_, i) => i).filter((i) => !axis.includes(i));
  const sign = node.op.name === "max" ? 1 : -1;
  const best = new Map<number, { value: number; ties: number }>();
  for (let i = 0; i < x.data.length; i++) {
    let place = 0;
    for (const a of kept) place = place * shape[a]! + (Math.floor(i / own[a]!) % shape[a]!);
    const value = sign * x.data[i]!;
    const known = best.get(place);
    if (known === undefined || value > known.value) best.set(place, { value, ties: 1 });
    else if (value === known.value) known.ties++;
  }
  let tied = 0;
  for (const { ties } of best.values()) if (ties > 1) tied++;
  return tied;
}
