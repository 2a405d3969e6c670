import { lift } from "../ir/leaf.ts";
import type { Value } from "../ir/node.ts";
import { cast, div, equal, gather, gatherElements, logSoftmax, mean, mul, neg, squeeze, sum, unsqueeze, where } from "../ops/index.ts";
import type { Application, Family } from "./application.ts";

/**
 * -log p of each target, times its class's weight; the mean is over the weights. Targets that are ignored count nowhere. Classes are axis 1. With nothing
 * to count the mean is NaN, as in ONNX and PyTorch.
 */
function negativeLogLikelihood(n: Application, logP: Value, ignored: number | null): Value {
  const target = n.get(1);
  const { dtype } = logP.type;
  const reduction = n.text("reduction", "mean");
  const skip = ignored === null ? null : equal(target, lift(ignored, target.type.dtype));
  const index = cast(skip === null ? target : where(skip, lift(0, target.type.dtype), target), "i32");
  const own = squeeze(gatherElements(logP, unsqueeze(index, { axis: 1 }), { axis: 1 }), { axis: 1 });
  const weight = n.maybe(2);
  const plain = weight === null ? null : gather(weight, index);
  const weighed = skip === null ? plain : where(skip, lift(0, dtype), plain ?? lift(1, dtype));
  const each = weighed === null ? neg(own) : neg(mul(own, weighed));
  const losses = skip === null ? each : where(skip, lift(0, dtype), each);
  if (reduction === "none") return losses;
  if (reduction === "sum") return sum(losses);
  return weighed === null ? mean(losses) : div(sum(losses), sum(weighed));
}

function ignoredOf(n: Application): number | null {
  return n.hasAttribute("ignore_index") ? n.int("ignore_index", 0) : null;
}

function crossEntropy(n: Application): readonly Value[] {
  const logP = logSoftmax(n.get(0), { axis: 1 });
  return [negativeLogLikelihood(n, logP, ignoredOf(n)), logP];
}

/** Losses. */
export const losses: Family = {
  NegativeLogLikelihoodLoss: (n) => negativeLogLikelihood(n, n.get(0), ignoredOf(n)),
  SoftmaxCrossEntropyLoss: crossEntropy,
};
