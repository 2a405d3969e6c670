import { ShapeError } from "../ir/errors.ts";
import type { Value } from "../ir/node.ts";
import { sameShape, sizeOf } from "../ir/shape.ts";
import { type TensorType, typeText } from "../ir/type.ts";
import { softmaxCrossEntropy } from "../ops/composite/label-loss.ts";
import { binaryCrossEntropy, huber, meanAbsoluteError, meanSquaredError } from "../ops/composite/loss.ts";
import { cast } from "../ops/elementwise/cast.ts";
import { reshape } from "../ops/linear/reshape.ts";
import { transpose } from "../ops/linear/transpose.ts";
import { accuracy } from "../train/metrics.ts";
import type { LossName } from "./finetune-settings.ts";

/** The axis of the classes of an output, for labels of this shape: the last one, or the one behind the rows, as images have it. */
export function classAxis(out: TensorType, labels: TensorType, name: string): number {
  const rank = out.shape.length;
  const without = (axis: number): readonly number[] => out.shape.filter((_, i) => i !== axis);
  for (const axis of [rank - 1, 1]) if (rank > 1 && sameShape(without(axis), labels.shape)) return axis;
  throw new ShapeError(
    `finetune: the model's ${name} is ${typeText(out)} and the labels are ${typeText(labels)}; cross-entropy takes a label for each row of logits: ${rank > 1 ? typeText({ ...labels, shape: without(rank - 1) }) : "logits with classes along an axis"}`,
  );
}

/** @throws ShapeError for targets that are no numbers beside those of the output */
export function checkTargets(out: TensorType, target: TensorType, name: string): void {
  if (sizeOf(out.shape) !== sizeOf(target.shape) || out.shape[0] !== target.shape[0])
    throw new ShapeError(
      `finetune: the model's ${name} is ${typeText(out)} and the targets are ${typeText(target)}; there is a target for each number, ${typeText({ ...target, shape: out.shape })}`,
    );
}

const numbers: Readonly<Record<Exclude<LossName, "cross-entropy">, (out: Value, target: Value) => Value>> = {
  mse: meanSquaredError,
  mae: meanAbsoluteError,
  huber,
  bce: binaryCrossEntropy,
};

/** The loss of an output, with the share of right classes where there are classes. */
export function lossOf(name: LossName, axis: number, out: Value, target: Value): { loss: Value; accuracy?: Value } {
  if (name !== "cross-entropy") return { loss: numbers[name](out, cast(reshape(target, { shape: out.type.shape }), out.type.dtype)) };
  const others = out.type.shape.map((_, i) => i).filter((i) => i !== axis);
  const last = axis === out.type.shape.length - 1 ? out : transpose(out, { axes: [...others, axis] });
  const logits = reshape(last, { shape: [-1, out.type.shape[axis]!] });
  const labels = reshape(target, { shape: [-1] });
  return { loss: softmaxCrossEntropy(logits, labels), accuracy: accuracy(logits, labels) };
}
