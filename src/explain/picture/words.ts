import { englishWords, koreanWords, type PictureWords } from "../../draw/picture-words.ts";
import type { Language } from "../explain.ts";

/** The words of the pictures in a language. */
export function wordsIn(language: Language): PictureWords {
  return language === "ko" ? koreanWords : englishWords;
}
