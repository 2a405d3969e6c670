export { type Checkpoint, type CheckpointHeader, type Checkup, readCheckpoint } from "./train/checkpoint.ts";
export type { CurvePoint, HistoryFacts } from "./train/history.ts";
export { accuracy, type ClassScores, classScores, confusionMatrix, perplexity, topK } from "./train/metrics.ts";
export type { Context, Model, Outputs, Returned } from "./train/model.ts";
export type { Callback, CheckpointOptions, Derive, Monitor, RunFacts, TrainOptions } from "./train/options.ts";
export type { Ending, TrainingJson, TrainingReport } from "./train/report.ts";
export type { Totals } from "./train/totals.ts";
export { type Step, type Trained, type Training, train, type Validation } from "./train/train.ts";
