import { signal } from "@preact/signals";
import { state } from "../state/store.ts";
import { engine, goOn, goTo, model, pause, stop } from "./model.ts";
import type { Stop } from "./stops.ts";
import { stopsOf } from "./stops.ts";

/** A gradient that the reader is to predict: where the walk stands once it is shown, and what it is. */
export interface Question {
  readonly to: Stop;
  readonly name: string;
  readonly answer: number;
  readonly kind: "flow" | "sum";
  readonly local: string | null;
  readonly upstream: string;
  readonly parts: string;
}

export const question = signal<Question | null>(null);
/** What is said of the last answer. */
export const verdict = signal<{ readonly right: boolean; readonly text: string } | null>(null);
export const score = signal({ right: 0, asked: 0, isFirstTry: true });

/** The number that the next step would show, if it is a single one. */
function nextQuestion(): Question | null {
  const made = model.peek();
  const library = engine.peek();
  if (made === null || library === null) return null;
  const stops = stopsOf(made.walk, "edge");
  const at = stop.peek();
  const place = stops.findLastIndex(
    (s) => s.t < at.t || (s.t === at.t && (s.edge ?? Number.POSITIVE_INFINITY) <= (at.edge ?? Number.POSITIVE_INFINITY)),
  );
  const to = stops[place + 1];
  const step = to === undefined ? undefined : made.picture.steps[to.t - 1];
  if (to === undefined || step?.pass !== "backward" || step.kind === "seed") return null;
  const number = (x: number): string => library.formatNumber(x, { style: "decimals" });
  if (step.kind === "sum") {
    if (step.gradient.data.length !== 1) return null;
    const parts = step.parts.map((part) => number(part.data[0]!)).join(", ");
    return { to, name: step.name, answer: step.gradient.data[0]!, kind: "sum", local: null, upstream: "", parts };
  }
  const flow = step.flows[(to.edge ?? step.flows.length) - 1];
  if (flow === undefined || flow.contribution.data.length !== 1) return null;
  return {
    to,
    name: flow.into,
    answer: flow.contribution.data[0]!,
    kind: "flow",
    local: flow.local?.data.length === 1 ? number(flow.local.data[0]!) : null,
    upstream: step.upstream.data.length === 1 ? number(step.upstream.data[0]!) : library.short(step.upstream),
    parts: "",
  };
}

/** One step on; with the quiz, a question comes first where the step shows one gradient. */
export function stepOn(): void {
  pause();
  if (!state.peek().graph.quiz) {
    goOn();
    return;
  }
  if (question.peek() !== null) return;
  const next = nextQuestion();
  verdict.value = null;
  if (next === null) goOn();
  else {
    question.value = next;
    score.value = { ...score.peek(), isFirstTry: true };
  }
}

/** Whether an answer is near enough: as near as the picture's two decimals tell. */
export function isNear(answer: number, right: number): boolean {
  if (Number.isNaN(right)) return Number.isNaN(answer);
  if (!Number.isFinite(right)) return answer === right;
  return Math.abs(answer - right) <= Math.max(0.0051, 0.01 * Math.abs(right));
}

/** Shows what was asked for. */
export function reveal(isRight: boolean): void {
  const asked = question.peek();
  if (asked === null) return;
  const { right, asked: count, isFirstTry } = score.peek();
  score.value = { right: right + (isRight && isFirstTry ? 1 : 0), asked: count + 1, isFirstTry: true };
  question.value = null;
  goTo(asked.to);
}

export function wasWrong(): void {
  score.value = { ...score.peek(), isFirstTry: false };
}
