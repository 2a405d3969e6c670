import { type Case, caseOfFunction } from "../../src/check/case.ts";
import { breach } from "../../src/check/check-op.ts";
import { drawsFrom } from "../../src/check/draws.ts";
import { type Law, laws } from "../../src/check/laws.ts";
import { allFinite, traced } from "../../src/check/point.ts";
import { add, constant, evaluate, grad, mul, stack, sum, type Tensor, type Value, vmap } from "../../src/index.ts";
import { simplify } from "../../src/passes/simplify.ts";
import { compiledLaw } from "../laws/engine-law.ts";
import type { RandomProgram } from "./random-program.ts";

/** The numbers of two Values differ by no more than rounding. */
function near(what: string, a: Value, b: Value): string | null {
  const [p, q] = [evaluate(a) as Tensor, evaluate(b) as Tensor];
  if (p.type.shape.join() !== q.type.shape.join()) return `${what}: [${p.type.shape}] and [${q.type.shape}]`;
  let top = 1;
  for (const v of p.data) top = Math.max(top, Math.abs(v));
  for (let i = 0; i < p.data.length; i++)
    if (!(Math.abs(p.data[i]! - q.data[i]!) <= 1e-8 * top)) return `${what}: element ${i} is ${p.data[i]} and ${q.data[i]}`;
  return null;
}

/** Simplified, the results and the gradients are the same numbers. */
const simplifierLaw: Law = ({ c, xs, outs }) => {
  if (!outs.every(allFinite)) return undefined;
  const { ps, outs: made } = traced(c, xs);
  const loss = made.map((v) => sum(v)).reduce((a, b) => add(a, b));
  const slopes = grad((list: readonly Value[]) =>
    c
      .apply(list)
      .map((v) => sum(v))
      .reduce((a, b) => add(a, b)),
  )([...ps]) as readonly Value[];
  for (const [i, v] of [loss, ...made, ...slopes].entries()) {
    if (!allFinite(evaluate(v) as Tensor)) continue;
    const fault = near(`value ${i} simplified`, simplify({ v }).v, v);
    if (fault !== null) return fault;
  }
  return null;
};

/** Mapped over two examples, a program gives what it gives for each, and so does its gradient. */
const mappedLaw: Law = ({ c, xs }) => {
  const moved = xs.map((t) => add(constant(t), 0.125));
  const examples = xs.map((t, i) => stack([constant(t), moved[i]!]));
  const loss = (...list: Value[]): Value =>
    c
      .apply(list)
      .map((v) => sum(mul(v, v)))
      .reduce((a, b) => add(a, b));
  for (const f of [(...list: Value[]): Value => loss(...list), (...list: Value[]): Value => grad(loss)(list[0]!, ...list.slice(1))]) {
    const together = vmap(f as never)(...(examples as never[])) as Value;
    const alone = stack([f(...xs.map((t) => constant(t))), f(...moved)]);
    if (!allFinite(evaluate(alone) as Tensor)) return undefined;
    const fault = near("mapped and one by one", together, alone);
    if (fault !== null) return fault;
  }
  return null;
};

/** Laws that compare with differences: a kink within reach of the steps can break them without a fault. */
const numeric: ReadonlySet<string> = new Set(["vjp = differences", "second derivatives four ways"]);
/** What is said of ops one by one; through a whole program, rounding in single precision grows as it will. */
const left: ReadonlySet<string> = new Set([
  "f32 = f64",
  "forward rule = transposed reverse rule",
  "made again from attributes",
  "local derivatives = rule",
  "lower = eval",
]);

/** The laws that hold for whole programs. */
export const programLaws: Readonly<Record<string, Law>> = {
  ...Object.fromEntries(Object.entries(laws).filter(([name]) => !left.has(name))),
  "compiled = interpreted": compiledLaw,
  "simplified = written": simplifierLaw,
  "mapped = one by one": mappedLaw,
};

function caseAt(program: RandomProgram, room: number): Case {
  return caseOfFunction(
    "program",
    (...xs) => program.run(xs),
    program.inputs,
    program.inputs.map(() => room),
  );
}

/** The first law that a program breaks, in words. A breach of differences counts if it stays when all steps are a hundred and ten thousand times smaller. */
export function faultOf(program: RandomProgram, seed: number, said: Record<string, number> = {}): string | null {
  const draw = (): ReturnType<typeof drawsFrom> => drawsFrom(seed ^ 0x2545f491);
  for (const [name, law] of Object.entries(programLaws)) {
    const rooms = numeric.has(name) ? [0.02, 2e-4, 2e-6] : [0.02];
    let message: string | null | undefined;
    for (const room of rooms) {
      message = breach(law, caseAt(program, room), draw());
      if (message == null) break;
    }
    if (message !== undefined) said[name] = (said[name] ?? 0) + 1;
    if (message != null) return `${name}: ${message}\n${program.text}`;
  }
  return null;
}
