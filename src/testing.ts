export { type CheckOptions, checkGradients } from "./check/check-gradients.ts";
export { type CheckOpOptions, checkOp, type LawFault, type OpReport } from "./check/check-op.ts";
export type { GradientDetails, OpRow, PrecisionRow, Sweep, SweepPoint } from "./check/details/gradient-details.ts";
export type { GradientJson } from "./check/details/render-gradients.ts";
export type { GradientReport, GradientRow } from "./check/gradient-report.ts";
export type { Verdict } from "./check/judge.ts";
export { type Thresholds, type ThresholdTable, thresholds } from "./check/thresholds.ts";
