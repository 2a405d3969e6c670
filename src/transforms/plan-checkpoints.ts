import { checkpointOp } from "../control/call.ts";
import { placeholders, regionOf } from "../control/region.ts";
import { isFloat } from "../ir/dtype.ts";
import { DomainError } from "../ir/errors.ts";
import { copyOf, type Graph, graphOf, nodesOf, substitute } from "../ir/graph.ts";
import { constantOp, inputOp, nameOf, variableOp } from "../ir/leaf.ts";
import { type Node, type Value, valuesOf } from "../ir/node.ts";
import { leaves, rebuild } from "../ir/tree.ts";
import { nodeBytes, nodeFlops } from "../passes/cost.ts";
import { choose, type Stage } from "./checkpoint-chain.ts";

/** A stretch of the graph that is one decision of a plan. */
export interface Segment {
  /** The op and name of its first and last node. */
  readonly from: string;
  readonly to: string;
  readonly nodes: number;
  /** Whether its inside is computed again in the backward pass rather than kept. */
  readonly recomputed: boolean;
  /** Bytes inside, and bytes of what later parts use of it. */
  readonly bytes: number;
  readonly boundaryBytes: number;
  readonly flops: number;
}

/** What `planCheckpoints` answers. */
export interface CheckpointPlan<I, O> {
  /** The same function, its recomputed segments as `checkpoint` nodes: differentiate this one. */
  readonly graph: Graph<I, O>;
  readonly segments: readonly Segment[];
  /** Bytes that the forward pass keeps for the backward pass: of everything, and with this plan, recomputed insides one at a time. */
  readonly keptBytes: number;
  readonly peakBytes: number;
  /** Operations of one forward pass, and of those that are done once more. */
  readonly forwardFlops: number;
  readonly extraFlops: number;
  /** All of it in words. */
  text(): string;
}

/** At most so many decisions; longer graphs are cut where least is handed over. */
const mostStages = 48;

/**
 * `planCheckpoints(g, { budget })`: which parts of a graph to keep for the backward pass and which to compute again, so that what is kept fits `budget`
 * bytes at the least extra work. The graph is cut into a chain of stages where little is handed from one to the next; dynamic programming over the chain
 * finds the cheapest plan: stages kept whole, or runs of stages of which only the end is kept. Sizes are exact, work is an estimate (`costOf`).
 * Sources: T. Chen et al., "Training deep nets with sublinear memory cost", 2016; for dynamic programming over chains, R. Kumar et al., "Efficient
 * rematerialization for deep networks", 2019.
 * @throws DomainError when no plan fits; the message says the least that would
 */
export function planCheckpoints<I, O>(g: Graph<I, O>, { budget }: { readonly budget: number }): CheckpointPlan<I, O> {
  if (!(budget >= 0)) throw new DomainError(`planCheckpoints: budget is ${budget}; it is a number of bytes, 0 or more`);
  const parts = stagesOf(g as Graph<unknown, unknown>);
  const stages = parts.map(({ stage }) => stage);
  const plan = choose(stages, budget);
  if (plan === null) {
    const least = choose(stages, Number.POSITIVE_INFINITY, "least")!;
    throw new DomainError(
      `planCheckpoints: no plan fits a budget of ${budget} bytes; the least is ${least.peak} bytes, for ${percent(least.extra, total(stages))} more forward work`,
    );
  }
  const segments = plan.choices.map((c): Segment => {
    const nodes = parts.slice(c.from, c.to).flatMap((p) => p.nodes);
    return {
      from: labelOf(nodes[0]!),
      to: labelOf(nodes[nodes.length - 1]!),
      nodes: nodes.length,
      recomputed: c.recomputed,
      bytes: stages.slice(c.from, c.to).reduce((n, s) => n + s.bytes, 0),
      boundaryBytes: stages[c.to - 1]!.boundary,
      flops: total(stages.slice(c.from, c.to)),
    };
  });
  const keptBytes = stages.reduce((n, s) => n + s.bytes, 0);
  const forwardFlops = total(stages);
  const runs = plan.choices.filter((c) => c.recomputed).map((c) => parts.slice(c.from, c.to).flatMap((p) => p.nodes));
  return {
    graph: rewrite(g as Graph<unknown, unknown>, runs) as unknown as Graph<I, O>,
    segments,
    keptBytes,
    peakBytes: plan.peak,
    forwardFlops,
    extraFlops: plan.extra,
    text: () =>
      [
        `keeps ${plan.peak} of ${keptBytes} bytes for ${percent(plan.extra, forwardFlops)} more forward work`,
        ...segments.map(
          (s) =>
            `  ${s.recomputed ? "recompute" : "keep     "} ${s.from} to ${s.to}: ${s.nodes} nodes, ${s.bytes} bytes inside, ${s.boundaryBytes} at the end`,
        ),
      ].join("\n"),
  };
}

function percent(part: number, whole: number): string {
  return `${whole === 0 ? 0 : Math.round((100 * part) / whole)}%`;
}

function total(stages: readonly Stage[]): number {
  return stages.reduce((n, s) => n + s.flops, 0);
}

function labelOf(node: Node): string {
  return node.label === null ? node.op.name : `${node.op.name} ${node.label}`;
}

function isLeafNode(node: Node): boolean {
  return node.op === inputOp || node.op === constantOp || node.op === variableOp;
}

interface Part {
  readonly nodes: readonly Node[];
  readonly stage: Stage;
}

/** The graph as a chain: cut where the least is handed over, into stages of about equal size. */
function stagesOf(g: Graph<unknown, unknown>): Part[] {
  const order = nodesOf(g).filter((node) => !isLeafNode(node));
  const place = new Map(order.map((node, i) => [node, i]));
  const last = new Int32Array(order.length).fill(-1);
  order.forEach((node, i) => {
    for (const v of node.operands) {
      const p = v === null ? undefined : place.get(v.node);
      if (p !== undefined) last[p] = i;
    }
  });
  for (const { leaf } of leaves(g.outputs)) {
    const p = place.get((leaf as Value).node);
    if (p !== undefined) last[p] = order.length;
  }
  const held = (node: Node): number => (valuesOf(node).some((v) => isFloat(v.type.dtype)) ? nodeBytes(node) : 0);
  // What is alive after each node.
  const alive = new Float64Array(order.length);
  const ends: number[][] = order.map(() => []);
  let now = 0;
  order.forEach((node, i) => {
    now += held(node);
    if (last[i]! < order.length && last[i]! > i) ends[last[i]!]!.push(held(node));
    else if (last[i]! <= i) now -= held(node);
    for (const bytes of ends[i]!) now -= bytes;
    alive[i] = now;
  });
  const parts: Part[] = [];
  const size = Math.max(1, Math.ceil(order.length / mostStages));
  for (let from = 0; from < order.length; ) {
    // The best place to cut within reach.
    let cut = Math.min(order.length - 1, from + size - 1);
    for (let i = cut; i < Math.min(order.length, from + 2 * size - 1); i++) if (alive[i]! < alive[cut]!) cut = i;
    if (order.length - 1 - cut < 1) cut = order.length - 1;
    const nodes = order.slice(from, cut + 1);
    parts.push({
      nodes,
      stage: {
        bytes: nodes.reduce((n, node) => n + held(node), 0),
        boundary: alive[cut]!,
        flops: nodes.reduce((n, node) => n + nodeFlops(node), 0),
      },
    });
    from = cut + 1;
  }
  return parts;
}

/** The graph with each run of nodes as one checkpoint. */
function rewrite(g: Graph<unknown, unknown>, runs: readonly (readonly Node[])[]): Graph<unknown, unknown> {
  const order = nodesOf(g);
  const runOf = new Map<Node, number>();
  runs.forEach((nodes, r) => {
    for (const node of nodes) runOf.set(node, r);
  });
  const moved = new Map<Value, Value>();
  const at = (v: Value): Value => moved.get(v) ?? v;
  const outputs = leaves(g.outputs).map(({ leaf }) => leaf as Value);
  const done = new Set<number>();
  for (const node of order) {
    const r = runOf.get(node);
    if (r === undefined) {
      if (node.operands.some((v) => v !== null && moved.has(v))) {
        const copy = copyOf(
          node,
          node.operands.map((v) => v && at(v)),
        );
        valuesOf(node).forEach((v, i) => {
          moved.set(v, valuesOf(copy)[i]!);
        });
      }
      continue;
    }
    if (done.has(r)) continue;
    done.add(r);
    const inside = new Set(runs[r]);
    const used = new Set<Value>();
    for (const n of runs[r]!) for (const v of n.operands) if (v !== null && !inside.has(v.node) && v.node.op !== constantOp) used.add(v);
    const results = new Set<Value>();
    for (const n of order) if (!inside.has(n)) for (const v of n.operands) if (v !== null && inside.has(v.node)) results.add(v);
    for (const v of outputs) if (inside.has(v.node)) results.add(v);
    const given = [...used];
    const holders = placeholders(
      given.map((v) => v.type),
      given.map((v) => nameOf(v)),
    );
    const body = substitute([...results], new Map(given.map((v, i) => [v, holders[i]!])));
    const made = checkpointOp(given.map(at), { graph: regionOf({ inputs: holders, outputs: body }) });
    [...results].forEach((v, i) => {
      moved.set(v, made[i]!);
    });
  }
  return graphOf(
    g.inputs as never,
    rebuild(g.outputs, (leaf) => at(leaf as Value)),
  );
}
