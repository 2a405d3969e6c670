import { thresholds as standard, type ThresholdTable } from "../../check/thresholds.ts";
import { settleAll } from "../../evaluate/evaluate.ts";
import { isFloat } from "../../ir/dtype.ts";
import { GradientError } from "../../ir/errors.ts";
import { inputOp, isTensor, isValue, variableOp } from "../../ir/leaf.ts";
import type { Node, Value } from "../../ir/node.ts";
import { type Tensor, tensor } from "../../ir/tensor.ts";
import { type Operands, variables } from "../../ir/tree.ts";
import { typeText } from "../../ir/type.ts";
import { collect } from "../../ir/walk.ts";
import type { Language } from "../explain.ts";
import { nameValues } from "../names.ts";
import type { Finding, HealthFacts, LayerFacts, ParameterFacts } from "./facts.ts";
import { findingsOf } from "./findings.ts";
import { gradientsEverywhere } from "./gradients-everywhere.ts";
import { measuresOf } from "./measures.ts";
import { type HealthJson, healthJson, renderHealth, renderHealthMarkdown } from "./render-health.ts";
import { healthWords } from "./words.ts";

/** What a health report looks at. */
export interface HealthOptions {
  /** The parameters; all variables of floating point behind the loss when left out. The rest is data. */
  readonly wrt?: { readonly [name: string]: Value };
  /** The learning rate of plain gradient descent, to compare updates with weights. */
  readonly rate?: number;
  /** Updates by parameter instead, where the optimiser is another. */
  readonly updates?: { readonly [name: string]: Tensor | readonly number[] | number };
  /** The weights are fresh: a first loss that is far from guessing is a warning, not a note. */
  readonly initial?: boolean;
  /** Whose derivatives at kinks count. The numbers are PyTorch's; "jax" also says where JAX's would differ. "pytorch" when left out. */
  readonly convention?: "pytorch" | "jax";
  readonly language?: Language;
  /** Limits of one's own. */
  readonly thresholds?: Partial<ThresholdTable>;
}

/** What a health report holds. */
export interface HealthReport {
  /** Nothing is broken and nothing has to be looked at; notes may be there. */
  readonly healthy: boolean;
  readonly findings: readonly Finding[];
  readonly parameters: readonly ParameterFacts[];
  readonly layers: readonly LayerFacts[];
  text(): string;
  markdown(): string;
  toJSON(): HealthJson;
}

/**
 * Looks at a loss as one would before and while training it: values and gradients that are not finite, units that are off, saturated gates, the
 * size of updates against the weights, the first loss against guessing, the scale of the data, gradients that vanish or explode from layer to
 * layer, parameters without gradient, and kinks and ties that the values sit on with the convention used there.
 *
 * `health(loss)` takes a scalar over variables; `health(f, at)` a function or a graph, whose loss is its scalar or its output `loss`, and its
 * inputs. All limits are in `thresholds`; `docs/health.md` has their sources.
 * @throws GradientError when the loss is no floating-point scalar, for names of `updates` that are no parameters, and unknown languages
 */
export function health(loss: Value, options?: HealthOptions): HealthReport;
export function health<P>(f: (at: P) => Value | { readonly loss: Value }, at: Operands<P>, options?: HealthOptions): HealthReport;
export function health(
  subject: Value | ((at: never) => Value | { readonly loss: Value }),
  second?: unknown,
  third: HealthOptions = {},
): HealthReport {
  if (isValue(subject)) return reportOf(subject, (second ?? {}) as HealthOptions);
  if (typeof subject !== "function") throw new GradientError("health: give a loss, or a function or graph and its inputs");
  const result = subject(variables(second) as never);
  return reportOf(isValue(result) ? result : result.loss, third);
}

function reportOf(f: Value, options: HealthOptions): HealthReport {
  const { language = "en", convention = "pytorch" } = options;
  if (language !== "en" && language !== "ko")
    throw new GradientError(`health: language "${String(language)}" is not there; "en" and "ko" are`);
  if (convention !== "pytorch" && convention !== "jax")
    throw new GradientError(`health: convention "${String(convention)}" is not there; "pytorch" and "jax" are`);
  if (!isValue(f) || f.type.shape.length !== 0 || !isFloat(f.type.dtype))
    throw new GradientError(
      `health: the loss is ${isValue(f) ? typeText(f.type) : "no Value"}; give a floating-point scalar, or name it "loss" in what the function returns`,
    );
  settleAll([f]);
  const order = collect([f]);
  const parameters = parametersOf(order, options);
  const facts: HealthFacts = {
    f,
    order,
    names: nameValues(order, f),
    parameters,
    gradients: gradientsEverywhere(
      f,
      parameters.map(({ of }) => of),
    ),
    updates: updatesOf(parameters, options),
    initial: options.initial === true,
    convention,
    limits: { ...standard, ...options.thresholds },
    words: healthWords(language),
  };
  const { findings, parameters: rows, layers } = findingsOf(facts);
  const told = { healthy: findings.every(({ level }) => level === "note"), findings, parameters: rows, layers };
  return {
    ...told,
    text: () => renderHealth(told, facts.words, facts.limits),
    markdown: () => renderHealthMarkdown(told, facts.words, facts.limits),
    toJSON: () => healthJson(told),
  };
}

function parametersOf(order: readonly Node[], { wrt }: HealthOptions): { readonly name: string; readonly of: Value }[] {
  if (wrt !== undefined)
    return Object.entries(wrt).map(([name, of]) => {
      if (!isValue(of) || !isFloat(of.type.dtype))
        throw new GradientError(
          `health: wrt names ${name}, which is ${isValue(of) ? typeText(of.type) : "no Value"}; parameters are floating-point Values`,
        );
      return { name, of };
    });
  return order.flatMap((n) =>
    (n.op === variableOp || n.op === inputOp) && isFloat(n.type.dtype) ? [{ name: n.label ?? "a variable", of: n }] : [],
  );
}

/** The norm of each parameter's update, null where none is known. */
function updatesOf(parameters: HealthFacts["parameters"], { rate, updates }: HealthOptions): HealthFacts["updates"] {
  if (rate !== undefined && !(rate > 0 && Number.isFinite(rate)))
    throw new GradientError(`health: rate is ${rate}; a learning rate is a number above 0`);
  for (const name of Object.keys(updates ?? {}))
    if (!parameters.some((p) => p.name === name))
      throw new GradientError(
        `health: updates name ${name}, which is no parameter; there are ${parameters.map((p) => p.name).join(", ") || "none"}`,
      );
  return ({ name }, gradientNorm) => {
    const given = updates?.[name];
    if (given !== undefined) return measuresOf(isTensor(given) ? given : tensor(given as number)).norm;
    return rate === undefined ? null : rate * gradientNorm;
  };
}
