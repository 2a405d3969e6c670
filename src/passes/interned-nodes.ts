import type { DType } from "../ir/dtype.ts";
import { copyOf } from "../ir/graph.ts";
import { literal, literalOf } from "../ir/leaf.ts";
import { type Node, noAttrs, type Value } from "../ir/node.ts";
import { attributesKey } from "./attributes-key.ts";

type Operands = readonly (Value | null)[];

/** Nodes that are the same application of the same op, made once: equal parts of a graph become one node. */
export class InternedNodes {
  /** A hash table with open addressing: 1 + the number of a node, where the hash of its application leads. */
  #table: Int32Array = new Int32Array(64);
  readonly #nodes: Node[] = [];
  readonly #hashes: number[] = [];
  /** The number of each node's attributes. */
  readonly #attrs: number[] = [];
  readonly #numbers: Map<object, number> = new Map();
  readonly #texts: Map<string, number> = new Map();
  readonly #literals: Map<string, Value> = new Map();

  /** The node of this application that was seen first; a literal stands for all literals of its value and dtype. */
  unique(node: Node): Node {
    const c = literalOf(node);
    if (c !== null) return this.literal(c, node.type.dtype).node;
    return node.count === 0 ? node : this.#find(node, null);
  }

  /** The same application on other operands, made once. */
  applied(node: Node, operands: Operands): Node {
    for (let i = 0; i < operands.length; i++) if (operands[i] !== node.operand(i)) return this.#find(node, operands);
    return this.unique(node);
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

  /** The node of this op and these attributes on these operands, its own for null: `node` itself or a copy of it if there was none. */
  #find(node: Node, operands: Operands | null): Node {
    const attrs = this.#attrsNumber(node.attrs);
    let hash = mixed(this.#numberOf(node.op), attrs);
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

  #numberOf(thing: object): number {
    let n = this.#numbers.get(thing);
    if (n === undefined) {
      n = this.#numbers.size + this.#texts.size + 1;
      this.#numbers.set(thing, n);
    }
    return n;
  }

  /** Attributes by what they hold; those with graphs in them by identity. */
  #attrsNumber(attrs: object): number {
    if (attrs === noAttrs) return 0;
    const known = this.#numbers.get(attrs);
    if (known !== undefined) return known;
    const text = attributesKey(attrs);
    if (text === null) return this.#numberOf(attrs);
    let n = this.#texts.get(text);
    if (n === undefined) {
      n = this.#numbers.size + this.#texts.size + 1;
      this.#texts.set(text, n);
    }
    return n;
  }
}

function mixed(hash: number, x: number): number {
  const h = Math.imul(hash ^ x, 0x9e3779b1);
  return h ^ (h >>> 15);
}

const cell: DataView = /* @__PURE__ */ new DataView(/* @__PURE__ */ new ArrayBuffer(8));

function operandHash(v: Value | null): number {
  if (v === null) return -1;
  const c = literalOf(v);
  if (c === null) return Math.imul(v.node.serial, 8) + v.index;
  cell.setFloat64(0, c);
  return cell.getInt32(0) ^ Math.imul(cell.getInt32(4), 31);
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
