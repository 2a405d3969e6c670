import { bodyOf, type Region } from "../control/region.ts";
import { GraphError } from "../ir/errors.ts";
import type { Node, Value } from "../ir/node.ts";
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
export function writtenControl(e: Emitter, node: Node, write: WriteBody): readonly string[] | null {
  const names = node.operands.map((v) => (v === null ? "" : e.names.get(v)!));
  switch (node.op.name) {
    case "call":
    case "checkpoint":
      return inlined(e, node, names, write);
    case "cond":
      return branched(e, node, names, write);
    case "scan":
      return scanned(e, node, names, write);
    case "whileLoop":
      return looped(e, node, names, write);
    default:
      return null;
  }
}

/** A graph that is called stands as an If whose test holds: its nodes keep their place, and nothing is computed twice. */
function inlined(e: Emitter, node: Node, names: readonly string[], write: WriteBody): readonly string[] {
  const body = bodyOf((node.attrs as { readonly graph: Region }).graph);
  const graph = (): GraphMessage => write(e, body, bound(body, names), [], (inner) => body.outputs.map((v) => nameIn(inner, v)));
  return e.several("If", [e.constant([1], "bool")], body.outputs.length, {
    then_branch: { graph: graph() },
    else_branch: { graph: graph() },
  });
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

/** A Scan. The carries that are kept for the backward pass are one more result, of which the rows that are wanted are taken. */
function scanned(e: Emitter, node: Node, names: readonly string[], write: WriteBody): readonly string[] {
  const { body: region, fixed, carries, rows, reverse, every } = node.attrs as ScanAttrs;
  if (names[0] !== "")
    throw new GraphError(
      "onnx: a scan over a part of its rows that a Value tells cannot be written; scan over all of them, or give the length as a number",
      { op: "scan" },
    );
  if (rows === 0) throw new GraphError("onnx: a scan over no rows cannot be written; leave it out", { op: "scan" });
  const body = bodyOf(region);
  const xs = names.slice(1);
  const own = body.inputs.slice(fixed);
  const before = every > 0 ? body.inputs.slice(fixed, fixed + carries) : [];
  const graph = write(e, body, bound(body, xs.slice(0, fixed)), own, (inner) => [
    ...body.outputs.map((v) => nameIn(inner, v)),
    ...before.map((v) => nameIn(inner, v)),
  ]);
  const walked = xs.length - fixed - carries;
  const outs = body.outputs.length - carries + before.length;
  const direction = reverse ? 1 : 0;
  const given = xs.slice(fixed);
  // A Scan needs something to walk over.
  const needsRows = walked === 0;
  if (needsRows)
    given.push(
      e.constant(
        Array.from({ length: rows }, (_, i) => i),
        "i64",
        [rows],
      ),
    );
  const input = needsRows
    ? [...(graph.input ?? []), { name: e.fresh("row"), type: { tensor_type: { elem_type: 7, shape: { dim: [] } } } }]
    : graph.input;
  const count = needsRows ? 1 : walked;
  const results = e.several("Scan", given, carries + outs, {
    body: { graph: { ...graph, ...(input && { input }) } },
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
function looped(e: Emitter, node: Node, names: readonly string[], write: WriteBody): readonly string[] {
  const {
    test,
    body: region,
    fixed,
    limit,
  } = node.attrs as { readonly test: Region; readonly body: Region; readonly fixed: number; readonly limit: number };
  const [ask, run] = [bodyOf(test), bodyOf(region)];
  const outer = names.slice(0, fixed);
  const first = e.several("If", [e.constant([1], "bool")], 1, {
    then_branch: { graph: write(e, ask, bound(ask, names), [], (inner) => [nameIn(inner, ask.outputs[0]!)]) },
    else_branch: { graph: write(e, ask, bound(ask, names), [], (inner) => [nameIn(inner, ask.outputs[0]!)]) },
  })[0]!;
  const scalar = (name: string, element: number) => ({ name, type: { tensor_type: { elem_type: element, shape: { dim: [] } } } });
  const count = { name: e.fresh("rounds") };
  const graph = write(e, run, bound(run, outer), run.inputs.slice(fixed), (inner) => {
    const next = run.outputs.map((v) => inner.names.get(v)!);
    const branch = (): { readonly graph: GraphMessage } => ({
      graph: write(inner, ask, bound(ask, [...outer, ...next]), [], (deep) => [nameIn(deep, ask.outputs[0]!)]),
    });
    const going = inner.several("If", [inner.constant([1], "bool")], 1, { then_branch: branch(), else_branch: branch() })[0]!;
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
