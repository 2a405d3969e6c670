import { pullback, zerosLike } from "../../autodiff/pullback.ts";
import { evaluate, settleAll } from "../../evaluate/evaluate.ts";
import { isFloat } from "../../ir/dtype.ts";
import { GradientError } from "../../ir/errors.ts";
import { type Graph, graphOf, substitute } from "../../ir/graph.ts";
import { input, isValue, lift, variableOp } from "../../ir/leaf.ts";
import { type Node, type Value, valuesOf } from "../../ir/node.ts";
import { hold, type Tensor } from "../../ir/tensor.ts";
import { typeText } from "../../ir/type.ts";
import { collect } from "../../ir/walk.ts";
import { isFixed, nameOfResult, nameValues } from "../names.ts";

/** The numbers of one run: values and gradients by the names of explanations (the user's, else q1, q2, ... in order of computation). */
export interface GradientDump {
  readonly values: Readonly<Record<string, Tensor>>;
  readonly gradients: Readonly<Record<string, Tensor>>;
}

/** Runs a graph: the readable engine, or any other. */
export type RunGraph = (
  graph: Graph<Record<string, Value>, Record<string, Value>>,
  inputs: Readonly<Record<string, Tensor>>,
) => Readonly<Record<string, unknown>> | Promise<Readonly<Record<string, unknown>>>;

/** A value that a dump has, with its gradient as a value. */
export interface Traced {
  readonly name: string;
  readonly v: Value;
  readonly gradient: Value | null;
}

/** Every floating-point value behind a scalar with its name and, where it depends on a variable, its gradient; in order of computation. */
export function tracedOf(
  f: Value,
  who: string,
): { readonly all: readonly Traced[]; readonly order: readonly Node[]; readonly names: ReadonlyMap<Node, string> } {
  if (!isValue(f) || f.type.shape.length !== 0 || !isFloat(f.type.dtype))
    throw new GradientError(
      `${who}: ${isValue(f) ? `the loss is ${typeText(f.type)}` : "give the loss"}; a backward pass starts at a floating-point scalar`,
    );
  settleAll([f]);
  const order = collect([f]);
  const names = nameValues(order, f);
  const depends = new Set<Node>();
  for (const node of order) if (node.op === variableOp || node.operands.some((v) => v !== null && depends.has(v.node))) depends.add(node);
  const asked = order.filter((n) => depends.has(n)).flatMap((n) => valuesOf(n).filter((v) => isFloat(v.type.dtype)));
  const found = pullback([f], [lift(1, f.type.dtype)], asked);
  const gradients = new Map(asked.map((v, i) => [v, found[i] ?? zerosLike(v)]));
  const all = order.flatMap((node) =>
    isFixed(node)
      ? []
      : valuesOf(node).flatMap((v) =>
          isFloat(v.type.dtype) ? [{ name: nameOfResult(names, v), v, gradient: gradients.get(v) ?? null }] : [],
        ),
  );
  return { all, order, names };
}

/** The numbers of a run on the readable engine. @throws GradientError when `f` is no floating-point scalar */
export function dumpOf(f: Value): GradientDump {
  const { all } = tracedOf(f, "dumpOf");
  const values = Object.fromEntries(all.map(({ name, v }) => [name, evaluate(v) as Tensor]));
  const gradients = Object.fromEntries(
    all.flatMap(({ name, gradient }) => (gradient === null ? [] : [[name, evaluate(gradient) as Tensor]])),
  );
  return { values, gradients };
}

/**
 * The numbers of the same computation run elsewhere: `dumpBy(async (g, x) => (await compile(g, wasm())).run(x), loss)`. The graph has the
 * variables for inputs and everything else for outputs.
 * @throws GradientError when `f` is no floating-point scalar; what `run` throws
 */
export async function dumpBy(run: RunGraph, f: Value): Promise<GradientDump> {
  const { all, order, names } = tracedOf(f, "dumpBy");
  const leaves = order.filter((n) => n.op === variableOp);
  const inputs = Object.fromEntries(leaves.map((n) => [names.get(n)!, input(n.type, names.get(n)!)]));
  const replaced = new Map<Value, Value>(leaves.map((n) => [n, inputs[names.get(n)!]!]));
  const wanted = all.flatMap(({ name, v, gradient }, i) => [
    { key: `v${i}`, name, kind: "values" as const, v },
    ...(gradient === null ? [] : [{ key: `g${i}`, name, kind: "gradients" as const, v: gradient }]),
  ]);
  const moved = substitute(
    wanted.map(({ v }) => v),
    replaced,
  );
  const outputs = Object.fromEntries(wanted.map(({ key }, i) => [key, moved[i]!]));
  const made = await run(
    graphOf(inputs as never, outputs) as never,
    Object.fromEntries(leaves.map((n) => [names.get(n)!, evaluate(n) as Tensor])),
  );
  const dump = { values: {} as Record<string, Tensor>, gradients: {} as Record<string, Tensor> };
  wanted.forEach(({ key, name, kind, v }) => {
    const t = made[key] as Tensor | number;
    dump[kind][name] = typeof t === "number" ? hold(v.type, Float64Array.of(t)) : t;
  });
  return dump;
}

/** Tensors of a file as a dump: `w.grad` is the gradient of `w`, every other name a value. */
export function dumpFromTensors(tensors: Readonly<Record<string, Tensor>>): GradientDump {
  const values: Record<string, Tensor> = {};
  const gradients: Record<string, Tensor> = {};
  for (const [name, t] of Object.entries(tensors)) {
    if (name.endsWith(".grad")) gradients[name.slice(0, -5)] = t;
    else values[name] = t;
  }
  return { values, gradients };
}

/** A dump as the tensors of a file. */
export function dumpToTensors({ values, gradients }: GradientDump): Record<string, Tensor> {
  return { ...values, ...Object.fromEntries(Object.entries(gradients).map(([name, t]) => [`${name}.grad`, t])) };
}
