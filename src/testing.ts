export {
  type CheckOptions,
  checkGradients,
  type GradientReport,
  type GradientRow,
  type Verdict,
} from "./check/check-gradients.ts";
export { type CheckOpOptions, checkOp, type LawFault, type OpReport } from "./check/check-op.ts";
export { type Thresholds, type ThresholdTable, thresholds } from "./check/thresholds.ts";
