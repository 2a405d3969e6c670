import { withParticle } from "../../words/particle.ts";
import type { Words } from "./en.ts";

/** Korean sentences of explanations, with the keys of `en.ts`. */
export const ko: Words = {
  forward: "순전파",
  backward: "역전파",
  gradients: "기울기",
  value: "값",
  variable: "변수",
  notes: "참고",
  noForward: "계산할 것이 없습니다",
  seed: (f: string) => `d${f}/d${f} = 1에서 시작합니다`,
  local: "지역",
  upstream: "상류",
  within: (scope: string) => `${scope} 안`,
  branch: (k: number, n: number) => `분기 ${k}/${n}`,
  sumOf: (n: number) => `분기 ${n}개를 더합니다`,
  nothingFlows: "이 게이트 뒤로는 구할 기울기가 없습니다",
  distributor: "덧셈 게이트(분배기): 상류 기울기를 모든 입력에 그대로 나누어 줍니다",
  negator: "뺄셈 게이트(분배기): 첫째 입력에는 상류 기울기가 그대로, 둘째 입력에는 부호가 바뀌어 전달됩니다",
  switcher: "곱셈 게이트(스위처): 각 입력의 지역 기울기는 다른 쪽 입력의 값입니다",
  router: "최댓값 게이트(라우터): 이긴 입력으로만 기울기가 가고 나머지는 0입니다",
  selector: "선택 게이트(라우터): 선택된 쪽으로만 기울기가 가고 다른 쪽은 0입니다",
  adder: "복사 게이트(합산기): 분기에서 온 기울기를 모두 더합니다",
  scaler: "상류 기울기에 지역 기울기를 곱합니다",
  pass: "기울기가 그대로 지나갑니다",
  stop: "기울기가 여기서 멈춥니다",
  spread: "합 게이트(분배기): 모든 원소가 합의 기울기를 그대로 받습니다",
  reshaper: "원소의 자리만 바뀌므로 기울기도 제자리로 돌아갑니다",
  product: "행렬 곱(스위처): 각 인수의 기울기는 상류 기울기와 다른 인수의 전치를 곱한 것입니다",
  loop: "반복: 기울기가 마지막 단계부터 거꾸로 모든 단계를 지나갑니다",
  choice: "조건 분기: 선택된 쪽으로만 기울기가 거슬러 가고 다른 쪽은 0입니다",
  inside: "그래프 하나가 게이트 하나입니다: 기울기가 그 안을 거꾸로 지나갑니다",
  again: "체크포인트: 안의 값을 다시 계산한 뒤 기울기가 그 안을 거꾸로 지나갑니다",
  rule: "상류 기울기에 이 연산의 규칙을 적용합니다",
  kink: (name: string, op: string) =>
    `${withParticle(name, "은")} ${op}의 꺾인 점 또는 동점에 있습니다. 어떤 미분을 쓰는지는 docs/conventions.md의 규약을 따릅니다`,
  outside: (name: string, op: string, x: string) =>
    `${withParticle(name, "은")} ${x}에서 계산한 ${op}입니다. ${withParticle(op, "이")} 정의되고 매끄러운 범위를 벗어난 값입니다`,
  infinite: (name: string, op: string, v: string) => `${name}의 값은 ${v}입니다. 입력은 유한했는데 ${op}에서 이렇게 되었습니다`,
  infiniteGradient: (name: string, op: string, v: string) =>
    `${name}의 기울기는 ${v}입니다. 상류 기울기는 유한했는데 ${op}의 규칙에서 이렇게 되었습니다`,
  unused: (name: string) => `${withParticle(name, "은")} 결과에 영향을 주지 않으며 기울기는 0입니다`,
  integer: (name: string, type: string) => `${withParticle(name, "은")} ${type}입니다. 정수와 참거짓 값에는 기울기가 없습니다`,
};
