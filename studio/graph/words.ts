import { computed, type ReadonlySignal } from "@preact/signals";
import { language } from "../state/store.ts";
import { en, type GraphWords } from "./words-en.ts";
import { ko } from "./words-ko.ts";

/** The tab's words in the reader's language. */
export const graphWords: ReadonlySignal<GraphWords> = computed(() => (language.value === "ko" ? ko : en));
