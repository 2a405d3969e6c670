import { GraphError } from "../ir/errors.ts";
import { type Family, nodeText, type Rule } from "./application.ts";
import { attending, previews } from "./attention.ts";
import { bits } from "./bits.ts";
import { contraction } from "./contraction.ts";
import { control } from "./control.ts";
import { elementwise } from "./elementwise.ts";
import { generators } from "./generators.ts";
import { indexing } from "./indexing.ts";
import { linearAttending } from "./linear-attention.ts";
import { losses } from "./losses.ts";
import { normalization } from "./normalization.ts";
import { pooling } from "./pooling.ts";
import { quantization } from "./quantization.ts";
import { quantizedProducts } from "./quantized-products.ts";
import { recurrence } from "./recurrent.ts";
import { reductions } from "./reductions.ts";
import { resizing } from "./resize.ts";
import { sampling } from "./sampling.ts";
import type { NodeMessage } from "./schema.ts";
import { sequences } from "./sequences.ts";
import { shaping } from "./shaping.ts";
import { spectral } from "./spectral.ts";
import { trainingOperators } from "./training-operators.ts";

const families: readonly Family[] = [
  elementwise,
  contraction,
  shaping,
  indexing,
  reductions,
  pooling,
  normalization,
  resizing,
  generators,
  losses,
  attending,
  recurrence,
  control,
  quantization,
  quantizedProducts,
  bits,
  sampling,
  linearAttending,
  spectral,
  sequences,
];

/** What to do about operators that other exporters write. */
const advice: Readonly<Record<string, string>> = {
  "": "it is none of those that are read, whatever the operator set: leave this part out of the export, or read the model up to it, with outputs that name values before this node",
  "com.microsoft":
    "it is an operator of ONNX Runtime's own, written by its optimiser or quantiser: export the model anew and keep the file from before optimisation",
  "ai.onnx.ml":
    "it is an operator of classical machine learning, which this reader does not have: export a linear model or a net as products and sums of its coefficients, from PyTorch for one; trees have no gradient",
};

/** The rule of an operator, or undefined. */
export function findRule(domain: string, op: string): Rule | undefined {
  const found =
    domain === "" ? families : domain === "ai.onnx.preview.training" ? [trainingOperators] : domain === "ai.onnx.preview" ? [previews] : [];
  for (const family of found) if (Object.hasOwn(family, op)) return family[op];
  return undefined;
}

/** Why there is no rule for an operator, and what to do. */
export function unknownText(domain: string, node: NodeMessage): string {
  const op = node.op_type ?? "";
  const full = domain === "" ? op : `${domain}.${op}`;
  return `${nodeText(node)}: there is no operator ${full} here; ${(Object.hasOwn(advice, domain) ? advice[domain] : undefined) ?? "export the model with an operator set from 7 to 28 and operators of ai.onnx alone, or leave this part of it out"}`;
}

/** The rule of a node. @throws GraphError for an operator that is not supported */
export function ruleOf(domain: string, node: NodeMessage): Rule {
  const rule = findRule(domain, node.op_type ?? "");
  if (rule !== undefined) return rule;
  const lesson = `onnx: ${unknownText(domain, node)}`;
  throw new GraphError(lesson);
}

/** All operators that are read, by name. */
export function operatorNames(): string[] {
  return [...families, trainingOperators, previews].flatMap((family) => Object.keys(family)).sort();
}
