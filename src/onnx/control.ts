import { cond } from "../control/cond.ts";
import { scan } from "../control/scan.ts";
import { whileLoop } from "../control/while-loop.ts";
import { ChainruleError, DomainError } from "../ir/errors.ts";
import { lift } from "../ir/leaf.ts";
import type { Value } from "../ir/node.ts";
import { add, cast, concat, flip, greater, less, logicalAnd, range, reshape, slice, transpose, unsqueeze, where } from "../ops/index.ts";
import { type Application, bindIt, type Family, knownNumber } from "./application.ts";
import type { GraphMessage } from "./schema.ts";
import { isSequence } from "./sequences.ts";

/** Loops up to this length are unrolled: their bodies see the number of the round as a constant, which shapes may be made of. */
const unrolled = 64;
/** Loops whose rounds data tell are unrolled up to this length: each number of rounds is a program of its own, which should be small. */
const few = 4;
/** The most rounds of a loop. */
const mostRounds = 1_000_000;
/** The most rounds of a loop that ends by its test, where the file sets no limit: the backward pass keeps room for them, and files of ours have no more. */
const endless = 99_999;
/** The most rounds of a loop that is unrolled because its body cannot be one graph: shapes that grow, or parts that hang on data. */
const mostByHand = 10_000;

/**
 * A branch that is known is taken when the graph is built, else both are written down and one runs. Branches that cannot be, of other shapes or with
 * parts that hang on data, are chosen by an answer.
 */
function branch(n: Application): readonly Value[] {
  const [yes, no] = [n.graph("then_branch"), n.graph("else_branch")];
  const test = reshape(n.get(0), { shape: [] });
  const take = (answer: number): readonly Value[] =>
    answer === 0 ? n.body(no, [], "else", "sequences") : n.body(yes, [], "then", "sequences");
  if (!n.hangs(test)) return take(knownNumber(test));
  const both = n.tried(() =>
    inOneGraph(n, "both its branches", () =>
      cond(
        test,
        () => n.body(yes, [], "then"),
        () => n.body(no, [], "else"),
      ),
    ),
  );
  return both ?? take(n.number("which branch it takes", () => test));
}

/** A part that hangs on data, as one graph. @throws GraphError that says what else can be done where it cannot be one */
function inOneGraph<T>(n: Application, what: string, build: () => T): T {
  try {
    return build();
  } catch (cause) {
    if (n.splits || !(cause instanceof ChainruleError) || cause.message.includes(bindIt)) throw cause;
    return n.refuse(`${what} cannot be one static graph (${cause.message}), and which part runs hangs on data; ${bindIt}`);
  }
}

/** Values of one kind stacked along a new axis 0. */
function stacked(rows: readonly Value[]): Value {
  return concat(
    rows.map((v) => unsqueeze(v, { axis: 0 })),
    { axis: 0 },
  );
}

/** Whether a loop goes on as long as it began: its body passes its test on as it is, or that of the beginning, or says true. */
function keepsGoing({ message }: Application, body: GraphMessage): boolean {
  const given = body.input?.[1]?.name;
  let name = body.output?.[0]?.name;
  const seen = new Set<string>();
  while (name !== undefined && name !== given && !seen.has(name)) {
    seen.add(name);
    const from = (body.node ?? []).find((node) => node.output?.includes(name!));
    if (from === undefined) return name === message.input?.[1] && !(body.input ?? []).some((v) => v.name === name);
    if (from.op_type === "Constant")
      return from.attribute?.some(({ t }) => t?.data_type === 9 && (t.raw_data ?? t.int32_data)?.[0] === 1) === true;
    name = from.op_type === "Identity" || from.op_type === "Cast" ? from.input?.[0] : undefined;
  }
  return name !== undefined && name === given;
}

/** What a loop is made of. */
interface LoopParts {
  readonly body: GraphMessage;
  /** How many rounds there are at most, where something says so. */
  readonly limit: Value | null;
  /** Whether there is a first round. */
  readonly first: Value;
  readonly carried: readonly Value[];
  /** How many results are collected, a row from each round. */
  readonly outs: number;
}

/**
 * Rounds that are known are written down one by one, or as one loop where they are many. Rounds that hang on data are one loop that ends by its test, where
 * the graph can be static; else how many they are is asked for, and what follows is written down for that many.
 */
function loop(n: Application): readonly Value[] {
  const body = n.graph("body");
  const carried = n.operands.slice(2).map((_, i) => n.get(i + 2));
  const parts: LoopParts = {
    body,
    limit: n.has(0) ? cast(reshape(n.get(0), { shape: [] }), "i64") : null,
    first: n.has(1) ? reshape(n.get(1), { shape: [] }) : lift(1, "bool"),
    carried,
    outs: (body.output ?? []).length - 1 - carried.length,
  };
  const { limit, first, outs } = parts;
  const steady = keepsGoing(n, body);
  const counted = limit === null || !n.hangs(limit);
  if (carried.some(isSequence)) return withSequences(n, parts, steady, counted && !n.hangs(first));
  if (counted && !n.hangs(first)) {
    if (knownNumber(first) === 0) return repeated(n, parts, 0);
    if (steady) return repeated(n, parts, limit === null ? n.refuse(noEnd) : knownNumber(limit));
    const most = limit === null ? mostRounds : knownNumber(limit);
    const ended = carried.every((v) => !n.hangs(v)) ? byHand(n, parts, most) : null;
    if (ended !== null) return ended.results;
  }
  if (steady && limit === null) n.refuse(noEnd);
  // A known number of rounds, one program for each, is cheaper to differentiate than room for as many as there may be.
  if (outs === 0 && (!n.splits || n.trying)) return inOneGraph(n, "its rounds", () => tested(n, parts).state);
  return repeatedAsAsked(n, parts, steady);
}

/** Rounds that carry sequences are written down one by one: no op of ours carries what has no fixed number of tensors. */
function withSequences(n: Application, parts: LoopParts, steady: boolean, known: boolean): readonly Value[] {
  const { limit, first } = parts;
  const asked = `it carries a sequence, and ${howOften} hangs on data; rounds that shapes and constants tell are written down one by one`;
  if (!known) n.refuse(asked);
  if (knownNumber(first) === 0) return unfolded(n, parts, 0).results;
  const rounds = limit === null ? Number.POSITIVE_INFINITY : Math.max(0, knownNumber(limit));
  if (!steady) return (byHand(n, parts, Math.min(rounds, mostByHand)) ?? n.refuse(asked)).results;
  if (limit === null) n.refuse(noEnd);
  if (rounds > mostByHand) n.refuse(`it carries a sequence through ${rounds} rounds; ${mostByHand} such rounds are the most`);
  return unfolded(n, parts, rounds).results;
}

const noEnd = "it has no end: neither a number of rounds nor a test that changes";
const howOften = "how many rounds it makes";

/** As many rounds as data tell. */
function repeatedAsAsked(n: Application, parts: LoopParts, steady: boolean): readonly Value[] {
  const { limit, first } = parts;
  if (!n.splits)
    n.refuse(`${howOften} depends on data, and with it the size of what it collects, and a graph has static shapes; ${bindIt}`);
  if (steady)
    return repeated(
      n,
      parts,
      n.number(howOften, () => where(first, limit!, 0)),
      few,
    );
  const told = n.told(howOften);
  if (told !== null) return repeated(n, parts, told, few);
  const asked = n.tried(() => tested(n, parts).i);
  if (asked !== null) return repeated(n, parts, countedRounds(n, asked), few);
  const made = byHand(n, parts, mostByHand) ?? n.unknown(howOften);
  n.note(howOften, made.rounds, made.asked);
  return made.results;
}

/** How many rounds a loop makes that ends by its test. @throws GraphError where it does not end */
function countedRounds(n: Application, asked: Value): number {
  try {
    return n.number(howOften, () => asked);
  } catch (cause) {
    if (cause instanceof DomainError && cause.message.startsWith("whileLoop: ")) n.refuse(`its test still holds after ${endless} rounds`);
    throw cause;
  }
}

/** A known number of rounds, unrolled up to so many. */
function repeated(n: Application, parts: LoopParts, rounds: number, byHandTo: number = unrolled): readonly Value[] {
  const { outs } = parts;
  if (rounds > mostRounds) n.refuse(`it runs ${rounds} times; ${mostRounds} rounds are the most`);
  if (rounds <= byHandTo && (rounds > 0 || outs === 0)) return unfolded(n, parts, rounds).results;
  const asOne = n.tried(() => counted(n, parts, Math.max(0, rounds)), true);
  if (asOne !== null) return asOne;
  if (rounds === 0) n.refuse("it makes no round, and the shape of what it collects is not known");
  if (rounds > mostByHand)
    n.refuse(`it runs ${rounds} times, and its body is another one in each round; ${mostByHand} such rounds are the most`);
  return unfolded(n, parts, rounds).results;
}

/** What rounds that were written down one by one came to. */
interface Unfolded {
  readonly results: readonly Value[];
  readonly rounds: number;
  /** What was read to know when it ends. */
  readonly asked: readonly Value[];
}

/** Round by round, the test read after each; null where it cannot be read. */
function byHand(n: Application, parts: LoopParts, most: number): Unfolded | null {
  const going = n.read(parts.first);
  const limit = parts.limit === null ? mostRounds : n.read(parts.limit);
  return going === null || limit === null ? null : rowByRow(n, parts, going === 0 ? 0 : Math.min(limit, most), limit <= most);
}

/** So many rounds, whatever the test says. */
function unfolded(n: Application, parts: LoopParts, rounds: number): Unfolded {
  return rowByRow(n, { ...parts, first: lift(1, "bool") }, rounds, null)!;
}

/** @param whole whether more rounds than `most` are not asked for; null: the test is not read */
function rowByRow(n: Application, { body, first, carried, outs }: LoopParts, most: number, whole: boolean | null): Unfolded | null {
  let going: Value = first;
  let state = carried;
  const rows: Value[][] = Array.from({ length: outs }, () => []);
  const asked: Value[] = [];
  let i = 0;
  for (; i < most; i++) {
    const results = n.body(body, [lift(i, "i64"), whole === null ? first : going, ...state], String(i), "sequences");
    state = results.slice(1, 1 + carried.length);
    results.slice(1 + carried.length).forEach((v, k) => {
      if (isSequence(v))
        n.refuse(`it collects ${body.output?.[1 + carried.length + k]?.name}, a sequence, of each round; tensors are collected`);
      rows[k]!.push(v);
    });
    if (whole === null) continue;
    going = reshape(results[0]!, { shape: [] });
    const answer = n.read(going);
    if (answer === null) return null;
    asked.push(going);
    if (answer === 0) {
      i++;
      break;
    }
    if (i === most - 1 && !whole)
      n.refuse(`its test still holds after ${most} rounds, the most of a loop that is written down round by round`);
  }
  if (outs > 0 && i === 0) n.refuse("it makes no round, and the shape of what it collects is not known");
  return { results: [...state, ...rows.map(stacked)], rounds: i, asked };
}

/** Many rounds of a known number: one loop in the graph. */
function counted(n: Application, { body, carried }: LoopParts, rounds: number): readonly Value[] {
  const { carry, out } = scan(
    (state: readonly Value[], i: Value) => {
      const results = n.body(body, [i, lift(1, "bool"), ...state], "");
      return { carry: results.slice(1, 1 + carried.length), out: results.slice(1 + carried.length) };
    },
    carried,
    range(rounds, { dtype: "i64" }),
  );
  return [...carry, ...(out as readonly Value[])];
}

interface Tested {
  readonly i: Value;
  /** 0 or 1 as i32: what ONNX Runtime can choose among. */
  readonly going: Value;
  readonly state: readonly Value[];
}

/** Rounds until the test fails, in the graph: the last carries, and how many rounds there were. */
function tested(n: Application, { body, limit, first, carried }: LoopParts): { readonly i: Value; readonly state: readonly Value[] } {
  const known = limit === null ? Number.POSITIVE_INFINITY : n.hangs(limit) ? null : knownNumber(limit);
  const free = known !== null && known > mostRounds;
  const { i, state } = whileLoop(
    ({ i, going }: Tested) => (free ? greater(going, 0) : logicalAnd(greater(going, 0), less(i, limit!))),
    ({ i, going, state }: Tested) => {
      const results = n.body(body, [i, greater(going, 0), ...state], "");
      return { i: add(i, 1), going: cast(reshape(results[0]!, { shape: [] }), "i32"), state: results.slice(1, 1 + carried.length) };
    },
    { i: lift(0, "i64"), going: cast(first, "i32"), state: carried } as Tested,
    { limit: (free || known === null ? endless : Math.max(0, known)) + 1 },
  );
  return { i, state: state as readonly Value[] };
}

/** Axes of scan inputs moved to the front and back. */
function moved(x: Value, from: number, to: number): Value {
  if (from === to) return x;
  const axes = x.type.shape.map((_, i) => i).filter((i) => i !== from);
  axes.splice(to, 0, from);
  return transpose(x, { axes });
}

function scanned(n: Application): readonly Value[] {
  const body = n.graph("body");
  const count = n.int("num_scan_inputs", 1);
  if (n.opset < 9) return scannedInBatches(n, body, count);
  const states = n.operands.length - count;
  const all = n.all();
  return scanOver(n, body, all.slice(0, states), all.slice(states), n.ints("scan_input_axes"));
}

/** Row by row, where the body has parts that hang on data. */
function scannedByHand(
  n: Application,
  body: GraphMessage,
  states: readonly Value[],
  inputs: readonly Value[],
): { readonly carry: readonly Value[]; readonly out: readonly Value[] } {
  const length = inputs[0]?.type.shape[0] ?? 0;
  if (length === 0) n.refuse("it has no row, and its body hangs on data, so that the shape of what it collects is not known");
  if (length > mostByHand) n.refuse(`it has ${length} rows, and its body is another one for each; ${mostByHand} such rows are the most`);
  let carry = states;
  const collected: (readonly Value[])[] = [];
  for (let i = 0; i < length; i++) {
    const row = inputs.map((x) => reshape(slice(x, { start: i, end: i + 1 }), { shape: x.type.shape.slice(1) }));
    const results = n.body(body, [...carry, ...row], String(i));
    carry = results.slice(0, states.length);
    collected.push(results.slice(states.length));
  }
  return { carry, out: collected[0]!.map((_, k) => stacked(collected.map((results) => results[k]!))) };
}

function scanOver(
  n: Application,
  body: GraphMessage,
  states: readonly Value[],
  inputs: readonly Value[],
  axes: readonly number[] | undefined,
): readonly Value[] {
  const backwards = n.ints("scan_input_directions") ?? n.ints("directions");
  const rows = inputs.map((x, i) => {
    const front = moved(x, n.axis(axes?.[i] ?? 0, x.type.shape.length), 0);
    return (backwards?.[i] ?? 0) === 1 ? flip(front, { axis: 0 }) : front;
  });
  const asOne = n.tried(() =>
    scan(
      (state: readonly Value[], row: readonly Value[]) => {
        const results = n.body(body, [...state, ...row], "");
        return { carry: results.slice(0, states.length), out: results.slice(states.length) };
      },
      states,
      rows,
    ),
  );
  const { carry, out } = asOne ?? scannedByHand(n, body, states, rows);
  const outAxes = n.ints("scan_output_axes");
  const outBackwards = n.ints("scan_output_directions");
  const outs = (out as readonly Value[]).map((v, i) => {
    const turned = (outBackwards?.[i] ?? 0) === 1 ? flip(v, { axis: 0 }) : v;
    return moved(turned, 0, n.axis(outAxes?.[i] ?? 0, v.type.shape.length));
  });
  return [...carry, ...outs];
}

/** Operator set 8: examples on axis 0 of everything, each run by itself. */
function scannedInBatches(n: Application, body: GraphMessage, count: number): readonly Value[] {
  if (n.has(0)) n.refuse("sequence lengths of operator set 8 are not supported; re-export the model with operator set 9 or later");
  const operands = n.operands.slice(1).map((_, i) => n.get(i + 1));
  const states = operands.length - count;
  const examples = operands[0]!.type.shape[0]!;
  const each = Array.from({ length: examples }, (_, e) => {
    const own = operands.map((v) => reshape(slice(v, { start: e, end: e + 1 }), { shape: v.type.shape.slice(1) }));
    return scanOver(n, body, own.slice(0, states), own.slice(states), undefined);
  });
  return each[0]!.map((_, k) => stacked(each.map((results) => results[k]!)));
}

/** Branches and loops. */
export const control: Family = { If: branch, Loop: loop, Scan: scanned };
