import { step } from "../evaluate/evaluate.ts";
import { GraphError, InternalError } from "../ir/errors.ts";
import { inputOp, nameOf } from "../ir/leaf.ts";
import type { Node, Value } from "../ir/node.ts";
import type { Held } from "../ir/tensor.ts";
import { collect, inOrderOfMaking } from "../ir/walk.ts";
import type { Engine, Executable } from "./engine.ts";

/** The readable engine: the interpreter, node by node. It is the truth that other engines are tested against. */
export function reference(): Engine<"sync"> {
  return { name: "reference", mode: "sync", prepare };
}

interface Cell {
  readonly node: Node;
  /** Places of the operands in the order, -1 for an absent one. */
  readonly places: readonly number[];
  /** Places that nobody reads after this node. */
  readonly free: readonly number[];
}

function prepare(inputs: readonly Value[], outputs: readonly Value[]): Executable<"sync"> {
  const order = inOrderOfMaking(collect([...inputs, ...outputs]));
  const place = new Map(order.map((node, i) => [node, i]));
  const given = new Set(inputs.map((v) => v.node));
  const varies = new Set<Node>(given);
  const last = new Int32Array(order.length).fill(-1);
  order.forEach((node, i) => {
    if (node.op === inputOp && !given.has(node))
      throw new GraphError(
        `compile: the graph uses input ${nameOf(node)}, which is not among its own inputs; it belongs to another graph or transform`,
      );
    for (const v of node.operands) {
      if (v === null) continue;
      last[place.get(v.node)!] = i;
      if (varies.has(v.node)) varies.add(node);
    }
  });
  const kept = new Set(outputs.map((v) => place.get(v.node)!));
  const cells = order.map((node, i): Cell => {
    const places = node.operands.map((v) => (v === null ? -1 : place.get(v.node)!));
    const free = [...new Set(places)].filter((p) => p >= 0 && last[p] === i && !kept.has(p) && varies.has(order[p]!));
    return { node, places, free };
  });
  const index = inputs.map((v) => place.get(v.node)!);
  // What does not depend on the inputs is computed once, on the first run, and stays.
  const fixed: (Held | readonly Held[] | undefined)[] = order.map((node) => node.memo);
  const pick = (held: Held | readonly Held[] | undefined, v: Value): Held => {
    const h = v.node.outputs === null ? (held as Held | undefined) : (held as readonly Held[] | undefined)?.[v.index];
    if (h === undefined) throw new InternalError(`${v.node.op.name} has no value in the program`);
    return h;
  };
  const run = (values: readonly Held[]): readonly Held[] => {
    const slots = fixed.slice();
    index.forEach((p, i) => {
      slots[p] = values[i]!;
    });
    for (let i = 0; i < cells.length; i++) {
      if (slots[i] !== undefined) continue;
      const { node, places, free } = cells[i]!;
      if (node.memo !== undefined && !varies.has(node)) {
        // It was read since the program was made, and may have forgotten its operands.
        slots[i] = fixed[i] = node.memo;
        continue;
      }
      const made = step(
        node,
        places.map((p, j) => (p < 0 ? null : pick(slots[p], node.operands[j]!))),
      );
      slots[i] = made;
      if (!varies.has(node)) fixed[i] = made;
      for (const p of free) slots[p] = undefined;
    }
    return outputs.map((v) => pick(slots[place.get(v.node)!], v));
  };
  return { run, dispose: () => undefined };
}
