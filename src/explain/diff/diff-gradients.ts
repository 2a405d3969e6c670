import { aligned, markdownTable } from "../../check/tables.ts";
import { thresholds } from "../../check/thresholds.ts";
import { evaluate } from "../../evaluate/evaluate.ts";
import { GradientError } from "../../ir/errors.ts";
import { isTensor, isValue } from "../../ir/leaf.ts";
import type { Node, Value } from "../../ir/node.ts";
import { sameShape } from "../../ir/shape.ts";
import type { Tensor } from "../../ir/tensor.ts";
import { typeText } from "../../ir/type.ts";
import type { Language } from "../explain.ts";
import { jsonNumber, numberText } from "../number-text.ts";
import { type DiffWords, diffWords } from "./diff-words.ts";
import { dumpFromTensors, dumpOf, type GradientDump, tracedOf } from "./dump.ts";
import { apart, coarser } from "./ulps.ts";

/** How two runs are compared. */
export interface DiffOptions {
  /** Names of the dump by names of the graph, where they differ: `{ w: "layer1.weight" }`; a gradient follows its value. */
  readonly names?: Readonly<Record<string, string>>;
  /** How many units in the last place, at a tensor's largest element, are no deviation; that of `thresholds` when left out. */
  readonly ulps?: number;
  readonly language?: Language;
}

/** One tensor of both runs. */
export interface DiffRow {
  readonly kind: "value" | "gradient";
  readonly name: string;
  readonly op: string;
  /** The types here and there: only their shapes have to be the same. */
  readonly ourType: string;
  readonly theirType: string;
  /** The largest difference in units in the last place: at the tensor's largest element, and at the element itself. Infinity for other shapes. */
  readonly ulps: number;
  readonly elementUlps: number;
  /** The element of the largest difference, and what both runs have there. */
  readonly index: readonly number[] | null;
  readonly ours: number | null;
  readonly theirs: number | null;
  readonly deviates: boolean;
}

/** What a comparison found. */
export interface GradientDiff {
  /** Something was compared, and nothing deviates. */
  readonly agrees: boolean;
  /** Values in order of computation, then gradients from the loss to the inputs. */
  readonly rows: readonly DiffRow[];
  readonly firstValue: DiffRow | null;
  /** The first gradient on the way back that deviates; `ruleOf` names the gates whose backward rules made it. */
  readonly firstGradient: (DiffRow & { readonly ruleOf: readonly string[] }) | null;
  /** Names of the dump that are no names of the graph. */
  readonly unmatched: readonly string[];
  text(): string;
  markdown(): string;
  toJSON(): GradientDiffJson;
}

/** A comparison in JSON. */
export interface GradientDiffJson {
  readonly agrees: boolean;
  readonly firstValue: string | null;
  readonly firstGradient: { readonly name: string; readonly ruleOf: readonly string[] } | null;
  readonly rows: readonly {
    readonly kind: string;
    readonly name: string;
    readonly op: string;
    readonly ourType: string;
    readonly theirType: string;
    readonly ulps: number | string;
    readonly elementUlps: number | string;
    readonly index: readonly number[] | null;
    readonly ours: number | string | null;
    readonly theirs: number | string | null;
    readonly deviates: boolean;
  }[];
  readonly unmatched: readonly string[];
}

/**
 * Compares the values and gradients of a scalar with those of another run: a dump made elsewhere, by name (`w` a value, `w.grad` a gradient), a
 * `GradientDump`, or another scalar of the same structure. Tells the first value on the way forward and the first gradient on the way back that
 * deviate, and by how many units in the last place of the coarser dtype.
 * @throws GradientError when a loss is no floating-point scalar
 */
export function diffGradients(
  f: Value,
  against: GradientDump | Readonly<Record<string, Tensor>> | Value,
  { names: renamed = {}, ulps: limit = thresholds.ulps, language = "en" }: DiffOptions = {},
): GradientDiff {
  if (!(limit >= 0)) throw new GradientError(`diffGradients: ulps is ${limit}; it is a number from 0 up`);
  if (language !== "en" && language !== "ko")
    throw new GradientError(`diffGradients: language "${String(language)}" is not there; "en" and "ko" are`);
  const dump = isValue(against) ? dumpOf(against) : isDump(against) ? against : dumpFromTensors(against);
  const { all, order, names } = tracedOf(f, "diffGradients");
  const there = (record: Readonly<Record<string, Tensor>>, name: string): Tensor | undefined => {
    const key = Object.hasOwn(renamed, name) ? renamed[name]! : name;
    return Object.hasOwn(record, key) ? record[key] : undefined;
  };
  const rows: DiffRow[] = [];
  for (const { name, v } of all) {
    const theirs = there(dump.values, name);
    if (theirs !== undefined) rows.push(compared("value", name, v, evaluate(v) as Tensor, theirs, limit));
  }
  for (let i = all.length - 1; i >= 0; i--) {
    const { name, v, gradient } = all[i]!;
    const theirs = there(dump.gradients, name);
    if (theirs !== undefined && gradient !== null) rows.push(compared("gradient", name, v, evaluate(gradient) as Tensor, theirs, limit));
  }
  const known = new Set(all.map(({ name }) => (Object.hasOwn(renamed, name) ? renamed[name]! : name)));
  const unmatched = [
    ...Object.keys(dump.values).filter((name) => !known.has(name)),
    ...Object.keys(dump.gradients).flatMap((name) => (known.has(name) ? [] : [`${name}.grad`])),
  ];
  const firstValue = rows.find((r) => r.kind === "value" && r.deviates) ?? null;
  const first = rows.find((r) => r.kind === "gradient" && r.deviates);
  const firstGradient = first === undefined ? null : { ...first, ruleOf: usersOf(first.name, all, order, names) };
  const made = { agrees: rows.length > 0 && rows.every((r) => !r.deviates), rows, firstValue, firstGradient, unmatched };
  const words = diffWords(language);
  return {
    ...made,
    text: () => renderText(made, limit, words),
    markdown: () =>
      `## ${words.title}\n\n${sentences(made, limit, words).join("\n\n")}\n\n${markdownTable(table(made.rows, words)).join("\n")}\n`,
    toJSON: () => jsonOf(made),
  };
}

function isDump(x: object): x is GradientDump {
  const { values, gradients } = x as { values?: unknown; gradients?: unknown };
  return (
    typeof values === "object" &&
    values !== null &&
    !isTensor(values) &&
    typeof gradients === "object" &&
    gradients !== null &&
    !isTensor(gradients)
  );
}

function compared(kind: DiffRow["kind"], name: string, v: Value, ours: Tensor, theirs: Tensor, limit: number): DiffRow {
  const head = { kind, name, op: v.node.op.name, ourType: typeText(ours.type), theirType: typeText(theirs.type) };
  // One element is one element: [1] beside [], as NumPy writes scalars.
  const single = ours.data.length === 1 && theirs.data.length === 1;
  if (!single && !sameShape(ours.type.shape, theirs.type.shape))
    return {
      ...head,
      ulps: Number.POSITIVE_INFINITY,
      elementUlps: Number.POSITIVE_INFINITY,
      index: null,
      ours: null,
      theirs: null,
      deviates: true,
    };
  const { ulps, elementUlps, at } = apart(ours.data, theirs.data, coarser(ours.type.dtype, theirs.type.dtype));
  return {
    ...head,
    ulps,
    elementUlps,
    index: at < 0 ? null : placeOf(at, ours.type.shape),
    ours: at < 0 ? null : ours.data[at]!,
    theirs: at < 0 ? null : theirs.data[at]!,
    deviates: ulps > limit,
  };
}

function placeOf(at: number, shape: readonly number[]): number[] {
  const place = new Array<number>(shape.length);
  for (let axis = shape.length - 1, rest = at; axis >= 0; axis--) {
    place[axis] = rest % shape[axis]!;
    rest = Math.floor(rest / shape[axis]!);
  }
  return place;
}

/** The gates that a value goes into: their rules made its gradient. `op (name)` each. */
function usersOf(
  name: string,
  all: readonly { readonly name: string; readonly v: Value }[],
  order: readonly Node[],
  names: ReadonlyMap<Node, string>,
): string[] {
  const v = all.find((t) => t.name === name)?.v;
  if (v === undefined) return [];
  return order
    .filter((node) => node.op.pull !== null && node.operands.some((x) => x === v))
    .map((node) => `${node.op.name} (${names.get(node)})`);
}

type Made = Pick<GradientDiff, "agrees" | "rows" | "firstValue" | "firstGradient" | "unmatched">;

const short = (x: number): string => (x >= 1e6 && Number.isFinite(x) ? x.toExponential(2) : numberText(x, 3));

function sentences({ agrees, rows, firstValue, firstGradient, unmatched }: Made, limit: number, words: DiffWords): string[] {
  const out: string[] = [];
  if (rows.length === 0) out.push(words.nothing);
  else if (agrees) out.push(words.agrees(rows.length, short(limit)));
  const place = ({ index }: DiffRow): string => (index === null || index.length === 0 ? "" : words.element(index.join(",")));
  const numbers = (r: DiffRow): [string, string] => [
    r.ours === null ? "-" : numberText(r.ours, 9),
    r.theirs === null ? "-" : numberText(r.theirs, 9),
  ];
  const said = (r: DiffRow, say: (ulps: string, place: string, ours: string, theirs: string) => string): string =>
    r.ours === null
      ? words.shapes(r.kind === "value" ? r.name : `${r.name}.grad`, r.ourType, r.theirType)
      : say(short(r.ulps), place(r), ...numbers(r));
  if (firstValue !== null) out.push(said(firstValue, (...rest) => words.firstValue(firstValue.name, firstValue.op, ...rest)));
  if (firstGradient !== null) {
    const { ruleOf } = firstGradient;
    const parts = [said(firstGradient, (...rest) => words.firstGradient(firstGradient.name, ...rest))];
    if (ruleOf.length === 0) parts.push(words.seed);
    else {
      const own = ruleOf.map((user) => rows.find((r) => r.kind === "gradient" && user.endsWith(` (${r.name})`)));
      parts.push(
        `${words.ruleOf(ruleOf.join(", "))}, ${own.every((r) => r !== undefined && !r.deviates) ? words.ownAgrees : words.ownUnknown}`,
      );
    }
    if (firstValue !== null) parts.push(words.valuesFirst);
    out.push(parts.join("; "));
  }
  const rest = rows.filter((r) => r.deviates).length - (firstValue === null ? 0 : 1) - (firstGradient === null ? 0 : 1);
  if (rest > 0) out.push(words.others(rest));
  if (unmatched.length > 0) out.push(words.unmatched(`${unmatched.slice(0, 8).join(", ")}${unmatched.length > 8 ? ", …" : ""}`));
  return out;
}

function table(rows: readonly DiffRow[], words: DiffWords): string[][] {
  return [
    [...words.columns],
    ...rows.map((r) => [words[r.kind], r.name, r.op, short(r.ulps), short(r.elementUlps), r.deviates ? words.deviates : words.same]),
  ];
}

function renderText(made: Made, limit: number, words: DiffWords): string {
  return `${[...sentences(made, limit, words), ...(made.rows.length === 0 ? [] : ["", ...aligned(table(made.rows, words))])].join("\n")}\n`;
}

function jsonOf({ agrees, rows, firstValue, firstGradient, unmatched }: Made): GradientDiffJson {
  const orNull = (x: number | null): number | string | null => (x === null ? null : jsonNumber(x));
  return {
    agrees,
    firstValue: firstValue?.name ?? null,
    firstGradient: firstGradient === null ? null : { name: firstGradient.name, ruleOf: firstGradient.ruleOf },
    rows: rows.map((r) => ({
      kind: r.kind,
      name: r.name,
      op: r.op,
      ourType: r.ourType,
      theirType: r.theirType,
      ulps: jsonNumber(r.ulps),
      elementUlps: jsonNumber(r.elementUlps),
      index: r.index,
      ours: orNull(r.ours),
      theirs: orNull(r.theirs),
      deviates: r.deviates,
    })),
    unmatched,
  };
}
