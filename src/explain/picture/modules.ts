import { isFloat } from "../../ir/dtype.ts";
import { inputOp, variableOp } from "../../ir/leaf.ts";
import type { Node } from "../../ir/node.ts";
import { isFixed } from "../names.ts";

/** A named part of a graph: the nodes that one call of `scope` made, with the leaves that only they use. */
export interface Module {
  readonly id: string;
  readonly label: string;
  /** The labels from the outermost in. */
  readonly path: string;
  readonly parent: Module | null;
  /** 0 for the outermost. */
  readonly level: number;
  /** What lies directly in it. */
  readonly nodes: Node[];
  readonly children: Module[];
}

/** The modules of a graph, outer before inner, and the innermost one around each node. */
export interface Modules {
  readonly all: readonly Module[];
  readonly around: ReadonlyMap<Node, Module>;
}

interface Key {
  readonly label: string;
  readonly name: string;
}

/**
 * The modules of a graph by its scopes. Taken as one node, no module may both feed and follow another, or the picture would have a cycle: copies of a
 * scope that a graph called twice leaves behind are told apart by the gap between them.
 */
export function modulesOf(order: readonly Node[]): Modules {
  const nodes = [...order].sort((a, b) => a.serial - b.serial);
  const place = new Map(nodes.map((node, i) => [node, i]));
  const keys = nodes.map(keysOf);
  if (keys.every((list) => list.length === 0)) return { all: [], around: new Map() };
  adoptLeaves(nodes, place, keys);
  const deepest = keys.reduce((most, list) => Math.max(most, list.length), 0);
  // A number for the path to each node as far as the level has come, so that paths are not written out again and again.
  const parent = nodes.map(() => 0);
  const known = new Map<string, number>();
  const inner = (i: number, level: number): number => {
    const key = `${parent[i]} ${keys[i]![level]!.name}`;
    let number = known.get(key);
    if (number === undefined) known.set(key, (number = known.size + 1));
    return number;
  };
  for (let level = 0; level < deepest; level++) {
    splitCycles(nodes, place, keys, level, parent, inner);
    for (let i = 0; i < nodes.length; i++) if (keys[i]!.length > level) parent[i] = inner(i, level);
  }
  return grow(nodes, keys);
}

function keysOf(node: Node): Key[] {
  const { scope = null, calls = [] } = node.where ?? {};
  if (scope === null) return [];
  const parts = scope.split("/");
  // A name with a slash in it cannot be told from two names; then the whole is one.
  const labels = parts.length === calls.length || calls.length === 0 ? parts : [scope];
  return labels.map((label, i) => ({ label, name: `${calls[i] ?? ""} ${label}` }));
}

const isLeaf = (node: Node): boolean => node.operands.length === 0;

/**
 * Leaves made outside move into the module that alone uses them: constants always, parameters if their name says that they belong there (`fc1.w` in
 * `fc1`) or something else comes into the module, so that a network's data stays in sight.
 */
function adoptLeaves(nodes: readonly Node[], place: ReadonlyMap<Node, number>, keys: Key[][]): void {
  const users = new Map<Node, Key[]>();
  const fed = new Set<string>();
  const pathOf = (list: readonly Key[], length: number): string =>
    list
      .slice(0, length)
      .map(({ name }) => name)
      .join("\n");
  nodes.forEach((node, i) => {
    const own = keys[i]!;
    for (const v of node.operands) {
      if (v === null) continue;
      const from = v.node;
      if (isLeaf(from) && keys[place.get(from)!]!.length === 0) {
        const known = users.get(from);
        users.set(from, known === undefined ? own : commonKeys(known, own));
      }
      if (isLeaf(from) && from.op !== inputOp) continue;
      const theirs = keys[place.get(from)!]!;
      for (let n = commonKeys(own, theirs).length + 1; n <= own.length; n++) fed.add(pathOf(own, n));
    }
  });
  for (const [leaf, common] of users) {
    let length = common.length;
    while (length > 0 && !belongs(leaf, common[length - 1]!, fed.has(pathOf(common, length)))) length--;
    keys[place.get(leaf)!] = common.slice(0, length);
  }
}

function belongs(leaf: Node, { label }: Key, isFed: boolean): boolean {
  if (isFixed(leaf)) return true;
  if (`.${leaf.label ?? ""}.`.includes(`.${label}.`)) return true;
  return leaf.op === variableOp && isFed && isFloat(leaf.type.dtype);
}

function commonKeys(a: readonly Key[], b: readonly Key[]): Key[] {
  let n = 0;
  while (n < a.length && n < b.length && a[n]!.name === b[n]!.name) n++;
  return a.slice(0, n);
}

/**
 * Cuts the modules of one level that lie on a cycle of modules into the runs of nodes that were built without a break.
 * @param parent the number of the module around each node
 * @param inner the number of the module of this level that a node lies in
 */
function splitCycles(
  nodes: readonly Node[],
  place: ReadonlyMap<Node, number>,
  keys: Key[][],
  level: number,
  parent: readonly number[],
  inner: (i: number, level: number) => number,
): void {
  // A node outside of any module of this level is a unit of its own.
  const unit = nodes.map((_, i) => (keys[i]!.length > level ? inner(i, level) : -1 - i));
  const edges = new Map<number, Set<number>>();
  const waiting = new Map<number, number>(unit.map((u) => [u, 0]));
  nodes.forEach((node, i) => {
    for (const v of node.operands) {
      if (v === null) continue;
      const from = place.get(v.node)!;
      // Edges that leave the parent belong to its own level, which is without cycles already.
      if (unit[from] === unit[i] || parent[from] !== parent[i]) continue;
      const after = edges.get(unit[from]!) ?? new Set<number>();
      if (after.has(unit[i]!)) continue;
      edges.set(unit[from]!, after.add(unit[i]!));
      waiting.set(unit[i]!, waiting.get(unit[i]!)! + 1);
    }
  });
  const ready = [...waiting].filter(([, count]) => count === 0).map(([u]) => u);
  for (let next = 0; next < ready.length; next++) {
    for (const u of edges.get(ready[next]!) ?? []) {
      waiting.set(u, waiting.get(u)! - 1);
      if (waiting.get(u) === 0) ready.push(u);
    }
  }
  if (ready.length === waiting.size) return;
  const done = new Set(ready);
  const run = new Map<number, number>();
  const last = new Map<number, number>();
  nodes.forEach((node, i) => {
    if (isLeaf(node) || keys[i]!.length < level) return;
    const inside = parent[i]!;
    if (last.get(inside) !== unit[i]) run.set(unit[i]!, (run.get(unit[i]!) ?? 0) + 1);
    last.set(inside, unit[i]!);
    if (done.has(unit[i]!) || keys[i]!.length <= level) return;
    const { label, name } = keys[i]![level]!;
    keys[i]![level] = { label, name: `${name} #${run.get(unit[i]!)}` };
  });
  // Leaves of a module that was cut lie outside of its pieces.
  nodes.forEach((node, i) => {
    if (isLeaf(node) && keys[i]!.length > level && !done.has(unit[i]!)) keys[i]!.length = level;
  });
}

function grow(nodes: readonly Node[], keys: readonly (readonly Key[])[]): Modules {
  const all: Module[] = [];
  const around = new Map<Node, Module>();
  const known = new Map<string, Module>();
  nodes.forEach((node, i) => {
    let parent: Module | null = null;
    let path = "";
    keys[i]!.forEach(({ label, name }, level) => {
      path += `\n${name}`;
      let found = known.get(path);
      if (found === undefined) {
        const whole: string = parent === null ? label : `${parent.path}/${label}`;
        found = { id: `m${all.length}`, label, path: whole, parent, level, nodes: [], children: [] };
        known.set(path, found);
        all.push(found);
        parent?.children.push(found);
      }
      parent = found;
    });
    if (parent !== null) {
      (parent as Module).nodes.push(node);
      around.set(node, parent);
    }
  });
  return { all, around };
}
