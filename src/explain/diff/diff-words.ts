import { withParticle } from "../../words/particle.ts";
import type { Language } from "../explain.ts";

/** The words of a gradient diff. */
export interface DiffWords {
  readonly title: string;
  readonly agrees: (n: number, ulps: string) => string;
  readonly nothing: string;
  readonly firstValue: (name: string, op: string, ulps: string, place: string, ours: string, theirs: string) => string;
  readonly firstGradient: (name: string, ulps: string, place: string, ours: string, theirs: string) => string;
  readonly shapes: (name: string, ours: string, theirs: string) => string;
  readonly element: (index: string) => string;
  readonly seed: string;
  readonly ruleOf: (users: string) => string;
  readonly ownAgrees: string;
  readonly ownUnknown: string;
  readonly valuesFirst: string;
  readonly others: (n: number) => string;
  readonly unmatched: (names: string) => string;
  readonly columns: readonly [pass: string, name: string, op: string, ulps: string, elements: string, verdict: string];
  readonly value: string;
  readonly gradient: string;
  readonly same: string;
  readonly deviates: string;
}

const en: DiffWords = {
  title: "Difference",
  agrees: (n, ulps) => `${n === 1 ? "the one tensor agrees" : `all ${n} tensors agree`} within ${ulps} units in the last place`,
  nothing: "there is nothing to compare: no name of the dump is a name of the graph",
  firstValue: (name, op, ulps, place, ours, theirs) =>
    `going forward, ${name} (${op}) is the first value that deviates: by ${ulps} ulps${place}, ${ours} here and ${theirs} there`,
  firstGradient: (name, ulps, place, ours, theirs) =>
    `going backward, the gradient of ${name} is the first that deviates: by ${ulps} ulps${place}, ${ours} here and ${theirs} there`,
  shapes: (name, ours, theirs) => `${name} is ${ours} here and ${theirs} there`,
  element: (index) => ` at element [${index}]`,
  seed: "it is where the backward pass starts",
  ruleOf: (users) => `it was made by the backward rule of ${users}`,
  ownAgrees: "whose own gradient agrees: look at that rule",
  ownUnknown: "whose own gradient was not in the dump: the fault is there or further on",
  valuesFirst: "values deviate too, so begin with the forward pass",
  others: (n) => (n === 1 ? "1 other tensor deviates, too" : `${n} other tensors deviate, too`),
  unmatched: (names) => `not in the graph, so not compared: ${names}`,
  columns: ["pass", "name", "op", "ulps", "ulps by element", "verdict"],
  value: "value",
  gradient: "gradient",
  same: "same",
  deviates: "deviates",
};

const ko: DiffWords = {
  title: "차이",
  agrees: (n, ulps) => `텐서 ${n}개가 모두 마지막 자리 ${ulps}단위 안에서 일치합니다`,
  nothing: "비교할 것이 없습니다. 덤프의 이름 가운데 그래프에 있는 것이 없습니다",
  firstValue: (name, op, ulps, place, ours, theirs) =>
    `순전파에서 처음으로 다른 값은 ${name}(${op})입니다. ${ulps} ulp만큼 다릅니다${place}. 이 그래프에서는 ${ours}, 덤프에서는 ${theirs}입니다`,
  firstGradient: (name, ulps, place, ours, theirs) =>
    `역전파에서 처음으로 다른 것은 ${name}의 기울기입니다. ${ulps} ulp만큼 다릅니다${place}. 이 그래프에서는 ${ours}, 덤프에서는 ${theirs}입니다`,
  shapes: (name, ours, theirs) => `${withParticle(name, "은")} 이 그래프에서는 ${ours}, 덤프에서는 ${theirs}입니다`,
  element: (index) => ` (원소 [${index}])`,
  seed: "역전파가 시작하는 곳입니다",
  ruleOf: (users) => `${users}의 역전파 규칙이 만들었습니다`,
  ownAgrees: "그 게이트의 기울기는 일치하므로 역전파 규칙을 살펴보세요",
  ownUnknown: "그 게이트의 기울기는 덤프에 없습니다. 그 게이트나 그 뒤쪽에 잘못이 있습니다",
  valuesFirst: "값도 다르므로 순전파부터 보세요",
  others: (n) => `그 밖에 텐서 ${n}개가 다릅니다`,
  unmatched: (names) => `그래프에 없어 비교하지 않은 이름: ${names}`,
  columns: ["단계", "이름", "연산", "ulp", "원소별 ulp", "판정"],
  value: "값",
  gradient: "기울기",
  same: "같음",
  deviates: "다름",
};

/** The words of a language. */
export function diffWords(language: Language): DiffWords {
  return language === "ko" ? ko : en;
}
