import { GraphError } from "../ir/errors.ts";
import type { Tensor } from "../ir/tensor.ts";
import { kindText, listed } from "../notation/given.ts";
import { checkPatterns, names } from "../notation/patterns.ts";
import { type Parameter, type Use, usesOf } from "./parameters.ts";
import type { NodeMessage } from "./schema.ts";

/**
 * Which weights that a file has twice are one: all, none, or those that patterns name, each with the first that has its numbers. When left out, those that nothing else explains: a table that
 * is looked up and the matrix of a product, and what the exporter says was moved from one weight.
 */
export type Tie = boolean | readonly string[];

/** Two weights of a file with the same numbers, and whether they are read as one. */
export interface Copies {
  readonly parameters: readonly [first: string, copy: string];
  readonly transposed: boolean;
  readonly tied: boolean;
}

/** A weight with the numbers of others. */
interface Member {
  readonly p: Parameter;
  /** Whether it is turned against the first of its class. */
  readonly turned: boolean;
}

/** Fewer numbers agree by chance, or because they are all 0 or 1. */
const leastNumbers = 16;
/** What says nothing but its numbers is taken for one weight from this size on, and with so many numbers that differ: masks and tables of bits agree of themselves. */
const leastTied = 64;
const leastDifferent = 16;

function isCopy(a: Tensor, b: Tensor, turned: boolean): boolean {
  const [rows = 1, columns = 1] = a.type.shape;
  if (!turned) {
    for (let i = 0; i < a.data.length; i++) if (a.data[i] !== b.data[i]) return false;
    return true;
  }
  // By columns of `b`, which are rows of `a`, in strips: a table of a language model has its rows far apart.
  const strip = 64;
  for (let from = 0; from < rows; from += strip)
    for (let j = 0; j < columns; j++)
      for (let i = from; i < Math.min(rows, from + strip); i++) if (a.data[i * columns + j] !== b.data[j * rows + i]) return false;
  return true;
}

/** The trained weights that have the same numbers, as they stand or transposed, in lists; the first of each is what the others are copies of. */
function classesOf(parameters: readonly Parameter[]): Member[][] {
  const buckets = new Map<string, Member[][]>();
  for (const p of parameters) {
    const { shape, dtype } = p.value.type;
    const { data } = p.value;
    if (!p.trainable || shape.length < 2 || data.length < leastNumbers || data.every((x) => x === data[0])) continue;
    // Turning leaves the first and the last number where they are.
    const sizes = shape.length === 2 ? [...shape].sort((a, b) => a - b) : shape;
    const key = [dtype, ...sizes, data[0], data[data.length - 1]].join();
    const classes = buckets.get(key) ?? [];
    buckets.set(key, classes);
    const turnedAgainst = ([first]: readonly Member[]): boolean | null => {
      const { value } = first!.p;
      if (value.type.shape.every((s, i) => s === shape[i]) && isCopy(value, p.value, false)) return false;
      return shape.length === 2 && value.type.shape[0] === shape[1] && isCopy(value, p.value, true) ? true : null;
    };
    const found = classes.some((members) => {
      const turned = turnedAgainst(members);
      if (turned !== null) members.push({ p, turned });
      return turned !== null;
    });
    if (!found) classes.push([{ p, turned: false }]);
  }
  return [...buckets.values()].flat().filter((members) => members.length > 1);
}

/** Whether the rows of a name are looked up, and whether it is multiplied, behind what makes no numbers too. */
function usesAs(name: string, uses: ReadonlyMap<string, readonly Use[]>): { readonly table: boolean; readonly product: boolean } {
  const open = [name];
  let [table, product] = [false, false];
  for (const next of open)
    for (const { node, at } of uses.get(next) ?? []) {
      if (node.op_type === "Identity" || node.op_type === "Transpose") open.push(node.output?.[0] ?? "");
      else if (node.op_type === "Gather") table ||= at === 0;
      else product ||= /^(MatMul|Gemm|Einsum)$/.test(node.op_type ?? "");
    }
  return { table, product };
}

function isVaried({ data }: Tensor): boolean {
  if (data.length < leastTied) return false;
  const seen = new Set<number>();
  for (const x of data) if (seen.add(x).size >= leastDifferent) return true;
  return false;
}

/** The members of a class that are one weight beyond doubt, in lists. */
function certain(members: readonly Member[], uses: ReadonlyMap<string, readonly Use[]>): Member[][] {
  const groups = new Map(members.map((m) => [m, new Set([m])]));
  const join = (a: Member, b: Member): void => {
    const [one, other] = [groups.get(a)!, groups.get(b)!];
    for (const m of other) {
      one.add(m);
      groups.set(m, one);
    }
  };
  const origins = new Map<string, Member>();
  for (const m of members) {
    const { origin } = m.p;
    if (origin === null) continue;
    const before = origins.get(origin);
    if (before === undefined) origins.set(origin, m);
    else join(before, m);
  }
  // Layers that were copied before they were trained have equal numbers too, but each its like: a table and a matrix of a product are not each other's copies.
  const as = members.map((m) => usesAs(m.p.initializer, uses));
  const tables = members.filter((_, i) => as[i]!.table);
  if (tables.length === 1 && isVaried(tables[0]!.p.value))
    members.forEach((m, i) => {
      if (as[i]!.product) join(tables[0]!, m);
    });
  return [...new Set(groups.values())].map((group) => members.filter((m) => group.has(m)));
}

/** @throws GraphError for what is no choice */
function checkTie(tie: unknown): asserts tie is Tie | undefined {
  if (tie === undefined || typeof tie === "boolean") return;
  if (!Array.isArray(tie))
    throw new GraphError(`onnx: tie is ${kindText(tie)}; it is true, false, or a list of patterns: tie: ["lm_head.weight"]`);
  checkPatterns(tie, "tie", "onnx");
}

/**
 * The parameters of a model with those that are one made one: called as the first of them whose name the file has itself; and which of them have the same numbers.
 * @throws GraphError for patterns that name no weight with the numbers of another
 */
export function tieCopies(
  parameters: readonly Parameter[],
  nodes: readonly NodeMessage[],
  tie: Tie | undefined,
): { readonly parameters: readonly Parameter[]; readonly copies: readonly Copies[] } {
  checkTie(tie);
  const classes = classesOf(parameters);
  if (Array.isArray(tie)) checkNamed(tie as readonly string[], classes);
  const uses = classes.length === 0 ? new Map() : usesOf(nodes);
  const copies: Copies[] = [];
  /** What stays for a parameter; null for one that is another's copy. */
  const now = new Map<Parameter, Parameter | null>();
  for (const members of classes) {
    const groups = groupsOf(members, uses, tie);
    const firsts = groups.map(firstOf);
    groups.forEach((group, i) => {
      const first = firsts[i]!;
      const others = group.filter((m) => m !== first);
      const facts = others.map((m) => ({ name: m.p.name, initializer: m.p.initializer, transposed: m.turned !== first.turned }));
      for (const { name, transposed } of facts) copies.push({ parameters: [first.p.name, name], transposed, tied: true });
      for (const { p } of others) now.set(p, null);
      now.set(first.p, { ...first.p, copies: facts });
      if (i > 0)
        copies.push({ parameters: [firsts[0]!.p.name, first.p.name], transposed: first.turned !== firsts[0]!.turned, tied: false });
    });
  }
  return { parameters: parameters.flatMap((p) => (now.has(p) ? (now.get(p) ?? []) : p)), copies };
}

/** What gives a weight its name and its layout: the first that has a name in the file. */
function firstOf(members: readonly Member[]): Member {
  return members.find(({ p }) => p.name === p.initializer) ?? members[0]!;
}

function groupsOf(members: readonly Member[], uses: ReadonlyMap<string, readonly Use[]>, tie: Tie | undefined): Member[][] {
  if (tie === undefined) return certain(members, uses);
  if (tie === true) return [[...members]];
  if (tie === false) return members.map((m) => [m]);
  const first = firstOf(members);
  const named = members.filter(({ p }) => names(tie, p.name));
  if (named.length === 0) return members.map((m) => [m]);
  const group = members.filter((m) => m === first || (named.length === 1 && named[0] === first) || named.includes(m));
  return [group, ...members.filter((m) => !group.includes(m)).map((m) => [m])];
}

function checkNamed(patterns: readonly string[], classes: readonly (readonly Member[])[]): void {
  const all = classes.flat().map(({ p }) => p.name);
  for (const pattern of patterns)
    if (!all.some((name) => names([pattern], name)))
      throw new GraphError(
        `onnx: tie: ${pattern} names no weight that the file has twice; ${all.length === 0 ? "it has none" : `it has ${listed(all)}`}`,
      );
}
