import { englishWords, koreanWords, type PictureWords } from "../../draw/picture-words.ts";
import type { Language } from "../explain.ts";
import { countText } from "./numbers.ts";

/** The words of the pictures in a language. */
export function wordsIn(language: Language): PictureWords {
  return language === "ko" ? koreanWords : englishWords;
}

/** The words of the pills on nodes: a few characters, and the sentence for tooltips and screen readers. */
export interface HealthPills {
  readonly off: (share: string) => string;
  readonly toldOff: (share: string, size: number) => string;
  readonly flat: (share: string) => string;
  readonly toldFlat: (share: string, size: number) => string;
  readonly toldTiny: (rms: string) => string;
}

const english: HealthPills = {
  off: (share) => `${share} off`,
  toldOff: (share, size) => `${share} of its ${size} elements are off`,
  flat: (share) => `${share} flat`,
  toldFlat: (share, size) => `${share} of its ${size} elements are saturated`,
  toldTiny: (rms) => `its gradient is tiny: ${rms} in the root mean square`,
};

const korean: HealthPills = {
  off: (share) => `${share} 꺼짐`,
  toldOff: (share, size) => `원소 ${size}개 중 ${share}가 꺼져 있습니다`,
  flat: (share) => `${share} 포화`,
  toldFlat: (share, size) => `원소 ${size}개 중 ${share}가 포화되어 있습니다`,
  toldTiny: (rms) => `기울기가 아주 작습니다: 제곱평균제곱근 ${rms}`,
};

/** The words of the pills in a language. */
export function pillWordsIn(language: Language): HealthPills {
  return language === "ko" ? korean : english;
}

/** What a graph is called that has no name of its own: by what it gives. */
export function graphTitle(outputs: readonly string[], language: Language): string {
  const names = outputs.join(", ");
  return language === "ko" ? `${names}의 그래프` : `graph of ${names}`;
}

/** What a closed module holds: its ops, and the numbers in its parameters where it has some. */
export function moduleCounts(ops: number, params: number, language: Language): string {
  const [inside, held] =
    language === "ko"
      ? [`연산 ${countText(ops)}개`, `매개변수 ${countText(params)}개`]
      : [`${countText(ops)} ${ops === 1 ? "op" : "ops"}`, `${countText(params)} ${params === 1 ? "param" : "params"}`];
  return params === 0 ? inside : `${inside} · ${held}`;
}
