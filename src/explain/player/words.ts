import { englishWords, koreanWords, type PictureWords } from "../../draw/picture-words.ts";
import type { Language } from "../explain.ts";

const en = {
  picture: englishWords as PictureWords,
  start: "Start: only the inputs have values",
  startLine: "Press . for the next step, , for the one before",
  forward: "forward",
  backward: "backward",
  step: (t: number, of: number) => `Step ${t} of ${of}`,
  say: (t: number, of: number, pass: string, what: string) => `Step ${t} of ${of}, ${pass}: ${what}`,
  first: "To the start",
  previous: "One step back",
  next: "Next step",
  last: "To the end",
  play: "Play",
  pause: "Pause",
  speed: "Speed",
  toForward: "Forward pass",
  toBackward: "Backward pass",
  fit: "Fit the picture",
  theme: "Light or dark",
  scrubber: "Step",
  stage: "The graph. Keys: . next, , back, f forward pass, b backward pass, Home, End, Space plays",
  keys: "Keys: . next, , back, f forward pass, b backward pass, Home start, End end, Space plays",
  table: "All steps as a table",
  pass: "pass",
  what: "what",
  value: "value",
  local: "local gradient",
  upstream: "upstream gradient",
  gradient: "gradient",
  legendValue: "value, above the wire",
  legendGradient: "gradient, below the wire",
  legendNotYet: "· not yet known",
} as const;

/** The words of a page that walks through a graph. */
export type PlayerWords = { readonly [K in keyof typeof en]: (typeof en)[K] extends string ? string : (typeof en)[K] };

const ko: PlayerWords = {
  picture: koreanWords,
  start: "시작: 입력에만 값이 있습니다",
  startLine: "마침표(.)는 다음 단계, 쉼표(,)는 이전 단계입니다",
  forward: "순전파",
  backward: "역전파",
  step: (t, of) => `${of}단계 중 ${t}단계`,
  say: (t, of, pass, what) => `${of}단계 중 ${t}단계, ${pass}: ${what}`,
  first: "처음으로",
  previous: "이전 단계",
  next: "다음 단계",
  last: "끝으로",
  play: "재생",
  pause: "일시 정지",
  speed: "속도",
  toForward: "순전파",
  toBackward: "역전파",
  fit: "그림 맞춤",
  theme: "밝게 또는 어둡게",
  scrubber: "단계",
  stage: "그래프. 키: 마침표 다음, 쉼표 이전, f 순전파, b 역전파, Home 처음, End 끝, Space 재생",
  keys: "키: . 다음, , 이전, f 순전파, b 역전파, Home 처음, End 끝, Space 재생",
  table: "모든 단계의 표",
  pass: "방향",
  what: "내용",
  value: "값",
  local: "지역 기울기",
  upstream: "상류 기울기",
  gradient: "기울기",
  legendValue: "값, 선 위",
  legendGradient: "기울기, 선 아래",
  legendNotYet: "· 아직 모름",
};

/** The words of each language. */
export function playerWords(language: Language): PlayerWords {
  return language === "ko" ? ko : en;
}
