import { signal } from "@preact/signals";
import type { JSX } from "preact";

const said = signal("");
let turn = false;

/** Says a sentence to a screen reader, once it has said what it is saying; the same sentence again is said again. */
export function say(sentence: string): void {
  turn = !turn;
  // A blank that is not heard makes the text another one.
  said.value = turn ? sentence : `${sentence}\u00a0`;
}

/** The place on the page that screen readers listen to. */
export function LiveRegion(): JSX.Element {
  return (
    <p id="say" class="unseen" role="status" aria-live="polite">
      {said.value}
    </p>
  );
}
