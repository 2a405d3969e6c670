import { custom } from "../autodiff/custom-gradient.ts";
import { grad } from "../autodiff/grad.ts";
import { jacobian } from "../autodiff/jacobian.ts";
import { regions } from "../autodiff/pullback.ts";
import { forwardRegions } from "../autodiff/pushforward.ts";
import { ensureOp } from "../control/ensure.ts";
import { close, inlined } from "../control/region.ts";
import { whileLoop } from "../control/while-loop.ts";
import { detach } from "../evaluate/evaluate.ts";
import { isFloat } from "../ir/dtype.ts";
import { DTypeError, GradientError, GraphError, ShapeError } from "../ir/errors.ts";
import { constant, input, isType, lift } from "../ir/leaf.ts";
import type { Value } from "../ir/node.ts";
import type { Body, Operand } from "../ir/op.ts";
import { sizeOf } from "../ir/shape.ts";
import { leaves, match, type Operands, rebuild } from "../ir/tree.ts";
import { tensorType, typeText } from "../ir/type.ts";
import { solve as solveDense } from "../linalg/solve.ts";
import { add, div, neg, sub } from "../ops/arithmetic.ts";
import { greater, less } from "../ops/elementwise/comparison.ts";
import { logicalAnd } from "../ops/elementwise/logical.ts";
import { abs } from "../ops/elementwise/rounding.ts";
import { stop } from "../ops/identity.ts";
import { concat } from "../ops/linear/concat.ts";
import { full } from "../ops/linear/constants.ts";
import { reshape } from "../ops/linear/reshape.ts";
import { slice } from "../ops/linear/slice.ts";
import { max } from "../ops/reduce/extremes.ts";
import { conjugateGradient, stabilizedBiconjugateGradient } from "./linear-solvers.ts";

/** How the linear system of the derivative is solved: with its matrix written out, or by products with it alone. */
export type LinearSolver = "dense" | "cg" | "bicgstab";

/** Options of the implicit transforms. */
export interface ImplicitOptions<X, P> {
  /** Finds the solution from a start; it may loop and read values, and nothing is differentiated through it. */
  readonly solve?: (start: X, p: P) => Operands<X>;
  /**
   * How large the residual may be, relative to `1 + max |x|`; 1e-9 when left out, 1e-4 in f32. The default solvers go on to a tenth of it.
   */
  readonly tolerance?: number;
  /** The most rounds of a default solver. */
  readonly limit?: number;
  /**
   * `dense`: the Jacobian and an LU factorization, for up to some hundred unknowns, the default there. `cg`: conjugate gradients, for symmetric
   * positive definite systems, the default of `argmin` beyond. `bicgstab`: for any other, the default beyond.
   */
  readonly linear?: LinearSolver;
}

type Fn<X, P, R> = (x: X, p: P) => R;

/** More unknowns than this are not put in a matrix unless asked for. */
const dense = 128;

/** A tree of unknowns as one vector. */
class Unknowns {
  readonly #tree: unknown;
  readonly #types: readonly Value["type"][];
  readonly size: number;
  readonly dtype: Value["type"]["dtype"];
  constructor(start: unknown, who: string) {
    this.#tree = start;
    const values = leaves(start).map(({ leaf, path }) => {
      if (isType(leaf)) throw new GraphError(`${who}: ${path === "" ? "the start" : path} is a type and has no value`);
      return { path, type: lift(leaf, "f64").type };
    });
    const first = values[0];
    if (first === undefined) throw new GraphError(`${who}: the start has no leaf; there is nothing to solve for`);
    for (const { path, type } of values)
      if (!isFloat(type.dtype) || type.dtype !== first.type.dtype)
        throw new DTypeError(
          `${who}: ${path === "" ? "the start" : path} is ${typeText(type)}${type === first.type ? "" : ` and ${first.path} is ${typeText(first.type)}`}; unknowns are floating-point numbers of one dtype`,
        );
    this.#types = values.map(({ type }) => type);
    this.dtype = first.type.dtype;
    this.size = values.reduce((n, { type }) => n + sizeOf(type.shape), 0);
  }
  vector(tree: unknown, who: string, what: string): Value {
    const parts = match(tree, this.#tree, `${who}: ${what}`).map(({ given, path }, i) => {
      if (isType(given)) throw new GraphError(`${who}: ${what} ${path} is a type and has no value`);
      const v = lift(given, this.dtype);
      const wanted = this.#types[i]!;
      if (typeText(v.type) !== typeText(wanted))
        throw new ShapeError(
          `${who}: ${path === "" ? "the unknown" : path} is ${typeText(wanted)} at the start, and ${what} has ${typeText(v.type)} for it`,
        );
      return reshape(v, { shape: [sizeOf(wanted.shape)] });
    });
    return parts.length === 1 ? parts[0]! : concat(parts);
  }
  tree(vector: Value): unknown {
    let at = 0;
    let i = 0;
    return rebuild(this.#tree, () => {
      const { shape } = this.#types[i++]!;
      const from = at;
      at += sizeOf(shape);
      const part = from === 0 && at === this.size ? vector : slice(vector, { start: from, end: at });
      return reshape(part, { shape });
    });
  }
}

/** A system F(x; parameters) = 0 of as many equations as unknowns. */
interface System {
  readonly who: string;
  /** Takes the vector of unknowns, then the parameters; gives the vector of residuals. */
  readonly body: Body;
  readonly linear: LinearSolver;
}

/** The solution as a node whose derivatives are those of the implicit function theorem, at any order, as its rules speak of the node itself. */
function solution(system: System, found: Value, parameters: readonly Value[]): Value {
  const { body } = system;
  const floats = parameters.flatMap((p, i) => (isFloat(p.type.dtype) ? [i] : []));
  return custom([stop(found), ...parameters], {
    names: ["p"],
    tree: { p: parameters.map((_, i) => i) },
    rule: ({ ct, out, p }) => {
      const ps = p as readonly Value[];
      const u = solveLinear(system, out as Value, ps, ct as Value, true);
      const back = regions.vjp(
        body,
        floats.map((i) => i + 1),
        [0],
      );
      const cts = inlined(back.body, [out as Value, ...ps, neg(u)]);
      return { p: ps.map((_, i) => cts[floats.indexOf(i)] ?? 0) };
    },
    push: ({ out, p, d }) => {
      const ps = p as readonly Value[];
      const ds = (d as { p: readonly Value[] }).p;
      const forward = forwardRegions.jvp(
        body,
        floats.map((i) => i + 1),
      );
      const moved = inlined(forward.body, [out as Value, ...ps, ...floats.map((i) => ds[i]!)])[0];
      if (moved === undefined) return full((out as Value).type, 0);
      return neg(solveLinear(system, out as Value, ps, moved, false));
    },
  });
}

/** The u with `J u = b`, or `J^T u = b`, for the Jacobian J of the system in x at its solution. */
function solveLinear(system: System, x: Value, ps: readonly Value[], b: Value, transpose: boolean): Value {
  const { body, linear, who } = system;
  if (linear === "dense") {
    const matrix = jacobian((y: Value) => inlined(body, [y, ...ps])[0]!)(x);
    return solveDense(matrix, b, { transpose });
  }
  const part = transpose ? regions.vjp(body, [0], [0]).body : forwardRegions.jvp(body, [0]).body;
  if (part.outputs.length === 0) throw new GradientError(`${who}: the equations do not depend on the unknowns`);
  // A linear system in the unknown u, with x, the parameters and b for its parameters: a system again, so that it has derivatives, too.
  const u = input(b.type, "u");
  const right = input(b.type, "b");
  const [y, ...qs] = body.inputs.map((v, i) => input(v.type, `p${i}`));
  const residual = sub(inlined(part, [y!, ...qs, u])[0]!, right);
  const inner: System = { who, linear, body: { inputs: [u, y!, ...qs, right], outputs: [residual] } };
  const fixed = [x, ...ps].map((v) => stop(v));
  const apply = (v: Value): Value => inlined(part, [...fixed, v])[0]!;
  const found = linear === "cg" ? conjugateGradient(apply, stop(b)) : stabilizedBiconjugateGradient(apply, stop(b));
  return solution(inner, found, [x, ...ps, b]);
}

/** Values without history where they can be had, so that a solver's rounds are forgotten; otherwise behind a stop. */
function apart(tree: unknown): unknown {
  try {
    return detach(tree);
  } catch (e) {
    if (!(e instanceof GraphError)) throw e;
    return rebuild(tree, (leaf) => stop(lift(leaf as Operand, "f64")));
  }
}

interface Problem {
  readonly who: string;
  readonly residual: (x: unknown, p: unknown) => unknown;
  readonly find: (start: unknown, p: unknown, unknowns: Unknowns, residual: (x: Value) => Value) => Value;
  readonly linear: LinearSolver | undefined;
  readonly beyond: LinearSolver;
  readonly tolerance: number | undefined;
  readonly lesson: string;
}

function solveImplicitly({ who, residual, find, linear, beyond, tolerance, lesson }: Problem, start: unknown, p: unknown): unknown {
  const unknowns = new Unknowns(start, who);
  const given = leaves(p).map(({ leaf, path }) => {
    if (isType(leaf)) throw new GraphError(`${who}: parameter ${path} is a type and has no value`);
    return { path, value: lift(leaf, "f64") };
  });
  const x = input(tensorType(unknowns.dtype, [unknowns.size]), "x");
  const holders = given.map(({ path, value }) => input(value.type, path === "" ? "p" : path));
  let i = 0;
  const written = residual(
    unknowns.tree(x),
    rebuild(p, () => holders[i++]!),
  );
  const F = unknowns.vector(written, who, "what the function returns");
  const { body, captured } = close([x, ...holders], [F]);
  const parameters = [...given.map(({ value }) => value), ...captured];
  const still = apart(parameters) as readonly Value[];
  const values = rebuild(p, (_, path) => still[given.findIndex((g) => g.path === path)]!);
  const at = (v: Value): Value => inlined(body, [v, ...still])[0]!;
  const found = find(apart(start), values, unknowns, at);
  const most = tolerance ?? (unknowns.dtype === "f64" ? 1e-9 : 1e-4);
  const size = unknowns.size === 0 ? constant(0, unknowns.dtype) : div(max(abs(at(found))), add(1, max(abs(found))));
  const sound = ensureOp(found, size, { most, lesson: `${who}: not solved: ${lesson}` });
  const chosen = linear ?? (unknowns.size <= dense ? "dense" : beyond);
  return unknowns.tree(solution({ who, body, linear: chosen }, sound, parameters));
}

/** Rounds of `next` until it moves no more than a tenth of the tolerance, or `limit` of them. */
function iterate(start: Value, next: (x: Value) => Value, tolerance: number, limit: number): Value {
  return whileLoop(
    ({ moved, k }) => logicalAnd(greater(moved, tolerance / 10), less(k, limit)),
    ({ x, k }) => {
      const y = next(x);
      return { x: y, moved: div(max(abs(sub(y, x))), add(1, max(abs(y)))), k: add(k, 1) };
    },
    { x: start, moved: constant(Number.POSITIVE_INFINITY, start.type.dtype), k: constant(0, "i32") },
  ).x;
}

function toleranceOf(unknowns: Unknowns, tolerance: number | undefined): number {
  return tolerance ?? (unknowns.dtype === "f64" ? 1e-9 : 1e-4);
}

/**
 * `implicit.fixedPoint(step)(start, p)`: the x with `step(x, p) = x`, with derivatives for `p` and for what `step` uses of its surroundings by the
 * implicit function theorem: `dx = (I - d step/dx)^-1 (d step/dp) dp`. Nothing is kept of how x was found, and its derivative does not depend on it;
 * the start gets none. Both modes, any order. `x`, `p` are trees; without `solve`, `step` is repeated until it moves x no more.
 *
 * `step` is written down once, on placeholders, so it may not read values.
 * Source: M. Blondel et al., "Efficient and modular implicit differentiation", 2022.
 * @throws NumericError, when it runs, if x is no fixed point to within the tolerance, or if the linear system has no solution; GraphError, ShapeError or
 * DTypeError when the function does not return a tree like x
 */
export function fixedPoint<X, P>(
  step: Fn<X, P, Operands<X>>,
  { solve, tolerance, limit = 1000, linear }: ImplicitOptions<X, P> = {},
): (start: Operands<X>, p: Operands<P>) => X {
  const who = "implicit.fixedPoint";
  return (start, p) =>
    solveImplicitly(
      {
        who,
        residual: (x, q) => {
          const y = step(x as X, q as P);
          return rebuild(y, (leaf, path) => {
            const before = leaves(x).find((l) => l.path === path);
            return before === undefined || isType(leaf) ? leaf : sub(leaf, before.leaf as Value);
          });
        },
        find: (from, q, unknowns, at) => {
          if (solve !== undefined) return unknowns.vector(solve(from as X, q as P), who, "what solve returns");
          return iterate(unknowns.vector(from, who, "the start"), (x) => add(x, at(x)), toleranceOf(unknowns, tolerance), limit);
        },
        linear,
        beyond: "bicgstab",
        tolerance,
        lesson: solve
          ? "solve returned no fixed point"
          : `the steps did not settle in ${limit} rounds; start nearer, damp the step, raise limit, or bring { solve }`,
      },
      start,
      p,
    ) as X;
}

/**
 * `implicit.root(f)(start, p)`: the x with `f(x, p) = 0`, where `f` returns a tree like x; with derivatives by the implicit function theorem:
 * `dx = -(df/dx)^-1 (df/dp) dp`. Without `solve`, Newton's method is run from the start, with the Jacobian written out. The rest is as in `fixedPoint`.
 * @throws NumericError, when it runs, if x is no root to within the tolerance; DomainError for a singular Jacobian; GraphError, ShapeError or
 * DTypeError when the function does not return a tree like x
 */
export function root<X, P>(
  f: Fn<X, P, Operands<X>>,
  { solve, tolerance, limit = 50, linear }: ImplicitOptions<X, P> = {},
): (start: Operands<X>, p: Operands<P>) => X {
  const who = "implicit.root";
  return (start, p) =>
    solveImplicitly(
      {
        who,
        residual: (x, q) => f(x as X, q as P),
        find: (from, q, unknowns, at) => {
          if (solve !== undefined) return unknowns.vector(solve(from as X, q as P), who, "what solve returns");
          const newton = (x: Value): Value => sub(x, solveDense(jacobian(at)(x), at(x)));
          return iterate(unknowns.vector(from, who, "the start"), newton, toleranceOf(unknowns, tolerance), limit);
        },
        linear,
        beyond: "bicgstab",
        tolerance,
        lesson: solve ? "solve returned no root" : `Newton's method did not settle in ${limit} rounds; start nearer, or bring { solve }`,
      },
      start,
      p,
    ) as X;
}

/**
 * `implicit.argmin(cost, { solve })(start, p)`: the x that `solve` finds where `cost(x, p)` is smallest, with derivatives by the implicit function theorem
 * applied to `d cost/dx = 0`: `dx = -H^-1 (d2 cost/dx dp) dp`, where the Hessian H has to be invertible at the solution.
 * @throws NumericError, when it runs, if the gradient at what `solve` returned is not zero to within the tolerance; DomainError for a singular Hessian
 */
export function argmin<X, P>(
  cost: Fn<X, P, Value>,
  { solve, tolerance, linear }: ImplicitOptions<X, P> & { readonly solve: (start: X, p: P) => Operands<X> },
): (start: Operands<X>, p: Operands<P>) => X {
  const who = "implicit.argmin";
  return (start, p) =>
    solveImplicitly(
      {
        who,
        residual: (x, q) => grad((y: unknown) => cost(y as X, q as P))(x as never),
        find: (from, q, unknowns) => unknowns.vector(solve(from as X, q as P), who, "what solve returns"),
        linear,
        beyond: "cg",
        tolerance,
        lesson: "the gradient is not zero where solve stopped; let it go on, or allow more: { tolerance }",
      },
      start,
      p,
    ) as X;
}
