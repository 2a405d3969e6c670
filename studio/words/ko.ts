import type { Words } from "./en.ts";

/** Every word of the page, in Korean. */
export const ko = {
  graph: "그래프",
  train: "학습",
  import: "가져오기",
  code: "코드",
  tabs: "화면",
  undo: "되돌리기",
  redo: "다시 하기",
  language: "언어",
  theme: "색",
  "theme system": "시스템 설정대로",
  "theme light": "밝게",
  "theme dark": "어둡게",
  "theme colour-blind": "색각 보정",
  "theme colour-blind dark": "색각 보정, 어둡게",
  garbled: "이 주소를 읽을 수 없어 처음 상태로 시작합니다.",
  version: "다른 버전이 만든 주소입니다. 읽을 수 있는 만큼만 보여 줍니다.",
  storage: "브라우저 저장 공간이 가득 찼거나 막혀 있어, 작업은 이 페이지의 주소에만 남습니다.",
  loading: "불러오는 중 …",
  close: "닫기",
} satisfies Words;
