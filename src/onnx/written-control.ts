import { bodyOf, type Region } from "../control/region.ts";
import { GraphError } from "../ir/errors.ts";
import { type Node, type Value, valuesOf } from "../ir/node.ts";
import type { Body } from "../ir/op.ts";
import type { TensorType } from "../ir/type.ts";
import type { Emitter } from "./emitter.ts";
import type { GraphMessage } from "./schema.ts";

/** Writes a body as a graph inside a node. */
type WriteBody = (
  e: Emitter,
  body: Body,
  given: ReadonlyMap<Value, string>,
  own: readonly Value[],
  more: (inner: Emitter) => readonly (readonly [string, TensorType])[],
) => GraphMessage;

/** Names of a body's first inputs: what it takes from around it. */
function bound(body: Body, names: readonly string[]): Map<Value, string> {
  return new Map(names.map((name, i) => [body.inputs[i]!, name]));
}

function nameIn(inner: Emitter, v: Value): readonly [string, TensorType] {
  return [inner.names.get(v)!, v.type];
}

/** The ops behind control flow; null for any other op. @throws GraphError for a scan over part of its rows */
export function writtenControl(e: Emitter, node: Node, write: WriteBody, emitAll: EmitAll): readonly string[] | null {
  const names = node.operands.map((v) => (v === null ? "" : e.names.get(v)!));
  switch (node.op.name) {
    case "call":
    case "checkpoint":
      return opened(e, bodyOf((node.attrs as { readonly graph: Region }).graph), names, emitAll);
    case "cond":
      return branched(e, node, names, write);
    case "scan":
      return scanned(e, node, names, write);
    case "whileLoop":
      return looped(e, node, names, write, emitAll);
    default:
      return null;
  }
}

/** Writes nodes into the graph that is being written, operands first. */
type EmitAll = (e: Emitter, roots: readonly Value[]) => void;

/** A graph that is called, in the place of the call: each of its nodes once. */
function opened(e: Emitter, body: Body, names: readonly string[], emitAll: EmitAll): readonly string[] {
  const inner = e.within(bound(body, names));
  emitAll(inner, body.outputs);
  return body.outputs.map((v) => inner.names.get(v)!);
}

function branched(e: Emitter, node: Node, names: readonly string[], write: WriteBody): readonly string[] {
  const { yes, no } = node.attrs as { readonly yes: Region; readonly no: Region };
  const graph = (region: Region): { readonly graph: GraphMessage } => {
    const body = bodyOf(region);
    return { graph: write(e, body, bound(body, names.slice(1)), [], (inner) => body.outputs.map((v) => nameIn(inner, v))) };
  };
  return e.several("If", [names[0]!], bodyOf(yes).outputs.length, { then_branch: graph(yes), else_branch: graph(no) });
}

interface ScanAttrs {
  readonly body: Region;
  readonly fixed: number;
  readonly carries: number;
  readonly rows: number;
  readonly reverse: boolean;
  readonly every: number;
}

/** Longer loops over a part of their rows are not written: each row is passed over one by one. */
const mostRows = 100_000;

/**
 * A Scan. The carries that are kept for the backward pass are one more result, of which the rows that are wanted are taken. Where a Value tells how many
 * rows count, all are walked over, and those past it leave the carries as they are and give zeros.
 */
function scanned(e: Emitter, node: Node, names: readonly string[], write: WriteBody): readonly string[] {
  const { body: region, fixed, carries, rows, reverse, every } = node.attrs as ScanAttrs;
  const length = names[0] === "" ? null : names[0]!;
  if (rows === 0) {
    const starts = names.slice(1 + fixed, 1 + fixed + carries);
    return valuesOf(node).map((v, i) => (i < carries ? e.op("Identity", [starts[i]!]) : e.empty(v.type)));
  }
  if (length !== null && rows > mostRows)
    throw new GraphError(
      `onnx: a loop of up to ${rows} rounds, of which data tells how many are made, cannot be written; up to ${mostRows} can: give whileLoop a smaller limit`,
      { op: "scan" },
    );
  const body = bodyOf(region);
  const xs = names.slice(1);
  const own = body.inputs.slice(fixed);
  const before = every > 0 ? body.inputs.slice(fixed, fixed + carries) : [];
  const walked = xs.length - fixed - carries;
  // The number of the row; a Scan needs something to walk over, too.
  const row = length !== null || walked === 0 ? e.fresh("row") : null;
  const graph = write(e, body, bound(body, xs.slice(0, fixed)), own, (inner) => {
    const counts = length === null ? null : inner.op("Less", [row!, inner.cast(length, "i64")]);
    const results = body.outputs.map((v, i) => {
      const made = nameIn(inner, v);
      if (counts === null) return made;
      const zero = inner.constant([0], v.type.dtype);
      const otherwise =
        i < carries
          ? inner.names.get(body.inputs[fixed + i]!)!
          : v.type.shape.length === 0
            ? zero
            : inner.op("Expand", [zero, inner.ints(v.type.shape)]);
      return [inner.op("Where", [counts, made[0], otherwise]), v.type] as const;
    });
    return [...results, ...before.map((v) => nameIn(inner, v))];
  });
  const outs = body.outputs.length - carries + before.length;
  const direction = reverse ? 1 : 0;
  const given = xs.slice(fixed);
  const numbers = Array.from({ length: rows }, (_, i) => i);
  if (row !== null) given.push(e.constant(numbers, "i64", [rows]));
  const scalar = { tensor_type: { elem_type: 7, shape: { dim: [] } } };
  const input = row === null ? (graph.input ?? []) : [...(graph.input ?? []), { name: row, type: scalar }];
  const count = walked + (row === null ? 0 : 1);
  const results = e.several("Scan", given, carries + outs, {
    body: { graph: { ...graph, input } },
    num_scan_inputs: count,
    scan_input_directions: new Array<number>(count).fill(direction),
    scan_output_directions: new Array<number>(outs).fill(direction),
  });
  const kept = results.slice(carries + outs - before.length);
  const places = Array.from({ length: every > 0 ? Math.ceil(rows / every) : 0 }, (_, k) =>
    reverse ? Math.min(rows, (k + 1) * every) - 1 : k * every,
  );
  return [...results.slice(0, carries + outs - before.length), ...kept.map((v) => e.op("Gather", [v, e.ints(places)], { axis: 0 }))];
}

/** A Loop whose test is taken before the first round and after each; the rounds are counted. */
function looped(e: Emitter, node: Node, names: readonly string[], write: WriteBody, emitAll: EmitAll): readonly string[] {
  const {
    test,
    body: region,
    fixed,
    limit,
  } = node.attrs as { readonly test: Region; readonly body: Region; readonly fixed: number; readonly limit: number };
  const [ask, run] = [bodyOf(test), bodyOf(region)];
  const outer = names.slice(0, fixed);
  const first = opened(e, ask, names, emitAll)[0]!;
  const scalar = (name: string, element: number) => ({ name, type: { tensor_type: { elem_type: element, shape: { dim: [] } } } });
  const count = { name: e.fresh("rounds") };
  const graph = write(e, run, bound(run, outer), run.inputs.slice(fixed), (inner) => {
    const next = run.outputs.map((v) => inner.names.get(v)!);
    const going = opened(inner, ask, [...outer, ...next], emitAll)[0]!;
    const rounds = inner.op("Add", [count.name, inner.constant([1], "i32")]);
    return [
      [going, ask.outputs[0]!.type],
      ...run.outputs.map((v) => nameIn(inner, v)),
      [rounds, { kind: "type", dtype: "i32", shape: [] }],
    ];
  });
  const input = [scalar(e.fresh("i"), 7), scalar(e.fresh("going"), 9), ...(graph.input ?? []), scalar(count.name, 6)];
  return e.several("Loop", [e.constant([limit], "i64"), first, ...names.slice(fixed), e.constant([0], "i32")], run.outputs.length + 1, {
    body: { graph: { ...graph, input } },
  });
}
