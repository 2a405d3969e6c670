import { expect, test } from "vitest";
import { runCli } from "./run-cli.ts";

test("why with a variable names the gate and puts a caret under it", async () => {
  const { code, out } = await runCli(["why", "relu(x) * y", "x", "x=-2", "y=5"]);
  expect(code).toBe(0);
  expect(out).toContain("df/dx is 0\n  1  q1 = relu: relu is off");
  expect(out).toContain("it stopped 100 % of what arrived (L1 norm 5)");
  expect(out).toContain("relu(x) * y\n         ^^^^^^^");
  expect((await runCli(["why", "relu(x) * y", "x", "x=-2", "y=5", "--lang", "ko"])).out).toContain("relu가 꺼져 있습니다");
  expect((await runCli(["why", "relu(x) * y", "x", "x=-2", "y=5", "--markdown"])).out).toContain("| 1 | q1 = relu |");
  expect((await runCli(["why", "relu(x) * y", "x", "x=-2", "y=5", "--latex"])).out).toContain("\\begin{description}");
  const json = JSON.parse((await runCli(["why", "sum(relu(x))", "x", "x=[-2,3]", "--element", "0", "--json"])).out) as {
    finding: { gates: object[] };
  };
  expect(json.finding.gates[0]).toMatchObject({ cause: "reluOff", source: "relu(x)" });
});

test("why without a variable finds the first bad value, or says that there is none", async () => {
  expect((await runCli(["why", "where(x > 0, log(x), x)", "x=0"])).out).toContain("use the double where");
  expect((await runCli(["why", "x * 2", "x=0"])).out).toBe("every value and every gradient is finite\n");
  expect((await runCli(["why", "x * 2", "x=0", "--lang", "ko"])).out).toBe("모든 값과 기울기가 유한합니다\n");
  expect(JSON.parse((await runCli(["why", "x * 2", "x=0", "--json"])).out)).toEqual({ expression: "x * 2", finding: null });
  expect((await runCli(["why", "log(x)", "x=-1"], { terminal: true })).out).toContain("\u001b[");
});

test("explain --paths spells out the largest paths", async () => {
  const { code, out } = await runCli(["explain", "(x + y) * x", "x=-2", "y=5", "--paths", "x"]);
  expect(code).toBe(0);
  expect(out).toContain("df/dx is a sum over 2 paths from f back to x");
  expect((await runCli(["explain", "(x + y) * x", "x=-2", "y=5", "--paths", "x", "--top", "1", "--markdown"])).out).toContain(
    "| the other 1 |",
  );
  const json = JSON.parse((await runCli(["explain", "sum(x * x)", "x=[1,2]", "--paths", "x", "--element", "1", "--json"])).out) as object;
  expect(json).toMatchObject({ expression: "sum(x * x)", count: "2", total: 4 });
});

test.each([
  [["why"], "why needs an expression"],
  [["why", "x*2", "y", "x=1"], "wrt: the expression has no variable y"],
  [["why", "x*2", "x", "x=1", "--element", "a"], "--element is a; it is a whole number, 0 or more"],
  [["why", "x*2", "x", "x=1", "--json", "--latex"], "--json and --latex do not go together; choose one"],
  [["explain", "x*2", "x=1", "--top", "3"], "--top belongs to --paths NAME"],
  [["explain", "x*2", "x=1", "--paths", "x", "--top", "-1"], "--top is -1; it is a whole number, 0 or more"],
])("%j is one message", async (args, message) => {
  const { code, err } = await runCli(args);
  expect(code).toBe(2);
  expect(err).toContain(message);
});
