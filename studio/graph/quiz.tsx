import { computed } from "@preact/signals";
import type { JSX } from "preact";
import { useLayoutEffect, useRef } from "preact/hooks";
import { say } from "../shell/live.tsx";
import { state } from "../state/store.ts";
import { engine } from "./model.ts";
import { isNear, question, reveal, score, verdict, wasWrong } from "./quiz-state.ts";
import { numberIn } from "./variables.tsx";
import { graphWords } from "./words.ts";

const quiz = computed(() => state.value.graph.quiz);

/** The question before a gradient is shown, where the reader wants to predict. */
export function Quiz(): JSX.Element | null {
  const w = graphWords.value;
  const asked = question.value;
  const field = useRef<HTMLInputElement>(null);
  const before = useRef<Element | null>(null);
  // As the form comes and goes, and not a frame later: an answer written meanwhile made the field itself the place to go back to, and it is gone then.
  useLayoutEffect(() => {
    if (asked !== null) {
      before.current = document.activeElement;
      field.current?.focus();
    } else if (before.current !== null) {
      // The form has gone, and with it the focus: it goes back to where the step was asked for, for the next one.
      const back = before.current;
      before.current = null;
      if (document.activeElement === document.body && (back instanceof HTMLElement || back instanceof SVGElement))
        back.focus({ preventScroll: true });
    }
  }, [asked]);
  if (!quiz.value) return null;
  const { right, asked: count } = score.value;
  const answer = (): void => {
    if (asked === null || field.current === null) return;
    const x = numberIn(field.current.value);
    if (Number.isNaN(x) && !Number.isNaN(asked.answer)) verdict.value = { right: false, text: w.quizNotNumber };
    else if (isNear(x, asked.answer)) {
      verdict.value = { right: true, text: w.quizRight(engine.value?.formatNumber(asked.answer) ?? "") };
      reveal(true);
    } else {
      wasWrong();
      const text =
        asked.kind === "sum"
          ? w.quizWrongSum(asked.parts)
          : asked.local === null
            ? w.quizWrongRule
            : w.quizWrong(asked.local, asked.upstream);
      verdict.value = { right: false, text };
    }
    say(verdict.value.text);
  };
  return (
    <section class="card quiz" id="quiz-card" aria-label={w.quiz}>
      <h2>{w.quiz}</h2>
      {asked === null ? (
        verdict.value === null && <p class="quiet">{w.quizHint}</p>
      ) : (
        <form
          onSubmit={(event) => {
            event.preventDefault();
            answer();
          }}
        >
          <label>
            {asked.kind === "sum" ? w.quizAskSum(asked.name) : w.quizAsk(asked.name)}
            <input id="answer" ref={field} type="text" inputMode="decimal" autocomplete="off" aria-label={w.quizAnswer} />
          </label>
          <button type="submit">{w.quizCheck}</button>
          <button
            type="button"
            id="reveal"
            onClick={() => {
              verdict.value = null;
              reveal(false);
            }}
          >
            {w.quizReveal}
          </button>
        </form>
      )}
      {verdict.value !== null && <p class={verdict.value.right ? "right" : "wrong"}>{verdict.value.text}</p>}
      {count > 0 && <p class="quiet">{w.quizScore(right, count)}</p>}
    </section>
  );
}
