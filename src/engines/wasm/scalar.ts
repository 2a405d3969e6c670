import { literalOf } from "../../ir/leaf.ts";
import { constant, elementwise, type Push, type Target } from "./elementwise.ts";
import { type Code, i32, type ValueType } from "./encoder.ts";
import { cells, kindOf } from "./kernel.ts";
import { type Surroundings, singleTarget } from "./loop.ts";
import type { Loop, Source } from "./plan.ts";
import type { Buffer, View } from "./view.ts";

/** Whether a buffer holds one number that belongs to the structure of the graph, not to its data. */
function isLiteral({ place, length, source }: Buffer): boolean {
  return place === "fixed" && length === 1 && (source === null || literalOf(source) !== null);
}

/**
 * Ops whose operands are pushed once each, in order, before anything else: the first may be on the stack already. For floats they are one instruction,
 * so far from that of the addition.
 */
const inOrder: ReadonlyMap<string, number> = /* @__PURE__ */ new Map([["add", 0], ["sub", 1], ["mul", 2], ["div", 3], ["sqrt", -1]]); // biome-ignore format: a table

/** A place in memory that is read: the local that holds it, -1 for none, and the uses that are still to come. */
interface Loaded {
  readonly offset: number;
  local: number;
  readonly type: ValueType;
  uses: number;
}

/**
 * Writes ops on single elements as straight lines. Values live in locals, which are used again after the last use of what they hold; only what
 * others read is stored. A value that the next op takes first stays on the stack.
 */
export class ScalarWriter {
  private readonly code: Code;
  private readonly around: Surroundings;
  private readonly loop: Loop;
  /** Locals that hold nothing any more, by type. */
  readonly #free = new Map<ValueType, number[]>();
  readonly #locals: Int32Array;
  /** Uses of each member, and of each place in memory, that are still to come. */
  readonly #uses: Int32Array;
  readonly #loaded = new Map<Buffer, Loaded[]>();
  /** What the operands in memory are read from, in the order in which they are come by, and the next one's number. */
  readonly #places: Loaded[] = [];
  #next = 0;
  readonly #pointers = new Map<Buffer, number>();
  #base = -1;

  constructor(code: Code, around: Surroundings, loop: Loop) {
    this.code = code;
    this.around = around;
    this.loop = loop;
    this.#locals = new Int32Array(loop.members.length).fill(-1);
    this.#uses = new Int32Array(loop.members.length);
  }

  write(): void {
    const { code, loop } = this;
    const { members } = loop;
    for (const m of members)
      for (const s of m.args) {
        if ("member" in s) this.#uses[s.member]!++;
        else {
          const { buffer, offset } = s.view;
          const list = this.#loaded.get(buffer);
          let known = list?.find((l) => l.offset === offset);
          if (known === undefined) {
            known = { offset, local: -1, type: cells[buffer.dtype].type, uses: 0 };
            if (list === undefined) this.#loaded.set(buffer, [known]);
            else list.push(known);
          }
          known.uses++;
          this.#places.push(known);
        }
      }
    this.#base = code.local(i32);
    code.getGlobal(this.around.base).set(this.#base);
    const target = singleTarget(code, this.around);
    // The member whose value is on the stack, not yet in a local.
    let pending = -1;
    for (let i = 0; i < members.length; i++) {
      const { node, args, out } = members[i]!;
      const direct = inOrder.get(node.op.name);
      if (pending >= 0) {
        const first = args[0];
        const taken = out === null && direct !== undefined && first !== undefined && "member" in first && first.member === pending;
        const again = this.#uses[pending]! > 1;
        if (!taken) code.set(this.#place(pending));
        else if (again) code.tee(this.#place(pending));
        if (!taken) pending = -1;
      }
      this.#onStack = pending >= 0;
      const kind = kindOf(node.operand(node.op.name === "where" ? 1 : 0)!.type.dtype)!;
      let read = this.#next;
      for (let j = 0; j < args.length; j++) {
        const s = args[j]!;
        if ("member" in s) continue;
        const known = this.#places[read++]!;
        // Read only once by what pushes it once: no local.
        if (known.local >= 0 || (known.uses === 1 && direct !== undefined) || isLiteral(s.view.buffer)) continue;
        known.local = this.#take(known.type);
        this.#load(s.view);
        code.set(known.local);
      }
      if (out !== null) this.#address(out);
      read = this.#next;
      if (direct !== undefined && (kind === "f32" || kind === "f64")) {
        // Most of a large graph: no function is made for an operand.
        for (let j = 0; j < args.length; j++) this.#push(args[j]!, "member" in args[j]! ? 0 : read++, target);
        code.bytes.byte((kind === "f32" ? 0x92 : 0xa0) + direct);
      } else {
        const pushes = args.map((s): Push => {
          const place = "member" in s ? 0 : read++;
          return () => this.#push(s, place, target);
        });
        elementwise[node.op.name]!.emit(target, kind, pushes, node);
      }
      for (let j = 0; j < args.length; j++) this.#release(args[j]!);
      if (out !== null) {
        const to = kindOf(out.buffer.dtype)!;
        if (this.#uses[i]! > 0) code.tee(this.#place(i));
        code.mem(cells[to].store, this.#offsetOf(out));
        pending = -1;
      } else pending = i;
    }
    if (pending >= 0) code.op("drop");
  }

  /** Whether the next member that is pushed is on the stack already. */
  #onStack = false;
  /** Writes an operand on the stack; `place` is the number of the place that it is read from. */
  #push(s: Source, place: number, target: Target): void {
    const { code } = this;
    if ("member" in s) {
      if (this.#onStack) this.#onStack = false;
      else code.get(this.#locals[s.member]!);
      return;
    }
    const { buffer } = s.view;
    const { local } = this.#places[place]!;
    if (isLiteral(buffer)) constant(target, kindOf(buffer.dtype)!, buffer.data![0]!);
    else if (local < 0) this.#load(s.view);
    else code.get(local);
  }

  #take(type: ValueType): number {
    return this.#free.get(type)?.pop() ?? this.code.local(type);
  }

  #place(member: number): number {
    const local = this.#take(cells[this.loop.members[member]!.node.type.dtype].type);
    this.#locals[member] = local;
    return local;
  }

  #release(s: Source): void {
    if ("member" in s) {
      if (--this.#uses[s.member]! === 0) this.#give(cells[this.loop.members[s.member]!.node.type.dtype].type, this.#locals[s.member]!);
    } else {
      const known = this.#places[this.#next++]!;
      if (--known.uses === 0) this.#give(known.type, known.local);
    }
  }

  #give(type: ValueType, local: number): void {
    if (local < 0) return;
    const list = this.#free.get(type);
    if (list === undefined) this.#free.set(type, [local]);
    else list.push(local);
  }

  /** The address that an offset is added to, on the stack. */
  #address({ buffer }: View): void {
    const { code } = this;
    if (buffer.place !== "slot") {
      code.get(this.#base);
      return;
    }
    let local = this.#pointers.get(buffer);
    if (local === undefined) {
      local = code.local(i32);
      this.#pointers.set(buffer, local);
      code
        .get(this.#base)
        .mem("i32.load", buffer.offset * 4)
        .tee(local);
    } else code.get(local);
  }

  #offsetOf({ buffer, offset }: View): number {
    return (buffer.place === "slot" ? 0 : buffer.offset) + offset * cells[buffer.dtype].bytes;
  }

  #load(view: View): void {
    const kind = kindOf(view.buffer.dtype)!;
    this.#address(view);
    this.code.mem(cells[kind].load, this.#offsetOf(view));
  }
}
