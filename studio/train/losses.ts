import type { LossName } from "./state.ts";

type TaskKind = "binary" | "classes" | "number";

/** The losses among which a task chooses; the first is the usual one. */
export function lossesOf(task: TaskKind): readonly LossName[] {
  return task === "number" ? ["squared", "absolute", "huber"] : ["crossEntropy", "hinge", "squared"];
}

/** The loss that is used: the chosen one where it suits what is to be said, else the usual one. */
export function lossInUse(task: TaskKind, chosen: LossName): LossName {
  const fit = lossesOf(task);
  return fit.includes(chosen) ? chosen : fit[0]!;
}
