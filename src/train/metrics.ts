import { DomainError, GraphError, ShapeError } from "../ir/errors.ts";
import { isTensor, lift } from "../ir/leaf.ts";
import type { Value } from "../ir/node.ts";
import type { Operand } from "../ir/op.ts";
import { scope } from "../ir/scope.ts";
import type { Tensor } from "../ir/tensor.ts";
import { typeText } from "../ir/type.ts";
import { checkOptionNames, kindText } from "../notation/given.ts";
import { add, div } from "../ops/arithmetic.ts";
import { matmul } from "../ops/contract/matmul.ts";
import { cast } from "../ops/elementwise/cast.ts";
import { equal, greater, greaterEqual, less } from "../ops/elementwise/comparison.ts";
import { logicalAnd } from "../ops/elementwise/logical.ts";
import { maximum } from "../ops/elementwise/select.ts";
import { gatherElements } from "../ops/linear/gather-elements.ts";
import { oneHot } from "../ops/linear/one-hot.ts";
import { reshape } from "../ops/linear/reshape.ts";
import { sum } from "../ops/linear/sum.ts";
import { transpose } from "../ops/linear/transpose.ts";
import { argMax } from "../ops/reduce/arg-extremes.ts";
import { mean } from "../ops/reduce/mean.ts";

/** Logits [rows, classes] and labels [rows] as Values. @throws ShapeError for others */
function pair(who: string, logits: Operand, labels: Operand): { z: Value; y: Value; classes: number } {
  const z = lift(logits, "f32");
  const y = lift(labels, "i32");
  const [rows, classes] = z.type.shape;
  if (z.type.shape.length !== 2 || classes === undefined || y.type.shape.length !== 1 || y.type.shape[0] !== rows)
    throw new ShapeError(`${who}: logits are ${typeText(z.type)} and labels ${typeText(y.type)}; they are [rows, classes] and [rows]`);
  return { z, y, classes };
}

/**
 * The share of rows whose largest logit is that of the label: logits are floats [rows, classes], labels i32 [rows]. Of equal logits the first
 * counts, as in `argMax`. Rows with a label of -1 are left out, as losses leave them out; without others it is 0. Returned beside a loss it is averaged over the rows of the validation data.
 * @throws ShapeError for other shapes
 */
export function accuracy(logits: Operand, labels: Operand): Value {
  const { z, y } = pair("accuracy", logits, labels);
  return scope("accuracy", () => {
    const right = cast(sum(equal(argMax(z, { axis: 1 }), y)), "f64");
    return div(right, cast(maximum(sum(greaterEqual(y, 0)), 1), "f64"));
  });
}

/**
 * The share of rows whose label is among the `k` largest logits; of equal logits those of lower classes come first.
 * @throws ShapeError for other shapes than [rows, classes] and [rows]; DomainError for a `k` that is no whole number from 1 to the classes
 */
export function topK(logits: Operand, labels: Operand, options: { readonly k: number }): Value {
  checkOptionNames("topK", options, ["k"], "topK(logits, labels, { k: 5 })");
  const { k } = options;
  const { z, y, classes } = pair("topK", logits, labels);
  if (!Number.isInteger(k) || k < 1 || k > classes)
    throw new DomainError(`topK: k is ${k}; it is a whole number from 1 to ${classes}, the number of classes`);
  return scope("topK", () => {
    const column = reshape(y, { shape: [y.type.shape[0]!, 1] });
    const own = gatherElements(z, column, { axis: 1 });
    const index = Int32Array.from({ length: classes }, (_, i) => i);
    const ahead = cast(greater(z, own), "i32");
    const ties = cast(logicalAnd(equal(z, own), less(index, column)), "i32");
    return mean(less(sum(add(ahead, ties), { axis: 1 }), k));
  });
}

/**
 * Counts i32 [classes, classes]: row = the label, column = the class with the largest logit. Whole numbers beside a loss are summed over the
 * validation data. @throws ShapeError for other shapes than [rows, classes] and [rows]; DomainError when evaluated for a label that is no class
 */
export function confusionMatrix(logits: Operand, labels: Operand): Value {
  const { z, y, classes } = pair("confusionMatrix", logits, labels);
  return scope("confusionMatrix", () => {
    const truth = oneHot(y, { depth: classes });
    const found = oneHot(argMax(z, { axis: 1 }), { depth: classes });
    return cast(matmul(transpose(truth), found), "i32");
  });
}

/** What a confusion matrix says of each class. */
export interface ClassScores {
  /** The share of all rows that are on the diagonal. */
  readonly accuracy: number;
  /** Of the rows found to be of a class, the share that is; NaN where none was found. */
  readonly precision: readonly number[];
  /** Of the rows of a class, the share that was found; NaN where there are none. */
  readonly recall: readonly number[];
  /** The harmonic mean of the two. */
  readonly f1: readonly number[];
}

/** Accuracy, precision, recall and F1 from the counts of {@link confusionMatrix}. @throws ShapeError for what is no square */
export function classScores(table: Tensor): ClassScores {
  if (!isTensor(table))
    throw new GraphError(`classScores: the table is ${kindText(table)}; it is what confusionMatrix counts: validation.tables`);
  const { type, data } = table;
  const [n, m] = type.shape;
  if (type.shape.length !== 2 || n !== m || n === undefined)
    throw new ShapeError(`classScores: the table is ${typeText(type)}; a confusion matrix is square, [classes, classes]`);
  const at = (i: number, j: number): number => data[i * n + j]!;
  const all = Array.from({ length: n }, (_, i) => i);
  const total = (f: (i: number) => number): number => all.reduce((s, i) => s + f(i), 0);
  const recall = all.map((i) => at(i, i) / total((j) => at(i, j)));
  const precision = all.map((j) => at(j, j) / total((i) => at(i, j)));
  return {
    accuracy: total((i) => at(i, i)) / total((i) => total((j) => at(i, j))),
    precision,
    recall,
    f1: all.map((i) => (2 * at(i, i)) / (total((j) => at(i, j)) + total((j) => at(j, i)))),
  };
}

/** exp of a mean cross entropy in nats: what a language model's loss is told as (Jelinek et al. 1977). */
export function perplexity(loss: number): number {
  return Math.exp(loss);
}
