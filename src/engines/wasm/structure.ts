import { isGraph } from "../../ir/graph.ts";
import { inputOp } from "../../ir/leaf.ts";
import { type Node, noAttrs, type Value } from "../../ir/node.ts";
import { leaves } from "../../ir/tree.ts";
import type { TensorType } from "../../ir/type.ts";
import { typeText } from "../../ir/type.ts";
import { collect } from "../../ir/walk.ts";
import { attributesKey } from "../../passes/attributes-key.ts";

/**
 * What a graph is, apart from which nodes it is made of: ops, attributes, types, who reads whom, and constants of at most 16 elements, as
 * numbers. Larger constants are data: programs of one structure differ in them alone.
 */
export interface Structure {
  readonly hash: number;
  readonly codes: Int32Array;
  /** The nodes in the order of the codes. */
  readonly order: readonly Node[];
}

const mostElements = 16;
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
}

/** Numbers for ops, attributes and types, so that structures can be told apart by numbers. */
export class Structures {
  readonly #numbers = new WeakMap<object, number>();
  readonly #texts = new Map<string, number>();
  #next = 1;
  /** How many graphs in attributes were walked. */
  #walked = 0;
  /** Numbers for graphs in attributes, such as bodies of loops: as many as there are structures kept of programs. */
  readonly #bodies = new StructureCache<number>();

  of(inputs: readonly Value[], outputs: readonly Value[]): Structure {
    // Graphs in attributes come first: to number them is to walk them, which gives nodes that they share with this one other places.
    let order = collect([...inputs, ...outputs]);
    const walked = this.#walked;
    for (const { attrs } of order) this.#attrsNumber(attrs);
    if (this.#walked !== walked) order = collect([...inputs, ...outputs]);
    return this.#codesOf(order, inputs, outputs, false);
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
    for (const node of order) {
      const { op, attrs, memo, count } = node;
      codes.put(this.#numberOf(op));
      if (node.type !== type) {
        type = node.type;
        typeNumber = this.#typeNumber(type);
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
            codes.put(v.node.place * 4 + (one ? 0 : 1));
          }
        }
        if (several)
          for (let i = 0; i < count; i++) {
            const v = node.operand(i);
            if (v !== null && v.node.outputs !== null) codes.put(v.index);
          }
        if (node.outputs !== null) {
          codes.put(node.outputs.length);
          for (const o of node.outputs) codes.put(this.#typeNumber(o.type));
        }
      } else if (op !== inputOp) {
        // A leaf with a value, or a node that was evaluated and has forgotten what it was made of.
        const held = Array.isArray(memo) ? memo : [memo];
        for (const h of held as readonly (number | { readonly data: ArrayLike<number> } | undefined)[]) {
          if (typeof h === "number") bits(h);
          else if (h === undefined || h.data.length > mostElements) codes.put(within ? this.#numberOf(h ?? node) : -2);
          else for (let i = 0; i < h.data.length; i++) bits(h.data[i]!);
        }
      }
    }
    for (const v of inputs) codes.put(v.node.place);
    for (const v of outputs) {
      codes.put(v.node.place);
      codes.put(v.index);
    }
    const list = codes.list.slice(0, codes.length);
    let hash = list.length;
    for (let i = 0; i < list.length; i++) {
      hash = Math.imul(hash ^ list[i]!, 0x9e3779b1);
      hash ^= hash >>> 15;
    }
    return { hash, codes: list, order };
  }

  #numberOf(thing: object): number {
    let n = this.#numbers.get(thing);
    if (n === undefined) this.#numbers.set(thing, (n = this.#next++));
    return n;
  }

  #textNumber(text: string): number {
    let n = this.#texts.get(text);
    if (n === undefined) this.#texts.set(text, (n = this.#next++));
    return n;
  }

  #typeNumber(type: TensorType): number {
    let n = this.#numbers.get(type);
    if (n === undefined) this.#numbers.set(type, (n = this.#textNumber(typeText(type))));
    return n;
  }

  #attrsNumber(attrs: object): number {
    if (attrs === noAttrs) return 0;
    let n = this.#numbers.get(attrs);
    if (n === undefined) {
      const text = attributesKey(attrs);
      this.#numbers.set(attrs, (n = text === null ? this.#bodiesNumber(attrs) : this.#textNumber(`{${text}`)));
    }
    return n;
  }

  /** The number of attributes that no text tells: by what their graphs are made of, or else by which object they are. */
  #bodiesNumber(attrs: object): number {
    const parts: string[] = [];
    for (const [key, x] of Object.entries(attrs)) {
      const part = isGraph(x) ? `#${this.#bodyNumber(x)}` : attributesKey({ x });
      if (part === null) return this.#next++;
      parts.push(`${JSON.stringify(key)}:${part}`);
    }
    return this.#textNumber(`{{${parts.join()}`);
  }

  #bodyNumber(body: { readonly inputs: unknown; readonly outputs: unknown }): number {
    let n = this.#numbers.get(body);
    if (n !== undefined) return n;
    const [inputs, outputs] = [body.inputs, body.outputs].map((tree) => leaves(tree).map(({ leaf }) => leaf as Value)) as [
      Value[],
      Value[],
    ];
    const own = new Set(inputs.map((v) => v.node));
    this.#walked++;
    const order = collect([...inputs, ...outputs]);
    for (const { attrs } of order) this.#attrsNumber(attrs);
    // One that reads an input of the surroundings is like no other.
    const structure = order.some((node) => node.op === inputOp && !own.has(node))
      ? null
      : this.#codesOf(collect([...inputs, ...outputs]), inputs, outputs, true);
    n = structure === null ? undefined : this.#bodies.get(structure);
    if (n === undefined) {
      n = this.#next++;
      if (structure !== null) this.#bodies.set(structure, n);
    }
    this.#numbers.set(body, n);
    return n;
  }
}

/** What was made of structures, the last used ones: at most so many of them, and so many codes in all. */
export class StructureCache<T> {
  readonly #byHash = new Map<number, { readonly codes: Int32Array; readonly made: T }[]>();
  readonly #most: number;
  readonly #mostCodes: number;
  #count = 0;
  #codes = 0;

  constructor(most = 64, mostCodes = 4_000_000) {
    this.#most = most;
    this.#mostCodes = mostCodes;
  }

  get({ hash, codes }: Structure): T | undefined {
    const list = this.#byHash.get(hash);
    const found = list?.find((e) => sameCodes(e.codes, codes));
    if (found === undefined) return undefined;
    this.#byHash.delete(hash);
    this.#byHash.set(hash, list!);
    return found.made;
  }

  set({ hash, codes }: Structure, made: T): void {
    if (codes.length > this.#mostCodes) return;
    const list = this.#byHash.get(hash) ?? [];
    this.#byHash.delete(hash);
    this.#byHash.set(hash, [...list, { codes, made }]);
    this.#count++;
    this.#codes += codes.length;
    for (const [oldest, entries] of this.#byHash) {
      if (this.#count <= this.#most && this.#codes <= this.#mostCodes) break;
      this.#byHash.delete(oldest);
      this.#count -= entries.length;
      for (const e of entries) this.#codes -= e.codes.length;
    }
  }
}

function sameCodes(a: Int32Array, b: Int32Array): boolean {
  if (a.length !== b.length) return false;
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false;
  return true;
}
