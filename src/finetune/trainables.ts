import { GraphError } from "../ir/errors.ts";
import type { Tensor } from "../ir/tensor.ts";
import { checkRecord, listed } from "../notation/given.ts";
import { matched, names } from "../notation/patterns.ts";

/** The weights of a model and which of them are trained by default: a model that `onnx.read` gave. */
export interface Weighted {
  readonly params: { readonly [name: string]: Tensor };
  readonly trainable: readonly string[];
  readonly tied?: { readonly [copy: string]: string };
}

/** Which weights to train, by patterns in which `*` stands for any characters. */
export interface Choice {
  /**
   * These. A pattern with `*` means those of `model.trainable` that it names, and what else has such a name only where it names none of them: the statistics and single numbers of a layer are not trained
   * with its weights. When left out all of `model.trainable`, which are all but statistics, masks, tables of positions and single numbers.
   */
  readonly only?: readonly string[];
  /** Not these: the backward pass ends before the first layer that has nothing else. */
  readonly freeze?: readonly string[];
}

/** The weights that patterns name. @throws GraphError for a pattern that names none, or one that is tied to another */
export function matchedWeights(patterns: readonly string[], { params, tied = {} }: Weighted, who: string): ReadonlySet<string> {
  const all = Object.keys(params);
  for (const pattern of patterns) {
    const copy = all.some((name) => names([pattern], name)) ? undefined : Object.keys(tied).find((name) => names([pattern], name));
    if (copy !== undefined)
      throw new GraphError(
        `${who}: ${copy} is tied to ${tied[copy]}; name that one, or read the model with { tie: false } (--tie none) and they are two`,
      );
  }
  return matched(patterns, all, who);
}

/** The weights that patterns choose to be trained: of those that one with `*` names, the ones that are trained by default, where there are some. @throws as {@link matchedWeights} */
export function chosenWeights(patterns: readonly string[], model: Weighted, who: string): ReadonlySet<string> {
  const usual = new Set(model.trainable);
  return new Set(
    patterns.flatMap((pattern) => {
      const all = [...matchedWeights([pattern], model, who)];
      const some = pattern.includes("*") ? all.filter((name) => usual.has(name)) : [];
      return some.length > 0 ? some : all;
    }),
  );
}

/**
 * The names of the weights to train, for an optimiser's `only`: `adam({ rate: 1e-4, only: trainables(model, { freeze: ["features.*"] }) })`.
 * @throws GraphError for a pattern that names no weight, and where nothing is left
 */
export function trainables(model: Weighted, { only, freeze }: Choice = {}): string[] {
  checkRecord("trainables", "the model", model, ["params", "trainable"], "what onnx.read gave");
  const all = Object.keys(model.params);
  const chosen = only === undefined ? new Set(model.trainable) : chosenWeights(only, model, "trainables: only");
  const frozen = freeze === undefined ? new Set<string>() : matchedWeights(freeze, model, "trainables: freeze");
  const found = all.filter((name) => chosen.has(name) && !frozen.has(name));
  if (found.length === 0)
    throw new GraphError(
      `trainables: nothing is left to train; the model has ${listed(all) || "no floating-point weights. Those of a quantised model are whole numbers: train the file from before, and quantise what comes out"}`,
    );
  return found;
}
