import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { writeGraph } from "../../src/data.ts";
import { f32, graph, i32, matmul, mul, sum, tanh } from "../../src/index.ts";
import { runCli } from "./run-cli.ts";

const folder = mkdtempSync(join(tmpdir(), "profile-"));
afterAll(() => rmSync(folder, { recursive: true }));
const file = (name: string): string => join(folder, name);
const formula = ["sum(tanh(x @ w)^2)", "x=[[1,2],[3,4]]", "w=[[1],[2]]", "--rounds", "2"];

test("an expression is timed with its gradients, or its value alone, and drawn", async () => {
  const { out, code } = await runCli(["profile", ...formula, "-o", file("a.svg")]);
  expect(code).toBe(0);
  expect(out).toMatch(/^step +ms +% +predicted/);
  expect(out).toContain("product [2,1] matmul");
  expect(out).toContain(`wrote ${file("a.svg")}\n`);
  expect(readFileSync(file("a.svg"), "utf8")).toContain("cr-heat");
  const whole = JSON.parse((await runCli(["profile", ...formula, "--json"])).out) as { steps: { ops: string[]; reads: number[] }[] };
  const alone = JSON.parse((await runCli(["profile", ...formula, "--json", "--forward"])).out) as typeof whole;
  const products = ({ steps }: typeof whole): number => steps.filter((s) => s.ops.includes("matmul")).length;
  expect([products(whole), products(alone)]).toEqual([3, 1]);
  expect(alone.steps.map((s) => s.reads)).toEqual([[], [0]]);
});

test("a graph file is timed as it is, on made-up numbers where it was given none", async () => {
  const g = graph({ x: f32(4, 3), w: f32(3, 2), n: i32(2) }, ({ x, w, n }) => ({ y: tanh(matmul(x, w)), s: sum(w), m: mul(n, 2) }));
  await writeGraph(file("g.graph"), g);
  const { out, code, err } = await runCli([
    "profile",
    file("g.graph"),
    "n:i32=[1,2]",
    "--rounds",
    "1",
    "--most",
    "1",
    "-o",
    file("g.png"),
    "--lang",
    "ko",
  ]);
  expect([code, err]).toEqual([0, ""]);
  expect(out).toContain("of them not shown");
  expect(readFileSync(file("g.png")).length).toBeGreaterThan(1000);
});

test("what does not fit is told", async () => {
  await writeGraph(
    file("h.graph"),
    graph({ x: f32(4) }, ({ x }) => ({ y: tanh(x) })),
  );
  const said = async (...words: string[]): Promise<string> => (await runCli(["profile", ...words])).err;
  expect(await said(...formula.slice(0, 3), "--rounds", "0")).toContain("--rounds is 0; it is a whole number, 1 or more");
  expect(await said(...formula.slice(0, 3), "-o", "a.pdf")).toContain("profile draws .svg and .png files; a.pdf is neither");
  expect(await said(file("h.graph"), "--forward")).toContain("is timed as it is; leave out --forward");
  expect(await said(file("h.graph"), "--wrt", "x")).toContain("is timed as it is; leave out --wrt");
  expect(await said(file("h.graph"), "z=1")).toContain("has no input z; it has x");
  expect(await said(file("h.graph"), "x=[1,2]")).toContain("input x is f32[4]; f64[2] was given");
});

test("a model is timed as it is", async () => {
  const { out, code } = await runCli(["profile", "test/fixtures/onnx/mlp/model.onnx", "--rounds", "1"]);
  expect([code, out.includes("matmul")]).toEqual([0, true]);
});
