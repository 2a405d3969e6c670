import { between } from "../autodiff/pullback.ts";
import { isFloat } from "../ir/dtype.ts";
import { ChainruleError, GradientError, GraphError } from "../ir/errors.ts";
import { isTensor, isValue, lift } from "../ir/leaf.ts";
import type { Value } from "../ir/node.ts";
import { leaves, rebuild, type Values } from "../ir/tree.ts";
import { typeText } from "../ir/type.ts";
import { isRecord, kindText, listed } from "../notation/given.ts";
import type { AnyModel, Context } from "./model.ts";

/** What a loss function gave, taken apart. */
export interface FoundLoss {
  readonly loss: Value;
  readonly others: unknown;
  readonly stats: unknown;
}

/** Calls the loss function. @throws GradientError, GraphError for what is no loss; what the function throws */
export function lossOf(model: AnyModel, params: Values<unknown>, rows: Values<unknown>, context: Context<unknown>): FoundLoss {
  let result: unknown;
  try {
    result = model.loss(params, rows, context);
  } catch (error) {
    throw withNames(error, params, rows);
  }
  const found = checkedLoss(result);
  if (context.train && found.stats === undefined && leaves(context.stats).length > 0)
    throw new GraphError(
      "train: the model has stats and the loss function returned none, so they would stay as they are; return { loss, stats }",
    );
  if (context.train) checkDepends(found.loss, params);
  return found;
}

/** @throws GradientError for a loss that no derivative reaches a parameter from: every step would change nothing, without a word */
function checkDepends(loss: Value, params: unknown): void {
  const { active, place } = between(
    [loss],
    leaves(params).map(({ leaf }) => leaf as Value),
  );
  if (active[place(loss)] !== 1)
    throw new GradientError(
      "train: the loss depends on no parameter, so nothing would be learnt; compute it from the parameters that the loss function is given, its first argument, and not from those outside it",
    );
}

/** An op that was handed nothing: mostly a column, or a parameter, by a name that is not there, which JavaScript reads as undefined. */
function withNames(error: unknown, params: unknown, rows: unknown): unknown {
  if (!(error instanceof GraphError) || !/ is (?:missing|undefined)\b/.test(error.message)) return error;
  const names = (tree: unknown): string => listed(leaves(tree).map(({ path }) => path));
  return new GraphError(
    `train: in the loss function: ${error.message}; the batch has ${names(rows)}, the parameters are ${names(params)}, and any other name is undefined`,
    { cause: error },
  );
}

/** Takes apart what a loss function returned. @throws GradientError, GraphError for what is no loss */
function checkedLoss(result: unknown): FoundLoss {
  const bare = isValue(result);
  const record = result as { readonly loss?: unknown; readonly stats?: unknown };
  if (!bare && (!isRecord(result) || !isValue(record.loss)))
    throw new GraphError(
      `train: the loss function returned no loss but ${returned(result)}; return a scalar Value, or a record with one called loss${advice(result)}`,
    );
  const loss = bare ? result : (record.loss as Value);
  if (loss.type.shape.length !== 0 || !isFloat(loss.type.dtype))
    throw new GradientError(`train: the loss is ${typeText(loss.type)}; it is one floating-point number: mean(...) over the batch`);
  if (bare) return { loss, others: {}, stats: undefined };
  const { stats, loss: _, ...others } = record as { readonly [name: string]: unknown };
  for (const [name, x] of Object.entries(others)) checkBeside(name, x);
  return { loss, others: rebuild(others, (leaf) => lift(leaf as Value, "f64")), stats };
}

function returned(result: unknown): string {
  if (result === undefined) return "nothing";
  if (!isRecord(result)) return kindText(result);
  const { loss } = result;
  return loss === undefined ? "a record without one" : `a record in which loss is ${kindText(loss)}`;
}

/** What mostly lies behind it. */
function advice(result: unknown): string {
  const loss = isRecord(result) ? result["loss"] : result;
  if (kindText(loss) === "a Promise") return "; a loss is built at once, so leave async and await out";
  if (typeof loss === "number" || typeof loss === "string" || isTensor(loss))
    return "; it is computed by ops from the parameters, as mean(square(sub(a, b)))";
  return "";
}

/** @throws GraphError for what cannot come out beside a loss */
function checkBeside(name: string, x: unknown): void {
  try {
    leaves(x);
  } catch (error) {
    if (!(error instanceof ChainruleError)) throw error;
    throw new GraphError(
      `train: beside the loss ${name} is ${isRecord(x) ? "a record of other things" : kindText(x)}; what comes out with every step is Values, tensors and numbers, and records of them`,
      { cause: error },
    );
  }
}

/** @throws GraphError where `bind` gave something else than tensors by name */
export function checkBound(bound: unknown): void {
  const wrong = isRecord(bound) ? Object.entries(bound).find(([, x]) => !isTensor(x)) : ["", bound];
  if (wrong !== undefined)
    throw new GraphError(
      `train: the model's bind gave ${wrong[0] === "" ? "" : `${wrong[0]} as `}${wrong[1] === undefined ? "nothing" : kindText(wrong[1])}; it gives a record of tensors`,
    );
}
