import type { DType } from "../ir/dtype.ts";
import { literal, literalOf } from "../ir/leaf.ts";
import type { Node, Value } from "../ir/node.ts";
import { InternedNodes } from "./interned-nodes.ts";

/** Nodes made once, and literals too: one stands for all of its value and dtype. */
export class InternedTerms extends InternedNodes {
  readonly #literals: Map<string, Value> = new Map();

  override unique(node: Node): Node {
    const c = literalOf(node);
    return c === null ? super.unique(node) : this.literal(c, node.type.dtype).node;
  }

  literal(x: number, dtype: DType): Value {
    const key = `${dtype} ${Object.is(x, -0) ? "-0" : x}`;
    let v = this.#literals.get(key);
    if (v === undefined) {
      v = literal(x, dtype);
      this.#literals.set(key, v);
    }
    return v;
  }
}
