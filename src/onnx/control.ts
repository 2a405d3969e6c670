import { cond } from "../control/cond.ts";
import { scan } from "../control/scan.ts";
import { whileLoop } from "../control/while-loop.ts";
import { lift } from "../ir/leaf.ts";
import type { Value } from "../ir/node.ts";
import { add, concat, flip, less, logicalAnd, range, reshape, slice, transpose, unsqueeze } from "../ops/index.ts";
import { type Application, type Family, isKnownValue, knownNumber } from "./application.ts";
import type { GraphMessage } from "./schema.ts";

/** Loops up to this length are unrolled: their bodies see the number of the round as a constant, which shapes may be made of. */
const unrolled = 64;
/** The most rounds of a loop that ends by its test, where the file sets no limit. */
const endless = 1_000_000;

/** A branch that is known is taken when the graph is built, else both are written down and one runs. */
function branch(n: Application): readonly Value[] {
  const [yes, no] = [n.graph("then_branch"), n.graph("else_branch")];
  const test = reshape(n.get(0), { shape: [] });
  if (isKnownValue(test)) return n.body(knownNumber(test) === 0 ? no : yes, []);
  return cond(
    test,
    () => n.body(yes, []),
    () => n.body(no, []),
  );
}

/** Values of one kind stacked along a new axis 0. */
function stacked(rows: readonly Value[]): Value {
  return concat(
    rows.map((v) => unsqueeze(v, { axis: 0 })),
    { axis: 0 },
  );
}

/** Whether the body of a loop passes its test on as it is. */
function keepsGoing(body: GraphMessage): boolean {
  const given = body.input?.[1]?.name;
  let name = body.output?.[0]?.name;
  const seen = new Set<string>();
  while (name !== undefined && name !== given && !seen.has(name)) {
    seen.add(name);
    const from = (body.node ?? []).find((node) => node.output?.includes(name!));
    name = from?.op_type === "Identity" ? from.input?.[0] : undefined;
  }
  return name !== undefined && name === given;
}

function loop(n: Application): readonly Value[] {
  const body = n.graph("body");
  const limit = n.has(0) && isKnownValue(n.get(0)) ? Math.min(knownNumber(n.get(0)), Number.MAX_SAFE_INTEGER) : null;
  if (n.has(0) && limit === null) n.known(0, "how often it runs");
  const first = n.has(1) ? reshape(n.get(1), { shape: [] }) : lift(1, "bool");
  const carried = n.operands.slice(2).map((_, i) => n.get(i + 2));
  const outs = (body.output ?? []).length - 1 - carried.length;
  const steady = keepsGoing(body);
  if (steady && isKnownValue(first)) {
    const rounds = knownNumber(first) === 0 ? 0 : (limit ?? n.refuse("it has no end: neither a number of rounds nor a test that changes"));
    if (rounds > unrolled) return counted(n, body, rounds, carried);
    return byHand(n, body, rounds, first, carried, outs);
  }
  if (isKnownValue(first) && carried.every(isKnownValue)) return byHand(n, body, limit ?? endless, first, carried, outs);
  if (outs > 0)
    n.refuse("how many rounds it makes depends on data, and with it the size of what it collects; apply the model to concrete data");
  return tested(n, body, limit ?? endless, first, carried);
}

/** Round by round, the test read after each. */
function byHand(
  n: Application,
  body: GraphMessage,
  limit: number,
  first: Value,
  carried: readonly Value[],
  outs: number,
): readonly Value[] {
  let going = first;
  let state = carried;
  const rows: Value[][] = Array.from({ length: outs }, () => []);
  for (let i = 0; i < limit && knownNumber(going) !== 0; i++) {
    const results = n.body(body, [lift(i, "i64"), going, ...state]);
    going = reshape(results[0]!, { shape: [] });
    if (!isKnownValue(going))
      n.refuse("its test depends on data that a graph under construction does not have; apply the model to concrete data");
    state = results.slice(1, 1 + carried.length);
    results.slice(1 + carried.length).forEach((v, k) => {
      rows[k]!.push(v);
    });
  }
  if (outs > 0 && rows[0]!.length === 0) n.refuse("it makes no round, and the shape of what it collects is not known");
  return [...state, ...rows.map(stacked)];
}

/** Many rounds of a known number: one loop in the graph. */
function counted(n: Application, body: GraphMessage, rounds: number, carried: readonly Value[]): readonly Value[] {
  const { carry, out } = scan(
    (state: readonly Value[], i: Value) => {
      const results = n.body(body, [i, lift(1, "bool"), ...state]);
      return { carry: results.slice(1, 1 + carried.length), out: results.slice(1 + carried.length) };
    },
    carried,
    range(rounds, { dtype: "i64" }),
  );
  return [...carry, ...(out as readonly Value[])];
}

interface Tested {
  readonly i: Value;
  readonly going: Value;
  readonly state: readonly Value[];
}

/** Rounds until the test fails, in the graph. */
function tested(n: Application, body: GraphMessage, limit: number, first: Value, carried: readonly Value[]): readonly Value[] {
  const { state } = whileLoop(
    ({ i, going }: Tested) => logicalAnd(going, less(i, lift(limit, "i64"))),
    ({ i, going, state }: Tested) => {
      const results = n.body(body, [i, going, ...state]);
      return { i: add(i, 1), going: reshape(results[0]!, { shape: [] }), state: results.slice(1) };
    },
    { i: lift(0, "i64"), going: first, state: carried } as Tested,
    { limit: limit + 1 },
  );
  return state as readonly Value[];
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
  const { carry, out } = scan(
    (state: readonly Value[], row: readonly Value[]) => {
      const results = n.body(body, [...state, ...row]);
      return { carry: results.slice(0, states.length), out: results.slice(states.length) };
    },
    states,
    rows,
  );
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
