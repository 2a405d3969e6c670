import type { Value } from "../ir/node.ts";
import { sameType, type TensorType } from "../ir/type.ts";
import { add, div, mul, neg, sub } from "../ops/arithmetic.ts";
import { pow } from "../ops/elementwise/power.ts";
import { sqrt } from "../ops/elementwise/roots.ts";
import { expand } from "../ops/linear/sum.ts";
import type { InternedTerms } from "./interned-terms.ts";
import { opposite, type Ratio } from "./ratio.ts";
import { constantIn, type Product, type Sum } from "./sum-of-products.ts";

/** Writes sums of products as nodes, the way people write them: positive terms first, a minus for negative ones, one fraction per term. */
export class SumWriter {
  readonly #nodes: InternedTerms;

  constructor(nodes: InternedTerms) {
    this.#nodes = nodes;
  }

  /** A sum as a value of the given type. */
  write(sum: Sum, type: TensorType): Value {
    const v = this.#sum(sum, type);
    return sameType(v.type, type) ? v : this.#unique(expand(v, { shape: type.shape }));
  }

  #unique(v: Value): Value {
    return this.#nodes.unique(v.node);
  }

  #literal(x: number, { dtype }: TensorType): Value {
    return this.#nodes.literal(x, dtype);
  }

  #sum(sum: Sum, type: TensorType): Value {
    const constant = constantIn(sum);
    if (constant !== null) return this.#literal(constant.num / constant.den, type);
    const lead = Math.max(
      0,
      sum.findIndex(({ factor }) => factor.num > 0),
    );
    let result = this.#product(sum[lead]!, type);
    sum.forEach((p, i) => {
      if (i === lead) return;
      const positive: Product = p.factor.num < 0 ? { ...p, factor: opposite(p.factor) } : p;
      result = this.#unique((p === positive ? add : sub)(result, this.#product(positive, type)));
    });
    return result;
  }

  #product({ factor, powers }: Product, type: TensorType): Value {
    const above: Value[] = [];
    const below: Value[] = [];
    for (const [v, exponent] of inReadingOrder(powers)) (exponent > 0 ? above : below).push(this.#power(v, Math.abs(exponent), type));
    const top = this.#top(factor, above, type);
    if (factor.den !== 1) below.unshift(this.#literal(factor.den, type));
    return below.length === 0 ? top : this.#unique(div(top, this.#chained(below)));
  }

  #top({ num }: Ratio, above: readonly Value[], type: TensorType): Value {
    const [first, ...rest] = above;
    if (first === undefined) return this.#literal(num, type);
    if (num === 1) return this.#chained(above);
    if (num === -1) return this.#chained([this.#unique(neg(first)), ...rest]);
    return this.#chained([this.#literal(num, type), ...above]);
  }

  #chained(factors: readonly Value[]): Value {
    return factors.reduce((a, b) => this.#unique(mul(a, b)));
  }

  #power(v: Value, exponent: number, type: TensorType): Value {
    if (exponent === 1) return v;
    return this.#unique(exponent === 0.5 ? sqrt(v) : pow(v, this.#literal(exponent, type)));
  }
}

/** Names before what is computed, as in `2 * x * sin(x)`. */
function inReadingOrder(powers: ReadonlyMap<Value, number>): readonly (readonly [Value, number])[] {
  const all = [...powers];
  return [...all.filter(([v]) => v.node.operands.length === 0), ...all.filter(([v]) => v.node.operands.length > 0)];
}
