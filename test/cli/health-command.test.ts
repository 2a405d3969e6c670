import { expect, test } from "vitest";
import { runCli } from "./run-cli.ts";

const dead = ["health", "sum(relu(x @ w))", "x=[[1,2],[3,4]]", "w=[[-1,1],[-1,0]]", "--wrt", "w"];

test("health says what is out of order, and the exit code with it", async () => {
  const off = await runCli([...dead, "--wrt=w"].slice(0, -1));
  expect(off.code).toBe(0); // half of the units, and the limit is more than half
  const all = await runCli(["health", "sum(relu(x @ w))", "x=[[1,2],[3,4]]", "w=[[-1,-1],[-1,0]]", "--wrt", "w"]);
  expect([all.code, all.err]).toEqual([1, ""]);
  expect(all.out).toContain("100% of its 2 units are off for every one of the 2 samples");
  expect((await runCli(["health", "sum(relu(x @ w))", "x=[[1,2],[3,4]]", "w=[[-1,-1],[-1,0]]", "--lang", "ko"])).out).toContain(
    "꺼져 있습니다",
  );
  expect((await runCli([...dead, "--markdown"])).out).toContain("## Health");
  expect((await runCli(dead, { terminal: true })).out).toContain("\u001b[");
});

test("health --json has the documented shape", async () => {
  const { out } = await runCli([...dead, "--rate", "0.1", "--json"]);
  const made = JSON.parse(out) as { parameters: object[]; findings: object[] };
  expect(Object.keys(made)).toEqual(["expression", "healthy", "findings", "parameters", "layers"]);
  expect(Object.keys(made.parameters[0]!)).toEqual(["name", "type", "weightRms", "gradientRms", "ratio", "rate"]);
  const kink = JSON.parse((await runCli(["health", "relu(x)", "x=0", "--json", "--convention", "jax"])).out) as { findings: object[] };
  expect(Object.keys(kink.findings[0]!)).toEqual(["rule", "level", "subject", "scope", "measured", "limit", "sentence"]);
});

test.each([
  [["--rate", "fast"], "--rate fast is no number above 0"],
  [["--rate", "0"], "--rate 0 is no number above 0"],
  [["--convention", "tf"], "--convention tf is not there; pytorch and jax are"],
  [["--json", "--markdown"], "--json and --markdown do not go together"],
  [["--lang", "fr"], "--lang fr is not there"],
] as const)("%j is one clear error", async (words, message) => {
  const { code, out, err } = await runCli([...dead, ...words]);
  expect([code, out]).toEqual([2, ""]);
  expect(err).toContain(message);
});
