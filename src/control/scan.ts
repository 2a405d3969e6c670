import { isFloat } from "../ir/dtype.ts";
import { DomainError, DTypeError, GraphError, ShapeError } from "../ir/errors.ts";
import { isType, lift, literal } from "../ir/leaf.ts";
import { keeperOf, type Value } from "../ir/node.ts";
import type { Operand } from "../ir/op.ts";
import { sizeOf } from "../ir/shape.ts";
import { isLeaf, leaves, match, type Operands, rebuild, type Values } from "../ir/tree.ts";
import { sameType, typeText } from "../ir/type.ts";
import type { Walk } from "./loop.ts";
import { loop } from "./scan-op.ts";

/** Options of `scan`. */
export interface ScanOptions {
  /**
   * How many rows the loop runs over: a number, or a Value, so that one program serves all lengths. Rows past it are zero in `out` and carry no
   * gradient. Needed, as a number, when there are no `xs`.
   */
  readonly length?: Operand;
  /**
   * The carry is kept every so many rows for the backward pass, which runs the rows in between once more. When left out: every row, as long as
   * that takes no more than 16 MiB, and about the square root of their number beyond.
   */
  readonly checkpointEvery?: number;
  /** From the last row to the first. */
  readonly reverse?: boolean;
}

/** What the body of a `scan` returns. */
export interface Scanned<C, Y> {
  readonly carry: Operands<C>;
  readonly out?: Y;
}

/** Few rows are kept as they are, and so is what takes few bytes; more is kept in stretches. */
const few = 16;
const fewBytes = 2 ** 24;

/**
 * `scan(body, init, xs)`: a loop in the graph. `body(carry, x)` is called once, on placeholders, and returns `{ carry, out }`; the loop runs it for
 * each row of `xs` (a tree of Values that have one size along axis 0), from `init` on. The result is the last carry, and the outs stacked along a
 * new axis 0. What the body uses of its surroundings may be differentiated, too.
 *
 * Forward mode runs values and tangents in one loop and keeps nothing of its steps. Reverse mode keeps the carry every `checkpointEvery` rows (so
 * memory grows with the square root of the number of rows, once it matters) and runs each stretch once more on its way back.
 * @throws GraphError, ShapeError or DTypeError when the carry changes its tree, shape or dtype, or when rows are missing or do not agree;
 * DomainError, when it runs, for a length that is no whole number from 0 to the number of rows
 */
export function scan<C, Y = undefined>(
  body: (carry: Values<C>, x: null) => Scanned<C, Y>,
  init: C,
  xs: null | undefined,
  options: ScanOptions & { readonly length: number },
): { readonly carry: Values<C>; readonly out: Values<Y> };
export function scan<C, X, Y = undefined>(
  body: (carry: Values<C>, x: Values<X>) => Scanned<C, Y>,
  init: C,
  xs: X,
  options?: ScanOptions,
): { readonly carry: Values<C>; readonly out: Values<Y> };
export function scan(
  body: (carry: never, x: never) => Scanned<unknown, unknown>,
  init: unknown,
  xs: unknown,
  { length, checkpointEvery, reverse = false }: ScanOptions = {},
): { readonly carry: unknown; readonly out: unknown } {
  const first = valuesOfTree(init, "scan", "the carry");
  const walked = xs === null || xs === undefined ? [] : valuesOfTree(xs, "scan", "xs");
  const { rows, count } = countRows(walked, length);
  if (checkpointEvery !== undefined && !(Number.isInteger(checkpointEvery) && checkpointEvery > 0))
    throw new DomainError(`scan: checkpointEvery is ${checkpointEvery}; it is a whole number of rows, 1 or more`);
  const walk = (operands: readonly Value[]): Walk => {
    const keeper = keeperOf(operands);
    const kept = keeper !== null && keeper.forward !== true && first.some(({ value }) => isFloat(value.type.dtype));
    const bytes = rows * first.reduce((n, { value }) => n + 8 * sizeOf(value.type.shape), 0);
    const every = rows <= few || bytes <= fewBytes ? 1 : Math.ceil(Math.sqrt(rows));
    return { length: count, rows, reverse, every: kept ? (checkpointEvery ?? every) : 0 };
  };
  let out: unknown;
  const made = loop(
    (carries, row) => {
      const result: unknown = body(treeOf(init, carries) as never, (walked.length === 0 ? null : treeOf(xs, row)) as never);
      if (typeof result !== "object" || result === null || isLeaf(result) || !("carry" in result))
        throw new GraphError(`scan: the body returned ${isLeaf(result) ? "a Value" : "no record"}; it returns { carry, out }`);
      out = (result as { out?: unknown }).out;
      return {
        carries: keptCarry(result.carry, init, carries, "scan"),
        outs: out == null ? [] : valuesOfTree(out, "scan", "out").map(({ value }) => value),
      };
    },
    first.map(({ value }) => value),
    walked.map(({ value }) => value),
    walk,
    { carries: first.map(({ path }) => named("carry", path)), walked: walked.map(({ path }) => named("x", path)) },
  );
  return { carry: treeOf(init, made.carries), out: out == null ? out : treeOf(out, made.outs) };
}

/** A leaf with what messages call it. */
interface Named {
  readonly path: string;
  readonly value: Value;
}

function named(what: string, path: string): string {
  return path === "" ? what : `${what}.${path}`;
}

/** The leaves of a tree of operands as Values. */
export function valuesOfTree(tree: unknown, who: string, what: string): Named[] {
  if (!isLeaf(tree) && (typeof tree !== "object" || tree === null))
    throw new GraphError(
      `${who}: ${what} is ${tree === null ? "null" : typeof tree}; it is a tree of Values, Tensors, typed arrays and numbers`,
    );
  return leaves(tree).map(({ leaf, path }) => {
    if (isType(leaf)) throw new GraphError(`${who}: ${named(what, path)} is a type and has no value`);
    return { path, value: lift(leaf, "f64") };
  });
}

/** The same tree with these Values for leaves, in order. */
export function treeOf(like: unknown, values: readonly Value[]): unknown {
  let i = 0;
  return rebuild(like, () => values[i++]!);
}

/** The carry that a body returned, by the tree and types of the one it was given. */
export function keptCarry(carry: unknown, like: unknown, before: readonly Value[], who: string): Value[] {
  return match(carry, like, `${who}: the carry that the body returned`).map(({ path, given }, i) => {
    const { type } = before[i]!;
    if (isType(given)) throw new GraphError(`${who}: ${named("carry", path)} is a type and has no value`);
    const v = lift(given, type.dtype);
    if (sameType(v.type, type)) return v;
    const text = `${who}: ${named("carry", path)} is ${typeText(type)} at the start and ${typeText(v.type)} after one step; a carry keeps its type`;
    if (v.type.dtype !== type.dtype) throw new DTypeError(`${text}: start it as ${v.type.dtype}, or write cast(..., "${type.dtype}")`);
    throw new ShapeError(`${text}: start it in the shape that the body gives, or expand it`);
  });
}

/** The number of rows, and how many of them the loop runs over if not all. */
function countRows(walked: readonly Named[], length: Operand | undefined): { rows: number; count: Value | null } {
  const [first] = walked;
  for (const { path, value } of walked) {
    if (value.type.shape.length === 0)
      throw new ShapeError(`scan: ${named("xs", path)} is ${typeText(value.type)} and has no rows; let the body use it from outside`);
    if (value.type.shape[0] !== first!.value.type.shape[0])
      throw new ShapeError(
        `scan: ${named("xs", first!.path)} is ${typeText(first!.value.type)} and ${named("xs", path)} is ${typeText(value.type)}; all of xs have one size along axis 0`,
      );
  }
  if (first === undefined) {
    if (length === undefined) throw new GraphError("scan: there are no xs, so say how many steps there are: { length: 10 }");
    if (typeof length !== "number")
      throw new GraphError(
        "scan: length is a Value and there are no xs; the most steps have to be a number: give xs of that many rows, or use whileLoop",
      );
    checkCount(length, Number.MAX_SAFE_INTEGER);
    return { rows: length, count: null };
  }
  const rows = first.value.type.shape[0]!;
  if (length === undefined || length === rows) return { rows, count: null };
  if (typeof length !== "number") return { rows, count: lift(length, "i32") };
  checkCount(length, rows);
  return { rows, count: literal(length, "i32") };
}

function checkCount(length: number, rows: number): void {
  if (!Number.isInteger(length) || length < 0 || length > rows)
    throw new DomainError(`scan: length is ${length} and there are ${rows} rows; it is a whole number from 0 to ${rows}`);
}
