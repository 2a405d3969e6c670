import { describe, expect, test } from "vitest";
import type { DType } from "../../src/index.ts";
import * as linalg from "../../src/linalg/index.ts";
import * as ops from "../../src/ops/index.ts";
import { magnitude, worstError } from "./closeness.ts";
import { fixture, storedLeaves } from "./fixture.ts";
import { opCalls } from "./op-calls.ts";
import { type Comparison, type OpCase, runCase } from "./run-case.ts";

const unit = 2 ** -52;

/** How far from the reference a part of a case may be: the allowed error, relative to each element, or to `floor` where the element is smaller. */
interface Tolerance {
  readonly allowed: number;
  readonly floor: (c: Comparison) => number;
}

const eachItself = (): number => Number.MIN_VALUE;
const largest = ({ want }: Comparison): number => Math.max(1, magnitude(want));

/**
 * Derivatives that are the difference of nearly equal numbers somewhere, so that they are right to the rounding of those, not to their own size:
 * 1 - out in the flat tails of tanh and the sigmoid, as in PyTorch (1 - tanh(6)^2 = 2.5e-5 has 12 right digits), and (1 + x) - (1 - x) in the
 * second derivative of the arc functions near 0.
 */
const cancelling: ReadonlySet<string> = new Set(["tanh", "sigmoid", "softplus", "asin", "acos"]);

/**
 * Elementwise ops round a few times (the functions of `Math` and our special ones each to 1 or 2 units, the chain rule about four products on top),
 * so 64 units suffice for each element by itself, however small. Linear ops move numbers or add up fewer than ten of size about 1. All others
 * add up to a few hundred terms of size about 1 in another order than PyTorch does, and cancel: 64 units of 1 or of the largest result. Factorizations do so
 * in several steps, each as accurate as its matrix is well conditioned, which those of the cases are.
 */
const families: Readonly<Record<string, Tolerance>> = {
  elementwise: { allowed: 64 * unit, floor: eachItself },
  linear: { allowed: 8 * unit, floor: largest },
  reduce: { allowed: 64 * unit, floor: largest },
  contract: { allowed: 64 * unit, floor: largest },
  composite: { allowed: 64 * unit, floor: largest },
  linalg: { allowed: 512 * unit, floor: largest },
};

/** The units of dtypes narrower than f64, at which tangents through a cast are rounded. */
const narrow: Partial<Readonly<Record<DType, number>>> = { f32: 2 ** -23, f16: 2 ** -10, bf16: 2 ** -7 };

function toleranceOf(family: string, { op, out, operands }: OpCase, { part }: Comparison): Tolerance {
  const usual = families[family]!;
  if (part === "jvp") {
    // <ct, tangent> and <vjp, direction> are sums in double of products that the dtypes on the way have rounded.
    const rounding = [...storedLeaves(out), ...storedLeaves(operands)].map(({ stored }) => narrow[stored?.dtype ?? "f64"] ?? unit);
    return { allowed: 64 * unit + 4 * Math.max(0, ...rounding), floor: largest };
  }
  return cancelling.has(op) && part !== "value" ? { allowed: usual.allowed, floor: largest } : usual;
}

function wrong(family: string, given: OpCase): string[] {
  return runCase(given).flatMap((c) => {
    const { allowed, floor } = toleranceOf(family, given, c);
    const error = worstError(c.got, c.want, floor(c));
    return error <= allowed ? [] : [`${c.part} ${c.path}: error ${error.toExponential(2)}, got [${c.got.data}], want [${c.want.data}]`];
  });
}

/** How many cases there are of each op: what is not in this list is not held against a reference. */
const counts: Readonly<Record<string, Readonly<Record<string, number>>>> = {
  elementwise: {
    neg: 7,
    abs: 7,
    sign: 7,
    exp: 6,
    expm1: 6,
    log: 6,
    log1p: 6,
    sqrt: 6,
    rsqrt: 6,
    reciprocal: 6,
    square: 6,
    sin: 6,
    cos: 6,
    tan: 6,
    asin: 6,
    acos: 6,
    atan: 6,
    sinh: 6,
    cosh: 6,
    tanh: 6,
    sigmoid: 6,
    softplus: 6,
    erf: 6,
    lgamma: 6,
    digamma: 6,
    floor: 6,
    ceil: 6,
    round: 6,
    isNaN: 2,
    logicalNot: 5,
    add: 13,
    sub: 13,
    mul: 13,
    div: 12,
    mod: 12,
    pow: 11,
    maximum: 13,
    minimum: 13,
    atan2: 12,
    equal: 14,
    notEqual: 14,
    less: 14,
    lessEqual: 14,
    greater: 14,
    greaterEqual: 14,
    logicalAnd: 12,
    logicalOr: 12,
    logicalXor: 12,
    where: 9,
    clip: 12,
    cast: 21,
    identity: 3,
  },
  linear: {
    reshape: 7,
    transpose: 7,
    expand: 6,
    slice: 13,
    pad: 11,
    split: 5,
    unstack: 4,
    squeeze: 5,
    unsqueeze: 5,
    flip: 5,
    tile: 4,
    diag: 7,
    triu: 5,
    tril: 5,
    cumsum: 8,
    at: 6,
    concat: 6,
    stack: 6,
    gather: 7,
    scatterAdd: 6,
    gatherElements: 4,
    scatterElements: 10,
    gatherND: 7,
    scatterND: 6,
    oneHot: 3,
    zeros: 4,
    ones: 4,
    full: 4,
    range: 4,
  },
  reduce: {
    sum: 14,
    mean: 13,
    max: 17,
    min: 17,
    prod: 17,
    variance: 24,
    logSumExp: 14,
    norm: 31,
    argMax: 11,
    argMin: 11,
    sort: 16,
    topK: 20,
  },
  contract: {
    matmul: 13,
    dot: 3,
    cross: 4,
    einsum: 29,
    conv: 20,
    convTranspose: 11,
    maxPool: 15,
    averagePool: 16,
  },
  composite: {
    relu: 5,
    leakyRelu: 10,
    elu: 10,
    selu: 5,
    celu: 10,
    gelu: 15,
    silu: 5,
    mish: 5,
    hardSigmoid: 5,
    hardSwish: 5,
    softmax: 7,
    logSoftmax: 7,
    layerNormalization: 6,
    rmsNormalization: 6,
    batchNormalization: 4,
    batchMoments: 4,
    groupNormalization: 4,
    instanceNormalization: 4,
    scaledDotProductAttention: 8,
    hinge: 11,
    softmaxCrossEntropy: 35,
    negativeLogLikelihood: 6,
    meanSquaredError: 8,
    binaryCrossEntropy: 18,
    meanAbsoluteError: 3,
    smoothL1: 9,
    cosineEmbedding: 6,
    marginRanking: 6,
    tripletMargin: 9,
    klDivergence: 8,
    huber: 16,
  },
  linalg: {
    cholesky: 12,
    inverse: 12,
    det: 13,
    slogDet: 12,
    logDet: 12,
    solve: 14,
    triangularSolve: 42,
    qr: 10,
    svd: 10,
    eigh: 6,
    fft: 20,
    ifft: 10,
    rfft: 10,
    irfft: 19,
  },
};

describe.each(Object.keys(families))("%s", (family) => {
  const { cases } = fixture<OpCase>(`ops-${family}`);

  test("covers its ops", () => {
    const found: Record<string, number> = {};
    for (const { op } of cases) found[op] = (found[op] ?? 0) + 1;
    expect(found).toEqual(counts[family]);
  });

  test.each(Object.keys(counts[family]!))("%s agrees in value, both derivatives and both modes", (op) => {
    const faults = cases.flatMap((given, i) =>
      given.op === op ? wrong(family, given).map((fault) => `case ${i} ${JSON.stringify(given.attrs)}: ${fault}`) : [],
    );
    expect(faults).toEqual([]);
  });
});

/** Exported beside the ops of the list: transposes and checks that derivatives of those ops are made of, and the means to declare ops. */
const without: readonly string[] = [
  "unary",
  "binary",
  "stop",
  "polygamma",
  "unslice",
  "unpad",
  "convInput",
  "convWeight",
  "averagePoolInput",
  "maxPoolPlaces",
  "pick",
  "unpick",
  "classLabels",
  "cofactor",
  "apart",
  "fourier",
];

test("every op of the library has cases, but those that only derivatives use", () => {
  const exported = Object.entries({ ...ops, ...linalg }).flatMap(([name, f]) => (typeof f === "function" ? [name] : []));
  const covered = new Set(Object.values(counts).flatMap(Object.keys));
  expect(exported.filter((name) => !covered.has(name) && !without.includes(name))).toEqual([]);
});

test("every op that has a call has cases", () => {
  expect(Object.values(counts).flatMap(Object.keys).sort()).toEqual(Object.keys(opCalls).sort());
});
