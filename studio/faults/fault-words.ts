import { computed, effect, type ReadonlySignal, signal } from "@preact/signals";
import { language } from "../state/store.ts";

type Tell = (message: string) => string;

const korean = signal<{ readonly message: Tell; readonly lines: Tell } | null>(null);
let loading = false;

/** Until the catalogue is here. */
const introduced: Tell = (message) => `문제가 생겼습니다. 영어 원문: ${message}`;

/** Loads the Korean of faults once somebody reads Korean, so that others never load it. */
effect(() => {
  if (language.value !== "ko" || loading) return;
  loading = true;
  import("./ko.ts").then(
    ({ tellInKorean, linesInKorean }) => {
      korean.value = { message: tellInKorean, lines: linesInKorean };
    },
    () => {
      loading = false;
    },
  );
});

/** A message of the library, a worker or the browser in the reader's language; it changes with the language, so use it where it is shown. */
export const faultWords: ReadonlySignal<Tell> = computed(() =>
  language.value === "ko" ? (korean.value?.message ?? introduced) : (message: string): string => message,
);

/** A text in the reader's language that has messages of the library in it: these are told, and the rest stays. */
export const textWords: ReadonlySignal<Tell> = computed(() =>
  language.value === "ko" && korean.value !== null ? korean.value.lines : (text: string): string => text,
);
