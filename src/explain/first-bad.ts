import { between } from "../autodiff/pullback.ts";
import { settleAll } from "../evaluate/evaluate.ts";
import { allocate, isFloat } from "../ir/dtype.ts";
import { GradientError } from "../ir/errors.ts";
import { isValue, nameOf, variableOp } from "../ir/leaf.ts";
import { type Node, type Value, valuesOf } from "../ir/node.ts";
import { sizeOf } from "../ir/shape.ts";
import { type Held, hold } from "../ir/tensor.ts";
import { isLeaf, leaves } from "../ir/tree.ts";
import { typeText } from "../ir/type.ts";
import { collect } from "../ir/walk.ts";
import { firstBadEdge } from "./bad-gradient.ts";
import { badForward } from "./bad-value.ts";
import type { Finding } from "./finding.ts";
import { nameValues } from "./names.ts";
import { sweep } from "./sweep.ts";
import { type FindingLanguage, findingWords } from "./words/finding-words.ts";

/** Where else to look, and in which language to tell. */
export interface FirstBadOptions {
  /** Whose gradients to look at too: all floating-point variables when left out, none for {}. */
  readonly wrt?: { readonly [name: string]: Value };
  /** Report infinities and NaN on the way also where nothing bad comes of them. */
  readonly anywhere?: boolean;
  readonly language?: FindingLanguage;
}

/**
 * The first value, of the forward pass and then of the backward pass, that is NaN or infinite and spoils a value of the tree or a gradient: the gate
 * with its operands, the path from an input, where it was written, the cause and what to write instead. Null when all is finite. The backward pass
 * starts at `loss` of a record, else at every floating-point value of the tree. A step that went wrong in a compiled program is replayed by calling
 * its graph on the facts: `firstBad(step(variables({ ...program.state.read(), ...batch })))`.
 * @throws GraphError when a value depends on an input without a value; GradientError for integers in `wrt`
 */
export function firstBad(tree: unknown, { wrt, anywhere = false, language = "en" }: FirstBadOptions = {}): Finding | null {
  const words = findingWords(language, "firstBad");
  const roots = leaves(tree).flatMap(({ leaf }) => (isValue(leaf) ? [leaf] : []));
  if (roots.length === 0) return null;
  settleAll(roots);
  const order = collect(roots);
  const names = nameValues(order, roots[0]!);
  const forward = badForward(roots, words, names, anywhere);
  if (forward !== null) return forward;
  const asked = wrt === undefined ? order.filter((n) => n.op === variableOp && isFloat(n.type.dtype)) : checked(wrt);
  const starts = startsOf(tree, roots);
  if (asked.length === 0 || starts.length === 0) return null;
  for (const f of starts) {
    const graph = between([f], asked);
    const end = graph.place(f);
    if (end < 0 || graph.active[end] === 0) continue;
    const found = firstBadEdge(graph, sweep(graph, new Map([[end, ones(f)]])), asked, words, names);
    if (found !== null) return found;
  }
  return null;
}

function checked(wrt: { readonly [name: string]: Value }): Value[] {
  return Object.entries(wrt).map(([name, v]) => {
    if (!isValue(v))
      throw new GradientError(`firstBad: wrt names ${name}, which is no Value; give the variables themselves: { ${name}: x }`);
    if (!isFloat(v.type.dtype))
      throw new GradientError(`firstBad: ${nameOf(v)} is ${typeText(v.type)}; integers and truth values have no gradient`);
    return v;
  });
}

/** Where the backward pass starts: at the loss, if the tree names one; gradients of gradients are not asked for there. */
function startsOf(tree: unknown, roots: readonly Value[]): readonly Value[] {
  const loss = !isLeaf(tree) && typeof tree === "object" && tree !== null ? (tree as { readonly loss?: unknown }).loss : undefined;
  return (isValue(loss) ? [loss] : roots).filter((v) => isFloat(v.type.dtype));
}

function ones(f: Value): (Held | null)[] {
  const { shape, dtype } = f.type;
  const one: Held = shape.length === 0 ? 1 : hold(f.type, allocate(dtype, sizeOf(shape)).fill(1));
  return valuesOf(f.node).map((_: Value | Node, r) => (r === f.index ? one : null));
}
