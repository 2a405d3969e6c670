import type { DType } from "../ir/dtype.ts";
import { copyOf } from "../ir/graph.ts";
import { literal, literalOf } from "../ir/leaf.ts";
import type { Node, Value } from "../ir/node.ts";

/** Nodes that are the same application of the same op, made once: equal parts of a graph become one node. */
export class InternedNodes {
  readonly #byKey: Map<string, Node> = new Map();
  readonly #numbers: Map<object, number> = new Map();
  readonly #literals: Map<string, Value> = new Map();

  /** The node of this application that was seen first; a literal stands for all literals of its value and dtype. */
  unique(node: Node): Node {
    const c = literalOf(node);
    if (c !== null) return this.literal(c, node.type.dtype).node;
    if (node.operands.length === 0) return node;
    const key = `${this.#numberOf(node.op)} ${this.#attrsKey(node)} ${operandsKey(node.operands)}`;
    const known = this.#byKey.get(key);
    if (known !== undefined) return known;
    this.#byKey.set(key, node);
    return node;
  }

  /** The same application on other operands, made once. */
  applied(node: Node, operands: readonly (Value | null)[]): Node {
    return this.unique(operands.every((v, i) => v === node.operands[i]) ? node : copyOf(node, operands));
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

  #numberOf(thing: object): number {
    let n = this.#numbers.get(thing);
    if (n === undefined) {
      n = this.#numbers.size;
      this.#numbers.set(thing, n);
    }
    return n;
  }

  /** Attributes by what they hold; those with graphs in them by identity. */
  #attrsKey({ attrs }: Node): string {
    const plain = Object.values(attrs).every((x) => x === null || typeof x !== "function");
    return plain
      ? JSON.stringify(attrs, (_, x: unknown) => (typeof x === "number" && !Number.isFinite(x) ? String(x) : x))
      : `#${this.#numberOf(attrs)}`;
  }
}

function operandsKey(operands: readonly (Value | null)[]): string {
  return operands.map((v) => (v === null ? "-" : `${v.node.serial}.${v.index}`)).join(" ");
}
