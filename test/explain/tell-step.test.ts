import { describe, expect, test } from "vitest";
import { add, GradientError, matmul, mul, type Step, steps, sum, tellStep, variable } from "../../src/index.ts";

function told(...given: Parameters<typeof steps>): (language?: "en" | "ko") => ReturnType<typeof tellStep>[] {
  const stepper = steps(...given);
  const all: Step[] = [...stepper.forward(), ...stepper.backward()];
  return (language = "en") => all.map((step) => tellStep(step, "f", { language }));
}

describe("a step is told in words and formulas", () => {
  const x = variable(-2, "x");
  const y = variable(5, "y");
  const z = variable(-4, "z");
  const lecture = told(mul(add(x, y), z));

  test("a mul gate: its pattern, its sentence, and local times upstream of each operand", () => {
    const gate = lecture().find(({ op, kind }) => kind === "gate" && op === "mul")!;
    expect(gate.pattern).toBe("switcher");
    expect(gate.sentence).toContain("switcher");
    expect(gate.flows.map(({ text }) => text)).toEqual([
      { local: "-4", upstream: "1", rule: null, result: "-4" },
      { local: "3", upstream: "1", rule: null, result: "3" },
    ]);
    expect(gate.flows[1]!.left).toBe("\\frac{\\partial f}{\\partial z}");
  });

  test("forward steps and the seed as one formula", () => {
    const [first] = lecture();
    expect(first!.lines).toEqual(["q1 = x + y = -2 + 5 = 3"]);
    expect(first!.latex).toBe("q_{1} = x + y = -2 + 5 = 3");
    expect(lecture().find(({ kind }) => kind === "seed")!.latex).toBe("\\frac{\\partial f}{\\partial f} = 1");
  });

  test("a sum over branches", () => {
    const steps = told(mul(x, x))();
    expect(steps.at(-1)).toMatchObject({ kind: "sum", latex: "\\frac{\\partial f}{\\partial x} = (-2) + (-2) = -4" });
  });

  test("a matrix product: the rule with the shape under each factor", () => {
    const w = variable(
      [
        [1, 2, 3],
        [4, 5, 6],
      ],
      "W",
    );
    const a = variable([[1], [2], [3]], "a");
    const gate = told(sum(matmul(w, a)))().find(({ op, kind }) => kind === "gate" && op === "matmul")!;
    expect(gate.flows[0]!.rule).toBe("\\underset{2 \\times 1}{\\mathrm{d}q_{1}}\\;\\underset{1 \\times 3}{a^{\\mathsf T}}");
    expect(gate.flows[0]!.text.rule).toBe("dq1 a^T : [2,1] @ [1,3]");
    expect(gate.flows[0]!.local).toBeNull();
  });

  test("a stretched operand tells which axes its gradient is summed over", () => {
    const b = variable([1, 2], "b");
    const m = variable(
      [
        [1, 2],
        [3, 4],
        [5, 6],
      ],
      "m",
    );
    const gate = told(sum(add(m, b)))().find(({ op, kind }) => kind === "gate" && op === "add")!;
    expect(gate.flows.map(({ summed }) => summed)).toEqual([[], [{ axis: 0, size: 3 }]]);
  });

  test("in Korean; other languages are refused", () => {
    expect(
      lecture("ko")
        .map(({ sentence }) => sentence)
        .join(),
    ).toContain("스위처");
    expect(() => lecture("fr" as "en")).toThrow(GradientError);
    expect(() => lecture("fr" as "en")).toThrow('tellStep: language "fr" is not there; "en" and "ko" are');
  });
});
