import { type Loss, valueAndGrad } from "../autodiff/grad.ts";
import type { Engine } from "../engines/engine.ts";
import { compile, type Program, type State } from "../engines/program.ts";
import { allocate } from "../ir/dtype.ts";
import { GraphError } from "../ir/errors.ts";
import { graph, typeOfLeaf } from "../ir/graph.ts";
import { isValue, lift } from "../ir/leaf.ts";
import type { Value } from "../ir/node.ts";
import { sizeOf } from "../ir/shape.ts";
import { hold, type Tensor } from "../ir/tensor.ts";
import { leaves, mapTree, rebuild, type Values } from "../ir/tree.ts";
import { f64, i32 } from "../ir/type.ts";
import { add, div, mul } from "../ops/arithmetic.ts";
import { cast } from "../ops/elementwise/cast.ts";
import { equal } from "../ops/elementwise/comparison.ts";
import { sqrt, square } from "../ops/elementwise/roots.ts";
import { where } from "../ops/elementwise/select.ts";
import { sum } from "../ops/linear/sum.ts";
import type { Optimizer, OptimizerState } from "../optim/optimizer.ts";
import { fold } from "../random/random.ts";
import { BatchForm } from "./batch-form.ts";
import type { Fed } from "./feed.ts";
import { checkBound, lossOf } from "./loss.ts";
import type { AnyModel, Context } from "./model.ts";
import { rowsOf, signatureOf } from "./signature.ts";

/** What stays inside the engine while training. */
export interface TrainState {
  readonly params: unknown;
  readonly stats: unknown;
  readonly opt: OptimizerState;
  /** Updates made so far, i32. */
  readonly step: Tensor;
  /** The seed's key, i32[2]. */
  readonly key: Tensor;
  /** With accumulation: the sum of gradients since the last update, of how many rows, in how many batches. */
  readonly gathered?: { readonly sum: unknown; readonly rows: Tensor; readonly batches: Tensor };
}

/** What one batch gave. */
export interface Ran {
  readonly loss: Tensor;
  readonly outputs: unknown;
  /** The norm of the gradient; of a validation there is none. */
  readonly norm: Tensor | null;
}

/** What a program sees: the state, and what it is given. */
export type Names = Values<TrainState> & { readonly batch: unknown };
type Body = (names: Names) => object;
type AnyProgram = Program<unknown, unknown, unknown>;

/** A program, what it is for, and when it was last used. */
interface Kept {
  readonly program: AnyProgram;
  readonly kind: string;
  used: number;
}

/** Programs kept for one kind of work: as many shapes as `jit` keeps. */
const most = 8;

/** The compiled programs of a training: one for each kind of work and shape of a batch, all over one state. */
export class Programs {
  readonly model: AnyModel;
  readonly optimizer: Optimizer;
  readonly engine: Engine;
  readonly accumulates: boolean;
  /** What the state begins with, until it is in the engine. */
  protected initial: TrainState;
  protected state: State<unknown> | null = null;
  private readonly cache: Map<string, Kept> = new Map();
  /** For each kind the program that ran last, and the form of its batch. */
  private readonly latest: Map<string, { readonly form: BatchForm; readonly kept: Kept }> = new Map();
  private uses = 0;
  /** What a program is given that needs no batch. */
  private readonly none: BatchForm = new BatchForm({}, 0);
  /** How often something was compiled. */
  compiled = 0;

  constructor(model: AnyModel, optimizer: Optimizer, engine: Engine, accumulates: boolean, initial: TrainState) {
    this.model = model;
    this.optimizer = optimizer;
    this.engine = engine;
    this.accumulates = accumulates;
    this.initial = initial;
  }

  /** One update by one batch. */
  update(batch: unknown, fed?: Fed): Ran | Promise<Ran> {
    return this.runBound("update", batch, fed?.form, ["loss", "norm"], (s) => {
      const { value, gradient, stats } = this.differentiated(s, this.keyOf(fold(s.key, s.step)));
      const { params, opt } = this.optimizer.update({ params: s.params, grad: gradient, opt: s.opt });
      return { ...value, norm: normOf(gradient, movedBetween(s.params, params)), stats, params, opt, step: add(s.step, 1) };
    }) as Ran | Promise<Ran>;
  }

  /** The same at once, on an engine that answers so; null where the program that ran last is not one of the batch's form. */
  updateNow({ batch, form }: Fed): Ran | null {
    const latest = this.latest.get("update");
    if (form === undefined || latest?.form !== form) return null;
    return this.runAgain(latest.kept, batch) as Ran;
  }

  /** Adds the gradient of one batch to what was gathered. */
  gather(batch: unknown, fed?: Fed): Ran | Promise<Ran> {
    const form = fed?.form;
    return this.gatherAs(batch, form?.rows ?? rowsOf(batch, "a batch"), ["loss", "norm"], form, fed?.counts?.own);
  }

  /** The same for a batch that counts as so many rows, or as much as its data say: then that is no number of the program, which other batches of the shape share. */
  protected gatherAs(batch: unknown, ofShape: number, guard: readonly string[], form?: BatchForm, ofData?: number): Ran | Promise<Ran> {
    const counted = ofData === undefined ? undefined : hold(f64(), Float64Array.of(ofData));
    const kind = counted !== undefined ? "gather counted" : ofShape === 0 ? "gather none" : "gather";
    const body: Body = (names) => {
      const { own, count } = names.batch as { readonly own: unknown; readonly count: Value };
      const s = counted === undefined ? names : { ...names, batch: own };
      const rows = counted === undefined ? ofShape : count;
      const all = s.gathered!;
      const weight = this.weightOf(ofShape);
      const { value, gradient, stats } = this.differentiated(s, this.keyOf(fold(fold(s.key, s.step), all.batches)), weight);
      const trained = this.trained(s, gradient);
      const total = beside(all.sum, gradient, (t, g, path) => (trained.has(path) ? add(t, weight === null ? times(rows, g) : g) : t));
      return {
        ...value,
        norm: normOf(gradient, trained),
        stats,
        gathered: { sum: total, rows: add(all.rows, rows), batches: add(all.batches, 1) },
      };
    };
    return this.runBound(kind, batch, form, guard, body, counted) as Ran | Promise<Ran>;
  }

  /** The paths of the parameters that are trained. */
  protected trained(s: Names, gradient: Values<unknown>): ReadonlySet<string> {
    return movedBetween(s.params, this.optimizer.update({ params: s.params, grad: gradient, opt: s.opt }).params);
  }

  /** One update by the mean of what was gathered. */
  apply(_all?: number): Tensor | Promise<Tensor> {
    const ran = this.runFormed("apply", {}, this.none, ["norm"], (s) => {
      const all = s.gathered!;
      const rows = this.model.counts === undefined ? all.rows : where(equal(all.rows, 0), 1, all.rows);
      const mean: Values<unknown> = mapTree(all.sum, (g) => div(g, cast(rows, g.type.dtype)));
      const { params, opt } = this.optimizer.update({ params: s.params, grad: mean, opt: s.opt });
      const none = mapTree(all, (v) => mul(v, 0));
      return { norm: normOf(mean, movedBetween(s.params, params)), params, opt, step: add(s.step, 1), gathered: none };
    }) as Ran | Promise<Ran>;
    return ran instanceof Promise ? ran.then(({ norm }) => norm!) : ran.norm!;
  }

  /** The loss and what comes with it, without training. */
  evaluate(batch: unknown, form?: BatchForm): Ran | Promise<Ran> {
    return this.runBound("evaluate", batch, form, [], (s) => {
      const { rows, bound } = this.partsOf(s);
      const { loss, others } = lossOf(this.model, s.params, rows, contextOf(s, fold(s.key, s.step), false, bound));
      return { loss, outputs: others };
    }) as Ran | Promise<Ran>;
  }

  /** The key of a step as this process takes it. */
  protected keyOf(key: Value): Value {
    return key;
  }

  /** What `context.across` is, for a batch whose loss counts so much; undefined in one process. */
  protected across(_weight: Value | null): ((x: Value) => Value) | undefined {
    return undefined;
  }

  /** What the loss of so many gathered rows is multiplied by before the backward pass; null where its gradient is multiplied instead. */
  protected weightOf(_rows: number): Value | null {
    return null;
  }

  /** Tells an optimiser whose rate depends on it how well things go. */
  async observe(metric: number): Promise<void> {
    const { observe } = this.optimizer;
    if (observe === undefined) return;
    await this.run("observe", hold(f64(), Float64Array.of(metric)), [], (s) => ({
      opt: observe({ opt: s.opt, metric: s.batch as Value }),
    }));
  }

  /** Forgets what was gathered since the last update: after a failure its batches come again. */
  async ungather(): Promise<void> {
    const { gathered } = this.initial;
    if (gathered === undefined || this.state === null) return;
    const none = rebuild(gathered, (leaf) => {
      const type = typeOfLeaf(leaf);
      return hold(type, allocate(type.dtype, sizeOf(type.shape)));
    });
    await this.state.write({ gathered: none } as never);
  }

  /** A copy of the state as a checkpoint has it, on the rank that writes it; all ranks ask for it. */
  whole(_leads: boolean): Promise<TrainState> {
    return this.read();
  }

  /** A copy of the state of this process. */
  async read(): Promise<TrainState> {
    if (this.state === null) return rebuild(this.initial, (leaf) => copied(leaf as Tensor)) as TrainState;
    return (await this.state.read()) as TrainState;
  }

  /** The loss of a batch with what comes beside it, and its gradient; the gradient is that of the loss times `scale`, where it is given. */
  protected differentiated(
    s: Names,
    key: Value,
    scale: Value | null = null,
  ): {
    value: { loss: Value; outputs: unknown };
    gradient: Values<unknown>;
    stats: unknown;
  } {
    let others: unknown;
    let stats: unknown = {};
    const across = this.across(scale);
    const { rows, bound } = this.partsOf(s);
    const f = (params: unknown): Loss => {
      const context = { ...contextOf(s, key, true, bound), across };
      const found = lossOf(this.model, params as Values<unknown>, rows, context);
      ({ others } = found);
      stats = found.stats ?? s.stats;
      if (scale === null) return { loss: found.loss };
      const scaled = { loss: mul(found.loss, cast(scale, found.loss.type.dtype)), plain: found.loss };
      return scaled;
    };
    const { value, grad } = valueAndGrad(f)(s.params as never);
    const { loss, plain = loss } = value as { loss: Value; plain?: Value };
    return { value: { loss: plain, outputs: others }, gradient: grad, stats };
  }

  /** {@link run}, beside the batch what the model binds of it. */
  private runBound(
    kind: string,
    batch: unknown,
    form: BatchForm | undefined,
    guard: readonly string[],
    body: Body,
    count?: Tensor,
  ): unknown {
    if (this.model.bind !== undefined) return this.runWithBound(kind, batch, guard, body, count);
    return count === undefined ? this.runFormed(kind, batch, form, guard, body) : this.run(kind, { own: batch, count }, guard, body);
  }

  private async runWithBound(kind: string, batch: unknown, guard: readonly string[], body: Body, count?: Tensor): Promise<unknown> {
    const bound = await this.model.bind!(batch as never, async () => (await this.read()).params as never);
    checkBound(bound);
    const own = { rows: batch, bound };
    return this.run(kind, count === undefined ? own : { own, count }, guard, body);
  }

  /** The batch as the loss takes it, and what is bound. */
  private partsOf({ batch }: Names): { readonly rows: Values<unknown>; readonly bound: Readonly<Record<string, Value>> } {
    if (this.model.bind === undefined) return { rows: batch as Values<unknown>, bound: {} };
    return batch as { readonly rows: Values<unknown>; readonly bound: Readonly<Record<string, Value>> };
  }

  protected async run(kind: string, batch: unknown, guard: readonly string[], body: Body): Promise<unknown> {
    const { program } = await this.programFor(kind, batch, guard, body);
    return program.run({ batch });
  }

  /** The same, at once where the batch has the form of the last one and the engine answers at once. */
  private runFormed(kind: string, batch: unknown, form: BatchForm | undefined, guard: readonly string[], body: Body): unknown {
    const latest = this.latest.get(kind);
    if (form === undefined || latest?.form !== form) return this.runAnew(kind, batch, form, guard, body);
    return this.runAgain(latest.kept, batch);
  }

  private runAgain(kept: Kept, batch: unknown): unknown {
    kept.used = ++this.uses;
    return kept.program.run({ batch });
  }

  private async runAnew(kind: string, batch: unknown, form: BatchForm | undefined, guard: readonly string[], body: Body): Promise<unknown> {
    const kept = await this.programFor(kind, batch, guard, body);
    if (form !== undefined) this.latest.set(kind, { form, kept });
    return kept.program.run({ batch });
  }

  private async programFor(kind: string, batch: unknown, guard: readonly string[], body: Body): Promise<Kept> {
    const key = `${kind} ${signatureOf(batch)}`;
    const found = this.cache.get(key);
    if (found !== undefined) {
      found.used = ++this.uses;
      return found;
    }
    const types = rebuild({ ...this.initial, batch }, (leaf) => typeOfLeaf(leaf));
    const made = graph(types, body as (names: unknown) => unknown);
    const options = { state: this.state ?? stateOf(this.initial), guard };
    const program = (await compile(made as never, this.engine, options as never)) as unknown as AnyProgram;
    this.state ??= program.state;
    // The tensors live in the engine from now on; what is left are their types.
    this.initial = rebuild(this.initial, (leaf) => typeOfLeaf(leaf)) as TrainState;
    this.compiled++;
    const kept = { program, kind, used: ++this.uses };
    this.cache.set(key, kept);
    this.forget(kind);
    return kept;
  }

  /** Disposes of the program of a kind that was longest without use, where there are too many. */
  private forget(kind: string): void {
    const own = [...this.cache].filter(([, kept]) => kept.kind === kind);
    if (own.length <= most) return;
    const [key, oldest] = own.reduce((a, b) => (b[1].used < a[1].used ? b : a));
    oldest.program.dispose();
    this.cache.delete(key);
    if (this.latest.get(kind)?.kept === oldest) this.latest.delete(kind);
  }
}

/** A gradient so many times. */
function times(count: number | Value, g: Value): Value {
  return mul(typeof count === "number" ? count : cast(count, g.type.dtype), g);
}

/** States without leaves would be trees that no graph has. */
function stateOf(initial: TrainState): object {
  return { ...initial };
}

function copied(t: Tensor): Tensor {
  return hold(t.type, t.data.slice());
}

function contextOf(s: Names, key: Value, train: boolean, bound: Readonly<Record<string, Value>>): Context<unknown> {
  return { key, train, stats: s.stats as Values<unknown>, bound };
}

/** Two trees of one shape, leaf by leaf. */
function beside(a: unknown, b: unknown, f: (a: Value, b: Value, path: string) => Value): unknown {
  const others = new Map(leaves(b).map(({ path, leaf }) => [path, leaf as Value]));
  return rebuild(a, (leaf, path) => f(leaf as Value, others.get(path)!, path));
}

/** The paths of the parameters that an update changes: what is frozen comes out as it went in. */
export function movedBetween(before: unknown, after: unknown): ReadonlySet<string> {
  const old = new Map(leaves(before).map(({ path, leaf }) => [path, leaf]));
  return new Set(leaves(after).flatMap(({ path, leaf }) => (old.get(path) === leaf ? [] : [path])));
}

/**
 * The norm of the gradient of what is trained: not finite as soon as one element is not. Nobody asks for the gradient of what is frozen, so that the
 * backward pass stops there.
 */
export function normOf(gradient: unknown, trained: ReadonlySet<string>): Value {
  return sqrt(squaresOf(gradient, trained));
}

/** Its square. */
export function squaresOf(gradient: unknown, trained: ReadonlySet<string>): Value {
  const squares = leaves(gradient)
    .filter(({ path }) => trained.has(path))
    .map(({ leaf }) => cast(sum(square(leaf as Value)), "f64"));
  return squares.reduce((a, b) => add(a, b));
}

/** The state at the beginning. */
export function initialState(model: AnyModel, optimizer: Optimizer, key: Tensor, accumulates: boolean): TrainState {
  const params = rebuild(model.params, (leaf, path) => tensorOf(leaf, `params.${path}`));
  const stats = rebuild(model.stats ?? {}, (leaf, path) => tensorOf(leaf, `stats.${path}`));
  const base = { params, stats, opt: optimizer.init(params), step: hold(i32(), Int32Array.of(0)), key };
  if (!accumulates) return base;
  const zero = (t: Tensor): Tensor => hold(t.type, t.data.slice().fill(0));
  const gathered = {
    sum: rebuild(params, (leaf) => zero(leaf as Tensor)),
    rows: hold(f64(), Float64Array.of(0)),
    batches: hold(i32(), Int32Array.of(0)),
  };
  return { ...base, gathered };
}

function tensorOf(leaf: unknown, path: string): Tensor {
  if (typeof leaf === "number") return hold(f64(), Float64Array.of(leaf));
  if (ArrayBuffer.isView(leaf)) return lift(leaf as Float64Array, "f64").node.memo as Tensor;
  if ((leaf as { kind?: unknown }).kind === "tensor") return leaf as Tensor;
  throw new GraphError(
    `train: ${path} is ${isValue(leaf) ? "a Value" : "a type"}; parameters are tensors: write evaluate(...) around them`,
  );
}
