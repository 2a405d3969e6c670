import { callOp, checkpointOp } from "../control/call.ts";
import { condOp } from "../control/cond.ts";
import { ensureOp } from "../control/ensure.ts";
import { scanOp } from "../control/scan-op.ts";
import { whileOp } from "../control/while-loop.ts";
import type { AnyOp } from "../ir/op.ts";
import { type ParseOptions, parseGraph, type TextGraph } from "../ir/text/parse-graph.ts";
import * as linalg from "../linalg/index.ts";
import * as ops from "../ops/index.ts";

/** Ops of your own that the text uses, and the tensors beside it. */
export interface GraphTextOptions extends ParseOptions {
  readonly ops?: readonly AnyOp[];
}

function isOp(x: unknown): x is AnyOp {
  return typeof x === "function" && Array.isArray((x as { slots?: unknown }).slots);
}

/** Every op of the library by name. */
export function opsByName(): Map<string, AnyOp> {
  const found = new Map<string, AnyOp>();
  for (const x of [
    ...Object.values({ ...ops, ...linalg } as Record<string, unknown>),
    callOp,
    checkpointOp,
    scanOp,
    condOp,
    whileOp,
    ensureOp,
  ])
    if (isOp(x)) found.set(x.name, x);
  return found;
}

/**
 * Reads a graph from the text that `print` writes: the two are exact inverses.
 * @throws ParseError with line and column
 */
export function parse(text: string, { ops: own = [], ...options }: GraphTextOptions = {}): TextGraph {
  const known = opsByName();
  for (const op of own) known.set(op.name, op);
  return parseGraph(text, (name) => known.get(name), options);
}
