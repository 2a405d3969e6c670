import { evaluate } from "../evaluate/evaluate.ts";
import { ChainruleError, GraphError, ShapeError } from "../ir/errors.ts";
import { constant } from "../ir/leaf.ts";
import { isKept, type Value } from "../ir/node.ts";
import { hold, type Tensor } from "../ir/tensor.ts";
import { type TensorType, tensorType, typeText } from "../ir/type.ts";
import { cast } from "../ops/index.ts";
import type { NodeMessage } from "./schema.ts";

/** What a node asks of data: a shape, a number of rounds, which branch, which places. */
export interface Question {
  /** Where it is asked: the result of the node that asks, behind those of the nodes around it. One place asks one question in a walk. */
  readonly site: string;
  readonly node: NodeMessage;
  /** The node of the model itself in which it lies. */
  readonly top: NodeMessage;
  readonly what: string;
}

/** Who tells nodes what they ask of data while a model is applied. */
export interface Answers {
  /** Whether the parts of a model that hang on data are told apart from the rest, which then is one static graph. */
  readonly splits: boolean;
  /** More than 0 while a way is tried that has to do without answers. */
  trying: number;
  /** Whether the numbers of `v` are data's to tell. */
  hangs(v: Value): boolean;
  /** What is read while a model is applied, without an answer being kept; null where it cannot be. */
  read(v: Value): readonly number[] | null;
  /** An answer that was kept, or null. */
  told(question: Question): readonly number[] | null;
  /** The numbers of a value; null where they hang on data that nobody has. */
  numbers(question: Question, v: () => Value): readonly number[] | null;
  /** Whole numbers that are made of those of a value and whose count hangs on them too, as i64; null as above. */
  places(question: Question, v: Value, make: (numbers: readonly number[]) => Tensor): Value | null;
  /** Keeps numbers that a rule found out by itself, by reading these values. */
  note(question: Question, numbers: readonly number[], from: readonly Value[]): void;
}

/** What data decided in a model, by the place where it was asked: what `bind` gives and `apply` takes. */
export type Bound = { readonly [site: string]: Tensor };

/** More numbers than shapes are made of. */
const mostNumbers = 4096;

/**
 * Numbers that shapes are made of, as a tensor without elements whose shape is these numbers: a program is kept for the types of what it takes, and so
 * one is kept for each choice of them. Whole numbers of both signs are folded onto 0, 1, 2...; others are the two halves of their 64 bits.
 */
export function numbersAsType(numbers: readonly number[], { node, what }: Pick<Question, "node" | "what">): Tensor {
  if (numbers.length > mostNumbers)
    throw new ShapeError(
      `onnx: ${node.op_type ?? "a node"} asks for ${what}, ${numbers.length} numbers of data that its shapes are made of; ${mostNumbers} is the most`,
    );
  const whole = numbers.every((x) => Number.isSafeInteger(x) && Math.abs(x) < 2 ** 51);
  const bits = (x: number): number[] => [...new Uint32Array(Float64Array.of(x).buffer)];
  const sizes = whole ? numbers.map((x) => (x < 0 ? -2 * x - 1 : 2 * x)) : numbers.flatMap(bits);
  return hold(tensorType(whole ? "i64" : "f64", [0, ...sizes]), new Float64Array(0));
}

/** The numbers in a type. @throws ShapeError for a type that has none */
function numbersInType({ dtype, shape }: TensorType, site: string): readonly number[] {
  const sizes = shape.slice(1);
  if (shape[0] !== 0 || (dtype !== "i64" && (dtype !== "f64" || sizes.length % 2 === 1)))
    throw new ShapeError(
      `onnx: what is bound at ${site} is ${typeText({ kind: "type", dtype, shape })}; give what model.bind(...) gave, unchanged`,
    );
  if (dtype === "i64") return sizes.map((s) => (s % 2 === 1 ? -(s + 1) / 2 : s / 2));
  return [...new Float64Array(Uint32Array.from(sizes).buffer)];
}

function numbersOf(v: Value): readonly number[] | null {
  try {
    return Array.from(evaluate(v).data);
  } catch (error) {
    if (error instanceof GraphError) return null;
    throw error;
  }
}

/** Answers where a model is one function of its inputs: whatever can be computed now is known, nothing else. */
export function unbound(): Answers {
  return {
    splits: false,
    trying: 0,
    hangs: (v) => numbersOf(v) === null,
    read: numbersOf,
    told: () => null,
    numbers: (_, v) => numbersOf(v()),
    places: (_, v, make) => {
      const numbers = numbersOf(v);
      return numbers === null ? null : cast(constant(make(numbers)), "i64");
    },
    note: () => undefined,
  };
}

/** An answer that was taken from data. */
export interface Recorded {
  readonly question: Question;
  /** The values that were asked about. */
  readonly from: readonly Value[];
  readonly tensor: Tensor;
  /** Whether the rest takes it as data of a static shape; else its numbers are in the rest's shapes. */
  readonly places: boolean;
}

/** Answers from data that is there, and keeps all that hang on it. */
export class Recorder implements Answers {
  readonly splits: boolean = true;
  trying = 0;
  readonly found: Map<string, Recorded> = new Map();

  hangs(v: Value): boolean {
    return isKept(v);
  }
  read(v: Value): readonly number[] | null {
    return isKept(v) && this.trying > 0 ? null : numbersOf(v);
  }
  told(): null {
    return null;
  }
  numbers(question: Question, made: () => Value): readonly number[] | null {
    const v = made();
    const numbers = this.read(v);
    if (numbers !== null && isKept(v)) this.keep(question, [v], numbersAsType(numbers, question), false);
    return numbers;
  }
  places(question: Question, v: Value, make: (numbers: readonly number[]) => Tensor): Value | null {
    const numbers = this.read(v);
    if (numbers === null) return null;
    const found = make(numbers);
    if (isKept(v)) this.keep(question, [v], found, true);
    return cast(constant(found), "i64");
  }
  note(question: Question, numbers: readonly number[], from: readonly Value[]): void {
    this.keep(question, from, numbersAsType(numbers, question), false);
  }
  private keep(question: Question, from: readonly Value[], found: Tensor, places: boolean): void {
    this.found.set(question.site, { question, from, tensor: found, places });
  }
  /** What the rest of the model is bound by. */
  bound(): Bound {
    return Object.fromEntries([...this.found].map(([site, { tensor: t }]) => [site, t]));
  }
}

/** Answers from what was recorded. */
export class Replay implements Answers {
  readonly splits: boolean = true;
  trying = 0;
  private readonly bound: ReadonlyMap<string, Value>;

  constructor(bound: ReadonlyMap<string, Value>) {
    this.bound = bound;
  }
  hangs(v: Value): boolean {
    return isKept(v);
  }
  read(v: Value): readonly number[] | null {
    return isKept(v) && this.trying > 0 ? null : numbersOf(v);
  }
  told({ site }: Question): readonly number[] | null {
    const own = this.bound.get(site);
    return own === undefined ? null : numbersInType(own.type, site);
  }
  numbers(question: Question, made: () => Value): readonly number[] | null {
    return this.told(question) ?? this.read(made());
  }
  places({ site }: Question, v: Value, make: (numbers: readonly number[]) => Tensor): Value | null {
    const own = this.bound.get(site);
    if (own === undefined) {
      const numbers = this.read(v);
      return numbers === null ? null : cast(constant(make(numbers)), "i64");
    }
    if (own.type.dtype !== "i32" || own.type.shape.length === 0)
      throw new ShapeError(
        `onnx: what is bound at ${site} is ${typeText(own.type)}, and places are i32; give what model.bind(...) gave, unchanged`,
      );
    return cast(own, "i64");
  }
  note(): void {}
}

/**
 * What `build` gives; null where it failed and there is another way: one by answers, or, with `anyway`, in any case. Of what is tried inside what is tried,
 * the outermost takes another way.
 */
export function tried<T>(answers: Answers, build: () => T, anyway = false): T | null {
  if (!answers.splits && !anyway) return build();
  answers.trying++;
  try {
    return build();
  } catch (error) {
    if (!(error instanceof ChainruleError) || answers.trying > 1) throw error;
    return null;
  } finally {
    answers.trying--;
  }
}
