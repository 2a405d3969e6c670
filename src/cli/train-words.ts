import type { Language } from "../explain/explain.ts";
import { listed } from "../notation/given.ts";

/** What `chainrule train`, `chainrule finetune` and `chainrule predict` say at their beginnings and ends, in one language. */
export interface CommandWords {
  readonly stopped: string;
  readonly stoppedAfter: (stopped: string, step: number, file: string) => string;
  readonly wrote: (files: string) => string;
  /** What is about to be tuned: so many numbers in so many weights of a model of so many, on rows. */
  readonly tuning: (of: TuningFacts) => string;
  readonly predicted: (rows: number) => string;
  readonly predictedRight: (of: PredictedRows, right: number, accuracy: number) => string;
  readonly predictedError: (of: PredictedRows, error: number) => string;
  /** Columns of a table that are none of the model's. */
  readonly notRead: (columns: readonly string[]) => string;
}

/** How many rows there are, and in how many the target is there. */
export interface PredictedRows {
  readonly rows: number;
  readonly known: number;
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

const knownIn = ({ rows, known }: PredictedRows): string =>
  known === rows ? rowsIn(rows) : `${rowsIn(rows)}; the target is there in ${known}`;

export const commandWords: Readonly<Record<Language, CommandWords>> = {
  en: {
    stopped: "stopped",
    stoppedAfter: (stopped, step, file) => `${stopped} after step ${step}; the run is in ${file}. Go on with`,
    wrote: (files) => `wrote ${files}`,
    tuning: ({ numbers, weights, adapters, model, all, rows, others }) =>
      `training ${numbers} numbers in ${weights} ${adapters ? "adapters and weights" : "weights"} of ${model}, which has ${all}, on ${rows} rows${others > 0 ? `, validating on ${others}` : ""}`,
    predicted: (rows) => `predicted ${rowsIn(rows)}`,
    predictedRight: (of, right, accuracy) => `predicted ${knownIn(of)}, ${right} of them right: accuracy ${accuracy}`,
    predictedError: (of, error) => `predicted ${knownIn(of)}, root mean squared error ${error}`,
    notRead: (columns) => `columns that the model does not read: ${listed(columns)}`,
  },
  ko: {
    stopped: "멈췄습니다",
    stoppedAfter: (stopped, step, file) => `${stopped}: ${step}단계까지 학습한 상태를 ${file}에 저장했습니다. 이어서 하려면`,
    wrote: (files) => `저장한 파일: ${files}`,
    tuning: ({ numbers, weights, adapters, model, all, rows, others }) =>
      `${model}(매개변수 값 ${all}개)에서 ${adapters ? "어댑터와 가중치" : "가중치"} ${weights}개의 값 ${numbers}개를 ${rows}행으로 학습합니다${others > 0 ? `. 검증은 ${others}행으로 합니다` : ""}`,
    predicted: (rows) => `${rows}행을 예측했습니다`,
    predictedRight: ({ rows, known }, right, accuracy) =>
      known === rows
        ? `${rows}행을 예측했고 그중 ${right}행이 맞았습니다: 정확도 ${accuracy}`
        : `${rows}행을 예측했고, 목푯값이 있는 ${known}행 중 ${right}행이 맞았습니다: 정확도 ${accuracy}`,
    predictedError: ({ rows, known }, error) =>
      `${rows}행을 예측했습니다${known === rows ? "" : `(목푯값이 있는 행은 ${known}행)`}: 평균제곱근오차 ${error}`,
    notRead: (columns) => `모델이 읽지 않는 열: ${listed(columns)}`,
  },
};
