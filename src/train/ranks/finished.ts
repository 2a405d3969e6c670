import { isFloat } from "../../ir/dtype.ts";
import { graph } from "../../ir/graph.ts";
import type { Value } from "../../ir/node.ts";
import { leaves, type Values } from "../../ir/tree.ts";
import type { TensorType } from "../../ir/type.ts";
import { collect } from "../../ir/walk.ts";
import type { Optimizer } from "../../optim/optimizer.ts";
import { movedBetween, type Names } from "../programs.ts";

/** A leaf of parameters or statistics. */
interface Leaf {
  readonly path: string;
  readonly type: TensorType;
}

/** What a step ends with: gradients of what the optimiser moves, in the order in which the backward pass finishes them, and the statistics that are averaged. */
export function finishedBy(
  types: unknown,
  optimizer: Optimizer,
  differentiated: (s: Names & { readonly weight: Value }) => { readonly gradient: Values<unknown>; readonly stats: unknown },
): { readonly finished: readonly Leaf[]; readonly means: readonly Leaf[] } {
  let finished: readonly Leaf[] = [];
  let means: readonly Leaf[] = [];
  graph(types as {}, (names) => {
    const s = names as unknown as Names & { readonly weight: Value };
    const { gradient, stats } = differentiated(s);
    const { params } = optimizer.update({ params: s.params as {}, grad: gradient, opt: s.opt });
    const trained = movedBetween(s.params, params);
    const slopes = leaves(gradient)
      .filter(({ path }) => trained.has(path))
      .map(({ path, leaf }) => ({ path, value: leaf as Value }));
    const order = new Map(collect(slopes.map(({ value }) => value)).map((node) => [node, node.serial]));
    slopes.sort((a, b) => order.get(a.value.node)! - order.get(b.value.node)!);
    finished = slopes.map(({ path, value }) => ({ path, type: value.type }));
    means = leaves(stats)
      .map(({ path, leaf }) => ({ path, type: (leaf as Value).type }))
      .filter(({ type }) => isFloat(type.dtype));
    return { gradient };
  });
  return { finished, means };
}
