import type { DType } from "../ir/dtype.ts";
import { type AnyGraph, isGraph, nodesOf } from "../ir/graph.ts";
import { constantOp, inputOp } from "../ir/leaf.ts";
import { type Node, type Value, valuesOf } from "../ir/node.ts";
import { sizeOf } from "../ir/shape.ts";
import { leaves } from "../ir/tree.ts";
import type { TensorType } from "../ir/type.ts";
import { inOrderOfMaking } from "../ir/walk.ts";

const widths: Readonly<Record<DType, number>> = {
  f64: 8,
  f32: 4,
  f16: 2,
  bf16: 2,
  i64: 8,
  i32: 4,
  i16: 2,
  i8: 1,
  u64: 8,
  u32: 4,
  u16: 2,
  u8: 1,
  bool: 1,
};

/** The bytes of a tensor's elements. */
export function bytesOf(type: TensorType): number {
  return widths[type.dtype] * sizeOf(type.shape);
}

/** The bytes of all results of a node. */
export function nodeBytes(node: Node): number {
  return valuesOf(node).reduce((n, v) => n + bytesOf(v.type), 0);
}

/** The graphs among a node's attributes, and how often each runs; a loop whose rounds depend on values counts as one round. */
export function bodiesOf(node: Node): readonly { readonly graph: AnyGraph; readonly times: number }[] {
  const { rows } = node.attrs as { rows?: unknown };
  return Object.values(node.attrs as Record<string, unknown>)
    .filter(isGraph)
    .map((graph) => ({ graph, times: typeof rows === "number" ? rows : 1 }));
}

/**
 * An estimate of the floating-point operations of one node: one per element for elementwise ops and reductions, none for moving elements, and for
 * contractions twice the geometric mean of the sizes of all three tensors to the power of 3/2, which is 2mkn for a product of matrices.
 */
export function nodeFlops(node: Node): number {
  const inner = bodiesOf(node);
  if (inner.length > 0) return inner.reduce((n, { graph, times }) => n + times * graphFlops(graph), 0);
  const out = valuesOf(node).reduce((n, v) => n + sizeOf(v.type.shape), 0);
  const sizes = node.operands.map((v) => (v === null ? 0 : sizeOf(v.type.shape)));
  switch (node.op.facts.family) {
    case "leaf":
    case "linear":
      return 0;
    case "contract":
      return 2 * Math.sqrt((sizes[0] ?? 0) * (sizes[1] ?? 1) * out);
    default:
      return Math.max(out, ...sizes);
  }
}

/** The floating-point operations of products and convolutions alone, by estimate, those in bodies of loops and branches too. */
export function productFlops(nodes: readonly Node[]): number {
  return nodes.reduce((n, node) => {
    const inner = bodiesOf(node);
    if (inner.length > 0) return n + inner.reduce((m, { graph, times }) => m + times * productFlops(nodesOf(graph)), 0);
    return node.op.facts.family === "contract" ? n + nodeFlops(node) : n;
  }, 0);
}

function graphFlops(g: AnyGraph): number {
  return nodesOf(g).reduce((n, node) => n + nodeFlops(node), 0);
}

/** What running a graph takes, by estimate. */
export interface Cost {
  /** Floating-point operations. */
  readonly flops: number;
  /** The most bytes held at a time, inputs and outputs included, when each result is dropped after its last use. */
  readonly peakBytes: number;
}

/**
 * What running a graph once takes: floating-point operations by estimate, and the most bytes that the reference engine holds at a time, which drops each
 * result after its last use. Bodies of loops and branches count while they run.
 */
export function costOf(g: AnyGraph): Cost {
  return { flops: graphFlops(g), peakBytes: peakOf(g) };
}

function peakOf(g: AnyGraph): number {
  const order = inOrderOfMaking(nodesOf(g));
  const place = new Map(order.map((node, i) => [node, i]));
  const last = new Int32Array(order.length).fill(-1);
  order.forEach((node, i) => {
    for (const v of node.operands) if (v !== null) last[place.get(v.node)!] = i;
  });
  const kept = new Set(leaves(g.outputs).map(({ leaf }) => (leaf as Value).node));
  const free = (node: Node): boolean => !kept.has(node) && node.op !== inputOp && node.op !== constantOp;
  let held = order.filter((node) => node.op === inputOp).reduce((n, node) => n + nodeBytes(node), 0);
  let most = held;
  order.forEach((node, i) => {
    if (node.op === inputOp) return;
    held += nodeBytes(node);
    const inside = bodiesOf(node).reduce((n, { graph }) => Math.max(n, peakOf(graph)), 0);
    most = Math.max(most, held + inside);
    for (const p of new Set(node.operands.flatMap((v) => (v === null ? [] : [v.node]))))
      if (last[place.get(p)!] === i && free(p)) held -= nodeBytes(p);
    if (last[i] === -1 && free(node)) held -= nodeBytes(node);
  });
  return most;
}
