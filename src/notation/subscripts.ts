import { isInteger } from "../ir/dtype.ts";
import { DomainError, DTypeError, ParseError, ShapeError } from "../ir/errors.ts";
import { isOperand, isTensor, lift } from "../ir/leaf.ts";
import type { Value } from "../ir/node.ts";
import type { Operand } from "../ir/op.ts";
import { tensor } from "../ir/tensor.ts";
import { tensorType, typeText } from "../ir/type.ts";
import * as ops from "../ops/index.ts";
import { describeItem, type Item, isList, isNested, isResults, operandOf } from "./item.ts";

/** A subscript whose parts are worked out: `undefined` for what a slice leaves out. */
export type Index =
  | { readonly kind: "at"; readonly index: Item }
  | { readonly kind: "slice"; readonly start: Item | undefined; readonly end: Item | undefined; readonly step: Item | undefined }
  | { readonly kind: "ellipsis" }
  | { readonly kind: "newAxis" };

/**
 * `x[...]` by NumPy's basic indexing: numbers take one element and drop the axis, slices a range, `...` the axes not named, `None` puts in an
 * axis of size 1. One subscript may be a tensor of integers, which gathers. Of a list or several results, a number takes one.
 * @throws ShapeError for too many subscripts; DomainError for an index out of range; ParseError for what is no index
 */
export function indexed(item: Item, indices: readonly Index[]): Item {
  if (isResults(item)) return element(item.values, indices);
  if (isList(item) && !isNested(item)) return element(item, indices);
  let x: Value = lift(operandOf(item), "f64");
  const { shape } = x.type;
  const named = indices.filter(({ kind }) => kind === "at" || kind === "slice").length;
  if (named > shape.length)
    throw new ShapeError(
      `x[...]: ${named} subscripts for x, which is ${typeText(x.type)} and has ${shape.length} axes; take out ${named - shape.length}`,
    );
  const gathered = indices.filter((i) => i.kind === "at" && typeof i.index !== "number");
  if (gathered.length > 1 || (gathered.length === 1 && indices.some((i) => i.kind === "at" && typeof i.index === "number")))
    throw new ParseError("x[...]: one tensor of indices beside slices is all that is read; index in two steps, or use gatherND");
  /** The axis that the next subscript is for. */
  let axis = 0;
  let from = 0;
  const result: number[] = [];
  let moved = false;
  const keep = (count: number): void => {
    for (let i = 0; i < count; i++) result.push(x.type.shape[axis++]!);
    from += count;
  };
  for (const index of indices) {
    if (index.kind === "ellipsis") keep(shape.length - named);
    else if (index.kind === "newAxis") {
      result.push(1);
      moved = true;
    } else if (index.kind === "slice") {
      x = sliced(x, axis, index);
      keep(1);
    } else if (typeof index.index === "number") {
      x = picked(x, axis, index.index);
      axis++;
      from++;
      moved = true;
    } else {
      const before = x.type.shape.length;
      x = taken(x, axis, index.index);
      const added = x.type.shape.length - before + 1;
      for (let i = 0; i < added; i++) result.push(x.type.shape[axis++]!);
      from++;
    }
  }
  keep(shape.length - from);
  return moved ? ops.reshape(x, { shape: result }) : x;
}

function element(list: readonly Item[], indices: readonly Index[]): Item {
  const [first] = indices;
  const i = first?.kind === "at" ? first.index : undefined;
  if (indices.length !== 1 || typeof i !== "number" || !Number.isInteger(i))
    throw new ParseError(`[...]: a list of ${list.length} values takes one whole number: [0]`);
  const found = list[i < 0 ? i + list.length : i];
  if (found === undefined)
    throw new DomainError(
      `[...]: index ${i} is out of range for a list of ${list.length}; indices are -${list.length}..${list.length - 1}`,
    );
  return found;
}

function bound(what: string, item: Item | undefined): number | undefined {
  if (item === undefined || item === null) return undefined;
  if (typeof item === "number" && Number.isInteger(item)) return item;
  throw new ParseError(
    `x[...]: ${what} is ${typeof item === "number" ? item : isOperand(item) ? "a value of the graph" : describeItem(item)}; it is a whole number known beforehand`,
  );
}

function sliced(x: Value, axis: number, { start, end, step }: Extract<Index, { readonly kind: "slice" }>): Value {
  const attrs = { start: bound("the start", start), end: bound("the end", end), step: bound("the step", step) };
  if (attrs.start === undefined && attrs.end === undefined && attrs.step === undefined) return x;
  return ops.slice(x, {
    axis,
    ...(attrs.start !== undefined && { start: attrs.start }),
    ...(attrs.end !== undefined && { end: attrs.end }),
    ...(attrs.step !== undefined && { step: attrs.step }),
  });
}

function picked(x: Value, axis: number, given: number): Value {
  const size = x.type.shape[axis]!;
  const index = bound("an index", given) ?? 0;
  if (index < -size || index >= size)
    throw new DomainError(
      `x[...]: index ${index} is out of range for axis ${axis} of ${typeText(x.type)}; ${size === 0 ? "the axis is empty" : `indices are -${size}..${size - 1}`}`,
    );
  const start = index < 0 ? index + size : index;
  return ops.slice(x, { axis, start, end: start + 1 });
}

function taken(x: Value, axis: number, item: Item): Value {
  const indices = isList(item) && isNested(item) ? whole(operandOf(item)) : item;
  if (!isOperand(indices))
    throw new ParseError(
      `x[...]: ${describeItem(indices)} is no index; indices are whole numbers, slices, "...", None or a tensor of integers`,
    );
  const { type } = lift(indices, "i32");
  if (!isInteger(type.dtype))
    throw new DTypeError(
      `x[...]: an index is ${typeText(type)}; ${type.dtype === "bool" ? "how many elements a mask picks is not known beforehand: use where(mask, x, 0)" : "write cast(index, i32)"}`,
    );
  return ops.gather(x, indices, { axis });
}

/** Whole numbers in a list as integers. */
function whole(given: Operand): Operand {
  if (!isTensor(given) || given.type.dtype === "bool" || !given.data.every(Number.isInteger)) return given;
  return tensor(Int32Array.from(given.data), tensorType("i32", given.type.shape));
}
