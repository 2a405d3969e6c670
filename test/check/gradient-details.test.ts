import { describe, expect, test } from "vitest";
import {
  add,
  cast,
  matmul,
  mul,
  type Op,
  type Operand,
  op,
  relu,
  sigmoid,
  split,
  square,
  sum,
  tensor,
  topK,
  type Value,
  variable,
} from "../../src/index.ts";
import { checkGradients } from "../../src/testing.ts";

/** Twice the value, with a backward rule that says three times. */
const bad: Op<(x: Operand) => Value> = op("acme.bad", ["x"], {
  type: ({ x }) => x,
  eval: ({ x }) => x.data.map((v: number) => 2 * v),
  vjp: ({ ct }) => ({ x: mul(3, ct) }),
});

const net = ({ w, x }: { w: Value; x: Value }): Value => sum(mul(square(relu(add(matmul(w, x), 0.01))), sigmoid(x)));
const at = {
  w: tensor([
    [1, -2],
    [3, 4],
  ]),
  x: tensor([1, 0.4952]),
};

describe("the details of a gradient check", () => {
  test("judge every op by itself: the one with the wrong rule, and no other", () => {
    const report = checkGradients(({ x }: { x: Value }) => sum(sigmoid(bad(square(x)))), { x: tensor([0.3, -0.5]) });
    expect(report.passed).toBe(false);
    expect(report.details().ops.map((o) => [o.op, o.verdict])).toEqual([
      ["square", "pass"],
      ["acme.bad", "fail"],
      ["sigmoid", "pass"],
      ["sum", "pass"],
    ]);
    const good = checkGradients(net, at).details();
    expect(good.ops.map((o) => o.op)).toEqual(["matmul", "add", "relu", "square", "sigmoid", "mul", "sum"]);
    expect(good.ops.every((o) => o.verdict === "pass" && o.error < 1e-9)).toBe(true);
  });

  test("take a few gates of each op, ops with several results, and gates on a kink", () => {
    let chain: Value = variable(0.5, "x");
    const deep = (v: Value): Value => {
      chain = v;
      for (let i = 0; i < 30; i++) chain = sigmoid(chain);
      return chain;
    };
    expect(checkGradients(deep, 0.5, { order: 1 }).details().ops).toMatchObject([
      { op: "sigmoid", gates: 30, checked: 8, verdict: "pass" },
    ]);
    const parts = (v: Value): Value => {
      const [a, b] = split(v, { axis: 0, sizes: [1, 2] }) as [Value, Value];
      return add(sum(square(a)), sum((topK(b, { k: 1 }) as { values: Value }).values));
    };
    expect(
      checkGradients(parts, tensor([1, 2, 3]))
        .details()
        .ops.map((o) => [o.op, o.verdict]),
    ).toContainEqual(["split", "pass"]);
    expect(checkGradients((v: Value) => sum(relu(v)), tensor([0, 1])).details().ops[0]).toMatchObject({ op: "relu", verdict: "kink" });
  });

  test("sweep the step: truncation falls, rounding rises, and kinks that were crossed are counted", () => {
    const { sweeps } = checkGradients(net, at).details();
    expect(sweeps.map((s) => s.path)).toEqual(["w", "x"]);
    for (const { points } of sweeps) {
      expect(points).toHaveLength(23);
      const error = (step: number): number => points.find((q) => Math.abs(q.step / step - 1) < 1e-9)!.error;
      expect(error(1e-5)).toBeLessThan(1e-8); // what makes happy
      expect(error(1e-12)).toBeGreaterThan(error(1e-5));
      expect(points[0]!.crossings).toBeGreaterThan(0);
      expect(points.filter((q) => q.step < 5e-3).every((q) => q.crossings === 0)).toBe(true);
      // f32 has fewer digits to lose.
      expect(points.every((q) => q.error32 === null || q.step > 1e-6 || q.error32 > q.error)).toBe(true);
    }
  });

  test("compare f32 with f64, where the function computes in f32", () => {
    const { precision } = checkGradients(net, at).details();
    expect(precision!.map((r) => r.path)).toEqual(["w", "x"]);
    for (const { ulps, error } of precision!) {
      expect(ulps).toBeGreaterThan(0);
      expect(ulps).toBeLessThan(32);
      expect(error).toBeLessThan(1e-5);
    }
    expect(checkGradients((v: Value) => sum(mul(cast(v, "f64"), tensor([1, 2]))), tensor([1, 2])).details().precision).toBeNull();
  });
});

test("the report reads in two languages, as text, Markdown and JSON, and text() alone stays short", () => {
  const report = checkGradients(net, at);
  expect(report.text("en")).toContain("By op, each gate by itself");
  expect(report.text("ko")).toContain("연산별");
  expect(report.text().split("\n")).toHaveLength(report.rows.length + 1);
  expect(report.markdown()).toContain("| op | gates | checked | error | verdict |");
  expect(report.markdown("ko")).toContain("| 변수 | 오차 | f32 ulp |");
  const made = JSON.parse(JSON.stringify(report)) as Record<string, Record<string, unknown>[]>;
  expect(Object.keys(made)).toEqual(["passed", "rows", "ops", "sweeps", "precision"]);
  expect(Object.keys(made["ops"]![0]!)).toEqual(["op", "gates", "checked", "error", "verdict"]);
  expect(Object.keys((made["sweeps"]![0]!["points"] as object[])[0]!)).toEqual(["step", "error", "error32", "crossings"]);
  expect(Object.keys(made["precision"]![0]!)).toEqual(["variable", "error", "ulps"]);
});

test("the plot is one SVG without a script, its names escaped, byte-equal twice", () => {
  const hostile = { '<script>"&': tensor([1, 2]), 변수: tensor([0.5]) };
  const f = (p: Record<string, Value>): Value => add(sum(square(p['<script>"&']!)), sum(p["변수"]!));
  const svg = checkGradients(f, hostile).svg({ title: "</title><script>" });
  expect(svg).not.toMatch(/<script/);
  expect(svg).toContain("&lt;script&gt;&quot;&amp;");
  expect(svg).toContain("변수");
  expect(svg).toBe(checkGradients(f, hostile).svg({ title: "</title><script>" }));
  expect(checkGradients(f, hostile).svg({ language: "ko", theme: "dark" })).toContain("상대 오차");
  const many = Object.fromEntries(Array.from({ length: 12 }, (_, i) => [`v${i}`, tensor([i + 1])]));
  expect(
    checkGradients((p: Record<string, Value>) => Object.values(p).reduce((a, b) => add(a, sum(square(b))), variable(0) as Value), many, {
      order: 1,
    }).svg(),
  ).toContain("and 4 more");
});
