import { heldBy } from "../evaluate/evaluate.ts";
import { type DType, isInteger } from "../ir/dtype.ts";
import { DTypeError, GraphError, ShapeError } from "../ir/errors.ts";
import { constant, input, isTensor, isValue, lift } from "../ir/leaf.ts";
import { isKept, type Value } from "../ir/node.ts";
import type { Operand } from "../ir/op.ts";
import { isTypedArray, type Tensor, tensor } from "../ir/tensor.ts";
import { sameType, tensorType, typeText } from "../ir/type.ts";
import { cast, transpose } from "../ops/index.ts";
import { type Answers, type Bound, Recorder, Replay, unbound } from "./answers.ts";
import { nodeText } from "./application.ts";
import type { ExternalFiles } from "./external-data.ts";
import { type ModelFile, openModel, type Source, tensorsIn } from "./model-file.ts";
import { checkOperators } from "./operators-used.ts";
import { type Parameter, parametersOf, placesOf, toldOf } from "./parameters.ts";
import type { FunctionMessage, NodeMessage, ValueMessage } from "./schema.ts";
import { isSequence } from "./sequences.ts";
import { absentTensor, dtypeOfElement } from "./tensor-data.ts";
import { type Copies, tieCopies } from "./ties.ts";
import { applyNodes, functionKey, inOrder, Names, type Opsets, opsetsOf, readsOf, type Watch } from "./walk.ts";

/** An input or output of a model: its dtype, and its sizes, which are numbers, names that stand for numbers, or unknown. */
export interface Port {
  readonly dtype: DType;
  /** Null where the file does not say how many axes there are. */
  readonly shape: readonly (number | string | null)[] | null;
}

/** What to read of a file. */
export interface ReadOptions<I extends string, O extends string> {
  /** The inputs that `apply` takes, checked against the file; all of them when left out. */
  readonly inputs?: readonly I[];
  /** The outputs that `apply` gives: those of the file, or any named value inside. All outputs of the file when left out. */
  readonly outputs?: readonly O[];
  /** Numbers for names of sizes; those left out are taken from the data that `apply` is given. */
  readonly dims?: { readonly [name: string]: number };
  /** Files with data beside the model, by the names it has for them, where the model does not come from a path. */
  readonly external?: ExternalFiles;
  /**
   * Weights that the file has twice, with the same numbers as they stand or transposed, and that are one: all of them, none, or those that patterns name (`*` for any characters), each with the first
   * that has its numbers. When left out, those that nothing else explains: a table that is looked up and the matrix of a product (the embedding and the head of a language model), and
   * what the exporter says was moved from one weight.
   */
  readonly tie?: boolean | readonly string[];
}

/** A model that was read: its weights and the function that it computes, made of our ops. */
export interface Model<I extends string, O extends string> {
  /** The floating-point weights, by name. */
  readonly params: { readonly [name: string]: Tensor };
  /** The names of the weights that training changes unless told otherwise. */
  readonly trainable: readonly string[];
  readonly inputs: { readonly [K in I]: Port };
  readonly outputs: { readonly [K in O]: Port };
  /** The name that the file has for each weight: exporters leave some without one, and these are named by the node that uses them. */
  readonly initializers: { readonly [name: string]: string };
  /** Weights that the file has a second time, by what they would be called, and the weight that each is: they are read as one, and written to both places. */
  readonly tied: { readonly [copy: string]: string };
  /**
   * The model as a function of its weights and inputs. It builds fresh nodes, so that every transform, engine and picture takes it; shapes are those of
   * what is given, so one model serves all batch sizes.
   * @param bound what data decide in the model, as `bind` tells: it makes a model with parts that hang on data one static graph
   * @throws GraphError, ShapeError or DTypeError for names, shapes or dtypes that are not the model's; GraphError that names the node where something hangs on
   *   data that are neither there nor bound
   */
  apply(
    params: { readonly [name: string]: Operand },
    inputs: { readonly [K in I]: Operand },
    bound?: { readonly [site: string]: Operand },
  ): { readonly [K in O]: Value };
  /**
   * What data decide in the model: which elements are not 0, how many rounds a loop makes, a shape that is computed. Only the nodes that this takes are
   * computed, on the reference engine; a model without such nodes gives an empty record. Places are tensors; numbers that shapes are made of are tensors without
   * elements whose shape tells them. So programs that are kept by the types of what they take (`jit`, `train`) are kept by what data decided too.
   * Bind anew for other data, and for other weights where the answer hangs on weights.
   * @param params the weights, those of the model when left out
   * @throws as `apply`; GraphError where a loop does not end
   */
  bind(inputs: { readonly [K in I]: Operand }, params?: { readonly [name: string]: Operand }): Bound;
  /** The same model with other weights, all or some of them. @throws GraphError, ShapeError or DTypeError for weights that it does not have */
  with(params: { readonly [name: string]: Tensor }): Model<I, O>;
}

/** What stands behind a model. */
export interface Opened {
  readonly file: ModelFile;
  readonly nodes: readonly NodeMessage[];
  readonly parameters: readonly Parameter[];
  /** Which weights of the file have the same numbers. */
  readonly copies: readonly Copies[];
  readonly constants: ReadonlyMap<string, Tensor>;
  readonly opsets: Opsets;
  readonly functions: ReadonlyMap<string, FunctionMessage>;
  readonly inputs: ReadonlyMap<string, Port>;
  readonly outputs: readonly string[];
  readonly dims: Readonly<Record<string, number>>;
  readonly asking: Asking;
}

/** Which nodes asked something of data so far, and which answers they got: the same types of answers ask the same questions. */
interface Asking {
  readonly nodes: Set<NodeMessage>;
  readonly seen: Set<string>;
}

const behind: WeakMap<object, Opened & { readonly params: Readonly<Record<string, Tensor>> }> = /* @__PURE__ */ new WeakMap();

/** What a model was made of, for writing it. */
export function openedOf(model: unknown): (Opened & { readonly params: Readonly<Record<string, Tensor>> }) | undefined {
  return typeof model === "object" && model !== null ? behind.get(model) : undefined;
}

function portOf({ name = "", type }: ValueMessage): Port {
  const found = type?.tensor_type;
  if (found === undefined) {
    const kind = type?.sequence_type
      ? "a sequence"
      : type?.map_type
        ? "a map"
        : type?.optional_type
          ? "optional"
          : type?.sparse_tensor_type
            ? "sparse"
            : "of no type";
    throw new GraphError(`onnx: ${name} is ${kind}; inputs and outputs are dense tensors: re-export the model with tensors alone`);
  }
  const dims = found.shape?.dim ?? (found.shape === undefined ? null : []);
  return {
    dtype: dtypeOfElement(found.elem_type, name),
    shape:
      dims === null
        ? null
        : dims.map(({ dim_value: size, dim_param: symbol }) => size ?? (symbol === undefined || symbol === "" ? null : symbol)),
  };
}

function namesText(names: Iterable<string>): string {
  return [...names].join(", ") || "none";
}

/**
 * Reads a model: `onnx.read("model.onnx", { inputs: ["image"], outputs: ["logits"], dims: { batch: 32 } })`. Data in other files is read with it.
 * Operator sets from 7 to 28; functions of the model are unfolded where they are called.
 * @throws ParseError for damaged files and for data outside the model's folder; GraphError for operators that are not supported, circles, names that
 *   are missing or double; DTypeError for element types that are none here
 */
export async function readModel<const I extends string = string, const O extends string = string>(
  source: Source,
  options: ReadOptions<I, O> = {},
): Promise<Model<I, O>> {
  const opened = await openParts(source, options);
  checkOperators(opened.nodes, opened.functions, opened.parameters, opened.outputs);
  return modelOf(opened, Object.fromEntries(opened.parameters.map(({ name, value }) => [name, value])));
}

/**
 * What a model is made of, its operators unchecked.
 * @param weights `absent` leaves the numbers of large weights in the file, where they are not in memory anyway
 * @throws as `readModel`, but for operators that are not supported
 */
export async function openParts(
  source: Source,
  options: ReadOptions<string, string> = {},
  weights: "read" | "absent" = "read",
): Promise<Opened> {
  const file = await openModel(source, options.external ?? {});
  const { graph, message } = file;
  const sparse = graph.sparse_initializer?.[0];
  if (sparse !== undefined)
    throw new GraphError(`onnx: initialiser ${sparse.values?.name ?? ""} is sparse; re-export the model with dense weights`);
  const initializers = new Map<string, Tensor>();
  const declared = new Map<string, Port>();
  const all = new Map((graph.initializer ?? []).map((t) => [t.name ?? "", t]));
  if (all.size < (graph.initializer ?? []).length)
    throw new GraphError(`onnx: two initialisers have one name: ${twice((graph.initializer ?? []).map((t) => t.name ?? ""))}`);
  // Older files list their weights among the inputs too.
  for (const v of graph.input ?? []) if (!all.has(v.name ?? "")) declared.set(v.name ?? "", portOf(v));
  if (declared.size < (graph.input ?? []).filter((v) => !all.has(v.name ?? "")).length)
    throw new GraphError(`onnx: two inputs have one name: ${twice((graph.input ?? []).map((v) => v.name ?? ""))}`);
  const own = (graph.output ?? []).map((v) => v.name ?? "");
  const outputs: readonly string[] = options.outputs ?? own;
  const taken = new Set([...all.keys(), ...declared.keys()]);
  const nodes = inOrder(graph.node ?? [], outputs, taken);
  const made = new Set([...nodes.flatMap((n) => n.output ?? []), ...taken]);
  for (const name of outputs)
    if (!made.has(name)) throw new GraphError(`onnx: there is no output ${name}; the model has ${namesText(own)}`);
  const used = new Set([...nodes.flatMap((n) => readsOf(n)), ...outputs]);
  const needed = [...all].filter(([name]) => used.has(name));
  const absent = new Map<string, Tensor>();
  if (weights === "absent")
    for (const [name, t] of needed) {
      const without = file.apart(t) === undefined ? absentTensor(t, name) : null;
      if (without !== null) absent.set(name, without);
    }
  await file.fetch([...needed.flatMap(([name, t]) => (absent.has(name) ? [] : [t])), ...tensorsIn(nodes, message.functions ?? [])]);
  for (const [name, t] of needed) initializers.set(name, absent.get(name) ?? file.tensor(t, name));
  const apart = parametersOf(initializers, nodes, toldOf(graph), (name) => absent.has(name));
  // Whether numbers that are not there are the same cannot be told.
  const { parameters, copies } = weights === "absent" ? { parameters: apart, copies: [] } : tieCopies(apart, nodes, options.tie);
  const trained = new Set(parameters.flatMap(placesOf));
  const functions = new Map((message.functions ?? []).map((f) => [functionKey(f, f.name ?? ""), f]));
  const opsets = opsetsOf(message.opset_import ?? []);
  checkOpset(opsets, nodes);
  const inputs = chosenInputs(declared, options.inputs, used);
  const dims = checkedDims(options.dims ?? {}, inputs);
  const constants = new Map([...initializers].filter(([name]) => !trained.has(name)));
  const asking = { nodes: new Set<NodeMessage>(), seen: new Set<string>() };
  return { file, nodes, parameters, copies, constants, opsets, functions, inputs, outputs, dims, asking };
}

function twice(names: readonly string[]): string {
  const seen = new Set<string>();
  return names.find((name) => seen.size === seen.add(name).size) ?? "";
}

/** The newest operator set that the rules follow. */
export const newestOpset = 28;

/** Older operators that mean the same are read too. */
const oldestOpset = 7;
/** The set from which an operator takes its operands as it does today, where that is not the first one. */
const sameSince: Readonly<Record<string, number>> = { PRelu: 7, Pad: 2, Tile: 6, Upsample: 7 };
/** Operators whose operands were aligned at the axis of an attribute, where there is one. */
const aligned: readonly string[] = ["Add", "And", "Div", "Equal", "Greater", "Less", "Mul", "Or", "Pow", "Sub", "Xor"];

/** Whether a node of an operator set below 7 means something else than its like today. */
function isOtherwise({ domain = "", op_type = "", attribute = [] }: NodeMessage, version: number): boolean {
  if (domain !== "" && domain !== "ai.onnx") return false;
  if (Object.hasOwn(sameSince, op_type)) return version < sameSince[op_type]!;
  return aligned.includes(op_type) && attribute.some(({ name }) => name === "axis");
}

function checkOpset(opsets: Opsets, nodes: readonly NodeMessage[]): void {
  const version = opsets.get("") ?? 1;
  if (version > newestOpset)
    throw new GraphError(
      `onnx: the model is written in operator set ${version}; up to ${newestOpset} is known: export it with opset_version=${newestOpset} or lower`,
    );
  const node = version < oldestOpset && opsets.has("") ? nodes.find((n) => isOtherwise(n, version)) : undefined;
  if (node !== undefined)
    throw new GraphError(
      `onnx: ${nodeText(node)} is of operator set ${version}, in which it takes its operands in another way; ${oldestOpset} is the oldest that is read: convert the model in Python, onnx.version_converter.convert_version(model, 18)`,
    );
}

function chosenInputs(
  declared: ReadonlyMap<string, Port>,
  wanted: readonly string[] | undefined,
  used: ReadonlySet<string>,
): Map<string, Port> {
  if (wanted === undefined) return new Map(declared);
  for (const name of wanted)
    if (!declared.has(name)) throw new GraphError(`onnx: there is no input ${name}; the model has ${namesText(declared.keys())}`);
  const missing = [...declared.keys()].filter((name) => used.has(name) && !wanted.includes(name));
  if (missing.length > 0) throw new GraphError(`onnx: the outputs need ${namesText(missing)} too; inputs names ${namesText(wanted)}`);
  return new Map(wanted.map((name) => [name, declared.get(name)!]));
}

function checkedDims(dims: Readonly<Record<string, number>>, inputs: ReadonlyMap<string, Port>): Readonly<Record<string, number>> {
  const symbols = new Set([...inputs.values()].flatMap(({ shape }) => (shape ?? []).filter((s) => typeof s === "string")));
  for (const [name, size] of Object.entries(dims)) {
    if (!symbols.has(name))
      throw new GraphError(`onnx: dims has ${name}, and the inputs have no size of that name; they have ${namesText(symbols)}`);
    if (!Number.isInteger(size) || size < 0) throw new ShapeError(`onnx: dims.${name} is ${size}; a size is a whole number, 0 or more`);
  }
  return dims;
}

function modelOf<I extends string, O extends string>(opened: Opened, params: Readonly<Record<string, Tensor>>): Model<I, O> {
  const { parameters, inputs, outputs, file } = opened;
  const ports = new Map((file.graph.output ?? []).map((v) => [v.name ?? "", v]));
  const model: Model<I, O> = {
    params,
    trainable: parameters.filter((p) => p.trainable).map((p) => p.name),
    inputs: Object.fromEntries(inputs) as Model<I, O>["inputs"],
    outputs: Object.fromEntries(outputs.map((name) => [name, outputPort(ports.get(name))])) as Model<I, O>["outputs"],
    initializers: Object.fromEntries(parameters.map(({ name, initializer }) => [name, initializer])),
    tied: tiedNames(parameters),
    apply: (given, data, bound) => applyModel(opened, given, data, bound && replayOf(bound)) as { readonly [K in O]: Value },
    bind: (data, given = params) => bindModel(opened, given, data).bound(),
    with: (given) => modelOf(opened, { ...params, ...checkedWeights(opened, given) }),
  };
  behind.set(model, { ...opened, params });
  return model;
}

/** The type of an output, as far as the file has it. */
export function outputPort(v: ValueMessage | undefined): Port {
  return v?.type?.tensor_type === undefined ? { dtype: "f32", shape: null } : portOf(v);
}

function checkedWeights({ parameters }: Opened, given: Readonly<Record<string, Tensor>>): Readonly<Record<string, Tensor>> {
  const known = new Map(parameters.map((p) => [p.name, p]));
  for (const [name, value] of Object.entries(given)) {
    const own = known.get(name) ?? noWeight(name, parameters);
    if (!sameType(value.type, own.value.type))
      throw new ShapeError(`onnx: weight ${name} is ${typeText(own.value.type)}; ${typeText(value.type)} was given`);
  }
  return given;
}

/** The weights that stand in the file twice, by the name of the copy. */
function tiedNames(parameters: readonly Parameter[]): Record<string, string> {
  return Object.fromEntries(parameters.flatMap((p) => p.copies.map((copy) => [copy.name, p.name])));
}

function noWeight(name: string, parameters: readonly Parameter[]): never {
  const list = parameters.map((p) => p.name);
  const first = tiedNames(parameters);
  if (Object.hasOwn(first, name))
    throw new GraphError(
      `onnx: weight ${name} is tied to ${first[name]}, which stands for both; give that one, or read the model with { tie: false }`,
    );
  throw new GraphError(
    `onnx: there is no weight ${name}; the model has ${namesText(list.slice(0, 12))}${list.length > 12 ? `, and ${list.length - 12} more` : ""}`,
  );
}

/** The shape an input is expected to have, as far as it is known; names are bound by what was given before. */
function expected(port: Port, bound: ReadonlyMap<string, number>): readonly (number | null)[] | null {
  return port.shape === null ? null : port.shape.map((size) => (typeof size === "string" ? (bound.get(size) ?? null) : size));
}

/** Data for an input: a Value of the declared dtype, whose sizes agree with those declared and with each other. */
function inputValue(name: string, given: Operand | undefined, port: Port, bound: Map<string, number>): Value {
  if (given === undefined) throw new GraphError(`onnx: input ${name} is missing`);
  const wanted = expected(port, bound);
  const shown = `${port.dtype}[${(port.shape ?? ["..."]).map((s) => s ?? "?").join(",")}]`;
  let v: Value;
  if (typeof given === "number") v = lift(given, port.dtype);
  else if (isTypedArray(given)) {
    const flat = tensor(given, given instanceof Uint8Array && port.dtype === "bool" ? "bool" : undefined);
    const open = (wanted ?? []).filter((s) => s === null).length;
    const known = (wanted ?? []).reduce<number>((p, s) => p * (s ?? 1), 1);
    if (wanted === null || open > 1 || (open === 1 ? known === 0 || flat.data.length % known !== 0 : known !== flat.data.length))
      throw new ShapeError(
        `onnx: input ${name} is ${shown}, and a typed array of ${flat.data.length} elements was given; give a Tensor with its shape`,
      );
    v = constant({
      ...flat,
      type: tensorType(
        flat.type.dtype,
        wanted.map((s) => s ?? flat.data.length / known),
      ),
    });
  } else v = isValue(given) ? given : constant(given);
  const { shape, dtype } = v.type;
  if (wanted !== null && (wanted.length !== shape.length || wanted.some((s, i) => s !== null && s !== shape[i])))
    throw new ShapeError(
      `onnx: input ${name} is ${shown}${[...bound].length > 0 ? ` with ${[...bound].map(([k, s]) => `${k} = ${s}`).join(", ")}` : ""}; ${typeText(v.type)} was given`,
    );
  port.shape?.forEach((size, i) => {
    if (typeof size === "string") bound.set(size, shape[i]!);
  });
  if (dtype === port.dtype) return v;
  // Whole numbers are handed in as i32, which typed arrays have; files declare i64.
  if (isInteger(dtype) && isInteger(port.dtype)) return cast(v, port.dtype);
  throw new DTypeError(`onnx: input ${name} is ${shown}; ${typeText(v.type)} was given; write cast(..., "${port.dtype}")`);
}

/** Answers from what `bind` gave. */
export function replayOf(bound: Readonly<Record<string, Operand>>): Replay {
  return new Replay(new Map(Object.entries(bound).map(([site, v]) => [site, lift(v, "f64")])));
}

/** A value that is there, as a leaf that counts as data: what hangs on it is told apart. */
function pinned(given: Operand, name: string, dtype: DType): Value {
  if (isValue(given) && isKept(given)) return given;
  if (isTensor(given)) {
    // Nobody keeps it, so nothing is copied.
    const leaf = input(given.type, name);
    leaf.node.memo = given.type.shape.length === 0 ? given.data[0]! : given;
    return leaf;
  }
  const v = lift(given, dtype);
  const leaf = input(v.type, name);
  leaf.node.memo = heldBy(v);
  return leaf;
}

/** More kinds of answers than a model is asked for; then all nodes are looked at anew. */
const mostSeen = 1024;

/** {@link Model.bind}: what was asked of data, and what they answered. */
export function bindModel(
  opened: Opened,
  params: Readonly<Record<string, Operand>>,
  data: Readonly<Record<string, Operand>>,
  watch?: Watch,
): Recorder {
  const { nodes, outputs, asking, parameters, inputs } = opened;
  const weights = new Map(parameters.map((p) => [p.name, p.value.type.dtype]));
  // Who watches knows the Values of the weights, and says itself what counts as data.
  const given =
    watch === undefined
      ? Object.fromEntries(Object.entries(params).map(([name, v]) => [name, pinned(v, name, weights.get(name) ?? "f32")]))
      : params;
  const bound = new Map(Object.entries(opened.dims));
  const pins = Object.fromEntries(
    [...inputs].map(([name, port]) => [
      name,
      pinned(inputValue(name, Object.hasOwn(data, name) ? data[name] : undefined, port, bound), name, port.dtype),
    ]),
  );
  for (const name of Object.keys(data)) if (!inputs.has(name)) noInput(name, inputs.keys());
  const record = (some: readonly NodeMessage[], wanted: readonly string[]): Recorder => {
    const recorder = new Recorder();
    applyModel({ ...opened, nodes: some, outputs: wanted }, given, pins, recorder, watch);
    return recorder;
  };
  const types = Object.values(pins).map((v) => typeText(v.type));
  const kindOf = ({ found }: Recorder): string =>
    JSON.stringify([types, [...found].map(([site, { tensor: t }]) => [site, typeText(t.type)]).sort()]);
  if (asking.seen.size > 0) {
    const ends = [...asking.nodes].flatMap((node) => (node.output ?? []).filter((name) => name !== ""));
    const recorder = record(inOrder(nodes, ends, new Set()), []);
    if (asking.seen.has(kindOf(recorder))) return recorder;
  }
  const recorder = record(nodes, outputs);
  for (const { question } of recorder.found.values()) asking.nodes.add(question.top);
  if (asking.seen.size >= mostSeen) asking.seen.clear();
  asking.seen.add(kindOf(recorder));
  return recorder;
}

function noInput(name: string, known: Iterable<string>): never {
  throw new GraphError(`onnx: there is no input ${name}; the model has ${namesText(known)}`);
}

/** {@link Model.apply}, watched if that is wanted. */
export function applyModel(
  opened: Opened,
  params: Readonly<Record<string, Operand>>,
  data: Readonly<Record<string, Operand>>,
  answers: Answers = unbound(),
  watch?: Watch,
): Record<string, Value> {
  const { parameters, inputs, outputs, nodes, constants, opsets, functions, file, dims } = opened;
  const names = new Names();
  const known = new Map(parameters.map((p) => [p.name, p]));
  for (const name of Object.keys(params)) if (!known.has(name)) noWeight(name, parameters);
  for (const { name, initializer, value, copies } of parameters) {
    const given = Object.hasOwn(params, name) ? params[name] : undefined;
    if (given === undefined) throw new GraphError(`onnx: weight ${name} is missing; give all of model.params, changed or not`);
    const v = lift(given, value.type.dtype);
    if (!sameType(v.type, value.type))
      throw new ShapeError(`onnx: weight ${name} is ${typeText(value.type)}; ${typeText(v.type)} was given`);
    names.put(initializer, v);
    for (const copy of copies) names.put(copy.initializer, copy.transposed ? transpose(v) : v);
  }
  for (const name of Object.keys(data)) if (!inputs.has(name)) noInput(name, inputs.keys());
  const bound = new Map(Object.entries(dims));
  for (const [name, port] of inputs) names.put(name, inputValue(name, Object.hasOwn(data, name) ? data[name] : undefined, port, bound));
  for (const [name, value] of constants) names.put(name, constant(value));
  const tensorOf = file.tensor;
  applyNodes(nodes, names, opsets, {
    functions,
    answers,
    tensor: tensorOf,
    modules: new Map(),
    top: nodes[0] ?? {},
    applied: 0,
    ...(watch && { watch }),
  });
  return Object.fromEntries(
    outputs.map((name) => {
      const v = names.find(name);
      if (v == null) throw new GraphError(`onnx: output ${name} has no value`);
      if (isSequence(v))
        throw new GraphError(`onnx: output ${name} is a sequence; read a tensor of it: { outputs: [...] } names values inside too`);
      return [name, v];
    }),
  );
}
