import { noAttrs } from "../../ir/node.ts";
import { sizeOf } from "../../ir/shape.ts";
import { attributesKey } from "../../passes/attributes-key.ts";
import type { Kind } from "./elementwise.ts";
import { isMath } from "./math.ts";
import { kindOf, type Loop, type Source, type Total } from "./plan.ts";
import { type Buffer, isWhole, type View } from "./view.ts";

/** How one place in memory is walked: strides per collapsed axis, in elements. */
export interface Access {
  readonly view: View;
  readonly kind: Kind;
  readonly number: number;
  /** The local with the address of the current element: the parameter of its number, unless there are too many. */
  pointer: number;
  strides: readonly number[];
}

/** A reduction and how its result is walked. */
export interface Reduced {
  readonly total: Total;
  readonly access: Access;
  /** Where its operand is read, null where that is a member. */
  readonly source: Access | null;
  /** Collapsed axes that are summed over. */
  reduced: readonly boolean[];
  /** The first axis of the run of summed axes at the end; -1 where summed axes come before kept ones, and the sum is kept in memory. */
  from: number;
  /** What is in memory counts, too. */
  onto: boolean;
}

/** A loop apart from where its elements lie: loops with one key are one function, which takes addresses. */
export class LoopShape {
  readonly loop: Loop;
  /** All places in memory, in the order of their addresses; what is read several times is one of them. */
  readonly accesses: Access[] = [];
  /** Of these, how many are read. */
  readonly reads: number;
  /** Where each member reads its operands in memory, null for those that are members, and where it is written, null where it is not. */
  readonly args: (readonly (Access | null)[])[] = [];
  readonly outs: (Access | null)[] = [];
  readonly totals: readonly Reduced[];
  readonly empty: boolean;
  /** Sizes of the axes that are left where those are one that all places walk as one. */
  dims: readonly number[] = [];
  /** Bytes of a lane. */
  readonly size: 4 | 8;
  readonly vectors: boolean;
  /** Bodies that are written one after the other: short ones several, so that counting and moving pointers weigh less and sums do not wait for each other. */
  readonly times: number;
  /** Rows end with single elements; otherwise their last vector may run over into the next row, which comes later, or behind the buffer. */
  readonly exact: boolean;

  constructor(loop: Loop) {
    const { shape, members, totals } = loop;
    this.loop = loop;
    this.empty = sizeOf(shape) === 0;
    const known = new Map<Buffer, Access[]>();
    const read = (s: Source): Access | null => ("member" in s ? null : this.#read(s.view, known));
    for (const m of members) this.args.push(m.args.map(read));
    const sources = totals.map((t) => read(t.source));
    this.reads = this.accesses.length;
    let exact = totals.length > 0;
    for (const { out } of members) {
      this.outs.push(out === null ? null : this.#access(out));
      // A vector at the end of a row may not run over into what others have written.
      if (out !== null && (out.buffer.tight || !isWhole(out))) exact = true;
    }
    this.exact = exact;
    this.totals = totals.map((total, i): Reduced => {
      const access = this.#access(total.out);
      return { total, access, source: sources[i]!, reduced: access.strides.map((s) => s === 0), from: 0, onto: total.onto === true };
    });
    this.#collapse();
    for (const t of this.totals) {
      const first = t.reduced.indexOf(true);
      const start = first < 0 ? this.dims.length : first;
      t.from = t.reduced.slice(start).every((r) => r) ? start : -1;
      if (t.from < 0) t.onto = true;
    }
    let [eight, four] = [false, false];
    const see = (kind: Kind): void => {
      if (kind === "f64") eight = true;
      else if (kind !== "bool") four = true;
    };
    for (const { kind } of this.accesses) see(kind);
    // What members read of each other has the type of one of them.
    for (const { node } of members) see(kindOf(node.type.dtype)!);
    this.size = eight ? 8 : 4;
    const inner = this.dims.length - 1;
    this.vectors =
      inner >= 0 &&
      this.dims[inner]! > 1 &&
      !(eight && four) &&
      this.accesses.every(({ strides }, i) => strides[inner] === 1 || (strides[inner] === 0 && !this.#isOut(i)));
    const short = members.length + totals.length <= 6 && !members.some((m) => isMath(m.node.op.name));
    this.times = this.vectors && this.dims[inner]! / (16 / this.size) >= 16 && short ? 4 : 1;
  }

  /** What members write comes after what is read, and before totals. */
  #isOut(access: number): boolean {
    return access >= this.reads && access < this.accesses.length - this.totals.length;
  }

  #access(view: View): Access {
    const number = this.accesses.length;
    const made: Access = { view, kind: kindOf(view.buffer.dtype)!, number, pointer: number, strides: view.strides };
    this.accesses.push(made);
    return made;
  }

  #read(view: View, known: Map<Buffer, Access[]>): Access {
    const { buffer, strides, offset, wrap, turn } = view;
    const list = known.get(buffer);
    for (const a of list ?? []) {
      const v = a.view;
      if (v === view) return a;
      if (v.offset === offset && v.wrap === wrap && v.turn === turn && strides.every((s, i) => s === v.strides[i])) return a;
    }
    const made = this.#access(view);
    if (list === undefined) known.set(buffer, [made]);
    else list.push(made);
    return made;
  }

  #collapse(): void {
    const { shape } = this.loop;
    const all = this.accesses;
    const long = shape.flatMap((s, i) => (s === 1 ? [] : [i]));
    // A single element has one axis, too.
    const axes = long.length === 0 && shape.length > 0 ? [0] : long;
    const dims: number[] = [];
    const kept: number[] = [];
    for (const axis of axes) {
      const last = kept.length - 1;
      const before = kept[last];
      // The reduced and kept axes of a total must not merge: its stride is 0 along the one and not along the other, unless its size is 1.
      if (
        before !== undefined &&
        all.every((a) => a.strides[before] === a.strides[axis]! * shape[axis]!) &&
        this.totals.every((t) => t.reduced[before] === t.reduced[axis])
      ) {
        dims[last]! *= shape[axis]!;
        kept[last] = axis;
      } else {
        dims.push(shape[axis]!);
        kept.push(axis);
      }
    }
    this.dims = dims;
    for (const a of all) a.strides = kept.map((axis) => a.strides[axis]!);
    for (const t of this.totals) t.reduced = kept.map((axis) => t.reduced[axis]!);
  }

  /**
   * All that its code depends on as a text, null where no text tells it. What is left out are places in memory: that two of them are one, or overlap, is
   * nothing to the code, but for reads that are made once, and vectors that may not run over, which are in it.
   */
  key(): string | null {
    const parts: string[] = [`${this.dims}${this.exact ? "!" : ""}${this.empty ? "-" : ""}`];
    for (const { kind, strides } of this.accesses) parts.push(`${kind}${strides}`);
    for (const [i, { node, args }] of this.loop.members.entries()) {
      const attrs = node.attrs === noAttrs ? "" : attributesKey(node.attrs);
      if (attrs === null) return null;
      let text = `${node.op.name}${attrs} ${node.type.dtype}`;
      for (const [j, s] of args.entries()) text += "member" in s ? ` m${s.member}` : ` ${this.args[i]![j]!.number}`;
      parts.push(`${text}>${this.outs[i]?.number}`);
    }
    for (const { total, source, reduced, onto } of this.totals) {
      const from = "member" in total.source ? `m${total.source.member}` : source!.number;
      parts.push(`${total.op} ${total.kind} ${from} ${reduced} ${onto} ${total.onto}`);
    }
    return parts.join(";");
  }
}
