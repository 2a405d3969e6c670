import { evaluate } from "../evaluate/evaluate.ts";
import { type DType, isFloat } from "../ir/dtype.ts";
import { GraphError } from "../ir/errors.ts";
import { constant } from "../ir/leaf.ts";
import { isKept, type Value } from "../ir/node.ts";
import type { Shape } from "../ir/shape.ts";
import { type Tensor, tensor } from "../ir/tensor.ts";
import { typeText } from "../ir/type.ts";
import { type Answers, type Question, tried } from "./answers.ts";
import type { AttributeMessage, GraphMessage, NodeMessage } from "./schema.ts";
import { textOf } from "./wire.ts";

/** What an operator's rule gives: its results in order; null for one that is not made. */
export type Results = Value | readonly (Value | null)[];
/** How an operator is made of our ops. */
export type Rule = (n: Application) => Results;
/** The operators of a family. */
export type Family = Readonly<Record<string, Rule>>;

/** What a rule may ask of the walk that applies it. */
export interface Surroundings {
  /** Applies a graph-valued attribute, whose nodes also see the values around the node; `at` tells one application from another. */
  body(graph: GraphMessage, inputs: readonly Value[], at: string, may?: "tensors" | "sequences"): Value[];
  /** Where the node stands, behind the nodes around it. */
  readonly site: string;
  /** The node of the model itself in which it lies. */
  readonly top: NodeMessage;
  readonly answers: Answers;
  /** Whether an `IsNaN` looks at the node's first result. */
  readonly doubted: boolean;
  /** The bytes of a tensor that stands in another file. */
  tensor(message: NonNullable<AttributeMessage["t"]>, where: string): Tensor;
}

/** What to do about a part that hangs on data. */
export const bindIt = "compute it first and bind it: model.apply(params, inputs, model.bind(data)), or apply the model to concrete data";

/** What a node is called in messages. */
export function nodeText({ name, op_type, output }: NodeMessage): string {
  const own = name !== undefined && name !== "" ? name : `with output ${output?.find((o) => o !== "") ?? "none"}`;
  return `node ${own} (${op_type ?? "without an operator"})`;
}

/** One node of a model while it is turned into ours: its operands as Values, its attributes by name and kind. */
export class Application {
  readonly message: NodeMessage;
  readonly op: string;
  /** The version of the operator set that the node is written in. */
  readonly opset: number;
  readonly operands: readonly (Value | null)[];
  private readonly around: Surroundings;
  private readonly attributes: ReadonlyMap<string, AttributeMessage>;

  constructor(
    message: NodeMessage,
    opset: number,
    operands: readonly (Value | null)[],
    attributes: ReadonlyMap<string, AttributeMessage>,
    around: Surroundings,
  ) {
    this.message = message;
    this.op = message.op_type ?? "";
    this.opset = opset;
    this.operands = operands;
    this.attributes = attributes;
    this.around = around;
  }

  /** @throws GraphError with the node's name and what is wrong with it */
  refuse(why: string): never {
    const lesson = `onnx: ${nodeText(this.message)}: ${why}`;
    throw new GraphError(lesson, { op: this.op });
  }

  /** Operand `i`. @throws GraphError where it is missing */
  get(i: number): Value {
    return this.operands[i] ?? this.refuse(`operand ${i} is missing; the file is not valid ONNX`);
  }
  maybe(i: number): Value | null {
    return this.operands[i] ?? null;
  }
  has(i: number): boolean {
    return this.maybe(i) !== null;
  }
  /** All operands, none of which may be left out. */
  all(): Value[] {
    return this.operands.map((_, i) => this.get(i));
  }
  shape(i: number): Shape {
    return this.get(i).type.shape;
  }
  rank(i: number): number {
    return this.shape(i).length;
  }
  dtype(i: number): DType {
    return this.get(i).type.dtype;
  }
  /** An axis attribute or number, counted from the front. */
  axis(axis: number, rank: number): number {
    if (!Number.isInteger(axis) || axis < -rank || axis >= rank) this.refuse(`axis ${axis} is out of range for rank ${rank}`);
    return axis < 0 ? axis + rank : axis;
  }
  /** How many results are used: those that have names. */
  get wanted(): number {
    const { output = [] } = this.message;
    return output.length;
  }
  /** Whether an `IsNaN` looks at the first result. */
  get doubted(): boolean {
    return this.around.doubted;
  }
  /** Whether result `i` has a name. */
  wants(i: number): boolean {
    return (this.message.output?.[i] ?? "") !== "";
  }

  private find<T>(name: string, pick: (a: AttributeMessage) => T | undefined, kind: string): T | undefined {
    const found = this.attributes.get(name);
    if (found === undefined) return undefined;
    return pick(found) ?? this.refuse(`attribute ${name} is no ${kind}`);
  }
  hasAttribute(name: string): boolean {
    return this.attributes.has(name);
  }
  int(name: string, fallback: number): number {
    // proto3 writers leave a 0 out.
    return this.find(name, (a) => a.i ?? (a.type === 2 ? 0 : undefined), "whole number") ?? fallback;
  }
  float(name: string, fallback: number): number {
    return this.find(name, (a) => a.f ?? (a.type === 1 ? 0 : undefined), "number") ?? fallback;
  }
  text(name: string, fallback: string): string {
    return (
      this.find(name, (a) => (a.s === undefined ? (a.type === 3 ? "" : undefined) : textOf(a.s, `attribute ${name}`)), "text") ?? fallback
    );
  }
  texts(name: string): string[] | undefined {
    return this.find(name, (a) => (a.strings ?? []).map((s) => textOf(s, `attribute ${name}`)), "list of texts");
  }
  ints(name: string): readonly number[] | undefined {
    return this.find(name, (a) => a.ints ?? (a.type === 7 ? [] : undefined), "list of whole numbers");
  }
  floats(name: string): readonly number[] | undefined {
    return this.find(name, (a) => a.floats ?? (a.type === 6 ? [] : undefined), "list of numbers");
  }
  tensor(name: string): Tensor | undefined {
    return this.find(
      name,
      (a) => (a.t === undefined ? undefined : this.around.tensor(a.t, `attribute ${name} of ${nodeText(this.message)}`)),
      "tensor",
    );
  }
  graph(name: string): GraphMessage {
    return this.find(name, (a) => a.g, "graph") ?? this.refuse(`attribute ${name}, a graph, is missing`);
  }
  /** A graph inside the node, applied. @param may what it may give: sequences too where it is unfolded here and now, so that no op of ours carries them */
  body(graph: GraphMessage, inputs: readonly Value[], at: string, may: "tensors" | "sequences" = "tensors"): Value[] {
    return this.around.body(graph, inputs, at, may);
  }

  /** Whether the numbers of a value are data's to tell. */
  hangs(v: Value): boolean {
    return this.around.answers.hangs(v);
  }
  /** Whether what hangs on data is told apart from the rest, so that what cannot be written down as one static graph may be asked. */
  get splits(): boolean {
    return this.around.answers.splits;
  }
  /** Whether a way is being tried that has to do without answers. */
  get trying(): boolean {
    return this.around.answers.trying > 0;
  }
  private question(what: string, i = 0): Question {
    const { site, top } = this.around;
    return { site: i === 0 ? site : `${site}:${i}`, node: this.message, top, what };
  }
  /** What `build` gives; null where it failed and there is another way: one by answers, or, with `anyway`, in any case. */
  tried<T>(build: () => T, anyway = false): T | null {
    return tried(this.around.answers, build, anyway);
  }
  /** One number that is made of operands. @throws as `known` */
  number(what: string, v: () => Value): number {
    return this.around.answers.numbers(this.question(what), v)?.[0] ?? this.unknown(what, this.message.input?.[0]);
  }
  /** The answer that was given to a question of this node, or null. */
  told(what: string): number | null {
    return this.around.answers.told(this.question(what))?.[0] ?? null;
  }
  /** The number of a value that can be read now, or null. */
  read(v: Value): number | null {
    return this.around.answers.read(v)?.[0] ?? null;
  }
  /** Keeps a number that was found out by itself as the answer to a question. */
  note(what: string, x: number, from: readonly Value[]): void {
    this.around.answers.note(this.question(what), [x], from);
  }
  /** Whole numbers made of those of operand `i`, as i64, whose count hangs on them too. @throws as `known` */
  places(i: number, what: string, make: (numbers: readonly number[]) => Tensor): Value {
    return this.around.answers.places(this.question(what, i), this.get(i), make) ?? this.unknown(what, this.message.input?.[i]);
  }
  /** @throws GraphError for what hangs on data that nobody has */
  unknown(what: string, name?: string): never {
    throw new GraphError(
      `onnx: ${nodeText(this.message)}: ${what}${name === undefined ? "" : `, ${name},`} depends on the data of an input, and a graph has static shapes; ${bindIt}`,
      { op: this.op },
    );
  }

  /**
   * The numbers of an operand that shapes or loops are made of. Whatever can be computed from shapes, constants and the data given is; a graph
   * under construction has no data, and its shapes are static.
   * @throws GraphError where the operand depends on an input that has no value yet
   */
  known(i: number, what: string): readonly number[] {
    const v = this.get(i);
    return this.around.answers.numbers(this.question(what, i), () => v) ?? this.unknown(what, this.message.input?.[i]);
  }
  /** {@link known}, or undefined where the operand is left out. */
  knownOr(i: number, what: string): readonly number[] | undefined {
    return this.has(i) ? this.known(i, what) : undefined;
  }
  /** Whether an operand can be computed now. */
  isKnown(i: number): boolean {
    return isKnownValue(this.get(i));
  }

  /** Whether an operand can be computed now and nobody can ask for a derivative through it: only then may it become a plain number. */
  isFixed(i: number): boolean {
    return !isKept(this.get(i)) && this.isKnown(i);
  }

  /** A list that older operator sets write as an attribute and newer ones as operand `i`. */
  list(name: string, i: number): readonly number[] | undefined {
    return this.ints(name) ?? this.knownOr(i, name);
  }

  /** @throws GraphError where operand `i` is not floating-point */
  floating(i: number): Value {
    const v = this.get(i);
    if (!isFloat(v.type.dtype)) this.refuse(`operand ${i} is ${typeText(v.type)}; it has to be floating-point`);
    return v;
  }
}

/** Whether a value can be computed now: it depends on no input without data. */
export function isKnownValue(v: Value): boolean {
  try {
    evaluate(v);
    return true;
  } catch (error) {
    if (error instanceof GraphError) return false;
    throw error;
  }
}

/** The first number of a value that can be computed now. */
export function knownNumber(v: Value): number {
  return evaluate(v).data[0]!;
}

/** Whole numbers as an i64 constant. */
export function wholeNumbers(numbers: readonly number[]): Value {
  return constant(tensor(Float64Array.from(numbers), { kind: "type", dtype: "i64", shape: [numbers.length] }));
}
