import { describe, expect, test } from "vitest";
import { add, binary, cos, mul, type Operand, op, square, sum, tensor, unary, type Value } from "../../src/index.ts";
import { checkOp } from "../../src/testing.ts";

/*
 * That each law reports its own planted fault is test/laws/planted.test.ts; here is the report itself.
 */

const x = tensor([[0.5, -1.25, 2]]);
const sound = unary("planted.sound", { f: Math.sin, d: ({ x }) => cos(x) });
const dropped = binary("planted.dropped", { f: (a, b) => a * b, d: ({ y }) => ({ x: y, y: null }) });

describe("checkOp", () => {
  test("counts what it checked at every sample", () => {
    const { op: name, passed, checked, faults } = checkOp(sound, [[x], [0.5]]);
    expect({ name, passed, faults }).toEqual({ name: "planted.sound", passed: true, faults: [] });
    expect(checked["vjp = differences"]).toBe(2);
    expect(checked["second derivatives four ways"]).toBe(2);
    expect(checked["lower = eval"]).toBe(0);
  });

  test("names the law and the sample of each fault", () => {
    const report = checkOp(dropped, [
      [0, 0],
      [x, x],
    ]);
    expect(report.passed).toBe(false);
    const first = report.faults.find((f) => f.law === "vjp = differences")!;
    expect(first.sample).toBe(1);
    expect(first.message).toMatch(/^vjp and differences: .* differ by/);
    expect(report.text()).toContain("planted.dropped: FAILED, 2 samples");
    expect(report.text()).toContain("  sample 1, vjp = differences: vjp and differences: ");
  });

  test("takes an error of a rule as a fault, and goes on", () => {
    const angry = unary("planted.angry", {
      f: Math.exp,
      d: () => {
        throw new RangeError("no derivative today");
      },
    });
    const { faults } = checkOp(angry, [[1]]);
    expect(faults.map((f) => f.message)).toContain("RangeError: no derivative today");
    expect(faults.map((f) => f.law)).toContain("vjp = differences");
    expect(faults.map((f) => f.law)).not.toContain("inferred type = evaluated type");
  });

  test("gives the same report for a seed", () => {
    const messages = (seed: number): string => checkOp(dropped, [[x, x]], { seed }).text();
    expect(messages(3)).toBe(messages(3));
    expect(messages(3)).not.toBe(messages(4));
  });

  test("checks attributes, several operands, optional ones and broadcasting", () => {
    type Scaled = (x: Operand, bias?: Operand | null, attrs?: { readonly by?: number }) => Value;
    const scaled = op<Scaled, readonly ["x", "bias?"]>("planted.scaled", ["x", "bias?"], {
      type: ({ x }) => x,
      eval: ({ x, bias, by = 1 }) => x.data.map((v: number, i: number) => by * v + (bias ? bias.data[i % bias.data.length]! : 0)),
      vjp: ({ ct, bias, by = 1 }) => ({ x: mul(ct, by), bias: bias && ct }),
    });
    expect(checkOp(scaled, [[x], [x, null, { by: 3 }], [x, tensor([1, 2, 3]), { by: -2 }], [x, tensor([1])]]).faults).toEqual([]);
  });

  test("of samples at which nothing can be said about derivatives passes on the other laws", () => {
    const report = checkOp(sound, [[Number.NaN]]);
    expect(report.passed).toBe(true);
    expect(report.checked["vjp = differences"]).toBe(0);
    expect(report.checked["inferred type = evaluated type"]).toBe(1);
  });

  test("refuses a call that is not one node of the op", () => {
    const composite = Object.assign((v: Operand): Value => add(square(v), sum(v)), sound);
    expect(() => checkOp(composite, [[x]])).toThrow("the call did not make one node of the op; give it as a function of tensors instead");
  });
});
