import { parseSafetensors, serializeSafetensors } from "../data/safetensors.ts";
import { differences } from "../data/tensor-tree.ts";
import { evaluate } from "../evaluate/evaluate.ts";
import { readWhole, withFile } from "../files/open-file.ts";
import { writeFileWhole } from "../files/write-file.ts";
import { allocate, isFloat } from "../ir/dtype.ts";
import { DomainError, GraphError, ParseError, ShapeError } from "../ir/errors.ts";
import { constant, isValue, lift, variable } from "../ir/leaf.ts";
import type { Value } from "../ir/node.ts";
import type { Operand } from "../ir/op.ts";
import { sizeOf } from "../ir/shape.ts";
import { hold, type Tensor } from "../ir/tensor.ts";
import { sameType, tensorType, typeText } from "../ir/type.ts";
import { checkOptionNames, checkRecord, listed } from "../notation/given.ts";
import type { Bound } from "../onnx/answers.ts";
import { applyModel, bindModel, type Model, type Opened, openedOf, replayOf } from "../onnx/model.ts";
import { type Parameter, placesOf, usesOf } from "../onnx/parameters.ts";
import type { NodeMessage } from "../onnx/schema.ts";
import type { Watch } from "../onnx/walk.ts";
import { add, cast, conv, matmul, mul, reshape, sub, transpose } from "../ops/index.ts";
import { fold, key, uniform } from "../random/random.ts";
import { chosenWeights, matchedWeights } from "./trainables.ts";

/** What to adapt, and how. */
export interface LoraOptions {
  /** The inner size of each adapter: the rank of the change of a weight. */
  readonly rank: number;
  /** The change is `alpha / rank` times the product of the two factors; `rank` when left out. */
  readonly alpha?: number;
  /**
   * Patterns of the weights that get an adapter; `*` stands for any characters. When left out, the matrices of all products (`MatMul`, `Gemm`), or of all
   * convolutions where there are none.
   */
  readonly targets?: readonly string[];
  /** Patterns of weights that are trained as they are, beside the adapters: biases, norms, a new head. */
  readonly also?: readonly string[];
  /** Where the first numbers come from; 0 when left out. */
  readonly seed?: number;
}

/** A model with its weights as they are, and small factors beside some of them which alone are trained. */
export interface Lora<I extends string, O extends string> {
  /** The factors as they begin, and the weights of `also`, by name: what `train` takes. The model computes what it computed before. */
  readonly params: { readonly [name: string]: Tensor };
  readonly rank: number;
  readonly alpha: number;
  /** The weights that have adapters. */
  readonly targets: readonly string[];
  /** The adapted model as a function of its factors and inputs. @throws as `model.apply`; GraphError, ShapeError for factors that are not these */
  apply(
    params: { readonly [name: string]: Operand },
    inputs: { readonly [K in I]: Operand },
    bound?: { readonly [site: string]: Operand },
  ): { readonly [K in O]: Value };
  /** What data decide in the adapted model, as `model.bind` tells; the factors as they begin when left out. @throws as `model.bind` */
  bind(inputs: { readonly [K in I]: Operand }, params?: { readonly [name: string]: Operand }): Bound;
  /** The model with the changes added to its weights: what is written as a file. @throws GraphError, ShapeError for factors that are not these */
  merge(params: { readonly [name: string]: Tensor }): Model<I, O>;
}

/** How the factors of a weight go into the model: beside a product or convolution, or into the weight itself, whatever uses it. */
type Way = "in, out" | "out, in" | "conv" | "weight";

interface Target {
  readonly name: string;
  readonly weight: Tensor;
  readonly way: Way;
  readonly a: string;
  readonly b: string;
  readonly aShape: readonly number[];
  readonly bShape: readonly number[];
}

function attribute(node: NodeMessage, name: string): number {
  return node.attribute?.find((a) => a.name === name)?.i ?? 0;
}

/** How all uses of a weight take it; "weight" where they differ, or are no products. */
function wayOf(weight: Tensor, uses: readonly { readonly node: NodeMessage; readonly at: number }[]): Way {
  const ways = new Set(
    uses.map(({ node, at }): Way => {
      if (at !== 1 || (node.domain ?? "") !== "") return "weight";
      const rank = weight.type.shape.length;
      if (node.op_type === "MatMul" && rank === 2) return "in, out";
      if (node.op_type === "Gemm" && rank === 2) return attribute(node, "transB") === 0 ? "in, out" : "out, in";
      if (node.op_type === "Conv" && rank > 2 && Math.max(1, attribute(node, "group")) === 1) return "conv";
      return "weight";
    }),
  );
  return ways.size === 1 ? [...ways][0]! : "weight";
}

/** Names as PEFT has them, so that other tools know them again. */
function factorName(weight: string, factor: "A" | "B"): string {
  return `${weight.replace(/\.weight$/, "")}.lora_${factor}.weight`;
}

function targetOf(name: string, weight: Tensor, way: Way, rank: number): Target {
  const { shape, dtype } = weight.type;
  if (!isFloat(dtype) || shape.length < 2)
    throw new ShapeError(
      `lora: ${name} is ${typeText(weight.type)}; an adapter is a product of two matrices, so its weight has two axes or more`,
    );
  const [first = 1, ...rest] = shape;
  const width = sizeOf(rest);
  const most = Math.min(first, width);
  if (rank > most)
    throw new ShapeError(
      `lora: rank ${rank} is larger than ${name}, ${typeText(weight.type)}, has room for; it is ${most} at most, and much smaller in use`,
    );
  const names = { name, weight, way, a: factorName(name, "A"), b: factorName(name, "B") };
  if (way === "in, out") return { ...names, aShape: [rank, first], bShape: [width, rank] };
  if (way === "conv") return { ...names, aShape: [rank, ...rest], bShape: [first, rank, ...rest.slice(1).map(() => 1)] };
  return { ...names, aShape: [rank, width], bShape: [first, rank] };
}

/** The change of a weight, in its own shape. */
function changeOf({ weight, way }: Target, a: Value, b: Value, scale: number): Value {
  const rank = a.type.shape[0]!;
  const product = matmul(reshape(b, { shape: [-1, rank] }), reshape(a, { shape: [rank, -1] }));
  return mul(reshape(way === "in, out" ? transpose(product) : product, { shape: weight.type.shape }), scale);
}

/** What the factors add to a result: the rule of the node with A for its weight, then B, which for a convolution is one of points. */
function applied(target: Target, x: Value, a: Value, b: Value, apply: (x: Value, w: Value) => Value): Value {
  if (target.way === "conv") return conv(apply(x, a), b);
  return matmul(apply(x, target.way === "in, out" ? transpose(a) : a), transpose(b));
}

function checkedFactors(like: Readonly<Record<string, Tensor>>, given: Readonly<Record<string, Operand>>): Map<string, Value> {
  const found = new Map<string, Value>();
  for (const name of Object.keys(given))
    if (!Object.hasOwn(like, name)) throw new GraphError(`lora: there is no factor ${name}; there are ${listed(Object.keys(like))}`);
  for (const [name, { type }] of Object.entries(like)) {
    const own = Object.hasOwn(given, name) ? given[name] : undefined;
    if (own === undefined) throw new GraphError(`lora: factor ${name} is missing; give all of params, changed or not`);
    const v = lift(own, type.dtype);
    if (!sameType(v.type, type)) throw new ShapeError(`lora: factor ${name} is ${typeText(type)}; ${typeText(v.type)} was given`);
    found.set(name, v);
  }
  return found;
}

function firstFactor(target: Target, seed: number): Tensor {
  const type = tensorType(target.weight.type.dtype, target.aShape);
  const bound = 1 / Math.sqrt(sizeOf(target.aShape.slice(1)));
  const drawn = uniform(fold(key(seed), target.a), tensorType("f32", target.aShape));
  const spread = mul(sub(drawn, 0.5), 2 * bound);
  return evaluate(type.dtype === "f32" ? spread : cast(spread, type.dtype));
}

/**
 * Low-rank adapters (Hu et al. 2021, arXiv:2106.09685): each target W gets a change `alpha / rank * B A` of two small factors, which alone are trained; A begins
 * with small random numbers and B with zeros, so that the model begins as it was. Beside a product or convolution the factors are applied one after the other, and
 * no gradient of the size of W is made; a weight with other uses is changed itself.
 *
 * `const adapted = lora(model, { rank: 8 })`, then `train({ params: adapted.params, loss: (p, batch) => ... adapted.apply(p, ...) })`, then
 * `onnx.save(path, adapted.merge(params))`.
 * @throws DomainError for a rank or alpha that is none; GraphError for patterns that name nothing and models that `onnx.read` did not give; ShapeError for weights
 *   without two axes, or smaller than the rank
 */
export function lora<I extends string, O extends string>(model: Model<I, O>, options: LoraOptions): Lora<I, O> {
  checkOptionNames("lora", options, ["rank", "alpha", "targets", "also", "seed"], "lora(model, { rank: 8 })", { r: "rank" });
  const { rank, alpha = rank, targets: patterns, also, seed = 0 } = options;
  if (!Number.isInteger(rank) || rank < 1) throw new DomainError(`lora: rank is ${rank}; it is a whole number, 1 or more`);
  if (!(alpha > 0 && alpha < Number.POSITIVE_INFINITY)) throw new DomainError(`lora: alpha is ${alpha}; it is a number above 0`);
  const opened = openedOf(model);
  if (opened === undefined) throw new GraphError("lora: this is no model that onnx.read gave");
  const names = Object.keys(model.params);
  const ways = waysOf(opened);
  const chosen = patterns === undefined ? usual(ways, model.trainable) : [...matchedWeights(patterns, model, "lora: targets")];
  if (chosen.length === 0)
    throw new GraphError(
      `lora: the model has no product and no convolution whose weight is trained; name weights in targets: ${listed(names)}`,
    );
  const targets = chosen.map((name) => targetOf(name, model.params[name]!, ways.get(name)!, rank));
  const whole = also === undefined ? [] : [...chosenWeights(also, model, "lora: also")].filter((name) => !chosen.includes(name));
  const params: Record<string, Tensor> = Object.fromEntries(whole.map((name) => [name, model.params[name]!]));
  for (const target of targets) {
    for (const name of [target.a, target.b])
      if (Object.hasOwn(params, name) || names.includes(name))
        throw new GraphError(
          `lora: the adapter of ${target.name} would be called ${name}, and there is one of that name; merge the adapters first`,
        );
    params[target.a] = firstFactor(target, seed);
    const { dtype } = target.weight.type;
    params[target.b] = hold(tensorType(dtype, target.bShape), allocate(dtype, sizeOf(target.bShape)));
  }
  const scale = alpha / rank;
  const adaptedParts = (given: Readonly<Record<string, Operand>>): { readonly weights: Record<string, Value>; readonly watch: Watch } => {
    const factors = checkedFactors(params, given);
    const weights: Record<string, Value> = Object.fromEntries(
      names.map((name) => [name, factors.get(name) ?? constant(model.params[name]!)]),
    );
    const beside = new Map<Value, Target>();
    for (const target of targets) {
      const w = weights[target.name]!;
      if (target.way === "weight") weights[target.name] = add(w, changeOf(target, factors.get(target.a)!, factors.get(target.b)!, scale));
      else beside.set(w, target);
    }
    const watch: Watch = {
      instead: (_, operands, again) => {
        const target = operands[1] == null ? undefined : beside.get(operands[1]);
        if (target === undefined) return null;
        const [x, , ...others] = operands as [Value, Value, ...(Value | null)[]];
        const one = (first: Value, w: Value): Value => again([first, w]) as Value;
        const change = applied(target, x, factors.get(target.a)!, factors.get(target.b)!, one);
        return add(again([x, operands[1]!, ...others]) as Value, mul(change, scale));
      },
    };
    return { weights, watch };
  };
  const apply = (
    given: Readonly<Record<string, Operand>>,
    inputs: Readonly<Record<string, Operand>>,
    bound?: Readonly<Record<string, Operand>>,
  ): Record<string, Value> => {
    const { weights, watch } = adaptedParts(given);
    return applyModel(opened, weights, inputs, bound && replayOf(bound), watch);
  };
  const bind: Lora<I, O>["bind"] = (inputs, given = params) => {
    const { weights, watch } = adaptedParts(
      Object.fromEntries(Object.entries(given).map(([name, v]) => [name, isValue(v) ? v : variable(v, name)])),
    );
    return bindModel(opened, weights, inputs, watch).bound();
  };
  const merge = (given: Readonly<Record<string, Tensor>>): Model<I, O> => {
    const factors = checkedFactors(params, given);
    const changed = targets.map((target) => [
      target.name,
      evaluate(add(constant(target.weight), changeOf(target, factors.get(target.a)!, factors.get(target.b)!, scale))),
    ]);
    return model.with({ ...Object.fromEntries(whole.map((name) => [name, given[name]!])), ...Object.fromEntries(changed) });
  };
  return { params, rank, alpha, targets: chosen, apply: apply as unknown as Lora<I, O>["apply"], bind, merge };
}

function waysOf({ nodes, parameters }: Opened): Map<string, Way> {
  const uses = usesOf(nodes);
  const way = (p: Parameter): Way =>
    // Turned it is another value, which no adapter stands beside.
    p.copies.some((copy) => copy.transposed)
      ? "weight"
      : wayOf(
          p.value,
          placesOf(p).flatMap((name) => uses.get(name) ?? []),
        );
  return new Map(parameters.map((p) => [p.name, way(p)]));
}

/** Products where there are any, else convolutions. */
function usual(ways: ReadonlyMap<string, Way>, trainable: readonly string[]): string[] {
  const products = trainable.filter((name) => ways.get(name) === "in, out" || ways.get(name) === "out, in");
  return products.length > 0 ? products : trainable.filter((name) => ways.get(name) === "conv");
}

const settingsKey = "chainrule.lora";

/**
 * Writes factors to a safetensors file, with what they belong to; whole or not at all. Node only.
 * @throws GraphError, ShapeError for factors that are not those of the adapters; DomainError when the file cannot be written
 */
export async function saveAdapters(
  path: string,
  adapted: Lora<string, string>,
  params: { readonly [name: string]: Tensor },
): Promise<void> {
  const adapters = "saveAdapters(path, adapted, params)";
  checkRecord("saveAdapters", "the second argument", adapted, ["params", "rank"], `what lora gave: ${adapters}`);
  checkRecord("saveAdapters", "the third argument", params, [], `the trained factors, by name: ${adapters}`);
  const { params: like, rank, alpha, targets } = adapted;
  checkedFactors(like, params);
  await writeFileWhole(path, serializeSafetensors({ ...params }, { [settingsKey]: JSON.stringify({ rank, alpha, targets }) }));
}

/**
 * Reads factors that {@link saveAdapters} wrote and puts them beside the weights of the model that they were trained for. Node only.
 * @throws ParseError for files that are no such factors, or those of another model, with the names and shapes that differ
 */
export async function loadAdapters<I extends string, O extends string>(
  path: string,
  model: Model<I, O>,
): Promise<{ readonly adapted: Lora<I, O>; readonly params: { readonly [name: string]: Tensor } }> {
  const { tensors, metadata } = parseSafetensors(await withFile(path, readWhole));
  const settings = settingsIn(metadata[settingsKey]);
  if (settings === null)
    throw new ParseError(
      `${path}: it does not say that its tensors are adapters; saveAdapters writes them, and loadTensors reads tensors alone`,
    );
  const missing = settings.targets.filter((name) => !Object.hasOwn(model.params, name));
  const tied = missing.find((name) => Object.hasOwn(model.tied, name));
  if (tied !== undefined)
    throw new ParseError(
      `${path}: it has an adapter of ${tied}, which is tied to ${model.tied[tied]} here; read the model with { tie: false }, as it was for these adapters`,
    );
  if (missing.length > 0)
    throw new ParseError(`${path}: its adapters are those of another model: there is no weight ${listed(missing)} here`);
  const also = Object.keys(tensors).filter((name) => Object.hasOwn(model.params, name));
  const adapted = lora(model, { ...settings, ...(also.length > 0 && { also }) });
  const faults = differences(tensors, adapted.params);
  if (faults.length > 0) throw new ParseError(`${path}: its adapters are those of another model:\n  ${faults.join("\n  ")}`);
  return { adapted, params: tensors };
}

function settingsIn(text: string | undefined): { readonly rank: number; readonly alpha: number; readonly targets: string[] } | null {
  if (text === undefined) return null;
  try {
    const { rank, alpha, targets } = JSON.parse(text) as Record<string, unknown>;
    const fits =
      typeof rank === "number" && typeof alpha === "number" && Array.isArray(targets) && targets.every((t) => typeof t === "string");
    return fits ? { rank, alpha, targets: targets as string[] } : null;
  } catch {
    return null;
  }
}
