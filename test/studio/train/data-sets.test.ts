import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { DataFault, type Files, formulaAt, makeProblem, type Problem } from "../../../studio/train/data-sets.ts";
import { defaultTrain, type TrainState } from "../../../studio/train/state.ts";

const made = (part: Partial<TrainState>, files: Files = {}): Problem => makeProblem({ ...defaultTrain, ...part }, files);
const fault = (part: Partial<TrainState>): string => {
  try {
    made(part);
  } catch (error) {
    if (error instanceof DataFault) return `${error.key}: ${error.detail}`;
    throw error;
  }
  return "none";
};

describe("points on a plane", () => {
  test("are the same for a seed and others for another", () => {
    for (const data of ["circle", "xor", "gauss", "spiral", "moons"] as const) {
      const [a, b, c] = [made({ data }), made({ data }), made({ data, seed: 2 })];
      expect(a).toEqual(b);
      expect(a.train.at).not.toEqual(c.train.at);
      expect(a.train.rows + a.test.rows).toBe(500);
      expect([...a.train.at].every((v) => Math.abs(v) <= 9)).toBe(true);
      const ones = [...a.train.y, ...a.test.y].filter((v) => v === 1).length;
      expect(ones).toBeGreaterThan(200);
      expect(ones).toBeLessThan(300);
    }
  });

  test("of a circle lie inside and outside of it", () => {
    const { train } = made({ data: "circle", noise: 0 });
    train.y.forEach((label, i) => {
      const r = Math.hypot(train.at[2 * i]!, train.at[2 * i + 1]!);
      expect(label === 1 ? r <= 2.5 : r >= 3.5).toBe(true);
    });
  });

  test("of xor are told by the signs", () => {
    const { train } = made({ data: "xor" });
    train.y.forEach((label, i) => {
      expect(label).toBe(train.at[2 * i]! * train.at[2 * i + 1]! > 0 ? 1 : 0);
    });
  });

  test("become the features that were asked for", () => {
    const { train, inputs } = made({ features: ["x1", "x1*x2", "sin(x2)", "sqrt(x1^2+x2^2)"] });
    expect(inputs).toEqual(["x1", "x1*x2", "sin(x2)", "sqrt(x1^2+x2^2)"]);
    for (let i = 0; i < 20; i++) {
      const [a, b] = [train.at[2 * i]!, train.at[2 * i + 1]!];
      const wanted = [a, a * b, Math.sin(b), Math.hypot(a, b)];
      wanted.forEach((v, k) => {
        expect(train.x[4 * i + k]!).toBeCloseTo(v, 4);
      });
    }
  });

  test("that were drawn need two classes and four points", () => {
    expect(fault({ data: "draw" })).toBe("too few: ");
    expect(fault({ data: "draw", drawn: [0, 1, 2, 3].map((x) => [x, x, 0] as const) })).toBe("one class: ");
    const problem = made({ data: "draw", drawn: [0, 1, 2, 3].map((x) => [x, -x, x % 2] as const) });
    expect([problem.train.rows, problem.test.rows]).toEqual([2, 2]);
  });
});

describe("formulas", () => {
  test("of x are curves, of x1 and x2 surfaces", () => {
    expect(formulaAt("sin(x) + x1 / 3", Float64Array.of(0, 3), 1)).toEqual(Float64Array.of(0, Math.sin(3) + 1));
    expect(formulaAt("x1 * x2", Float64Array.of(2, 3, 4, 5), 2)).toEqual(Float64Array.of(6, 20));
    expect(formulaAt("2", Float64Array.of(1, 2, 3), 1)).toEqual(Float64Array.of(2, 2, 2));
    const line = made({ data: "formula", formula: "x^2", features: ["x1", "x2", "sin(x1)"] });
    expect([line.shape, line.task.kind, line.inputs]).toEqual(["line", "number", ["x1", "sin(x1)"]]);
    expect(made({ data: "formula", formula: "max(x1) + x2" }).shape).toBe("plane");
  });

  test("that are none are told why, and nothing of them runs", () => {
    for (const formula of ["", "x +", "y", "fetch(x)", "x; alert(1)", "`${x}`", "x.constructor", "((((", "x".repeat(400), "식 + x"])
      expect(fault({ data: "formula", formula })).toMatch(/^formula: ./);
    expect(fault({ data: "formula", formula: "log(x)" })).toBe("not finite: ");
    expect(fault({ data: "formula", formula: "1 / (x - x)" })).toBe("not finite: ");
  });
});

describe("tables", () => {
  const csv = (lines: readonly string[]): Partial<TrainState> => ({ data: "csv", csv: lines.join("\n") });

  test("of words or few whole numbers last are classes; of other numbers, numbers", () => {
    const words = made(csv(["a,b,kind", "1,2,cat", "2,3,dog", "3,5,cat", "4,1,dog", "5,2,owl", "6,6,owl", "7,7,cat", "8,1,dog"]));
    expect([words.task, words.classes, words.columns]).toEqual([{ kind: "classes", count: 3 }, ["cat", "dog", "owl"], ["a", "b"]]);
    const quoted = made(
      csv(['"a, b","c ""d""",kind', "1,2,cat", "2,3,dog", "3,5,cat", "4,1,dog", "5,2,owl", "6,6,owl", "7,7,cat", "8,1,dog"]),
    );
    expect(quoted.columns).toEqual(["a, b", 'c "d"']);
    const numbers = made(csv(["1;0.5", "2;0.7", "3;1.5", "4;1.1", "5;9.5"]));
    expect([numbers.task.kind, numbers.space]).toEqual(["number", 1]);
    expect(made(csv(["1,0", "2,1", "3,0", "4,1", "5,7", "6,7", "7,1", "8,7", "9,0", "10,1", "11,1", "12,0"])).classes).toEqual([
      "0",
      "1",
      "7",
    ]);
  });

  test("are scaled by the rows to learn from", () => {
    const problem = made(csv(["x,y", ...Array.from({ length: 40 }, (_, i) => `${1000 + i},${0.5 + i * i}`)]));
    const mean = [...problem.train.at].reduce((a, b) => a + b, 0) / problem.train.rows;
    expect(mean).toBeCloseTo(0, 5);
    expect([...problem.train.y].reduce((a, b) => a + b, 0) / problem.train.rows).toBeCloseTo(0, 5);
    const [center, scale] = [problem.center[0]!, problem.scale[0]!];
    expect(problem.train.at[0]! * scale + center).toBeCloseTo(Math.round(problem.train.at[0]! * scale + center), 3);
  });

  test("with a name twice, or names with markup, keep them as text", () => {
    const problem = made(csv(["<img src=x onerror=alert(1)>,a,a", "1,2,p", "2,3,q", "3,1,p", "4,4,q"]));
    expect(problem.columns).toEqual(["<img src=x onerror=alert…", "a"].map((name) => (name.length > 24 ? `${name.slice(0, 23)}…` : name)));
    expect(problem.task.kind).toBe("binary");
  });

  test("that cannot be learnt from are told why", () => {
    expect(fault(csv([""]))).toBe("too few: ");
    expect(fault(csv(["1,2", "3,4"]))).toBe("too few: ");
    expect(fault(csv(["1", "2", "3"]))).toBe("no numbers: ");
    expect(fault(csv(["a,b", "1,2", "1,2,3", "4,5", "5,6"]))).toMatch(/^csv: ./);
    expect(fault(csv(["a,b", "x,2", "1,3", "4,5", "5,6"]))).toMatch(/^csv: ./);
    expect(fault(csv(["a,b", "NaN,2", "1,3", "4,5", "5,6"]))).toMatch(/^(csv|not finite): /);
    expect(fault(csv(["1,p", "2,p", "3,p", "4,p"]))).toBe("one class: ");
    expect(fault(csv(Array.from({ length: 101 }, (_, i) => `${i},n${i}`)))).toBe("too many classes: 101");
  });

  test("of a million columns are refused at once", () => {
    const wide = `${"1,".repeat(1_000_000)}1`;
    expect(() => makeProblem({ ...defaultTrain, data: "csv" }, { csv: `${wide}\n${wide}` })).toThrow("too wide: 1000001");
  });
});

test("digits are read from the project's file", () => {
  const digits = readFileSync(new URL("../../../data/digits.csv", import.meta.url), "utf8");
  const problem = made({ data: "digits", share: 80 }, { digits });
  expect([problem.train.rows, problem.test.rows, problem.space]).toEqual([1438, 359, 64]);
  expect(Math.max(...problem.train.at)).toBe(1);
  expect(new Set(problem.train.y).size).toBe(10);
});
