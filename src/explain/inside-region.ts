import { Rows } from "../control/rows.ts";
import { heldBy, settleAll } from "../evaluate/evaluate.ts";
import { isGraph } from "../ir/graph.ts";
import { variable } from "../ir/leaf.ts";
import type { Node, Value } from "../ir/node.ts";
import { dense, type Held } from "../ir/tensor.ts";
import { leaves } from "../ir/tree.ts";

/** A body of a gate that runs graphs, run again on what it was given: the values it made, and the round of a loop from 0. */
export interface Replayed {
  readonly results: readonly Value[];
  readonly round: number | null;
}

type Callable = (given: never) => unknown;

interface Attrs {
  readonly graph?: unknown;
  readonly yes?: unknown;
  readonly no?: unknown;
  readonly body?: unknown;
  readonly test?: unknown;
  readonly fixed?: number;
  readonly carries?: number;
  readonly reverse?: boolean;
}

/** Runs the bodies of a `call`, `cond`, `scan` or `whileLoop` again, round by round, until `done` says that it has seen enough. */
export function replay(node: Node, done: (r: Replayed) => boolean): void {
  const attrs = node.attrs as Attrs;
  const held = node.operands.map((v) => (v === null ? null : heldBy(v)));
  const once = (graph: unknown, given: readonly (Held | null)[]): void => {
    const results = run(graph, given);
    if (results !== null) done({ results, round: null });
  };
  const { name } = node.op;
  if (name === "call") once(attrs.graph, held);
  else if (name === "cond") once(truth(held[0]!) ? attrs.yes : attrs.no, held.slice(1));
  else if (name === "scan") scanned(node, attrs, held, done);
  else if (name === "whileLoop") looped(attrs, held, done);
}

function truth(held: Held): boolean {
  return (typeof held === "number" ? held : held.data[0]!) !== 0;
}

/** The results of a region on fresh leaves, so that paths inside of it begin at its own inputs; null where the operands are not its inputs. */
function run(graph: unknown, given: readonly (Held | null)[]): readonly Value[] | null {
  if (!isGraph(graph)) return null;
  const wanted = leaves(graph.inputs).map(({ leaf }) => leaf as Value);
  if (wanted.length !== given.length || given.includes(null)) return null;
  const leafOf = (v: Value, i: number): Value => variable(dense(given[i]!, v.type), v.node.label ?? `x${i}`);
  const results = leaves((graph as Callable)(wanted.map(leafOf) as never)).map(({ leaf }) => leaf as Value);
  settleAll(results);
  return results;
}

function scanned(
  node: Node,
  { body, fixed = 0, carries = 0, reverse = false }: Attrs,
  held: readonly (Held | null)[],
  done: (r: Replayed) => boolean,
): void {
  const operands = node.operands.slice(1);
  const given = held.slice(1);
  const walked = operands.slice(fixed + carries).map((v, j) => new Rows(v!.type, dense(given[fixed + carries + j]!, v!.type)));
  const length = held[0] ?? null;
  const rows = (node.attrs as { readonly rows: number }).rows;
  const n = length === null ? rows : typeof length === "number" ? length : length.data[0]!;
  for (let k = 0; k < n; k++) {
    const row = reverse ? n - 1 - k : k;
    walked.forEach((w, j) => {
      given[fixed + carries + j] = w.take(row);
    });
    const results = run(body, given);
    if (results === null || done({ results, round: k })) return;
    for (let j = 0; j < carries; j++) given[fixed + j] = heldBy(results[j]!);
  }
}

function looped({ body, test, fixed = 0 }: Attrs, held: readonly (Held | null)[], done: (r: Replayed) => boolean): void {
  const given = [...held];
  for (let k = 0; ; k++) {
    const more = run(test, given);
    if (more === null || !truth(heldBy(more[0]!))) return;
    const results = run(body, given);
    if (results === null || done({ results, round: k })) return;
    results.forEach((v, j) => {
      given[fixed + j] = heldBy(v);
    });
  }
}
