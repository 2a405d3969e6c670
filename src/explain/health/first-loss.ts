import { isFloat } from "../../ir/dtype.ts";
import type { Node } from "../../ir/node.ts";

/** A classification loss in a graph, and what it is when every class is as likely. */
export interface Guess {
  readonly node: Node;
  readonly guess: number;
  /** How the number comes about: `log 10`. */
  readonly what: string;
}

/** The scalar classification losses of a graph, found by the scopes that the losses write. Source: CS231n, "Neural Networks Part 3", sanity checks. */
export function guessOf(order: readonly Node[]): Guess[] {
  const ends = new Map<string, { node: Node; classes: number }>();
  for (const node of order) {
    const scope = node.where?.scope;
    const match = scope == null ? null : /^(?:.*\/)?(softmaxCrossEntropy|hinge|binaryCrossEntropy)(?:\/.*)?$/.exec(scope);
    if (match === null) continue;
    const key = scope!.slice(0, scope!.indexOf(match[1]!) + match[1]!.length);
    const known = ends.get(key);
    // The classes are the last axis of the scores: the first floats that come from outside.
    const scores = node.operands.find(
      (v) => v !== null && v.type.shape.length > 0 && isFloat(v.type.dtype) && !(v.node.where?.scope ?? "").startsWith(key),
    );
    ends.set(key, { node, classes: known?.classes || (scores?.type.shape.at(-1) ?? 0) });
  }
  const found: Guess[] = [];
  for (const [key, { node, classes }] of ends) {
    if (node.type.shape.length !== 0) continue;
    const kind = key.slice(key.lastIndexOf("/") + 1);
    if (kind === "softmaxCrossEntropy" && classes > 1) found.push({ node, guess: Math.log(classes), what: `log ${classes}` });
    if (kind === "hinge" && classes > 1) found.push({ node, guess: classes - 1, what: `${classes} - 1` });
    if (kind === "binaryCrossEntropy") found.push({ node, guess: Math.LN2, what: "log 2" });
  }
  return found;
}
