import { endless, noLength } from "../../control/limits.ts";
import { bodyOf, type Region } from "../../control/region.ts";
import type { ScanAttrs } from "../../control/scan-op.ts";
import type { DType } from "../../ir/dtype.ts";
import type { Node, Value } from "../../ir/node.ts";
import type { Body } from "../../ir/op.ts";
import { sizeOf } from "../../ir/shape.ts";
import type { Held } from "../../ir/tensor.ts";
import { cells } from "./kernel.ts";
import { type Buffer, unborn, type View, wholeView } from "./view.ts";

/** A value that each round gives to the next: rounds read it at one place and write it at another, and the two change places. */
export interface Carry {
  readonly init: Buffer;
  /** Where the last round writes, and where the round before it does. */
  readonly result: Buffer;
  readonly other: Buffer;
  /** Entries of the table of addresses: where this round reads it, and where it writes. */
  readonly now: number;
  readonly next: number;
  readonly bytes: number;
  /** Where carries are kept at the beginning of each stretch. */
  readonly saved: Buffer | null;
}

/** Rows that a loop reads or writes one after another; the table has the address of the present one. */
export interface Moving {
  readonly view: View;
  readonly slot: number;
  /** Bytes from one row to the next. */
  readonly step: number;
}

/** A step that stands for an error: what the host throws when it is reached. */
export interface Refusal {
  readonly kind: "host";
  readonly node: Node;
  readonly operands: readonly View[];
  readonly outs: readonly Buffer[];
}

interface Common {
  readonly kind: "control";
  readonly node: Node;
  /** What it reads and writes of the plan around it, memory of its bodies included. */
  readonly operands: readonly View[];
  readonly outs: readonly Buffer[];
}

/** A loop over rows. */
export interface Scan<S> extends Common {
  readonly form: "scan";
  readonly parts: readonly [readonly S[]];
  readonly length: View | null;
  readonly rows: number;
  readonly reverse: boolean;
  readonly every: number;
  readonly carries: readonly Carry[];
  readonly walked: readonly Moving[];
  readonly stacked: readonly Moving[];
  /** What happens where the length is no number of rows. */
  readonly refusal: Refusal | null;
}

/** A loop while a test holds: the test, then the body. */
export interface While<S> extends Common {
  readonly form: "while";
  readonly parts: readonly [readonly S[], readonly S[]];
  readonly carries: readonly Carry[];
  readonly asked: Buffer;
  readonly rounds: Buffer | null;
  readonly limit: number;
  readonly refusal: Refusal;
}

/** One of two branches, or, where there is no test, the only one. */
export interface Branch<S> extends Common {
  readonly form: "branch";
  readonly parts: readonly (readonly S[])[];
  readonly test: View | null;
}

/** An op with bodies: its loop or choice is in the module, and the bodies are steps of it. */
export type Control<S> = Scan<S> | While<S> | Branch<S>;

/** The plan around an op with bodies. */
export interface Around<S> {
  view(v: Value): View;
  whole(v: Value): View;
  /** Memory for a result. */
  fresh(v: Value): Buffer;
  scratch(dtype: DType, length: number): Buffer;
  /** A new entry of the table of addresses. */
  slot(): number;
  /** Which results of a node anybody reads. */
  wanted(node: Node): readonly boolean[];
  /** Lays a body out: its inputs lie at `places`, its outputs are written to `outs`. Its memory is a buffer of the plan around. */
  part(inputs: readonly Value[], outputs: readonly Value[], places: readonly View[], outs: readonly Buffer[]): { readonly steps: readonly S[]; readonly memory: Buffer };
} // biome-ignore format: one method a line

interface WhileAttrs {
  readonly test: Region;
  readonly body: Region;
  readonly fixed: number;
  readonly limit: number;
}

/** Whether an op is computed by the steps of its bodies. */
export function hasBodies({ op }: Node): boolean {
  return op.name === "scan" || op.name === "whileLoop" || op.name === "cond" || op.name === "checkpoint";
}

/** Lays out an op with bodies. */
export function control<S>(node: Node, around: Around<S>): Control<S> {
  const layout = new Layout(node, around);
  if (node.op.name === "scan") return layout.scan();
  if (node.op.name === "whileLoop") return layout.while();
  return layout.branch();
}

function buffer(place: Buffer["place"], dtype: DType, length: number, offset: number, same: Buffer | null, tight = false): Buffer {
  return { dtype, length, place, offset, first: unborn, last: -1, data: null, source: null, same, tight, looped: false, over: null };
}

const at = (slot: number, { dtype, shape }: Value["type"]): Buffer => buffer("slot", dtype, sizeOf(shape), slot, null);

/** Another buffer as the body sees it: when it is used there is no matter of the plan around. */
export function sameAs(other: Buffer): Buffer {
  return buffer("same", other.dtype, other.length, 0, other, other.tight);
}

function refusing(error: (held: readonly (Held | null)[]) => Error): Node {
  const run = (_: Node, held: readonly (Held | null)[]): never => {
    throw error(held);
  };
  return { op: { name: "refusal", run }, operands: [], outputs: null } as unknown as Node;
}

class Layout<S> {
  private readonly node: Node;
  private readonly around: Around<S>;
  readonly #operands: View[] = [];
  readonly #outs: Buffer[] = [];
  readonly #parts: (readonly S[])[] = [];

  constructor(node: Node, around: Around<S>) {
    this.node = node;
    this.around = around;
  }

  #read(view: View): View {
    this.#operands.push(view);
    return view;
  }

  #fixed(v: Value): View {
    const view = this.#read(this.around.view(v));
    return { ...view, buffer: sameAs(view.buffer) };
  }

  #own<B extends Buffer | null>(b: B): B {
    if (b !== null) this.#outs.push(b);
    return b;
  }

  #part(inputs: readonly Value[], outputs: readonly Value[], places: readonly View[], outs: readonly Buffer[]): void {
    const { steps, memory } = this.around.part(inputs, outputs, places, outs);
    this.#own(memory);
    this.#parts.push(steps);
  }

  #carry(init: Value, result: Value, saved: Buffer | null): Carry {
    const { dtype, shape } = result.type;
    const length = sizeOf(shape);
    return {
      init: this.#read(this.around.whole(init)).buffer,
      result: this.#own(this.around.fresh(result)),
      other: this.#own(this.around.scratch(dtype, length)),
      now: this.around.slot(),
      next: this.around.slot(),
      bytes: length * cells[dtype].bytes,
      saved: this.#own(saved),
    };
  }

  get #common(): Common {
    return { kind: "control", node: this.node, operands: this.#operands, outs: this.#outs };
  }

  scan(): Scan<S> {
    const { node, around } = this;
    const { body, fixed, carries: count, rows, reverse, every } = node.attrs as ScanAttrs;
    const [length, ...xs] = node.operands as [Value | null, ...Value[]];
    const run = bodyOf(body);
    const results = node.outputs! as readonly Value[];
    const wanted = around.wanted(node);
    const outs = run.outputs.length - count;
    const places = xs.slice(0, fixed).map((v) => this.#fixed(v));
    const carries = xs.slice(fixed, fixed + count).map((v, j) => {
      const saved = every > 0 && wanted[count + outs + j]! ? around.fresh(results[count + outs + j]!) : null;
      return this.#carry(v, results[j]!, saved);
    });
    carries.forEach(({ now }, j) => {
      const { type } = run.outputs[j]!;
      places.push(wholeView(at(now, type), type.shape));
    });
    const walked = xs.slice(fixed + count).map((v): Moving => {
      const given = around.view(v);
      // What is read backward along an axis of a row would begin before it.
      const view = this.#read(given.strides.slice(1).some((s) => s < 0) ? around.whole(v) : given);
      const slot = around.slot();
      const [shape, strides] = [view.shape.slice(1), view.strides.slice(1)];
      const end = shape.includes(0) ? 0 : shape.reduce((sum, s, i) => sum + (s - 1) * strides[i]!, 1);
      places.push({ buffer: buffer("slot", v.type.dtype, end, slot, null), shape, strides, offset: 0 });
      return { view, slot, step: view.strides[0]! * cells[v.type.dtype].bytes };
    });
    const kept = run.outputs.slice(count).flatMap((v, i) => (wanted[count + i] ? [{ v, result: results[count + i]! }] : []));
    const stacked = kept.map(({ v, result }): Moving => {
      const view = wholeView(this.#own(around.fresh(result)), result.type.shape);
      return { view, slot: around.slot(), step: sizeOf(v.type.shape) * cells[v.type.dtype].bytes };
    });
    const next = carries.map((c, j) => at(c.next, run.outputs[j]!.type));
    const rowsOut = kept.map(({ v }, i) => buffer("slot", v.type.dtype, sizeOf(v.type.shape), stacked[i]!.slot, null, true));
    this.#part(run.inputs, [...run.outputs.slice(0, count), ...kept.map(({ v }) => v)], places, [...next, ...rowsOut]);
    const view = length === null ? null : this.#read(around.view(length));
    return {
      ...this.#common,
      form: "scan",
      parts: this.#parts as unknown as [readonly S[]],
      length: view,
      rows,
      reverse,
      every: carries.some(({ saved }) => saved !== null) ? every : 0,
      carries,
      walked,
      stacked,
      refusal: view && { kind: "host", node: refusing(([n]) => noLength(n as number, rows)), operands: [view], outs: [] },
    };
  }

  while(): While<S> {
    const { node, around } = this;
    const { test, body, fixed, limit } = node.attrs as WhileAttrs;
    const xs = node.operands as readonly Value[];
    const [ask, run] = [bodyOf(test), bodyOf(body)];
    const results = node.outputs! as readonly Value[];
    const shared = xs.slice(0, fixed).map((v) => this.#fixed(v));
    const carries = xs.slice(fixed).map((v, j) => this.#carry(v, results[j]!, null));
    const places = (): View[] => [...shared, ...carries.map(({ now }, j) => wholeView(at(now, results[j]!.type), results[j]!.type.shape))];
    const asked = this.#own(around.scratch("bool", 1));
    this.#part(ask.inputs, ask.outputs, places(), [sameAs(asked)]);
    this.#part(
      run.inputs,
      run.outputs,
      places(),
      carries.map((c, j) => at(c.next, results[j]!.type)),
    );
    const rounds = around.wanted(node)[carries.length] ? this.#own(around.fresh(results[carries.length]!)) : null;
    return {
      ...this.#common,
      form: "while",
      parts: this.#parts as unknown as [readonly S[], readonly S[]],
      carries,
      asked,
      rounds,
      limit,
      refusal: { kind: "host", node: refusing(() => endless(limit)), operands: [], outs: [] },
    };
  }

  branch(): Branch<S> {
    const { node, around } = this;
    const { yes, no, graph } = node.attrs as { readonly yes?: Region; readonly no?: Region; readonly graph?: Region };
    const bodies = (graph === undefined ? [yes!, no!] : [graph]).map(bodyOf);
    const given = node.operands as readonly Value[];
    const test = graph === undefined ? this.#read(around.whole(given[0]!)) : null;
    const places = given.slice(test === null ? 0 : 1).map((v) => this.#fixed(v));
    const wanted = around.wanted(node);
    const results = (node.outputs! as readonly Value[]).filter((_, i) => wanted[i]).map((v) => this.#own(around.fresh(v)));
    const kept = ({ outputs }: Body): Value[] => outputs.filter((_, i) => wanted[i]);
    for (const body of bodies) this.#part(body.inputs, kept(body), places, results.map(sameAs));
    return { ...this.#common, form: "branch", parts: this.#parts, test };
  }
}
