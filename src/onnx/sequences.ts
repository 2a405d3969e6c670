import { constant } from "../ir/leaf.ts";
import type { Value } from "../ir/node.ts";
import { hold, tensor } from "../ir/tensor.ts";
import { i32, tensorType } from "../ir/type.ts";
import { concat, slice, squeeze, unsqueeze } from "../ops/index.ts";
import type { Application, Family } from "./application.ts";

/**
 * The tensors of each sequence. A graph has tensors alone, so a sequence is unfolded while a model is applied: among the names a constant stands for it, which
 * only the operators of this file read.
 */
const elements: WeakMap<Value, readonly Value[]> = /* @__PURE__ */ new WeakMap();

/** Whether a value stands for a sequence. */
export function isSequence(v: Value): boolean {
  return elements.has(v);
}

/** The tensors of a sequence, or undefined for a value that is none. */
export function tensorsOf(v: Value): readonly Value[] | undefined {
  return elements.get(v);
}

function sequence(list: readonly Value[]): Value {
  const v = constant(tensor(new Int32Array(list.length), i32(list.length)));
  elements.set(v, list);
  return v;
}

function listOf(n: Application): readonly Value[] {
  return elements.get(n.get(0)) ?? n.refuse("its first operand is a tensor, and a sequence is wanted");
}

/** A place in a sequence, counted from the front. */
function placeOf(n: Application, i: number, count: number): number {
  const place = n.known(i, "a place in a sequence")[0]!;
  if (!Number.isInteger(place) || place < -count || place >= count) n.refuse(`there is no place ${place} in a sequence of ${count}`);
  return place < 0 ? place + count : place;
}

/** A tensor cut along an axis: in pieces of given sizes, of one size, or single slices. */
function split(n: Application): Value {
  const x = n.get(0);
  const axis = n.axis(n.int("axis", 0), n.rank(0));
  const size = x.type.shape[axis]!;
  const given = n.knownOr(1, "the sizes of pieces");
  const listed = given !== undefined && n.rank(1) > 0;
  const each = given === undefined ? 1 : given[0]!;
  if (!listed && !(each >= 1)) n.refuse(`pieces of ${each} along an axis of ${size}`);
  const sizes = listed ? given : Array.from({ length: Math.ceil(size / each) }, (_, k) => Math.min(each, size - k * each));
  if (sizes.reduce((a, b) => a + b, 0) !== size) n.refuse(`pieces of ${sizes.join(", ")} do not make an axis of ${size}`);
  const drop = given === undefined && n.int("keepdims", 1) === 0;
  let start = 0;
  return sequence(
    sizes.map((count) => {
      const piece = slice(x, { axis, start, end: start + count });
      start += count;
      return drop ? squeeze(piece, { axis }) : piece;
    }),
  );
}

function joined(n: Application): Value {
  const list = listOf(n);
  if (list.length === 0) n.refuse("the sequence is empty, and nothing says what its tensors would be");
  const rank = list[0]!.type.shape.length;
  if (n.int("new_axis", 0) === 0) return concat(list, { axis: n.axis(n.int("axis", 0), rank) });
  const axis = n.axis(n.int("axis", 0), rank + 1);
  return concat(
    list.map((v) => unsqueeze(v, { axis })),
    { axis },
  );
}

/** A graph applied to one tensor of each sequence at a time, tensors being given to each; its results are sequences again. */
function mapped(n: Application): readonly Value[] {
  const body = n.graph("body");
  const { length } = listOf(n);
  const given = n.all().map((v) => elements.get(v) ?? v);
  const other = given.findIndex((list) => Array.isArray(list) && list.length !== length);
  if (other >= 0)
    n.refuse(`operand ${other} is a sequence of ${(given[other] as readonly Value[]).length}, and the first one is of ${length}`);
  const rows = Array.from({ length }, (_, i) =>
    n.body(
      body,
      given.map((v) => (Array.isArray(v) ? (v[i] as Value) : (v as Value))),
      String(i),
    ),
  );
  return (body.output ?? []).map((_, k) => sequence(rows.map((row) => row[k]!)));
}

/** Sequences of tensors, as long as shapes and constants tell how long they are. */
export const sequences: Family = {
  ConcatFromSequence: joined,
  SequenceAt: (n) => {
    const list = listOf(n);
    return list[placeOf(n, 1, list.length)]!;
  },
  SequenceConstruct: (n) => sequence(n.all()),
  SequenceEmpty: () => sequence([]),
  SequenceErase: (n) => {
    const list = listOf(n);
    const place = n.has(1) ? placeOf(n, 1, list.length) : list.length - 1;
    return sequence(list.filter((_, i) => i !== place));
  },
  SequenceInsert: (n) => {
    const list = listOf(n);
    // One behind the last is a place here.
    const place = n.has(2)
      ? n.known(2, "a place in a sequence")[0] === list.length
        ? list.length
        : placeOf(n, 2, list.length)
      : list.length;
    return sequence([...list.slice(0, place), n.get(1), ...list.slice(place)]);
  },
  SequenceLength: (n) => constant(hold(tensorType("i64", []), Float64Array.of(listOf(n).length))),
  SequenceMap: mapped,
  SplitToSequence: split,
};

/** The operators that may have a sequence among their operands. */
export function takesSequence(op: string): boolean {
  return op === "Identity" || op === "Loop" || Object.hasOwn(sequences, op);
}
