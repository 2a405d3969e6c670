import { isFloat } from "../../ir/dtype.ts";
import type { Node } from "../../ir/node.ts";
import { broadcastStrides, sizeOf, stridesOf } from "../../ir/shape.ts";
import type { Tensor } from "../../ir/tensor.ts";

/** On which side of its kinks an op is, of its operands; by op. */
const sides: Readonly<Record<string, (x: number, y: number, attrs: { readonly min?: number; readonly max?: number }) => number>> = {
  relu: Math.sign,
  abs: Math.sign,
  sign: Math.sign,
  floor: Math.floor,
  ceil: Math.ceil,
  round: Math.round,
  maximum: (x, y) => Math.sign(x - y),
  minimum: (x, y) => Math.sign(x - y),
  less: (x, y) => Math.sign(x - y),
  lessEqual: (x, y) => Math.sign(x - y),
  greater: (x, y) => Math.sign(x - y),
  greaterEqual: (x, y) => Math.sign(x - y),
  equal: (x, y) => Math.sign(x - y),
  clip: (x, _, { min = Number.NEGATIVE_INFINITY, max = Number.POSITIVE_INFINITY }) => (x < min ? -1 : x > max ? 1 : 0),
};

/**
 * The side of every element of every gate with kinks, one list a gate in order of computation: between two evaluations of one graph, the places
 * where the lists differ are the kinks that were crossed. The winner of `max` and `min` is its place.
 */
export function sidesIn(order: readonly Node[], hold: (node: Node, operand: number) => Tensor): Float64Array[] {
  const found: Float64Array[] = [];
  for (const node of order) {
    const operands = node.operands.map((v, i) => (v === null || !isFloat(v.type.dtype) ? null : hold(node, i)));
    if (operands.length === 0 || operands.some((t) => t === null)) continue;
    const given = operands as Tensor[];
    const side = Object.hasOwn(sides, node.op.name) ? sides[node.op.name] : undefined;
    if (side !== undefined) found.push(elementwise(node, given, (x, y) => side(x, y, node.attrs)));
    else if (node.op.name === "max" || node.op.name === "min") found.push(winners(node, given[0]!));
  }
  return found;
}

function elementwise(node: Node, operands: readonly Tensor[], side: (x: number, y: number) => number): Float64Array {
  const { shape } = node.type;
  const out = new Float64Array(sizeOf(shape));
  const [a, b = a!] = operands as [Tensor, Tensor?];
  const own = stridesOf(shape);
  const placed = (t: Tensor): ((i: number) => number) => {
    if (t.data.length === out.length) return (i) => i;
    const strides = broadcastStrides(t.type.shape, shape);
    return (i) => shape.reduce((p, size, axis) => p + strides[axis]! * (Math.floor(i / own[axis]!) % size), 0);
  };
  const [atA, atB] = [placed(a), placed(b)];
  for (let i = 0; i < out.length; i++) out[i] = side(a.data[atA(i)]!, b.data[atB(i)]!);
  return out;
}

function winners(node: Node, { type: { shape }, data }: Tensor): Float64Array {
  const { axis } = node.attrs as { readonly axis: readonly number[] };
  const own = stridesOf(shape);
  const sign = node.op.name === "max" ? 1 : -1;
  const kept = shape.map((_, i) => i).filter((i) => !axis.includes(i));
  const best = new Map<number, number>();
  for (let i = 0; i < data.length; i++) {
    const place = kept.reduce((p, a) => p * shape[a]! + (Math.floor(i / own[a]!) % shape[a]!), 0);
    const known = best.get(place);
    if (known === undefined || sign * data[i]! > sign * data[known]!) best.set(place, i);
  }
  return Float64Array.from(best.values());
}

/** How many elements are on another side. */
export function crossings(a: readonly Float64Array[], b: readonly Float64Array[]): number {
  let n = 0;
  a.forEach((list, k) => {
    const other = b[k];
    for (let i = 0; i < list.length; i++) if (!Object.is(list[i], other?.[i])) n++;
  });
  return n;
}
