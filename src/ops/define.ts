import { allocate, type DType, dtypeOf, isArrayOf, type NumberArray } from "../ir/dtype.ts";
import { DomainError, DTypeError, GradientError, GraphError, InternalError } from "../ir/errors.ts";
import { isOperand, isTensor, isValue, lift, literal } from "../ir/leaf.ts";
import { keeperOf, Node, noAttrs, Output, outermost, type Value, valuesOf } from "../ir/node.ts";
import type { AnyOp, BatchRegions, ForwardRegions, Interval, Operand, OpFacts, Reach, Regions, RunBody, Slot } from "../ir/op.ts";
import { sizeOf } from "../ir/shape.ts";
import { dense, type Held, hold, isTypedArray, settle, type Tensor } from "../ir/tensor.ts";
import { scalarType, type TensorType, typeText } from "../ir/type.ts";

type Bare<N extends string> = N extends `${infer B}...` ? B : N extends `${infer B}?` ? B : N;
/** What a rule sees: operands by name (optional ones may be null, variadic ones are lists) and the canonical attributes. */
export type Scope<N extends string, A, T> = {
  readonly [K in N as Bare<K>]: K extends `${string}...` ? readonly T[] : K extends `${string}?` ? T | null : T;
} & Readonly<A>;

/** One entry of a reverse rule: a cotangent, null for "none by nature", or a thunk that is called only if somebody asks. */
export type Entry = Operand | null | (() => Operand | null);
/** What a reverse rule returns: an entry per operand name; a list of entries for a variadic one. */
export type Pulled<N extends string> = { readonly [K in N as Bare<K>]: K extends `${string}...` ? readonly Entry[] | null : Entry };

type ResultOf<R, T> = R extends Value ? T : { readonly [K in keyof R]: T };
type Loose<R, T> = R extends Value ? T : { readonly [K in keyof R]: T | null };
type Fn = (...args: never[]) => unknown;
/** The attribute record of an op signature: its last parameter, unless that is an operand. */
export type AttrsOf<F> = F extends (...args: infer P) => unknown
  ? Required<P> extends readonly [...unknown[], infer L]
    ? L extends Operand | readonly Operand[]
      ? {}
      : Operand extends L
        ? {}
        : NonNullable<L>
    : {}
  : {};
type ReturnOf<F> = F extends (...args: never[]) => infer R ? R : never;

/** An op is a function from operands and one attribute record to Values, with its declaration attached. */
export type Op<F> = F & AnyOp;

/** A declaration: everything an op means. `N` are the operand names, `A` the attributes as users write them, `C` as rules see them. */
export type Definition<N extends string, A, C, R> = Meaning<N, A, C, R> & (Named<N, C, R> | Placed);

/** The reverse rule by names, as most ops have it. */
export interface Named<N extends string, C, R> {
  /** Cotangents of the operands from the cotangent `ct` of the result. null: no derivative by nature. */
  readonly vjp:
    | null
    | ((
        s: Scope<N, C, Value> & {
          readonly ct: Loose<R, Value>;
          readonly out: ResultOf<R, Value>;
          readonly regions: Regions;
          /** Whether somebody asks for the cotangent of this operand, by its place among all operands. */
          readonly wanted: (place: number) => boolean;
        },
      ) => Pulled<N>);
  readonly pull?: undefined;
}

/** The reverse rule by places, for families with many small ops: no record of operands or entries is made. */
export interface Placed {
  readonly vjp?: undefined;
  readonly pull: AnyOp["pull"];
}

/** What an op means beside its reverse rule. */
export interface Meaning<N extends string, A, C, R> {
  /** Attributes as they are stored and printed: defaults filled in, axes made non-negative. Throws a lesson for bad ones. */
  readonly attrs?: (given: A, types: Scope<N, {}, TensorType>) => C;
  /** Attributes that are stored under other names than the ones they are given by. */
  readonly also?: readonly string[];
  /** Result types from operand types. Throws a ShapeError or DTypeError that names the operands. */
  readonly type: (s: Scope<N, C, TensorType>) => ResultOf<R, TensorType>;
  /** The reference kernel: fills and returns arrays in row-major order. Inputs are read only. */
  readonly eval: (s: Scope<N, C, Tensor>, out: ResultOf<R, TensorType>, runBody: RunBody) => ResultOf<R, NumberArray>;
  /** Tangent of the result from tangents `d` of the operands (null where none). Absent: from `linear`, else derived from `vjp`. */
  readonly jvp?: (
    s: Scope<N, C, Value> & {
      readonly d: Scope<N, {}, Value | null>;
      readonly out: ResultOf<R, Value>;
      readonly regions: ForwardRegions;
    },
  ) => ResultOf<R, Operand | null> | Operand | null;
  /**
   * The op over many examples at once, as `vmap` runs it: a rule that sees each operand with the examples on axis 0 where `mapped` says so (as it
   * is elsewhere), their number, and the results of one example; its results have the examples on axis 0. "elementwise": the op itself is right
   * once operands of lower rank get axes of size 1 after axis 0. Absent: by `lower`, else the op runs once per example.
   */
  readonly batch?:
    | "elementwise"
    | ((
        s: Scope<N, C, Value> & {
          readonly mapped: Scope<N, {}, boolean>;
          readonly examples: number;
          readonly out: ResultOf<R, Value>;
          readonly regions: BatchRegions;
        },
      ) => ResultOf<R, Value>);
  /** Operands in which the op is linear, one at a time (all others fixed); "all": linear in all together. Gives the forward rule. */
  readonly linear?: readonly Bare<N>[] | "all";
  /** Which elements of the operands an element of the result can depend on, for sparse derivatives; absent: see {@link OpFacts.reach}. */
  readonly reach?: Reach;
  /** Result names when there are several, "list" when attributes tell how many. */
  readonly results?: readonly string[] | "list";
  /** Operands of a dtype of their own, with the dtype that bare numbers take there. */
  readonly dtypes?: { readonly [K in Bare<N>]?: DType };
  readonly domain?: { readonly [K in Bare<N>]?: Interval };
  /** How far operands of these numbers are from the nearest kink, tie or pole; 0 on one. For elementwise ops. */
  readonly kink?: (s: Scope<N, C, number>) => number;
  readonly symbol?: string;
  readonly family?: string;
  /** The kernel on plain numbers, for elementwise ops. */
  readonly scalar?: (...x: number[]) => number;
  readonly local?: (node: Node) => readonly (Operand | null)[];
  /** Backward rules as people write them, by operand. */
  readonly formula?: { readonly [K in Bare<N>]?: string };
  /** The same meaning in built-in ops. */
  readonly lower?: (s: Scope<N, C, Value>) => Value;
  /** The kernel in loops that compiling engines make code of. */
  readonly loops?: OpFacts["loops"];
}

function slotOf(text: string): Slot {
  if (text.endsWith("...")) return { name: text.slice(0, -3), arity: "rest" };
  if (text.endsWith("?")) return { name: text.slice(0, -1), arity: "optional" };
  return { name: text, arity: "one" };
}

function viewClass(slots: readonly Slot[]): new (flat: readonly unknown[]) => object {
  class View {
    readonly $: readonly unknown[];
    constructor(flat: readonly unknown[]) {
      this.$ = flat;
    }
  }
  slots.forEach(({ name, arity }, i) => {
    Object.defineProperty(View.prototype, name, {
      enumerable: true,
      get(this: View) {
        return arity === "rest" ? this.$.slice(i) : (this.$[i] ?? null);
      },
    });
  });
  return View;
}

/** The operands by name over the flat list: a class per op, so a rule call allocates one object. */
function viewer(slots: readonly Slot[]): (flat: readonly unknown[], attrs: object) => Record<string, unknown> {
  let made: (new (flat: readonly unknown[]) => object) | null = null;
  return (flat, attrs) => {
    // Made when it is first wanted: an import declares some two hundred ops, and a program uses a few.
    made ??= viewClass(slots);
    const view = new made(flat) as Record<string, unknown>;
    return attrs === noAttrs ? view : Object.assign(view, attrs);
  };
}

function isAttrs(x: unknown): x is object {
  return typeof x === "object" && x !== null && !isOperand(x) && !Array.isArray(x);
}

function noRecord(op: string, given: unknown): GraphError {
  return new GraphError(`${op}: the last argument is ${describe(given)}; attributes are one record`, { op });
}

/**
 * Refuses attributes that an op does not have: one that is ignored would be a wrong result without a word. `known` is null for an op that says nothing of
 * their names; `taken` are names that no attribute has. @throws GraphError
 */
export function checkAttrs(op: string, given: unknown, known: readonly string[] | null, taken: readonly string[] = []): void {
  if (!isAttrs(given)) throw noRecord(op, given);
  for (const key of Object.keys(given))
    if (taken.includes(key) || known?.includes(key) === false)
      throw new GraphError(
        `${op}: ${key} is no attribute${known === null ? "" : `; there are ${known.join(", ") || "none"}`}; operands come first, in order`,
        { op },
      );
}

/** The attributes of a function that is made of ops, when they are among those it has. @throws GraphError for others */
export function known<T extends object>(op: string, attrs: T, names: readonly (keyof T & string)[]): T {
  checkAttrs(op, attrs, names);
  return attrs;
}

/** The flat operand list and the attribute record of a call. */
function sortArguments(name: string, slots: readonly Slot[], args: readonly unknown[]): { flat: (Operand | null)[]; given: object } {
  const flat: (Operand | null)[] = [];
  let at = 0;
  for (const slot of slots) {
    const x = args[at];
    if (slot.arity === "rest") {
      if (!Array.isArray(x)) throw new GraphError(`${name}: ${slot.name} is a list of operands: ${name}([a, b])`, { op: name });
      for (const item of x as unknown[]) {
        if (!isOperand(item))
          throw new GraphError(
            `${name}: ${slot.name}[${flat.length - slots.length + 1}] is ${describe(item)}; operands are Values, Tensors, typed arrays and numbers`,
            { op: name },
          );
        flat.push(item);
      }
      at++;
    } else if (slot.arity === "optional") {
      if (x === undefined || x === null) {
        flat.push(null);
        if (at < args.length) at++;
      } else if (isAttrs(x)) flat.push(null);
      else {
        flat.push(x as Operand);
        at++;
      }
    } else {
      if (!isOperand(x))
        throw new GraphError(`${name}: ${slot.name} is ${describe(x)}; operands are Values, Tensors, typed arrays and numbers`, {
          op: name,
        });
      flat.push(x);
      at++;
    }
  }
  const given = args[at] ?? noAttrs;
  if (!isAttrs(given)) throw noRecord(name, given);
  if (args.length > at + 1)
    throw new GraphError(`${name} takes ${slots.length} operands and one attribute record; ${args.length} arguments were given`, {
      op: name,
    });
  return { flat, given };
}

/** The attributes with their lists copied, because nodes outlive the call and lists can be changed after it. */
function ownLists(given: object): object {
  const copy = (x: unknown): unknown => (Array.isArray(x) ? x.map(copy) : x);
  const own: Record<string, unknown> = {};
  for (const [key, x] of Object.entries(given)) own[key] = copy(x);
  return own;
}

function describe(x: unknown): string {
  if (x === undefined) return "missing";
  if (x === null) return "null";
  if (Array.isArray(x)) return "a list; a vector is tensor([1, 2])";
  if (typeof x !== "object") return `a ${typeof x}`;
  return isOperand(x) ? "an operand" : "a record";
}

function dtypeIn(x: Operand): DType | null {
  if (typeof x === "number") return null;
  if (isValue(x) || isTensor(x)) return x.type.dtype;
  return isTypedArray(x) ? dtypeOf(x) : null;
}

/** Operands as Values: bare numbers take the dtype of the others. @throws DTypeError for two dtypes */
function liftAll(
  name: string,
  slots: readonly Slot[],
  flat: readonly (Operand | null)[],
  own: Readonly<Record<string, DType>>,
): (Value | null)[] {
  let common: DType | null = null;
  let first = 0;
  const slotAt = (i: number): Slot => slots[Math.min(i, slots.length - 1)]!;
  for (let i = 0; i < flat.length; i++) {
    const x = flat[i];
    if (x === null || x === undefined || slotAt(i).name in own) continue;
    const dtype = dtypeIn(x);
    if (dtype === null) continue;
    if (common === null) {
      common = dtype;
      first = i;
    } else if (dtype !== common) throw mixed(name, operandName(slots, first), flat[first]!, operandName(slots, i), x);
  }
  return flat.map((x, i) => (x === null || x === undefined ? null : lift(x, own[slotAt(i).name] ?? common ?? "f64")));
}

/**
 * The usual case of a call, in place: `count` Values and numbers of one dtype and nothing else. Anything else, right or wrong, is left for
 * `sortArguments` and `liftAll`.
 */
function liftUsual(args: unknown[], count: number): args is Value[] {
  if (args.length !== count) return false;
  let dtype: DType | null = null;
  let numbers = false;
  for (let i = 0; i < count; i++) {
    const x = args[i];
    if (typeof x === "number") numbers = true;
    else if (x instanceof Node || x instanceof Output) {
      if (dtype === null) dtype = x.type.dtype;
      else if (x.type.dtype !== dtype) return false;
    } else return false;
  }
  if (numbers)
    for (let i = 0; i < count; i++) {
      const x = args[i];
      if (typeof x === "number") args[i] = literal(x, dtype ?? "f64");
    }
  return true;
}

function operandName(slots: readonly Slot[], i: number): string {
  const last = slots.length - 1;
  return i >= last && slots[last]!.arity === "rest" ? `${slots[last]!.name}[${i - last}]` : slots[i]!.name;
}

/** The lesson for two dtypes in one op. */
export function mixed(op: string, firstName: string, first: Operand, secondName: string, second: Operand): DTypeError {
  const a = lift(first, "f64").type;
  const b = lift(second, "f64").type;
  return new DTypeError(
    `${op}: ${firstName} is ${typeText(a)} and ${secondName} is ${typeText(b)}; write cast(${secondName}, "${a.dtype}")`,
    { op },
  );
}

const f64Scalar = /* @__PURE__ */ scalarType("f64");

/** What an elementwise op gives on one or two f64 scalars, straight from their nodes: most of a scalar graph. Undefined for others, and where one is not known. */
export function numberOf(scalar: (...x: number[]) => number, a: Value, b: Value | undefined): number | undefined {
  const x = (a as Node).memo;
  if (typeof x !== "number" || a.type !== f64Scalar) return undefined;
  if (b === undefined) return scalar(x);
  const y = (b as Node).memo;
  return typeof y === "number" && b.type === f64Scalar ? scalar(x, y) : undefined;
}

/** Applies an op to Values with canonical attributes: what calls, rules and graph rewriting end in. Returns the results as the op's users see them. */
export function applyTo(op: AnyOp, operands: readonly (Value | null)[], attrs: object): unknown {
  const types = op.infer(
    operands.map((v) => (v === null ? null : v.type)),
    attrs,
  );
  const keeper = keeperOf(operands);
  if (!Array.isArray(types)) return new Node(op, operands, attrs, types as TensorType, keeper);
  const list = types as readonly TensorType[];
  const node = new Node(op, operands, attrs, list[0] ?? { kind: "type", dtype: "f64", shape: [0] }, keeper);
  node.outputs = list.map((t, i) => new Output(t, node, i));
  return resultsOf(op, node.outputs);
}

/** Several results as the record or list that the op's users see. */
export function resultsOf<T>(op: AnyOp, items: readonly T[]): unknown {
  if (op.results === null) return items[0];
  if (op.results === "list") return items;
  const out: Record<string, T> = {};
  op.results.forEach((name, i) => {
    out[name] = items[i]!;
  });
  return out;
}

function flatten(op: string, results: readonly string[] | "list" | null | undefined, given: unknown): readonly unknown[] {
  if (results == null) return [given];
  if (results === "list") return given as readonly unknown[];
  return results.map((name) => {
    const x = (given as Record<string, unknown>)[name];
    if (x === undefined) throw new InternalError(`${op}: no result ${name}`);
    return x;
  });
}

/**
 * Declares an op. `op("acme.cbrt", ["x"], {...})`: operand names in order (`"bias?"` optional, `"xs..."` variadic and last), then its meaning.
 * The result is the function that users call. Ops from outside have a dotted name, so that engine tables stay exhaustive over ours.
 */
/* @__NO_SIDE_EFFECTS__ */
export function declare<F extends Fn, const N extends readonly string[], C = AttrsOf<F>>(
  name: string,
  names: N,
  def: Definition<N[number], AttrsOf<F>, C, ReturnOf<F>>,
): Op<F> {
  const slots = names.map(slotOf);
  const view = viewer(slots);
  const several = def.results !== undefined;
  const rest = slots[slots.length - 1]?.arity === "rest" ? slots.length - 1 : -1;
  const own = (def.dtypes ?? {}) as Readonly<Record<string, DType>>;
  const scope = (flat: readonly unknown[], attrs: object): never => view(flat, attrs) as never;

  // Types are pure functions of types, and most calls repeat the last one: scalars and equal shapes share their type.
  let last: readonly (TensorType | null)[] = [];
  let lastResult: TensorType | null = null;
  const infer: AnyOp["infer"] = (types, attrs) => {
    const plain = attrs === noAttrs && !several;
    if (plain && lastResult !== null && types.length === last.length && types.every((t, i) => t === last[i])) return lastResult;
    const t = def.type(scope(types, attrs));
    if (several) return flatten(name, def.results, t) as TensorType[];
    if (plain && rest < 0) {
      last = types;
      lastResult = t as TensorType;
    }
    return t as TensorType;
  };
  const run: AnyOp["run"] = (node, operands, runBody) => {
    let i = 0;
    const tensors = operands.map((h) => {
      const v = node.operands[i++];
      return h === null || v == null ? null : dense(h, v.type);
    });
    const types = valuesOf(node).map((v) => v.type);
    const out = def.eval(scope(tensors, node.attrs), (several ? resultsOf(call, types) : types[0]) as never, runBody);
    const arrays = several ? (flatten(name, def.results, out) as NumberArray[]) : [out as NumberArray];
    const held = arrays.map((data, j) => keep(name, types[j]!, data));
    return several ? held : held[0]!;
  };
  const entryOf = (entry: Entry | undefined, operand: string): Operand | null => {
    if (entry === undefined)
      throw new GradientError(`${name}: its rule says nothing of ${operand}; return an entry for it, or null for "no gradient"`, {
        op: name,
      });
    return typeof entry === "function" ? entry() : entry;
  };
  const { vjp, jvp, kink, lower } = def;
  const byName: AnyOp["pull"] =
    vjp == null
      ? null
      : (node, ct, wanted, regions) => {
          const s = view(node.operands, node.attrs);
          s["ct"] = several ? resultsOf(call, ct as readonly (Value | null)[]) : ct;
          s["out"] = several ? resultsOf(call, valuesOf(node)) : node;
          s["regions"] = regions;
          s["wanted"] = wanted;
          const record = vjp(s as never) as Record<string, Entry | readonly Entry[]>;
          return node.operands.map((v, i) => {
            if (v === null || !wanted(i)) return null;
            if (rest < 0 || i < rest) return entryOf(record[slots[i]!.name] as Entry, slots[i]!.name);
            const list = record[slots[rest]!.name] as readonly Entry[] | null;
            return list === null ? null : entryOf(list[i - rest], operandName(slots, i));
          });
        };
  const pull = def.pull ?? byName;
  const push: AnyOp["push"] =
    jvp !== undefined
      ? (node, tangents, regions) => {
          const s = view(node.operands, node.attrs);
          s["regions"] = regions;
          s["out"] = several ? resultsOf(call, valuesOf(node)) : node;
          s["d"] = view(tangents, noAttrs);
          const t = jvp(s as never);
          if (t === null) return null;
          const lifted = flatten(name, def.results, t).map((x, i) =>
            x === null ? null : lift(x as Operand, valuesOf(node)[i]!.type.dtype),
          );
          return several ? lifted : lifted[0]!;
        }
      : null;

  const rule = def.batch;
  const batch: AnyOp["batch"] =
    typeof rule === "function"
      ? (node, operands, mapped, examples, regions) => {
          const s = view(operands, node.attrs);
          s["mapped"] = view(mapped, noAttrs);
          s["examples"] = examples;
          s["out"] = several ? resultsOf(call, valuesOf(node)) : node;
          s["regions"] = regions;
          return flatten(name, def.results, rule(s as never)) as readonly Value[];
        }
      : (rule ?? null);

  // At once, while the operands are in the processor's cache: a graph of numbers is not walked again to be read. Ops from outside run when they are read, as they may do anything.
  const atOnce = name.includes(".") ? null : (def.scalar ?? null);
  const usual = def.attrs === undefined && def.dtypes === undefined && slots.every((slot) => slot.arity === "one");
  // Named by its key: redefining the name of a function would make it a dictionary, which every step of a walk would search.
  const arity = usual && !several && slots.length < 3 ? slots.length : 0;
  const named = {
    [name](...args: unknown[]): unknown {
      let [x, y] = [args[0], args[1]];
      if (args.length === arity) {
        if (typeof x === "number" && y instanceof Node) x = literal(x, y.type.dtype);
        else if (typeof y === "number" && x instanceof Node) y = literal(y, x.type.dtype);
        if (x instanceof Node && (arity === 1 || (y instanceof Node && y.type.dtype === x.type.dtype)))
          return direct(x, y as Node | undefined);
      }
      // Spread, so that V8 makes a list of the arguments here alone.
      return applied(...args);
    },
  };
  /** One or two operands of one dtype: no list of them is made, and as in `infer` none of their types where those are the last ones. */
  const direct = (x: Value, y: Value | undefined): Node => {
    const known = lastResult !== null && x.type === last[0] && y?.type === last[1];
    const type = known ? lastResult! : (infer(y === undefined ? [x.type] : [x.type, y.type], noAttrs) as TensorType);
    const node = new Node(call, null, noAttrs, type, outermost(x.node.keeper, y === undefined ? null : y.node.keeper), x, y);
    if (atOnce !== null && type === f64Scalar) node.memo = numberOf(atOnce, x, y);
    return node;
  };
  const call = named[name] as unknown as Op<Fn>;
  const applied = (...args: unknown[]): unknown => {
    if (usual && liftUsual(args, slots.length)) return arity > 0 ? direct(args[0]!, args[1]) : applyTo(call, args, noAttrs);
    const { flat, given } = sortArguments(name, slots, args);
    const operands = liftAll(name, slots, flat, own);
    const attrs = def.attrs
      ? ownLists(
          def.attrs(
            given as never,
            scope(
              operands.map((v) => (v === null ? null : v.type)),
              noAttrs,
            ),
          ) as object,
        )
      : given;
    if (given !== noAttrs) {
      // Ops that take attributes as they are given say nothing of their names, but numbers' ops have none.
      const known = def.attrs !== undefined ? [...(def.also ?? []), ...Object.keys(attrs)] : atOnce !== null ? [] : null;
      checkAttrs(name, given, known, ["$", ...call.operands]);
    }
    return applyTo(call, operands, attrs);
  };
  const facts: OpFacts = {
    domain: (def.domain ?? {}) as OpFacts["domain"],
    kink: kink ? (operands, attrs) => kink(scope(operands, attrs)) : null,
    loops: def.loops,
    local: def.local ?? null,
    formula: (def.formula as Record<string, string> | undefined) ?? null,
    family: def.family ?? "op",
    linear: (def.linear as readonly string[] | "all" | undefined) ?? null,
    reach: def.reach ?? null,
    dtypes: own,
    lower: lower ? (node) => lower(scope(node.operands, node.attrs)) : null,
  };
  // One by one, for the same reason.
  const made = call as unknown as { -readonly [K in keyof AnyOp]: AnyOp[K] };
  made.operands = slots.map((s) => s.name);
  made.slots = slots;
  made.results = def.results ?? null;
  made.symbol = def.symbol ?? null;
  made.infer = infer;
  made.run = run;
  made.scalar = def.scalar ?? null;
  made.pull = pull;
  made.push = push;
  made.batch = batch;
  made.facts = facts;
  return call as unknown as Op<F>;
}

/** Checks a kernel's array against its type and holds it: scalars as numbers. */
function keep(op: string, type: TensorType, data: NumberArray): Held {
  if (data.length !== sizeOf(type.shape))
    throw new InternalError(`${op}: its kernel returned ${data.length} elements for ${typeText(type)}, which has ${sizeOf(type.shape)}`, {
      op,
    });
  let fitted = data;
  if (!isArrayOf(type.dtype, fitted)) {
    fitted = allocate(type.dtype, data.length);
    fitted.set(data);
  }
  settle(type.dtype, fitted);
  return type.shape.length === 0 ? fitted[0]! : hold(type, fitted);
}

/**
 * Declares an op of your own; see `docs/your-own-gate.md`. Its name carries its owner, as in `acme.cbrt`.
 * @throws DomainError for a name without a dot
 */
/* @__NO_SIDE_EFFECTS__ */
export function op<F extends (...args: never[]) => Value, const N extends readonly string[], C = AttrsOf<F>>(
  name: `${string}.${string}`,
  names: N,
  def: Definition<N[number], AttrsOf<F>, C, ReturnOf<F>>,
): Op<F> {
  if (!/^[\p{L}_][\p{L}\p{N}_-]*(\.[\p{L}_][\p{L}\p{N}_-]*)+$/u.test(name))
    throw new DomainError(`op: "${name}" is no name for an outside op; write "owner.name"`, { op: name });
  return declare<F, N, C>(name, names, def);
}
