import { computed, type ReadonlySignal } from "@preact/signals";
import { language } from "../state/store.ts";
import { en, type ImportWords } from "./words-en.ts";
import { ko } from "./words-ko.ts";

/** The tab's words in the reader's language. */
export const importWords: ReadonlySignal<ImportWords> = computed(() => (language.value === "ko" ? ko : en));
