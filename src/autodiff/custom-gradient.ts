import { isFloat } from "../ir/dtype.ts";
import { GradientError } from "../ir/errors.ts";
import { input, isType, lift, nameOf } from "../ir/leaf.ts";
import { isKept, type Node, nextSerial, type Value } from "../ir/node.ts";
import type { Operand } from "../ir/op.ts";
import { isLeaf, leaves, match, type Operands, rebuild, type Values } from "../ir/tree.ts";
import { sameType, tensorType, typeText } from "../ir/type.ts";
import { declare, type Op } from "../ops/define.ts";
import { identity, stop } from "../ops/identity.ts";
import { everyExample } from "../ops/linear/every-example.ts";
import { expand } from "../ops/linear/sum.ts";
import { batch } from "./batch.ts";
import { zerosLike } from "./pullback.ts";
import { transposedTwice } from "./pushforward.ts";

type Rule = (s: Record<string, unknown>) => Readonly<Record<string, unknown>>;

interface CustomAttrs {
  readonly names: readonly string[];
  readonly rule: Rule;
  /** The forward rule, if the user gave one. */
  readonly push: ((s: Record<string, unknown>) => unknown) | null;
  /** The inputs' tree, its leaves numbered in order. */
  readonly tree: Readonly<Record<string, unknown>>;
}

/** A rule that was written for one example, on what the rule of many examples sees: it runs on stand-ins for one, and that is batched. */
function overExamples(rule: Rule, seen: Record<string, unknown>, examples: number): Readonly<Record<string, unknown>> {
  const ones: Value[] = [];
  const many: Value[] = [];
  const one = rebuild(seen, (leaf, path) => {
    const v = leaf as Value;
    const stand = input(tensorType(v.type.dtype, v.type.shape.slice(1)), path);
    ones.push(stand);
    many.push(v);
    return stand;
  }) as Record<string, unknown>;
  return Object.fromEntries(
    Object.entries(rule(one)).map(([name, part]) => {
      if (part === null || part === undefined) return [name, part];
      const wanted = Object.hasOwn(one, name) ? leaves(one[name]) : [];
      let i = 0;
      const batched = rebuild(part, (leaf) => {
        const like = wanted[i++]?.leaf as Value | undefined;
        if (isType(leaf)) return leaf;
        const v = lift(leaf, like?.type.dtype ?? "f64");
        const whole = v.type.shape.length === 0 && like !== undefined ? expand(v, { shape: like.type.shape }) : v;
        return batch([whole], ones, many, examples)[0] ?? everyExample(whole, false, examples);
      });
      return [name, batched];
    }),
  );
}

/** The op behind `customGradient`: its first operand's value, with the rule of its own toward the others. */
export const custom: Op<(xs: readonly Operand[], attrs: CustomAttrs) => Value> = declare<
  (xs: readonly Operand[], attrs: CustomAttrs) => Value,
  readonly ["xs..."]
>("customGradient", ["xs..."], {
  dtypes: { xs: "f64" },
  type: ({ xs }) => xs[0]!,
  eval: ({ xs }) => xs[0]!.data,
  batch: ({ xs, names, rule, push, tree, mapped, examples }) => {
    const all = xs.map((x, i) => everyExample(x, mapped.xs[i]!, examples));
    const forward = push && ((s: Record<string, unknown>) => overExamples((one) => ({ out: push(one) }), s, examples)["out"]);
    return custom(all, { names, tree, rule: (s) => overExamples(rule, s, examples), push: forward });
  },
  jvp: ({ xs, d, out, tree, push }) => {
    if (push === null) return transposedTwice(out.node, d.xs) as Value | null;
    const by = (values: readonly Value[]): Record<string, unknown> =>
      rebuild(tree, (leaf) => values[(leaf as number) + 1]!) as Record<string, unknown>;
    const given = push({ ...by(xs), out, d: by(xs.map((x, i) => d.xs[i] ?? zerosLike(x))) });
    if (!isLeaf(given) || isType(given)) throw new GradientError("customGradient: the jvp returned no single Value");
    const v = lift(given, out.type.dtype);
    if (v.type.dtype !== out.type.dtype || (v.type.shape.length !== 0 && !sameType(v.type, out.type)))
      throw new GradientError(
        `customGradient: the jvp gives ${typeText(v.type)} and the function ${typeText(out.type)}; a tangent has its value's type`,
      );
    return v;
  },
  vjp: ({ ct, out, xs, names, rule, tree }) => {
    const inputs = rebuild(tree, (leaf) => xs[(leaf as number) + 1]!) as Record<string, unknown>;
    const given = rule({ ...inputs, ct, out });
    const entries = new Array<Operand | null>(xs.length).fill(null);
    for (const name of names) {
      const part = given[name];
      if (part === undefined)
        throw new GradientError(`customGradient: the rule says nothing of ${name}; return an entry for it, or null for "no gradient"`);
      if (part === null) continue;
      for (const { path, given: x, wanted } of match(part, tree[name], `customGradient: the rule's ${name}`)) {
        if (isType(x)) throw new GradientError(`customGradient: the rule's ${name} ${path} is a type`);
        const at = (wanted as number) + 1;
        const like = xs[at]!;
        const v = lift(x, like.type.dtype);
        if (v.type.shape.length !== 0 && !sameType(v.type, like.type))
          throw new GradientError(
            `customGradient: the rule gives ${typeText(v.type)} for ${name}, which is ${typeText(like.type)}; a cotangent has its input's type`,
          );
        entries[at] = v.type.shape.length === 0 && like.type.shape.length > 0 ? expand(v, { shape: like.type.shape }) : v;
      }
    }
    return { xs: entries };
  },
});

/**
 * A differentiable value from outside that `out` was computed of, or null. Only nodes made since then are walked, and no further than a
 * derivative would go: not through ops without one.
 */
function closedOver(out: Value, since: number, own: ReadonlySet<Node>): Value | null {
  const seen = new Set<Node>();
  const open: Value[] = [out];
  for (let v = open.pop(); v !== undefined; v = open.pop()) {
    const { node, type } = v;
    if (!isFloat(type.dtype) || own.has(node) || seen.has(node)) continue;
    if (node.serial < since) {
      if (isKept(v)) return v;
      continue;
    }
    seen.add(node);
    if (node.op.pull !== null) for (const x of node.operands) if (x !== null) open.push(x);
  }
  return null;
}

/** What `customGradient` takes beside the backward rule. */
export interface CustomGradientOptions<I> {
  /**
   * The forward rule: sees `{ out, d, ...inputs }`, where `d` has the tangents of the inputs by the same names (zeros where none arrive), and returns
   * the tangent of the result. Derived from the backward rule when left out.
   */
  readonly jvp?: (s: Values<I> & { readonly out: Value; readonly d: Values<I> }) => Operand;
}

/**
 * `customGradient(f, rule)`: `f` with a derivative of your own. `f` takes one record; the rule sees `{ ct, out, ...inputs }` and returns a
 * record by the inputs' names, null for "no gradient". The rule is made of ops, so it is differentiated for higher orders. `{ jvp }` is a rule for
 * forward mode; nothing checks that the two agree.
 * @throws GradientError for a missing or misshapen entry, when the backward pass meets it; at once when `f` uses a differentiable value that
 * is not among its inputs, because that value's gradient would be lost: pass it in, or say `stopGradient`
 */
export function customGradient<I, O extends Value>(
  f: (inputs: I) => O,
  vjp: (s: Values<I> & { readonly ct: Value; readonly out: Value }) => { readonly [K in keyof I]: Operands<I[K]> | null },
  { jvp }: CustomGradientOptions<I> = {},
): (inputs: Operands<I>) => O {
  return (inputs) => {
    if (isLeaf(inputs) || typeof inputs !== "object" || inputs === null)
      throw new GradientError("customGradient: the function takes one record of inputs");
    const flat: Value[] = [];
    const own = new Set<Node>();
    // The function sees nodes of its own, so that a value which is an input and closed over as well is told apart.
    const values = rebuild(inputs, (leaf, path) => {
      if (isType(leaf)) throw new GradientError(`customGradient: ${path} is a type`);
      const v = lift(leaf, "f64");
      flat.push(v);
      const inside = identity(v);
      inside.node.label = v.node.label;
      own.add(inside.node);
      return inside;
    });
    let i = 0;
    const tree = rebuild(values, () => i++) as Record<string, unknown>;
    const since = nextSerial();
    const out = f(values as I);
    if (leaves(out).length !== 1 || !isLeaf(out)) throw new GradientError("customGradient: the function returned no single Value");
    const lost = closedOver(lift(out, "f64"), since, own);
    if (lost !== null)
      throw new GradientError(
        `customGradient: the function uses ${lost.node.op === identity && lost.node.label === null ? "the argument of a transform around it" : nameOf(lost)}, which is not among its inputs, so its gradient would be lost; pass it as an input or wrap it in stopGradient`,
      );
    return custom([stop(out), ...flat], {
      names: Object.keys(inputs),
      rule: vjp as unknown as Rule,
      push: (jvp as CustomAttrs["push"] | undefined) ?? null,
      tree,
    }) as O;
  };
}
