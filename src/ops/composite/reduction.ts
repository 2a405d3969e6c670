import { DomainError } from "../../ir/errors.ts";
import type { Value } from "../../ir/node.ts";
import { sum } from "../linear/sum.ts";
import { mean } from "../reduce/mean.ts";

/** How the losses of the samples (or elements) become the result: their mean, their sum, or as they are. */
export interface LossAttrs {
  readonly reduction?: "mean" | "sum" | "none";
}

/** Losses as the attribute says. @throws DomainError for another word */
export function reduced(who: string, losses: Value, reduction: LossAttrs["reduction"] = "mean"): Value {
  if (reduction === "none") return losses;
  if (reduction === "sum") return sum(losses);
  if (reduction !== "mean") throw new DomainError(`${who}: reduction is ${String(reduction)}; it is "mean", "sum" or "none"`, { op: who });
  return mean(losses);
}
