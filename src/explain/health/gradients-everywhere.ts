import { between, pullback } from "../../autodiff/pullback.ts";
import { heldBy, settleAll } from "../../evaluate/evaluate.ts";
import { isFloat } from "../../ir/dtype.ts";
import { lift } from "../../ir/leaf.ts";
import { memoOf, type Node, type Value, valuesOf } from "../../ir/node.ts";
import { dense, type Tensor } from "../../ir/tensor.ts";

/** What a node holds, without a copy: only to be read. */
export function held(v: Value): Tensor {
  return dense(memoOf(v) ?? heldBy(v), v.type);
}

/** The gradient of a scalar at every value that depends on `wrt`, by node and result; null where none arrives. One backward pass. */
export function gradientsEverywhere(f: Value, wrt: readonly Value[]): ReadonlyMap<Node, readonly (Tensor | null)[]> {
  const { order, active } = between([f], wrt);
  const asked: Value[] = [];
  order.forEach((node, i) => {
    if (active[i] === 1) for (const v of valuesOf(node)) if (isFloat(v.type.dtype)) asked.push(v);
  });
  const found = pullback([f], [lift(1, f.type.dtype)], asked);
  settleAll(found.filter((v) => v !== null));
  const gradients = new Map<Node, (Tensor | null)[]>();
  asked.forEach((v, i) => {
    let list = gradients.get(v.node);
    if (list === undefined) {
      list = valuesOf(v.node).map(() => null);
      gradients.set(v.node, list);
    }
    const g = found[i];
    list[v.index] = g == null ? null : held(g);
  });
  return gradients;
}
