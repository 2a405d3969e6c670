import type { Language } from "../explain/explain.ts";

/** What `chainrule train` and `chainrule predict` say at their ends, in one language. */
export interface CommandWords {
  readonly stopped: string;
  readonly stoppedAfter: (stopped: string, step: number, file: string) => string;
  readonly wrote: (files: string) => string;
  readonly predicted: (rows: number) => string;
  readonly predictedRight: (rows: number, right: number, accuracy: number) => string;
  readonly predictedError: (rows: number, error: number) => string;
}

const rowsIn = (n: number): string => `${n} row${n === 1 ? "" : "s"}`;

export const commandWords: Readonly<Record<Language, CommandWords>> = {
  en: {
    stopped: "stopped",
    stoppedAfter: (stopped, step, file) => `${stopped} after step ${step}; the run is in ${file}. Go on with`,
    wrote: (files) => `wrote ${files}`,
    predicted: (rows) => `predicted ${rowsIn(rows)}`,
    predictedRight: (rows, right, accuracy) => `predicted ${rowsIn(rows)}, ${right} of them right: accuracy ${accuracy}`,
    predictedError: (rows, error) => `predicted ${rowsIn(rows)}, root mean squared error ${error}`,
  },
  ko: {
    stopped: "멈췄습니다",
    stoppedAfter: (stopped, step, file) => `${stopped}: ${step}단계까지 했고 ${file}에 담았습니다. 이어 가려면`,
    wrote: (files) => `쓴 파일: ${files}`,
    predicted: (rows) => `${rows}행을 예측했습니다`,
    predictedRight: (rows, right, accuracy) => `${rows}행을 예측했고 그중 ${right}행이 맞았습니다: 정확도 ${accuracy}`,
    predictedError: (rows, error) => `${rows}행을 예측했습니다: 평균 제곱근 오차 ${error}`,
  },
};
