import { settleAll } from "../evaluate/evaluate.ts";
import { isFloat } from "../ir/dtype.ts";
import { constantOp, inputOp, variableOp } from "../ir/leaf.ts";
import { memoOf, type Node, type Value, valuesOf } from "../ir/node.ts";
import { sizeOf } from "../ir/shape.ts";
import { dense, type Held, type Tensor } from "../ir/tensor.ts";
import { collect } from "../ir/walk.ts";
import { type BadCause, backwardCause, forwardCause, numberAt } from "./bad-cause.ts";
import type { Fact, Finding } from "./finding.ts";
import { finished, gateFinding } from "./gate-finding.ts";
import { replay } from "./inside-region.ts";
import { isElementwise } from "./jacobian-rows.ts";
import { nameOfResult } from "./names.ts";
import { numberText, tensorText } from "./number-text.ts";
import { slotName } from "./steps.ts";
import type { FindingWords } from "./words/finding-en.ts";

/** The place of the first element that is not finite; -1 where all are. */
export function badAt(held: Held | null | undefined): number {
  if (held == null) return -1;
  if (typeof held === "number") return Number.isFinite(held) ? -1 : 0;
  for (let i = 0; i < held.data.length; i++) if (!Number.isFinite(held.data[i])) return i;
  return -1;
}

/**
 * The first forward value that spoils a root: found from the bad roots, back along bad operands only, so that infinities which nothing bad comes
 * of (masks, exp(-infinity)) are no alarm. An infinity that was written as a constant is meant; what makes NaN of it is the fault.
 */
export function badForward(
  roots: readonly Value[],
  words: FindingWords,
  names: ReadonlyMap<Node, string>,
  anywhere = false,
  within: readonly Node[] | null = null,
  before = "",
): Finding | null {
  settleAll(roots);
  const start = anywhere ? collect(roots).flatMap((n) => [...valuesOf(n)]) : roots;
  const open: Node[] = [];
  const seen = new Set<Node>();
  for (const r of start) {
    if (!isBad(r) || seen.has(r.node) || (anywhere && r.node.op === constantOp && !hasNaN(r.node))) continue;
    seen.add(r.node);
    open.push(r.node);
  }
  if (open.length === 0) return null;
  for (let i = 0; i < open.length; i++)
    for (const v of open[i]!.operands) {
      if (v === null || !isBad(v)) continue;
      if (seen.has(v.node)) continue;
      seen.add(v.node);
      open.push(v.node);
    }
  const origin = firstOrigin(open);
  return describe(origin, within ?? collect(roots), words, names, before);
}

function isBad(v: Value): boolean {
  return isFloat(v.type.dtype) && badAt(memoOf(v)) >= 0;
}

function hasNaN(node: Node): boolean {
  return valuesOf(node).some((v) => {
    const held = memoOf(v);
    if (held === undefined || !isFloat(v.type.dtype)) return false;
    if (typeof held === "number") return Number.isNaN(held);
    for (let i = 0; i < held.data.length; i++) if (Number.isNaN(held.data[i])) return true;
    return false;
  });
}

/** Among bad nodes the oldest whose badness is its own: "faulty" is NaN or an infinity that was made, not one that was written down. */
function firstOrigin(bad: readonly Node[]): Node {
  const sorted = [...bad].sort((a, b) => a.serial - b.serial);
  const faulty = new Set<Node>();
  let meant: Node | null = null;
  for (const node of sorted) {
    const operands = node.operands.filter((v): v is Value => v !== null && isBad(v));
    if (operands.some((v) => faulty.has(v.node))) {
      faulty.add(node);
      continue;
    }
    const nan = hasNaN(node);
    const leaf = node.operands.length === 0;
    if (!nan && ((leaf && node.op !== variableOp && node.op !== inputOp) || operands.length > 0)) {
      meant ??= node;
      continue;
    }
    return node;
  }
  return meant ?? sorted[0]!;
}

function describe(node: Node, order: readonly Node[], words: FindingWords, names: ReadonlyMap<Node, string>, before: string): Finding {
  const value = valuesOf(node).find(isBad)!;
  const held = memoOf(value)!;
  const at = badAt(held);
  const number = typeof held === "number" ? held : held.data[at]!;
  const inner = insideOf(node, words);
  if (inner !== null) return inner;
  const name = nameOfResult(names, value);
  const headline = before + words.badValue(name, elementText(number, at, value));
  if (node.operands.length === 0) {
    const gate = gateFinding(node, null, "given", { words, names, facts: [], advice: words.adviceData });
    return finished({ trouble: "notFinite", pass: "forward", headline, path: [node], gates: [gate] }, names, words);
  }
  const usersOf = usersIn(order);
  const made = causeIn(node, at, number, usersOf);
  const shown = made.node;
  const facts: Fact[] = shown.operands.flatMap((v, j) =>
    v === null
      ? []
      : [
          {
            slot: slotName(shown, j),
            name: nameOfResult(names, v),
            value: isElementwise(shown) && made.at >= 0 ? numberText(numberAt(shown, j, made.at)) : tensorText(tensorOf(v)),
          },
        ],
  );
  const gate = gateFinding(shown, made.operand, made.cause, {
    words,
    names,
    facts,
    advice: made.advice === null ? null : words[made.advice],
  });
  return finished(
    {
      trouble: "notFinite",
      pass: shown === node ? "forward" : "backward",
      headline,
      path: shown === node ? wayTo(shown, made.operand) : wayTo(shown, made.operand).reverse(),
      gates: [gate],
    },
    names,
    words,
  );
}

function tensorOf(v: Value): Tensor {
  return dense(memoOf(v) as Held, v.type);
}

function elementText(number: number, at: number, v: Value): string {
  const size = sizeOf(v.type.shape);
  return size === 1 ? String(number) : `${number} (element ${at} of ${size})`;
}

/** The cause, told of the forward gate where the bad node belongs to a backward pass in the graph. */
function causeIn(
  node: Node,
  at: number,
  number: number,
  users: (n: Node) => readonly Node[],
): BadCause & { readonly node: Node; readonly at: number } {
  const { origin, role } = node;
  if (origin !== null && role >= 0 && origin.operands[role] != null && origin.operands[role]!.node.memo !== undefined) {
    const other = node.operands.find((v) => v !== null && memoOf(v) !== undefined && badAt(memoOf(v)) < 0);
    const upstream = node.op.name === "mul" && other != null ? Math.abs(dense(memoOf(other)!, other.type).data[0]!) : null;
    return { ...backwardCause(origin, role, upstream), node: origin, at: -1 };
  }
  return { ...forwardCause(node, at, number, users), node, at };
}

function usersIn(order: readonly Node[]): (n: Node) => readonly Node[] {
  let users: Map<Node, Node[]> | null = null;
  const none: readonly Node[] = [];
  return (n) => {
    if (users === null) {
      users = new Map();
      for (const node of order)
        for (const v of node.operands) {
          if (v === null) continue;
          const list = users.get(v.node);
          if (list === undefined) users.set(v.node, [node]);
          else list.push(node);
        }
    }
    return users.get(n) ?? none;
  };
}

/** The way from an input to the gate: back through the operand in question, then through what was computed. */
function wayTo(node: Node, operand: number): Node[] {
  const path = [node];
  const seen = new Set<Node>(path);
  let next: Value | null = node.operands[operand] ?? deepestOf(node.operands);
  while (next !== null && !seen.has(next.node)) {
    path.push(next.node);
    seen.add(next.node);
    const { operands } = next.node;
    next = deepestOf(operands);
  }
  return path.reverse();
}

/** The operand that was computed last, numbers that are written down left aside: that way the longest part of the graph is walked. */
function deepestOf(operands: readonly (Value | null)[]): Value | null {
  let found: Value | null = null;
  for (const v of operands) {
    if (v === null) continue;
    const better =
      found === null || Number(isLive(v)) > Number(isLive(found)) || (isLive(v) === isLive(found) && v.node.serial > found.node.serial);
    if (better) found = v;
  }
  return found;
}

function isLive(v: Value): boolean {
  return isFloat(v.type.dtype) && v.node.op !== constantOp;
}

/** For a gate that runs graphs: the finding inside of a body, run again on the operands, at the first round that goes wrong. */
function insideOf(node: Node, words: FindingWords): Finding | null {
  let found: Finding | null = null;
  replay(node, ({ results, round }) => {
    const bad = results.filter(isBad);
    if (bad.length === 0) return false;
    const names = new Map<Node, string>();
    collect(results).forEach((n, i) => {
      names.set(n, n.label ?? `q${i}`);
    });
    found = badForward(bad, words, names, false, null, `${words.insideOf(node.op.name, round)}: `);
    return true;
  });
  return found;
}
