import type { Language } from "../explain/explain.ts";

/** What `chainrule train`, `chainrule finetune` and `chainrule predict` say at their beginnings and ends, in one language. */
export interface CommandWords {
  readonly stopped: string;
  readonly stoppedAfter: (stopped: string, step: number, file: string) => string;
  readonly wrote: (files: string) => string;
  /** What is about to be tuned: so many numbers in so many weights of a model of so many, on rows. */
  readonly tuning: (of: TuningFacts) => string;
  readonly predicted: (rows: number) => string;
  readonly predictedRight: (rows: number, right: number, accuracy: number) => string;
  readonly predictedError: (rows: number, error: number) => string;
}

/** The numbers of a run of `chainrule finetune`. */
export interface TuningFacts {
  readonly numbers: number;
  readonly weights: number;
  readonly adapters: boolean;
  readonly model: string;
  readonly all: number;
  readonly rows: number;
  /** Rows that are validated on; 0 for none. */
  readonly others: number;
}

const rowsIn = (n: number): string => `${n} row${n === 1 ? "" : "s"}`;

export const commandWords: Readonly<Record<Language, CommandWords>> = {
  en: {
    stopped: "stopped",
    stoppedAfter: (stopped, step, file) => `${stopped} after step ${step}; the run is in ${file}. Go on with`,
    wrote: (files) => `wrote ${files}`,
    tuning: ({ numbers, weights, adapters, model, all, rows, others }) =>
      `training ${numbers} numbers in ${weights} ${adapters ? "adapters and weights" : "weights"} of ${model}, which has ${all}, on ${rows} rows${others > 0 ? `, validating on ${others}` : ""}`,
    predicted: (rows) => `predicted ${rowsIn(rows)}`,
    predictedRight: (rows, right, accuracy) => `predicted ${rowsIn(rows)}, ${right} of them right: accuracy ${accuracy}`,
    predictedError: (rows, error) => `predicted ${rowsIn(rows)}, root mean squared error ${error}`,
  },
  ko: {
    stopped: "멈췄습니다",
    stoppedAfter: (stopped, step, file) => `${stopped}: ${step}단계까지 학습한 상태를 ${file}에 저장했습니다. 이어서 하려면`,
    wrote: (files) => `저장한 파일: ${files}`,
    tuning: ({ numbers, weights, adapters, model, all, rows, others }) =>
      `${model}(매개변수 값 ${all}개)에서 ${adapters ? "어댑터와 가중치" : "가중치"} ${weights}개의 값 ${numbers}개를 ${rows}행으로 학습합니다${others > 0 ? `. 검증은 ${others}행으로 합니다` : ""}`,
    predicted: (rows) => `${rows}행을 예측했습니다`,
    predictedRight: (rows, right, accuracy) => `${rows}행을 예측했고 그중 ${right}행이 맞았습니다: 정확도 ${accuracy}`,
    predictedError: (rows, error) => `${rows}행을 예측했습니다: 평균제곱근오차 ${error}`,
  },
};
