import { allocate, type DType, isFloat, isInteger, type NumberArray } from "../ir/dtype.ts";
import { DomainError, DTypeError, ShapeError } from "../ir/errors.ts";
import { isTensor, lift } from "../ir/leaf.ts";
import type { Value } from "../ir/node.ts";
import type { Operand } from "../ir/op.ts";
import { sameShape, sizeOf } from "../ir/shape.ts";
import { hold, type Tensor } from "../ir/tensor.ts";
import { i32, type TensorType, tensorType, typeGiven, typeText } from "../ir/type.ts";
import { declare, type Op } from "../ops/define.ts";
import { less } from "../ops/elementwise/comparison.ts";
import { aligned } from "../ops/linear/aligned.ts";
import { everyExample } from "../ops/linear/every-example.ts";
import { at } from "../ops/linear/slice.ts";
import { expand } from "../ops/linear/sum.ts";
import { fillNormal, fillPermutation, fillUniform, type UniformBits } from "./fill.ts";
import { foldName, foldNumber, keyOfSeed, splitKey } from "./threefry.ts";

/** What an op takes: one key, or many of them, which is what `vmap` makes of one key for each example. */
function checkKey(op: string, key: TensorType): void {
  if (key.dtype !== "i32" || key.shape.at(-1) !== 2)
    throw new DTypeError(`${op}: key is ${typeText(key)}; keys are i32[2], made by random.key(seed), random.fold and random.split`, { op });
}

/** What users hand in: one key. */
function oneKey(op: string, key: Operand): Value {
  const v = lift(key, "i32");
  checkKey(op, v.type);
  if (v.type.shape.length > 1)
    throw new ShapeError(
      `${op}: key is ${typeText(v.type)}, many keys; one is i32[2]; for a draw from each of them write vmap over the keys`,
      {
        op,
      },
    );
  return v;
}

/** The sizes before the last axis of a tensor of keys. */
function leadOf(key: TensorType): readonly number[] {
  return key.shape.slice(0, -1);
}

/** For each of many keys what one key gives: `fill` writes the part that belongs to a key. */
function perKey(keys: NumberArray, into: NumberArray, fill: (key: NumberArray, part: NumberArray, index: number) => void): NumberArray {
  const count = keys.length / 2;
  const size = count === 0 ? 0 : into.length / count;
  for (let i = 0; i < count; i++) fill(keys.subarray(2 * i, 2 * i + 2), into.subarray(i * size, (i + 1) * size), i);
  return into;
}

function checkNumber(op: string, x: number): void {
  if (!Number.isSafeInteger(x))
    throw new DomainError(`${op}: ${x} is no whole number within 2^53; seeds and step numbers are whole`, { op });
}

/**
 * The key of a whole-number seed: a Tensor i32[2], its 64 bits. The same key gives the same numbers on every engine.
 * @throws DomainError for a seed that is no whole number within 2^53
 */
export function key(seed: number): Tensor {
  checkNumber("random.key", seed);
  const data = new Int32Array(2);
  keyOfSeed(seed, data);
  return hold(i32(2), data);
}

/** What a key is folded with, when it is known beforehand. */
export interface FoldAttrs {
  readonly by?: string | number;
}

function folded(from: NumberArray, by: string | number): NumberArray {
  const into = new Int32Array(2);
  if (typeof by === "string") foldName(from, by, into);
  else foldNumber(from, by, into);
  return into;
}

/**
 * The op behind `random.fold`: a new key from a key and either the attribute `by` or a scalar whole number.
 * @throws DTypeError for a number that is no whole scalar, DomainError when there is nothing to fold in
 */
export const foldKey: Op<(key: Operand, number?: Operand, attrs?: FoldAttrs) => Value> = declare<
  (key: Operand, number?: Operand, attrs?: FoldAttrs) => Value,
  readonly ["key", "number?"]
>("foldKey", ["key", "number?"], {
  family: "random",
  dtypes: { key: "i32", number: "i32" },
  type: ({ key: from, number, by }) => {
    checkKey("random.fold", from);
    if (number !== null && (!isInteger(number.dtype) || (number.shape.length > 0 && !sameShape(number.shape, leadOf(from)))))
      throw new DTypeError(`random.fold: the number is ${typeText(number)}; fold in a scalar whole number: cast(x, "i32")`, {
        op: "random.fold",
      });
    if (number === null && by === undefined)
      throw new DomainError("random.fold: nothing to fold in; give a name, a number or a scalar Value", { op: "random.fold" });
    return from;
  },
  eval: ({ key: from, number, by }, out) =>
    perKey(from.data, new Int32Array(sizeOf(out.shape)), (k, part, i) => {
      part.set(folded(k, number === null ? by! : number.data[number.data.length === 1 ? 0 : i]!));
    }),
  batch: ({ key: from, number, by, mapped, examples }) => {
    const keys = everyExample(from, mapped.key, examples);
    if (number === null) return foldKey(keys, undefined, { by: by! });
    if (!mapped.number && number.type.shape.length === 0) return foldKey(keys, number);
    const shape = leadOf(keys.type);
    return foldKey(keys, expand(mapped.number ? aligned(number, shape.length - 1) : number, { shape }));
  },
  vjp: null,
});

/**
 * A child of a key, by name (`fold(key, "attn3")`: its UTF-16 code units are hashed in), by number or by a scalar Value (`fold(key, step)`);
 * a number and a Value of it give the same key. Children of different names and numbers are unrelated. A Tensor folded by a host name or number
 * is a Tensor, anything else a Value i32[2].
 * @throws DomainError for a number that is not whole; DTypeError for what is no key or no whole number
 */
export function fold(key: Tensor, by: string | number): Tensor;
export function fold(key: Operand, by: string | Operand): Value;
export function fold(from: Operand, by: string | Operand): Value | Tensor {
  if (typeof by === "number") checkNumber("random.fold", by);
  const one = oneKey("random.fold", from);
  if (typeof by !== "string" && typeof by !== "number") return foldKey(one, by);
  if (!isTensor(from)) return foldKey(one, undefined, { by });
  return hold(i32(2), folded(from.data, by));
}

/** How many keys to make. */
export interface CountAttrs {
  readonly count: number;
}

function checkCount(op: string, count: number): void {
  if (!Number.isInteger(count) || count < 0) throw new DomainError(`${op}: the count is ${count}; it is a whole number, 0 or more`, { op });
}

/** `count` new keys from one, as rows of i32[count, 2]: what `vmap` maps over. The first rows are the same whatever the count. */
export const splitKeys: Op<(key: Operand, attrs: CountAttrs) => Value> = declare<
  (key: Operand, attrs: CountAttrs) => Value,
  readonly ["key"]
>("splitKeys", ["key"], {
  family: "random",
  dtypes: { key: "i32" },
  attrs: ({ count }) => {
    checkCount("random.split", count);
    return { count };
  },
  type: ({ key: from, count }) => {
    checkKey("random.split", from);
    return i32(...leadOf(from), count, 2);
  },
  eval: ({ key: from, count }, out) =>
    perKey(from.data, new Int32Array(sizeOf(out.shape)), (k, part) => {
      splitKey(k, count, part);
    }),
  batch: ({ key: from, count }) => splitKeys(from, { count }),
  vjp: null,
});

/** `count` unrelated keys from one, as a list: `const [a, b] = random.split(key, 2)`. @throws DomainError for a bad count */
export function split(from: Operand, count: number): Value[] {
  const keys = splitKeys(oneKey("random.split", from), { count });
  return Array.from({ length: count }, (_, i) => at(keys, i));
}

/** The type of what is drawn. */
export interface DrawAttrs {
  readonly dtype: DType;
  readonly shape: readonly number[];
}

type Draw = Op<(key: Operand, attrs: DrawAttrs) => Value>;

const bitsOf: Readonly<Partial<Record<DType, UniformBits>>> = { f64: 53, f32: 24, f16: 11, bf16: 8 };

/* @__NO_SIDE_EFFECTS__ */
function draw(name: string, fill: (key: NumberArray, into: NumberArray, dtype: DType) => void): Draw {
  const made: Draw = declare<(key: Operand, attrs: DrawAttrs) => Value, readonly ["key"]>(name, ["key"], {
    family: "random",
    dtypes: { key: "i32" },
    attrs: ({ dtype, shape }) => {
      if (!isFloat(dtype))
        throw new DTypeError(`random.${name}: the type is ${dtype}[${shape.join()}]; draw floats, and cast`, { op: name });
      return { dtype, shape };
    },
    type: ({ key: from, dtype, shape }) => {
      checkKey(`random.${name}`, from);
      return tensorType(dtype, [...leadOf(from), ...shape]);
    },
    eval: ({ key: from }, out) => perKey(from.data, allocate(out.dtype, sizeOf(out.shape)), (k, part) => fill(k, part, out.dtype)),
    batch: ({ key: from, dtype, shape }) => made(from, { dtype, shape }),
    vjp: null,
  });
  return made;
}

/** The op behind `random.uniform`. */
export const uniformNumbers: Draw = /* @__PURE__ */ draw("uniformNumbers", (from, into, dtype) => fillUniform(from, into, bitsOf[dtype]!));
/** The op behind `random.normal`. */
export const normalNumbers: Draw = /* @__PURE__ */ draw("normalNumbers", (from, into, dtype) =>
  fillNormal(from, into, dtype === "f64" ? "f64" : "f32"),
);

/** Uniform numbers on [0, 1), of a floating-point type: `uniform(key, f32(3))`. The same key gives the same numbers. @throws DTypeError otherwise */
export function uniform(from: Operand, type: TensorType): Value {
  const { dtype, shape } = typeGiven("random.uniform", type);
  return uniformNumbers(oneKey("random.uniform", from), { dtype, shape });
}

/** Standard normal numbers of a floating-point type: `normal(key, f32(3))`. The same key gives the same numbers. @throws DTypeError otherwise */
export function normal(from: Operand, type: TensorType): Value {
  const { dtype, shape } = typeGiven("random.normal", type);
  return normalNumbers(oneKey("random.normal", from), { dtype, shape });
}

/**
 * Truth values that hold with probability p: `bernoulli(key, 0.9, bool(64))`. The shape is the type's; p is a number, or a tensor that broadcasts to it.
 * Drawn by comparing f64 uniform numbers, of the same key, with p (f32 ones where p is an f32 Value). No derivative.
 * @throws DomainError for a number p outside [0, 1]; DTypeError for a type that is not bool; ShapeError for a p that is larger
 */
export function bernoulli(from: Operand, p: Operand, type: TensorType): Value {
  const op = "random.bernoulli";
  if (typeGiven(op, type).dtype !== "bool")
    throw new DTypeError(`${op}: the type is ${typeText(type)}; draw bool, then where or cast`, { op });
  if (typeof p === "number" && !(p >= 0 && p <= 1)) throw new DomainError(`${op}: p is ${p}; a probability is between 0 and 1`, { op });
  const dtype = typeof p === "object" && "kind" in p && isFloat(p.type.dtype) ? p.type.dtype : "f64";
  const drawn = less(uniform(from, tensorType(dtype, type.shape)), p);
  if (sizeOf(drawn.type.shape) !== sizeOf(type.shape))
    throw new ShapeError(
      `${op}: p does not fit ${typeText(type)}: the result would be ${typeText(drawn.type)}; p must broadcast to the type`,
      {
        op,
      },
    );
  return drawn;
}

/** The op behind `random.permutation`. */
export const shuffledRange: Op<(key: Operand, attrs: CountAttrs) => Value> = declare<
  (key: Operand, attrs: CountAttrs) => Value,
  readonly ["key"]
>("shuffledRange", ["key"], {
  family: "random",
  dtypes: { key: "i32" },
  attrs: ({ count }) => {
    checkCount("random.permutation", count);
    return { count };
  },
  type: ({ key: from, count }) => {
    checkKey("random.permutation", from);
    return i32(...leadOf(from), count);
  },
  eval: ({ key: from }, out) => perKey(from.data, new Int32Array(sizeOf(out.shape)), fillPermutation),
  batch: ({ key: from, count }) => shuffledRange(from, { count }),
  vjp: null,
});

/** The numbers 0 .. n - 1 in random order, i32[n]. The same key gives the same order. @throws DomainError for a bad n */
export function permutation(from: Operand, n: number): Value {
  return shuffledRange(oneKey("random.permutation", from), { count: n });
}
