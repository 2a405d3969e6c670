import { computed, type ReadonlySignal } from "@preact/signals";
import { language } from "../state/store.ts";
import { en, type Words } from "./en.ts";
import { ko } from "./ko.ts";

/** The page's words in the reader's language. Tabs keep the words of their own in their folders, in the same two files with the same keys. */
export const words: ReadonlySignal<Words> = computed(() => (language.value === "ko" ? ko : en));

/**
 * Korean text whose particles and endings stay on the line of what they follow: browsers part `f64[3]` from `입니다` although words are kept whole.
 * A word joiner (U+2060), which nobody sees or hears, holds them together.
 */
export const kept = (text: string): string =>
  language.value === "ko" ? text.replace(/(?<=[\])}%`×])(?=\p{Script=Hangul})/gu, "\u2060") : text;

const formats = computed(() => new Intl.NumberFormat(language.value));
/** A number with its digits in groups, as the reader's language writes them. */
export const grouped = (v: number): string => formats.value.format(v);
