import { signal } from "@preact/signals";
import { language, state } from "../state/store.ts";
import { chosen, model } from "./model.ts";
import type { About, Answer } from "./questions.ts";

/** What was asked last, and what the library says to it. */
export const answer = signal<{ readonly about: About; readonly answer: Answer | null } | null>(null);

let count = 0;

/** Asks about what is chosen, or about the whole graph. The part of the library that answers is loaded when it is first asked. */
export async function ask(about: About): Promise<void> {
  const made = model.peek();
  if (made === null) return;
  const mine = ++count;
  answer.value = { about, answer: null };
  const { answerTo } = await import("./understand-engine.ts");
  // Let the page say that it works before it does.
  await new Promise((resolve) => setTimeout(resolve));
  const found = answerTo(about, made, chosen.peek(), language.peek(), state.peek().graph.limits);
  if (mine === count) answer.value = { about, answer: found };
}
