import type { CompiledLoops } from "./assembler.ts";
import type { DType, TypedArray } from "./dtype.ts";
import { GraphError, type Span } from "./errors.ts";
import type { Held, Tensor } from "./tensor.ts";
import { callerLine, isTracing } from "./trace.ts";
import { type TensorType, typeText } from "./type.ts";

/**
 * Why a node's history is kept. A node depends on keepers through its operands and stores the outermost one; while that one is open the node
 * keeps its operands, because somebody may still ask for a derivative through it. Transforms open one per call and close it when they return.
 */
export interface Keeper {
  open: boolean;
  /** Smaller is further out; 0 is the keeper of variables and inputs, which never closes. */
  readonly order: number;
  /** Opened by a transform that only pushes forward: what would help a backward pass is not kept for it. */
  readonly forward?: boolean;
}

/** The keeper of variables and inputs. */
export const forever: Keeper = { open: true, order: 0 };

/** Where the user wrote a node: its scope, the expression it came from, the source line as `file:line:column` (only under `trace`). */
export interface Where {
  readonly scope: string | null;
  readonly source: string | null;
  readonly span: Span | null;
  readonly stack: string | null;
  /** One number for each scope, outermost first: it tells two calls of `scope` with one name apart. */
  readonly calls?: readonly number[];
}

/** A result of a node: symbolic, typed, immutable. `index` tells which result of `node` it is. */
export interface Value {
  readonly kind: "value";
  readonly type: TensorType;
  readonly node: Node;
  readonly index: number;
}

/** The operands of leaves, and of nodes that have forgotten theirs. */
export const noOperands: readonly (Value | null)[] = [];
/** The attributes of ops without any. */
export const noAttrs: object = /* @__PURE__ */ Object.freeze({});
let counter = 0;

/** The serial number that the next node will take. */
export function nextSerial(): number {
  return counter + 1;
}

/** What few nodes have. */
interface Rare {
  outputs: readonly Value[] | null;
  label: string | null;
  where: Where | null;
}

/**
 * One application of an op. A node with a single result is that Value itself, so a scalar graph costs one object a node; a node with several
 * has them in `outputs`.
 * Invariant: operands have smaller serials than their node, so serial order is a topological order and cycles cannot be built.
 */
export class Node implements Value {
  // What walks look at comes first, so that it shares a line of the cache.
  readonly op: AnyOp;
  // A large graph of numbers is most of what the garbage collector copies: its nodes hold one or two operands without a list, and what few nodes
  // have is one object of those that have it.
  /** The operands, null where `first` and `second` are all of them and nobody has asked for a list yet. */
  private list: readonly (Value | null)[] | null;
  private first: Value | undefined;
  private second: Value | undefined;
  readonly serial: number;
  /** Scratch of graph walks: the walk's number and the node's place in it. */
  mark: number;
  place: number;
  /** What a reading computed, one entry per result when there are several. */
  memo: Held | readonly Held[] | undefined;
  keeper: Keeper | null;
  readonly type: TensorType;
  readonly attrs: object;
  private rare: Rare | null;
  /** For a node of a backward pass: the forward node whose rule made it. */
  origin: Node | null;
  /** The operand of `origin` that it carries the cotangent to; -1 for the sum over the branches that leave `origin`. */
  role: number;

  /** @param operands null where the operands are `first` and, unless it is undefined, `second` */
  constructor(
    op: AnyOp,
    operands: readonly (Value | null)[] | null,
    attrs: object,
    type: TensorType,
    keeper: Keeper | null,
    first?: Value,
    second?: Value,
  ) {
    this.op = op;
    this.list = operands;
    this.first = first;
    this.second = second;
    this.serial = ++counter;
    this.mark = 0;
    this.place = 0;
    this.memo = undefined;
    this.keeper = keeper;
    this.type = type;
    this.attrs = attrs;
    this.rare = null;
    this.origin = null;
    this.role = 0;
    if (this.serial === 1) showInConsoles();
    if (isTracing()) this.where = { scope: null, source: null, span: null, stack: callerLine() };
  }
  /** Flat: one entry per declared operand, null where an optional one is absent, the variadic ones last. Empty once forgotten. */
  get operands(): readonly (Value | null)[] {
    return (this.list ??= this.second === undefined ? [this.first!] : [this.first!, this.second]);
  }
  /** How many operands there are; this and `operand` make no list, as `operands` does. */
  get count(): number {
    return this.list !== null ? this.list.length : this.second === undefined ? 1 : 2;
  }
  operand(i: number): Value | null {
    return this.list !== null ? this.list[i]! : i === 0 ? this.first! : this.second!;
  }
  /** Drops the operands. */
  cut(): void {
    this.list = noOperands;
    this.first = undefined;
    this.second = undefined;
  }
  get outputs(): readonly Value[] | null {
    return this.rare === null ? null : this.rare.outputs;
  }
  set outputs(outputs: readonly Value[] | null) {
    this.#more().outputs = outputs;
  }
  get label(): string | null {
    return this.rare === null ? null : this.rare.label;
  }
  set label(label: string | null) {
    if (label !== null || this.rare !== null) this.#more().label = label;
  }
  get where(): Where | null {
    return this.rare === null ? null : this.rare.where;
  }
  set where(where: Where | null) {
    if (where !== null || this.rare !== null) this.#more().where = where;
  }
  #more(): Rare {
    return (this.rare ??= { outputs: null, label: null, where: null });
  }
  get kind(): "value" {
    return "value";
  }
  get node(): Node {
    return this;
  }
  get index(): number {
    return 0;
  }
  toString(): string {
    return written(this);
  }
  [Symbol.toPrimitive](hint: string): string {
    return written(this, hint);
  }
}

/** One of several results. */
export class Output implements Value {
  readonly type: TensorType;
  readonly node: Node;
  readonly index: number;
  constructor(type: TensorType, node: Node, index: number) {
    this.type = type;
    this.node = node;
    this.index = index;
  }
  get kind(): "value" {
    return "value";
  }
  toString(): string {
    return written(this);
  }
  [Symbol.toPrimitive](hint: string): string {
    return written(this, hint);
  }
}

/**
 * `Value x: f64[2] = 1, 2`: a name or an op, the type, and what is known of the numbers, where they are few. Nothing is computed for it.
 * @throws GraphError where a number is wanted: `x * y` would be NaN, and `x > 0` false
 */
function written(v: Value, hint = "string"): string {
  const name = v.node.label ?? v.node.op.name;
  if (hint !== "string") throw new GraphError(`${name} is no number; write mul(x, y), greater(x, 0), read(x)`);
  const held = memoOf(v);
  const numbers = typeof held === "number" ? held : held !== undefined && held.data.length < 9 ? held.data.join(", ") : "";
  return `Value ${name}: ${typeText(v.type)}${numbers === "" ? "" : ` = ${numbers}`}`;
}

/** Node's `console.log` and `util.inspect` show what `toString` says. Done with the first node: a module of ours that is imported for nothing leaves nothing. */
function showInConsoles(): void {
  for (const { prototype } of [Node, Output])
    Object.defineProperty(prototype, Symbol.for("nodejs.util.inspect.custom"), { value: prototype.toString });
}

/** The results of a node, in order. */
export function valuesOf(node: Node): readonly Value[] {
  return node.outputs ?? [node];
}

/** The outermost of two keepers that is open. */
export function outermost(a: Keeper | null, b: Keeper | null): Keeper | null {
  if (a === null || !a.open) return b?.open ? b : null;
  return b?.open && b.order < a.order ? b : a;
}

/** The outermost open keeper among the operands' nodes. */
export function keeperOf(operands: readonly (Value | null)[]): Keeper | null {
  let found: Keeper | null = null;
  for (let i = 0; i < operands.length; i++) {
    const k = operands[i]?.node.keeper;
    if (k?.open && (found === null || k.order < found.order)) found = k;
  }
  return found;
}

/** Whether a derivative with respect to this value can still be asked for. */
export function isKept(v: Value): boolean {
  return v.node.keeper?.open === true;
}

/** Drops the history of an evaluated node that nobody can ask about any more (`docs/numerics.md`, "memory"). */
export function forget(node: Node): void {
  if (node.keeper?.open) return;
  node.cut();
  node.origin = null;
  node.keeper = null;
}

/** Drops the history of what is known, as {@link forget} does, and that of the known nodes behind it. */
export function forgetKnown(node: Node): void {
  if (node.memo === undefined || node.count === 0 || node.keeper?.open) return;
  const open = [node];
  for (let at = open.pop(); at !== undefined; at = open.pop()) {
    const { count } = at;
    for (let i = 0; i < count; i++) {
      const n = at.operand(i)?.node;
      if (n !== undefined && n.memo !== undefined && n.count > 0 && !n.keeper?.open) open.push(n);
    }
    forget(at);
  }
}

/** What was computed for a value, if it was. */
export function memoOf(v: Value): Held | undefined {
  const { memo, outputs } = v.node;
  return outputs === null ? (memo as Held | undefined) : (memo as readonly Held[] | undefined)?.[v.index];
}

let walk = 0;
/** A fresh number for the marks of a graph walk. Walks that run user code must not rely on marks across it. */
export function nextWalk(): number {
  return ++walk;
}

/** What an op accepts. Plain nested lists are not operands: in a tree they are lists. */
export type Operand = Value | Tensor | TypedArray | number;

/** A declared operand: required, optional (`"bias?"`) or variadic (`"xs..."`, last). */
export interface Slot {
  readonly name: string;
  readonly arity: "one" | "optional" | "rest";
}

/** A cotangent or tangent per result: one Value, or one per result (null: none arrived) when there are several. */
export type Flow = Value | readonly (Value | null)[];

/** A graph-valued attribute as walks see it: its inputs and outputs in order. */
export interface Body {
  readonly inputs: readonly Value[];
  readonly outputs: readonly Value[];
}

/** The derivative of a body, as a body: it takes the body's inputs, then cotangents; its outputs are cotangents of inputs. */
export interface BodyPullback {
  readonly body: Body;
  /** Places of the body's inputs that have cotangents, in the order of the results. */
  readonly inputs: readonly number[];
  /** Places of the body's outputs that take cotangents, in the order of the extra inputs. */
  readonly outputs: readonly number[];
}

/** The forward derivative of a body, as a body: it takes the body's inputs, then tangents; its outputs are tangents of outputs. */
export interface BodyPushforward {
  readonly body: Body;
  /** Places of the body's outputs that have tangents, in the order of the results. */
  readonly outputs: readonly number[];
}

/** What a walk hands to rules of ops with graph-valued attributes, so that declarations never import autodiff. */
export interface Regions {
  /**
   * @param wanted places of the inputs whose cotangents are asked for, all floating ones when left out
   * @param arriving places of the outputs that cotangents arrive at, all floating ones when left out
   */
  vjp(body: Body, wanted?: readonly number[], arriving?: readonly number[]): BodyPullback;
}

/** What the forward walk hands to rules of ops with graph-valued attributes. */
export interface ForwardRegions extends Regions {
  /** @param moving places of the inputs that have tangents */
  jvp(body: Body, moving: readonly number[]): BodyPushforward;
}

/** A body over many examples at once. */
export interface BodyBatch {
  /** The body's inputs in order, those that are mapped with the examples on axis 0; its outputs in order. */
  readonly body: Body;
  /** Which outputs have the examples on axis 0; the others are the same for every example. */
  readonly outputs: readonly boolean[];
}

/** What the batching walk hands to rules of ops with graph-valued attributes. */
export interface BatchRegions {
  /**
   * @param mapped which inputs have the examples on axis 0
   * @param every which outputs must have them too, also where they are the same for every example; none when left out
   */
  batch(body: Body, mapped: readonly boolean[], examples: number, every?: readonly boolean[]): BodyBatch;
}

/**
 * A batching rule: the results of a node over many examples at once, each with the examples on axis 0. `operands` stand for the node's own;
 * those that are mapped have the examples on axis 0, the others are the same for every example.
 */
export type BatchRule = (
  node: Node,
  operands: readonly (Value | null)[],
  mapped: readonly boolean[],
  examples: number,
  regions: BatchRegions,
) => readonly Value[];

/** Runs a body on held inputs: what the interpreter hands to kernels of ops with graph-valued attributes. */
export type RunBody = (body: Body, inputs: readonly Held[]) => readonly Held[];

/**
 * What the graph, the interpreter and the walks need of an op; `ops/define.ts` makes it from a declaration. `ir/` treats it as opaque.
 */
export interface AnyOp {
  readonly name: string;
  /** Operand names in order, without their `?` and `...`. */
  readonly operands: readonly string[];
  readonly slots: readonly Slot[];
  /** Names of the results; "list" when the attributes tell how many; null for a single one. */
  readonly results: readonly string[] | "list" | null;
  /** How infix notation writes it, if it does. */
  readonly symbol: string | null;
  /** Result types from operand types and canonical attributes. */
  infer(types: readonly (TensorType | null)[], attrs: object): TensorType | readonly TensorType[];
  /** The reference kernel. */
  run(node: Node, operands: readonly (Held | null)[], runBody: RunBody): Held | readonly Held[];
  /** The kernel on plain numbers, for elementwise ops on f64 scalars. */
  readonly scalar: ((...x: number[]) => number) | null;
  /** Reverse rule: cotangents of the operands for which `wanted` is true. Null: the op declares none. */
  readonly pull: ((node: Node, ct: Flow, wanted: (index: number) => boolean, regions: Regions) => readonly (Operand | null)[]) | null;
  /** Forward rule: tangents of the results. Null: derived from `pull`. */
  readonly push: ((node: Node, tangents: readonly (Value | null)[], regions: ForwardRegions) => Flow | null) | null;
  /** How the op runs over many examples at once. "elementwise": as it is, on aligned operands. Null: by `lower`, else example by example. */
  readonly batch: "elementwise" | BatchRule | null;
  readonly facts: OpFacts;
}

/**
 * "moves": each element of the result is one element of an operand, or a constant, whatever the elements are. "lines": each depends on its line
 * along the attribute `axis` alone. What sparse derivatives go by.
 */
export type Reach = "moves" | "lines";

/** What laws, explanations and documents know of an op beyond its rules. */
export interface OpFacts {
  /** For each operand the interval on which the op is defined and smooth; absent: everywhere. */
  readonly domain: Readonly<Record<string, Interval>>;
  /** Distance of a point to the nearest kink or tie; absent: smooth. */
  readonly kink: ((operands: readonly number[], attrs: object) => number) | null;
  /** The local derivative of an elementwise op as nodes: what `explain` shows as numbers. */
  readonly local: ((node: Node) => readonly (Operand | null)[]) | null;
  /** The backward rule as people write it, per operand: `dW = X^T dY`. */
  readonly formula: Readonly<Record<string, string>> | null;
  readonly family: string;
  /** Operands in which the op is linear one at a time, or "all" together: its forward rule is then itself. */
  readonly linear: readonly string[] | "all" | null;
  /** Dtypes of operands that are not of the common dtype. */
  readonly dtypes: Readonly<Record<string, DType>>;
  /** Which elements of the operands an element of the result can depend on. Null: where `batch` is "elementwise" the one beside it, else all. */
  readonly reach: Reach | null;
  /** A decomposition into our ops, for ops from outside. */
  readonly lower: ((node: Node) => Value) | null;
  /** A kernel in loops for an engine that compiles, absent where there is none; null for a node whose sizes or attributes it does not take. */
  readonly loops?: ((node: Node) => CompiledLoops | null) | undefined;
}

/** A range of numbers; open ends leave their bound out by what samplers and checks do. */
export interface Interval {
  readonly min?: number;
  readonly max?: number;
  /** Bounds themselves are outside. */
  readonly open?: boolean;
  /** Zero is outside. */
  readonly nonzero?: boolean;
}
