import { computed, type ReadonlySignal } from "@preact/signals";
import { language } from "../state/store.ts";
import { en, type TrainWords } from "./words-en.ts";
import { ko } from "./words-ko.ts";

export const words: ReadonlySignal<TrainWords> = computed(() => (language.value === "ko" ? ko : en));

/** A number as people read it: some digits, and a true minus. */
export function short(v: number, digits = 3): string {
  if (!Number.isFinite(v)) return Number.isNaN(v) ? "NaN" : v > 0 ? "∞" : "−∞";
  const size = Math.abs(v);
  const text =
    size !== 0 && (size < 1e-3 || size >= 1e5) ? v.toExponential(Math.max(0, digits - 2)) : Number(v.toPrecision(digits)).toString();
  return text.replaceAll("-", "−");
}

/** A share as percent. */
export const share = (v: number): string => words.value.percent(String(Math.round(1000 * v) / 10));
