import { computed, type ReadonlySignal } from "@preact/signals";
import { language } from "../state/store.ts";
import { en, type Words } from "./en.ts";
import { ko } from "./ko.ts";

/** The page's words in the reader's language. Tabs keep the words of their own in their folders, in the same two files with the same keys. */
export const words: ReadonlySignal<Words> = computed(() => (language.value === "ko" ? ko : en));

const formats = computed(() => new Intl.NumberFormat(language.value));
/** A number with its digits in groups, as the reader's language writes them. */
export const grouped = (v: number): string => formats.value.format(v);
