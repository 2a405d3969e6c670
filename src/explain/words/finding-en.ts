/** What a sentence about a gate may speak of. */
export interface Told {
  readonly op: string;
  readonly name: string;
  /** The operand in question and its value. */
  readonly into: string;
  readonly value: string;
  /** The other operands. */
  readonly other: string;
  readonly factor: string;
}

/** English sentences about paths, gradients that went wrong and bad values. `finding-ko.ts` has the same keys; the compiler holds them to it. */
export const findingEn = {
  noLine: "no source line is known: build it inside trace(() => ...), or set CHAINRULE_TRACE=1",
  inScope: (scope: string) => `in ${scope}`,
  inFormula: (line: number, column: number) => `in the formula, line ${line}, column ${column}`,
  atLine: (line: string) => `at ${line}`,
  pathsTitle: (f: string, x: string, count: string) => `d${f}/d${x} is a sum over ${count} paths from ${f} back to ${x}`,
  onePath: (f: string, x: string) => `d${f}/d${x} runs along the only path from ${f} back to ${x}`,
  noPath: (f: string, x: string) => `there is no path from ${f} back to ${x}: the gradient is 0`,
  live: (live: string, count: string) => `${live} of ${count} have no zero on them`,
  largest: (shown: number, count: string) => `the ${shown} largest of ${count}`,
  notRanked: "the search for the largest was given up; larger ones may be among the rest",
  rest: (count: string) => `the other ${count}`,
  total: "all together",
  gradient: "the gradient of the backward pass",
  magnitude: (m: string) => `the sizes of all paths add up to ${m}`,
  pathsCancel: (m: string, g: string) => `the paths cancel: their sizes add up to ${m}, and ${g} is left`,
  path: "path",
  product: "local derivatives",
  contribution: "contribution",
  share: "share",
  more: (n: number) => `… ${n} more gates …`,
  gate: "gate",
  whatHappened: "what happened",
  pathLine: "path",
  advice: "to do",
  moreGates: (n: number) => `and ${n} more gates`,
  stoppedShare: (share: string, upstream: string) => `it stopped ${share} of what arrived (L1 norm ${upstream})`,
  missing: (f: string, x: string) => `d${f}/d${x} is missing: ${f} does not depend on ${x}`,
  zero: (f: string, x: string) => `d${f}/d${x} is 0`,
  notFiniteGradient: (f: string, x: string, v: string) => `d${f}/d${x} is ${v}`,
  badValue: (name: string, v: string) => `${name} is ${v}`,
  badInBackward: (x: string, v: string) => `the gradient of ${x} is ${v}, though no bad value of the forward pass reaches the result`,
  insideOf: (op: string, round: number | null) => `inside of ${op}${round === null ? "" : `, round ${round}`}`,
  sized: (trouble: "tiny" | "huge" | "ordinary", f: string, x: string, size: string) =>
    `d${f}/d${x} is ${trouble}: its largest element is ${size}`,
  unconnectedFrom: (f: string, x: string) => `nothing that ${f} is made of depends on ${x}`,
  twin: (x: string) => `another value called ${x} is in the graph: ask about the one that was used`,
  connect: (x: string) => `build the loss from this ${x}, and not from a copy of its numbers`,
  nothingArrives: (f: string) => `no gradient leaves ${f}`,
  cancelsAt: (name: string, n: number, size: string) =>
    `the gradients of ${n} branches meet at ${name} and cancel: their sizes add up to ${size}, their sum is 0`,
  manyScale: (n: number, mean: string) => `no gate alone: ${n} gates on the path scale the gradient by ${mean} each, on geometric average`,
  passesOn: (f: string, x: string) => `every gate between ${f} and ${x} passes the gradient on`,
  upstreamFact: "upstream gradient",
  slopeFact: "local derivative",
  unconnected: (g: Told) => `${g.name} does not depend on it`,
  passes: (g: Told) => `${g.name} passes the gradient on`,
  reluOff: (g: Told) => `relu is off, because ${g.into} is not above 0 there (at 0 its derivative is 0 by convention)`,
  lost: (g: Told) => `${g.into} lost: ${g.op} took another element, and the gradient goes to the winner`,
  clipped: (g: Told) => `${g.into} is outside of the bounds of clip, where its derivative is 0`,
  branchNotTaken: (g: Told) => `where took the other side, and ${g.into} gets nothing`,
  stopped: () => "stopGradient lets no gradient through",
  neverRead: (g: Told) => `${g.op} never reads these elements of ${g.into}`,
  saturated: (g: Told) =>
    `${g.op} is saturated at ${g.into}${g.value === "" ? "" : ` = ${g.value}`}: it is flat there${g.factor === "" ? "" : ` (factor ${g.factor})`}`,
  flat: (g: Told) => `the derivative of ${g.op} is 0 at ${g.into}${g.value === "" ? "" : ` = ${g.value}`}`,
  rounded: (g: Told) => `${g.op} makes steps: its derivative is 0 everywhere`,
  integer: (g: Told) => `${g.op} makes whole numbers of ${g.into}, and these have no derivative`,
  compared: (g: Told) => `${g.op} makes a truth value of ${g.into}, which has no derivative`,
  zeroFactor: (g: Told) => `the other factor, ${g.other}, is 0, and it is the local derivative`,
  underflow: (g: Told) =>
    `the product of the upstream gradient and the local derivative of ${g.op} is too small for its dtype and became 0`,
  cancels: (g: Told) => `the parts of the gradient that ${g.op} adds up for ${g.into} cancel to 0`,
  ruleSendsNothing: (g: Told) => `the backward rule of ${g.op} sends nothing to ${g.into}`,
  shrinks: (g: Told) => `${g.op} scales the gradient by ${g.factor}`,
  grows: (g: Told) => `${g.op} scales the gradient by ${g.factor}`,
  manyShrink: (g: Told) => `many gates shrink the gradient, ${g.op} by ${g.factor}`,
  manyGrow: (g: Told) => `many gates blow the gradient up, ${g.op} by ${g.factor}`,
  given: (g: Told) => `${g.name} was given like this`,
  logOfNegative: (g: Told) => `the logarithm of a negative number: ${g.into} = ${g.value}`,
  logOfZero: (g: Told) => `the logarithm of 0: ${g.into} = ${g.value}`,
  rootOfNegative: (g: Told) => `the root of a negative number: ${g.into} = ${g.value}`,
  slopeOfRoot: (g: Told) => `the derivative of ${g.op} at ${g.into} = ${g.value} is infinite`,
  overflow: (g: Told) => `${g.op} of finite numbers is beyond the largest number of its dtype`,
  zeroOverZero: () => "0 / 0",
  overZero: (g: Told) => `division by 0: ${g.into} = ${g.value}`,
  infinityOverInfinity: () => "infinity / infinity",
  infinityLessInfinity: () => "infinity - infinity",
  zeroTimesInfinity: () => "0 x infinity",
  zeroTimesInfiniteSlope: (g: Told) =>
    `0 x infinity: the gradient that arrives is 0, and the derivative of ${g.op} at ${g.into} = ${g.value} is not finite`,
  infiniteSlope: (g: Told) => `the derivative of ${g.op} at ${g.into} = ${g.value} is not finite`,
  powerOfNegative: (g: Told) => `a negative number to a power that is not whole: ${g.into} = ${g.value}`,
  zeroToNegative: () => "0 to a negative power",
  outsideDomain: (g: Told) => `${g.op} is not defined at ${g.into} = ${g.value}`,
  madeNotFinite: (g: Told) => `${g.op} made it from finite operands`,
  adviceLeaky: "try a smaller learning rate, another initialisation, or leakyRelu, which keeps a slope below 0",
  adviceClip: "widen the bounds, or keep the values inside of them",
  adviceStop: "take stopGradient away if this value is to learn",
  adviceInteger: "compute with floats to the end; for a hard choice use customGradient with the gradient of a soft one (straight-through)",
  adviceRounded: "use customGradient(({ x }) => round(x), ({ ct }) => ({ x: ct })), the straight-through rule",
  adviceSaturated: "scale the input down, or take a loss on logits (binaryCrossEntropy, softmaxCrossEntropy), which does not saturate",
  adviceZeroFactor: "start at least one of the factors away from 0",
  adviceDepth: "normalise between layers, add residual connections, or initialise so that each layer keeps the scale",
  adviceData: "check the data and the values it was made of; nothing in the graph made it",
  adviceLogSoftmax: "write logSoftmax(z) for log(softmax(z)): it takes no logarithm of small numbers",
  adviceLogSumExp: "write logSumExp(x) for log(sum(exp(x))): it takes the largest out first",
  adviceSoftmax: "write softmax(x): it takes the largest out before exp, which changes nothing else",
  adviceSoftplus: "write softplus(x) for log(1 + exp(x))",
  adviceSigmoid: "write sigmoid(x) for 1 / (1 + exp(-x)), which does not overflow",
  adviceLogSigmoid: "write neg(softplus(neg(x))) for log(sigmoid(x))",
  adviceEpsilonLog:
    "keep the argument away from 0: log(add(x, 1e-12)), or clip(x, { min: 1e-12 }); where 0 is expected, use the double where: where(ok, log(where(ok, x, 1)), 0)",
  adviceNegativeLog:
    "find out why the argument is negative: a logarithm takes what is above 0, such as softplus(x), exp(x) or clip(x, { min: 1e-12 })",
  adviceEpsilonRoot: "keep the argument away from 0: sqrt(add(x, 1e-12))",
  adviceNorm: "write norm(x) for sqrt(sum(square(x))): its derivative at 0 is 0",
  adviceNotNegative: "keep the argument at 0 or above: sqrt(clip(x, { min: 0 })), or find out why it is negative",
  adviceDoubleWhere:
    "use the double where: where(ok, f(where(ok, x, 1)), 0), so that f never meets the bad number; one where hides the value, and not its derivative",
  adviceSafeDivide:
    "keep the divisor away from 0: div(x, add(y, 1e-12)), or the double where: where(equal(y, 0), 0, div(x, where(equal(y, 0), 1, y)))",
  adviceMaskedRow: "a whole row is -infinity: leave one entry of each row unmasked, or mask with a large finite number such as -1e9",
  adviceWhereNotTimes: "select with where(mask, x, 0) and not with mask * x: 0 x infinity is NaN",
  adviceScaleDown: "scale the operands down, or subtract the largest before exp",
  adviceWider: 'compute in a wider dtype (cast(x, "f32") or "f64"), or scale the loss',
  adviceAbsPower: "use pow(abs(x), y) or a whole exponent as a literal",
  adviceDomain: "keep the argument inside of where the op is defined, with clip",
} as const;

type FindingWords = {
  readonly [K in keyof typeof findingEn]: (typeof findingEn)[K] extends (...args: infer A) => string ? (...args: A) => string : string;
};

export type { FindingWords };
