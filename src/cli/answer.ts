import { gradients } from "../autodiff/grad.ts";
import { evaluate } from "../evaluate/evaluate.ts";
import { type JsonTensor, jsonTensor } from "../explain/number-text.ts";
import type { Tensor } from "../ir/tensor.ts";
import { chosen, type Problem } from "./problem.ts";

/** The value of a problem and its gradients by variable. */
export interface Answer {
  readonly value: Tensor;
  readonly gradients: Readonly<Record<string, Tensor>>;
}

/** What `grad --json` and the lines of a batch print. */
export interface AnswerJson {
  readonly value: JsonTensor;
  readonly gradients: Readonly<Record<string, JsonTensor>>;
}

/** The numbers of a problem. @throws as `chosen` does */
export function answerOf(problem: Problem, wrt: readonly string[] | null): Answer {
  const found = gradients(problem.f, chosen(problem, wrt));
  return { value: evaluate(problem.f), gradients: Object.fromEntries(Object.entries(found).map(([name, v]) => [name, evaluate(v)])) };
}

/** An answer with its numbers as JSON has them. */
export function answerJson({ value, gradients: found }: Answer): AnswerJson {
  return { value: jsonTensor(value), gradients: Object.fromEntries(Object.entries(found).map(([name, t]) => [name, jsonTensor(t)])) };
}
