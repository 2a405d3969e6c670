import { isFloat } from "../ir/dtype.ts";
import { type Graph, graphOf, substitute } from "../ir/graph.ts";
import { constantOp, input, lift, nameOf } from "../ir/leaf.ts";
import { type Node, type Value, valuesOf } from "../ir/node.ts";
import type { Body } from "../ir/op.ts";
import { leaves } from "../ir/tree.ts";
import type { TensorType } from "../ir/type.ts";
import { collect } from "../ir/walk.ts";
import { expand } from "../ops/linear/sum.ts";

/** A graph over lists, as nodes with graph-valued attributes hold it. */
export type Region = Graph<readonly Value[], readonly Value[]>;

const bodies = new WeakMap<object, Body>();
const regionsOfBodies = new WeakMap<Body, Region>();

/** A region as walks see it: one body object per graph, so that what is derived of it is kept. */
export function bodyOf(graph: Region): Body {
  let body = bodies.get(graph);
  if (body === undefined) {
    body = {
      inputs: leaves(graph.inputs).map(({ leaf }) => leaf as Value),
      outputs: leaves(graph.outputs).map(({ leaf }) => leaf as Value),
    };
    bodies.set(graph, body);
  }
  return body;
}

/** A body as a region: one region per body. */
export function regionOf(body: Body): Region {
  let region = regionsOfBodies.get(body);
  if (region === undefined) {
    region = graphOf(body.inputs as never, body.outputs) as unknown as Region;
    regionsOfBodies.set(body, region);
    bodies.set(region, body);
  }
  return region;
}

/** The zero of a value's type. */
export function zeroLike(v: { readonly type: TensorType }): Value {
  const zero = lift(0, v.type.dtype);
  return v.type.shape.length === 0 ? zero : expand(zero, { shape: v.type.shape });
}

/** A body without surroundings. */
export interface Closed {
  /** Takes the body's own inputs, then what was captured. */
  readonly body: Body;
  /** Values of the surroundings that it uses. */
  readonly captured: readonly Value[];
}

/**
 * A body with what it uses of its surroundings turned into inputs; constants stay inside. What does not depend on the body's own inputs is
 * outside, so a loop computes it once; with `since`, what was built from that serial on is inside, so a branch that is not taken is not computed.
 */
export function close(own: readonly Value[], outputs: readonly Value[], since?: number): Closed {
  let floor = since ?? Number.POSITIVE_INFINITY;
  for (const v of own) floor = Math.min(floor, v.node.serial);
  const inside = new Set(own.map((v) => v.node));
  const captured = new Map<Value, Value>();
  const capture = (v: Value | null): void => {
    if (v !== null && !inside.has(v.node) && v.node.op !== constantOp && !captured.has(v)) captured.set(v, input(v.type, nameOf(v)));
  };
  const order = collect(outputs, floor);
  for (const node of order)
    if (since === undefined ? node.operands.some((v) => v !== null && inside.has(v.node)) : node.serial >= since) inside.add(node);
  const given = new Set(own.map((v) => v.node));
  for (const node of inside) if (!given.has(node)) node.operands.forEach(capture);
  outputs.forEach(capture);
  const closed = captured.size === 0 ? outputs : substitute(outputs, captured);
  return { body: { inputs: [...own, ...captured.values()], outputs: closed }, captured: [...captured.keys()] };
}

/** Bodies that share what they capture. */
export interface ClosedTogether {
  /** Each takes its own inputs, then all that was captured. */
  readonly bodies: readonly Body[];
  readonly captured: readonly Value[];
}

/** Closes several bodies over one list of captured values. */
export function closeTogether(
  parts: readonly { readonly own: readonly Value[]; readonly outputs: readonly Value[] }[],
  since?: number,
): ClosedTogether {
  const closed = parts.map(({ own, outputs }) => close(own, outputs, since));
  const captured = [...new Set(closed.flatMap((c) => c.captured))];
  const bodies = closed.map((c, i) => {
    const { own } = parts[i]!;
    const holders = new Map(c.captured.map((v, k) => [v, c.body.inputs[own.length + k]!]));
    return { inputs: [...own, ...captured.map((v) => holders.get(v) ?? input(v.type, nameOf(v)))], outputs: c.body.outputs };
  });
  return { bodies, captured };
}

/** A body on values: its nodes anew, in the place where this is called. */
export function inlined({ inputs, outputs }: Body, given: readonly Value[]): readonly Value[] {
  return substitute(outputs, new Map(inputs.map((v, i) => [v, given[i]!])));
}

/** Which inputs a body uses. */
export function usedInputs({ inputs, outputs }: Body): boolean[] {
  const used = new Set<Node>(collect(outputs));
  return inputs.map((v) => used.has(v.node));
}

/** Which outputs a derivative reaches from these inputs. */
export function reached({ inputs, outputs }: Body, from: readonly boolean[]): boolean[] {
  const active = new Set<Node>();
  inputs.forEach((v, i) => {
    if (from[i] && isFloat(v.type.dtype)) active.add(v.node);
  });
  for (const node of collect(outputs)) {
    if (node.op.pull === null || !valuesOf(node).some((v) => isFloat(v.type.dtype))) continue;
    if (node.operands.some((v) => v !== null && isFloat(v.type.dtype) && active.has(v.node))) active.add(node);
  }
  return outputs.map((v) => isFloat(v.type.dtype) && active.has(v.node));
}

/** Placeholders of these types. */
export function placeholders(types: readonly TensorType[], names: readonly string[]): Value[] {
  return types.map((t, i) => input(t, names[i]!));
}
