import { describe, expect, test } from "vitest";
import * as library from "../../src/index.ts";
import {
  add,
  constant,
  evaluate,
  grad,
  hvp,
  jit,
  jvp,
  mul,
  reference,
  sum,
  type Tensor,
  tensor,
  type Value,
  vmap,
  zeros,
} from "../../src/index.ts";
import { tensorType } from "../../src/ir/type.ts";
import { wasm } from "../../src/wasm.ts";
import { magnitude, worstError } from "./closeness.ts";
import { fixture, type StoredTensor, tensorFrom } from "./fixture.ts";

type Operand = number | readonly number[] | { readonly literal: number };
type Line = readonly [op: string, operands: readonly Operand[], attributes: Readonly<Record<string, unknown>>];

interface ProgramCase {
  readonly name: string;
  readonly inputs: readonly StoredTensor[];
  readonly lines: readonly Line[];
  readonly directions: readonly StoredTensor[];
  readonly values: readonly StoredTensor[];
  readonly grad: readonly StoredTensor[];
  readonly hvp: readonly StoredTensor[];
}

const { cases } = fixture<ProgramCase>("programs");
const functions = library as unknown as Readonly<Record<string, (...args: readonly unknown[]) => Value | { readonly values: Value }>>;

/** Whole numbers are operands with us: the second, or the only one. */
function called([op, , { indices, labels, spec, ...attributes }]: Line, operands: readonly unknown[]): Value {
  const whole = indices ?? labels;
  const places = whole === undefined ? [] : [constant(tensor(whole as number[], "i32"))];
  const record = Object.keys(attributes).length > 0 ? [attributes] : [];
  const made = functions[op]!(...(spec === undefined ? [] : [spec]), ...operands.slice(0, 1), ...places, ...operands.slice(1), ...record);
  return "values" in made ? made.values : made;
}

/** All values of a program that no line uses. */
function results(lines: readonly Line[], inputs: readonly Value[]): Value[] {
  const made: Value[] = [...inputs];
  const used = new Set<number>();
  const find = (operand: Operand): unknown => {
    if (typeof operand === "number") {
      used.add(operand);
      return made[operand]!;
    }
    return Array.isArray(operand) ? operand.map(find) : (operand as { readonly literal: number }).literal;
  };
  for (const line of lines) made.push(called(line, line[1].map(find)));
  return made.filter((v, i) => i >= inputs.length && !used.has(i) && v.type.dtype === "f64");
}

function lossOf(lines: readonly Line[]): (inputs: readonly Value[]) => Value {
  return (inputs) =>
    results(lines, inputs)
      .map((v, k) => {
        const cosines = Float64Array.from(evaluate(zeros(v.type)).data, (_, i) => Math.cos(0.7 * k + 1.3 * i));
        return sum(mul(v, tensor(cosines, tensorType("f64", v.type.shape))));
      })
      .reduce((a, b) => add(a, b));
}

/**
 * The programs are a few lines of a few dozen numbers below 1000, with poles and edges far. A few thousand roundings of 1e-16, each amplified a
 * hundredfold at worst, stay below 1e-10 of the largest number.
 */
function differing(what: string, got: readonly Tensor[], want: readonly StoredTensor[]): string[] {
  return want.flatMap((stored, i) => {
    const wanted = tensorFrom(stored);
    const error = got[i] ? worstError(got[i], wanted, Math.max(1, magnitude(wanted))) : Number.POSITIVE_INFINITY;
    return error <= 1e-10 ? [] : [`${what} ${i}: off by ${error}, got [${got[i]?.data}], want [${wanted.data}]`];
  });
}

const all = (values: readonly Value[]): Tensor[] => values.map((v) => evaluate(v));

describe("what PyTorch gives for random programs", () => {
  test("there are 100 of them, with 50 ops", () => {
    expect(cases.length).toBeGreaterThanOrEqual(100);
    expect(new Set(cases.flatMap((c) => c.lines.map(([op]) => op))).size).toBeGreaterThanOrEqual(50);
  });

  test("is what reverse, forward and mapped derivatives give, of first and second order", () => {
    const wrong = cases.flatMap((c) => {
      const [inputs, directions] = [c.inputs.map(tensorFrom), c.directions.map(tensorFrom)];
      const loss = lossOf(c.lines);
      const slope = grad(loss);
      const one = vmap((xs: readonly Value[]) => slope(xs))(inputs.map((x) => tensor(x.data, tensorType("f64", [1, ...x.type.shape]))));
      const found = [
        ...differing(
          "value",
          all(
            results(
              c.lines,
              inputs.map((x) => constant(x)),
            ),
          ),
          c.values,
        ),
        ...differing("grad", all(slope(inputs)), c.grad),
        ...differing("forward grad", all(grad(loss, { mode: "forward" })(inputs)), c.grad),
        ...differing("mapped grad", all(one.map((g, i) => library.reshape(g, { shape: inputs[i]!.type.shape }))), c.grad),
        ...differing("hvp", all(hvp(loss)(inputs, directions)), c.hvp),
        ...differing("reverse over forward", all(grad((xs: readonly Value[]) => jvp(loss)(xs, directions).tangent)(inputs)), c.hvp),
      ];
      return found.length === 0 ? [] : [[c.name, ...found]];
    });
    expect(wrong).toEqual([]);
  });

  test.each([
    ["the reference engine", reference()],
    ["wasm", wasm()],
  ] as const)("is what programs of %s give", (_, engine) => {
    const wrong = cases.flatMap((c) => {
      const [inputs, directions] = [c.inputs.map(tensorFrom), c.directions.map(tensorFrom)];
      const loss = lossOf(c.lines);
      const run = jit(
        (xs: readonly Value[]) => ({ values: results(c.lines, xs), grad: grad(loss)(xs), hvp: hvp(loss)(xs, directions) }),
        engine,
      )(inputs);
      const found = [
        ...differing("value", run.values, c.values),
        ...differing("grad", run.grad, c.grad),
        ...differing("hvp", run.hvp, c.hvp),
      ];
      return found.length === 0 ? [] : [[c.name, ...found]];
    });
    expect(wrong).toEqual([]);
  });
});
