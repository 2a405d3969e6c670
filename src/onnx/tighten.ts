import type { GraphMessage, NodeMessage } from "./schema.ts";

/** What is known of the names in a graph. */
export interface Facts {
  /** The whole numbers of a small constant; null for what is none. */
  integers(name: string): readonly number[] | null;
  /** Whether it is in f32: ONNX Runtime's logarithm of a softmax in f64 loses what is NaN. */
  isSingle(name: string): boolean;
}

/**
 * The nodes of a graph with the operators that ONNX has for several of them: the softmax of a row and its logarithm, which runtimes compute in one pass, where
 * nothing else needs the steps on the way. Nodes whose results nobody takes are left out.
 */
export function tightened(nodes: readonly NodeMessage[], outputs: readonly string[], facts: Facts): NodeMessage[] {
  return used(withSoftmax(nodes, outputs, facts), outputs);
}

/** All names that a node reads, those of the graphs inside it too. */
export function namesRead(node: NodeMessage): string[] {
  const inner = (graph: GraphMessage): string[] => [
    ...(graph.node ?? []).flatMap(namesRead),
    ...(graph.output ?? []).map(({ name }) => name ?? ""),
  ];
  return [...(node.input ?? []), ...(node.attribute ?? []).flatMap((a) => (a.g === undefined ? [] : inner(a.g)))];
}

function used(nodes: readonly NodeMessage[], outputs: readonly string[]): NodeMessage[] {
  const wanted = new Set(outputs);
  const kept: NodeMessage[] = [];
  for (let i = nodes.length - 1; i >= 0; i--) {
    const node = nodes[i]!;
    if (!(node.output ?? []).some((name) => wanted.has(name))) continue;
    kept.push(node);
    for (const name of namesRead(node)) wanted.add(name);
  }
  return kept.reverse();
}

function withSoftmax(nodes: readonly NodeMessage[], outputs: readonly string[], facts: Facts): NodeMessage[] {
  const makers = new Map(nodes.flatMap((node) => (node.output ?? []).map((name) => [name, node] as const)));
  const readers = new Map<string, NodeMessage[]>();
  for (const node of nodes)
    for (const name of namesRead(node)) {
      const known = readers.get(name);
      if (known === undefined) readers.set(name, [node]);
      else known.push(node);
    }
  const made = new Map<NodeMessage, NodeMessage>();
  const madeBy = (name: string | undefined, op: string): NodeMessage | null => {
    let node = name === undefined ? undefined : makers.get(name);
    while (node?.op_type === "Identity" && op !== "Identity") node = makers.get(node.input![0]!);
    return node?.op_type === op ? node : null;
  };
  const axisOf = (node: NodeMessage): number | null => {
    const axes = facts.integers(node.input![1] ?? "");
    return axes?.length === 1 && node.attribute?.find(({ name }) => name === "keepdims")?.i === 1 ? axes[0]! : null;
  };
  for (const total of nodes) {
    if (total.op_type !== "ReduceSum" || !facts.isSingle(total.output![0]!)) continue;
    const raised = madeBy(total.input![0], "Exp");
    const moved = raised && madeBy(raised.input![0], "Sub");
    const largest = moved && madeBy(moved.input![1], "ReduceMax");
    if (!largest || largest.input![0] !== moved.input![0]) continue;
    const axis = axisOf(total);
    if (axis === null || axisOf(largest) !== axis) continue;
    // Who reads one of the steps has to be one of them, or what becomes one operator.
    const steps = new Set<NodeMessage>([largest, moved, raised, total]);
    const ends: [NodeMessage, string][] = [];
    let others = false;
    const look = (step: NodeMessage): void => {
      const name = step.output![0]!;
      if (outputs.includes(name)) others = true;
      for (const reader of readers.get(name) ?? []) {
        if (steps.has(reader)) continue;
        const [a, b] = reader.input ?? [];
        if (reader.op_type === "Identity" || (reader.op_type === "Log" && step === total)) {
          steps.add(reader);
          look(reader);
        } else if (reader.op_type === "Div" && a === raised.output![0] && b === total.output![0]) ends.push([reader, "Softmax"]);
        else if (reader.op_type === "Sub" && a === moved.output![0] && madeBy(b, "Log")?.input?.[0] === total.output![0])
          ends.push([reader, "LogSoftmax"]);
        else others = true;
      }
    };
    for (const step of [largest, moved, raised, total]) look(step);
    if (others) continue;
    for (const [end, op_type] of ends)
      made.set(end, { ...end, op_type, input: [moved.input![0]!], attribute: [{ name: "axis", i: axis, type: 2 }] });
  }
  return nodes.map((node) => made.get(node) ?? node);
}
