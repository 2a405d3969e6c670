import type { Operand, Value } from "../../src/index.ts";
import * as library from "../../src/index.ts";
import { tensorType } from "../../src/ir/type.ts";

/** Operands by name; the variadic ones are the list `xs`. */
export type OperandRecord = Readonly<Record<string, Operand | readonly Operand[]>>;
/** What an op returns: a Value, a record or a list of them. */
export type Results = Value | readonly Value[] | Readonly<Record<string, Value>>;

type Attributes = Readonly<Record<string, unknown>>;
/** How a case is called. */
export type Call = (operands: OperandRecord, attributes: Attributes) => Results;
type Function = (...args: readonly unknown[]) => Results;

/** The exported function of this name. It throws when there is none, so that a case of an op that is missing fails. */
function exported(name: string): Function {
  const found = (library as unknown as Readonly<Record<string, unknown>>)[name];
  if (typeof found !== "function") throw new Error(`the library exports no function ${name}`);
  return found as Function;
}

/** Operands in this order, attributes last. What a case lacks is left out as users leave it out: nothing stands in its place at the end. */
function ordered(name: string, ...order: readonly string[]): Call {
  return (operands, attributes) => {
    const extra = Object.keys(operands).filter((key) => !order.includes(key));
    if (extra.length > 0) throw new Error(`${name}: the case has operands ${extra.join(", ")} that the call does not pass`);
    const args: unknown[] = order.map((key) => operands[key]);
    while (args.length > 0 && args.at(-1) === undefined) args.pop();
    return exported(name)(...args, ...(Object.keys(attributes).length > 0 ? [attributes] : []));
  };
}

/** Each op under its own name with these operands. */
function family(order: readonly string[], names: string): Readonly<Record<string, Call>> {
  return Object.fromEntries(names.split(" ").map((name) => [name, ordered(name, ...order)]));
}

/** Losses whose weights are operands among the attributes. */
function weighted(name: string, ...order: readonly string[]): Call {
  return ({ weights, positiveWeight, ...operands }, attributes) =>
    ordered(name, ...order)(operands, {
      ...attributes,
      ...(weights !== undefined && { weights }),
      ...(positiveWeight !== undefined && { positiveWeight }),
    });
}

const typed = ({ dtype, shape }: Attributes): unknown => tensorType(dtype as library.DType, shape as readonly number[]);

/** How the case of each op is called. */
export const opCalls: Readonly<Record<string, Call>> = {
  ...family(
    ["x"],
    "neg abs sign exp expm1 log log1p sqrt rsqrt reciprocal square sin cos tan asin acos atan sinh cosh tanh sigmoid softplus",
  ),
  ...family(["x"], "erf lgamma digamma floor ceil round isNaN logicalNot clip identity"),
  ...family(["x", "y"], "add sub mul div mod pow maximum minimum atan2 equal notEqual less lessEqual greater greaterEqual"),
  ...family(["x", "y"], "logicalAnd logicalOr logicalXor"),
  ...family(["test", "x", "y"], "where"),
  ...family(["x"], "reshape transpose expand sum cumsum slice pad split unstack squeeze unsqueeze flip tile diag triu tril oneHot"),
  ...family(["xs"], "concat stack"),
  ...family(["x", "indices"], "gather gatherElements gatherND"),
  ...family(["x", "indices", "updates"], "scatterAdd scatterElements scatterND"),
  ...family(["x"], "max min prod mean variance argMax argMin logSumExp norm topK sort"),
  ...family(["a", "b"], "matmul dot cross"),
  ...family(["x", "w", "bias"], "conv convTranspose"),
  ...family(["x"], "maxPool averagePool"),
  ...family(["x"], "softmax logSoftmax relu leakyRelu elu selu celu gelu silu mish hardSigmoid hardSwish batchMoments"),
  ...family(["x", "scale", "bias"], "layerNormalization groupNormalization instanceNormalization"),
  ...family(["x", "scale"], "rmsNormalization"),
  ...family(["x", "scale", "bias", "mean", "variance"], "batchNormalization"),
  hinge: weighted("hinge", "scores", "labels"),
  softmaxCrossEntropy: weighted("softmaxCrossEntropy", "logits", "labels"),
  negativeLogLikelihood: weighted("negativeLogLikelihood", "logP", "labels"),
  binaryCrossEntropy: weighted("binaryCrossEntropy", "logits", "t"),
  ...family(["p", "t"], "meanSquaredError meanAbsoluteError huber smoothL1"),
  ...family(["a", "b", "y"], "cosineEmbedding marginRanking"),
  ...family(["anchor", "positive", "negative"], "tripletMargin"),
  ...family(["logP", "q"], "klDivergence"),
  ...family(["a"], "cholesky inverse det slogDet logDet qr eigh svd"),
  ...family(["a", "b"], "solve triangularSolve"),
  ...family(["x"], "rfft"),
  ...Object.fromEntries(
    ["fft", "ifft", "irfft"].map((name): [string, Call] => [
      name,
      ({ re, im }, attributes) => exported(name)(im === undefined ? re : { re, im }, attributes),
    ]),
  ),
  cast: ({ x }, { dtype }) => exported("cast")(x, dtype),
  at: ({ x }, { index }) => exported("at")(x, ...(index as readonly number[])),
  einsum: ({ xs }, { spec }) => exported("einsum")(spec, ...(xs as readonly Operand[])),
  scaledDotProductAttention: ({ q, k, v, mask }, attributes) =>
    exported("scaledDotProductAttention")(q, k, v, mask === undefined ? attributes : { ...attributes, mask }),
  zeros: (_, attributes) => exported("zeros")(typed(attributes)),
  ones: (_, attributes) => exported("ones")(typed(attributes)),
  full: (_, attributes) => exported("full")(typed(attributes), attributes["value"]),
  range: (_, { start, end, step, dtype }) =>
    exported("range")(...[start, end, step].filter((x) => x !== undefined), ...(dtype === undefined ? [] : [{ dtype }])),
};
