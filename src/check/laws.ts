import { fit, pullback, zerosLike } from "../autodiff/pullback.ts";
import { pushforward, transposedTwice } from "../autodiff/pushforward.ts";
import { evaluate } from "../evaluate/evaluate.ts";
import { allocate, isFloat } from "../ir/dtype.ts";
import { type Graph, graph, isGraph, nodesOf } from "../ir/graph.ts";
import { isKept, type Value, valuesOf } from "../ir/node.ts";
import type { AnyOp } from "../ir/op.ts";
import { sizeOf } from "../ir/shape.ts";
import { hold, type Tensor } from "../ir/tensor.ts";
import { parseGraph } from "../ir/text/parse-graph.ts";
import { printGraph } from "../ir/text/print-graph.ts";
import { sameType, typeText } from "../ir/type.ts";
import { chain } from "../ops/arithmetic.ts";
import { applyTo } from "../ops/define.ts";
import { batchLaw } from "./batch-law.ts";
import { type Case, constantFrom, inDtype } from "./case.ts";
import {
  allFinite,
  dot,
  type Finding,
  type Law,
  largest,
  moved,
  placed,
  pulledAt,
  pulledBy,
  resultsAt,
  sameBits,
  traced,
  weightsLike,
} from "./point.ts";
import { type Slope, slopeOf } from "./slope.ts";

export type { Finding, Law } from "./point.ts";

/** How far analytic and numeric derivatives may differ, relative to the sizes that were added up. */
const relative = 1e-6;
/** How far two analytic ways to one number may differ. */
const exact = 1e-9;

function evaluated(vs: readonly Value[]): Tensor[] {
  return vs.map((v) => evaluate(v) as Tensor);
}

function differ(what: string, a: number, b: number, allowed: number): Finding {
  return Math.abs(a - b) <= allowed ? null : `${what}: ${a} and ${b} differ by ${Math.abs(a - b)}, allowed is ${allowed}`;
}

function against(what: string, analytic: { sum: number; size: number }, slope: Slope, size: number): Finding {
  if (!Number.isFinite(slope.value) || !Number.isFinite(slope.error)) return undefined;
  const noise = (100 * Number.EPSILON * size) / slope.step;
  const allowed = relative * Math.max(analytic.size, Math.abs(slope.value)) + 30 * slope.error + noise + 1e-12;
  return differ(what, analytic.sum, slope.value, allowed);
}

/** The type that is inferred is the type that is computed, and the kernel fills an array of that type. */
export const typeLaw: Law = ({ c, xs, outs }) => {
  const made = c.apply(placed(c, xs.map(constantFrom)));
  for (let i = 0; i < made.length; i++) {
    const [v, t] = [made[i]!, outs[i]!];
    if (!sameType(v.type, t.type)) return `result ${i} is ${typeText(v.type)} by inference and ${typeText(t.type)} when computed`;
    if (t.data.length !== sizeOf(v.type.shape)) return `result ${i} is ${typeText(v.type)} and has ${t.data.length} elements`;
    if (t.data.constructor !== allocate(v.type.dtype, 0).constructor)
      return `result ${i} is ${typeText(v.type)} in a ${t.data.constructor.name}`;
    if (v.type.dtype === "bool" && t.data.some((x) => x !== 0 && x !== 1))
      return `result ${i} is bool and holds other numbers than 0 and 1`;
  }
  return null;
};

/** Neither computing nor differentiating writes into an operand. */
export const untouchedLaw: Law = (p) => {
  const { c, xs, cts } = p;
  const operands = c.operands.filter((t) => t !== null);
  const before = [...operands, ...cts].map((t) => t.data.slice());
  const values = c.operands.map((t) => (t === null ? null : constantOver(t)));
  evaluated(c.apply(values));
  const { outs, ps: vars } = traced(c, xs);
  evaluated(
    pulledBy(
      vars,
      p.live.map((i) => outs[i]!),
      cts,
    ),
  );
  const after = [...operands, ...cts];
  const at = after.findIndex((t, i) => !sameBits(t, hold(t.type, before[i]!)));
  return at < 0 ? null : `operand ${at} was changed by computing with it`;
};

/** A constant over the very array, so that a kernel that writes into it is caught. */
function constantOver(t: Tensor): Value {
  const v = constantFrom(t);
  if (t.type.shape.length > 0) v.node.memo = t;
  return v;
}

/** The reverse rule agrees with central differences along a random direction, for random weights of the results. */
export const differencesLaw: Law = (p) => {
  if (!p.finite || p.live.length === 0 || p.xs.length === 0) return undefined;
  const analytic = dot(p.along, evaluated(pulledAt(p, p.xs).grads));
  let size = 0;
  const slope = slopeOf((t) => {
    const outs = resultsAt(p.c, moved(p.xs, p.along, t));
    const d = dot(
      p.live.map((i) => outs[i]!),
      p.cts,
    );
    size = Math.max(size, d.size);
    return d.sum;
  }, 0.05);
  return against("vjp and differences", analytic, slope, size);
};

/** `<ct, jvp v> = <vjp ct, v>`: forward and reverse mode are transposes of each other. */
export const transposeLaw: Law = (p) => {
  if (!p.finite || p.live.length === 0 || p.xs.length === 0) return undefined;
  const { ps, outs } = traced(p.c, p.xs);
  const roots = p.live.map((i) => outs[i]!);
  const tangents = pushforward(roots, ps, p.along.map(constantFrom));
  for (const [i, t] of tangents.entries())
    if (t !== null && !sameType(t.type, roots[i]!.type))
      return `the tangent of result ${p.live[i]} is ${typeText(t.type)}, the result ${typeText(roots[i]!.type)}`;
  const pushed = evaluated(tangents.map((t, i) => t ?? zerosLike(roots[i]!)));
  const pulled = evaluated(pulledBy(ps, roots, p.cts));
  const a = dot(pushed, p.cts);
  const b = dot(p.along, pulled);
  return differ("<ct, jvp v> and <vjp ct, v>", a.sum, b.sum, exact * Math.max(a.size, b.size) + 1e-12);
};

/** The forward rule agrees, element by element, with the tangent that follows from the reverse rule alone. */
export const forwardLaw: Law = (p) => {
  const { op } = p.c;
  if (!p.finite || op === null || op.pull === null || p.live.length === 0 || p.xs.length === 0) return undefined;
  const { ps, outs } = traced(p.c, p.xs);
  const { node } = outs[0]!;
  const along = p.along.map(constantFrom);
  const byRule = pushforward(
    p.live.map((i) => outs[i]!),
    ps,
    along,
  );
  const flow = transposedTwice(
    node,
    node.operands.map((_, i) => along[p.c.floats.indexOf(i)] ?? null),
  );
  const derived = node.outputs === null ? [flow as Value | null] : ((flow ?? outs.map(() => null)) as readonly (Value | null)[]);
  for (const [k, i] of p.live.entries()) {
    const like = outs[i]!;
    const [a, b] = evaluated([byRule[k] ?? zerosLike(like), derived[i] ?? zerosLike(like)]) as [Tensor, Tensor];
    const size = largest(a);
    for (let e = 0; e < a.data.length; e++) {
      const fault = differ(
        `the forward rule and the transposed reverse rule at result ${i}, element ${e}`,
        a.data[e]!,
        b.data[e]!,
        exact * size + 1e-12,
      );
      if (fault !== null) return fault;
    }
  }
  return null;
};

/** Second derivatives: forward over reverse, reverse over forward, reverse over reverse and differences of the gradient give one number. */
export const secondLaw: Law = (p) => {
  if (!p.finite || p.live.length === 0 || p.xs.length === 0) return undefined;
  const { draw, c, xs, along } = p;
  const other = c.floats.map((i, k) => {
    const w = weightsLike(xs[k]!, draw);
    for (let e = 0; e < w.data.length; e++) w.data[e]! *= c.room[i]![e]!;
    return w;
  });
  const { ps, outs } = traced(c, xs);
  const roots = p.live.map((i) => outs[i]!);
  const grads = pulledBy(ps, roots, p.cts);
  if (!evaluated(grads).every(allFinite)) return undefined;
  const directions = along.map(constantFrom);
  const filled = (vs: readonly (Value | null)[], like: readonly Value[]): Tensor[] => evaluated(vs.map((v, i) => v ?? zerosLike(like[i]!)));
  const forwardReverse = dot(filled(pushforward(grads, ps, directions), grads), other);
  const reverseReverse = dot(filled(pullback(grads, other.map(constantFrom), ps), ps), along);
  const pushed = pushforward(roots, ps, other.map(constantFrom)).map((t, i) => t ?? zerosLike(roots[i]!));
  const reverseForward = dot(filled(pullback(pushed, p.cts.map(constantFrom), ps), ps), along);
  const size = Math.max(forwardReverse.size, reverseReverse.size, reverseForward.size);
  const ways =
    differ("forward over reverse and reverse over reverse", forwardReverse.sum, reverseReverse.sum, 1e-8 * size + 1e-12) ??
    differ("forward over reverse and reverse over forward", forwardReverse.sum, reverseForward.sum, 1e-8 * size + 1e-12);
  if (ways !== null) return ways;
  let sizes = 0;
  const slope = slopeOf((t) => {
    const d = dot(evaluated(pulledAt(p, moved(xs, along, t)).grads), other);
    sizes = Math.max(sizes, d.size);
    return d.sum;
  }, 0.05);
  return against("the second derivative and differences of the gradient", forwardReverse, slope, sizes);
};

/** Differentiating does not change the value, to the last bit. */
export const primalLaw: Law = (p) => {
  const { ps, outs } = traced(p.c, p.xs);
  const roots = p.live.map((i) => outs[i]!);
  evaluated(pulledBy(ps, roots, p.cts));
  pushforward(roots, ps, p.along.map(constantFrom));
  const at = evaluated(outs).findIndex((t, i) => !sameBits(t, p.outs[i]!));
  return at < 0 ? null : `result ${at} is another number once it was differentiated`;
};

/**
 * The cotangent through each result alone adds up to that through all; each operand asked alone gets what it gets among others; the tangents that come
 * of each operand alone add up to that of all.
 */
export const aloneLaw: Law = (p) => {
  if (!p.finite || p.live.length === 0 || p.xs.length === 0) return undefined;
  const { ps, outs } = traced(p.c, p.xs);
  const roots = p.live.map((i) => outs[i]!);
  const together = evaluated(pulledBy(ps, roots, p.cts));
  for (const [k, x] of ps.entries()) {
    const alone = evaluate(pullback(roots, p.cts.map(constantFrom), [x])[0] ?? zerosLike(x)) as Tensor;
    if (!sameType(alone.type, x.type))
      return `the cotangent of operand ${p.c.floats[k]} is ${typeText(alone.type)}, the operand ${typeText(x.type)}`;
    const fault = near(alone, [together[k]!], `operand ${p.c.floats[k]} asked alone and among others`);
    if (fault !== null) return fault;
  }
  if (ps.length > 1) {
    const pushed = (list: readonly number[]): Tensor[] =>
      evaluated(
        pushforward(
          roots,
          list.map((k) => ps[k]!),
          list.map((k) => constantFrom(p.along[k]!)),
        ).map((t, i) => t ?? zerosLike(roots[i]!)),
      );
    const all = pushed(ps.map((_, k) => k));
    const single = ps.map((_, k) => pushed([k]));
    for (const [i, t] of all.entries()) {
      const fault = near(
        t,
        single.map((part) => part[i]!),
        `the tangent of result ${p.live[i]} of all operands and of each alone`,
      );
      if (fault !== null) return fault;
    }
  }
  if (roots.length < 2) return null;
  const parts = roots.map((r, i) => evaluated(pulledBy(ps, [r], [p.cts[i]!])));
  for (const [k, t] of together.entries()) {
    const fault = near(
      t,
      parts.map((part) => part[k]!),
      `operand ${p.c.floats[k]} through all results and through each alone`,
    );
    if (fault !== null) return fault;
  }
  return null;
};

function near(a: Tensor, parts: readonly Tensor[], what: string): Finding {
  const other = parts.find((t) => !sameType(t.type, a.type));
  if (other !== undefined) return `${what}: ${typeText(a.type)} and ${typeText(other.type)}`;
  // What cancels to nothing in one element leaves the rounding of its terms, which are about as large as the others'.
  const rest = 1e-14 * Math.max(1, largest(a), ...parts.map(largest));
  for (let e = 0; e < a.data.length; e++) {
    const sum = parts.reduce((s, t) => s + t.data[e]!, 0);
    const size = parts.reduce((s, t) => s + Math.abs(t.data[e]!), Math.abs(a.data[e]!));
    if (Math.abs(a.data[e]! - sum) > exact * size + rest || Number.isNaN(sum) !== Number.isNaN(a.data[e]))
      return `${what}: element ${e} is ${a.data[e]} and ${sum}`;
  }
  return null;
}

/** In f32 the results and cotangents are f32, and as near to those in f64 as the function is steep. */
export const precisionLaw: Law = (p) => {
  const { c, draw } = p;
  if (!p.finite || c.floats.length === 0 || p.xs.some((x) => x.type.dtype !== "f64")) return undefined;
  const narrow = p.xs.map((x) => inDtype(x, "f32"));
  const wide = narrow.map((x) => inDtype(x, "f64"));
  const nudged = wide.map((x, k) => {
    const w = weightsLike(x, draw);
    return hold(
      x.type,
      x.data.map(
        (v: number, i: number) => v + 1e-6 * Math.sign(w.data[i]!) * Math.max(Math.abs(v), 1e-3 * (c.room[c.floats[k]!]![i] ?? 0)),
      ),
    );
  });
  const reference = resultsAt(c, wide);
  const steep = resultsAt(c, nudged);
  const { ps, outs } = traced(c, narrow);
  const given = evaluated(outs);
  // Intermediate values may be as large as the operands and are rounded as such, even where the result is small: logSumExp(x) - max(x), say.
  const rounding = 4 * 2 ** -24 * Math.max(0, ...wide.map(largest));
  for (const [i, t] of given.entries()) {
    const like = reference[i]!;
    if (isFloat(like.type.dtype) && t.type.dtype !== (p.outs[i]!.type.dtype === "f64" ? "f32" : p.outs[i]!.type.dtype) && c.name !== "cast")
      return `result ${i} of f32 operands is ${typeText(t.type)}`;
    if (!isFloat(t.type.dtype)) continue;
    const top = largest(like);
    for (let e = 0; e < t.data.length; e++) {
      const allowed = 2e-5 * top + 30 * Math.abs(steep[i]!.data[e]! - like.data[e]!) + rounding;
      if (top < 1e30 && !(Math.abs(t.data[e]! - like.data[e]!) <= allowed))
        return `result ${i}, element ${e} is ${t.data[e]} in f32 and ${like.data[e]} in f64`;
    }
  }
  const roots = p.live.map((i) => outs[i]!).filter((v) => v.type.dtype === "f32");
  const cts = roots.map((v) => hold(v.type, allocate("f32", sizeOf(v.type.shape)).fill(0.5)));
  for (const [k, g] of pulledBy(ps, roots, cts).entries())
    if (!sameType(g.type, narrow[k]!.type)) return `the cotangent of f32 operand ${c.floats[k]} is ${typeText(g.type)}`;
  return null;
};

/** The case as a graph of inputs. */
export function graphOfCase({ operands, apply }: Case): Graph<unknown, unknown> {
  const types = Object.fromEntries(operands.flatMap((t, i) => (t === null ? [] : [[`x${i}`, t.type]])));
  return graph(types, (given) => {
    const values = operands.map((t, i) => (t === null ? null : (given as Record<string, Value>)[`x${i}`]!));
    return Object.fromEntries(apply(values).map((v, i) => [`y${i}`, v]));
  }) as Graph<unknown, unknown>;
}

/** The ops of a graph, those of the graphs that its nodes hold among them, by name. */
function opsWithin(g: Graph<unknown, unknown>): ReadonlyMap<string, AnyOp> {
  const found = new Map<string, AnyOp>();
  const open = [g];
  while (open.length > 0)
    for (const { op, attrs } of nodesOf(open.pop()!)) {
      found.set(op.name, op);
      open.push(...Object.values(attrs).filter((a): a is Graph<unknown, unknown> => isGraph(a)));
    }
  return found;
}

/** Printed as text and read back, the graph prints the same and computes the same bits. */
export const textLaw: Law = ({ c, outs }) => {
  const g = graphOfCase(c);
  const ops = opsWithin(g);
  const text = printGraph(g);
  const again = parseGraph(text, (name) => ops.get(name));
  if (printGraph(again as never) !== text) return `the graph prints as\n${text}and once read back as\n${printGraph(again as never)}`;
  const operands = Object.fromEntries(c.operands.flatMap((t, i) => (t === null ? [] : [[`x${i}`, t]])));
  const given = again(operands as never) as Record<string, Value>;
  const at = outs.findIndex((t, i) => !sameBits(evaluate(given[`y${i}`]!) as Tensor, t));
  return at < 0 ? null : `result ${at} is another number once the graph was printed and read back`;
};

/** A node's operands and attributes are enough to make it again: what graph rewriting relies on. */
export const rebuiltLaw: Law = ({ c, outs }) => {
  if (c.op === null) return undefined;
  const operands = c.operands.map((t) => (t === null ? null : constantFrom(t)));
  const { node } = c.apply(operands)[0]!;
  if (!operands.every((v) => v === null || !isKept(v)) || node.op.name !== c.op.name) return `it makes a node of ${node.op.name}`;
  const made = applyTo(node.op, operands, node.attrs);
  const first = (node.outputs === null ? made : Object.values(made as object)[0]) as Value | undefined;
  if (first === undefined) return undefined;
  const at = valuesOf(first.node).findIndex((v, i) => !sameBits(evaluate(v) as Tensor, outs[i]!));
  return at < 0 ? null : `result ${at} is another number when made again from the node's attributes`;
};

/** The local derivatives that explanations show are those that the reverse rule multiplies with. */
export const localLaw: Law = (p) => {
  const local = p.c.op?.facts.local;
  if (!p.finite || local == null || p.xs.length === 0) return undefined;
  const { ps, outs } = traced(p.c, p.xs);
  const { node } = outs[0]!;
  const cts = p.cts.map(constantFrom);
  const pulled = evaluated(pulledBy(ps, [outs[0]!], p.cts));
  const shown = local(node);
  for (const [k, i] of p.c.floats.entries()) {
    const piece = fit(node, i, ps[k]!, chain(cts[0]!, shown[i] ?? null)) ?? zerosLike(ps[k]!);
    const fault = near(evaluate(piece) as Tensor, [pulled[k]!], `the local derivative of operand ${i} times ct, and its cotangent`);
    if (fault !== null) return fault;
  }
  return null;
};

/** A decomposition computes what the kernel computes, and has the same derivative. */
export const lowerLaw: Law = (p) => {
  const lower = p.c.op?.facts.lower;
  if (lower == null) return undefined;
  const { ps, outs } = traced(p.c, p.xs);
  const lowered = lower(outs[0]!.node);
  if (!sameType(lowered.type, outs[0]!.type)) return `lower gives ${typeText(lowered.type)} and the op ${typeText(outs[0]!.type)}`;
  const [a, b] = [p.outs[0]!, evaluate(lowered) as Tensor];
  const top = largest(a);
  for (let e = 0; e < a.data.length; e++) {
    if (Object.is(a.data[e], b.data[e])) continue;
    if (!(Math.abs(a.data[e]! - b.data[e]!) <= 1e-12 * top + 1e-300))
      return `element ${e} is ${a.data[e]} by eval and ${b.data[e]} by lower`;
  }
  if (!p.finite || p.live.length === 0) return null;
  const mine = dot(p.along, evaluated(pulledBy(ps, [outs[0]!], p.cts)));
  const theirs = dot(p.along, evaluated(pulledBy(ps, [lowered], p.cts)));
  return differ("the derivative of the op and that of its lower", mine.sum, theirs.sum, 1e-8 * Math.max(mine.size, theirs.size) + 1e-12);
};

/** All laws by name. */
export const laws: Readonly<Record<string, Law>> = {
  "inferred type = evaluated type": typeLaw,
  "operands untouched": untouchedLaw,
  "vjp = differences": differencesLaw,
  "<ct, jvp v> = <vjp ct, v>": transposeLaw,
  "forward rule = transposed reverse rule": forwardLaw,
  "second derivatives four ways": secondLaw,
  "primal unchanged": primalLaw,
  "alone = together": aloneLaw,
  "f32 = f64": precisionLaw,
  "text round trip": textLaw,
  "made again from attributes": rebuiltLaw,
  "local derivatives = rule": localLaw,
  "lower = eval": lowerLaw,
  "vmap = stack": batchLaw,
};
