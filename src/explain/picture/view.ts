import { GraphError } from "../../ir/errors.ts";
import { inputOp, variableOp } from "../../ir/leaf.ts";
import type { Node, Value } from "../../ir/node.ts";
import { valuesOf } from "../../ir/node.ts";
import { sizeOf } from "../../ir/shape.ts";
import { typeText } from "../../ir/type.ts";
import { type Module, type Modules, modulesOf } from "./modules.ts";

/** How much of a graph a picture shows. */
export interface ViewOptions {
  /**
   * How many levels of named scopes are open: 0 shows each outermost one as one box, 1 opens those, `"all"` opens every one. Left out, as many as keep
   * the picture within 60 items.
   */
  readonly depth?: number | "all";
  /** Modules, by path as in `net/layer` or by the id of their item, that are open (with those around them) whatever the depth. */
  readonly open?: readonly string[];
  /** Modules that are closed whatever the depth, but for those that `open` names too, whichever way. */
  readonly closed?: readonly string[];
  /** Whether closed modules of the same structure in a row, or side by side from the same values into one node, are drawn once, as `×N`; `true` when left out. */
  readonly fold?: boolean;
  /** Whether a graph that is called is a module, which can be opened; `false` draws each `call` as the one gate it is. `true` when left out. */
  readonly inline?: boolean;
  /** The most items in a picture; 5,000 when left out. */
  readonly maxItems?: number;
}

/** A closed module as the picture shows it, with those like it that follow. */
export interface Closed {
  readonly module: Module;
  readonly repeat: number;
  readonly ops: number;
  /** Numbers in the parameters inside. */
  readonly params: number;
}

/** What the picture shows: each node by itself or as part of a closed module, and the open modules. */
export interface View {
  /** The item that stands for a node: the node, or the closed module around it. */
  readonly shown: ReadonlyMap<Node, Node | Closed>;
  readonly open: readonly Module[];
  /** The open module directly around an item. */
  readonly around: ReadonlyMap<Node | Closed, Module>;
  readonly items: number;
}

const comfortable = 60;

/** The most items in a picture, unless it is told otherwise. */
export const mostItems: number = 5000;

/**
 * Chooses what is shown.
 * @throws GraphError when that is more than `maxItems`
 */
export function viewOf(order: readonly Node[], options: ViewOptions = {}): View {
  const { depth, maxItems = mostItems } = options;
  if (depth !== undefined && depth !== "all" && !(Number.isInteger(depth) && depth >= 0))
    throw new GraphError(`draw: depth ${String(depth)} is no depth; give 0, 1, 2, ... or "all"`);
  const modules = modulesOf(order);
  const numbers: Numbers = { texts: new Map(), objects: new Map(), nodes: new Map() };
  const view = depth === undefined ? comfortableView(order, modules, options, numbers) : viewAt(order, modules, depth, options, numbers);
  if (view.items > maxItems) {
    const how =
      modules.all.length === 0 ? "name its parts with scope(name, ...) and they are drawn as one box each" : "draw it at a smaller depth";
    throw new GraphError(
      `draw: the picture would have ${view.items} items, more than maxItems = ${maxItems}; ${how}, draw a part of it (any Value inside), or raise maxItems`,
    );
  }
  return view;
}

function comfortableView(order: readonly Node[], modules: Modules, options: ViewOptions, numbers: Numbers): View {
  const deepest = modules.all.reduce((most, { level }) => Math.max(most, level), -1);
  let view = viewAt(order, modules, 0, options, numbers);
  for (let depth = 1; depth <= deepest + 1; depth++) {
    const next = viewAt(order, modules, depth, options, numbers);
    if (next.items > comfortable) break;
    view = next;
  }
  return view;
}

function viewAt(
  order: readonly Node[],
  modules: Modules,
  depth: number | "all",
  { open = [], closed = [], fold = true }: ViewOptions,
  numbers: Numbers,
): View {
  const named = (list: readonly string[]): Set<Module> => {
    const wanted = new Set(list);
    return new Set(modules.all.filter(({ id, path }) => wanted.has(id) || wanted.has(path)));
  };
  const asked = named(open);
  const opened = new Set(asked);
  const shut = named(closed);
  for (const module of [...opened]) for (let m = module.parent; m !== null; m = m.parent) opened.add(m);
  const isOpen = (m: Module): boolean => asked.has(m) || (!shut.has(m) && (depth === "all" || m.level < depth || opened.has(m)));
  /** The outermost closed module at or around each one, null where all are open. */
  const cover = new Map<Module, Module | null>();
  for (const m of modules.all) {
    const above = m.parent === null ? null : cover.get(m.parent)!;
    cover.set(m, above ?? (isOpen(m) ? null : m));
  }
  const closedOnes = modules.all.filter((m) => cover.get(m) === m);
  const members = new Map<Module, Node[]>(closedOnes.map((m) => [m, []]));
  for (const node of order) {
    const module = modules.around.get(node);
    const outer = module === undefined ? null : cover.get(module)!;
    if (outer !== null) members.get(outer)!.push(node);
  }
  const standsFor = new Map<Module, Closed>();
  for (const chain of fold ? chainsOf(order, members, numbers) : closedOnes.map((m) => [m])) {
    const nodes = chain.flatMap((m) => members.get(m)!);
    const item: Closed = { module: chain[0]!, repeat: chain.length, ...countsOf(nodes) };
    for (const m of chain) standsFor.set(m, item);
  }
  const shown = new Map<Node, Node | Closed>();
  const around = new Map<Node | Closed, Module>();
  for (const node of order) {
    const module = modules.around.get(node);
    const outer = module === undefined ? null : cover.get(module)!;
    const item = outer === null ? node : standsFor.get(outer)!;
    shown.set(node, item);
    const home = outer === null ? module : (item as Closed).module.parent;
    if (home !== undefined && home !== null) around.set(item, home);
  }
  return { shown, around, open: modules.all.filter((m) => cover.get(m) === null), items: new Set(shown.values()).size };
}

function countsOf(nodes: readonly Node[]): { ops: number; params: number } {
  let ops = 0;
  let params = 0;
  for (const node of nodes) {
    if (node.op === variableOp || node.op === inputOp) params += sizeOf(node.type.shape);
    else if (node.operands.length > 0) ops++;
  }
  return { ops, params };
}

/** A module as its consumers and its likes see it. */
interface Shape {
  readonly signature: string;
  /** What it takes from outside, in order of first use. */
  readonly takes: readonly Value[];
  /** The number of each value inside. */
  readonly inside: ReadonlyMap<Value, number>;
}

/** Closed modules, alone or in runs of one structure where each takes what the one before gives and nobody else does. */
function chainsOf(order: readonly Node[], members: ReadonlyMap<Module, readonly Node[]>, numbers: Numbers): Module[][] {
  const home = new Map<Node, Module>();
  for (const [m, nodes] of members) for (const node of nodes) home.set(node, m);
  const shapes = new Map([...members].map(([m, nodes]) => [m, shapeOf(nodes, numbers)]));
  const takers = new Map<Module, Set<Module | null>>([...members.keys()].map((m) => [m, new Set()]));
  for (const node of order) {
    for (const v of node.operands) {
      const from = v === null ? undefined : home.get(v.node);
      if (from !== undefined && home.get(node) !== from) takers.get(from)!.add(home.get(node) ?? null);
    }
  }
  const follower = new Map<Module, Module>();
  for (const [m, after] of takers) {
    const [next] = after;
    if (after.size !== 1 || next == null || next.parent !== m.parent) continue;
    if (carried(shapes.get(m)!, shapes.get(next)!) !== null) follower.set(m, next);
  }
  const followers = new Set(follower.values());
  const chains: Module[][] = [];
  for (const m of members.keys()) {
    if (followers.has(m)) continue;
    let chain = [m];
    let pattern: string | null = null;
    for (let next = follower.get(m); next !== undefined; next = follower.get(next)) {
      const last = chain[chain.length - 1]!;
      const now = carried(shapes.get(last)!, shapes.get(next)!);
      if (pattern === null || now === pattern) chain.push(next);
      else {
        chains.push(chain);
        chain = [next];
      }
      pattern = chain.length === 1 ? null : now;
    }
    chains.push(chain);
  }
  return besideEachOther(order, chains, home, shapes, numbers);
}

/** Chains, with modules of one structure that take the same values and each give one value to the same single node, such as a concat, put together. */
function besideEachOther(
  order: readonly Node[],
  chains: readonly Module[][],
  home: ReadonlyMap<Node, Module>,
  shapes: ReadonlyMap<Module, Shape>,
  { objects }: Numbers,
): Module[][] {
  const gives = new Map<Module, { readonly v: Value; readonly to: Node } | null>();
  for (const node of order) {
    for (const v of node.operands) {
      const from = v === null ? undefined : home.get(v.node);
      // Given twice, or to two nodes, a module stays by itself.
      if (from !== undefined && home.get(node) !== from) gives.set(from, gives.has(from) ? null : { v: v!, to: node });
    }
  }
  const known = new Map<string, Module[]>();
  const found: Module[][] = [];
  for (const chain of chains) {
    const [m] = chain;
    const given = gives.get(m!);
    if (chain.length > 1 || given == null) {
      found.push(chain);
      continue;
    }
    const { signature, takes, inside } = shapes.get(m!)!;
    const taken = takes.map((v) => numberOf(objects, v)).join(",");
    const key = `${m!.parent?.id ?? ""} ${numberOf(objects, given.to)} ${inside.get(given.v)} ${taken} ${signature}`;
    const like = known.get(key);
    if (like !== undefined) like.push(m!);
    else {
      known.set(key, chain);
      found.push(chain);
    }
  }
  return found;
}

/** How the inputs of a module's follower come from the module or are shared with it; null if they are of different structure. */
function carried(first: Shape, second: Shape): string | null {
  if (first.signature !== second.signature) return null;
  const ways = second.takes.map((v, i) => {
    const inner = first.inside.get(v);
    return inner === undefined ? (first.takes[i] === v ? "same" : null) : `from ${inner}`;
  });
  return ways.includes(null) ? null : ways.join(",");
}

/** A text that is equal for two modules exactly when they are the same ops, wired the same way. */
function shapeOf(nodes: readonly Node[], numbers: Numbers): Shape {
  const inside = new Map<Value, number>();
  const within = new Set(nodes);
  const takes = new Map<Value, number>();
  const parts: string[] = [];
  for (const node of nodes) {
    const operands = node.operands.map((v) => {
      if (v === null) return "-";
      if (within.has(v.node)) return inside.get(v);
      if (!takes.has(v)) takes.set(v, takes.size);
      return `o${takes.get(v)}:${typeText(v.type)}`;
    });
    for (const v of valuesOf(node)) inside.set(v, inside.size);
    parts.push(`${kindOf(node, numbers)}(${operands.join(",")})`);
  }
  return { signature: parts.join(" "), takes: [...takes.keys()], inside };
}

/** A number for what a node is apart from its operands; views of other depths ask for it again. */
function kindOf(node: Node, numbers: Numbers): number {
  let kind = numbers.nodes.get(node);
  if (kind === undefined) {
    const types = valuesOf(node).map((v) => typeText(v.type));
    kind = numberOf(numbers.texts, `${node.op.name} ${attrsText(node.attrs, numbers)} ${types.join(",")}`);
    numbers.nodes.set(node, kind);
  }
  return kind;
}

/** Small numbers for long texts, and for objects that are equal only to themselves, such as graphs. */
interface Numbers {
  readonly texts: Map<string, number>;
  readonly objects: Map<object, number>;
  readonly nodes: Map<Node, number>;
}

function numberOf<K>(known: Map<K, number>, key: K): number {
  let number = known.get(key);
  if (number === undefined) known.set(key, (number = known.size));
  return number;
}

function attrsText(attrs: object, { objects }: Numbers): string {
  try {
    return JSON.stringify(attrs, (_, value: unknown) => {
      if (typeof value === "bigint") return String(value);
      return typeof value === "function" ? `object ${numberOf(objects, value)}` : value;
    });
  } catch {
    // What cannot be written down is equal to nothing else.
    return `object ${numberOf(objects, attrs)}`;
  }
}
