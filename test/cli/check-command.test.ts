import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { writeGraph } from "../../src/data.ts";
import { f32, type Graph, graph, square, sum } from "../../src/index.ts";
import { runCli } from "./run-cli.ts";

const folder = mkdtempSync(join(tmpdir(), "check-"));
afterAll(() => rmSync(folder, { recursive: true }));
const call = ["check", "sum(relu(x)^2)", "x=[1,-2]"];

test("check prints rows, ops, step sizes and precision; --brief the rows alone", async () => {
  const { code, out } = await runCli(call);
  expect(code).toBe(0);
  for (const part of [
    "By op, each gate by itself",
    "relu",
    "Plain central differences by step size",
    "1e-12",
    "f32 beside f64",
    "every gradient agrees",
  ])
    expect(out).toContain(part);
  expect((await runCli([...call, "--brief"])).out).not.toContain("By op");
  expect((await runCli([...call, "--lang", "ko"])).out).toContain("간격별 중앙 차분");
  expect((await runCli([...call, "--markdown"])).out).toContain("### By op");
});

test("check --svg writes the plot whole or not at all", async () => {
  const path = join(folder, "plot.svg");
  expect((await runCli([...call, "--svg", path, "--lang", "ko"])).out).toContain(`${path}에 썼습니다`);
  expect(readFileSync(path, "utf8")).toContain("상대 오차");
  const { code, err } = await runCli([...call, "--svg", join(folder, "none", "plot.svg")]);
  expect([code, err.includes("there is no such file or folder")]).toEqual([2, true]);
  expect((await runCli([...call, "--svg", join(folder, "plot.png")])).err).toContain("the plot is written as SVG");
  expect(existsSync(join(folder, "plot.png"))).toBe(false);
  expect((await runCli([...call, "--json", "--markdown"])).err).toContain("--json and --markdown do not go together");
});

test("check takes a graph file", async () => {
  const g = graph({ x: f32(2) }, ({ x }) => ({ loss: sum(square(x)) }));
  await writeGraph(join(folder, "g.graph"), g as unknown as Graph<never, unknown>);
  const { code, out } = await runCli(["check", join(folder, "g.graph"), "x=[1,2]", "--json"]);
  const made = JSON.parse(out) as { passed: boolean; ops: { op: string }[] };
  expect([code, made.passed, made.ops.map((o) => o.op)]).toEqual([0, true, ["square", "sum"]]);
});
