import { pullback } from "../autodiff/pullback.ts";
import { byteSize } from "../files/element-bytes.ts";
import { isFloat } from "../ir/dtype.ts";
import { ChainruleError } from "../ir/errors.ts";
import { type AnyGraph, graphOf } from "../ir/graph.ts";
import { constantOp, inputOp, lift, variableOp } from "../ir/leaf.ts";
import type { Value } from "../ir/node.ts";
import { nextSerial } from "../ir/node.ts";
import { sizeOf } from "../ir/shape.ts";
import type { TensorType } from "../ir/type.ts";
import { collect } from "../ir/walk.ts";
import { add, mean, square } from "../ops/index.ts";
import { costOf, nodeBytes } from "../passes/cost.ts";
import { type Inspection, inspectionText, type MemoryFacts, type NodeFacts, type ParameterFacts } from "./inspection.ts";
import { type Model, type Opened, openedOf, openParts, outputPort, type Port, type ReadOptions } from "./model.ts";
import type { Source } from "./model-file.ts";
import { unknownText } from "./operators.ts";
import { unsupportedIn, weightsBehind } from "./operators-used.ts";
import { placesOf } from "./parameters.ts";
import { type Sample, sampleOf } from "./sample.ts";
import type { NodeMessage } from "./schema.ts";
import { foldedIn, tiedIn } from "./sharing.ts";
import { type Applied, type Stops, stopsIn } from "./stops.ts";
import type { Watch } from "./walk.ts";

function domainOf(node: NodeMessage): string {
  return node.domain === "ai.onnx" ? "" : (node.domain ?? "");
}

function operatorOf(node: NodeMessage): string {
  const domain = domainOf(node);
  return domain === "" ? (node.op_type ?? "?") : `${domain}.${node.op_type ?? "?"}`;
}

/** A node without a name is called after what it makes. */
function factsOf(node: NodeMessage): NodeFacts {
  return { node: node.name || (node.output?.find((o) => o !== "") ?? "a node"), operator: operatorOf(node) };
}

function bytesOf({ dtype, shape }: TensorType): number {
  return byteSize(dtype) * sizeOf(shape);
}

function counted(nodes: readonly NodeMessage[]): Inspection["operators"] {
  const counts = new Map<string, number>();
  for (const node of nodes) counts.set(operatorOf(node), (counts.get(operatorOf(node)) ?? 0) + 1);
  return [...counts]
    .map(([operator, count]) => ({ operator, count }))
    .sort((a, b) => b.count - a.count || (a.operator < b.operator ? -1 : 1));
}

/** What applying the model once showed. */
interface Seen {
  readonly sample: Sample;
  readonly stops: Stops;
  readonly hanging: Inspection["dataDependent"];
  readonly host: Inspection["host"];
  /** Nodes of which only the branch is known that made-up data took. */
  readonly branching: ReadonlySet<NodeMessage>;
}

/** What nodes ask of data, where from, and which nodes have to be computed for it before the rest is one graph. */
function split({ params, inputs, answers }: Sample, applied: readonly Applied[]): Pick<Seen, "hanging" | "host" | "branching"> {
  const names = new Map<unknown, { readonly kind: "inputs" | "weights"; readonly name: string }>();
  for (const [name, v] of Object.entries(inputs)) names.set(v.node, { kind: "inputs", name });
  for (const [name, v] of Object.entries(params)) names.set(v.node, { kind: "weights", name });
  const hanging = new Map<string, Inspection["dataDependent"][number]>();
  const host = new Set<NodeMessage>();
  const branching = new Set<NodeMessage>();
  for (const { question, from, places } of answers?.found.values() ?? []) {
    const { node, top, what } = question;
    host.add(top);
    if (node.op_type === "If") branching.add(top);
    const before = collect(from).filter((n) => n.keeper !== null);
    for (const { serial } of before) {
      let [low, high] = [0, applied.length];
      while (low < high) {
        const middle = (low + high) >> 1;
        if (applied[middle]!.from <= serial) low = middle + 1;
        else high = middle;
      }
      if (low > 0) host.add(applied[low - 1]!.node);
    }
    const of = (kind: "inputs" | "weights"): string[] =>
      before.flatMap((n) => {
        const found = names.get(n);
        return found?.kind === kind ? [found.name] : [];
      });
    const facts = factsOf(node);
    const key = JSON.stringify([facts, what]);
    const again = hanging.get(key);
    const joined = (kind: "inputs" | "weights"): string[] => [...new Set([...(again?.[kind] ?? []), ...of(kind)])];
    hanging.set(key, { ...facts, needs: what, inputs: joined("inputs"), weights: joined("weights"), bound: places ? "places" : "shape" });
  }
  return { hanging: [...hanging.values()], host: applied.flatMap(({ node }) => (host.has(node) ? [factsOf(node)] : [])), branching };
}

function seen(opened: Opened): Seen {
  let applied: Applied[] = [];
  const watch: Watch = {
    begin: () => {
      applied = [];
    },
    node: (node, read, gave, from) => {
      applied.push({ node, read, gave, from });
    },
  };
  const sample = sampleOf(opened, watch);
  return {
    sample,
    stops: stopsIn(applied, Object.values(sample.params), Object.values(sample.outputs)),
    ...split(sample, applied),
  };
}

/** A step is reckoned for the mean squares of the outputs, whose backward pass reads them as that of any loss does. */
function memoryOf({ parameters }: Opened, { params, inputs, outputs, dims }: Sample): MemoryFacts {
  const over = (ends: readonly Value[]): AnyGraph => graphOf<unknown, unknown>([...Object.values(params), ...Object.values(inputs)], ends);
  const trained = parameters.filter((p) => p.trainable).map((p) => params[p.name]!);
  const weights = parameters.reduce((n, p) => n + bytesOf(p.value.type), 0);
  const gradients = trained.reduce((n, v) => n + bytesOf(v.type), 0);
  const ends = Object.values(outputs);
  const forward = costOf(over(ends));
  const floating = ends.filter((v) => isFloat(v.type.dtype));
  const loss = floating.map((v) => mean(square(v)) as Value).reduce<Value | null>((a, b) => (a === null ? b : add(a, b)), null);
  const none = { dims, weights, gradients: 0, forward: forward.peakBytes - weights, kept: 0, backward: 0 };
  if (loss === null || trained.length === 0) return { ...none, flops: { forward: forward.flops, both: forward.flops } };
  const boundary = nextSerial();
  const found = pullback([loss], [lift(1, loss.type.dtype)], trained).filter((v) => v !== null);
  const both = costOf(over([loss, ...found]));
  const kept = new Set(
    collect(found, 0)
      .filter((n) => n.serial >= boundary)
      .flatMap((n) => n.operands.flatMap((v) => (v === null || v.node.serial >= boundary ? [] : [v.node])))
      .filter((n) => n.op !== inputOp && n.op !== variableOp && n.op !== constantOp),
  );
  return {
    dims,
    weights,
    gradients,
    forward: forward.peakBytes - weights,
    kept: [...kept].reduce((n, node) => n + nodeBytes(node), 0),
    backward: both.peakBytes - weights,
    flops: { forward: forward.flops, both: both.flops },
  };
}

/**
 * Tells what is in a model file as far as training is concerned: operators, parameters, which of them gradients reach and which nodes stop them, what is tied, folded
 * or hangs on data, and the memory of a step. Operators that are not supported are told too, instead of refused.
 * Sizes that have only a name are those of `dims`, or 1 or what fits. A model that was read is not read again; its file's weights are what is told of.
 * @throws ParseError, GraphError, DTypeError for files that cannot be read, as `onnx.read` does
 */
export async function inspectModel(source: Source | Model<string, string>, options: ReadOptions<string, string> = {}): Promise<Inspection> {
  const opened = openedOf(source) ?? (await openParts(source as Source, options));
  const { file, nodes, parameters, copies, constants, opsets, functions, inputs } = opened;
  const { message, graph } = file;
  const unsupported = nodes.flatMap((node) => {
    const wrong = unsupportedIn(node, functions);
    if (wrong === null) return [];
    return [{ ...factsOf(wrong), advice: unknownText(domainOf(wrong), wrong), blocks: weightsBehind(node, nodes, parameters) }];
  });
  let found: Seen | null = null;
  let unknown = unsupported.length > 0 ? "the model has operators that are not supported" : null;
  if (unknown === null)
    try {
      found = seen(opened);
    } catch (error) {
      if (!(error instanceof ChainruleError)) throw error;
      unknown = error.message;
    }
  const names = parameters.map((p) => p.name);
  const reached = found?.stops.reached;
  // A weight of a branch that was not taken may get its gradient in the other one.
  const open = new Set((found?.stops.stops ?? []).flatMap(({ node, parameters: behind }) => (found!.branching.has(node) ? behind : [])));
  const facts: Omit<Inspection, "text" | "toJSON"> = {
    producer: [message.producer_name, message.producer_version].filter((word) => word !== undefined && word !== "").join(" "),
    irVersion: message.ir_version ?? 0,
    opsets: Object.fromEntries([...opsets].map(([domain, version]) => [domain === "" ? "ai.onnx" : domain, version])),
    inputs: Object.fromEntries(inputs),
    outputs: outputPorts(opened, found?.sample),
    parameters: parameters.map(
      ({ name, initializer, value, trainable, fixedBy }, i): ParameterFacts => ({
        name,
        initializer,
        dtype: value.type.dtype,
        shape: value.type.shape,
        trainable,
        fixedBy,
        gradient: reached === undefined || (!reached[i] && open.has(i)) ? null : reached[i]!,
      }),
    ),
    constants: { count: constants.size, bytes: [...constants.values()].reduce((n, t) => n + bytesOf(t.type), 0) },
    operators: counted(nodes),
    deadNodes: (graph.node ?? []).length - nodes.length,
    functions: [...functions.values()].map((f) => f.name ?? ""),
    unsupported,
    noGradient: (found?.stops.stops ?? [])
      .filter(({ node }) => !found!.branching.has(node))
      .map(({ node, parameters: behind }) => ({
        ...factsOf(node),
        behind: behind.length,
        blocks: behind.filter((i) => !reached![i] && !open.has(i)).map((i) => names[i]!),
      })),
    folded: foldedIn(nodes, new Set(parameters.flatMap(placesOf))).map(factsOf),
    tied: tiedIn(parameters, nodes).map((t) => ({ parameter: t.parameter, nodes: t.nodes.map((n) => factsOf(n).node) })),
    copies,
    dataDependent: found?.hanging ?? [],
    host: found?.host ?? [],
    memory: found === null ? null : memoryOf(opened, found.sample),
    unknown,
  };
  const inspection: Inspection = { ...facts, text: (language) => inspectionText(inspection, language), toJSON: () => facts };
  return inspection;
}

/** The outputs as the file has them, or, where it is silent on one, as it came out. */
function outputPorts({ file, outputs }: Opened, sample: Sample | undefined): Record<string, Port> {
  const declared = new Map((file.graph.output ?? []).map((v) => [v.name ?? "", v]));
  return Object.fromEntries(
    outputs.map((name) => {
      const v = declared.get(name);
      const made = sample?.outputs[name];
      return [name, v === undefined && made !== undefined ? { dtype: made.type.dtype, shape: made.type.shape } : outputPort(v)];
    }),
  );
}
