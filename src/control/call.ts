import { isFloat } from "../ir/dtype.ts";
import { GraphError } from "../ir/errors.ts";
import { type Graph, isGraph } from "../ir/graph.ts";
import { isType, liftTo, nameOf } from "../ir/leaf.ts";
import type { Value } from "../ir/node.ts";
import type { Operand } from "../ir/op.ts";
import { dense } from "../ir/tensor.ts";
import { leaves, match, type Operands, rebuild } from "../ir/tree.ts";
import { sameType, typeText } from "../ir/type.ts";
import { declare, type Op } from "../ops/define.ts";
import { bodyOf, type Closed, close, type Region, regionOf } from "./region.ts";

interface CallAttrs {
  readonly graph: Region;
}

type CallFn = (xs: readonly Operand[], attrs: CallAttrs) => readonly Value[];

/** An op that applies a graph to operands, and in its derivatives the graph's derivatives. */
/* @__NO_SIDE_EFFECTS__ */
function application(name: string): Op<CallFn> {
  const self: Op<CallFn> = declare<CallFn, readonly ["xs..."]>(name, ["xs..."], {
    family: "control",
    results: "list",
    dtypes: { xs: "f64" },
    type: ({ xs, graph }) => {
      if (!isGraph(graph)) throw new GraphError(`${name}: its attribute graph is no graph`);
      const { inputs, outputs } = bodyOf(graph);
      if (xs.length !== inputs.length)
        throw new GraphError(`${name}: the graph has ${inputs.length} inputs and ${xs.length} operands were given`);
      inputs.forEach((v, i) => {
        if (!sameType(v.type, xs[i]!))
          throw new GraphError(`${name}: input ${nameOf(v)} is ${typeText(v.type)} and operand ${i} is ${typeText(xs[i]!)}`);
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
      return self(xs, { graph: regionOf(many.body) });
    },
    formula: { xs: `dXs = ${name}(backward of the graph)` },
    jvp: ({ xs, d, graph, regions }) => {
      const body = bodyOf(graph);
      const moving = d.xs.flatMap((t, i) => (t === null ? [] : [i]));
      const pushed = regions.jvp(body, moving);
      const made = self([...xs, ...moving.map((i) => d.xs[i]!)], { graph: regionOf(pushed.body) });
      return body.outputs.map((_, o) => made[pushed.outputs.indexOf(o)] ?? null);
    },
    vjp: ({ xs, ct, graph, regions, wanted }) => {
      const asked = xs.flatMap((v, i) => (isFloat(v.type.dtype) && wanted(i) ? [i] : []));
      const arriving = ct.flatMap((c, i) => (c === null ? [] : [i]));
      const back = regions.vjp(bodyOf(graph), asked, arriving);
      const made = self([...xs, ...arriving.map((i) => ct[i]!)], { graph: regionOf(back.body) });
      return { xs: xs.map((_, i) => made[asked.indexOf(i)] ?? null) };
    },
  });
  return self;
}

/** The op behind `call`: a graph applied as one node. */
export const callOp: Op<CallFn> = /* @__PURE__ */ application("call");

/**
 * The op behind `checkpoint`: what is computed inside is not kept for the backward pass, which computes it again. So engines and passes may not
 * merge what two such nodes have in common, as they may for `call`.
 */
export const checkpointOp: Op<CallFn> = /* @__PURE__ */ application("checkpoint");

const closures = new WeakMap<object, Closed>();

/** The graph with what it uses of its surroundings turned into inputs, made once. */
function closedGraph(graph: Graph<unknown, unknown>): Closed {
  let made = closures.get(graph);
  if (made === undefined) {
    made = close(
      leaves(graph.inputs).map(({ leaf }) => leaf as Value),
      leaves(graph.outputs).map(({ leaf }) => leaf as Value),
    );
    closures.set(graph, made);
  }
  return made;
}

/**
 * `call(g, inputs)`: the graph as one node: shared between its uses, differentiated once, drawn collapsed. What the graph uses of its
 * surroundings becomes extra operands, so derivatives reach it too.
 * @throws GraphError when the inputs' tree is not the graph's; ShapeError or DTypeError for their types
 */
export function call<I, O>(graph: Graph<I, O>, inputs: Operands<I>): O {
  const { body, captured } = closedGraph(graph as unknown as Graph<unknown, unknown>);
  const given = match(inputs, graph.inputs, "call").map(({ path, given: x, wanted }) => {
    if (isType(x)) throw new GraphError(`call: ${path} is a type`);
    return liftTo(x, (wanted as Value).type, path === "" ? "the input" : path);
  });
  const results = callOp([...given, ...captured], { graph: regionOf(body) });
  let i = 0;
  return rebuild(graph.outputs, () => results[i++]!) as O;
}
