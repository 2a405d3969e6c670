import { spawn } from "node:child_process";
import { expect, test } from "vitest";
import { root, verdicts } from "./verdicts.ts";

/** Answers of the tool to lines, each awaited before the next is sent. */
async function talk(lines: readonly string[]): Promise<{ answers: Record<string, unknown>[]; code: number | null }> {
  const tool = spawn(process.execPath, ["bench/gradbench/tool.js"], { cwd: root, stdio: ["pipe", "pipe", "inherit"] });
  let text = "";
  tool.stdout.setEncoding("utf8").on("data", (chunk: string) => (text += chunk));
  for (const line of lines) tool.stdin.write(`${line}\n`);
  tool.stdin.end();
  const code = await new Promise<number | null>((done) => tool.on("close", done));
  return {
    answers: text
      .split("\n")
      .filter((line) => line !== "")
      .map((line) => JSON.parse(line) as Record<string, unknown>),
    code,
  };
}

const goldens: readonly (readonly [string, number])[] = [
  ["hello", 8],
  ["llsq", 8],
  ["lse", 10],
  ["det", 8],
  ["gmm", 8],
  ["ba", 8],
  ["ht", 8],
  ["lstm", 8],
  ["kmeans", 6],
  ["ode", 8],
];

test.each(goldens)("%s gives GradBench's outputs to 1e-9", { timeout: 300_000 }, async (name, count) => {
  const found = await verdicts(name);
  expect(found.filter((v) => !v.valid)).toEqual([]);
  expect(found.length).toBe(count);
});

// The other three orders of differentiation take most of a minute together: gradbench.long.test.ts has them.
test.each([
  ["particle", "fr"],
  ["saddle", "rf"],
])("%s gives GradBench's output to 1e-9, differentiated in one of its four orders: %s", { timeout: 300_000 }, async (name, order) => {
  const found = await verdicts(name, "--function", order);
  expect(found.map((v) => [v.function, v.valid])).toEqual([[order, true]]);
});

test("the tool answers what it cannot do, and goes on", async () => {
  const { answers, code } = await talk([
    '{"id":0,"kind":"start","eval":"lse"}',
    '{"id":1,"kind":"define","module":"lse"}',
    '{"id":2,"kind":"define","module":"no such"}',
    '{"id":3,"kind":"evaluate","module":"lse","function":"hessian","input":{"x":[1]}}',
    '{"id":4,"kind":"evaluate","module":"toString","function":"primal","input":{"x":[1]}}',
    '{"id":5,"kind":"evaluate","module":"lse","function":"primal","input":{"x":[1,2',
    '{"id":6,"kind":"evaluate","module":"lse","function":"primal"}',
    '{"id":7,"kind":"dance"}',
    "[1]",
    "null",
    '{"id":8,"kind":"evaluate","module":"lse","function":"primal","input":{"x":[1e999,-1e999]}}',
    '{"id":9,"kind":"evaluate","module":"gmm","function":"objective","input":{"d":2,"k":1,"n":1,"x":[[1]]}}',
    '{"id":10,"kind":"evaluate","module":"lse","function":"gradient","input":{"x":[0.5,0.5],"min_runs":3,"min_seconds":0}}',
    '{"id":11,"kind":"analysis","of":10,"valid":true}',
  ]);
  expect(code).toBe(0);
  const [start, defined, undefined_, unknown, inherited, truncated, missing, dance, list, nothing, infinite, short, fine, analysis] =
    answers;
  expect(start).toEqual({ id: 0, tool: "chainrule" });
  expect(defined).toEqual({ id: 1, success: true });
  expect(undefined_).toEqual({ id: 2, success: false });
  expect(unknown).toEqual({ id: 3, success: false, error: '"lse" has no function "hessian"; it has primal, gradient' });
  expect(inherited?.["success"]).toBe(false);
  expect(truncated).toMatchObject({ id: null, success: false });
  expect(missing).toMatchObject({ id: 6, success: false });
  expect(dance).toEqual({ id: 7 });
  expect(list).toMatchObject({ id: null, success: false, error: "a message is a JSON object" });
  expect(nothing).toMatchObject({ id: null, success: false });
  expect(infinite).toMatchObject({ id: 8, success: false, error: "the output has NaN, which JSON cannot carry" });
  expect(short).toMatchObject({ id: 9, success: false });
  expect(fine).toMatchObject({ id: 10, success: true, output: [0.5, 0.5] });
  const timings = fine?.["timings"] as { name: string; nanoseconds: number }[];
  expect(timings.map((t) => t.name)).toEqual(["evaluate", "evaluate", "evaluate"]);
  expect(timings.every((t) => Number.isInteger(t.nanoseconds) && t.nanoseconds >= 0)).toBe(true);
  expect(analysis).toEqual({ id: 11 });
});

test("a line of tens of megabytes is one message", async () => {
  const x = Array.from({ length: 1_280_000 }, (_, i) => ((i * 7919) % 10007) / 10007);
  const line = JSON.stringify({ id: 1, kind: "evaluate", module: "lse", function: "gradient", input: { x, min_runs: 1, min_seconds: 0 } });
  expect(line.length).toBeGreaterThan(20_000_000);
  const { answers } = await talk([line, '{"id":2,"kind":"start"}']);
  expect(answers.map((a) => a["id"])).toEqual([1, 2]);
  const output = answers[0]?.["output"] as number[];
  expect(output.length).toBe(x.length);
  expect(output.reduce((a, b) => a + b, 0)).toBeCloseTo(1, 9);
});
