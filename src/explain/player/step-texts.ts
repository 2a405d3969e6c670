import type { Language } from "../explain.ts";
import { backwardLines, forwardLine } from "../render-text.ts";
import type { Step } from "../steps.ts";
import { en } from "../words/en.ts";
import { ko } from "../words/ko.ts";
import { type PlayerWords, playerWords } from "./words.ts";

/** What is said of one step of a walk. */
export interface Texts {
  readonly head: string;
  readonly lines: readonly string[];
  /** What a screen reader says. */
  readonly say: string;
  readonly count: string;
}

/** What is said of a step in a language; null is the start. */
export function textsOf(step: Step | null, t: number, of: number, f: string, language: Language): Texts {
  const words: PlayerWords = playerWords(language);
  const count = words.step(t, of);
  if (step === null) return { head: words.start, lines: [words.startLine], say: words.start, count };
  if (step.pass === "forward") {
    const line = forwardLine(step);
    return { head: `${words.forward}: ${step.op}`, lines: [line], say: words.say(t, of, words.forward, line), count };
  }
  const { head, lines } = backwardLines(step, f, language === "ko" ? ko : en);
  const said = step.kind === "gate" ? `${step.op}: ${lines.join("; ")}` : `${head}. ${lines.join("; ")}`;
  return { head: `${words.backward}: ${head}`, lines, say: words.say(t, of, words.backward, said), count };
}
