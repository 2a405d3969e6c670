import { DomainError } from "../ir/errors.ts";
import type { Value } from "../ir/node.ts";
import { sizeOf } from "../ir/shape.ts";
import type { TensorType } from "../ir/type.ts";
import { names } from "../notation/patterns.ts";
import { add, div, matmul, mul, reshape, rsqrt, sqrt, square, sub, sum, transpose } from "../ops/index.ts";
import { biasOf, meanSquare, towards } from "./adam.ts";
import { type CommonOptions, given, optimizerOf, type Rule } from "./by-rule.ts";
import type { Optimizer } from "./optimizer.ts";

/** Numbers of {@link muon}. */
export interface MuonNumbers {
  /** How much of the mean of gradients is kept, 0.95 unless given. */
  readonly momentum?: number;
  /** Steps along the mean and the gradient together, as Nesterov; true unless given. */
  readonly nesterov?: boolean;
  /** Rounds of the Newton-Schulz iteration, 5 unless given. */
  readonly rounds?: number;
  /** What shrinks the parameters apart from the gradient, 0 unless given. */
  readonly weightDecay?: number;
  /** For parameters that AdamW takes: their rate as a share of `rate`, 0.015 unless given (3e-4 beside 0.02). */
  readonly adamShare?: number;
  /** For parameters that AdamW takes, 0.9 unless given. */
  readonly beta1?: number;
  /** For parameters that AdamW takes, 0.95 unless given. */
  readonly beta2?: number;
  /** For parameters that AdamW takes, 1e-10 unless given. */
  readonly epsilon?: number;
}

/** Options of {@link muon}. */
export interface MuonOptions extends CommonOptions<MuonNumbers>, MuonNumbers {
  /** Patterns of matrices that AdamW takes too: embeddings, and the layer that makes the outputs. */
  readonly adam?: readonly string[];
}

type Full = Required<MuonNumbers>;
type Scalar = "rate" | "small" | "step" | "root";

/**
 * A matrix of the same singular vectors whose singular values are near 1: the quintic Newton-Schulz iteration of Jordan et al. On the smaller side,
 * so a round costs two products of that size and one of the whole.
 */
function orthogonal(x: Value, rounds: number): Value {
  const [rows, columns] = x.type.shape as readonly [number, number];
  const [a, b, c] = [3.4445, -4.775, 2.0315];
  let y = rows > columns ? transpose(x) : x;
  y = div(y, add(sqrt(sum(square(y))), 1e-7));
  for (let i = 0; i < rounds; i++) {
    const gram = matmul(y, transpose(y));
    y = add(mul(a, y), matmul(add(mul(b, gram), mul(c, matmul(gram, gram))), y));
  }
  return rows > columns ? transpose(y) : y;
}

/** The root of outputs per input, at least 1: a step changes outputs alike whatever the shape. Linear weights are [in, out], kernels [out, in, ...]. */
function scaleOf({ shape }: TensorType): number {
  const [first, rest] = [shape[0]!, sizeOf(shape.slice(1))];
  return Math.sqrt(Math.max(1, shape.length === 2 ? rest / first : first / rest));
}

function ruleFor(adam: readonly string[]): Rule<Full, "m" | "v", Scalar> {
  const isMatrix = (type: TensorType, path: string): boolean => type.shape.length >= 2 && sizeOf(type.shape) > 0 && !names(adam, path);
  return {
    name: "muon",
    looksAtAll: true,
    patterns: { adam },
    slots: (_, type, path) => (isMatrix(type, path) ? { m: 0 } : { m: 0, v: 0 }),
    scalars: ({ adamShare, beta1, beta2 }, { rate, count }) => {
      const small = mul(adamShare, rate);
      return { rate, small, step: div(small, biasOf(beta1, count)), root: rsqrt(biasOf(beta2, count)) };
    },
    leaf: ({ momentum, nesterov, rounds, weightDecay, beta1, beta2, epsilon }, { p, g, slots, now, path }) => {
      const shrunk = (rate: Value): Value => (weightDecay === 0 ? p : sub(p, mul(mul(weightDecay, rate), p)));
      if (!isMatrix(p.type, path)) {
        const m = towards(slots.m, g, beta1);
        const v = meanSquare(slots.v, g, beta2);
        return { p: sub(shrunk(now.small), div(mul(now.step, m), add(mul(now.root, sqrt(v)), epsilon))), m, v };
      }
      const m = towards(slots.m, g, momentum);
      const along = nesterov ? towards(g, m, 1 - momentum) : m;
      const { shape } = p.type;
      const flat = shape.length === 2 ? along : reshape(along, { shape: [shape[0]!, sizeOf(shape.slice(1))] });
      const straight = orthogonal(flat, rounds);
      const step = shape.length === 2 ? straight : reshape(straight, { shape });
      return { p: sub(shrunk(now.rate), mul(mul(scaleOf(p.type), now.rate), step)), m };
    },
  };
}

/**
 * Muon: momentum whose matrix is made orthogonal before the step (Jordan et al. 2024, "Muon: An optimizer for hidden layers in neural networks",
 * https://kellerjordan.github.io/posts/muon/, and its repository). For the weights of hidden layers: matrices, and kernels of convolutions as matrices
 * [out, rest]. Scalars and vectors, and what `adam` names (embeddings and the last layer should be), go by AdamW. Its usual rate is 0.02.
 * @throws DomainError for a rate of 0, below it or NaN, and for numbers out of range
 */
export function muon(options: MuonOptions): Optimizer {
  const {
    momentum = 0.95,
    nesterov = true,
    rounds = 5,
    weightDecay = 0,
    adamShare = 0.015,
    beta1 = 0.9,
    beta2 = 0.95,
    epsilon = 1e-10,
  } = given("muon", options);
  if (!(Number.isInteger(rounds) && rounds > 0))
    throw new DomainError(`muon: rounds is ${rounds}; it is a whole number of rounds, 1 or more`);
  const settings = { momentum, nesterov, rounds, weightDecay, adamShare, beta1, beta2, epsilon };
  return optimizerOf<Full, "m" | "v", Scalar>(ruleFor(options.adam ?? []), options, settings);
}
