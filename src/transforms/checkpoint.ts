import { resultValues } from "../autodiff/argument.ts";
import { checkpointOp } from "../control/call.ts";
import { close, inlined, placeholders, regionOf } from "../control/region.ts";
import { GraphError } from "../ir/errors.ts";
import { constantOp, isType, lift, nameOf } from "../ir/leaf.ts";
import { memoOf, type Node, nextSerial, type Value } from "../ir/node.ts";
import { isLeaf, type Operands, rebuild } from "../ir/tree.ts";
import { identity } from "../ops/identity.ts";

/**
 * `checkpoint(f)(...args)`: `f`, of which only the arguments and results are kept for the backward pass; what lies between is computed again there, when
 * its gradient has arrived. So a chain of checkpointed parts holds their ends and the inside of one part at a time, for one more run of `f`.
 *
 * The function is called once, on values, so it may read them; what it uses of its surroundings may be differentiated, too.
 * Source: T. Chen, B. Xu, C. Zhang, C. Guestrin, "Training deep nets with sublinear memory cost", 2016.
 * @throws GraphError for a type among the arguments
 */
export function checkpoint<A extends readonly unknown[], R>(f: (...args: A) => R): (...args: Operands<A>) => R {
  return (...args) => {
    const own: Value[] = [];
    const since = nextSerial();
    const inside = (args as readonly unknown[]).map((a) => {
      if (!isTree(a)) return a;
      return rebuild(a, (leaf, path) => {
        if (isType(leaf))
          throw new GraphError(`checkpoint: argument ${path} is a type; it takes Values, Tensors, typed arrays and numbers`);
        const v = lift(leaf, "f64");
        if (v.node.op === constantOp) return v;
        // A node of its own, so that an argument is told apart from what is closed over.
        const node = identity(v).node as Node;
        if (v.node.label !== null) node.label = v.node.label;
        const known = memoOf(v);
        if (known !== undefined) node.memo = known;
        own.push(node);
        return node;
      });
    });
    const result: unknown = f(...(inside as unknown as A));
    const results = resultValues(result, "checkpoint");
    const given = own.map((v) => v.node.operands[0] ?? v);
    const { body, captured } = close(own, results, since);
    const holders = placeholders(
      own.map((v) => v.type),
      own.map((v) => nameOf(v)),
    );
    const inputs = [...holders, ...body.inputs.slice(own.length)];
    const outputs = inlined(body, inputs);
    const made = checkpointOp([...given, ...captured], { graph: regionOf({ inputs, outputs }) });
    const known = results.map(memoOf);
    // What was read inside is not computed again.
    if (made.length > 0 && known.every((h) => h !== undefined)) made[0]!.node.memo = known;
    let i = 0;
    return rebuild(result, () => made[i++]!) as R;
  };
}

function isTree(x: unknown): boolean {
  if (isLeaf(x)) return true;
  if (typeof x !== "object" || x === null) return false;
  const proto: unknown = Object.getPrototypeOf(x);
  return Array.isArray(x) || proto === Object.prototype || proto === null;
}
