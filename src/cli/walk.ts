import type { Language } from "../explain/explain.ts";
import { tensorText } from "../explain/number-text.ts";
import { type Texts, textsOf } from "../explain/player/step-texts.ts";
import type { Step } from "../explain/steps.ts";
import { type StepWords, stepWords } from "./step-words.ts";

/** A number of the walk: what it is called, and from which step on its value and its gradient are known. */
export interface Known {
  readonly name: string;
  readonly value: string;
  readonly valueAt: number;
  readonly gradient: string | null;
  readonly gradientAt: number;
}

/** What a walk is about. */
export interface WalkFacts {
  readonly steps: readonly Step[];
  /** What the result is called. */
  readonly result: string;
  /** Leaves with their values; their gradients come from the steps. */
  readonly leaves: readonly { readonly name: string; readonly value: string }[];
}

/** A walk through both passes: where it stands, and what it says. */
export class Walk {
  readonly last: number;
  readonly forward: number;
  readonly known: readonly Known[];
  at = 0;
  readonly #facts: WalkFacts;
  readonly #language: Language;
  readonly #words: StepWords;

  constructor(facts: WalkFacts, language: Language) {
    this.#facts = facts;
    this.#language = language;
    this.#words = stepWords(language);
    this.last = facts.steps.length;
    this.forward = facts.steps.filter((s) => s.pass === "forward").length;
    this.known = knownIn(facts);
  }

  /** What is said where it stands. */
  get texts(): Texts {
    const { steps, result } = this.#facts;
    if (this.at === 0) return { ...textsOf(null, 0, this.last, result, this.#language), lines: [this.#words.begin] };
    return textsOf(steps[this.at - 1]!, this.at, this.last, result, this.#language);
  }

  /** The step where it stands; null at the start. */
  get step(): Step | null {
    return this.at === 0 ? null : this.#facts.steps[this.at - 1]!;
  }

  /** Goes to a step. @returns what to say when there is no such step; it stays where it is then */
  goTo(to: number): string | null {
    const words = this.#words;
    if (!Number.isInteger(to)) return words.noNumber;
    if (to < 0) return this.at === 0 ? words.atStart : words.noStep(to, this.last);
    if (to > this.last) return this.at === this.last && to === this.last + 1 ? words.atEnd(this.last) : words.noStep(to, this.last);
    this.at = to;
    return null;
  }

  next(): string | null {
    return this.goTo(this.at + 1);
  }

  back(): string | null {
    return this.goTo(this.at - 1);
  }

  /** The start of the backward pass. */
  toBackward(): string | null {
    return this.goTo(Math.min(this.forward + 1, this.last));
  }
}

/** When each number becomes known: values when their gate computes, gradients when all branches have arrived. */
function knownIn({ steps, leaves }: WalkFacts): Known[] {
  const found = new Map<string, { name: string; value: string; valueAt: number; gradient: string | null; gradientAt: number }>();
  const never = Number.POSITIVE_INFINITY;
  for (const { name, value } of leaves) found.set(name, { name, value, valueAt: 0, gradient: null, gradientAt: never });
  steps.forEach((step, i) => {
    const at = i + 1;
    if (step.pass === "forward") {
      found.set(step.name, { name: step.name, value: tensorText(step.value), valueAt: at, gradient: null, gradientAt: never });
      return;
    }
    const arrived =
      step.kind === "gate"
        ? step.flows.map((flow) => ({ name: flow.into, t: flow.contribution, whole: flow.branches === 1 }))
        : [{ name: step.name, t: step.gradient, whole: true }];
    for (const { name, t, whole } of arrived) {
      const entry = found.get(name);
      if (entry === undefined || !whole) continue;
      entry.gradient = tensorText(t);
      entry.gradientAt = at;
    }
  });
  return [...found.values()];
}
