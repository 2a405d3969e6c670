import type { Words } from "./words/en.ts";

/** The gate patterns of the lecture, by op: what a gate does to the gradient that arrives. */
export type Pattern =
  | "distributor"
  | "negator"
  | "switcher"
  | "router"
  | "selector"
  | "scaler"
  | "pass"
  | "stop"
  | "spread"
  | "reshaper"
  | "product"
  | "loop"
  | "choice"
  | "inside"
  | "again"
  | "rule";

const patterns: Readonly<Record<string, Pattern>> = {
  add: "distributor",
  sub: "negator",
  mul: "switcher",
  maximum: "router",
  minimum: "router",
  max: "router",
  min: "router",
  relu: "router",
  clip: "router",
  maxPool: "router",
  topK: "router",
  where: "selector",
  sum: "spread",
  mean: "spread",
  matmul: "product",
  conv: "product",
  reshape: "reshaper",
  transpose: "reshaper",
  expand: "reshaper",
  slice: "reshaper",
  concat: "reshaper",
  gather: "reshaper",
  split: "reshaper",
  flip: "reshaper",
  pad: "reshaper",
  tile: "reshaper",
  identity: "pass",
  tap: "pass",
  stop: "stop",
  scan: "loop",
  whileLoop: "loop",
  cond: "choice",
  call: "inside",
  checkpoint: "again",
};

/** The pattern of an op: named for the lecture's gates, by family for the rest. */
export function patternOf(op: string, family: string): Pattern {
  return patterns[op] ?? (family === "unary" || family === "binary" ? "scaler" : "rule");
}

/** One sentence on what a gate does to the gradient. */
export function gateSentence(op: string, family: string, words: Words): string {
  return words[patternOf(op, family)];
}
