import { step } from "../evaluate/evaluate.ts";
import { isFloat } from "../ir/dtype.ts";
import { isType, isValue, lift, literalOf } from "../ir/leaf.ts";
import { type Node, type Value, valuesOf } from "../ir/node.ts";
import { leaves, rebuild, type Values } from "../ir/tree.ts";
import { collect } from "../ir/walk.ts";
import { InternedTerms } from "./interned-terms.ts";
import { one } from "./ratio.ts";
import {
  atom,
  atomIn,
  constantIn,
  constantSum,
  factorOf,
  negated,
  type Product,
  plus,
  type Sum,
  times,
  toPower,
} from "./sum-of-products.ts";
import { SumWriter } from "./sum-writer.ts";

/**
 * A tree of Values as shorter formulas of the same numbers: literals are computed, like terms and like factors collected, products of powers
 * merged, and equal parts shared. Floats only are touched; whole numbers and truth values stay as they are.
 *
 * This is school algebra, for reading. It is right wherever the original is finite, and may differ where it is not: `0 * x` is 0 and `x / x` is 1
 * even where x is infinite, NaN or 0. Roundings may differ, too. In the backward rule of `pow`, the guards of the corner 0^0 are left out.
 */
export function simplify<T>(tree: T): Values<T> {
  const roots = leaves(tree).map(({ leaf }) => (isType(leaf) ? null : lift(leaf, "f64")));
  const rewriter = new Rewriter();
  rewriter.rewrite(roots.filter((v) => v !== null));
  return rebuild(tree, (leaf) => (isType(leaf) ? leaf : rewriter.written(lift(leaf, "f64")))) as Values<T>;
}

function holdsFinite({ factor: { num, den } }: Product): boolean {
  return Number.isFinite(num) && Number.isFinite(den);
}

/** Rewrites nodes in order: each becomes a sum of products over nodes that no rule takes apart. */
class Rewriter {
  readonly #nodes: InternedTerms = new InternedTerms();
  readonly #writer: SumWriter = new SumWriter(this.#nodes);
  readonly #sums: Map<Value, Sum> = new Map();
  readonly #written: Map<Value, Value> = new Map();

  rewrite(roots: readonly Value[]): void {
    for (const node of collect(roots)) {
      const sum = node.outputs === null && isFloat(node.type.dtype) ? this.#sumOf(node) : null;
      if (sum !== null) this.#sums.set(node, sum);
      else this.#keep(node);
    }
  }

  /** The value in its new form. */
  written(v: Value): Value {
    const sum = this.#sums.get(v);
    if (sum === undefined) return this.#written.get(v) ?? v;
    let made = this.#written.get(v);
    if (made === undefined) {
      made = this.#writer.write(sum, v.type);
      this.#written.set(v, made);
    }
    return made;
  }

  /** A node that stays what it is, on operands in their new form; computed if these are all literals. */
  #keep(node: Node): void {
    const operands = node.operands.map((v) => v && this.written(v));
    const kept = this.#nodes.applied(node, operands);
    const folded = this.#folded(kept);
    if (folded !== null) this.#written.set(node, folded);
    else for (const v of valuesOf(node)) this.#written.set(v, valuesOf(kept)[v.index]!);
    if (node.outputs !== null) return;
    const result = this.#written.get(node)!;
    const c = literalOf(result);
    if (isFloat(node.type.dtype)) this.#sums.set(node, c !== null && Number.isFinite(c) ? constantSum(factorOf(c)) : atom(result));
  }

  #folded(node: Node): Value | null {
    if (node.op.scalar === null || node.operands.length === 0 || node.type.shape.length > 0) return null;
    const held = node.operands.map((v) => (v === null ? null : literalOf(v)));
    if (held.includes(null)) return null;
    const result = step(node, held);
    return typeof result === "number" && Number.isFinite(result) ? this.#nodes.literal(result, node.type.dtype) : null;
  }

  /** What a node is as a sum of products; null where it has to stay an application of its op. */
  #sumOf(node: Node): Sum | null {
    const [x, y, z] = node.operands;
    if (x == null || !isFloat(x.type.dtype)) return node.op.name === "where" ? this.#chosen(node, y!, z!) : null;
    const a = this.#sums.get(x) ?? null;
    if (a === null) return null;
    switch (node.op.name) {
      case "identity":
      case "expand":
        return a;
      case "neg":
        return negated(a);
      case "square":
        return this.#power(a, 2, x);
      case "sqrt":
        return this.#power(a, 0.5, x);
      case "rsqrt":
        return this.#power(a, -0.5, x);
      case "reciprocal":
        return this.#power(a, -1, x);
    }
    const b = y == null ? undefined : this.#sums.get(y);
    if (b === undefined) return null;
    switch (node.op.name) {
      case "add":
        return this.#added(a, b, x, y!);
      case "sub":
        return this.#added(a, negated(b), x, y!);
      case "mul":
        return this.#multiplied(this.#productOf(a, x), this.#productOf(b, y!));
      case "div": {
        const inverse = this.#power(b, -1, y!);
        return inverse && this.#multiplied(this.#productOf(a, x), this.#productOf(inverse, y!));
      }
      case "pow": {
        const n = constantIn(b);
        return n === null || y!.type.shape.length > 0 ? null : this.#power(a, n.num / n.den, x);
      }
    }
    return null;
  }

  /** Sums that would be too long are added as two values. */
  #added(a: Sum, b: Sum, x: Value, y: Value): Sum | null {
    const short = (sum: Sum, v: Value): Sum => (sum.length > 1 ? [this.#productOf(sum, v)] : sum);
    const merged = plus(a, b) ?? plus(short(a, x), short(b, y));
    return merged?.every(holdsFinite) ? merged : null;
  }

  /** A sum as one product: of its only term, or of itself as a whole. `x` is what has its type. */
  #productOf(sum: Sum, x: Value): Product {
    if (sum.length === 1) return sum[0]!;
    return sum.length === 0 ? { factor: { num: 0, den: 1 }, powers: new Map() } : atom(this.#whole(sum, x))[0]!;
  }

  /** A sum written out, which can be taken apart again. */
  #whole(sum: Sum, x: Value): Value {
    const v = this.#writer.write(sum, x.type);
    this.#sums.set(v, sum);
    return v;
  }

  /** Null where the factors overflow. */
  #multiplied(a: Product, b: Product): Sum | null {
    const p = times(a, b);
    if (!holdsFinite(p)) return null;
    return p.factor.num === 0 ? [] : this.#opened(p);
  }

  /** A whole sum times 1 or -1 is a sum again. */
  #opened(p: Product): Sum {
    const inside = atomIn([{ factor: one, powers: p.powers }]);
    const sum = inside === null ? undefined : this.#sums.get(inside);
    if (sum === undefined || p.factor.den !== 1 || Math.abs(p.factor.num) !== 1) return [p];
    return p.factor.num === 1 ? sum : negated(sum);
  }

  #power(a: Sum, n: number, x: Value): Sum | null {
    if (n === 0) return constantSum(one);
    const c = constantIn(a);
    if (c !== null && !Number.isInteger(n)) {
      const value = (c.num / c.den) ** n;
      return Number.isFinite(value) ? constantSum(factorOf(value)) : null;
    }
    if (a.length === 0) return n > 0 ? [] : null;
    const direct = toPower(this.#productOf(a, x), n);
    return direct === null ? [{ factor: one, powers: new Map([[this.#whole(a, x), n]]) }] : this.#opened(direct);
  }

  /** Both branches alike; or a guard that the backward rule of `pow` puts around its corner 0^0. */
  #chosen(node: Node, y: Value, z: Value): Sum | null {
    const [test] = node.operands;
    const otherwise = this.#sums.get(z);
    if (otherwise === undefined) return null;
    if (this.written(y) === this.written(z)) return otherwise;
    const guard = node.origin?.op.name === "pow" && test?.node.op.name === "logicalAnd" && isValue(y) && literalOf(y) !== null;
    return guard ? otherwise : null;
  }
}
