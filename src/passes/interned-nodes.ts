import { copyOf } from "../ir/graph.ts";
import { literalOf } from "../ir/leaf.ts";
import type { Node, Value } from "../ir/node.ts";
import { mixed, Numbers } from "./attributes-key.ts";

type Operands = readonly (Value | null)[];

/** Nodes that are the same application of the same op, made once: equal parts of a graph become one node. */
export class InternedNodes {
  /** A hash table with open addressing: 1 + the number of a node, where the hash of its application leads. */
  #table: Int32Array = new Int32Array(64);
  readonly #nodes: Node[] = [];
  readonly #hashes: number[] = [];
  /** The number of each node's attributes. */
  readonly #attrs: number[] = [];
  readonly #numbers = new Numbers();

  /** The node of this application that was seen first. */
  unique(node: Node): Node {
    return node.count === 0 ? node : this.#find(node, null);
  }

  /** The same application on other operands, made once. */
  applied(node: Node, operands: Operands): Node {
    for (let i = 0; i < operands.length; i++) if (operands[i] !== node.operand(i)) return this.#find(node, operands);
    return this.unique(node);
  }

  /** The node of this op and these attributes on these operands, its own for null: `node` itself or a copy of it if there was none. */
  #find(node: Node, operands: Operands | null): Node {
    const attrs = this.#numbers.ofAttributes(node.attrs);
    let hash = mixed(this.#numbers.of(node.op), attrs);
    const { count } = node;
    for (let i = 0; i < count; i++) hash = mixed(hash, operandHash(operands === null ? node.operand(i) : operands[i]!));
    const mask = this.#table.length - 1;
    let at = hash & mask;
    for (let entry = this.#table[at]!; entry !== 0; entry = this.#table[at]!) {
      const known = this.#nodes[entry - 1]!;
      if (
        this.#hashes[entry - 1] === hash &&
        known.op === node.op &&
        this.#attrs[entry - 1] === attrs &&
        sameOperands(known, node, operands)
      )
        return known;
      at = (at + 1) & mask;
    }
    const made = operands === null ? node : copyOf(node, operands);
    this.#nodes.push(made);
    this.#hashes.push(hash);
    this.#attrs.push(attrs);
    this.#table[at] = this.#nodes.length;
    if (this.#nodes.length * 2 > this.#table.length) this.#grow();
    return made;
  }

  #grow(): void {
    this.#table = new Int32Array(this.#table.length * 4);
    const mask = this.#table.length - 1;
    for (let i = 0; i < this.#nodes.length; i++) {
      let at = this.#hashes[i]! & mask;
      while (this.#table[at] !== 0) at = (at + 1) & mask;
      this.#table[at] = i + 1;
    }
  }
}

function operandHash(v: Value | null): number {
  if (v === null) return -1;
  const c = literalOf(v);
  // Whole numbers, fractions and small numbers all have bits left when this is cut to 32.
  return c === null ? Math.imul(v.node.serial, 8) + v.index : Math.imul(c * 1e12, 31);
}

function sameOperands(a: Node, node: Node, operands: Operands | null): boolean {
  const { count } = a;
  if (count !== node.count) return false;
  for (let i = 0; i < count; i++) {
    const [x, y] = [a.operand(i), operands === null ? node.operand(i) : operands[i]!];
    if (x !== y && !sameValue(x, y)) return false;
  }
  return true;
}

/** One result of one node, or literals of one value and dtype. */
function sameValue(a: Value | null, b: Value | null): boolean {
  if (a === null || b === null) return false;
  if (a.node === b.node) return a.index === b.index;
  const [x, y] = [literalOf(a), literalOf(b)];
  return x !== null && y !== null && Object.is(x, y) && a.type.dtype === b.type.dtype;
}
