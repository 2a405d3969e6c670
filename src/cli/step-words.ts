import type { Language } from "../explain/explain.ts";
import { withParticle } from "../words/particle.ts";

/** The words of `chainrule step`. */
export interface StepWords {
  readonly atStart: string;
  readonly atEnd: (last: number) => string;
  readonly noStep: (to: number, last: number) => string;
  readonly noNumber: string;
  readonly unknown: (command: string) => string;
  readonly help: readonly string[];
  readonly begin: string;
  readonly keys: string;
  readonly jump: string;
  readonly name: string;
  readonly value: string;
  readonly gradient: string;
}

const en: StepWords = {
  atStart: "this is the start; n goes on",
  atEnd: (last: number) => `this is the end, step ${last} of ${last}; b goes back`,
  noStep: (to: number, last: number) => `there is no step ${to}; steps are 0 to ${last}`,
  noNumber: "a step is a whole number: j 5",
  unknown: (command: string) => `"${command}" is no command; ? lists them`,
  help: [
    "n, Enter   next step            b   one step back",
    "j 5        jump to step 5       s   all numbers so far",
    "f          start (forward pass) g   start of the backward pass",
    "e          end                  q   quit",
  ],
  begin: "n goes on, ? lists the commands",
  keys: "n/→ next   b/← back   f start   g backward   e end   j jump   ? help   q quit",
  jump: "jump to step: ",
  name: "name",
  value: "value",
  gradient: "gradient",
};

const ko: StepWords = {
  atStart: "처음입니다. n은 다음 단계입니다",
  atEnd: (last) => `끝입니다(${last}단계 중 ${last}단계). b는 이전 단계입니다`,
  noStep: (to, last) => `${to}단계는 없습니다. 단계는 0부터 ${last}까지입니다`,
  noNumber: "단계는 정수입니다: j 5",
  unknown: (command) => `${withParticle(`"${command}"`, "은")} 없는 명령입니다. ?를 입력하면 목록이 나옵니다`,
  help: [
    "n, Enter   다음 단계          b   이전 단계",
    "j 5        5단계로 이동       s   지금까지의 모든 수",
    "f          처음(순전파)       g   역전파의 시작",
    "e          끝                 q   끝내기",
  ],
  begin: "n은 다음 단계, ?는 명령 목록입니다",
  keys: "n/→ 다음   b/← 이전   f 처음   g 역전파   e 끝   j 이동   ? 도움말   q 끝내기",
  jump: "이동할 단계: ",
  name: "이름",
  value: "값",
  gradient: "기울기",
};

/** The words of a language. */
export function stepWords(language: Language): StepWords {
  return language === "ko" ? ko : en;
}
