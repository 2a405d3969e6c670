import { describe, expect, test } from "vitest";
import {
  abs,
  add,
  ChainruleError,
  clip,
  constant,
  DTypeError,
  elu,
  exp,
  f64,
  floor,
  GradientError,
  gather,
  greater,
  huber,
  matmul,
  max,
  maximum,
  mul,
  norm,
  type Operand,
  op,
  pow,
  read,
  relu,
  sign,
  sin,
  sort,
  sqrt,
  square,
  sub,
  sum,
  tensor,
  unary,
  type Value,
  where,
} from "../../src/index.ts";
import { checkGradients, type GradientReport } from "../../src/testing.ts";

const verdicts = (report: GradientReport, order?: 1 | 2): string[] =>
  report.rows.filter((row) => order === undefined || row.order === order).map((row) => row.verdict);

/** Ops with a fault each. */
const doubled = unary("planted.doubled", { f: Math.sin, d: ({ x }) => mul(2, sin(sub(Math.PI / 2, x))) });
const nearly = unary("planted.nearly", { f: Math.exp, d: ({ out }) => mul(1 + 1e-5, out) });
const frozen = unary("planted.frozen", { f: Math.exp, d: ({ x }) => Math.exp(read(x)) });
const steepKink = unary("planted.steep", { f: Math.abs, d: ({ x }) => where(greater(x, 0), 1, -5) });
const slantedStep = unary("planted.slanted", { f: (x) => (x > 0 ? 1 : 0), d: () => 3 });
const slantedRelu = unary("planted.relu", { f: (x) => Math.max(0, x), d: ({ x }) => slantedStep(x) });

describe("agreement", () => {
  test("of a right gradient is a pass in both orders, with errors far below the threshold", () => {
    const report = checkGradients(({ x, y }: { x: Value; y: Value }) => mul(exp(x), sin(y)), { x: 0.3, y: -1.2 });
    expect(report.passed).toBe(true);
    expect(report.rows.map(({ path, order, verdict }) => `${path} ${order} ${verdict}`)).toEqual([
      "x 1 pass",
      "x 2 pass",
      "y 1 pass",
      "y 2 pass",
    ]);
    for (const row of report.rows) expect(row.error).toBeLessThan(1e-9);
    expect(report.rows[0]!.analytic).toBeCloseTo(Math.exp(0.3) * Math.sin(-1.2), 12);
  });

  test("is checked in first order alone when asked", () => {
    expect(checkGradients((x: Value) => square(x), 3, { order: 1 }).rows.map((row) => row.order)).toEqual([1]);
  });

  test.each<readonly [string, (x: Value) => Value, number]>([
    ["a wave of length 0.006", (x) => sin(mul(1000, x)), 0.4],
    ["a wave of length 6000", (x) => sin(mul(1e-3, x)), 0.4],
    ["a point at a million", (x) => mul(x, sin(mul(1e-6, x))), 1e6],
    ["a point at a millionth", (x) => exp(mul(1000, x)), 1e-6],
    ["a function a million high", (x) => add(1e6, square(x)), 0.7],
  ])("is found at some step: %s", (_, f, at) => {
    expect(verdicts(checkGradients(f, at))).toEqual(["pass", "pass"]);
  });

  test("takes the step that the differences converge at", () => {
    const steps = [(x: Value) => sin(x), (x: Value) => sin(mul(300, x))].map((f) => checkGradients(f, 1, { order: 1 }).rows[0]!.step);
    expect(steps[1]).toBeLessThan(steps[0]!);
  });
});

describe("a wrong gradient", () => {
  test("fails, and the report names its place", () => {
    const report = checkGradients(({ x, y }: { x: Value; y: Value }) => sum(mul(doubled(x), y)), { x: tensor([1, 2]), y: tensor([3, 4]) });
    expect(report.passed).toBe(false);
    expect(report.rows.filter((row) => row.verdict === "fail" && row.order === 1).map(({ path, index }) => `${path}[${index}]`)).toEqual([
      "x[0]",
      "x[1]",
    ]);
    expect(report.text()).toMatch(/fail {2}order 1 {2}x\[0\] .*\n/);
    expect(report.text()).toMatch(/FAILED: \d+ pass, 0 look, 0 kink, \d+ fail$/);
  });

  test("by a hair is to be looked at, which passes", () => {
    const report = checkGradients((x: Value) => nearly(x), 0.5, { order: 1 });
    expect(verdicts(report)).toEqual(["look"]);
    expect(report.passed).toBe(true);
  });

  test("by a hair fails under thresholds that are tighter", () => {
    expect(verdicts(checkGradients((x: Value) => nearly(x), 0.5, { order: 1, thresholds: { pass: 1e-9, look: 1e-6 } }))).toEqual(["fail"]);
  });

  test("of second order alone fails in second order alone", () => {
    const report = checkGradients((x: Value) => frozen(x), 0.5);
    expect(verdicts(report, 1)).toEqual(["pass"]);
    expect(verdicts(report, 2)).toEqual(["fail"]);
  });

  test("that is not finite fails where the slope is", () => {
    const broken = unary("planted.infinite", { f: (x) => x, d: () => Number.POSITIVE_INFINITY });
    expect(verdicts(checkGradients((x: Value) => broken(x), 1))).toEqual(["fail"]);
  });

  test("is found in one element of many by every direction", () => {
    const worse = op<(x: Operand) => Value, readonly ["x"]>("planted.last", ["x"], {
      type: ({ x }) => x,
      eval: ({ x }) => x.data.slice(),
      vjp: ({ ct, x }) => ({ x: mul(ct, tensor(Float64Array.from({ length: x.type.shape[0]! }, (_, i) => (i === 17 ? 0 : 1)))) }),
    });
    const report = checkGradients((x: Value) => worse(x), tensor(Float64Array.from({ length: 40 }, (_, i) => i)), { order: 1 });
    expect(verdicts(report)).toEqual(["fail", "fail", "fail"]);
  });
});

describe("kinks", () => {
  test.each<readonly [string, (x: Value) => Value, number]>([
    ["abs at 0", (x) => abs(x), 0],
    ["relu at 0", (x) => relu(x), 0],
    ["the square of relu at 0, whose slope has the kink", (x) => square(relu(x)), 0],
    ["a tie of maximum", (x) => maximum(mul(x, x), x), 1],
    ["an edge of clip", (x) => mul(3, clip(x, { min: -1, max: 1 })), 1],
    ["elu at 0", (x) => elu(x, { alpha: 2 }), 0],
    ["the edge of huber", (x) => huber(x, 0), 1],
    ["a step of floor", (x) => floor(x), 2],
    ["a step of sign, with a slope beside it", (x) => add(sign(x), mul(4, x)), 0],
    ["a kink in a large function", (x) => add(1000, mul(relu(x), exp(x))), 0],
  ])("%s is told from a fault in both orders", (_, f, at) => {
    const report = checkGradients(f, at);
    expect(report.passed).toBe(true);
    expect(verdicts(report)).toContain("kink");
    expect(verdicts(report).filter((v) => v !== "kink" && v !== "pass")).toEqual([]);
  });

  test.each<readonly [string, (x: Value) => Value, readonly number[]]>([
    ["ties of max", (x) => max(x), [2, 1, 2]],
    ["ties of sort", (x) => sum(mul(sort(x).values, tensor([1, 10, 100]))), [1, 1, 3]],
    ["the norm of nothing", (x) => norm(x), [0, 0, 0]],
  ])("%s too", (_, f, at) => {
    const report = checkGradients(f, tensor([...at]));
    expect(verdicts(report)).toContain("kink");
    expect(verdicts(report).filter((v) => v !== "kink" && v !== "pass")).toEqual([]);
  });

  test("a slope that lies beside both sides fails at a kink", () => {
    expect(verdicts(checkGradients((x: Value) => steepKink(x), 0, { order: 1 }))).toEqual(["fail"]);
  });

  test("a second derivative that neither side has fails where the gradient jumps", () => {
    const report = checkGradients((x: Value) => slantedRelu(x), 0);
    expect(verdicts(report, 1)).toEqual(["kink"]);
    expect(verdicts(report, 2)).toEqual(["fail"]);
  });

  test("beside the point do not matter", () => {
    expect(verdicts(checkGradients((x: Value) => mul(relu(x), abs(x)), 1e-3))).toEqual(["pass", "pass"]);
    expect(verdicts(checkGradients((x: Value) => clip(square(x), { max: 1 }), 0.999))).toEqual(["pass", "pass"]);
  });

  test("where no slope can be measured, the row is to be looked at", () => {
    expect(verdicts(checkGradients((x: Value) => sqrt(x), 0))).toEqual(["look"]);
    expect(verdicts(checkGradients((x: Value) => pow(x, -1), 0))).toEqual(["look"]);
  });
});

describe("what is given", () => {
  test("small leaves are checked element by element, larger ones along directions of which none spares an element", () => {
    const at = {
      small: tensor([[1, 2]]),
      large: tensor(
        Float64Array.from({ length: 30 }, (_, i) => Math.sin(i)),
        f64(5, 6),
      ),
    };
    const report = checkGradients(({ small, large }: { small: Value; large: Value }) => add(sum(square(small)), sum(exp(large))), at);
    expect(report.passed).toBe(true);
    const places = report.rows.filter((row) => row.order === 1).map(({ path, index, direction }) => ({ path, index, direction }));
    expect(places).toEqual([
      { path: "small", index: [0, 0], direction: null },
      { path: "small", index: [0, 1], direction: null },
      { path: "large", index: null, direction: 0 },
      { path: "large", index: null, direction: 1 },
      { path: "large", index: null, direction: 2 },
    ]);
    expect(report.text()).toContain("large direction 2");
  });

  test("how many elements and directions can be chosen, and a seed gives the same rows", () => {
    const run = (seed: number): GradientReport =>
      checkGradients((x: Value) => sum(exp(x)), tensor([1, 2, 3]), { elements: 2, directions: 5, order: 1, seed });
    expect(run(0).rows.map((row) => row.direction)).toEqual([0, 1, 2, 3, 4]);
    expect(run(7).rows).toEqual(run(7).rows);
    expect(run(7).rows.map((row) => row.analytic)).not.toEqual(run(8).rows.map((row) => row.analytic));
  });

  test("integers ride along", () => {
    const report = checkGradients(({ x, at }: { x: Value; at: Value }) => sum(square(gather(x, at))), {
      x: tensor([1, 2, 3]),
      at: tensor([2, 0, 2], "i32"),
    });
    expect(report.passed).toBe(true);
    expect(new Set(report.rows.map((row) => row.path))).toEqual(new Set(["x"]));
    expect(report.rows.filter((row) => row.order === 1).map((row) => row.analytic)).toEqual([2, 0, 12]);
  });

  test("a result that is no scalar is weighted, so that a fault in one element is seen", () => {
    const w = tensor([
      [1, -2],
      [0.5, 3],
    ]);
    expect(checkGradients((x: Value) => matmul(w, x), tensor([1, 2])).passed).toBe(true);
    expect(checkGradients((x: Value) => doubled(x), tensor([1, 2])).passed).toBe(false);
  });

  test("a record with a loss is a loss", () => {
    expect(checkGradients((x: Value) => ({ loss: square(x), other: greater(x, 0) }), 3).rows[0]!.analytic).toBe(6);
  });

  test("leaves of no elements have no rows", () => {
    expect(
      checkGradients(({ x, y }: { x: Value; y: Value }) => add(sum(x), y), { x: tensor([]), y: 1 }).rows.map((row) => row.path),
    ).toEqual(["y", "y"]);
  });

  test("f32 leaves are widened, so that differences are exact enough", () => {
    const report = checkGradients((x: Value) => sum(exp(x)), tensor([0.5, 1], "f32"));
    expect(verdicts(report)).toEqual(["pass", "pass", "pass", "pass"]);
    expect(report.rows[0]!.error).toBeLessThan(1e-9);
  });

  test("a function that holds f32 itself is checked in f32, with wider thresholds and first order alone", () => {
    const w = tensor([1.5, -2, 0.25], "f32");
    const report = checkGradients((x: Value) => sum(mul(exp(x), w)), tensor([0.5, 1, -0.5], "f32"));
    expect(verdicts(report)).toEqual(["pass", "pass", "pass"]);
    expect(report.rows.every((row) => row.order === 1 && row.error > 1e-12 && row.error < 1e-3)).toBe(true);
    expect(checkGradients((x: Value) => sum(mul(doubled(x), w)), tensor([0.5, 1, -0.5], "f32")).passed).toBe(false);
    const kinked = checkGradients((x: Value) => sum(mul(relu(x), w)), tensor([0, 1, -0.5], "f32"));
    expect(verdicts(kinked)).toEqual(["kink", "pass", "pass"]);
  });
});

describe("errors", () => {
  test.each<readonly [string, () => unknown]>([
    [
      "checkGradients: there is nothing to differentiate; the leaves are i32[2]",
      () => checkGradients((x: Value) => sum(x), tensor([1, 2], "i32")),
    ],
    ["checkGradients: there is nothing to differentiate; the leaves are none", () => checkGradients(() => constant(1), {})],
    ["checkGradients: x is a type; give data", () => checkGradients((p: { x: Value }) => p.x, { x: f64(2) } as never)],
    [
      "checkGradients: the function returned bool[]; only floating-point values have derivatives",
      () => checkGradients((x: Value) => greater(x, 0), 1),
    ],
    [
      'checkGradients: the function returned no Value; return one, or a record with "loss"',
      () => checkGradients((x: Value) => ({ cost: x }) as never, 1),
    ],
    [
      'checkGradients: the function returned no Value; return one, or a record with "loss"',
      () => checkGradients(() => undefined as never, 1),
    ],
  ])("%s", (message, run) => {
    expect(run).toThrow(GradientError);
    expect(run).toThrow(message);
  });

  test("a function whose dtypes do not fit at all gives its own error", () => {
    const run = (): unknown => checkGradients((x: Value) => mul(x, tensor([1], "i32")), tensor([1], "f32"));
    expect(run).toThrow(DTypeError);
    expect(run).toThrow(ChainruleError);
  });
});
