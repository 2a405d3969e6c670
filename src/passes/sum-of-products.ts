import type { Value } from "../ir/node.ts";
import { one, opposite, product, type Ratio, ratio, total, wholePower } from "./ratio.ts";

/** A number times powers of values: `-2 x^2 / y` is -2 with x to the 2 and y to the -1. Values are told apart by identity. */
export interface Product {
  readonly factor: Ratio;
  readonly powers: ReadonlyMap<Value, number>;
}

/** Products that are added, no two of the same powers; none at all is 0. */
export type Sum = readonly Product[];

/** Sums longer than this are not merged into larger ones, so that a chain of a million additions stays cheap. */
const longest = 24;

const noPowers: ReadonlyMap<Value, number> = /* @__PURE__ */ new Map();

export function constantSum(factor: Ratio): Sum {
  return factor.num === 0 ? [] : [{ factor, powers: noPowers }];
}

/** The value itself, to the first power. */
export function atom(v: Value): Sum {
  return [{ factor: one, powers: new Map([[v, 1]]) }];
}

/** The number that a sum is, or null where values are in it. */
export function constantIn(sum: Sum): Ratio | null {
  if (sum.length === 0) return { num: 0, den: 1 };
  const [first] = sum;
  return sum.length === 1 && first!.powers.size === 0 ? first!.factor : null;
}

/** The value that a sum is, where it is just one. */
export function atomIn(sum: Sum): Value | null {
  const [first] = sum;
  if (sum.length !== 1 || first!.powers.size !== 1 || first!.factor.num !== 1 || first!.factor.den !== 1) return null;
  const [[v, exponent]] = first!.powers as unknown as readonly [readonly [Value, number]];
  return exponent === 1 ? v : null;
}

/** The powers as a text that is the same for the same powers in any order. */
function keyOf({ powers }: Product): string {
  return [...powers]
    .map(([v, exponent]) => `${v.node.serial}.${v.index}^${exponent}`)
    .sort()
    .join(" ");
}

/** a + b with like products collected; null where it would be too long. */
export function plus(a: Sum, b: Sum): Sum | null {
  if (a.length + b.length > longest) return null;
  const found = new Map<string, Product>();
  for (const p of [...a, ...b]) {
    const key = keyOf(p);
    const before = found.get(key);
    found.set(key, before === undefined ? p : { factor: total(before.factor, p.factor), powers: p.powers });
  }
  return [...found.values()].filter(({ factor }) => factor.num !== 0);
}

export function negated(a: Sum): Sum {
  return a.map(({ factor, powers }) => ({ factor: opposite(factor), powers }));
}

/** The product of two products: exponents of the same value add up. */
export function times(a: Product, b: Product): Product {
  const powers = new Map(a.powers);
  for (const [v, exponent] of b.powers) {
    const sum = (powers.get(v) ?? 0) + exponent;
    if (sum === 0) powers.delete(v);
    else powers.set(v, sum);
  }
  return { factor: product(a.factor, b.factor), powers };
}

/** A product to a power, by the rules that hold for every number; null where none does, as for (x^2)^0.5, which is not x. */
export function toPower({ factor, powers }: Product, n: number): Product | null {
  if (!Number.isInteger(n)) {
    const plain = factor.num === 1 && factor.den === 1 && powers.size === 1 && [...powers.values()][0] === 1;
    return plain ? { factor, powers: new Map([...powers].map(([v]) => [v, n])) } : null;
  }
  const raised = wholePower(factor, n);
  return raised && { factor: raised, powers: n === 0 ? noPowers : new Map([...powers].map(([v, exponent]) => [v, exponent * n])) };
}

/** A literal as a factor. */
export function factorOf(x: number): Ratio {
  return ratio(x);
}
