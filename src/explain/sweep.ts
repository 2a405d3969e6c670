import { type Between, fit, regions } from "../autodiff/pullback.ts";
import { heldBy } from "../evaluate/evaluate.ts";
import { GraphError } from "../ir/errors.ts";
import { constantOf, constantOp, inputOp, nameOf, variableOp } from "../ir/leaf.ts";
import { type Node, type Value, valuesOf } from "../ir/node.ts";
import { dense, type Held, hold, settle, settleNumber } from "../ir/tensor.ts";
import type { TensorType } from "../ir/type.ts";

/** The cotangents of the results of a node, null where none arrived. */
export type Arrived = readonly (Held | null)[];

/** A backward pass in numbers: what arrived at every node, and what every gate sent along each of its edges. */
export interface Sweep {
  readonly arrived: readonly (Arrived | null)[];
  /** By edge, as in `Between.edges`; null where nothing was sent. */
  readonly sent: readonly (Held | null)[];
}

/** The sum of two cotangents of one type, rounded to its dtype. */
export function plus(a: Held, b: Held, type: TensorType): Held {
  if (typeof a === "number" && typeof b === "number") return settleNumber(type.dtype, a + b);
  const x = dense(a, type).data;
  const y = dense(b, type).data;
  const sum = x.slice();
  for (let i = 0; i < sum.length; i++) sum[i]! += y[i]!;
  return hold(type, settle(type.dtype, sum));
}

/** What a gate sends to the operands that are wanted, given what arrived at its results; null where the rule sends nothing. */
export function pulled(node: Node, arrived: Arrived, wanted: (operand: number) => boolean): (Held | null)[] {
  const results = valuesOf(node);
  const cts = arrived.map((held, r) => (held === null ? null : constantOf(held, results[r]!.type)));
  const pieces = node.op.pull!(node, node.outputs === null ? cts[0]! : cts, wanted, regions);
  return node.operands.map((x, j) => {
    if (x === null || !wanted(j)) return null;
    const piece = fit(node, j, x, pieces[j] ?? null);
    return piece === null ? null : heldBy(piece);
  });
}

/** Sends the cotangents `given` (by place) backward through the graph, gate by gate. */
export function sweep(graph: Between, given: ReadonlyMap<number, Arrived>): Sweep {
  const { order, edges, first } = graph;
  const arrived = new Array<(Held | null)[] | null>(order.length).fill(null);
  const sent = new Array<Held | null>(edges.length).fill(null);
  for (const [place, cts] of given) arrived[place] = [...cts];
  for (let i = order.length - 1; i >= 0; i--) {
    const cts = arrived[i];
    const node = order[i]!;
    const start = first[i]!;
    if (cts == null || node.op.pull === null || !leads(edges, start, first[i + 1]!)) continue;
    const pieces = pulled(node, cts, (j) => edges[start + j]! >= 0);
    for (let j = 0; j < pieces.length; j++) {
      const piece = pieces[j]!;
      const place = edges[start + j]!;
      if (piece === null || place < 0) continue;
      sent[start + j] = piece;
      deliver(arrived, place, node.operands[j]!, piece);
    }
  }
  return { arrived, sent };
}

/** Adds a cotangent to what has arrived at a value. */
export function deliver(arrived: ((Held | null)[] | null)[], place: number, x: Value, piece: Held): void {
  const list = (arrived[place] ??= valuesOf(x.node).map(() => null));
  const before = list[x.index] ?? null;
  list[x.index] = before === null ? piece : plus(before, piece, x.type);
}

function leads(edges: readonly number[], from: number, to: number): boolean {
  for (let k = from; k < to; k++) if (edges[k]! >= 0) return true;
  return false;
}

/** @throws GraphError for a value that forgot how it was made, because nothing behind it can be asked about */
export function checkHistory(f: Value, who: string): void {
  const { node } = f;
  if (node.operands.length > 0 || node.op === variableOp || node.op === constantOp || node.op === inputOp || node.memo === undefined)
    return;
  throw new GraphError(
    `${who}: ${nameOf(f)} depends on no variable, so how it was made is forgotten once it is read; make what you ask about a variable(...)`,
  );
}
