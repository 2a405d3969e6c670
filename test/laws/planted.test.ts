import { expect, test } from "vitest";
import { caseOf } from "../../src/check/case.ts";
import { breach } from "../../src/check/check-op.ts";
import { drawsFrom } from "../../src/check/draws.ts";
import { add, binary, cos, flip, mul, neg, type Operand, op, reshape, sin, square, tensor, unary, type Value } from "../../src/index.ts";
import type { AnyOp } from "../../src/ir/op.ts";
import { checkOp } from "../../src/testing.ts";
import { laws } from "./run-laws.ts";

type One = (x: Operand) => Value;
const x = tensor([[0.5, -1.25, 2]]);
const y = tensor([[0.75], [-0.5]]);

const sound = unary("planted.sound", { f: Math.sin, d: ({ x }) => cos(x) });

/** Faults, the samples that show them, and the first law that has to report each. */
const faults: readonly (readonly [string, AnyOp, readonly unknown[], string])[] = [
  ["a flipped sign", unary("planted.sign", { f: Math.cos, d: ({ x }) => sin(x) }), [x], "vjp = differences"],
  ["a lost factor", unary("planted.factor", { f: (v) => v * v, d: ({ x }) => x }), [x], "vjp = differences"],
  [
    "swapped operands",
    binary("planted.swap", { f: (a, b) => a * a * b, d: ({ x, y }) => ({ x: square(x), y: mul(2, mul(x, y)) }) }),
    [x, y],
    "vjp = differences",
  ],
  ["a dropped operand", binary("planted.drop", { f: (a, b) => a * b, d: ({ y }) => ({ x: y, y: null }) }), [x, y], "vjp = differences"],
  [
    "a first derivative that is a number, not a function of x",
    unary("planted.frozen", { f: Math.exp, d: ({ x }) => Math.exp((x.node.memo as number | undefined) ?? 0) }),
    [0.3],
    "second derivatives four ways",
  ],
  [
    "a forward rule that is not the reverse rule's transpose",
    op<One, readonly ["x"]>("planted.forward", ["x"], {
      type: ({ x }) => x,
      eval: ({ x }) => x.data.map((v: number) => 3 * v),
      vjp: ({ ct }) => ({ x: mul(3, ct) }),
      jvp: ({ d }) => d.x && mul(2, d.x),
    }),
    [x],
    "<ct, jvp v> = <vjp ct, v>",
  ],
  [
    "an op that is not linear and says so",
    op<One, readonly ["x"]>("planted.linear", ["x"], {
      type: ({ x }) => x,
      eval: ({ x }) => x.data.map((v: number) => 2 * v + 1),
      vjp: ({ ct }) => ({ x: mul(2, ct) }),
      linear: "all",
    }),
    [x],
    "<ct, jvp v> = <vjp ct, v>",
  ],
  [
    "a kernel that writes into its operand",
    op<One, readonly ["x"]>("planted.write", ["x"], {
      type: ({ x }) => x,
      eval: ({ x }) => {
        const kept = x.data.slice();
        x.data[0] = 7;
        return kept;
      },
      vjp: ({ ct }) => ({ x: ct }),
      linear: "all",
    }),
    [x],
    "operands untouched",
  ],
  [
    "a result of another size than inferred",
    op<One, readonly ["x"]>("planted.size", ["x"], { type: ({ x }) => x, eval: ({ x }) => x.data.slice(1), vjp: null }),
    [x],
    "inferred type = evaluated type",
  ],
  [
    "a cotangent of another shape that cannot be un-broadcast",
    op<One, readonly ["x"]>("planted.shape", ["x"], {
      type: ({ x }) => x,
      eval: ({ x }) => x.data.slice(),
      vjp: ({ ct }) => ({ x: reshape(ct, { shape: [3, 1] }) }),
    }),
    [tensor([[1, 2, 3]])],
    "vjp = differences",
  ],
  [
    "a batching rule that mixes examples",
    op<One, readonly ["x"]>("planted.batch", ["x"], {
      type: ({ x }) => x,
      eval: ({ x }) => x.data.map((v: number) => 2 * v),
      vjp: ({ ct }) => ({ x: mul(2, ct) }),
      batch: ({ x }) => mul(2, flip(x, { axis: 0 })),
    }),
    [x],
    "vmap = stack",
  ],
  [
    "a decomposition with another value",
    op<One, readonly ["x"]>("planted.lower", ["x"], {
      type: ({ x }) => x,
      eval: ({ x }) => x.data.map((v: number) => v * v),
      vjp: ({ ct, x }) => ({ x: mul(ct, mul(2, x)) }),
      lower: ({ x }) => add(mul(x, x), 1e-6),
    }),
    [x],
    "lower = eval",
  ],
  [
    "a result that is f64 whatever the operand",
    op<One, readonly ["x"]>("planted.dtype", ["x"], {
      type: ({ x }) => ({ ...x, dtype: "f64" }),
      eval: ({ x }) => Float64Array.from(x.data),
      vjp: ({ ct }) => ({ x: ct }),
    }),
    [x],
    "f32 = f64",
  ],
  [
    "attributes that the text form cannot hold",
    op<(x: Operand, attrs: { readonly f: () => number }) => Value, readonly ["x"]>("planted.text", ["x"], {
      type: ({ x }) => x,
      eval: ({ x, f }) => x.data.map((v: number) => v * f()),
      vjp: ({ ct, f }) => ({ x: mul(ct, f()) }),
      linear: ["x"],
    }),
    [x, { f: () => 2 }],
    "text round trip",
  ],
];

test("a sound op keeps every law, and the report says how often each was checked", () => {
  const report = checkOp(sound, [[x], [0.5], [tensor(new Float64Array(0))]]);
  expect(report.text()).toBe("planted.sound: passed, 3 samples, 39 checks");
  expect(report.passed).toBe(true);
  expect(report.checked["vjp = differences"]).toBe(3);
});

test.each(faults)("the laws report %s", (_, wrong, args, law) => {
  const report = checkOp(wrong, [args]);
  expect(report.passed).toBe(false);
  expect(report.faults.map((f) => f.law)).toContain(law);
  expect(report.text()).toContain("FAILED");
});

test("a kernel that forgets what it was given is another number when it runs again", () => {
  let runs = 0;
  const restless = op<One, readonly ["x"]>("planted.restless", ["x"], {
    type: ({ x }) => x,
    eval: ({ x }) => x.data.map((v: number) => v + runs++),
    vjp: null,
  });
  expect(breach(laws["compiled = interpreted"]!, caseOf(restless, [x]), drawsFrom(1))).toContain("when compiled");
});

test("a rule whose results depend on which operands are asked for", () => {
  const moody = op<(x: Operand, y: Operand) => Value, readonly ["x", "y"]>("planted.moody", ["x", "y"], {
    type: ({ x }) => x,
    eval: ({ x, y }) => x.data.map((v: number, i: number) => v * y.data[i]!),
    vjp: ({ ct, x, y }) => {
      let asked = 0;
      return { x: () => mul(ct, asked++ < 0 ? x : y), y: () => (asked === 0 ? neg(mul(ct, x)) : mul(ct, x)) };
    },
  });
  expect(checkOp(moody, [[x, x]]).faults.map((f) => f.law)).toContain("alone = together");
});
