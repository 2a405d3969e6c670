import { DomainError, GraphError, ShapeError } from "../ir/errors.ts";
import { isValue } from "../ir/leaf.ts";
import type { Value } from "../ir/node.ts";
import { typeText } from "../ir/type.ts";
import { isRecord, kindText } from "../notation/given.ts";
import { cast } from "../ops/elementwise/cast.ts";
import type { Plateau } from "./plateau.ts";

/**
 * A learning rate. A number is held in the optimiser's state as `"rate"`, so it can be written there without compiling anew. A function is a
 * schedule: it gets the number of steps taken before this one, an f64 scalar (0 at the first step), and its result is part of the graph. The
 * third kind falls when a metric stays where it is: {@link plateau}.
 */
export type Rate = number | ((step: Value) => Value) | Plateau;

/** @throws DomainError for a rate that cannot train */
export function checkRate(rate: unknown, who: string): void {
  if (typeof rate === "function" || (isRecord(rate) && rate["kind"] === "plateau")) return;
  if (typeof rate !== "number") throw new DomainError(`${who}: rate is ${kindText(rate)}; give a number as 1e-3, or a schedule`);
  if (rate === 0) throw new DomainError(`${who}: rate is 0, so nothing would be learnt; to hold parameters fixed, name them in freeze`);
  if (!(rate > 0) || rate === Number.POSITIVE_INFINITY)
    throw new DomainError(`${who}: rate is ${rate}; a rate is a number above 0, and usually between 1e-5 and 1`);
}

/** What a schedule gives at a step, in f64. @throws ShapeError, GraphError for what is no scalar Value */
export function scheduled(schedule: (step: Value) => Value, step: Value, who: string): Value {
  const rate: unknown = schedule(step);
  if (!isValue(rate))
    throw new GraphError(
      `${who}: the schedule gave ${typeof rate === "number" ? `the number ${rate}` : typeof rate}; it computes a Value from the step, as (step) => mul(0.1, exp(mul(-0.01, step)))`,
    );
  if (rate.type.shape.length !== 0) throw new ShapeError(`${who}: the schedule gave ${typeText(rate.type)}; a rate is a scalar`);
  return rate.type.dtype === "f64" ? rate : cast(rate, "f64");
}

/** @throws DomainError for a setting that is not a number from `low` on and below `high` */
export function checkNumber(x: unknown, name: string, who: string, low: number = 0, high: number = Number.POSITIVE_INFINITY): void {
  if (typeof x === "number" && x >= low && x < high) return;
  const end = high === Number.POSITIVE_INFINITY ? "" : ` and below ${high}`;
  throw new DomainError(`${who}: ${name} is ${String(x)}; it is a number from ${low} on${end}`);
}
