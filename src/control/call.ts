import { GraphError } from "../ir/errors.ts";
import { type Graph, graphOf, isGraph, nodesOf, substitute } from "../ir/graph.ts";
import { constantOp, input, isType, lift, liftTo, nameOf } from "../ir/leaf.ts";
import type { Value } from "../ir/node.ts";
import type { Body, Operand } from "../ir/op.ts";
import { dense } from "../ir/tensor.ts";
import { leaves, match, type Operands, rebuild } from "../ir/tree.ts";
import { sameType, typeText } from "../ir/type.ts";
import { declare, type Op } from "../ops/define.ts";
import { expand } from "../ops/linear/sum.ts";

/** A graph over lists, as `call` nodes hold it. */
export type Region = Graph<readonly Value[], readonly Value[]>;

interface CallAttrs {
  readonly graph: Region;
}

const bodies = new WeakMap<object, Body>();

/** A region as walks see it: one body object per graph, so that what is derived of it is kept. */
function bodyOf(graph: Region): Body {
  let body = bodies.get(graph);
  if (body === undefined) {
    body = {
      inputs: leaves(graph.inputs).map(({ leaf }) => leaf as Value),
      outputs: leaves(graph.outputs).map(({ leaf }) => leaf as Value),
    };
    bodies.set(graph, body);
  }
  return body;
}

const regionsOfBodies = new WeakMap<Body, Region>();

function regionOf(body: Body): Region {
  let region = regionsOfBodies.get(body);
  if (region === undefined) {
    region = graphOf(body.inputs as never, body.outputs) as unknown as Region;
    regionsOfBodies.set(body, region);
    bodies.set(region, body);
  }
  return region;
}

/** The op behind `call`: a graph applied as one node. */
export const callOp: Op<(xs: readonly Operand[], attrs: CallAttrs) => readonly Value[]> = declare<
  (xs: readonly Operand[], attrs: CallAttrs) => readonly Value[],
  readonly ["xs..."]
>("call", ["xs..."], {
  family: "control",
  results: "list",
  dtypes: { xs: "f64" },
  type: ({ xs, graph }) => {
    if (!isGraph(graph)) throw new GraphError("call: its attribute graph is no graph");
    const { inputs, outputs } = bodyOf(graph);
    if (xs.length !== inputs.length)
      throw new GraphError(`call: the graph has ${inputs.length} inputs and ${xs.length} operands were given`);
    inputs.forEach((v, i) => {
      if (!sameType(v.type, xs[i]!))
        throw new GraphError(`call: input ${nameOf(v)} is ${typeText(v.type)} and operand ${i} is ${typeText(xs[i]!)}`);
    });
    return outputs.map((v) => v.type);
  },
  eval: ({ xs, graph }, _out, runBody) => {
    const body = bodyOf(graph);
    const held = runBody(
      body,
      xs.map((x) => (x.type.shape.length === 0 ? x.data[0]! : x)),
    );
    return body.outputs.map((v, i) => dense(held[i]!, v.type).data);
  },
  batch: ({ xs, graph, mapped, examples, regions }) => {
    const body = bodyOf(graph);
    const many = regions.batch(
      body,
      mapped.xs,
      examples,
      body.outputs.map(() => true),
    );
    return callOp(xs, { graph: regionOf(many.body) });
  },
  formula: { xs: "dXs = call(backward of the graph)" },
  vjp: ({ xs, ct, graph, regions }) => {
    const body = bodyOf(graph);
    const back = regions.vjp(body);
    const cts = back.outputs.map((i) => ct[i] ?? zeroLike(body.outputs[i]!));
    let made: readonly Value[] | null = null;
    const entries = new Array<(() => Operand | null) | null>(xs.length).fill(null);
    back.inputs.forEach((i, k) => {
      entries[i] = () => (made ??= callOp([...xs, ...cts], { graph: regionOf(back.body) }))[k]!;
    });
    return { xs: entries };
  },
});

function zeroLike(v: Value): Value {
  const zero = lift(0, v.type.dtype);
  return v.type.shape.length === 0 ? zero : expand(zero, { shape: v.type.shape });
}

interface Closed {
  readonly region: Region;
  /** Values of the surroundings that the graph uses, as extra operands. */
  readonly captured: readonly Value[];
}

const closures = new WeakMap<object, Closed>();

/** The graph with what it uses of its surroundings turned into inputs. */
function close(graph: Graph<unknown, unknown>): Closed {
  const known = closures.get(graph);
  if (known !== undefined) return known;
  const own = leaves(graph.inputs).map(({ leaf }) => leaf as Value);
  const outputs = leaves(graph.outputs).map(({ leaf }) => leaf as Value);
  const inside = new Set(own.map((v) => v.node));
  const captured = new Map<Value, Value>();
  const capture = (v: Value | null): void => {
    if (v !== null && !inside.has(v.node) && v.node.op !== constantOp && !captured.has(v)) captured.set(v, input(v.type, nameOf(v)));
  };
  for (const node of nodesOf(graph)) if (node.operands.some((v) => v !== null && inside.has(v.node))) inside.add(node);
  for (const node of inside) node.operands.forEach(capture);
  outputs.forEach(capture);
  const region = graphOf([...own, ...captured.values()] as never, substitute(outputs, captured)) as unknown as Region;
  const made = { region, captured: [...captured.keys()] };
  closures.set(graph, made);
  return made;
}

/**
 * `call(g, inputs)`: the graph as one node: shared between its uses, differentiated once, drawn collapsed. What the graph uses of its
 * surroundings becomes extra operands, so derivatives reach it too.
 * @throws GraphError when the inputs' tree is not the graph's; ShapeError or DTypeError for their types
 */
export function call<I, O>(graph: Graph<I, O>, inputs: Operands<I>): O {
  const { region, captured } = close(graph as unknown as Graph<unknown, unknown>);
  const given = match(inputs, graph.inputs, "call").map(({ path, given: x, wanted }) => {
    if (isType(x)) throw new GraphError(`call: ${path} is a type`);
    return liftTo(x, (wanted as Value).type, path === "" ? "the input" : path);
  });
  const results = callOp([...given, ...captured], { graph: region });
  let i = 0;
  return rebuild(graph.outputs, () => results[i++]!) as O;
}
