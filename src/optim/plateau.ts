import { DomainError, ShapeError } from "../ir/errors.ts";
import { lift } from "../ir/leaf.ts";
import type { Value } from "../ir/node.ts";
import type { Operand } from "../ir/op.ts";
import { typeText } from "../ir/type.ts";
import { checkOptionNames, kindText } from "../notation/given.ts";
import { abs, add, cast, equal, greater, less, logicalAnd, maximum, mul, neg, sub, where } from "../ops/index.ts";

/** A rate that falls when a metric no longer gets better; made by {@link plateau}. */
export interface Plateau {
  readonly kind: "plateau";
  readonly from: number;
  readonly factor: number;
  readonly patience: number;
  readonly threshold: number;
  readonly cooldown: number;
  readonly to: number;
  readonly best: "lowest" | "highest";
}

/** Options of {@link plateau}. */
export interface PlateauOptions {
  /** The rate to begin with. */
  readonly from: number;
  /** What the rate is multiplied by, 0.1 unless given. */
  readonly factor?: number;
  /** How many metrics in a row may be no better before the rate falls, 10 unless given. */
  readonly patience?: number;
  /** By which share of the best so far a metric has to be better to count, 1e-4 unless given. */
  readonly threshold?: number;
  /** How many metrics after a fall are not counted, 0 unless given. */
  readonly cooldown?: number;
  /** The rate does not fall below this, 0 unless given. */
  readonly to?: number;
  /** Which metrics are good: "lowest" (a loss, the default) or "highest" (an accuracy). */
  readonly best?: "lowest" | "highest";
}

/**
 * A rate that is multiplied by `factor` when a metric has been no better for more than `patience` observations; the optimiser then has an
 * `observe`, which is told of the metric. The rate and what is counted are tensors of the optimiser's state, so a resumed run goes on alike.
 * The rule is PyTorch's ReduceLROnPlateau with a relative threshold. NaN is never better.
 * @throws DomainError for numbers out of range
 */
export function plateau(options: PlateauOptions): Plateau {
  const known: readonly (keyof PlateauOptions)[] = ["from", "factor", "patience", "threshold", "cooldown", "to", "best"];
  checkOptionNames("plateau", options, known, "plateau({ from: 0.1 })", { lr: "from", rate: "from", minLr: "to", mode: "best" });
  const { from, factor = 0.1, patience = 10, threshold = 1e-4, cooldown = 0, to = 0, best = "lowest" } = options;
  const need = (name: string, x: number, ok: boolean, rule: string): void => {
    if (!ok) throw new DomainError(`plateau: ${name} is ${x}; it is ${rule}`);
  };
  need("from", from, from > 0 && from < Number.POSITIVE_INFINITY, "the first rate, a number above 0");
  need("factor", factor, factor > 0 && factor < 1, "between 0 and 1, so that the rate falls");
  need("patience", patience, Number.isInteger(patience) && patience >= 0, "a whole number of metrics, 0 or more");
  need("threshold", threshold, threshold >= 0 && threshold < 1, "a share of the best metric, from 0 on and below 1");
  need("cooldown", cooldown, Number.isInteger(cooldown) && cooldown >= 0, "a whole number of metrics, 0 or more");
  need("to", to, to >= 0 && to <= from, "the lowest rate, from 0 to the first one");
  if (best !== "lowest" && best !== "highest") throw new DomainError(`plateau: best is ${kindText(best)}; it is "lowest" or "highest"`);
  return { kind: "plateau", from, factor, patience, threshold, cooldown, to, best };
}

/** What a plateau keeps in the optimiser's state, all f64 scalars, and what each begins with. */
export function plateauSlots({ from }: Plateau): Readonly<Record<string, number>> {
  return { rate: from, best: Number.POSITIVE_INFINITY, waited: 0, cooling: 0 };
}

/** The slots after a metric. @throws ShapeError for a metric that is no scalar */
export function observed(rule: Plateau, slots: Readonly<Record<string, Value>>, metric: Operand): Record<string, Value> {
  const given = lift(metric, "f64");
  if (given.type.shape.length !== 0) throw new ShapeError(`observe: metric is ${typeText(given.type)}; it is a scalar, as a mean loss`);
  const number = given.type.dtype === "f64" ? given : cast(given, "f64");
  const x = rule.best === "lowest" ? number : neg(number);
  const { rate, best, waited, cooling } = slots as Readonly<Record<"rate" | "best" | "waited" | "cooling", Value>>;
  const bar = where(equal(best, Number.POSITIVE_INFINITY), best, sub(best, mul(rule.threshold, abs(best))));
  const better = less(x, bar);
  const cools = greater(cooling, 0);
  const waits = where(better, 0, where(cools, 0, add(waited, 1)));
  const falls = greater(waits, rule.patience);
  const lower = maximum(mul(rate, rule.factor), rule.to);
  // As in PyTorch, a fall too small to matter leaves the rate as it is.
  const matters = logicalAnd(falls, greater(sub(rate, lower), 1e-8));
  return {
    rate: where(matters, lower, rate),
    best: where(better, x, best),
    waited: where(falls, 0, waits),
    cooling: where(falls, rule.cooldown, where(cools, sub(cooling, 1), cooling)),
  };
}
