import type { Between } from "../autodiff/pullback.ts";
import { heldBy } from "../evaluate/evaluate.ts";
import { allocate, isFloat } from "../ir/dtype.ts";
import { ChainruleError } from "../ir/errors.ts";
import { constantOf } from "../ir/leaf.ts";
import { type Node, type Value, valuesOf } from "../ir/node.ts";
import { sameShape, sizeOf } from "../ir/shape.ts";
import { dense, type Held, hold } from "../ir/tensor.ts";
import { applyTo } from "../ops/define.ts";
import { sum } from "../ops/linear/sum.ts";
import { broadcastPlaces, isElementwise } from "./jacobian-rows.ts";

/** Elements of a value: none, all, or those marked 1. */
export type Mask = null | true | Uint8Array;

/** Which elements between x and f hang together with x, whatever the numbers on the way are. */
export interface Reach {
  /** By place and result. */
  readonly masks: readonly (readonly Mask[] | null)[];
  /** The elements of a gate's results that hang together with x through one of its edges. */
  along(edge: number): readonly Mask[];
}

/** Walks from x forward. A gate links elements by what it does to places, not by the numbers it meets: a weight of 0 links too. */
export function reachOf(graph: Between, x: Value, element: number | null): Reach {
  const { order, edges, first } = graph;
  const start = graph.place(x);
  const masks = new Array<Mask[] | null>(order.length).fill(null);
  const images = new Array<readonly Mask[] | null>(edges.length).fill(null);
  const none: readonly Mask[] = [];
  if (start >= 0) {
    masks[start] = valuesOf(x.node).map((v) =>
      v.index !== x.index ? null : element === null ? true : only(sizeOf(v.type.shape), element),
    );
    for (let i = start + 1; i < order.length; i++) {
      const node = order[i]!;
      for (let e = first[i]!; e < first[i + 1]!; e++) {
        const place = edges[e]!;
        if (place < 0) continue;
        const mask = masks[place]?.[node.operands[e - first[i]!]!.index] ?? null;
        if (mask === null) continue;
        const image = imageOf(node, e - first[i]!, mask);
        images[e] = image;
        const before: Mask[] | null = masks[i]!;
        masks[i] = before === null ? [...image] : before.map((m, r) => either(m, image[r]!));
      }
    }
  }
  return { masks, along: (edge) => images[edge] ?? none };
}

function only(size: number, element: number): Mask {
  if (size === 1) return true;
  const mask = new Uint8Array(size);
  mask[element] = 1;
  return mask;
}

function either(a: Mask, b: Mask): Mask {
  if (a === true || b === true) return true;
  if (a === null || b === null) return a ?? b;
  return a.map((m, i) => m | b[i]!);
}

function imageOf(node: Node, operand: number, mask: Exclude<Mask, null>): readonly Mask[] {
  if (isElementwise(node)) {
    if (mask === true) return [true];
    const place = broadcastPlaces(node.operands[operand]!.type.shape, node.type.shape);
    const image = new Uint8Array(sizeOf(node.type.shape));
    for (let i = 0; i < image.length; i++) image[i] = mask[place(i)]!;
    return [settled(image)];
  }
  const { family, linear } = node.op.facts;
  const slot = node.op.slots[Math.min(operand, node.op.slots.length - 1)]!.name;
  if (family === "reduce" && node.outputs === null && "axis" in node.attrs) return [reducedImage(node, operand, mask)];
  if (linear === "all" || linear?.includes(slot) === true) return linearImage(node, operand, mask, linear === "all");
  return valuesOf(node).map(() => true);
}

/** The mask with all 1 as `true`, and with none as null. */
function settled(mask: Uint8Array): Mask {
  let n = 0;
  for (let i = 0; i < mask.length; i++) n += mask[i]!;
  return n === 0 ? null : n === mask.length ? true : mask;
}

function asNumbers(mask: Exclude<Mask, null>, v: Value): Value {
  if (v.type.shape.length === 0) return constantOf(1, v.type);
  const data = allocate(v.type.dtype, sizeOf(v.type.shape));
  for (let i = 0; i < data.length; i++) data[i] = mask === true ? 1 : mask[i]!;
  return constantOf(hold(v.type, data), v.type);
}

function asMask(held: Held): Mask {
  if (typeof held === "number") return held !== 0 ? true : null;
  const mask = new Uint8Array(held.data.length);
  for (let i = 0; i < mask.length; i++) mask[i] = held.data[i] !== 0 ? 1 : 0;
  return settled(mask);
}

function reducedImage(node: Node, operand: number, mask: Exclude<Mask, null>): Mask {
  if (mask === true) return true;
  const { axis, keepDims } = node.attrs as { readonly axis: readonly number[]; readonly keepDims?: boolean };
  const image = sum(asNumbers(mask, node.operands[operand]!), { axis, keepDims: keepDims ?? false });
  return sameShape(image.type.shape, node.type.shape) ? asMask(heldBy(image)) : true;
}

/** A linear op carries a mask as it carries numbers: among zeros where it is linear in all operands, else with ones for its other factors. */
function linearImage(node: Node, operand: number, mask: Exclude<Mask, null>, all: boolean): readonly Mask[] {
  const operands = node.operands.map((v, j) => {
    if (v === null) return null;
    if (j === operand) return asNumbers(mask, v);
    if (!isFloat(v.type.dtype)) return constantOf(heldBy(v), v.type);
    if (v.type.shape.length === 0) return constantOf(all ? 0 : 1, v.type);
    return constantOf(hold(v.type, allocate(v.type.dtype, sizeOf(v.type.shape)).fill(all ? 0 : 1)), v.type);
  });
  try {
    const made = applyTo(node.op, operands, node.attrs);
    const results = node.outputs === null ? [made as Value] : valuesOf((Object.values(made as object)[0] as Value).node);
    return results.map((v) => asMask(heldBy(v)));
  } catch (error) {
    // A kernel may refuse zeros and ones that it never meets in earnest; then every element counts as linked.
    if (error instanceof ChainruleError) return valuesOf(node).map(() => true);
    throw error;
  }
}

/** The L1 norm of the marked elements. */
export function normOn(held: Held | null | undefined, mask: Mask): number {
  if (held == null || mask === null) return 0;
  if (typeof held === "number") return Math.abs(held);
  let total = 0;
  for (let i = 0; i < held.data.length; i++) if (mask === true || mask[i] === 1) total += Math.abs(held.data[i]!);
  return total;
}

/** The elements of a held value as an array. */
export function elementsOf(held: Held, v: Value): ArrayLike<number> {
  return dense(held, v.type).data;
}
