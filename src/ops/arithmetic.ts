import { allocate, type DType, isFloat, isInteger, type NumberArray } from "../ir/dtype.ts";
import { DomainError, DTypeError, ShapeError } from "../ir/errors.ts";
import { literalOf } from "../ir/leaf.ts";
import type { Node, Value } from "../ir/node.ts";
import type { Interval, Operand, OpFacts } from "../ir/op.ts";
import { broadcast, broadcastStrides, type Shape, sameShape, sizeOf } from "../ir/shape.ts";
import type { Tensor } from "../ir/tensor.ts";
import { scalarType, type TensorType, tensorType, typeText } from "../ir/type.ts";
import { declare, type Entry, type Op } from "./define.ts";
import { joinAxes } from "./kernels/walk.ts";

/** An elementwise op of one operand. */
export type Unary = Op<(x: Operand) => Value>;
/** An elementwise op of two operands, which broadcast. */
export type Binary = Op<(x: Operand, y: Operand) => Value>;

/** What an elementwise op takes: any dtype, numbers (no bool), floats only, or bool. */
export type Takes = "any" | "number" | "float" | "bool";

/** The declaration of an elementwise op of one operand. */
export interface UnaryDefinition {
  /** The function on one number. Integer operands arrive as whole numbers. */
  readonly f: (x: number) => number;
  /** The local derivative in terms of `x` and `out`; null where the op has none by nature. */
  readonly d: null | ((s: { readonly x: Value; readonly out: Value }) => Operand);
  readonly takes?: Takes;
  /** The dtype of the result when it is not the operand's. */
  readonly gives?: DType;
  readonly symbol?: string;
  readonly domain?: Interval;
  readonly kink?: (x: number) => number;
  /** The function on whole numbers of a dtype, where it differs. */
  readonly integer?: (dtype: DType) => (x: number) => number;
}

/** The declaration of an elementwise op of two operands. */
export interface BinaryDefinition {
  readonly f: (x: number, y: number) => number;
  /** The loop over `f` written out, for floats, where a call per element is most of the time. */
  readonly row?: Row;
  /** Local derivatives; a thunk is called only when that operand's derivative is wanted. */
  readonly d: null | ((s: { readonly x: Value; readonly y: Value; readonly out: Value }) => { readonly x: Entry; readonly y: Entry });
  readonly takes?: Takes;
  readonly gives?: DType;
  readonly symbol?: string;
  readonly domain?: { readonly x?: Interval; readonly y?: Interval };
  readonly kink?: (x: number, y: number) => number;
  /** The function on whole numbers of a dtype, where it differs. */
  readonly integer?: (dtype: DType) => (x: number, y: number) => number;
}

function refuse(op: string, operand: string, type: TensorType, takes: Takes): void {
  const { dtype } = type;
  if (
    takes === "any" ||
    (takes === "float" && isFloat(dtype)) ||
    (takes === "number" && dtype !== "bool") ||
    (takes === "bool" && dtype === "bool")
  )
    return;
  const wants = takes === "float" ? "floating-point numbers" : takes === "number" ? "numbers, not truth values" : "truth values";
  throw new DTypeError(
    `${op}: ${operand} is ${typeText(type)} and ${op} takes ${wants}; write cast(${operand}, "${takes === "bool" ? "bool" : "f32"}")`,
    { op },
  );
}

/** The entry of a local derivative as a Value or number. */
function resolve(entry: Entry): Operand | null {
  return typeof entry === "function" ? entry() : entry;
}

/**
 * `ct` times a local derivative, without building what is not needed: nothing for 0, `ct` itself for 1, its negative for -1.
 */
export function chain(ct: Value, local: Operand | null): Value | null {
  if (local === null || local === 0) return null;
  if (local === 1) return ct;
  if (local === -1) return neg(ct);
  return mul(ct, local);
}

/**
 * Declares an elementwise op of one operand: `unary("acme.cube", { f: (x) => x ** 3, d: ({ x }) => mul(3, square(x)) })`.
 * Type, kernel, both derivative rules and broadcasting follow from `f` and `d`.
 */
/* @__NO_SIDE_EFFECTS__ */
export function unary(name: string, def: UnaryDefinition): Unary {
  const { f, d, gives, symbol, kink, domain, integer } = def;
  const takes = def.takes ?? "float";
  return declare<(x: Operand) => Value, readonly ["x"]>(name, ["x"], {
    family: "unary",
    type: ({ x }) => {
      refuse(name, "x", x, takes);
      return gives === undefined || gives === x.dtype ? x : tensorType(gives, x.shape);
    },
    eval: ({ x }, out) => {
      const y = allocate(out.dtype, x.data.length);
      const from = x.data;
      const g = integer !== undefined && isInteger(x.type.dtype) ? integer(x.type.dtype) : f;
      for (let i = 0; i < y.length; i++) y[i] = g(from[i]!);
      return y;
    },
    scalar: f,
    batch: "elementwise",
    pull: d && ((node, ct) => [chain(ct as Value, d({ x: node.operand(0)!, out: node }))]),
    ...(d && {
      jvp: ({ d: dot, x, out }: { d: { x: Value | null }; x: Value; out: Value }) => dot.x && chain(dot.x, d({ x, out })),
      local: (node: Node) => [d({ x: node.operands[0]!, out: node })],
    }),
    ...(symbol !== undefined && { symbol }),
    ...(kink !== undefined && { kink: ({ x }: { x: number }) => kink(x) }),
    ...(domain !== undefined && { domain: { x: domain } }),
  });
}

/** Declares an elementwise op of two operands, which broadcast; as `unary`. */
/* @__NO_SIDE_EFFECTS__ */
export function binary(name: string, def: BinaryDefinition): Binary {
  const { f, d, gives, symbol, kink, domain, integer } = def;
  const takes = def.takes ?? "float";
  const row = def.row ?? rowOf(f);
  const made: Binary = declare<(x: Operand, y: Operand) => Value, readonly ["x", "y"]>(name, ["x", "y"], {
    family: "binary",
    type: ({ x, y }) => {
      refuse(name, "x", x, takes);
      if (x !== y) refuse(name, "y", y, takes);
      return joined(name, x, y, gives);
    },
    eval: ({ x, y }, out) => zip(integer !== undefined && isInteger(x.type.dtype) ? rowOf(integer(x.type.dtype)) : row, x, y, out),
    scalar: f,
    batch: "elementwise",
    pull:
      d &&
      ((node, ct, wanted) => {
        const local = d({ x: node.operand(0)!, y: node.operand(1)!, out: node });
        return [wanted(0) ? chain(ct as Value, resolve(local.x)) : null, wanted(1) ? chain(ct as Value, resolve(local.y)) : null];
      }),
    ...(d && {
      jvp: ({ d: dot, x, y, out }: { d: { x: Value | null; y: Value | null }; x: Value; y: Value; out: Value }) => {
        const local = d({ x, y, out });
        const a = dot.x && chain(dot.x, resolve(local.x));
        const b = dot.y && chain(dot.y, resolve(local.y));
        return a === null ? b : b === null ? a : add(a, b);
      },
      local: (node: Node) => {
        const local = d({ x: node.operands[0]!, y: node.operands[1]!, out: node });
        return [resolve(local.x), resolve(local.y)];
      },
    }),
    ...(symbol !== undefined && { symbol }),
    ...(kink !== undefined && { kink: ({ x, y }: { x: number; y: number }) => kink(x, y) }),
    ...(domain !== undefined && { domain }),
  });
  return made;
}

/** One of these ops with a kernel in loops of its own: few have one, and the smallest program declares some. */
/* @__NO_SIDE_EFFECTS__ */
export function withLoops<O extends Unary | Binary>(op: O, loops: NonNullable<OpFacts["loops"]>): O {
  return Object.assign(op, { facts: { ...op.facts, loops } });
}

/** The result type of an elementwise op. @throws ShapeError that names both operands */
function joined(op: string, x: TensorType, y: TensorType, gives: DType | undefined): TensorType {
  const dtype = gives ?? x.dtype;
  if (x === y && gives === undefined) return x;
  const shape = broadcast(x.shape, y.shape);
  if (shape === null)
    throw new ShapeError(`${op}: x is ${typeText(x)} and y is ${typeText(y)}; aligned at the right, sizes must be equal or 1`, { op });
  if (shape.length === 0) return scalarType(dtype);
  if (dtype === x.dtype && shape === x.shape) return x;
  if (dtype === y.dtype && shape === y.shape) return y;
  return tensorType(dtype, shape);
}

/** Fills z[at + i] for i < length from two operands that step by dp and dq. */
export type Row = (
  z: NumberArray,
  at: number,
  length: number,
  a: NumberArray,
  p: number,
  dp: number,
  b: NumberArray,
  q: number,
  dq: number,
) => void;

/** The loop of any function. Those of the four arithmetic ops are written out below: a call per element takes longer than they do. */
function rowOf(f: (x: number, y: number) => number): Row {
  return (z, at, length, a, p, dp, b, q, dq) => {
    for (let i = at, end = at + length; i < end; i++, p += dp, q += dq) z[i] = f(a[p]!, b[q]!);
  };
}

/** Fills rows over two broadcast operands without allocating per element. */
function zip(row: Row, x: Tensor, y: Tensor, out: TensorType): NumberArray {
  const n = sizeOf(out.shape);
  const z = allocate(out.dtype, n);
  const a = x.data;
  const b = y.data;
  if (sameShape(x.type.shape, y.type.shape)) row(z, 0, n, a, 0, 1, b, 0, 1);
  else if (b.length === 1 && a.length === n) row(z, 0, n, a, 0, 1, b, 0, 0);
  else if (a.length === 1 && b.length === n) row(z, 0, n, a, 0, 0, b, 0, 1);
  else
    eachRow(out.shape, [broadcastStrides(x.type.shape, out.shape), broadcastStrides(y.type.shape, out.shape)], (at, base, step, length) => {
      row(z, at, length, a, base[0]!, step[0]!, b, base[1]!, step[1]!);
    });
  return z;
}

/**
 * Walks `shape` in rows, in order: for each row the offset in the result, the offset in every operand, their steps along the row and its length. Neighbouring
 * axes that all operands step evenly through are one, so that rows are long; one call per row leaves the per-element loop with the caller.
 */
export function eachRow(
  shape: Shape,
  strides: readonly (readonly number[])[],
  visit: (at: number, base: readonly number[], step: readonly number[], length: number) => void,
): void {
  const total = sizeOf(shape);
  if (total === 0) return;
  const { sizes, strides: joined } = joinAxes(shape, strides);
  const last = sizes.length - 1;
  const length = sizes[last]!;
  const step = joined.map((s) => s[last]!);
  const base = joined.map(() => 0);
  const count = new Array<number>(last).fill(0);
  for (let at = 0; at < total; at += length) {
    visit(at, base, step, length);
    for (let axis = last - 1; axis >= 0; axis--) {
      for (let k = 0; k < base.length; k++) base[k]! += joined[k]![axis]!;
      if (++count[axis]! < sizes[axis]!) break;
      for (let k = 0; k < base.length; k++) base[k]! -= joined[k]![axis]! * sizes[axis]!;
      count[axis] = 0;
    }
  }
}

const nonzero: Interval = { nonzero: true };

function wholeQuotient(x: number, y: number): number {
  if (y === 0)
    throw new DomainError(`div: integer division of ${x} by zero; integers have no infinity: cast to a float first, or guard with where`, {
      op: "div",
    });
  return Math.trunc(x / y);
}

/** -x. */
export const neg: Unary = unary("neg", { symbol: "-", takes: "number", f: (x) => -x, d: () => -1 });
/** x + y. Backward: the distributor, both operands get the whole gradient. */
export const add: Binary = binary("add", {
  symbol: "+",
  takes: "number",
  f: (x, y) => x + y,
  row: (z, at, length, a, p, dp, b, q, dq) => {
    for (let i = at, end = at + length; i < end; i++, p += dp, q += dq) z[i] = a[p]! + b[q]!;
  },
  integer: sumOf,
  d: () => ({ x: 1, y: 1 }),
});
/** x - y. */
export const sub: Binary = binary("sub", {
  symbol: "-",
  takes: "number",
  f: (x, y) => x - y,
  row: (z, at, length, a, p, dp, b, q, dq) => {
    for (let i = at, end = at + length; i < end; i++, p += dp, q += dq) z[i] = a[p]! - b[q]!;
  },
  integer: differenceOf,
  d: () => ({ x: 1, y: -1 }),
});
/** x y. Backward: the switcher, each operand's local gradient is the other operand. */
export const mul: Binary = binary("mul", {
  symbol: "*",
  takes: "number",
  f: (x, y) => x * y,
  row: (z, at, length, a, p, dp, b, q, dq) => {
    for (let i = at, end = at + length; i < end; i++, p += dp, q += dq) z[i] = a[p]! * b[q]!;
  },
  integer: productOf,
  d: ({ x, y }) => ({ x: y, y: x }),
});
/** x / y; whole numbers are cut toward zero. @throws DomainError for an integer division by zero */
export const div: Binary = binary("div", {
  symbol: "/",
  takes: "number",
  f: (x, y) => x / y,
  row: (z, at, length, a, p, dp, b, q, dq) => {
    for (let i = at, end = at + length; i < end; i++, p += dp, q += dq) z[i] = a[p]! / b[q]!;
  },
  integer: () => wholeQuotient,
  domain: { y: nonzero },
  d: ({ y, out }) => ({ x: () => reciprocalOf(y), y: () => neg(div(out, y)) }),
});

/** The product on whole numbers: 32-bit ones keep its exact low bits; 64-bit ones leave it to the store to refuse what is not exact. */
export function productOf(dtype: DType): (x: number, y: number) => number {
  if (dtype !== "i64" && dtype !== "u64") return Math.imul;
  return (x, y) => exactly(x * y, y === 0 || (x * y) % y === 0);
}

/** The sum on whole numbers; a 64-bit one that rounding brought back to 2^53 must not pass for exact. */
function sumOf(): (x: number, y: number) => number {
  return (x, y) => exactly(x + y, x + y - x === y);
}

function differenceOf(): (x: number, y: number) => number {
  return (x, y) => exactly(x - y, x - (x - y) === y);
}

/** The result if it is exact; else one beyond 2^53, which the store refuses. */
function exactly(result: number, exact: boolean): number {
  return exact ? result : result + 2 * Math.sign(result);
}

function reciprocalOf(y: Value): Operand {
  const c = literalOf(y);
  return c === null ? div(1, y) : 1 / c;
}
