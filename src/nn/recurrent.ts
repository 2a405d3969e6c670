import { scan } from "../control/scan.ts";
import { ShapeError } from "../ir/errors.ts";
import { lift } from "../ir/leaf.ts";
import type { Value } from "../ir/node.ts";
import type { Operand } from "../ir/op.ts";
import type { Tensor } from "../ir/tensor.ts";
import { type TensorType, tensorType, typeText } from "../ir/type.ts";
import { add, mul, sub } from "../ops/arithmetic.ts";
import { matmul } from "../ops/contract/matmul.ts";
import { sigmoid } from "../ops/elementwise/exponential.ts";
import { tanh } from "../ops/elementwise/trigonometric.ts";
import { zeros } from "../ops/linear/constants.ts";
import { split } from "../ops/linear/split.ts";
import { transpose } from "../ops/linear/transpose.ts";
import { fold } from "../random/random.ts";
import { type DTypeOption, uniform } from "./initializers.ts";
import { checkInit, checkKey, checkParams, checkSizes } from "./layer-checks.ts";
import { inLayer, layerName } from "./layer-name.ts";

/** A recurrent layer: w [inputs, gates hidden] for x, u [hidden, gates hidden] for the state, b [gates hidden]. */
export interface RnnParams<T = Value> {
  readonly w: T;
  readonly u: T;
  readonly b: T;
}

/** Gates in PyTorch's order: input, forget, cell, output. */
export type LstmParams<T = Value> = RnnParams<T>;

/** Gates in PyTorch's order: reset, update, new; `v` [hidden] is the bias of the new gate that the reset gate multiplies. */
export interface GruParams<T = Value> extends RnnParams<T> {
  readonly v: T;
}

/** The state of a cell. */
export interface RnnCarry<T = Value> {
  readonly h: T;
}

/** The state of an LSTM cell. */
export interface LstmCarry<T = Value> extends RnnCarry<T> {
  readonly c: T;
}

/** How a cell runs over a sequence. */
export interface SequenceOptions<C> {
  /** The state before the first step; zeros when left out. */
  readonly start?: C;
  /** From the last step to the first. */
  readonly reverse?: boolean;
  /** How many steps count, as a number or a Value: the result is 0 past them. */
  readonly length?: Operand;
  /** As for `scan`. */
  readonly checkpointEvery?: number;
}

/** What a cell gives over a sequence: the last state, and `h` of every step. */
export interface SequenceResult<C> {
  readonly carry: C;
  readonly out: Value;
}

/**
 * A recurrent cell: a function of parameters, state and x that gives the next state. `over` runs it over a sequence [..., steps, inputs] by `scan`,
 * the product of all inputs with w taken at once (`path`: what errors call it, where a stack has given it a scope); `start` is a state of zeros for
 * inputs with these leading sizes.
 */
export interface Cell<P, A, O, C> {
  (p: O, carry: A, x: Operand): C;
  readonly init: (key: Tensor, inputs: number, hidden: number, options?: DTypeOption) => P;
  readonly start: (p: O, leading?: readonly number[]) => C;
  readonly over: (p: O, xs: Operand, options?: SequenceOptions<A>, path?: string) => SequenceResult<C>;
}

interface Kind<O extends RnnParams<Operand>, A extends RnnCarry<Operand>, C extends RnnCarry> {
  readonly name: string;
  readonly gates: number;
  /** Names of the state's parts. */
  readonly parts: readonly (keyof A & string)[];
  /** The next state of the state and `x w + b`. */
  readonly step: (p: O, carry: A, from: Value) => C;
}

function checkCell(who: string, gates: number, p: RnnParams<Operand>, x: Value): { w: Value; hidden: number } {
  const w = lift(p.w, "f64");
  const [u, b] = [lift(p.u, w.type.dtype), lift(p.b, w.type.dtype)];
  const hidden = u.type.shape[0] ?? 0;
  const wide = gates * hidden;
  if (
    w.type.shape.length !== 2 ||
    u.type.shape.length !== 2 ||
    w.type.shape[1] !== wide ||
    u.type.shape[1] !== wide ||
    b.type.shape[0] !== wide
  )
    throw new ShapeError(
      `${who}: w is ${typeText(w.type)}, u ${typeText(u.type)} and b ${typeText(b.type)}; they are [inputs, ${gates} hidden], [hidden, ${gates} hidden] and [${gates} hidden]`,
      { op: who },
    );
  if (x.type.shape.length === 0 || x.type.shape.at(-1) !== w.type.shape[0])
    throw new ShapeError(
      `${who}: x is ${typeText(x.type)} and w is ${typeText(w.type)}; the last axis of x has to be of size ${w.type.shape[0]}, the cell's inputs`,
      { op: who },
    );
  return { w, hidden };
}

function checkState(who: string, name: string, state: Operand, hidden: number, x: TensorType): void {
  const { type } = lift(state, x.dtype);
  if (type.shape.at(-1) !== hidden)
    throw new ShapeError(
      `${who}: ${name} is ${typeText(type)} beside x, ${typeText(x)}; the last axis of the state has to be of size ${hidden}, the cell's units`,
      { op: who },
    );
}

/** Axes with the one before the last in front, and the way back. */
function timeFirst(rank: number): { there: number[]; back: number[] } {
  const others = Array.from({ length: rank - 2 }, (_, i) => i);
  return { there: [rank - 2, ...others, rank - 1], back: [...others.map((i) => i + 1), 0, rank - 1] };
}

/* @__NO_SIDE_EFFECTS__ */
function cell<P, O extends RnnParams<Operand>, A extends RnnCarry<Operand>, C extends RnnCarry>(
  kind: Kind<O, A, C>,
  init: Cell<P, A, O, C>["init"],
): Cell<P, A, O, C> {
  const { name, gates, parts, step } = kind;
  const start = (p: O, leading: readonly number[] = []): C => {
    checkParams(name, `${name}.start`, p, ["u"]);
    const u = lift(p.u, "f64");
    const type = tensorType(u.type.dtype, [...leading, u.type.shape[0]!]);
    return Object.fromEntries(parts.map((part) => [part, zeros(type)])) as unknown as C;
  };
  const one = (p: O, carry: A, x: Operand): C => {
    const who = layerName(name, p);
    return inLayer(name, p, ["w", "u", "b"], () => {
      const v = lift(x, lift(p.w, "f64").type.dtype);
      const { w, hidden } = checkCell(who, gates, p, v);
      for (const part of parts) checkState(who, part, carry[part] as Operand, hidden, v.type);
      return step(p, carry, add(matmul(v, w), p.b));
    });
  };
  const over = (p: O, xs: Operand, options: SequenceOptions<A> = {}, path?: string): SequenceResult<C> => {
    const who = layerName(name, p, path);
    const build = (): SequenceResult<C> => {
      const { start: given, ...how } = options;
      const v = lift(xs, lift(p.w, "f64").type.dtype);
      const { w, hidden } = checkCell(who, gates, p, v);
      const rank = v.type.shape.length;
      if (rank < 2) throw new ShapeError(`${who}: xs is ${typeText(v.type)}; a sequence is [..., steps, inputs]`, { op: who });
      const from = (given ?? start(p, v.type.shape.slice(0, -2))) as A;
      // The state and nothing else: what comes along in the record is not carried.
      const first = Object.fromEntries(parts.map((part) => [part, from[part]])) as unknown as A;
      for (const part of parts) checkState(who, part, first[part] as Operand, hidden, v.type);
      const { there, back } = timeFirst(rank);
      const rows = transpose(add(matmul(v, w), p.b), { axes: there });
      const { carry, out } = scan(
        (state: unknown, row: unknown) => {
          const next = step(p, state as A, row as Value);
          return { carry: next as never, out: next.h };
        },
        first as unknown,
        rows as unknown,
        how,
      );
      return { carry: carry as C, out: transpose(out as Value, { axes: back }) };
    };
    // A stack gives the path, and the scope with it.
    return path === undefined ? inLayer(name, p, ["w", "u", "b"], build) : build();
  };
  return Object.assign(one, { init, start, over });
}

function drawn(kind: string, gates: number, key: Tensor, inputs: number, hidden: number, options: DTypeOption): RnnParams<Tensor> {
  const who = `${kind}.init`;
  checkKey(who, key);
  checkSizes(who, { inputs, hidden });
  checkInit(who, options);
  const { dtype = "f32" } = options;
  const draw = uniform({ bound: 1 / Math.sqrt(hidden) });
  const make = (name: string, ...shape: readonly number[]): Tensor =>
    draw(fold(key, name), tensorType(dtype, shape), { in: inputs, out: hidden });
  return { w: make("w", inputs, gates * hidden), u: make("u", hidden, gates * hidden), b: make("b", gates * hidden) };
}

/**
 * The plain recurrent cell, `h' = tanh(x w + h u + b)`: `rnn(p, { h }, x)` is one step, `rnn.over(p, xs)` all of a sequence [..., steps, inputs].
 * `rnn.init(key, inputs, hidden, { dtype })`, uniform within 1 / sqrt(hidden) as PyTorch (whose second bias adds to this one). Source: Elman,
 * "Finding structure in time", 1990.
 * @throws ShapeError, with the layer's path, for sizes that do not fit; DomainError for sizes below 1
 */
export const rnn: Cell<RnnParams<Tensor>, RnnCarry<Operand>, RnnParams<Operand>, RnnCarry> = /* @__PURE__ */ cell(
  {
    name: "rnn",
    gates: 1,
    parts: ["h"],
    step: (p: RnnParams<Operand>, { h }: RnnCarry<Operand>, from: Value): RnnCarry => ({ h: tanh(add(from, matmul(h, p.u))) }),
  },
  (key: Tensor, inputs: number, hidden: number, options: DTypeOption = {}): RnnParams<Tensor> =>
    drawn("rnn", 1, key, inputs, hidden, options),
);

/**
 * The long short-term memory cell: `c' = f c + i g`, `h' = o tanh(c')`, with gates i, f, o = sigmoid and g = tanh of `x w + h u + b`, whose columns are
 * i, f, g, o. `lstm(p, { h, c }, x)` is one step, `lstm.over(p, xs)` all of a sequence [..., steps, inputs]. `lstm.init(key, inputs, hidden, { dtype })`,
 * uniform within 1 / sqrt(hidden) as PyTorch. Source: Hochreiter, Schmidhuber, "Long short-term memory", 1997; Gers et al., 2000 (the forget gate).
 * @throws ShapeError, with the layer's path, for sizes that do not fit; DomainError for sizes below 1
 */
export const lstm: Cell<LstmParams<Tensor>, LstmCarry<Operand>, LstmParams<Operand>, LstmCarry> = /* @__PURE__ */ cell(
  {
    name: "lstm",
    gates: 4,
    parts: ["h", "c"],
    step: (p: LstmParams<Operand>, { h, c }: LstmCarry<Operand>, from: Value): LstmCarry => {
      const [i, f, g, o] = split(add(from, matmul(h, p.u)), { parts: 4, axis: -1 }) as [Value, Value, Value, Value];
      const next = add(mul(sigmoid(f), c), mul(sigmoid(i), tanh(g)));
      return { h: mul(sigmoid(o), tanh(next)), c: next };
    },
  },
  (key: Tensor, inputs: number, hidden: number, options: DTypeOption = {}): LstmParams<Tensor> =>
    drawn("lstm", 4, key, inputs, hidden, options),
);

/**
 * The gated recurrent unit: `h' = (1 - z) n + z h`, with r, z = sigmoid of `x w + h u + b` and `n = tanh(x w_n + b_n + r (h u_n + v))`, whose columns are
 * r, z, n. `gru(p, { h }, x)` is one step, `gru.over(p, xs)` all of a sequence [..., steps, inputs]. `gru.init(key, inputs, hidden, { dtype })`, as PyTorch.
 * Source: Cho et al., "Learning phrase representations using RNN encoder-decoder", 2014; with the reset after the product, as cuDNN and PyTorch.
 * @throws ShapeError, with the layer's path, for sizes that do not fit; DomainError for sizes below 1
 */
export const gru: Cell<GruParams<Tensor>, RnnCarry<Operand>, GruParams<Operand>, RnnCarry> = /* @__PURE__ */ cell(
  {
    name: "gru",
    gates: 3,
    parts: ["h"],
    step: (p: GruParams<Operand>, { h }: RnnCarry<Operand>, from: Value): RnnCarry => {
      const [r, z, n] = split(from, { parts: 3, axis: -1 }) as [Value, Value, Value];
      const [hr, hz, hn] = split(matmul(h, p.u), { parts: 3, axis: -1 }) as [Value, Value, Value];
      const update = sigmoid(add(z, hz));
      const fresh = tanh(add(n, mul(sigmoid(add(r, hr)), add(hn, p.v))));
      return { h: add(fresh, mul(update, sub(h, fresh))) };
    },
  },
  (key: Tensor, inputs: number, hidden: number, options: DTypeOption = {}): GruParams<Tensor> => ({
    ...drawn("gru", 3, key, inputs, hidden, options),
    v: uniform({ bound: 1 / Math.sqrt(hidden) })(fold(key, "v"), tensorType(options.dtype ?? "f32", [hidden]), { in: hidden, out: hidden }),
  }),
);
