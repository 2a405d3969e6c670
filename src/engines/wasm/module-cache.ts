import { heldBy } from "../../evaluate/evaluate.ts";
import type { NumberArray } from "../../ir/dtype.ts";
import { alone } from "../../ir/graph.ts";
import { memoOf, Node, type Value, valuesOf } from "../../ir/node.ts";
import { dense } from "../../ir/tensor.ts";
import { lowered, rewrites } from "./lower.ts";
import { type Compiled, compileModule, type Host } from "./module.ts";
import { type Plan, plan, type Step } from "./plan.ts";
import { type Structure, StructureCache, Structures } from "./structure.ts";
import type { Buffer } from "./view.ts";

/** A constant in a program's memory: the value at a place of the graph's order, or, where that is negative, elements of the structure's own. */
interface Fixed {
  readonly buffer: Buffer;
  readonly place: number;
  readonly index: number;
  readonly data: NumberArray | null;
}

/** All that programs of one structure share; nothing in it holds on to the graph that it was made of. */
export interface Blueprint {
  readonly compiled: Compiled;
  readonly inputs: readonly Buffer[];
  readonly outputs: readonly Buffer[];
  readonly fixed: readonly Fixed[];
  /** Made when it is first wanted. */
  module: WebAssembly.Module | null;
}

/** A blueprint, and the constants of one graph of its structure, in the order of `fixed`. */
export interface Found {
  readonly blueprint: Blueprint;
  readonly constants: readonly NumberArray[];
}

const dataOf = (v: Value): NumberArray => dense(memoOf(v) ?? heldBy(v), v.type).data;

/** The modules of an engine, by the structure of their graphs: a second graph that is made alike is not compiled again. */
export class ModuleCache {
  readonly #structures = new Structures();
  readonly #blueprints = new StructureCache<Blueprint>();
  readonly #host: Host;

  constructor(host: Host) {
    this.#host = host;
  }

  find(inputs: readonly Value[], outputs: readonly Value[]): Found {
    const structure = this.#structures.of(inputs, outputs);
    let blueprint = this.#blueprints.get(structure);
    if (blueprint === undefined) {
      blueprint = drawn(inputs, outputs, structure, this.#host);
      this.#blueprints.set(structure, blueprint);
    }
    const constants = blueprint.fixed.map(({ place, index, data }) => data ?? dataOf(valuesOf(structure.order[place]!)[index]!));
    return { blueprint, constants };
  }

  /** The same on one thread with each step exported by its number, made for this call, and the steps. */
  apart(inputs: readonly Value[], outputs: readonly Value[]): { readonly found: Found; readonly steps: readonly Step[] } {
    const low = lowered(inputs, outputs);
    const laid = plan(low.inputs, low.outputs);
    const blueprint = blueprintOf(laid, [], { ...this.#host, threads: 1 }, true);
    return { found: { blueprint, constants: blueprint.fixed.map(({ data }) => data!) }, steps: laid.steps };
  }
}

function drawn(inputs: readonly Value[], outputs: readonly Value[], structure: Structure, host: Host): Blueprint {
  // Where no op becomes others, as in large graphs of numbers, the structure knows the nodes and which are equal.
  const { order, equals } = structure;
  const simple = equals !== null && !order.some(rewrites);
  const low = simple ? { inputs, outputs } : lowered(inputs, outputs);
  return blueprintOf(plan(low.inputs, low.outputs, simple ? { order, equals } : undefined), order, host, false);
}

function blueprintOf(laid: Plan, order: readonly Node[], host: Host, apart: boolean): Blueprint {
  const compiled = compileModule(laid, host, apart);
  const places = new Map<Node, number>();
  const kept = laid.buffers.filter((b) => b.place === "fixed");
  // Few nodes are constants: only those are looked for.
  for (const { source } of kept) if (source !== null) places.set(source.node, -1);
  if (places.size > 0) for (let i = 0; i < order.length; i++) if (places.has(order[i]!)) places.set(order[i]!, i);
  const fixed = kept.map((buffer): Fixed => {
    const { source, data } = buffer;
    const place = source === null ? -1 : (places.get(source.node) ?? -1);
    return { buffer, place, index: source?.index ?? 0, data: place < 0 ? data : null };
  });
  for (const list of [laid.buffers, laid.aliases])
    for (const b of list) {
      b.source = null;
      b.data = null;
    }
  const hosted = compiled.hosted.map((h) => {
    const { node } = h;
    // What only refuses is no node of a graph.
    return { ...h, node: node instanceof Node ? alone(node) : ({ ...(node as Node), operands: [] } as unknown as Node) };
  });
  return { compiled: { ...compiled, hosted }, inputs: laid.inputs, outputs: laid.outputs, fixed, module: null };
}
