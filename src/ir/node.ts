import type { AnyOp } from "./op.ts";
import type { Span } from "./errors.ts";
import type { Held } from "./tensor.ts";
import type { TensorType } from "./type.ts";

/**
 * Why a node's history is kept. A node depends on keepers through its operands and stores the outermost one; while that one is open the node
 * keeps its operands, because somebody may still ask for a derivative through it. Transforms open one per call and close it when they return.
 */
export interface Keeper {
  open: boolean;
  /** Smaller is further out; 0 is the keeper of variables and inputs, which never closes. */
  readonly order: number;
}

/** The keeper of variables and inputs. */
export const forever: Keeper = { open: true, order: 0 };

/** Where the user wrote a node: its scope, the expression it came from, the source line (only under `trace`). */
export interface Where {
  readonly scope: string | null;
  readonly source: string | null;
  readonly span: Span | null;
  readonly stack: string | null;
}

/** A result of a node: symbolic, typed, immutable. `index` tells which result of `node` it is. */
export interface Value {
  readonly kind: "value";
  readonly type: TensorType;
  readonly node: Node;
  readonly index: number;
}

const none: readonly (Value | null)[] = [];
let counter = 0;

/** The serial number that the next node will take. */
export function nextSerial(): number {
  return counter + 1;
}

/**
 * One application of an op. A node with a single result is that Value itself, so a scalar graph costs one object a node; a node with several
 * has them in `outputs`.
 * Invariant: operands have smaller serials than their node, so serial order is a topological order and cycles cannot be built.
 */
export class Node implements Value {
  readonly op: AnyOp;
  /** Flat: one entry per declared operand, null where an optional one is absent, the variadic ones last. Empty once forgotten. */
  operands: readonly (Value | null)[];
  readonly attrs: object;
  readonly type: TensorType;
  readonly serial: number;
  keeper: Keeper | null;
  /** What a reading computed, one entry per result when there are several. */
  memo: Held | readonly Held[] | undefined;
  outputs: readonly Value[] | null;
  label: string | null;
  where: Where | null;
  /** For a node of a backward pass: the forward node whose rule made it. */
  origin: Node | null;
  /** The operand of `origin` that it carries the cotangent to; -1 for the sum over the branches that leave `origin`. */
  role: number;
  /** Scratch of graph walks: the walk's number and the node's place in it. */
  mark: number;
  place: number;

  constructor(op: AnyOp, operands: readonly (Value | null)[], attrs: object, type: TensorType, keeper: Keeper | null) {
    this.op = op;
    this.operands = operands;
    this.attrs = attrs;
    this.type = type;
    this.serial = ++counter;
    this.keeper = keeper;
    this.memo = undefined;
    this.outputs = null;
    this.label = null;
    this.where = null;
    this.origin = null;
    this.role = 0;
    this.mark = 0;
    this.place = 0;
  }
  get kind(): "value" {
    return "value";
  }
  get node(): Node {
    return this;
  }
  get index(): number {
    return 0;
  }
}

/** One of several results. */
export class Output implements Value {
  readonly type: TensorType;
  readonly node: Node;
  readonly index: number;
  constructor(type: TensorType, node: Node, index: number) {
    this.type = type;
    this.node = node;
    this.index = index;
  }
  get kind(): "value" {
    return "value";
  }
}

/** The results of a node, in order. */
export function valuesOf(node: Node): readonly Value[] {
  return node.outputs ?? [node];
}

/** The outermost open keeper among the operands' nodes. */
export function keeperOf(operands: readonly (Value | null)[]): Keeper | null {
  let found: Keeper | null = null;
  for (let i = 0; i < operands.length; i++) {
    const k = operands[i]?.node.keeper;
    if (k?.open && (found === null || k.order < found.order)) found = k;
  }
  return found;
}

/** Whether a derivative with respect to this value can still be asked for. */
export function isKept(v: Value): boolean {
  return v.node.keeper?.open === true;
}

/** Drops the history of an evaluated node that nobody can ask about any more (`docs/numerics.md`, "memory"). */
export function forget(node: Node): void {
  if (node.keeper !== null && node.keeper.open) return;
  node.operands = none;
  node.origin = null;
  node.keeper = null;
}

/** What was computed for a value, if it was. */
export function memoOf(v: Value): Held | undefined {
  const { memo, outputs } = v.node;
  return outputs === null ? (memo as Held | undefined) : (memo as readonly Held[] | undefined)?.[v.index];
}

let walk = 0;
/** A fresh number for the marks of a graph walk. Walks that run user code must not rely on marks across it. */
export function nextWalk(): number {
  return ++walk;
}
