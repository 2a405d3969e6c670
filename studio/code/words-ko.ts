import type { CodeWords } from "./words-en.ts";

/** The Code tab's words in Korean. */
export const ko = {
  program: "프로그램",
  run: "실행",
  stop: "중지",
  running: "실행 중 …",
  output: "출력",
  pictures: "그림",
  nothing: "프로그램을 실행하면 결과가 여기에 나옵니다. show(f)는 값과 기울기를 그림으로 그립니다.",
  examples: "예제",
  lecture: "(x + y) z",
  neuron: "시그모이드 뉴런",
  descent: "경사 하강법",
  moons: "반달 데이터 학습",
  ownGate: "직접 만든 게이트",
  hessian: "이계 도함수",
  done: "끝났습니다.",
  stopped: "중지했습니다.",
  silent: "10초 동안 응답이 없어 끝냈습니다. 오래 걸리는 실행에서는 가끔 출력해 주세요.",
  gone: "브라우저가 프로그램을 닫았습니다. 메모리가 가득 찼을 가능성이 큽니다. 배열과 문자열을 더 적게 남겨 두세요.",
  unreachable:
    "프로그램을 실행할 틀을 불러오지 못했습니다. 이 브라우저는 여기서 페이지를 오프라인용으로 보관하지 않으므로, 프로그램에는 네트워크가 필요합니다.",
  about:
    "라이브러리의 공개 인터페이스를 쓰는 TypeScript입니다. 이 페이지와 분리되어 네트워크 없이 실행되며, 엔진 메모리는 512 MiB, 배열은 1 GiB, 노드는 백만 개까지입니다.",
  keys: "Ctrl+Enter로 실행합니다. Escape를 누른 뒤 Tab을 누르면 편집기를 벗어납니다.",
  line: (line: number, text: string): string => `${line}번째 줄: ${text}`,
  cut: "오래된 줄은 지웠습니다.",
  inWords: "말로 보기",
  sheet: { output: "출력", pictures: "그림", about: "설명" },
  sheetLabel: "패널",
  picturesCount: (n: number): string => (n === 0 ? "그림" : `그림 (${n})`),
  pictureOf: (title: string): string => (title === "" ? "그래프" : title),
} satisfies CodeWords;
