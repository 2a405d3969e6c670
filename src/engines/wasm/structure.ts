import { type AnyGraph, isGraph } from "../../ir/graph.ts";
import { inputOp } from "../../ir/leaf.ts";
import type { Node, Value } from "../../ir/node.ts";
import { sizeOf } from "../../ir/shape.ts";
import { leaves } from "../../ir/tree.ts";
import type { TensorType } from "../../ir/type.ts";
import { typeText } from "../../ir/type.ts";
import { collect } from "../../ir/walk.ts";
import { attributesKey, mixed, Numbers } from "../../passes/attributes-key.ts";
import { kindOf } from "./kernel.ts";

/**
 * What a graph is, apart from which nodes it is made of: ops, attributes, types, who reads whom, and constants of at most 16 elements, as
 * numbers. Larger constants are data: programs of one structure differ in them alone.
 */
export interface Structure {
  readonly hash: number;
  readonly codes: Int32Array;
  /** The nodes in the order of the codes. */
  readonly order: readonly Node[];
  /** Single elements that are computed more than once, and what computes them first; null where something larger is. */
  readonly equals: ReadonlyMap<Node, Node> | null;
}

const mostElements = 16;
const mostStructures = 64;
const mostCodes = 4_000_000;
const cell: DataView = /* @__PURE__ */ new DataView(/* @__PURE__ */ new ArrayBuffer(8));

/** Whole numbers that grow. */
class Codes {
  list: Int32Array<ArrayBuffer>;
  length = 0;
  constructor(room: number) {
    this.list = new Int32Array(room);
  }
  put(x: number): void {
    if (this.length === this.list.length) {
      const longer = new Int32Array(this.length * 2);
      longer.set(this.list);
      this.list = longer;
    }
    this.list[this.length++] = x;
  }
  /** A hash of what there is from a place on. */
  hash(start: number): number {
    const { list, length } = this;
    let hash = length - start;
    for (let i = start; i < length; i++) hash = mixed(hash, list[i]!);
    return hash;
  }
  /** The number of the first stretch that is as the last, `n`, which goes to the end. */
  found(starts: Int32Array, n: number, table: Int32Array): number {
    const { list, length } = this;
    const start = starts[n]!;
    const mask = table.length - 1;
    search: for (let at = this.hash(start) & mask; ; at = (at + 1) & mask) {
      const k = table[at]! - 1;
      if (k < 0) {
        table[at] = n + 1;
        return n;
      }
      const by = start - starts[k]!;
      if (starts[k + 1]! + by !== length) continue;
      for (let i = start; i < length; i++) if (list[i] !== list[i - by]) continue search;
      return k;
    }
  }
}

/** Numbers for ops, attributes and types, so that structures can be told apart by numbers. */
export class Structures {
  readonly #numbers = new Numbers();
  /** How many graphs in attributes were walked. */
  #walked = 0;
  /** Numbers for graphs in attributes, such as bodies of loops: as many as there are structures kept of programs. */
  readonly #bodies = new StructureCache<number>();

  of(inputs: readonly Value[], outputs: readonly Value[]): Structure {
    return this.#codesOf(this.#orderOf([...inputs, ...outputs]), inputs, outputs, false);
  }

  #orderOf(roots: readonly Value[]): Node[] {
    // Graphs in attributes come first: to number them is to walk them, which gives nodes that they share with this one other places.
    const order = collect(roots);
    const walked = this.#walked;
    for (const { attrs } of order) this.#attrsNumber(attrs);
    return this.#walked === walked ? order : collect(roots);
  }

  /** `within`: of a graph in an attribute, whose larger constants are no data of the program but belong to the structure, each by itself. */
  #codesOf(order: readonly Node[], inputs: readonly Value[], outputs: readonly Value[], within: boolean): Structure {
    const codes = new Codes(8 * order.length + 2 * (inputs.length + outputs.length) + 16);
    const bits = (x: number): void => {
      cell.setFloat64(0, x);
      codes.put(cell.getInt32(0));
      codes.put(cell.getInt32(4));
    };
    codes.put(inputs.length);
    // Neighbours are often of one type.
    let type: TensorType | null = null;
    let typeNumber = 0;
    const numbered = (t: TensorType): number => this.#numbers.ofText(typeText(t));
    let equals: Map<Node, Node> | null = new Map();
    // Where the codes of each node begin, the first node with the same codes, and a hash table of such with open addressing: 1 + the number of a node.
    const starts = new Int32Array(order.length);
    const first = new Int32Array(order.length);
    const table = new Int32Array(4 << (31 - Math.clz32(order.length + 1)));
    for (let n = 0; n < order.length; n++) {
      const node = order[n]!;
      const { op, attrs, memo, count } = node;
      starts[n] = codes.length;
      let alone = op === inputOp;
      codes.put(this.#numbers.of(op));
      if (node.type !== type) {
        type = node.type;
        typeNumber = this.#numbers.of(type, numbered);
      }
      codes.put(typeNumber);
      if (count > 0) {
        codes.put(this.#attrsNumber(attrs));
        codes.put(count);
        let several = false;
        for (let i = 0; i < count; i++) {
          const v = node.operand(i);
          if (v === null) codes.put(-1);
          else {
            const one = v.node.outputs === null;
            if (!one) several = true;
            codes.put(first[v.node.place]! * 4 + (one ? 0 : 1));
          }
        }
        if (several)
          for (let i = 0; i < count; i++) {
            const v = node.operand(i);
            if (v !== null && v.node.outputs !== null) codes.put(v.index);
          }
        if (node.outputs !== null) {
          codes.put(node.outputs.length);
          for (const o of node.outputs) codes.put(this.#numbers.of(o.type, numbered));
        }
      } else if (op !== inputOp) {
        // A leaf with a value, or a node that was evaluated and has forgotten what it was made of. Attributes have no such number.
        codes.put(-1);
        const held = Array.isArray(memo) ? memo : [memo];
        for (const h of held as readonly (number | { readonly data: ArrayLike<number> } | undefined)[]) {
          if (typeof h === "number") bits(h);
          else if (h === undefined || h.data.length > mostElements) {
            alone = true;
            codes.put(within ? this.#numbers.of(h ?? node) : -2);
          } else for (let i = 0; i < h.data.length; i++) bits(h.data[i]!);
        }
      }
      const k = alone ? n : codes.found(starts, n, table);
      first[n] = k;
      if (k < n && count > 0)
        equals =
          sizeOf(node.type.shape) === 1 && node.outputs === null && kindOf(node.type.dtype) !== null
            ? (equals?.set(node, order[k]!) ?? null)
            : null;
    }
    for (const v of inputs) codes.put(v.node.place);
    for (const v of outputs) {
      codes.put(v.node.place);
      codes.put(v.index);
    }
    const list = codes.list.slice(0, codes.length);
    return { hash: codes.hash(0), codes: list, order, equals };
  }

  #attrsNumber(attrs: object): number {
    return this.#numbers.ofAttributes(attrs, (a) => this.#bodiesNumber(a));
  }

  /** The number of attributes that no text tells: by what their graphs are made of, or else by which object they are. */
  #bodiesNumber(attrs: object): number {
    const parts: string[] = [];
    for (const [key, x] of Object.entries(attrs)) {
      const part = isGraph(x) ? `#${this.#numbers.of(x, (body) => this.#bodyNumber(body))}` : attributesKey({ x });
      if (part === null) return this.#numbers.fresh();
      parts.push(`${JSON.stringify(key)}:${part}`);
    }
    return this.#numbers.ofText(`{{${parts.join()}`);
  }

  #bodyNumber(body: AnyGraph): number {
    const [inputs, outputs] = [body.inputs, body.outputs].map((tree) => leaves(tree).map(({ leaf }) => leaf as Value)) as [
      Value[],
      Value[],
    ];
    const own = new Set(inputs.map((v) => v.node));
    this.#walked++;
    const order = this.#orderOf([...inputs, ...outputs]);
    // One that reads an input of the surroundings is like no other.
    const structure = order.some((node) => node.op === inputOp && !own.has(node)) ? null : this.#codesOf(order, inputs, outputs, true);
    let n = structure === null ? undefined : this.#bodies.get(structure);
    if (n === undefined) {
      n = this.#numbers.fresh();
      if (structure !== null) this.#bodies.set(structure, n);
    }
    return n;
  }
}

/** What was made of structures, the last used ones: at most so many of them, and so many codes in all; of two with one hash the later. */
export class StructureCache<T> {
  readonly #byHash = new Map<number, { readonly codes: Int32Array; readonly made: T }>();
  #codes = 0;

  get({ hash, codes }: Structure): T | undefined {
    const found = this.#byHash.get(hash);
    if (found?.codes.length !== codes.length || codes.some((c, i) => c !== found.codes[i])) return undefined;
    this.#byHash.delete(hash);
    this.#byHash.set(hash, found);
    return found.made;
  }

  set({ hash, codes }: Structure, made: T): void {
    if (codes.length > mostCodes) return;
    this.#drop(hash);
    this.#byHash.set(hash, { codes, made });
    this.#codes += codes.length;
    for (const oldest of this.#byHash.keys()) {
      if (this.#byHash.size <= mostStructures && this.#codes <= mostCodes) break;
      this.#drop(oldest);
    }
  }

  #drop(hash: number): void {
    this.#codes -= this.#byHash.get(hash)?.codes.length ?? 0;
    this.#byHash.delete(hash);
  }
}
