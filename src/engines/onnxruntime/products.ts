import type { DType } from "../../ir/dtype.ts";
import { literalOf } from "../../ir/leaf.ts";
import type { Value } from "../../ir/node.ts";
import { sizeOf } from "../../ir/shape.ts";
import { add, div, mul, neg, reciprocal, square, sub } from "../../ops/index.ts";

/** A number times whole powers of values. */
export interface Term {
  readonly factor: number;
  readonly powers: ReadonlyMap<Value, number>;
}

/** Terms that are added; more of them, or more factors in one, are not taken apart. */
const [mostTerms, mostFactors] = [12, 8];

/** The value itself. */
export function atom(v: Value): Term[] {
  return [{ factor: 1, powers: new Map([[v, 1]]) }];
}

/** A number, or null where it is not finite. */
export function number(factor: number): Term[] | null {
  return usable(factor) ? [{ factor, powers: new Map() }] : null;
}

/** Whether f32 has a number without losing it altogether. */
function usable(factor: number): boolean {
  return Number.isFinite(Math.fround(factor)) && Math.fround(factor) !== 0;
}

function sameFactors(a: Term, b: Term): boolean {
  if (a.powers.size !== b.powers.size) return false;
  for (const [v, n] of a.powers) if (b.powers.get(v) !== n) return false;
  return true;
}

/** a + sign b, like terms joined; null where it is long, or where terms cancel: what is left of an infinite one would be lost. */
export function plus(a: readonly Term[], b: readonly Term[], sign: number): Term[] | null {
  const all = [...a];
  for (const term of b) {
    const at = all.findIndex((t) => sameFactors(t, term));
    const factor = (at < 0 ? 0 : all[at]!.factor) + sign * term.factor;
    if (!usable(factor)) return null;
    if (at < 0) all.push({ factor, powers: term.powers });
    else all[at] = { factor, powers: term.powers };
  }
  return all.length > mostTerms ? null : all;
}

/**
 * a times b to a power; null where it is long, or where a factor cancels that `safe` does not have: what may be 0 or infinite has to stay.
 */
export function times(a: Term, b: Term, power: number, safe: ReadonlySet<Value>): Term | null {
  const powers = new Map(a.powers);
  for (const [v, n] of b.powers) {
    const before = powers.get(v) ?? 0;
    const sum = before + n * power;
    if (before * n * power < 0 && !safe.has(v)) return null;
    if (sum === 0) powers.delete(v);
    else powers.set(v, sum);
  }
  const factor = a.factor * b.factor ** power;
  return powers.size > mostFactors || !usable(factor) ? null : { factor, powers };
}

/** The powers that all terms have in common, and the terms without them. */
export function withoutShared(terms: readonly Term[]): readonly [shared: ReadonlyMap<Value, number>, rest: readonly Term[]] {
  const shared = new Map<Value, number>();
  for (const [v, n] of terms[0]!.powers) {
    const all = terms.map(({ powers }) => powers.get(v) ?? 0);
    if (all.every((m) => m * n > 0)) shared.set(v, n > 0 ? Math.min(...all) : Math.max(...all));
  }
  const rest = terms.map(({ factor, powers }): Term => {
    const left = [...powers].map(([v, n]) => [v, n - (shared.get(v) ?? 0)] as const);
    return { factor, powers: new Map(left.filter(([, n]) => n !== 0)) };
  });
  return [shared, rest];
}

/** Makes values once: equal applications are the same node. */
export interface Maker {
  unique(v: Value): Value;
  literal(x: number, dtype: DType): Value;
}

const sizeOfValue = (v: Value): number => sizeOf(v.type.shape);

/** Writes sums of products with few operations on large tensors: what several terms share is taken out, and what is small is multiplied first. */
export class TermWriter {
  readonly #make: Maker;
  constructor(make: Maker) {
    this.#make = make;
  }

  /** A sum of terms, each of which has a factor that is no number. */
  sum(terms: readonly Term[], dtype: DType): Value {
    if (terms.length === 1) return this.#product(terms[0]!, dtype);
    const shared = sharedFactor(terms);
    if (shared === null) return this.#added(terms, dtype);
    const [inside, rest] = [terms.filter((t) => (t.powers.get(shared) ?? 0) > 0), terms.filter((t) => (t.powers.get(shared) ?? 0) <= 0)];
    const divided = inside.map(({ factor, powers }): Term => {
      const left = new Map(powers);
      const n = powers.get(shared)! - 1;
      if (n === 0) left.delete(shared);
      else left.set(shared, n);
      return { factor, powers: left };
    });
    const part = this.#make.unique(mul(shared, this.sum(divided, dtype)));
    if (rest.length === 0) return part;
    const [first] = rest;
    if (rest.length === 1 && first!.factor < 0)
      return this.#make.unique(sub(part, this.sum([{ ...first!, factor: -first!.factor }], dtype)));
    return this.#make.unique(add(part, this.sum(rest, dtype)));
  }

  #added(terms: readonly Term[], dtype: DType): Value {
    const order = [...terms.filter((t) => t.factor > 0), ...terms.filter((t) => t.factor < 0)];
    const [first, ...others] = order;
    let total = this.sum([first!], dtype);
    for (const t of others) {
      const positive = this.sum([{ ...t, factor: Math.abs(t.factor) }], dtype);
      total = this.#make.unique((t.factor > 0 ? add : sub)(total, positive));
    }
    return total;
  }

  #product({ factor, powers }: Term, dtype: DType): Value {
    const { unique } = this.#make;
    const above: Value[] = [];
    const below: Value[] = [];
    for (const [v, n] of powers) (n > 0 ? above : below).push(this.#power(v, Math.abs(n)));
    const largest = Math.max(1, ...above.map(sizeOfValue));
    // A small divisor is turned over once; a large one divides.
    const small = below.filter((v) => sizeOfValue(v) * 4 <= largest);
    const large = below.filter((v) => !small.includes(v));
    const factors = [...above, ...small.map((v) => unique(reciprocal(v)))].sort((a, b) => sizeOfValue(a) - sizeOfValue(b));
    const [first, ...rest] = factors;
    const c = (x: number): Value => this.#make.literal(x, dtype);
    if (first === undefined && large.length === 0) return c(factor);
    let top = first === undefined ? c(factor) : factor === 1 ? first : unique(factor === -1 ? neg(first) : mul(c(factor), first));
    for (const v of rest) top = unique(mul(top, v));
    for (const v of large) top = unique(div(top, v));
    return top;
  }

  #power(v: Value, n: number): Value {
    const { unique } = this.#make;
    if (n === 1) return v;
    const half = unique(square(this.#power(v, n >> 1)));
    return n % 2 === 0 ? half : unique(mul(v, half));
  }
}

/** The value that most terms have as a factor, at least two; of these the largest. */
function sharedFactor(terms: readonly Term[]): Value | null {
  const counts = new Map<Value, number>();
  for (const { powers } of terms) for (const [v, n] of powers) if (n > 0) counts.set(v, (counts.get(v) ?? 0) + 1);
  let found: Value | null = null;
  let most = 1;
  for (const [v, n] of counts)
    if (n > most || (n === most && found !== null && sizeOfValue(v) > sizeOfValue(found))) {
      found = v;
      most = n;
    }
  return found;
}

/** The number that a value is, or null. */
export function literalTerm(v: Value): Term[] | null {
  const c = literalOf(v);
  return c === null ? null : number(c);
}
