import { GradientError } from "../../ir/errors.ts";
import { type FindingWords, findingEn } from "./finding-en.ts";
import { findingKo } from "./finding-ko.ts";

/** The languages of findings. */
export type FindingLanguage = "en" | "ko";

/** The sentences of a language. @throws GradientError for others */
export function findingWords(language: FindingLanguage, who: string): FindingWords {
  if (language === "en") return findingEn;
  if (language === "ko") return findingKo;
  throw new GradientError(`${who}: language "${String(language)}" is not there; "en" and "ko" are`);
}
