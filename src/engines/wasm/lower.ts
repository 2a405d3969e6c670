import { isGraph } from "../../ir/graph.ts";
import { inputOp } from "../../ir/leaf.ts";
import { type Node, type Value, valuesOf } from "../../ir/node.ts";
import { reducedShape, sizeOf } from "../../ir/shape.ts";
import { collect } from "../../ir/walk.ts";
import { applyTo } from "../../ops/define.ts";
import { abs, add, conv, div, equal, exp, log, max, mean, mul, reshape, sqrt, square, sub, sum, where } from "../../ops/index.ts";
import { InternedNodes } from "../../passes/interned-nodes.ts";

/** A graph ready to be laid out: the same meaning in ops that the compiler has kernels for, equal parts made one, and only what is used. */
export interface Lowered {
  readonly inputs: readonly Value[];
  readonly outputs: readonly Value[];
}

interface Axes {
  readonly axis: readonly number[];
  readonly keepDims: boolean;
}

const counted = (x: Value, axis: readonly number[]): number => sizeOf(axis.map((a) => x.type.shape[a]!));
const shaped = (v: Value, x: Value, { axis, keepDims }: Axes): Value =>
  keepDims ? v : reshape(v, { shape: reducedShape(x.type.shape, axis, false) });

type Rule = (x: Value, node: Node, operands: readonly (Value | null)[]) => Value | null;

/** Ops as others, null where the op's own kernel is the better choice (empty axes, other dtypes). */
const rules: Readonly<Record<string, Rule>> = {
  // The bias is an ordinary sum, so that what follows can be fused with it.
  conv: (x, { attrs, type }, [, w, bias]) =>
    bias == null
      ? null
      : add(applyTo(conv, [x, w!, null], attrs) as Value, reshape(bias, { shape: [1, -1, ...type.shape.slice(2).map(() => 1)] })),
  mean: (x, node) => {
    const attrs = node.attrs as Axes;
    return x.type.dtype === "bool" ? null : div(sum(x, attrs), counted(x, attrs.axis));
  },
  logSumExp: (x, node) => {
    const attrs = node.attrs as Axes;
    if (counted(x, attrs.axis) === 0) return null;
    const top = max(x, { axis: attrs.axis, keepDims: true });
    const endless = equal(abs(top), Number.POSITIVE_INFINITY);
    const from = where(endless, 0, top);
    const found = add(log(sum(exp(sub(x, from)), { axis: attrs.axis, keepDims: true })), from);
    return shaped(where(endless, top, found), x, attrs);
  },
  variance: (x, node) => {
    const { axis, correction } = node.attrs as Axes & { readonly correction: number };
    const centred = sub(x, mean(x, { axis, keepDims: true }));
    const total = sum(square(centred), { axis, keepDims: true });
    return shaped(div(total, Math.max(0, counted(x, axis) - correction)), x, node.attrs as Axes);
  },
  norm: (x, node) => {
    const attrs = node.attrs as Axes & { readonly ord: number };
    if (attrs.ord !== 2 || counted(x, attrs.axis) === 0) return null;
    // Divided by the largest magnitude first, so that no square overflows.
    const top = max(abs(x), { axis: attrs.axis, keepDims: true });
    const scale = where(equal(top, 0), 1, where(equal(top, Number.POSITIVE_INFINITY), 1, top));
    return shaped(mul(scale, sqrt(sum(square(div(x, scale)), { axis: attrs.axis, keepDims: true }))), x, attrs);
  },
};

/** Rewrites ops that have no kernel of their own into ops that do, opens `call`s, and computes equal parts once. */
export function lowered(inputs: readonly Value[], outputs: readonly Value[]): Lowered {
  const interned = new InternedNodes();
  const given = new Set(inputs.map((v) => v.node));
  const varies = new Set<Node>(given);
  const made = new Map<Node, readonly Value[]>();
  const mapped = (v: Value): Value => made.get(v.node)?.[v.index] ?? v;
  const rewrite = (roots: readonly Value[]): void => {
    for (const node of collect(roots)) {
      if (made.has(node) || node.op === inputOp) continue;
      if (!node.operands.some((v) => v !== null && varies.has(mapped(v).node))) continue;
      const operands = node.operands.map((v) => (v === null ? null : mapped(v)));
      made.set(node, expanded(node, operands) ?? valuesOf(interned.applied(node, operands)));
      for (const v of made.get(node)!) varies.add(v.node);
    }
  };
  /** The node's results by other nodes, which are rewritten themselves. */
  const expanded = (node: Node, operands: readonly (Value | null)[]): readonly Value[] | null => {
    let results: readonly Value[] | null = null;
    if (node.op.name === "call") {
      const { graph } = node.attrs as { readonly graph: unknown };
      if (isGraph(graph)) results = (graph as unknown as (xs: readonly unknown[]) => readonly Value[])(operands);
    } else if (Object.hasOwn(rules, node.op.name)) {
      const found = rules[node.op.name]!(operands[0]!, node, operands);
      if (found !== null) results = [found];
    }
    if (results === null) return null;
    rewrite(results);
    return results.map(mapped);
  };
  rewrite(outputs);
  return { inputs, outputs: outputs.map(mapped) };
}
