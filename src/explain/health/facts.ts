import type { ThresholdTable } from "../../check/thresholds.ts";
import type { Node, Value } from "../../ir/node.ts";
import type { Tensor } from "../../ir/tensor.ts";
import type { HealthWords } from "./words.ts";

/** What is looked at. */
export type Rule =
  | "non-finite"
  | "dead-units"
  | "saturation"
  | "update-ratio"
  | "first-loss"
  | "input-scale"
  | "vanishing"
  | "exploding"
  | "no-gradient"
  | "kink";

/** One finding. "bad": broken; "warn": to be looked at; "note": a fact to know. */
export interface Finding {
  readonly rule: Rule;
  readonly level: "bad" | "warn" | "note";
  /** The value, parameter or layer that it is about. */
  readonly subject: string;
  readonly scope: string | null;
  /** What was measured, and the limit that it was held against. */
  readonly measured: number | null;
  readonly limit: number | null;
  readonly sentence: string;
}

/** What is known of a parameter. */
export interface ParameterFacts {
  readonly name: string;
  readonly type: Value["type"];
  readonly weightRms: number;
  readonly gradientRms: number;
  /** The norm of the update over the norm of the weights; null without a rate or updates, and for weights that are 0. */
  readonly ratio: number | null;
  /** The rate of plain gradient descent at which the ratio is the aim of the thresholds; null where weights or gradient are 0. */
  readonly rate: number | null;
}

/** What is known of a layer: the gates around one or more parameters, by scope, or by the product that the parameter stands in. */
export interface LayerFacts {
  readonly name: string;
  readonly activationRms: number;
  readonly gradientRms: number;
}

/** What findings are made from. */
export interface HealthFacts {
  readonly f: Value;
  readonly order: readonly Node[];
  readonly names: ReadonlyMap<Node, string>;
  readonly parameters: readonly { readonly name: string; readonly of: Value }[];
  readonly gradients: ReadonlyMap<Node, readonly (Tensor | null)[]>;
  readonly updates: (parameter: { readonly name: string }, gradientNorm: number) => number | null;
  readonly initial: boolean;
  readonly convention: "pytorch" | "jax";
  readonly limits: ThresholdTable;
  readonly words: HealthWords;
}

/** A list of findings in the making. */
export type Report = (
  rule: Rule,
  level: Finding["level"],
  about: { readonly name: string; readonly node?: Node },
  sentence: string,
  measured?: number | null,
  limit?: number | null,
) => void;
