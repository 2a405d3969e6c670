import { GraphError } from "../ir/errors.ts";
import type { Tensor } from "../ir/tensor.ts";
import { listed } from "../notation/given.ts";
import { matched } from "../optim/patterns.ts";

/** The weights of a model and which of them are trained by default: a model that `onnx.read` gave. */
export interface Weighted {
  readonly params: { readonly [name: string]: Tensor };
  readonly trainable: readonly string[];
}

/** Which weights to train, by patterns in which `*` stands for any characters. */
export interface Choice {
  /** These, whatever they are; when left out those of `model.trainable`, which are all but statistics, masks, tables of positions and single numbers. */
  readonly only?: readonly string[];
  /** Not these: the backward pass ends before the first layer that has nothing else. */
  readonly freeze?: readonly string[];
}

/**
 * The names of the weights to train, for an optimiser's `only`: `adam({ rate: 1e-4, only: trainables(model, { freeze: ["features.*"] }) })`.
 * @throws GraphError for a pattern that names no weight, and where nothing is left
 */
export function trainables(model: Weighted, { only, freeze }: Choice = {}): string[] {
  const names = Object.keys(model.params);
  const chosen = only === undefined ? new Set(model.trainable) : matched(only, names, "trainables: only");
  const frozen = freeze === undefined ? new Set<string>() : matched(freeze, names, "trainables: freeze");
  const found = names.filter((name) => chosen.has(name) && !frozen.has(name));
  if (found.length === 0) throw new GraphError(`trainables: nothing is left to train; the model has ${listed(names) || "no weights"}`);
  return found;
}
