import { heldBy } from "../../evaluate/evaluate.ts";
import { allocate, type DType, type NumberArray } from "../../ir/dtype.ts";
import { GraphError } from "../../ir/errors.ts";
import { inputOp, nameOf } from "../../ir/leaf.ts";
import { memoOf, type Node, type Value, valuesOf } from "../../ir/node.ts";
import { type Shape, sameShape, sizeOf } from "../../ir/shape.ts";
import { dense } from "../../ir/tensor.ts";
import { collect } from "../../ir/walk.ts";
import { type Around, type Branch, control, hasBodies, type Scan, type While } from "./control.ts";
import { elementwise } from "./elementwise.ts";
import { cells, type Kernel, type Kind, kindOf } from "./kernel.ts";
import { kernels } from "./kernels/kernels.ts";
import { isBernoulli } from "./kernels/random.ts";
import { loopable, reductions } from "./kind.ts";
import { loopedKernel } from "./looped.ts";
import { lowered } from "./lower.ts";
import { byRows, type Rows, touched } from "./rows.ts";
import { alignedTo, type Buffer, isWhole, reshaped, sliced, unborn, type View, viewOf, wholeView } from "./view.ts";

/** Where a loop reads an operand: another member of the loop, or memory. */
export type Source = { readonly member: number } | { readonly view: View };

/** One op in a loop. */
export interface Member {
  readonly node: Node;
  readonly args: readonly Source[];
  /** Where the result goes, null while only other members need it. */
  out: View | null;
}

/** A reduction at the end of a loop. */
export interface Total {
  readonly op: "sum" | "prod" | "max" | "min";
  readonly kind: Kind;
  readonly source: Source;
  /** Over the loop's shape: its strides are 0 along the axes that are reduced. */
  readonly out: View;
  /** What is there already counts, too: the rows of other turns. */
  readonly onto?: boolean;
}

/** One pass over a common shape: elementwise ops, and reductions of what they compute. */
export interface Loop {
  readonly kind: "loop";
  readonly shape: Shape;
  readonly members: Member[];
  readonly totals: Total[];
}

/** A matrix product: sizes, strided operands, a contiguous result. */
export interface Product {
  readonly kind: "product";
  readonly node: Node;
  readonly a: View;
  readonly b: View;
  readonly out: Buffer;
}

/** A convolution or one of its two transposes, by unfolding and products: the first operand is x or dy, the second w, x or dy. */
export interface Convolution {
  readonly kind: "convolution";
  readonly node: Node;
  readonly a: View;
  readonly b: View;
  readonly out: Buffer;
}

/** An op that its own kernel computes, outside the module. */
export interface Hosted {
  readonly kind: "host";
  readonly node: Node;
  readonly operands: readonly (View | null)[];
  readonly outs: readonly Buffer[];
}

/** An op with a kernel of its own in the module. It may leave the answer to the host, as where an index is out of range. */
export interface Computed {
  readonly kind: "kernel";
  readonly node: Node;
  readonly kernel: Kernel;
  readonly operands: readonly (View | null)[];
  readonly outs: readonly Buffer[];
  readonly temps: readonly Buffer[];
}

/** What a program does, in order. */
export type Step = Loop | Product | Convolution | Computed | Hosted | Rows<Step> | Scan<Step> | While<Step> | Branch<Step>;

/** Steps with those of their bodies. */
export function everyStep(steps: readonly Step[]): Step[] {
  return steps.flatMap((s) =>
    s.kind === "control" ? [s, ...s.parts.flatMap(everyStep)] : s.kind === "rows" ? [s, ...everyStep(s.steps)] : [s],
  );
}

/** A graph laid out for one run after another. */
export interface Plan {
  readonly steps: readonly Step[];
  readonly buffers: readonly Buffer[];
  /** Views of bodies on buffers around them: they hold on to constants, too. */
  readonly aliases: readonly Buffer[];
  readonly inputs: readonly Buffer[];
  readonly outputs: readonly Buffer[];
  /** Bytes from the program's base to the end of its scratch. */
  readonly bytes: number;
}

interface Group extends Loop {
  /** Nodes that are members, and nodes whose results are there when it has ended. */
  readonly joined: Facts[];
  readonly waiting: Facts[];
}

/** More members than this would keep too many registers and too large a function; each has four addresses at most, of which a function takes no more than a thousand. */
const mostMembers = 240;
/** Single elements have no loop around them, so that there may be more; what compiles a function takes longer than in proportion to its size. */
const mostScalars = 600;
/** Ops that give their elements back in order where no axis but those of one place comes or goes. */
const inOrder: ReadonlySet<string> = /* @__PURE__ */ new Set(["identity", "stop", "customGradient", "reshape", "expand", "transpose", "sum", "prod", "max", "min"]); // biome-ignore format: a list
const noShape: Shape = [];

/**
 * Lays a graph out as steps: views instead of copies, elementwise ops and reductions fused into loops, memory shared over time.
 * @param known what the graph was found to be, while no other graph has been walked
 */
export function plan(inputs: readonly Value[], outputs: readonly Value[], known?: Known): Plan {
  return new Planner(inputs, outputs, { slots: inputs.length + outputs.length, bodies: [], aliases: [] }, known).lay();
}

/** The nodes of a graph as `collect` finds them, and those numbers that others are equal to. */
interface Known {
  readonly order: readonly Node[];
  readonly equals: ReadonlyMap<Node, Node>;
}

/** What the plans of a program and of the bodies in it share. */
interface Shared {
  /** How many entries the table of addresses has. */
  slots: number;
  /** The scratch of bodies, each a buffer of the plan around it, inner bodies first. */
  readonly bodies: { readonly memory: Buffer; readonly scratch: readonly Buffer[] }[];
  readonly aliases: Buffer[];
}

/** What planning knows of a node. */
class Facts {
  readonly node: Node;
  /** Depends on the inputs. */
  varies = false;
  /** An output. */
  needed = false;
  /** How often nodes read it, and how often of that in the loop that computes it. */
  count = 0;
  inside = 0;
  /** The elements of another value, in order and with the same axes but for those of one place: that value. */
  same: Value | null = null;
  /** Where its results lie, as far as they do. */
  views: (View | undefined)[] | null = null;
  /** The loop that computes it and is not closed yet, and its number there. */
  open: Group | null = null;
  member = -1;
  /** For what is there only when its loop has ended: where. */
  later: Buffer | null = null;
  constructor(node: Node) {
    this.node = node;
  }
}

/** Facts by node. The place that the walk left on a node leads there, unless another walk has been over it since. */
class FactsOf {
  readonly inOrder: readonly Facts[];
  #byNode: Map<Node, Facts> | null = null;
  constructor(order: readonly Node[]) {
    this.inOrder = order.map((node) => new Facts(node));
  }
  of(node: Node): Facts {
    const usual = this.inOrder[node.place];
    if (usual?.node === node) return usual;
    this.#byNode ??= new Map(this.inOrder.map((f) => [f.node, f]));
    let known = this.#byNode.get(node);
    if (known === undefined) this.#byNode.set(node, (known = new Facts(node)));
    return known;
  }
}

class Planner {
  readonly #inputs: readonly Value[];
  readonly #outputs: readonly Value[];
  readonly #facts: FactsOf;
  readonly #equals: ReadonlyMap<Node, Node>;
  readonly #groups = new Set<Group>();
  private readonly steps: Step[] = [];
  private readonly buffers: Buffer[] = [];
  private readonly shared: Shared;

  constructor(
    inputs: readonly Value[],
    outputs: readonly Value[],
    shared: Shared,
    { order, equals }: Known = { order: collect([...inputs, ...outputs]), equals: new Map() },
  ) {
    this.#inputs = inputs;
    this.#outputs = outputs;
    this.#facts = new FactsOf(order);
    this.#equals = equals;
    this.shared = shared;
    this.#prepare();
  }

  lay(): Plan {
    const ins = this.#inputs.map((v, i) => {
      const buffer = this.buffer(v.type.dtype, sizeOf(v.type.shape), "slot", i);
      this.#setView(v, wholeView(buffer, v.type.shape));
      return buffer;
    });
    this.#placeAll();
    const outs = this.#outputs.map((v, i) => this.#output(v, ins.length + i));
    for (const g of [...this.#groups]) this.#flush(g);
    this.#together();
    const { steps, buffers, shared } = this;
    return { steps, buffers, aliases: shared.aliases, inputs: ins, outputs: outs, bytes: this.#arrange() };
  }

  /** Lays a body out as a part of the plan around: its constants are that plan's, its scratch one buffer of it. */
  layWithin(places: readonly View[], outs: readonly Buffer[], around: Planner): Buffer {
    for (const [i, v] of this.#inputs.entries()) this.#setView(v, places[i]!);
    for (const { buffer } of places) if (buffer.same !== null) this.shared.aliases.push(buffer);
    this.#placeAll();
    for (const [i, v] of this.#outputs.entries()) this.#toward(v, outs[i]!);
    for (const g of [...this.#groups]) this.#flush(g);
    this.#together();
    for (const b of this.buffers) if (b.place === "fixed") around.buffers.push(b);
    const memory = around.buffer("u8", this.#arranged(0), "scratch");
    this.shared.bodies.push({ memory, scratch: this.buffers.filter((b) => b.place === "scratch") });
    return memory;
  }

  /** Runs steps over the same rows together; their buffers are alive all through. */
  #together(): void {
    const joined = (first: number, last: number, buffers: readonly Buffer[]): void => {
      for (const b of buffers) {
        touch(b, first);
        touch(b, last);
      }
    };
    const made = byRows(this.steps, bytesOf, joined, (dtype, length) => this.buffer(dtype, length, "scratch"));
    this.steps.splice(0, this.steps.length, ...made);
  }

  #placeAll(): void {
    for (const { node, varies, same } of this.#facts.inOrder) if (varies && same === null && node.op !== inputOp) this.#place(node);
  }

  /** The nodes that read each node, made when somebody asks: most nodes of a large graph are never asked about. */
  #readers: Map<Facts, Node[]> | null = null;

  #usersOf(facts: Facts): readonly Node[] {
    if (this.#readers === null) {
      const readers = new Map<Facts, Node[]>();
      this.#read((read, by) => {
        const list = readers.get(read);
        if (list === undefined) readers.set(read, [by]);
        else list.push(by);
      });
      this.#readers = readers;
    }
    return this.#readers.get(facts) ?? [];
  }

  /** Each operand of each node that is computed, by what it is computed as. */
  #read(visit: (facts: Facts, by: Node) => void): void {
    for (const { node, varies, same } of this.#facts.inOrder) {
      if (!varies || same !== null) continue;
      const { operands } = node;
      for (let i = 0; i < operands.length; i++) if (operands[i] !== null) visit(this.#facts.of(this.#rooted(operands[i]!).node), node);
    }
  }

  /** Finds out what depends on the inputs and how often what is read. Operands come before their readers, so one look at each node is enough. */
  #prepare(): void {
    for (const v of this.#inputs) this.#facts.of(v.node).varies = true;
    for (const facts of this.#facts.inOrder) {
      const { node } = facts;
      if (node.op === inputOp && !facts.varies)
        throw new GraphError(
          `compile: the graph uses input ${nameOf(node)}, which is not among its own inputs; it belongs to another graph or transform`,
        );
      for (let i = 0; i < node.count && !facts.varies; i++) {
        const v = node.operand(i);
        facts.varies = v !== null && this.#facts.of(v.node).varies;
      }
      if (!facts.varies) continue;
      const equal = this.#equals.size > 0 ? this.#equals.get(node) : undefined;
      if (equal !== undefined) facts.same = this.#rooted(equal);
      else if (this.#isSame(node)) facts.same = this.#rooted(node.operand(0)!);
      else
        for (let i = 0; i < node.count; i++) {
          const v = node.operand(i);
          if (v !== null) this.#facts.of(this.#rooted(v).node).count++;
        }
    }
    for (const v of this.#outputs) this.#facts.of(this.#rooted(v).node).needed = true;
  }

  /** Whether a node only gives its operand axes of one place, or takes them away. */
  #isSame({ op, type, outputs, operands: [x] }: Node): boolean {
    if (!inOrder.has(op.name) || outputs !== null || x == null || type.dtype !== x.type.dtype || kindOf(type.dtype) === null) return false;
    const shape = squeezed(type.shape);
    return sameShape(shape, squeezed(x.type.shape)) && (op.name !== "transpose" || shape.length < 2);
  }

  /** What a value is computed as. */
  #rooted(v: Value): Value {
    return this.#facts.of(v.node).same ?? v;
  }

  private buffer(dtype: DType, length: number, place: Buffer["place"], offset = 0, data: NumberArray | null = null): Buffer {
    const made: Buffer = {
      dtype,
      length,
      place,
      offset,
      first: unborn,
      last: -1,
      data,
      source: null,
      same: null,
      tight: false,
      looped: false,
      over: null,
    };
    this.buffers.push(made);
    return made;
  }

  #setView(v: Value, view: View): void {
    const facts = this.#facts.of(v.node);
    if (facts.views === null && v.index === 0) facts.views = [view];
    else (facts.views ??= [])[v.index] = view;
  }

  /** Where a value lies in memory; closes the loop that computes it. */
  #view(v: Value): View {
    const facts = this.#facts.of(v.node);
    const known = facts.views?.[v.index];
    if (known !== undefined) return known;
    const root = facts.same;
    if (root !== null) {
      const made = reshaped(this.#view(root), v.type.shape)!;
      this.#setView(v, made);
      return made;
    }
    if (facts.open !== null) {
      this.#flush(facts.open);
      return facts.views![v.index]!;
    }
    // Nothing that depends on the inputs: computed once, now, by the reference engine. Views of such stay views.
    const seen = facts.varies || v.node.operands.length === 0 ? null : viewOf(v, (x) => this.#view(x));
    if (seen !== null) {
      this.#setView(v, seen);
      return seen;
    }
    const { data } = dense(memoOf(v) ?? heldBy(v), v.type);
    const fixed = this.buffer(v.type.dtype, data.length, "fixed", 0, data);
    fixed.source = v;
    const made = wholeView(fixed, v.type.shape);
    this.#setView(v, made);
    return made;
  }

  #place(node: Node): void {
    if (this.#twins.has(node)) return;
    // Most nodes of a large graph are arithmetic, which has no views.
    if (elementwise[node.op.name] === undefined || node.op.name === "identity") {
      const seen = valuesOf(node).map((v) => viewOf(v, (x) => this.#view(x)));
      if (seen.every((view) => view !== null)) {
        for (const [i, v] of valuesOf(node).entries()) this.#setView(v, seen[i]!);
        return;
      }
    }
    if (node.op.name === "reshape") {
      this.#setView(node, wholeView(this.#whole(node.operands[0]!).buffer, node.type.shape));
      return;
    }
    if (isBernoulli(node)) {
      this.#kernel(node, kernels["bernoulli"]!(node)!, [node.operands[0]!.node.operands[0]!], [node]);
      return;
    }
    // Numbers that are only compared are never written down.
    if (node.op.name === "uniformNumbers") {
      const facts = this.#facts.of(node);
      if (!facts.needed && facts.count > 0 && this.#usersOf(facts).every(isBernoulli)) return;
    }
    if (loopable(node)) {
      const x = node.operand(0)!;
      const { open } = this.#facts.of(this.#rooted(x).node);
      // What is held in more digits than it has is there already.
      if (node.op.name === "cast" && open === null && kindOf(x.type.dtype) === node.type.dtype) this.#setView(node, this.#view(x));
      else this.#join(node);
      return;
    }
    const { dtype } = node.type;
    if (reductions.has(node.op.name) && kindOf(dtype) !== null && node.operands[0]!.type.dtype === dtype)
      this.#total(node, node.op.name as Total["op"]);
    else if (node.op.name === "matmul" && (dtype === "f32" || dtype === "f64")) this.#product(node);
    else if (/^conv(Input|Weight)?$/.test(node.op.name) && (dtype === "f32" || dtype === "f64") && node.operands[2] == null)
      this.#convolution(node);
    else if (node.op.name === "concat" && kindOf(dtype) !== null) this.#joined(node);
    else if (node.op.name === "unslice" && kindOf(dtype) !== null) this.#unsliced(node);
    else if (node.op.name === "pad" && kindOf(dtype) !== null) this.#padded(node);
    else if (hasBodies(node)) this.#control(node);
    else if (Object.hasOwn(kernels, node.op.name)) this.#computed(node);
    else this.#written(node);
  }

  /** An op that wrote loops for compilers, or else the host's. */
  #written(node: Node): void {
    const kernel = loopedKernel(node);
    if (kernel === null) this.#host(node);
    else this.#kernel(node, kernel, node.operands, [node]);
  }

  /** An op with bodies: they are laid out as plans within this one. */
  #control(node: Node): void {
    const around: Around<Step> = {
      view: (v) => this.#view(v),
      whole: (v) => this.#whole(v),
      fresh: (v) => this.#fresh(v),
      scratch: (dtype, length) => this.buffer(dtype, length, "scratch"),
      slot: () => this.shared.slots++,
      wanted: () => {
        const facts = this.#facts.of(node);
        const operands = this.#usersOf(facts).flatMap((user) => user.operands);
        const readers = facts.needed ? [...operands, ...this.#outputs] : operands;
        const read = new Set(readers.map((v) => v && this.#rooted(v)));
        return valuesOf(node).map((v) => read.has(v));
      },
      part: (inputs, outputs, places, outs) => {
        const low = lowered(inputs, outputs);
        const inner = new Planner(low.inputs, low.outputs, this.shared);
        const memory = inner.layWithin(places, outs, this);
        return { steps: inner.steps, memory };
      },
    };
    const made = control(node, around);
    this.#step(made);
  }

  /** A step, in which what it reads and writes is alive. */
  #step(step: Step): void {
    const { reads, outs } = touched(step);
    for (const { buffer } of reads) touch(buffer, this.steps.length);
    for (const b of outs) touch(b, this.steps.length);
    this.steps.push(step);
  }

  #fresh(v: Value): Buffer {
    const buffer = this.buffer(v.type.dtype, sizeOf(v.type.shape), "scratch");
    this.#setView(v, wholeView(buffer, v.type.shape));
    return buffer;
  }

  /** The loop that can take a node over `shape` with these operands: the one that computes most recently what it needs, or any of that shape. */
  #groupFor(given: Shape, operands: readonly Facts[]): Group {
    const shape = squeezed(given);
    const most = shape === noShape ? mostScalars : mostMembers;
    let chosen: Group | null = null;
    // The result of a reduction is there only when its loop has ended.
    for (let i = 0; i < operands.length; i++) {
      const { open, later } = operands[i]!;
      if (open !== null && (later !== null || !fits(open, shape, most))) this.#flush(open);
    }
    for (let i = 0; i < operands.length; i++) chosen = operands[i]!.open ?? chosen;
    for (let i = 0; i < operands.length; i++) {
      const { open } = operands[i]!;
      if (open !== null && open !== chosen) this.#flush(open);
    }
    if (chosen === null) for (const g of this.#groups) if (fits(g, shape, most)) chosen = g;
    if (chosen === null) {
      chosen = { kind: "loop", shape, members: [], totals: [], joined: [], waiting: [] };
      this.#groups.add(chosen);
    }
    return chosen;
  }

  /** Members of loops as sources, one object a number. */
  readonly #members: Source[] = [];

  /** An operand of what a loop computes over `shape`; the facts are those of what it is computed as. */
  #source(v: Value, facts: Facts, group: Group, shape: Shape): Source {
    const { open, member } = facts;
    if (open === group && member >= 0) {
      facts.inside++;
      return (this.#members[member] ??= { member });
    }
    const found = this.#view(v);
    if (found.shape.length === 0 && group.shape === noShape) return { view: found };
    const view = alignedTo(found, shape);
    if (group.shape === view.shape) return { view };
    return { view: { ...view, shape: group.shape, strides: view.strides.filter((_, i) => shape[i] !== 1) } };
  }

  #join(node: Node): void {
    const operands: Value[] = [];
    for (let i = 0; i < node.count; i++) operands.push(node.operand(i)!);
    const known = operands.map((v) => this.#facts.of(this.#rooted(v).node));
    const group = this.#groupFor(node.type.shape, known);
    const args = operands.map((v, i) => this.#source(v, known[i]!, group, node.type.shape));
    const facts = this.#facts.of(node);
    facts.open = group;
    facts.member = group.members.length;
    group.joined.push(facts);
    group.members.push({ node, args, out: null });
  }

  #total(node: Node, op: Total["op"]): void {
    const x = node.operands[0]!;
    const { shape } = x.type;
    const { axis } = node.attrs as { readonly axis: readonly number[] };
    const known = this.#facts.of(this.#rooted(x).node);
    const group = this.#groupFor(shape, [known]);
    const source = this.#source(x, known, group, shape);
    const buffer = this.#fresh(node);
    const kept = alignedTo(wholeView(buffer, shape.map((size, i) => (axis.includes(i) ? 1 : size))), shape); // biome-ignore format: one view
    const out = { buffer, offset: 0, shape: group.shape, strides: kept.strides.filter((_, i) => shape[i] !== 1) };
    group.totals.push({ op, kind: kindOf(node.type.dtype)!, source, out });
    this.#wait(node, buffer, group);
  }

  /** A result that is there when its loop has ended: whoever reads it closes the loop first. */
  #wait(node: Node, out: Buffer, group: Group): void {
    const facts = this.#facts.of(node);
    facts.views = null;
    facts.open = group;
    facts.later = out;
    group.waiting.push(facts);
  }

  #flush(group: Group): void {
    if (!this.#groups.delete(group)) return;
    for (const facts of group.joined) {
      const { node, member, needed, count, inside } = facts;
      if (needed || inside < count) group.members[member]!.out = this.#looped(node, group.shape);
    }
    if (sizeOf(group.shape) > 1) overwriting(group);
    for (const facts of group.joined) facts.open = null;
    for (const facts of group.waiting) {
      facts.views = [wholeView(facts.later!, facts.node.type.shape)];
      facts.open = null;
    }
    this.#step({ kind: "loop", shape: group.shape, members: group.members, totals: group.totals });
  }

  /** Memory for what a loop writes element by element. */
  #looped(node: Node, shape: Shape): View {
    const buffer = this.#fresh(node);
    buffer.looped = true;
    return wholeView(buffer, shape);
  }

  /** Single elements side by side: each is written to its place by the straight lines that compute it. */
  #gathered(node: Node): void {
    const parts = node.operands.map((v) => this.#rooted(v!));
    const known = parts.map((v) => this.#facts.of(v.node));
    const group = this.#groupFor(noShape, known);
    const sources = parts.map((v, i) => this.#source(v, known[i]!, group, v.type.shape));
    const out = this.#fresh(node);
    for (const [i, v] of parts.entries())
      group.members.push({ node: copyNode(v), args: [sources[i]!], out: { buffer: out, shape: noShape, strides: noShape, offset: i } });
    this.#wait(node, out, group);
  }

  /** A view that is a whole buffer in order, by a copying loop if need be. */
  #whole(v: Value): View {
    const view = this.#view(v);
    if (isWhole(view)) return view;
    const out = this.buffer(v.type.dtype, sizeOf(v.type.shape), "scratch");
    this.#copy(v, view, wholeView(out, v.type.shape));
    return wholeView(out, v.type.shape);
  }

  /** Copies a value's elements to a place of their shape. */
  #copy(v: Value, from: View, out: View): void {
    const node = copyNode(v);
    // Dtypes that loops do not know are only ever copied whole.
    if (kindOf(v.type.dtype) === null)
      this.#step({ kind: "kernel", node, kernel: copying, operands: [from], outs: [out.buffer], temps: [] });
    else this.#step({ kind: "loop", shape: v.type.shape, members: [{ node, args: [{ view: from }], out }], totals: [] });
  }

  /** Parts side by side along an axis: each is copied to its place. */
  #joined(node: Node): void {
    const { axis } = node.attrs as { readonly axis: number };
    if (node.operands.every((v) => sizeOf(v!.type.shape) === 1)) {
      this.#gathered(node);
      return;
    }
    const parts = node.operands.map((v) => this.#view(v!));
    const whole = wholeView(this.#fresh(node), node.type.shape);
    let start = 0;
    for (const [i, v] of node.operands.entries()) {
      const { shape } = v!.type;
      this.#copy(v!, parts[i]!, sliced(whole, axis, start, 1, shape));
      start += shape[axis]!;
    }
  }

  /** The transpose of a slice: zeros, and the elements at their places. */
  #unsliced(node: Node): void {
    const { axis, start, step } = node.attrs as { readonly axis: number; readonly start: number; readonly step: number };
    const x = node.operands[0]!;
    const from = this.#view(x);
    const whole = wholeView(this.#fresh(node), node.type.shape);
    const zero = this.buffer(node.type.dtype, 1, "fixed", 0, allocate(node.type.dtype, 1));
    this.#copy(node, alignedTo(wholeView(zero, []), node.type.shape), whole);
    this.#copy(x, from, sliced(whole, axis, start, step, x.type.shape));
  }

  /** Padding with a constant: the constant everywhere, and the elements at their places. */
  #padded(node: Node): void {
    const { pads, value } = node.attrs as { readonly pads: readonly (readonly [number, number])[]; readonly value: number };
    const x = node.operands[0]!;
    const from = this.#view(x);
    const whole = wholeView(this.#fresh(node), node.type.shape);
    const filler = this.buffer(node.type.dtype, 1, "fixed", 0, allocate(node.type.dtype, 1).fill(value));
    this.#copy(node, alignedTo(wholeView(filler, []), node.type.shape), whole);
    const into = pads.reduce((v, [before], axis) => sliced(v, axis, before, 1, x.type.shape), whole);
    this.#copy(x, from, into);
  }

  #product(node: Node): void {
    const [a, b] = node.operands.map((v) => this.#view(v!)) as [View, View];
    this.#step({ kind: "product", node, a, b, out: this.#fresh(node) });
  }

  #convolution(node: Node): void {
    const [a, b] = node.operands.slice(0, 2).map((v) => this.#whole(v!)) as [View, View];
    this.#step({ kind: "convolution", node, a, b, out: this.#fresh(node) });
  }

  #computed(node: Node): void {
    const twin = this.#twinOf(node);
    const [name, nodes] =
      twin === null ? [node.op.name, [node]] : ["maxPoolBoth", node.op.name === "maxPool" ? [node, twin] : [twin, node]];
    const kernel = kernels[name]!(node);
    if (kernel === null) {
      this.#host(node);
      return;
    }
    if (twin !== null) this.#twins.add(twin);
    this.#kernel(node, kernel, node.operands, nodes);
  }

  /** A step by a kernel: it reads operands and computes all results of some nodes. */
  #kernel(node: Node, kernel: Kernel, given: readonly (Value | null)[], nodes: readonly Node[]): void {
    const operands = given.map((v, i) => (v === null ? null : kernel.views?.includes(i) ? this.#view(v) : this.#whole(v)));
    const outs = nodes.flatMap((n) => valuesOf(n).map((v) => this.#fresh(v)));
    const temps = (kernel.temps ?? []).map(({ dtype, length, data }) => this.buffer(dtype, length, data ? "fixed" : "scratch", 0, data));
    for (const t of temps) touch(t, this.steps.length);
    this.#step({ kind: "kernel", node, kernel, operands, outs, temps });
  }

  /** Nodes that were computed together with another. */
  readonly #twins = new Set<Node>();

  /** The places that go with the values of a max pooling, or the values that go with places. */
  #twinOf(node: Node): Node | null {
    const other = { maxPool: "maxPoolPlaces", maxPoolPlaces: "maxPool" }[node.op.name];
    if (other === undefined) return null;
    const x = node.operands[0]!;
    const same = (user: Node): boolean =>
      user.op.name === other && user.operands[0] === x && JSON.stringify(user.attrs) === JSON.stringify(node.attrs);
    return this.#usersOf(this.#facts.of(this.#rooted(x).node)).find(same) ?? null;
  }

  #host(node: Node): void {
    const operands = node.operands.map((v) => (v === null ? null : this.#whole(v)));
    const outs = valuesOf(node).map((v) => this.#fresh(v));
    this.#step({ kind: "host", node, operands, outs });
  }

  /** The slot that an output is written to: the buffer that computes it becomes the slot, if it can. */
  #output(v: Value, slot: number): Buffer {
    const own = this.#owned(v);
    if (own === null) {
      const out = this.buffer(v.type.dtype, sizeOf(v.type.shape), "slot", slot);
      this.#copy(v, this.#view(v), wholeView(out, v.type.shape));
      return out;
    }
    own.place = "slot";
    own.offset = slot;
    return own;
  }

  /** The scratch that a value is the whole of, null for one that lies elsewhere or otherwise. */
  #owned(v: Value): Buffer | null {
    const view = this.#view(v);
    return view.buffer.place === "scratch" && isWhole(view) ? view.buffer : null;
  }

  /** Sees to it that a value is written to a place of the plan around: what computes it writes there, if it can. */
  #toward(v: Value, place: Buffer): void {
    const own = this.#owned(v);
    this.shared.aliases.push(place);
    if (own !== null && (!place.tight || own.looped)) {
      own.place = "same";
      own.same = place;
      own.tight = place.tight;
      this.shared.aliases.push(own);
    } else this.#copy(v, this.#view(v), wholeView(place, v.type.shape));
  }

  /** Gives single elements their places, eight bytes each: one that nobody reads any more is taken again. Returns where the next may begin. */
  #cells(start: number): number {
    const free: number[] = [];
    const ends = new Map<number, number[]>();
    let end = start;
    let step = 0;
    for (const b of this.buffers.filter((x) => x.place === "scratch" && x.length === 1).sort((x, y) => x.first - y.first)) {
      for (; step < b.first && b.first !== unborn; step++) free.push(...(ends.get(step) ?? []));
      b.offset = free.pop() ?? (end += 8) - 8;
      const list = ends.get(b.last);
      if (list === undefined) ends.set(b.last, [b.offset]);
      else list.push(b.offset);
    }
    return padded(end);
  }

  /** Gives every buffer its offset: first the table of addresses, then what is fixed, then scratch. */
  #arrange(): number {
    let end = padded(this.shared.slots * 4);
    for (const b of this.buffers)
      if (b.place === "fixed") {
        b.offset = end;
        end += padded(bytesOf(b));
      }
    end = this.#arranged(end);
    for (const { memory, scratch } of this.shared.bodies.reverse()) for (const b of scratch) b.offset += memory.offset;
    this.shared.aliases.forEach(settle);
    return end;
  }

  /** Gives scratch its offsets, first fit by order of birth. Returns where it ends. */
  #arranged(start: number): number {
    let end = this.#cells(start);
    const base = end;
    const alive: Buffer[] = [];
    for (const b of this.buffers.filter((x) => x.place === "scratch" && x.length !== 1).sort((x, y) => x.first - y.first)) {
      for (let i = alive.length - 1; i >= 0; i--) if (alive[i]!.last < b.first) alive.splice(i, 1);
      const place = alive.findIndex((a) => a === b.over && a.last === b.first);
      if (place >= 0) {
        b.offset = alive[place]!.offset;
        alive[place] = b;
        continue;
      }
      const size = padded(bytesOf(b));
      let at = base;
      let i = 0;
      for (; i < alive.length; i++) {
        if (alive[i]!.offset - at >= size) break;
        at = Math.max(at, alive[i]!.offset + padded(bytesOf(alive[i]!)));
      }
      b.offset = at;
      alive.splice(i, 0, b);
      end = Math.max(end, at + size);
    }
    return end;
  }
}

/** Bytes of a buffer. */
export function bytesOf(b: { readonly dtype: DType; readonly length: number }): number {
  return b.length * cells[b.dtype].bytes;
}

/** Rounded up to lines of 64 bytes, with room for one vector beyond the end: loops over vectors may read and write there. */
export function padded(bytes: number): number {
  return Math.ceil((bytes + 16) / 64) * 64;
}

function touch(b: Buffer, step: number): void {
  b.first = Math.min(b.first, step);
  b.last = Math.max(b.last, step);
}

/** Lets results of a loop take the place of what it reads element by element, and has read when it writes them; whether nobody reads that later is seen when all is planned. */
function overwriting({ members, totals }: Loop): void {
  const views = (sources: readonly Source[]): View[] => sources.flatMap((s) => ("view" in s ? [s.view] : []));
  const all = views([...members.flatMap((m) => m.args), ...totals.map((t) => t.source)]);
  const kept = new Set([...all.filter((v) => !isWhole(v)), ...views(totals.map((t) => t.source))].map((v) => v.buffer));
  const read: Buffer[] = [];
  for (const { args, out } of members) {
    for (const { buffer } of views(args)) if (!kept.has(buffer)) read.push(buffer);
    if (out === null) continue;
    const over = read.find((b) => !kept.has(b) && bytesOf(b) === bytesOf(out.buffer));
    if (over === undefined) continue;
    kept.add(over);
    out.buffer.over = over;
    out.buffer.tight = true;
  }
}

/** A shape without its axes of one place. */
function squeezed(shape: Shape): Shape {
  if (!shape.includes(1)) return shape.length === 0 ? noShape : shape;
  const rest = shape.filter((size) => size !== 1);
  return rest.length === 0 ? noShape : rest;
}

/** Whether a loop can take one more over a shape. */
function fits(g: Group, shape: Shape, most: number): boolean {
  return (g.shape === shape || sameShape(g.shape, shape)) && g.members.length + g.totals.length < most;
}

/** Gives a buffer that is another one the place of that. */
function settle(b: Buffer): void {
  if (b.place !== "same") return;
  const { same } = b;
  settle(same!);
  b.place = same!.place;
  b.offset = same!.offset;
  b.data = same!.data;
  b.source = same!.source;
}

const copying: Kernel = { views: [0], write: (k) => k.materialize(0, k.outs[0]!) };

/** Stands for a copy in a loop: an application of `identity` that no graph knows. */
function copyNode(v: Value): Node {
  return { op: { name: "identity" }, operands: [v], operand: () => v, attrs: {}, type: v.type, outputs: null } as unknown as Node;
}
