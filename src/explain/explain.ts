import { zerosLike } from "../autodiff/pullback.ts";
import { heldBy } from "../evaluate/evaluate.ts";
import { isFloat } from "../ir/dtype.ts";
import { GradientError } from "../ir/errors.ts";
import { nameOf, variableOp } from "../ir/leaf.ts";
import type { Node, Value } from "../ir/node.ts";
import type { Tensor } from "../ir/tensor.ts";
import { dense } from "../ir/tensor.ts";
import { typeText } from "../ir/type.ts";
import { type JsonTensor, jsonTensor, tensorText } from "./number-text.ts";
import { type PathOptions, type Paths, paths } from "./paths.ts";
import { renderLatex } from "./render-latex.ts";
import { renderMarkdown, renderText } from "./render-text.ts";
import { type Flow, type ForwardStep, type NamedGradient, type Step, type StepOptions, steps } from "./steps.ts";
import { en, type Words } from "./words/en.ts";
import { ko } from "./words/ko.ts";

/** The languages of explanations. */
export type Language = "en" | "ko";

/** What an explanation holds: the numbers of both passes, and their renderings. */
export interface Explanation {
  readonly name: string;
  readonly value: Tensor;
  readonly steps: readonly Step[];
  readonly gradients: readonly NamedGradient[];
  /** Kinks, values outside a domain, numbers that are not finite, variables without influence. */
  readonly notes: readonly string[];
  text(): string;
  markdown(): string;
  latex(): string;
  /** `{ value, gradients, steps, notes }`: numbers as JSON numbers, NaN, Infinity, -Infinity and -0 as these strings, tensors as nested lists. */
  json(): ExplanationJson;
  /** The gradient of the explained value with respect to x as a sum over paths; see `paths`. */
  paths(x: Value, options?: PathOptions): Paths;
}

/** One step in JSON. */
export interface StepJson {
  readonly pass: "forward" | "backward";
  readonly index: number;
  readonly kind: "gate" | "seed" | "sum";
  readonly name: string;
  readonly op?: string;
  readonly operands?: readonly { readonly slot: string; readonly name: string; readonly value: JsonTensor }[];
  readonly value?: JsonTensor;
  readonly upstream?: JsonTensor;
  readonly flows?: readonly {
    readonly slot: string;
    readonly into: string;
    readonly local: JsonTensor | null;
    readonly rule: string | null;
    readonly gradient: JsonTensor;
    readonly branch: number;
    readonly branches: number;
  }[];
  readonly parts?: readonly JsonTensor[];
  readonly gradient?: JsonTensor;
}

/** An explanation in JSON. */
export interface ExplanationJson {
  readonly value: JsonTensor;
  readonly gradients: Readonly<Record<string, JsonTensor>>;
  readonly steps: readonly StepJson[];
  readonly notes: readonly string[];
}

/** Which gradients to explain (all variables when left out) and in which language. */
export interface ExplainOptions extends StepOptions {
  readonly language?: Language;
}

/**
 * Explains a scalar: every gate of the forward pass, then every gate of the backward pass with its local gradient, the gradient that arrived
 * and what it sends on, and the sums at branches.
 * @throws GradientError when `f` is no floating-point scalar; GraphError when it depends on an input without a value
 */
export function explain(f: Value, { wrt, language = "en" }: ExplainOptions = {}): Explanation {
  if (language !== "en" && language !== "ko")
    throw new GradientError(`explain: language "${String(language)}" is not there; "en" and "ko" are`);
  const words: Words = language === "ko" ? ko : en;
  const stepper = steps(f, wrt === undefined ? {} : { wrt });
  const all: Step[] = [...stepper.forward(), ...stepper.backward()];
  const asked = wrt === undefined ? stepper.wrt.map((v) => [stepper.names.get(v.node) ?? nameOf(v), v] as const) : Object.entries(wrt);
  const gradients = asked.map(([name, of]) => {
    const { value, gradient } = stepper.at(of);
    return { name, of, value, gradient: gradient ?? zeroTensor(of) };
  });
  const notes = notesOf(all, stepper.order, stepper.names, asked, (v) => stepper.at(v).gradient, words);
  const { name, value } = stepper.at(f);
  const made = { name, value, steps: all, gradients, notes };
  return {
    ...made,
    text: () => renderText(made, words),
    markdown: () => renderMarkdown(made, words),
    latex: () => renderLatex(made),
    json: () => jsonOf(made),
    paths: (x, options) => paths(f, x, { language, ...options }),
  };
}

function zeroTensor(v: Value): Tensor {
  const z = zerosLike(v);
  return dense(heldBy(z), z.type);
}

function finite(t: Tensor): boolean {
  for (let i = 0; i < t.data.length; i++) if (!Number.isFinite(t.data[i])) return false;
  return true;
}

function firstBad(t: Tensor): string {
  for (let i = 0; i < t.data.length; i++) if (!Number.isFinite(t.data[i])) return String(t.data[i]);
  return "";
}

function notesOf(
  all: readonly Step[],
  order: readonly Node[],
  names: ReadonlyMap<Node, string>,
  asked: readonly (readonly [string, Value])[],
  gradientOf: (v: Value) => Tensor | null,
  words: Words,
): string[] {
  const notes: string[] = [];
  for (const step of all) {
    if (step.pass === "forward") notes.push(...forwardNotes(step, words));
    else if (step.kind === "gate" && finite(step.upstream))
      for (const flow of step.flows)
        if (!finite(flow.contribution)) notes.push(words.infiniteGradient(flow.into, step.op, firstBad(flow.contribution)));
  }
  for (const [name, v] of asked) if (gradientOf(v) === null) notes.push(words.unused(name));
  for (const node of order)
    if (node.op === variableOp && !isFloat(node.type.dtype)) notes.push(words.integer(names.get(node)!, typeText(node.type)));
  return notes;
}

function forwardNotes(step: ForwardStep, words: Words): string[] {
  const { facts } = step.node.op;
  const notes: string[] = [];
  const inputsFinite = step.operands.every((o) => finite(o.value));
  const size = step.value.data.length;
  const at = (t: Tensor, i: number): number => (t.data.length === 1 ? t.data[0]! : t.data.length === size ? t.data[i]! : Number.NaN);
  if (facts.kink !== null)
    for (let i = 0; i < size; i++)
      if (
        facts.kink(
          step.operands.map((o) => at(o.value, i)),
          step.node.attrs,
        ) === 0
      ) {
        notes.push(words.kink(step.name, step.op));
        break;
      }
  if (inputsFinite && !finite(step.value)) {
    const culprit = step.operands.find((o) => {
      const range = facts.domain[o.slot];
      return (
        range !== undefined &&
        Array.from(o.value.data).some(
          (x) =>
            x < (range.min ?? Number.NEGATIVE_INFINITY) ||
            x > (range.max ?? Number.POSITIVE_INFINITY) ||
            (range.nonzero === true && x === 0) ||
            (range.open === true && (x === range.min || x === range.max)),
        )
      );
    });
    notes.push(words.infinite(step.name, step.op, firstBad(step.value)));
    if (culprit !== undefined) notes.push(words.outside(step.name, step.op, `${culprit.name} = ${tensorText(culprit.value)}`));
  }
  return notes;
}

function jsonOf({ value, gradients, steps: all, notes }: Pick<Explanation, "value" | "gradients" | "steps" | "notes">): ExplanationJson {
  return {
    value: jsonTensor(value),
    gradients: Object.fromEntries(gradients.map((g) => [g.name, jsonTensor(g.gradient)])),
    steps: all.map(stepJson),
    notes,
  };
}

function stepJson(s: Step): StepJson {
  if (s.pass === "forward")
    return {
      pass: "forward",
      kind: "gate",
      index: s.index,
      name: s.name,
      op: s.op,
      operands: s.operands.map((o) => ({ slot: o.slot, name: o.name, value: jsonTensor(o.value) })),
      value: jsonTensor(s.value),
    };
  if (s.kind === "seed") return { pass: "backward", kind: "seed", index: s.index, name: s.name, gradient: jsonTensor(s.gradient) };
  if (s.kind === "sum")
    return {
      pass: "backward",
      kind: "sum",
      index: s.index,
      name: s.name,
      parts: s.parts.map(jsonTensor),
      gradient: jsonTensor(s.gradient),
    };
  const flow = (x: Flow): NonNullable<StepJson["flows"]>[number] => ({
    slot: x.slot,
    into: x.into,
    local: x.local && jsonTensor(x.local),
    rule: x.rule,
    gradient: jsonTensor(x.contribution),
    branch: x.branch,
    branches: x.branches,
  });
  return {
    pass: "backward",
    kind: "gate",
    index: s.index,
    name: s.name,
    op: s.op,
    upstream: jsonTensor(s.upstream),
    flows: s.flows.map(flow),
  };
}
