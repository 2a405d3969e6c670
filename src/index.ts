export { type CustomGradientOptions, customGradient } from "./autodiff/custom-gradient.ts";
export { type GradOptions, grad, gradients, type Loss, valueAndGrad, type Way } from "./autodiff/grad.ts";
export { hessian, hvp, jacobian } from "./autodiff/jacobian.ts";
export { linearize, linearTranspose } from "./autodiff/linearize.ts";
export { stopGradient } from "./autodiff/stop-gradient.ts";
export { jvp, vjp } from "./autodiff/vjp.ts";
export { type Thresholds, type ThresholdTable, thresholds } from "./check/thresholds.ts";
export { call } from "./control/call.ts";
export { cond } from "./control/cond.ts";
export { type Scanned, type ScanOptions, scan } from "./control/scan.ts";
export { type WhileOptions, whileLoop } from "./control/while-loop.ts";
export { drawProfile, type ProfilePictureOptions, type TimedStep } from "./draw/draw-profile.ts";
export { formatNumber, type NumberFormat } from "./draw/format-number.ts";
export { type Layout, type LayoutOptions, layoutScene } from "./draw/layout/layout-scene.ts";
export type { Scene } from "./draw/scene.ts";
export type { SvgParts } from "./draw/svg-parts.ts";
export type { Engine, Mode, Ran } from "./engines/engine.ts";
export { jit } from "./engines/jit.ts";
export type { Profile, StepProfile } from "./engines/profile.ts";
export { type CompileOptions, compile, type ProfileOptions, type Program, type State } from "./engines/program.ts";
export { reference } from "./engines/reference.ts";
export { detach, evaluate, read, toArray } from "./evaluate/evaluate.ts";
export {
  type DiffOptions,
  type DiffRow,
  diffGradients,
  type GradientDiff,
  type GradientDiffJson,
} from "./explain/diff/diff-gradients.ts";
export { dumpBy, dumpFromTensors, dumpOf, dumpToTensors, type GradientDump, type RunGraph } from "./explain/diff/dump.ts";
export { type DrawFormat, type DrawOptions, draw } from "./explain/draw.ts";
export {
  type ExplainOptions,
  type Explanation,
  type ExplanationJson,
  explain,
  type Language,
  type StepJson,
} from "./explain/explain.ts";
export type { Cause, Fact, Finding, FindingJson, GateFinding, Trouble } from "./explain/finding.ts";
export { type FirstBadOptions, firstBad } from "./explain/first-bad.ts";
export type { GradientPath, PathStep, PathSum } from "./explain/gradient-path.ts";
export type { Finding as HealthFinding, LayerFacts, ParameterFacts, Rule } from "./explain/health/facts.ts";
export { type HealthOptions, type HealthReport, health } from "./explain/health/health.ts";
export type { HealthJson } from "./explain/health/render-health.ts";
export { type PathOptions, type Paths, type PathsJson, paths } from "./explain/paths.ts";
export { type Near, type Picture, type PictureOptions, picture, pictureInParts } from "./explain/picture/picture.ts";
export type { Place } from "./explain/place.ts";
export { type WalkPageOptions, walkPage } from "./explain/player/walk-page.ts";
export {
  type BackwardStep,
  type Facts,
  type Flow,
  type ForwardStep,
  type GateStep,
  type NamedGradient,
  type SeedStep,
  type Step,
  type StepOptions,
  type Stepper,
  type SumStep,
  steps,
} from "./explain/steps.ts";
export { type Tapped, tap } from "./explain/tap.ts";
export { type TellOptions, type ToldFlow, type ToldStep, tellStep } from "./explain/tell-step.ts";
export { type WhyOptions, why, whyZero } from "./explain/why.ts";
export { check } from "./ir/check.ts";
export type { DType, NumberArray, TypedArray } from "./ir/dtype.ts";
export * from "./ir/errors.ts";
export { type AnyGraph, type Graph, graph } from "./ir/graph.ts";
export { constant, input, named, variable } from "./ir/leaf.ts";
export type { Node, Value } from "./ir/node.ts";
export type { AnyOp, Operand } from "./ir/op.ts";
export { scope } from "./ir/scope.ts";
export { bigints, type Nested, type Tensor, tensor } from "./ir/tensor.ts";
export { type PrintOptions, printGraph as print } from "./ir/text/print-graph.ts";
export { trace } from "./ir/trace.ts";
export { type Data, type DataFor, type Leaf, leaves, mapTree, type Operands, type Tensors, type Values, variables } from "./ir/tree.ts";
export { bf16, bool, f16, f32, f64, i8, i16, i32, i64, type TensorType, u8, u16, u32, u64 } from "./ir/type.ts";
export * from "./linalg/index.ts";
export { type CompiledExpression, compileExpression, type ExpressionOptions } from "./notation/compile-expression.ts";
export { expr } from "./notation/expr.ts";
export type { Expression, Formula, Statement } from "./notation/expression.ts";
export { type GraphTextOptions, parse } from "./notation/graph-text.ts";
export { infix } from "./notation/infix.ts";
export { latex } from "./notation/latex.ts";
export { type AttrsOf, type Definition, type Op, op } from "./ops/define.ts";
export * from "./ops/index.ts";
export { bytesOf, type Cost, costOf } from "./passes/cost.ts";
export { substitute, type Use } from "./passes/substitute.ts";
export * as random from "./random/random.ts";
export { checkpoint } from "./transforms/checkpoint.ts";
export * as implicit from "./transforms/implicit.ts";
export { type CheckpointPlan, planCheckpoints, type Segment } from "./transforms/plan-checkpoints.ts";
export type { Pattern } from "./transforms/sparse/pattern.ts";
export {
  type SparseHessianOptions,
  type SparseMatrix,
  type SparseOptions,
  sparseHessian,
  sparseJacobian,
  sparsity,
} from "./transforms/sparse/sparse.ts";
export { vmap } from "./transforms/vmap.ts";
export { type Particle, withParticle } from "./words/particle.ts";
