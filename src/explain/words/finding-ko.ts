import type { FindingWords } from "./finding-en.ts";

/** Korean sentences about paths, gradients that went wrong and bad values, with the keys of `finding-en.ts`. */
export const findingKo: FindingWords = {
  noLine: "소스 줄을 알 수 없습니다. trace(() => ...) 안에서 만들거나 CHAINRULE_TRACE=1로 실행하세요",
  inScope: (scope: string) => `${scope} 안`,
  inFormula: (line: number, column: number) => `수식 ${line}행 ${column}열`,
  atLine: (line: string) => `위치: ${line}`,
  pathsTitle: (f: string, x: string, count: string) => `d${f}/d${x}은(는) ${f}에서 ${x}까지 거슬러 가는 경로 ${count}개의 합입니다`,
  onePath: (f: string, x: string) => `d${f}/d${x}은(는) ${f}에서 ${x}까지 가는 단 하나의 경로를 따릅니다`,
  noPath: (f: string, x: string) => `${f}에서 ${x}까지 가는 경로가 없습니다. 기울기는 0입니다`,
  live: (live: string, count: string) => `${count}개 중 ${live}개에는 0이 없습니다`,
  largest: (shown: number, count: string) => `${count}개 중 가장 큰 ${shown}개`,
  notRanked: "가장 큰 경로를 찾다가 멈추었습니다. 나머지 가운데 더 큰 것이 있을 수 있습니다",
  rest: (count: string) => `나머지 ${count}개`,
  total: "모두 더하면",
  gradient: "역전파가 구한 기울기",
  magnitude: (m: string) => `모든 경로의 크기를 더하면 ${m}입니다`,
  cancels: (m: string, g: string) => `경로들이 서로 상쇄됩니다. 크기의 합은 ${m}인데 ${g}만 남습니다`,
  path: "경로",
  product: "지역 미분",
  contribution: "기여",
  share: "비율",
  more: (n: number) => `… 게이트 ${n}개 생략 …`,
};
