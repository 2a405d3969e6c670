import { heldBy } from "../evaluate/evaluate.ts";
import { isFloat } from "../ir/dtype.ts";
import { EngineError, GraphError, NumericError } from "../ir/errors.ts";
import type { Graph } from "../ir/graph.ts";
import { typeOfLeaf } from "../ir/graph.ts";
import { isTensor, isValue, liftTo } from "../ir/leaf.ts";
import { memoOf, type Value } from "../ir/node.ts";
import { dense, type Held, hold, isTypedArray, type Nested, type Tensor, tensor } from "../ir/tensor.ts";
import { type Data, type DataFor, isLeaf, leaves, rebuild, type Tensors, type Values } from "../ir/tree.ts";
import { sameType, type TensorType, typeText } from "../ir/type.ts";
import { type Engine, isEngine, type Mode, type Ran } from "./engine.ts";
import { checkKnown } from "./known-options.ts";
import { give, ownAll, portOf, take } from "./ports.ts";
import type { Profile } from "./profile.ts";

/** Tensors that stay inside an engine between runs. */
export interface State<S, M extends Mode = Mode> {
  /** A copy, yours. */
  read(): Ran<M, Tensors<S>>;
  /** Overwrites some of the names, all or none; trees, shapes and dtypes must match. */
  write(values: { readonly [K in keyof S]?: DataFor<S[K]> }): Ran<M, void>;
}

/** A compiled graph plus its state. */
export interface Program<I, O, S, M extends Mode = Mode> {
  /** Takes the inputs that are not state, returns the outputs that are not state, commits the new state at the end or not at all. */
  run(inputs: DataFor<I>): Ran<M, Tensors<O>>;
  /** A program without inputs, or whose inputs are all state, needs none. */
  run(...none: [keyof I] extends [never] ? [] : [inputs: DataFor<I>]): Ran<M, Tensors<O>>;
  readonly state: State<S, M>;
  /**
   * Runs the program step by step on these inputs and the present state, which stays as it is, and tells what each step does, reads and writes,
   * and how long it takes at least and in fact. It is compiled anew for that, and runs on one thread.
   * @throws EngineError on an engine that has no steps
   */
  profile(inputs: DataFor<I>, options?: ProfileOptions): Ran<M, Profile>;
  dispose(): void;
}

/** Options of `program.profile`. */
export interface ProfileOptions {
  /** How often each step is timed; 20 when left out. */
  readonly rounds?: number;
}

/** Options of `compile` beside the state. */
export interface CompileOptions<O> {
  /** Outputs that have to be finite before the new state is committed. */
  readonly guard?: readonly (keyof O)[];
  /** Runs refuse once it is aborted; the state stays as it was. */
  readonly signal?: AbortSignal;
}

type Wrong<I, O, S> = {
  [K in keyof S]: K extends keyof I ? (K extends keyof O ? (O[K] extends Values<S[K]> ? never : K) : never) : K;
}[keyof S];
type Fits<I, O, S> = [Wrong<I, O, S>] extends [never] ? unknown : { readonly "state does not fit the graph": Wrong<I, O, S> };

/** One leaf of a state. */
interface Cell {
  readonly type: TensorType;
  held: Held;
  /** A second place in the engine's memory for what programs commit: they write it while they read the first, then the two change places. */
  spare: Tensor | null;
}

/** State as programs hold it: a cell per path. */
class Store {
  readonly engine: string;
  readonly mode: Mode;
  readonly tree: Record<string, unknown>;
  readonly cells: ReadonlyMap<string, Cell>;
  readonly #own: Engine["tensor"];
  private readonly far: Engine["far"];
  /** What has to go into far memory before anything else is asked of it. */
  private pending: (readonly [Cell, Held])[] = [];
  constructor(engine: Engine, tree: Record<string, unknown>, held: Map<string, Held>, types: Map<string, TensorType>) {
    this.engine = engine.name;
    this.mode = engine.mode;
    this.tree = tree;
    this.#own = engine.tensor;
    this.far = engine.far;
    const cells = new Map<string, Cell>();
    this.cells = cells;
    for (const [path, h] of held) {
      const type = types.get(path)!;
      const cell: Cell = { type, held: this.#place(type) ?? h, spare: null };
      cells.set(path, cell);
      this.#put(cell, h);
    }
  }
  /** Memory of the engine, where there is such. */
  #place(type: TensorType): Tensor | null {
    return this.far?.make(type) ?? this.#own?.(type) ?? null;
  }
  /** Whether the memory of this state is the engine's. */
  isIn(engine: Engine): boolean {
    return this.#own === engine.tensor && this.far === engine.far;
  }
  /** Takes a value in: into the engine's memory, where there is such. */
  #put(cell: Cell, held: Held): void {
    if (this.far !== undefined) this.pending.push([cell, held]);
    else if (this.#own === undefined) cell.held = held;
    else (cell.held as Tensor).data.set(dense(held, cell.type).data);
  }
  /** Where a program may write the next value of a leaf; null where values are the engine's own business. */
  next(cell: Cell): Tensor | null {
    return (cell.spare ??= this.#place(cell.type));
  }
  commit(cell: Cell, held: Held): void {
    if (cell.spare !== null) cell.spare = cell.held as Tensor;
    cell.held = held;
  }
  /** Sends what was written here before the engine's memory was to be seen. */
  async settle(): Promise<void> {
    const { far, pending } = this;
    if (far === undefined || pending.length === 0) return;
    await far.write(pending.map(([cell, held]) => [cell.held as Tensor, held]));
    this.pending = [];
  }
  /** Copies of tensors wherever they are. */
  async brought(tensors: readonly Held[]): Promise<readonly Held[]> {
    return this.far === undefined ? tensors : this.far.read(tensors as readonly Tensor[]);
  }
  #tail: Promise<unknown> = Promise.resolve();
  /** Calls `task` when everything asked of this state before is done: two runs that overlap would both start from the old state. */
  after<T>(task: () => T | Promise<T>): Promise<T> {
    const done = this.#tail.then(task);
    this.#tail = done.catch(() => undefined);
    return done;
  }
  #answer<T>(task: () => T): T | Promise<T> {
    return this.mode === "sync" ? task() : this.after(task);
  }
  read(): unknown {
    const { far } = this;
    if (far !== undefined)
      return this.after(async () => {
        await this.settle();
        const cells = [...this.cells];
        const copies = await far.read(cells.map(([, { held }]) => held as Tensor));
        const found = new Map(cells.map(([path], i) => [path, copies[i]!]));
        return rebuild(this.tree, (_, path) => found.get(path)!);
      });
    return this.#answer(() =>
      rebuild(this.tree, (_, path) => {
        const { held, type } = this.cells.get(path)!;
        return copyOf(held, type);
      }),
    );
  }
  write(values: Record<string, unknown>): unknown {
    const fresh = new Map<Cell, Held>();
    for (const key of Object.keys(values)) {
      if (!Object.hasOwn(this.tree, key))
        throw new EngineError(`state.write: there is no ${key}; the state has ${Object.keys(this.tree).join(", ")}`);
      if (values[key] === undefined) continue;
      eachData(values[key], this.tree[key], key, (path, data) => {
        const cell = this.cells.get(path)!;
        fresh.set(cell, heldFrom(data, cell.type, `state.${path}`));
      });
    }
    const { far } = this;
    if (far !== undefined)
      return this.after(async () => {
        await this.settle();
        await far.write([...fresh].map(([cell, h]) => [cell.held as Tensor, h]));
      });
    return this.#answer(() => {
      for (const [cell, h] of fresh) this.#put(cell, h);
    });
  }
}

/**
 * The memory of a leaf of a state, as it is after the last run: what is written there is what programs read next. For what works on it between two runs.
 * @throws EngineError for a state that answers later, and for a path that is not there
 */
export function memoryOf(state: unknown, path: string): Tensor {
  const cell = state instanceof Store ? state.cells.get(path) : undefined;
  if (cell === undefined || (state as Store).mode !== "sync")
    throw new EngineError(`memoryOf: there is no memory of ${path} here; it is there for states of engines that answer at once`);
  if (typeof cell.held === "number") cell.held = dense(cell.held, cell.type);
  return cell.held;
}

function copyOf(held: Held, type: TensorType): Tensor {
  const t = dense(held, type);
  return hold(type, typeof held === "number" ? t.data : t.data.slice());
}

/** Walks data beside the tree that says where its leaves are: a list may be a leaf's data. */
function eachData(given: unknown, like: unknown, path: string, visit: (path: string, data: Data) => void): void {
  if (isLeaf(like)) {
    if (given === undefined || given === null) throw new GraphError(`run: ${path === "" ? "the input" : path} is missing`);
    visit(path, given as Data);
    return;
  }
  const keys = Object.keys(like as object);
  if (typeof given !== "object" || given === null || isLeaf(given))
    throw new GraphError(`run: ${path === "" ? "the input" : path} is no record; wanted ${keys.join(", ")}`);
  const extra = Object.keys(given).filter((k) => !keys.includes(k));
  const missing = keys.filter((k) => !Object.hasOwn(given, k));
  if (extra.length + missing.length > 0)
    throw new GraphError(
      `run: ${path === "" ? "the input" : path} has ${Object.keys(given).join(", ") || "nothing"}, the graph wants ${keys.join(", ") || "nothing"}`,
    );
  for (const k of keys)
    eachData((given as Record<string, unknown>)[k], (like as Record<string, unknown>)[k], path === "" ? k : `${path}.${k}`, visit);
}

/** Data as what an engine holds: numbers and nested lists convert to the declared type, typed arrays and tensors must match it. */
export function heldFrom(data: unknown, type: TensorType, where: string): Held {
  let v: Value;
  if (Array.isArray(data) || typeof data === "boolean") {
    const t = tensor(data as Nested, type.dtype);
    v = liftTo(t, type, where);
  } else if (isTensor(data) || isTypedArray(data) || isValue(data) || typeof data === "number") v = liftTo(data, type, where);
  else
    throw new GraphError(`${where} is ${data === null ? "null" : typeof data}; data is a number, nested lists, a typed array or a Tensor`);
  return memoOf(v) ?? heldBy(v);
}

/**
 * Compiles a graph for an engine. An input named in `state` stays inside; an output of the same name is its new value.
 * `state` is a tree of tensors (copied in once) or the state of another program on the same engine (shared; names the graph lacks are ignored).
 * @throws EngineError when state and graph do not fit
 */
export function compile<I, O, M extends Mode, S>(
  graph: Graph<I, O>,
  engine: Engine<M>,
  options: { readonly state: State<S, M> } & CompileOptions<O>,
): Promise<Program<Omit<I, keyof S>, Omit<O, keyof S>, S, M>>;
export function compile<I, O, M extends Mode, S extends object>(
  graph: Graph<I, O>,
  engine: Engine<M>,
  options: { readonly state: S } & CompileOptions<O> & Fits<I, O, S>,
): Promise<Program<Omit<I, keyof S>, Omit<O, keyof S>, S, M>>;
export function compile<I, O, M extends Mode>(
  graph: Graph<I, O>,
  engine: Engine<M>,
  options?: CompileOptions<O>,
): Promise<Program<I, O, {}, M>>;
export async function compile(
  graph: Graph<unknown, unknown>,
  engine: Engine,
  options: { readonly state?: unknown; readonly guard?: readonly PropertyKey[]; readonly signal?: AbortSignal } = {},
): Promise<Program<unknown, unknown, unknown>> {
  if ((graph as Graph<unknown, unknown> | undefined)?.inputs === undefined)
    throw new GraphError("compile: the first argument is no graph; write graph(types, f)");
  if (!isEngine(engine)) throw new EngineError("compile: the second argument is no engine; write wasm() or reference()");
  checkKnown("compile", options, ["state", "guard", "signal"]);
  const store =
    options.state === undefined
      ? new Store(engine, {}, new Map(), new Map())
      : options.state instanceof Store
        ? options.state
        : storeFor(graph, engine, options.state);
  if (store.engine !== engine.name || store.mode !== engine.mode || !store.isIn(engine))
    throw new EngineError(
      `compile: the state lives in ${store.engine === engine.name ? `another engine ${engine.name}()` : `engine ${store.engine}`} and the program is for ${engine.name}; ${store.engine === engine.name ? "make the engine once and compile both for it" : "read it there and pass the tensors"}`,
    );
  return (await programOf(graph, engine, store, options.guard ?? [], options.signal)) as unknown as Program<unknown, unknown, unknown>;
}

function paths(tree: unknown, under: string): string {
  return isLeaf(tree)
    ? under
    : leaves(tree)
        .map(({ path }) => path)
        .join(", ");
}

function storeFor(graph: Graph<unknown, unknown>, engine: Engine, state: unknown): Store {
  if (typeof state !== "object" || state === null || isLeaf(state))
    throw new EngineError("compile: state is a record of trees of tensors, by the names of the graph's inputs");
  const inputs = graph.inputs as Record<string, unknown>;
  const held = new Map<string, Held>();
  const types = new Map<string, TensorType>();
  for (const [name, tree] of Object.entries(state)) {
    if (isLeaf(inputs) || !Object.hasOwn(inputs, name))
      throw new EngineError(
        `compile: state has ${name}, and the graph has no input of that name; it has ${isLeaf(inputs) ? "one input without a name" : Object.keys(inputs).join(", ")}`,
      );
    const wanted = new Map(leaves({ [name]: inputs[name] }).map(({ path, leaf }) => [path, typeOfLeaf(leaf)]));
    const given = leaves({ [name]: tree });
    if (given.length !== wanted.size || given.some(({ path }) => !wanted.has(path)))
      throw new EngineError(`compile: state.${name} has ${paths(tree, name)}, the graph wants ${paths(inputs[name], name)}`);
    for (const { path, leaf } of given) {
      const type = wanted.get(path)!;
      held.set(path, heldFrom(leaf, type, `compile: state.${path}`));
      types.set(path, type);
    }
  }
  // Only where leaves are: the tree that was given stays the caller's.
  const places = rebuild(state, () => 0) as Record<string, unknown>;
  return new Store(engine, places, held, types);
}

interface Made {
  run(inputs: unknown): unknown;
  profile(inputs: unknown, options?: ProfileOptions): unknown;
  readonly state: Store;
  dispose(): void;
}

async function programOf(
  graph: Graph<unknown, unknown>,
  engine: Engine,
  store: Store,
  guard: readonly PropertyKey[],
  signal: AbortSignal | undefined,
): Promise<Made> {
  const ins = graph.inputs as Record<string, unknown>;
  const outs = graph.outputs as Record<string, unknown>;
  const single = isLeaf(outs);
  const inState = (key: string): boolean => Object.hasOwn(store.tree, key);
  const wanted = withoutState(ins, inState);
  const rest = withoutState(outs, inState);
  const inputs = entriesOf(ins, "input");
  for (const { path, top, value } of inputs) {
    if (top === null || !inState(top)) continue;
    const type = store.cells.get(path)?.type;
    if (type === undefined || !sameType(type, value.type))
      throw new EngineError(`compile: state.${path} is ${type ? typeText(type) : "not there"}, the graph wants ${typeText(value.type)}`);
  }
  const given = new Map(inputs.map(({ path, value }) => [path, value]));
  // State that comes out as it went in, such as frozen weights, stays where it is.
  const outputs = entriesOf(outs, "output").filter(({ path, top, value }) => top === null || !inState(top) || value !== given.get(path));
  for (const { path, top, value } of outputs) {
    if (top === null || !inState(top)) continue;
    const type = store.cells.get(path)?.type;
    if (type === undefined || !sameType(type, value.type))
      throw new EngineError(
        `compile: output ${path} is ${typeText(value.type)} and the state has ${type ? typeText(type) : "no such leaf"}; new state has the type of the old`,
      );
  }
  for (const g of guard)
    if (single || !Object.hasOwn(outs, g))
      throw new EngineError(
        `compile: guard names ${String(g)}; the outputs are ${single ? "one without a name" : Object.keys(outs).join(", ")}`,
      );
  const [taking, making] = [inputs, outputs].map((list) => list.map(({ value }) => value)) as [Value[], Value[]];
  const executable = engine.prepareLater === undefined ? engine.prepare(taking, making) : await engine.prepareLater(taking, making);
  const places = new Map(inputs.map(({ path }, i) => [path, i]));
  const inPort = portOf(wanted, (path) => places.get(path)!);
  const outPlaces = new Map(outputs.map(({ path }, i) => [path, i]));
  const outPort = portOf(rest, (path) => outPlaces.get(path)!);
  const resident = inputs.flatMap(({ path, top }, place) =>
    top !== null && inState(top) ? [{ place, cell: store.cells.get(path)! }] : [],
  );
  const committed = outputs.flatMap(({ path, top }, place) =>
    top !== null && inState(top) ? [{ place, cell: store.cells.get(path)! }] : [],
  );
  const guarded = outputs.flatMap(({ path, top, value }, place) =>
    top !== null && guard.some((g) => String(g) === top) && isFloat(value.type.dtype) ? [{ place, path }] : [],
  );
  const into = new Array<Tensor | null>(outputs.length).fill(null);
  let runs = 0;
  let disposed = false;
  /** `looked`: what is guarded, where the results are somewhere else. */
  const finish = (results: readonly Held[], looked: readonly Held[] | null = null): unknown => {
    signal?.throwIfAborted();
    for (let i = 0; i < guarded.length; i++) {
      const { place, path } = guarded[i]!;
      const bad = firstBad(looked === null ? results[place]! : looked[i]!);
      if (bad !== null)
        throw new NumericError(
          `${path} is ${bad} at run ${runs}; the state is unchanged. Replay: graph(variables({...await program.state.read(), ...batch}))`,
        );
    }
    for (const { place, cell } of committed) store.commit(cell, results[place]!);
    return give(engine.copies ? results : results.map((h, i) => (typeof h === "number" ? h : copyOf(h, outputs[i]!.value.type))), outPort);
  };
  const none = leaves(wanted).length === 0;
  const taken = (asked: unknown): Held[] => {
    if (disposed) throw new EngineError("run: the program was disposed");
    signal?.throwIfAborted();
    const given = asked === undefined && none ? wanted : asked;
    const values = new Array<Held>(inputs.length);
    // What runs later must not see what becomes of the caller's data until then.
    if (engine.copies && take(given, inPort, values)) return engine.mode === "sync" ? values : ownAll(executable, values);
    eachData(given, wanted, "", (path, data) => {
      const place = places.get(path)!;
      values[place] = heldFrom(data, inputs[place]!.value.type, path === "" ? "the input" : path);
    });
    return values;
  };
  const profile = (input: unknown, { rounds = 20 }: ProfileOptions = {}): unknown => {
    if (engine.profile === undefined)
      throw new EngineError(`profile: the ${engine.name} engine has no steps to time; compile the graph for wasm() without a worker`);
    if (!Number.isInteger(rounds) || rounds < 1) throw new EngineError(`profile: rounds is ${rounds}; it is a whole number, 1 or more`);
    const values = taken(input);
    for (const { place, cell } of resident) values[place] = cell.held;
    return engine.profile(taking, making, values, rounds);
  };
  const run = (given: unknown): unknown => {
    const values = taken(given);
    const start = (): Ran<Mode, readonly Held[]> => {
      runs++;
      for (const { place, cell } of resident) values[place] = cell.held;
      for (const { place, cell } of committed) into[place] = store.next(cell);
      return executable.run(values, into);
    };
    if (engine.mode === "sync") return finish(start() as readonly Held[]);
    return store.after(async () => {
      signal?.throwIfAborted();
      await unlessAborted(store.settle(), signal);
      const results = await unlessAborted(start(), signal);
      // What is guarded and stays in the engine has to be looked at before it counts.
      const kept = guarded.filter(({ place }) => into[place]).map(({ place }) => results[place]!);
      const looked = kept.length === 0 ? [] : [...(await store.brought(kept))];
      return finish(
        results,
        guarded.map(({ place }) => (into[place] ? looked.shift()! : results[place]!)),
      );
    });
  };
  return {
    run: engine.mode === "sync" ? run : async (given) => run(given),
    profile,
    state: store,
    dispose: () => {
      disposed = true;
      executable.dispose();
    },
  };
}

/** The results, or a rejection as soon as the signal is aborted: what comes later is dropped. */
async function unlessAborted<T>(results: T | Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (signal === undefined) return results;
  let stop = (): void => undefined;
  const aborted = new Promise<never>((_, reject) => {
    stop = () => reject(signal.reason);
    signal.addEventListener("abort", stop);
  });
  try {
    return await Promise.race([results, aborted]);
  } finally {
    signal.removeEventListener("abort", stop);
  }
}

/** The record without its entries that are state; lists and single values have none. */
function withoutState(tree: Record<string, unknown>, inState: (key: string) => boolean): unknown {
  if (isLeaf(tree) || Array.isArray(tree)) return tree;
  return Object.fromEntries(Object.entries(tree).filter(([k]) => !inState(k)));
}

interface Entry {
  readonly path: string;
  /** The name it stands under, which may itself have dots; null for a single value or in a list. */
  readonly top: string | null;
  readonly value: Value;
}

/** The leaves of a graph's inputs or outputs. @throws GraphError for two of one path: programs tell leaves apart by path */
function entriesOf(tree: Record<string, unknown>, what: string): Entry[] {
  const named = !isLeaf(tree) && !Array.isArray(tree);
  const found = named
    ? Object.keys(tree).flatMap((top) => leaves({ [top]: tree[top] }).map(({ path, leaf }) => ({ path, top, value: leaf as Value })))
    : leaves(tree).map(({ path, leaf }) => ({ path, top: null, value: leaf as Value }));
  const seen = new Set<string>();
  for (const { path } of found) {
    if (seen.has(path)) throw new GraphError(`compile: two ${what}s are called ${path}; rename a key that has dots in it`);
    seen.add(path);
  }
  return found;
}

function firstBad(held: Held): string | null {
  if (typeof held === "number") return Number.isFinite(held) ? null : String(held);
  for (let i = 0; i < held.data.length; i++) if (!Number.isFinite(held.data[i])) return String(held.data[i]);
  return null;
}
