import { ChainruleError, type ErrorFacts, GraphError, InternalError } from "../ir/errors.ts";
import { constant } from "../ir/leaf.ts";
import { nextSerial, type Value } from "../ir/node.ts";
import { scopes } from "../ir/scope.ts";
import type { Tensor } from "../ir/tensor.ts";
import type { Answers } from "./answers.ts";
import { Application, nodeText, type Results, type Surroundings } from "./application.ts";
import { ruleOf } from "./operators.ts";
import type { AttributeMessage, FunctionMessage, GraphMessage, NodeMessage, OpsetMessage, TensorMessage } from "./schema.ts";
import { isSequence, takesSequence, tensorsOf } from "./sequences.ts";

/** Values by name; a graph inside a node sees those around it. */
export class Names {
  private readonly own: Map<string, Value | null> = new Map();
  private readonly outer: Names | null;
  constructor(outer: Names | null = null) {
    this.outer = outer;
  }
  /** Null for an optional input that was left out, undefined for a name that nothing has. */
  find(name: string): Value | null | undefined {
    for (let names: Names | null = this; names !== null; names = names.outer) {
      const v = names.own.get(name);
      if (v !== undefined) return v;
    }
    return undefined;
  }
  put(name: string, value: Value | null): void {
    this.own.set(name, value);
  }
}

/** Who looks on while nodes are applied. */
export interface Watch {
  /** The model is about to be applied; what was seen before was an attempt that failed. */
  begin?(): void;
  /** A node of the model itself was applied: what it read, in the order of `readsOf`, what it gave, and the first serial number of what it built. */
  node?(node: NodeMessage, read: readonly Value[], gave: readonly Value[], from: number): void;
  /**
   * An operator is about to be applied to these operands: what it gives instead, or null. `apply` is the operator's rule, with the node's attributes.
   */
  instead?(node: NodeMessage, operands: readonly (Value | null)[], apply: (operands: readonly (Value | null)[]) => Results): Results | null;
}

/** What nodes of one walk share. */
export interface Walk {
  readonly watch?: Watch;
  readonly answers: Answers;
  readonly functions: ReadonlyMap<string, FunctionMessage>;
  readonly tensor: (message: TensorMessage, where: string) => Tensor;
  /** The number of each module's scope, by its path. */
  readonly modules: Map<string, number>;
  /** The node of the model itself that is being applied. */
  top: NodeMessage;
  /** How many nodes were applied, those of inlined functions and unrolled loops included. */
  applied: number;
}

/** More nodes than any model has: what functions that call each other twice over would otherwise grow to. */
const mostNodes = 2_000_000;
/** How deep functions and graphs may lie inside each other. */
const mostLevels = 64;

/** The version of each set of operators. */
export type Opsets = ReadonlyMap<string, number>;

/** The sets of operators that a model or function imports; the default one has two names. */
export function opsetsOf(list: readonly OpsetMessage[]): Opsets {
  const found = new Map<string, number>();
  for (const { domain = "", version = 1 } of list) found.set(domain === "ai.onnx" ? "" : domain, version);
  return found;
}

/** The name under which a function is looked up. */
export function functionKey(
  { domain = "", overload = "" }: { readonly domain?: string; readonly overload?: string },
  name: string,
): string {
  return JSON.stringify([domain === "ai.onnx" ? "" : domain, name, overload]);
}

/** The names that a node reads, those its graph attributes take from around it included. */
export function readsOf(node: NodeMessage, depth = 0): string[] {
  const names = (node.input ?? []).filter((name) => name !== "");
  if (depth > mostLevels) throw new GraphError(`onnx: ${nodeText(node)}: graphs are nested deeper than ${mostLevels}`);
  for (const { g } of node.attribute ?? []) {
    if (g === undefined) continue;
    const own = new Set([...(g.input ?? []).map((v) => v.name ?? ""), ...(g.initializer ?? []).map((t) => t.name ?? "")]);
    for (const inner of g.node ?? []) for (const name of inner.output ?? []) own.add(name);
    const used = [...(g.node ?? []).flatMap((inner) => readsOf(inner, depth + 1)), ...(g.output ?? []).map((v) => v.name ?? "")];
    for (const name of used) if (!own.has(name)) names.push(name);
  }
  return names;
}

/**
 * The nodes that `wanted` needs, each after those it reads. Exporters write them in such an order; it is made anew here, so that one that does not is
 * read all the same, and dead nodes cost nothing.
 * @throws GraphError for two nodes that write one name, and for a circle
 */
export function inOrder(nodes: readonly NodeMessage[], wanted: readonly string[], taken: ReadonlySet<string>): NodeMessage[] {
  const writer = new Map<string, NodeMessage>();
  for (const node of nodes)
    for (const name of node.output ?? []) {
      if (name === "") continue;
      if (writer.has(name) || taken.has(name))
        throw new GraphError(`onnx: ${nodeText(node)} writes ${name}, which is written elsewhere too; a name has one meaning in a graph`);
      writer.set(name, node);
    }
  const order: NodeMessage[] = [];
  const state = new Map<NodeMessage, "open" | "done">();
  for (const root of wanted) {
    const first = writer.get(root);
    if (first === undefined || state.has(first)) continue;
    const path: { readonly node: NodeMessage; readonly reads: readonly string[]; at: number }[] = [
      { node: first, reads: readsOf(first), at: 0 },
    ];
    state.set(first, "open");
    while (path.length > 0) {
      const top = path[path.length - 1]!;
      const name = top.reads[top.at++];
      if (name === undefined) {
        state.set(top.node, "done");
        order.push(top.node);
        path.pop();
        continue;
      }
      const next = writer.get(name);
      if (next === undefined || state.get(next) === "done") continue;
      if (state.get(next) === "open")
        throw new GraphError(`onnx: ${nodeText(next)} depends on its own result ${name}; a graph has no circles`);
      state.set(next, "open");
      path.push({ node: next, reads: readsOf(next), at: 0 });
    }
  }
  return order;
}

/** Attributes by name, references to those of the enclosing function resolved. */
function attributesOf(node: NodeMessage, outer: ReadonlyMap<string, AttributeMessage>): Map<string, AttributeMessage> {
  const found = new Map<string, AttributeMessage>();
  for (const attribute of node.attribute ?? []) {
    const { ref_attr_name: reference, name = "" } = attribute;
    if (reference === undefined || reference === "") found.set(name, attribute);
    else {
      const given = outer.get(reference);
      if (given !== undefined) found.set(name, given);
    }
  }
  return found;
}

/** Modules lie inside each other no deeper than this in pictures and names; what a hostile file has beyond is left out. */
const mostModules = 64;

/** The names in a list as Python prints it. */
export function listedNames(text: string): string[] {
  return [...text.matchAll(/'([^']*)'|"([^"]*)"/g)].map(([, single, double]) => single ?? double ?? "");
}

/**
 * The modules that a node lies in, outermost first, where the file tells: PyTorch's older exporter names a node by their path, `/encoder/layers.0/linear1/MatMul`,
 * the newer one writes a list of names beside it, `['', 'encoder', 'encoder.layers.0', 'linear']`, whose last is the operation.
 */
export function modulesOf(node: NodeMessage): string[] | null {
  const listed = node.metadata_props?.find((p) => p.key === "pkg.torch.onnx.name_scopes")?.value;
  const name = node.name ?? "";
  if (listed === undefined && !name.includes("/")) return null;
  const parts = listed === undefined ? name.split("/").filter((part) => part !== "") : listedNames(listed);
  return parts
    .slice(0, -1)
    .filter((part) => part !== "")
    .slice(0, mostModules);
}

/** The scopes of a node, outermost first: its modules, and its own name. */
export function pathOf(node: NodeMessage): string[] {
  const own = (node.name ?? "").split("/").findLast((part) => part !== "") ?? node.op_type ?? "node";
  return [...(modulesOf(node) ?? []), own];
}

/** Runs what builds a node in the scopes of its path; nodes of one module share its scope. */
function inScopes<R>(node: NodeMessage, level: number, { modules }: Walk, build: () => R): R {
  let prefix = String(level);
  const parts = pathOf(node);
  const path = parts.map((name, i) => {
    prefix += `/${name}`;
    // The node itself is a scope of its own, whoever else has its name.
    let call = i === parts.length - 1 ? undefined : modules.get(prefix);
    if (call === undefined) modules.set(prefix, (call = nextSerial()));
    return { name, call };
  });
  return scopes(path, build);
}

/** Applies nodes in order; their results are put among `names`. */
export function applyNodes(
  nodes: readonly NodeMessage[],
  names: Names,
  opsets: Opsets,
  walk: Walk,
  outer: ReadonlyMap<string, AttributeMessage> = new Map(),
  level = 0,
  path = "",
): void {
  if (level > mostLevels) throw new GraphError(`onnx: functions or graphs lie inside each other deeper than ${mostLevels}`);
  const doubted = new Set(nodes.flatMap(({ op_type, input = [] }) => (op_type === "IsNaN" ? [input[0]] : [])));
  for (const node of nodes) {
    if (++walk.applied > mostNodes)
      throw new GraphError(`onnx: the model unfolds to more than ${mostNodes} nodes; its functions or loops are too large`);
    if (level === 0) walk.top = node;
    const site = path + (node.output?.find((name) => name !== "") ?? "");
    const operands = (node.input ?? []).map((name) => {
      if (name === "") return null;
      const v = names.find(name);
      if (v === undefined)
        throw new GraphError(`onnx: ${nodeText(node)} reads ${name}, which is neither an input, a weight nor the result of a node`);
      return v;
    });
    const called = walk.functions.get(functionKey(node, node.op_type ?? ""));
    if (called === undefined && !takesSequence(node.op_type ?? ""))
      operands.forEach((v, i) => {
        if (v !== null && isSequence(v))
          throw new GraphError(
            `onnx: ${nodeText(node)} takes ${node.input![i]}, a sequence; sequences are unfolded here, and only operators of sequences take them: choose tensors of it by SequenceAt`,
          );
      });
    const attributes = attributesOf(node, outer);
    const domain = node.domain === "ai.onnx" ? "" : (node.domain ?? "");
    const from = nextSerial();
    const results =
      called !== undefined
        ? inScopes(node, level, walk, () => applyFunction(called, node, operands, attributes, walk, level + 1, `${site}/`))
        : applyOperator(node, domain, operands, attributes, {
            names,
            opsets,
            walk,
            outer,
            level,
            site,
            doubted: doubted.has(node.output?.[0]),
          });
    const list = Array.isArray(results) ? (results as readonly (Value | null)[]) : [results as Value];
    (node.output ?? []).forEach((name, i) => {
      if (name === "") return;
      const v = list[i];
      if (v == null) throw new GraphError(`onnx: ${nodeText(node)}: its result ${i}, ${name}, is not supported`);
      names.put(name, v);
    });
    if (level === 0 && walk.watch?.node !== undefined)
      watched(
        node,
        readsOf(node).flatMap((name) => names.find(name) ?? []),
        list.filter((v) => v != null),
        from,
        walk.watch.node,
      );
  }
}

/** Tells of a node, with the tensors of sequences in their places; what chooses among them reads what it chose. */
function watched(node: NodeMessage, read: readonly Value[], gave: readonly Value[], from: number, tell: NonNullable<Watch["node"]>): void {
  const [all, given] = [read, gave].map((values) => values.flatMap((v) => tensorsOf(v) ?? [v])) as [Value[], Value[]];
  tell(node, node.op_type === "SequenceAt" || node.op_type === "SequenceErase" ? given : all, given, from);
}

interface Place {
  readonly names: Names;
  readonly opsets: Opsets;
  readonly walk: Walk;
  readonly outer: ReadonlyMap<string, AttributeMessage>;
  readonly level: number;
  readonly site: string;
  readonly doubted: boolean;
}

function applyOperator(
  node: NodeMessage,
  domain: string,
  operands: readonly (Value | null)[],
  attributes: ReadonlyMap<string, AttributeMessage>,
  { names, opsets, walk, outer, level, site, doubted }: Place,
): Value | readonly (Value | null)[] {
  const around: Surroundings = {
    tensor: walk.tensor,
    body: (graph, inputs, at, may = "tensors") =>
      applyGraph(graph, inputs, names, opsets, walk, outer, level + 1, `${site}[${at}]/`, may === "sequences"),
    answers: walk.answers,
    top: walk.top,
    site,
    doubted,
  };
  const rule = ruleOf(domain, node);
  const apply = (given: readonly (Value | null)[]): Results =>
    rule(new Application(node, opsets.get(domain) ?? 1, given, attributes, around));
  return inScopes(node, level, walk, () => toldOf(node, () => walk.watch?.instead?.(node, operands, apply) ?? apply(operands)));
}

/** What our ops refuse, with the node that they were made for: of a model's hundreds of products, `matmul: ...` alone says not which. @throws what `build` throws */
function toldOf<T>(node: NodeMessage, build: () => T): T {
  try {
    return build();
  } catch (error) {
    if (!(error instanceof ChainruleError) || error instanceof InternalError || error.message.startsWith("onnx: ")) throw error;
    const { constructor: kind } = error as { readonly constructor: unknown };
    throw new (kind as new (message: string, facts: ErrorFacts) => ChainruleError)(`onnx: ${nodeText(node)}: ${error.message}`, {
      ...(error.op !== undefined && { op: error.op }),
      cause: error,
    });
  }
}

/** A function of the model in the place of its node. */
function applyFunction(
  called: FunctionMessage,
  node: NodeMessage,
  operands: readonly (Value | null)[],
  given: ReadonlyMap<string, AttributeMessage>,
  walk: Walk,
  level: number,
  path: string,
): (Value | null)[] {
  const names = new Names();
  (called.input ?? []).forEach((name, i) => {
    names.put(name, operands[i] ?? null);
  });
  const attributes = new Map(given);
  for (const fallback of called.attribute_proto ?? [])
    if (!attributes.has(fallback.name ?? "")) attributes.set(fallback.name ?? "", fallback);
  const outputs = called.output ?? [];
  applyNodes(
    inOrder(called.node ?? [], outputs, new Set(called.input)),
    names,
    opsetsOf(called.opset_import ?? []),
    walk,
    attributes,
    level,
    path,
  );
  return outputs.map((name, i) => {
    const v = names.find(name) ?? null;
    if (v === null && (node.output?.[i] ?? "") !== "")
      throw new GraphError(`onnx: function ${called.name ?? ""} makes no ${name}, which ${nodeText(node)} uses`);
    return v;
  });
}

/** A graph inside a node, applied to its inputs. */
function applyGraph(
  graph: GraphMessage,
  inputs: readonly Value[],
  outerNames: Names,
  opsets: Opsets,
  walk: Walk,
  outer: ReadonlyMap<string, AttributeMessage>,
  level: number,
  path: string,
  sequences: boolean,
): Value[] {
  const names = new Names(outerNames);
  const declared = graph.input ?? [];
  if (declared.length !== inputs.length) {
    const lesson = `onnx: graph ${graph.name ?? ""} inside a node has ${declared.length} inputs and is given ${inputs.length}`;
    throw new GraphError(lesson);
  }
  for (const message of graph.initializer ?? []) names.put(message.name ?? "", constant(walk.tensor(message, message.name ?? "")));
  declared.forEach((v, i) => {
    names.put(v.name ?? "", inputs[i]!);
  });
  const wanted = (graph.output ?? []).map((v) => v.name ?? "");
  applyNodes(inOrder(graph.node ?? [], wanted, new Set(declared.map((v) => v.name ?? ""))), names, opsets, walk, outer, level, path);
  return wanted.map((name) => {
    const v = names.find(name);
    if (v == null) throw new GraphError(`onnx: graph ${graph.name ?? ""} inside a node has no value for its output ${name}`);
    if (!sequences && isSequence(v))
      throw new GraphError(
        `onnx: graph ${graph.name ?? ""} inside a node gives ${name}, a sequence, which is read of a known branch and of what a loop of known rounds carries alone; let it give tensors`,
      );
    return v;
  });
}
