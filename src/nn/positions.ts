import { isFloat } from "../ir/dtype.ts";
import { DomainError, DTypeError, ShapeError } from "../ir/errors.ts";
import { lift } from "../ir/leaf.ts";
import type { Value } from "../ir/node.ts";
import type { Operand } from "../ir/op.ts";
import { scope } from "../ir/scope.ts";
import { type Tensor, tensor } from "../ir/tensor.ts";
import { tensorType, typeText } from "../ir/type.ts";
import { add, mul, neg } from "../ops/arithmetic.ts";
import { concat } from "../ops/linear/concat.ts";
import { reshape } from "../ops/linear/reshape.ts";
import { slice } from "../ops/linear/slice.ts";
import type { EmbeddingParams, TableOptions } from "./embedding.ts";
import { type DTypeOption, normal } from "./initializers.ts";
import { begun, checkInit, checkKey, checkSizes } from "./layer-checks.ts";
import { inLayer, layerName } from "./layer-name.ts";
import { type WithInit, withInit } from "./with-init.ts";

/** How fast the waves of positions grow; 10000 when left out. */
export interface WaveOptions extends DTypeOption {
  readonly base?: number;
}

function checkBase(who: string, base: number): void {
  if (!(base > 0)) throw new DomainError(`${who}: base is ${base}; it is a number above 0`, { op: who });
}

/**
 * The fixed encoding of positions 0 .. length - 1, [length, size]: in column 2i the sine, in column 2i + 1 the cosine of position / base^(2i / size).
 * f32 unless `dtype` says more. Add it to what is at the positions. Source: Vaswani et al., "Attention is all you need", 2017.
 * @throws DomainError for sizes below 1 or a base that is not above 0
 */
export function sinusoidal(length: number, size: number, { base = 10_000, dtype = "f32" }: WaveOptions = {}): Tensor {
  checkSizes("sinusoidal", { length, size });
  checkBase("sinusoidal", base);
  const data = new Float64Array(length * size);
  for (let t = 0; t < length; t++)
    for (let j = 0; j < size; j++) {
      const angle = t / base ** ((j - (j % 2)) / size);
      data[t * size + j] = j % 2 === 0 ? Math.sin(angle) : Math.cos(angle);
    }
  return tensor(data, tensorType(dtype, [length, size]));
}

/** Learned positions without a scope of their own. */
export function placed(p: EmbeddingParams<Operand>, x: Operand, who: string): Value {
  const table = lift(p.table, "f64");
  const v = lift(x, table.type.dtype);
  const [count, size] = table.type.shape;
  const steps = v.type.shape.at(-2);
  if (steps === undefined || v.type.shape.at(-1) !== size || steps > count!)
    throw new ShapeError(
      `${who}: x is ${typeText(v.type)} and table is ${typeText(table.type)}; x is [..., steps, ${size}] with ${count} steps at most`,
      { op: "positions" },
    );
  return add(v, steps === count ? table : slice(table, { axis: 0, end: steps }));
}

/** A table of `count` positions. */
export function positionsInit(key: Tensor, count: number, size: number, options: TableOptions = {}): EmbeddingParams<Tensor> {
  checkKey("positions.init", key);
  checkSizes("positions.init", { count, size });
  checkInit("positions.init", options, ["weight"]);
  const { dtype = "f32", weight = normal({ deviation: 0.02 }) } = options;
  return { table: begun("positions.init", "weight", weight(key, tensorType(dtype, [count, size]), { in: count, out: size })) };
}

/**
 * Learned positions: adds row t of a table to step t of x [..., steps, size]. `positions.init(key, count, size, { dtype, weight })`, normal with
 * deviation 0.02 when left out. Source: Gehring et al., "Convolutional sequence to sequence learning", 2017; Radford et al., 2018 (GPT).
 * @throws ShapeError, with the layer's path, for more steps than the table has rows or another size
 */
export const positions: WithInit<
  (p: EmbeddingParams<Operand>, x: Operand) => Value,
  (key: Tensor, count: number, size: number, options?: TableOptions) => EmbeddingParams<Tensor>
> = /* @__PURE__ */ withInit(
  (p: EmbeddingParams<Operand>, x: Operand): Value => inLayer("positions", p, ["table"], () => placed(p, x, layerName("positions", p))),
  positionsInit,
);

/** How `rotary` turns. */
export interface RotaryOptions {
  readonly base?: number;
  /** The position of the first step; 0 when left out. */
  readonly offset?: number;
  /** Which elements turn together: neighbours 2i and 2i + 1 (the paper; when left out), or i and i + size / 2 (GPT-NeoX, Llama in its usual form). */
  readonly pairs?: "neighbours" | "halves";
}

/**
 * Rotary positions: turns pairs of elements of each step of x [..., steps, size] by position / base^(2i / size), so that products of two steps depend on
 * their distance alone. For queries and keys; `attention` takes it as `{ rotary: true }`. Source: Su et al., "RoFormer", 2021.
 * @throws ShapeError for an odd size; DomainError for a base that is not above 0 or a first position that is no whole number of 0 or more
 */
export function rotary(x: Operand, { base = 10_000, offset = 0, pairs = "neighbours" }: RotaryOptions = {}): Value {
  const who = "rotary";
  const v = lift(x, "f64");
  const { shape, dtype } = v.type;
  const size = shape.at(-1) ?? 0;
  const steps = shape.at(-2);
  checkBase(who, base);
  if (!Number.isInteger(offset) || offset < 0)
    throw new DomainError(`${who}: offset is ${offset}; it is the position of the first step, a whole number of 0 or more`, { op: who });
  if (!isFloat(dtype)) throw new DTypeError(`${who}: x is ${typeText(v.type)}; it is of floats`, { op: who });
  if (steps === undefined || size % 2 !== 0)
    throw new ShapeError(`${who}: x is ${typeText(v.type)}; it is [..., steps, size] with an even size, whose elements turn in pairs`, {
      op: who,
    });
  const half = size / 2;
  const near = pairs === "neighbours";
  const table = (wave: (angle: number) => number): Value => {
    const data = new Float64Array(steps * size);
    for (let t = 0; t < steps; t++)
      for (let j = 0; j < size; j++) {
        const pair = near ? Math.floor(j / 2) : j % half;
        data[t * size + j] = wave((t + offset) / base ** (pair / half));
      }
    return lift(tensor(data, tensorType(dtype, [steps, size])), dtype);
  };
  return scope(who, () => {
    // Each element's partner, the first of a pair with the second's negative: (a, b) turns to (a cos - b sin, b cos + a sin).
    const split = near ? reshape(v, { shape: [...shape.slice(0, -1), half, 2] }) : v;
    const axis = -1;
    const middle = near ? 1 : half;
    const low = slice(split, { axis, end: middle });
    const high = slice(split, { axis, start: middle });
    const partner = reshape(concat([neg(high), low], { axis }), { shape });
    return add(mul(v, table(Math.cos)), mul(partner, table(Math.sin)));
  });
}
