import { GraphError } from "../ir/errors.ts";
import { input, lift, nameOf } from "../ir/leaf.ts";
import { type Node, nextSerial, type Value, valuesOf } from "../ir/node.ts";
import type { BatchRegions, BatchRule, Body, BodyBatch } from "../ir/op.ts";
import { newerThan } from "../ir/scope.ts";
import { sameShape } from "../ir/shape.ts";
import { type TensorType, tensorType, typeText } from "../ir/type.ts";
import { collect } from "../ir/walk.ts";
import { applyTo } from "../ops/define.ts";
import { aligned } from "../ops/linear/aligned.ts";
import { stack } from "../ops/linear/concat.ts";
import { everyExample } from "../ops/linear/every-example.ts";
import { reshape } from "../ops/linear/reshape.ts";
import { slice } from "../ops/linear/slice.ts";
import { expand } from "../ops/linear/sum.ts";

/** The type of many examples of a type: they are on axis 0. */
export function manyOf(type: TensorType, examples: number): TensorType {
  return tensorType(type.dtype, [examples, ...type.shape]);
}

/**
 * The third walk beside `pullback` and `pushforward`: runs the graph between `wrt` and `roots` over many examples at once, node by node, by the
 * batching rules of the ops. `many` stands for `wrt`, with the examples on axis 0. Returns each root with the examples on axis 0, null where it
 * does not depend on `wrt`. Nodes that do not depend on `wrt` are shared, not copied.
 */
export function batch(roots: readonly Value[], wrt: readonly Value[], many: readonly Value[], examples: number): (Value | null)[] {
  let floor = Number.POSITIVE_INFINITY;
  for (const w of wrt) floor = Math.min(floor, w.node.serial);
  const order = collect(roots, floor);
  // Places are read at once, because rules that run later may walk the graph themselves.
  const mark = order.length > 0 ? order[0]!.mark : -1;
  const at = (n: Node): number => (n.serial >= floor && n.mark === mark ? n.place : -1);
  const given = new Map<number, (Value | null)[]>();
  wrt.forEach((w, i) => {
    const p = at(w.node);
    if (p < 0) return;
    const list = given.get(p) ?? valuesOf(w.node).map(() => null);
    list[w.index] = many[i]!;
    given.set(p, list);
  });
  const rootPlaces = roots.map((r) => at(r.node));
  const first = new Int32Array(order.length + 1);
  order.forEach((node, i) => {
    first[i + 1] = first[i]! + node.operands.length;
  });
  const edges = new Int32Array(first[order.length]!);
  const origins = new Int32Array(order.length);
  order.forEach((node, i) => {
    node.operands.forEach((v, j) => {
      edges[first[i]! + j] = v === null ? -1 : at(v.node);
    });
    origins[i] = node.origin === null ? -1 : at(node.origin);
  });
  const carried = new Array<readonly (Value | null)[] | null>(order.length).fill(null);
  const of = (place: number, v: Value): Value | null => (place < 0 ? null : (carried[place]?.[v.index] ?? null));
  for (let i = 0; i < order.length; i++) {
    const own = given.get(i);
    if (own !== undefined) {
      carried[i] = own;
      continue;
    }
    const node = order[i]!;
    const arriving = node.operands.map((v, j) => (v === null ? null : of(edges[first[i]! + j]!, v)));
    if (arriving.every((v) => v === null)) continue;
    const since = nextSerial();
    const made = batchNode(node, arriving, examples);
    carried[i] = made;
    const origin = carried[origins[i]!]?.find((v) => v !== null)?.node ?? node.origin;
    describe(made, since, node, origin);
  }
  return roots.map((r, i) => of(rootPlaces[i]!, r));
}

/** The results of one node over many examples; `arriving` are its mapped operands, null where one is the same for every example. */
function batchNode(node: Node, arriving: readonly (Value | null)[], examples: number): readonly Value[] {
  const { op } = node;
  if (examples === 0) return valuesOf(node).map((v) => expand(lift(0, v.type.dtype), { shape: [0, ...v.type.shape] }));
  if (op.batch === "elementwise") {
    const rank = node.type.shape.length;
    return [
      applyTo(
        op,
        mapWith(node, arriving, (v, own) => (own === null ? v : aligned(own, rank))),
        node.attrs,
      ) as Value,
    ];
  }
  if (op.batch !== null) return byRule(op.batch, node, arriving, examples);
  if (op.facts.lower !== null) return [byLower(op.facts.lower(node), node, arriving, examples)];
  return unrolled(node, arriving, examples);
}

function mapWith(node: Node, arriving: readonly (Value | null)[], f: (v: Value, mapped: Value | null) => Value): readonly (Value | null)[] {
  return node.operands.map((v, i) => (v === null ? null : f(v, arriving[i] ?? null)));
}

function byRule(rule: BatchRule, node: Node, arriving: readonly (Value | null)[], examples: number): readonly Value[] {
  const operands = mapWith(node, arriving, (v, own) => own ?? v);
  const mapped = arriving.map((v) => v !== null);
  const made = rule(node, operands, mapped, examples, batchRegions);
  valuesOf(node).forEach((v, i) => {
    const wanted = [examples, ...v.type.shape];
    const got = made[i];
    if (got === undefined || got.type.dtype !== v.type.dtype || !sameShape(got.type.shape, wanted))
      throw new GraphError(
        `${node.op.name}: its batching rule gives ${got === undefined ? "nothing" : typeText(got.type)} for ${examples} examples of ${typeText(v.type)}; wanted is ${typeText(manyOf(v.type, examples))}, the examples on axis 0`,
        { op: node.op.name },
      );
  });
  return made;
}

/** An op without a rule by its decomposition into ops that have one. */
function byLower(lowered: Value, node: Node, arriving: readonly (Value | null)[], examples: number): Value {
  const wrt: Value[] = [];
  const many: Value[] = [];
  node.operands.forEach((v, i) => {
    const own = arriving[i] ?? null;
    if (v === null || own === null || wrt.includes(v)) return;
    wrt.push(v);
    many.push(own);
  });
  return batch([lowered], wrt, many, examples)[0] ?? everyExample(lowered, false, examples);
}

/** An op that says nothing of batches is applied once per example. */
function unrolled(node: Node, arriving: readonly (Value | null)[], examples: number): readonly Value[] {
  const runs = Array.from({ length: examples }, (_, k) => {
    const operands = mapWith(node, arriving, (v, own) =>
      own === null ? v : reshape(slice(own, { start: k, end: k + 1 }), { shape: v.type.shape }),
    );
    const made = applyTo(node.op, operands, node.attrs);
    return node.outputs === null ? [made as Value] : valuesOf((Object.values(made as object)[0] as Value).node);
  });
  return valuesOf(node).map((_, i) => stack(runs.map((run) => run[i]!)));
}

/** Writes on what a rule made what the node says: its name, where it was written, what it is the derivative of. */
function describe(made: readonly Value[], since: number, node: Node, origin: Node | null): void {
  const { label, where, role } = node;
  if (label !== null && made[0] !== undefined && made[0].node.serial >= since) made[0].node.label ??= label;
  if (where === null && origin === null) return;
  for (const n of newerThan(made, since)) {
    n.where ??= where;
    if (origin === null || n.origin !== null) continue;
    n.origin = origin;
    n.role = role;
  }
}

const batches = new WeakMap<Body, Map<string, BodyBatch>>();

/** The batched forms of graph-valued attributes: each body is batched once per number of examples and choice of inputs. */
export const batchRegions: BatchRegions = { batch: bodyBatch };

function bodyBatch(body: Body, mapped: readonly boolean[], examples: number, every: readonly boolean[] = []): BodyBatch {
  const flags = (list: readonly boolean[]): string => list.map((m) => (m ? "1" : "0")).join("");
  const key = `${examples} ${flags(mapped)} ${flags(every)}`;
  let known = batches.get(body);
  if (known === undefined) batches.set(body, (known = new Map()));
  const found = known.get(key);
  if (found !== undefined) return found;
  const inputs = body.inputs.map((v, i) => (mapped[i] ? input(manyOf(v.type, examples), nameOf(v)) : v));
  const chosen = body.inputs.flatMap((_, i) => (mapped[i] ? [i] : []));
  const run = batch(
    body.outputs,
    chosen.map((i) => body.inputs[i]!),
    chosen.map((i) => inputs[i]!),
    examples,
  );
  const outputs = run.map((v, i) => v ?? (every[i] ? everyExample(body.outputs[i]!, false, examples) : body.outputs[i]!));
  const made: BodyBatch = { body: { inputs, outputs }, outputs: run.map((v, i) => v !== null || every[i] === true) };
  known.set(key, made);
  return made;
}
