import { type Case, caseOf, caseOfFunction } from "../../src/check/case.ts";
import type { Draw } from "../../src/check/draws.ts";
import type { Tensor, Value } from "../../src/index.ts";
import { isTensor } from "../../src/ir/leaf.ts";
import type { AnyOp } from "../../src/ir/op.ts";
import * as linalg from "../../src/linalg/index.ts";
import * as elementary from "../../src/ops/index.ts";
import { compositeSamplers } from "./composite-samplers.ts";
import { contractSamplers } from "./contract-samplers.ts";
import { binarySampler, otherElementwise, unarySampler } from "./elementwise-samplers.ts";
import { linalgSamplers } from "./linalg-samplers.ts";
import { linearSamplers } from "./linear-samplers.ts";
import { reduceSamplers } from "./reduce-samplers.ts";
import type { Sampler } from "./sample.ts";

/** Exports that are no ops: declarers, makers of constants, and what no derivative passes through. */
export const noOps: ReadonlySet<string> = new Set(["unary", "binary", "zeros", "ones", "range", "stop"]);

const written: Readonly<Record<string, Sampler>> = {
  ...otherElementwise,
  ...linearSamplers,
  ...reduceSamplers,
  ...contractSamplers,
  ...compositeSamplers,
  ...linalgSamplers,
};

export function isOp(x: unknown): x is AnyOp {
  return typeof x === "function" && "infer" in x && "facts" in x;
}

/** Every op and composite by the name it is exported under. */
export const ops: ReadonlyMap<string, unknown> = new Map(
  Object.entries({ ...elementary, ...linalg }).filter(([name, x]) => typeof x === "function" && !noOps.has(name)),
);

/** Samplers that stand for no export. */
export const leftOver: readonly string[] = Object.keys(written).filter((name) => !ops.has(name));

/** The sampler of an export: written for it, or following from its declaration as an elementwise op. */
export function samplerOf(name: string): Sampler | undefined {
  const own = written[name];
  if (own !== undefined) return own;
  const op = ops.get(name);
  if (!isOp(op)) return undefined;
  return op.facts.family === "unary" ? unarySampler(op) : op.facts.family === "binary" ? binarySampler(op) : undefined;
}

/** Draws a case of an op or composite. */
export function drawCase(name: string, d: Draw): Case {
  const sampler = samplerOf(name);
  if (sampler === undefined) throw new Error(`no sampler for ${name}`);
  const { args, room, f } = sampler(d);
  const op = ops.get(name);
  if (isOp(op) && f === undefined) return caseOf(op, args, room);
  const operands: Tensor[] = [];
  const collect = (x: unknown): void => {
    if (isTensor(x)) operands.push(x);
    else if (Array.isArray(x)) x.forEach(collect);
  };
  args.forEach(collect);
  const call = (f ?? op) as (...given: unknown[]) => unknown;
  const apply = (...values: Value[]): unknown => {
    let i = 0;
    const put = (x: unknown): unknown => (isTensor(x) ? values[i++] : Array.isArray(x) ? x.map(put) : x);
    return call(...args.map(put));
  };
  return caseOfFunction(name, apply, operands, room);
}
