import type { Loss } from "../autodiff/grad.ts";
import type { Value } from "../ir/node.ts";
import type { Tensor } from "../ir/tensor.ts";
import type { Tensors, Values } from "../ir/tree.ts";

/** What a loss is told beside parameters and batch. */
export interface Context<S> {
  /** A key of its own for every step: the seed's, folded with the step's number. */
  readonly key: Value;
  /** False while validating: batch norm then uses its statistics, and dropout drops nothing. */
  readonly train: boolean;
  /** Running statistics as they are before the step. */
  readonly stats: Values<S>;
  /**
   * Where a training is spread over ranks with `distributed: { ranks, syncBatchNorm: true }`: the sum of a Value over the ranks that have rows of the batch, through which
   * gradients go, for `batchNorm(p, stats, x, { train, across })`. Undefined else, and while validating.
   */
  readonly across?: ((x: Value) => Value) | undefined;
  /** What the model's `bind` told of the batch; without one, nothing. */
  readonly bound: { readonly [name: string]: Value };
}

/** What a loss has to return beside the loss: new running statistics, where there are any. */
export type Returned<S> = [keyof S] extends [never] ? unknown : { readonly stats: Values<S> };

/** What is trained: parameters, running statistics where there are any, and a loss of them and a batch. */
export interface Model<P, S, B, R> {
  readonly params: P;
  readonly stats?: S;
  /** A scalar, or a record with a scalar `loss`, which is the mean over the rows of the batch; what else is in the record comes out with every step. */
  readonly loss: (params: Values<P>, batch: Values<B>, context: Context<S>) => R & Returned<NoInfer<S>>;
  /**
   * What of a step only its data can tell, computed before each step and each batch of a validation and given to the loss as `context.bound`: `model.bind` of a
   * model of `chainrule/onnx`. Programs are kept by the types of it too. `params` copies the parameters out of the engine: call it where the answer hangs on them.
   */
  readonly bind?: (
    batch: Tensors<NoInfer<B>>,
    params: () => Promise<Tensors<NoInfer<P>>>,
  ) => { readonly [name: string]: Tensor } | Promise<{ readonly [name: string]: Tensor }>;
  /**
   * What the loss of a batch is a mean over, where that is not its rows: the number of labels that are not left out, say. Where a loss is put together of several
   * batches', by `accumulate`, on ranks, in a validation or for an epoch, each counts so much. 0 for a batch that counts for nothing.
   */
  readonly counts?: (batch: Tensors<NoInfer<B>>) => number;
}

/** What a loss returns, as numbers: all of it but the statistics, which stay inside. */
export type Outputs<R> = R extends Value ? Tensor : Tensors<Omit<R, "stats">>;

/** A model whose types were checked where it came in. */
export type AnyModel = Model<unknown, unknown, unknown, Loss>;
