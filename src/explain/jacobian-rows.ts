import { fit, regions } from "../autodiff/pullback.ts";
import { heldBy } from "../evaluate/evaluate.ts";
import { allocate } from "../ir/dtype.ts";
import { GradientError } from "../ir/errors.ts";
import { constantOf, lift } from "../ir/leaf.ts";
import { type Node, type Value, valuesOf } from "../ir/node.ts";
import { broadcastStrides, type Shape, sizeOf, stridesOf } from "../ir/shape.ts";
import { dense, hold, numberOf } from "../ir/tensor.ts";
import { typeText } from "../ir/type.ts";

/** How much one element of an operand moves one element of a gate's result. */
export interface Entry {
  readonly operand: number;
  readonly element: number;
  readonly weight: number;
}

/** The entries of one row of a gate's Jacobian: those of one element of one of its results. */
export type Rows = (result: number, element: number) => readonly Entry[];

/** How many numbers may be computed for Jacobians in one question. */
const most = 20_000_000;

/** Counts what Jacobians cost, so that a question about large tensors is refused and not waited for. */
export interface Budget {
  left: number;
}

export function budget(): Budget {
  return { left: most };
}

/** @throws GradientError when too much has been asked for */
function spend(costs: Budget, amount: number, node: Node): void {
  costs.left -= amount;
  if (costs.left < 0)
    throw new GradientError(
      `paths: the Jacobians of tensors as large as ${node.op.name}'s ${typeText(valuesOf(node)[0]!.type)} have too many elements to go through; ask by edge, about a part of the graph, or at a smaller size`,
    );
}

/** A cotangent of a value's type with one element 1 and the others 0. */
export function unit(v: Value, element: number): Value {
  if (v.type.shape.length === 0) return lift(1, v.type.dtype);
  const data = allocate(v.type.dtype, sizeOf(v.type.shape));
  data[element] = 1;
  return constantOf(hold(v.type, data), v.type);
}

/** Whether element i of the result comes from the like-placed elements of the operands alone. */
export function isElementwise(node: Node): boolean {
  const { family } = node.op.facts;
  return node.outputs === null && (family === "unary" || family === "binary" || family === "select");
}

/** For each element of shape `to` the flat place of the element of shape `from` that broadcasting puts there. */
export function broadcastPlaces(from: Shape, to: Shape): (i: number) => number {
  const size = sizeOf(from);
  if (size === 1) return () => 0;
  if (size === sizeOf(to)) return (i) => i;
  const own = broadcastStrides(from, to);
  const whole = stridesOf(to);
  return (i) => {
    let place = 0;
    let rest = i;
    for (let d = 0; d < to.length; d++) {
      const step = whole[d]!;
      const c = step === 0 ? 0 : Math.floor(rest / step);
      rest -= c * step;
      place += c * own[d]!;
    }
    return place;
  };
}

/**
 * The rows of a gate's Jacobian toward the operands that are `wanted`. A derivative of 0 is an entry where the op links the two elements by
 * itself (elementwise ops, and scalars); elsewhere only what is not 0 is one.
 */
export function rowsOf(node: Node, wanted: (operand: number) => boolean, costs: Budget): Rows {
  return isElementwise(node) ? elementwiseRows(node, wanted, costs) : pulledRows(node, wanted, costs);
}

/** As `elementwiseRows`, for a gate on scalars, of which deep graphs have many: one row, and no places to look up. */
function scalarRow(node: Node, wanted: (operand: number) => boolean): Rows {
  const pieces = node.op.pull!(node, lift(1, node.type.dtype), wanted, regions);
  const row: Entry[] = [];
  for (let operand = 0; operand < pieces.length; operand++) {
    if (!wanted(operand)) continue;
    const piece = pieces[operand] ?? null;
    const weight = piece === null ? 0 : typeof piece === "number" ? piece : numberOf(heldBy(lift(piece, node.type.dtype)));
    row.push({ operand, element: 0, weight });
  }
  return () => row;
}

function elementwiseRows(node: Node, wanted: (operand: number) => boolean, costs: Budget): Rows {
  const { shape, dtype } = node.type;
  if (shape.length === 0) return scalarRow(node, wanted);
  const size = sizeOf(shape);
  spend(costs, size * node.operands.length, node);
  const ones = constantOf(hold(node.type, allocate(dtype, size).fill(1)), node.type);
  const pieces = node.op.pull!(node, ones, wanted, regions);
  const parts = node.operands.flatMap((x, operand) => {
    if (x === null || !wanted(operand)) return [];
    const piece = pieces[operand] ?? null;
    const v = piece === null ? null : lift(piece, x.type.dtype);
    const data = v === null ? null : dense(heldBy(v), v.type).data;
    const from = v === null ? null : broadcastPlaces(v.type.shape, shape);
    return [{ operand, data, from, into: broadcastPlaces(x.type.shape, shape) }];
  });
  return (_, i) =>
    parts.map(({ operand, data, from, into }) => ({ operand, element: into(i), weight: data === null ? 0 : data[from!(i)]! }));
}

function pulledRows(node: Node, wanted: (operand: number) => boolean, costs: Budget): Rows {
  const results = valuesOf(node);
  const amount = node.operands.reduce((n, x, j) => (x === null || !wanted(j) ? n : n + sizeOf(x.type.shape)), 64);
  return (result, element) => {
    const v = results[result]!;
    spend(costs, amount + sizeOf(v.type.shape), node);
    const ct = unit(v, element);
    const flow = node.outputs === null ? ct : results.map((o) => (o.index === result ? ct : null));
    const pieces = node.op.pull!(node, flow, wanted, regions);
    const found: Entry[] = [];
    node.operands.forEach((x, operand) => {
      if (x === null || !wanted(operand)) return;
      const piece = fit(node, operand, x, pieces[operand] ?? null);
      const scalars = sizeOf(x.type.shape) === 1 && sizeOf(v.type.shape) === 1;
      if (piece === null) {
        if (scalars) found.push({ operand, element: 0, weight: 0 });
        return;
      }
      const { data } = dense(heldBy(piece), piece.type);
      for (let i = 0; i < data.length; i++) if (data[i] !== 0 || scalars) found.push({ operand, element: i, weight: data[i]! });
    });
    return found;
  };
}
