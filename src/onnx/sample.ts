import { allocate, isFloat } from "../ir/dtype.ts";
import { ChainruleError, ShapeError } from "../ir/errors.ts";
import { type Graph, graphOf } from "../ir/graph.ts";
import { input, variable, variableOf } from "../ir/leaf.ts";
import type { Value } from "../ir/node.ts";
import { sizeOf } from "../ir/shape.ts";
import { hold, type Tensor } from "../ir/tensor.ts";
import type { Values } from "../ir/tree.ts";
import { type TensorType, tensorType } from "../ir/type.ts";
import { Recorder, unbound } from "./answers.ts";
import { applyModel, type Model, type Opened, openedOf, openParts, outputPort, type Port, type ReadOptions } from "./model.ts";
import type { Source } from "./model-file.ts";
import { checkOperators } from "./operators-used.ts";
import { pathOf, type Watch } from "./walk.ts";

/** A model applied once, at sizes that were chosen for it. */
export interface Sample {
  readonly params: Readonly<Record<string, Value>>;
  readonly inputs: Readonly<Record<string, Value>>;
  readonly outputs: Readonly<Record<string, Value>>;
  /** The numbers that stand for names of sizes. */
  readonly dims: Readonly<Record<string, number>>;
  /** What made-up data answered, where some node asked for data: the inputs then have such data. */
  readonly answers: Recorder | null;
}

/** What sizes are tried for names that nobody gave a number: the smallest first, then what images and sentences have. */
const tries: readonly number[] = [1, 8, 32, 224];

/** The types of the inputs, sizes without a number being `size`, but 1 along axis 0. @throws ShapeError where the number of axes is not known */
function typesOf(
  { inputs, dims }: Opened,
  size: number,
): { readonly types: Readonly<Record<string, TensorType>>; readonly dims: Readonly<Record<string, number>> } {
  const found = new Map(Object.entries(dims));
  const types = new Map<string, TensorType>();
  const sizeNamed = (name: string, other: number): number => {
    const own = found.get(name) ?? other;
    found.set(name, own);
    return own;
  };
  for (const [name, { dtype, shape }] of inputs) {
    if (shape === null)
      throw new ShapeError(
        `onnx: the file does not say how many axes the input ${name} has; export the model with shapes, or apply it to data`,
      );
    const sizes = shape.map((s, i) => {
      if (typeof s === "number") return s;
      const other = i === 0 ? 1 : size;
      return s === null ? other : sizeNamed(s, other);
    });
    types.set(name, tensorType(dtype, sizes));
  }
  return { types: Object.fromEntries(types), dims: Object.fromEntries(found) };
}

/** Data that most models can compute with: ones for whole numbers, which are tokens and masks, and small numbers that differ. */
export function madeUpData(type: TensorType): Tensor {
  const data = allocate(type.dtype, sizeOf(type.shape));
  for (let i = 0; i < data.length; i++) data[i] = isFloat(type.dtype) ? 0.5 + 0.25 * Math.sin(i) : 1;
  return hold(type, data);
}

/**
 * Applies a model to inputs without data, at sizes that fit; where a node asks for data, to made-up data.
 * @param as what the weights become: inputs, or variables with their values
 * @throws ChainruleError when no sizes fit
 */
export function sampleOf(opened: Opened, watch?: Watch, as: "input" | "variable" = "input"): Sample {
  const open = [...opened.inputs.values()].some(({ shape }) =>
    shape?.some((s, i) => i > 0 && typeof s !== "number" && !Object.hasOwn(opened.dims, s ?? "")),
  );
  let first: ChainruleError | null = null;
  for (const size of open ? tries : [1])
    for (const withData of [false, true])
      try {
        const { types, dims } = typesOf(opened, size);
        const params = Object.fromEntries(
          opened.parameters.map(({ name, value }) => [
            name,
            as === "variable" || withData ? variableOf(value, name) : input(value.type, name),
          ]),
        );
        const inputs = Object.fromEntries(
          Object.entries(types).map(([name, type]) => [name, withData ? variable(madeUpData(type), name) : input(type, name)]),
        );
        watch?.begin?.();
        const answers = withData ? new Recorder() : null;
        return { params, inputs, outputs: applyModel(opened, params, inputs, answers ?? unbound(), watch), dims, answers };
      } catch (error) {
        if (!(error instanceof ChainruleError)) throw error;
        first ??= error;
      }
  throw first!;
}

/** A model as a picture takes it. */
export interface ModelPicture {
  readonly graph: Graph<unknown, unknown>;
  /** The scope of each node of the file: what is drawn as one box. */
  readonly nodes: readonly string[];
}

/**
 * The model in a file as one graph, for pictures: its weights are variables with their values, its inputs have the sizes that `dims` gave, and 1 or what fits
 * where it gave none.
 * @throws as `onnx.read`; ChainruleError when no sizes fit
 */
export async function modelPicture(source: Source, options: ReadOptions<string, string> = {}): Promise<ModelPicture> {
  const opened = await openParts(source, options);
  checkOperators(opened.nodes, opened.functions, opened.parameters, opened.outputs);
  const { inputs, outputs } = sampleOf(opened, undefined, "variable");
  return {
    graph: graphOf<unknown, unknown>(inputs as Values<unknown>, outputs),
    nodes: opened.nodes.map((node) => pathOf(node).join("/")),
  };
}

/** At what sizes a model can be applied, and how a picture of it may be cut. */
export interface Applicable {
  /** The type of each input, sizes without a number being 1 along axis 0 and elsewhere the first of 1, 8, 32 and 224 that the model takes. */
  readonly inputs: Readonly<Record<string, TensorType>>;
  /** The numbers that stand for names of sizes. */
  readonly dims: Readonly<Record<string, number>>;
  /** The scope of each node of the file; closed in a picture (`closed`), each is one box. */
  readonly nodes: readonly string[];
}

/**
 * Finds sizes at which a model can be applied, for data that is made up: a picture, a trial, a benchmark. A model that was read is not read again.
 * @throws as `onnx.read`; ChainruleError when no sizes fit
 */
export async function applicable(source: Source | Model<string, string>, options: ReadOptions<string, string> = {}): Promise<Applicable> {
  const opened = openedOf(source) ?? (await openParts(source as Source, options));
  checkOperators(opened.nodes, opened.functions, opened.parameters, opened.outputs);
  const { inputs, dims } = sampleOf(opened);
  return {
    inputs: Object.fromEntries(Object.entries(inputs).map(([name, v]) => [name, v.type])),
    dims,
    nodes: opened.nodes.map((node) => pathOf(node).join("/")),
  };
}

/** What is known of a model before its weights are read: enough for a picture, in a moment for a file of any size. */
export interface Outline extends Applicable {
  /** The weights by name, their numbers unread. */
  readonly parameters: { readonly [name: string]: { readonly type: TensorType; readonly trainable: boolean } };
  readonly outputs: { readonly [name: string]: Port };
  /**
   * The model at those sizes, for pictures, `costOf` and printing: its weights are variables. Numbers of large weights are not there: what needs them
   * is told so.
   */
  readonly graph: Graph<unknown, unknown>;
}

/**
 * Looks at a model: its inputs, outputs, weights and graph, without the numbers of its large weights, which stay in the file or Blob. Where the sizes of
 * the graph depend on those, they are read all the same.
 * @throws as `onnx.read`; ChainruleError when no sizes fit
 */
export async function outline(source: Source, options: ReadOptions<string, string> = {}): Promise<Outline> {
  try {
    return outlineOf(await openParts(source, options, "absent"));
  } catch (error) {
    if (!(error instanceof ChainruleError)) throw error;
    // Perhaps for want of a weight's numbers; what is wrong otherwise is wrong again.
    return outlineOf(await openParts(source, options));
  }
}

function outlineOf(opened: Opened): Outline {
  checkOperators(opened.nodes, opened.functions, opened.parameters, opened.outputs);
  const { inputs, outputs, dims } = sampleOf(opened, undefined, "variable");
  const ports = new Map((opened.file.graph.output ?? []).map((v) => [v.name ?? "", v]));
  return {
    inputs: Object.fromEntries(Object.entries(inputs).map(([name, v]) => [name, v.type])),
    outputs: Object.fromEntries(opened.outputs.map((name) => [name, outputPort(ports.get(name))])),
    parameters: Object.fromEntries(opened.parameters.map(({ name, value, trainable }) => [name, { type: value.type, trainable }])),
    dims,
    nodes: opened.nodes.map((node) => pathOf(node).join("/")),
    graph: graphOf<unknown, unknown>(inputs as Values<unknown>, outputs),
  };
}
