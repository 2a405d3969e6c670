import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { readArguments } from "../../src/cli/read-arguments.ts";
import { serializeNpy } from "../../src/data/npy.ts";
import { serializeSafetensors } from "../../src/data/safetensors.ts";
import { tensor } from "../../src/index.ts";
import { runCli as cli } from "./run-cli.ts";

const folder = mkdtempSync(join(tmpdir(), "cli-"));
afterAll(() => rmSync(folder, { recursive: true }));

function file(name: string, content: string | Uint8Array): string {
  writeFileSync(join(folder, name), content);
  return join(folder, name);
}

const lecture = ["(x + y) * z", "x=-2", "y=5", "z=-4"];

test("every option that the help lists is understood, alone and with = before its value", async () => {
  interface Listed {
    readonly name: string;
    readonly options: readonly {
      readonly name: string;
      readonly short: string | null;
      readonly value: string | null;
      readonly about: string;
    }[];
  }
  const { commands } = JSON.parse((await cli(["help", "--json"])).out) as { readonly commands: readonly Listed[] };
  expect(commands.length).toBeGreaterThan(10);
  for (const { name: command, options } of commands) {
    const specs = options.map(({ name, short, value, about }) => ({
      name,
      about,
      ...(short !== null && { short }),
      ...(value !== null && { value }),
    }));
    for (const { name, value } of options) {
      const given = value === null ? true : "v";
      expect(readArguments(value === null ? [`--${name}`] : [`--${name}`, "v"], specs, command).options.get(name)).toBe(given);
      if (value !== null) expect(readArguments([`--${name}=v`], specs, command).options.get(name)).toBe("v");
    }
  }
});

test("explain prints both passes, in either language and in every format", async () => {
  const { code, out, err } = await cli(["explain", ...lecture]);
  expect([code, err]).toEqual([0, ""]);
  expect(out).toContain("f = q1 * z = 3 * (-4) = -12");
  expect(out).toContain("df/dz = local 3 x upstream 1 = 3");
  expect((await cli(["explain", ...lecture, "--lang", "ko"])).out).toContain("역전파");
  expect((await cli(["explain", ...lecture, "--markdown"])).out).toContain("| x | -2 | -4 |");
  expect((await cli(["explain", ...lecture, "--latex"])).out).toContain("\\begin{align*}");
  expect((await cli(["explain", ...lecture, "--wrt", "z"])).out).not.toContain("df/dx");
});

test("explain --json has the documented shape", async () => {
  const { code, out } = await cli(["explain", ...lecture, "--json"]);
  const made = JSON.parse(out) as Record<string, unknown>;
  expect(code).toBe(0);
  expect(Object.keys(made)).toEqual(["expression", "value", "gradients", "steps", "notes"]);
  expect(made).toMatchObject({ expression: "(x + y) * z", value: -12, gradients: { x: -4, y: -4, z: 3 } });
  expect(made["steps"]).toHaveLength(5);
});

test("grad prints value and gradients, as numbers, JSON or formulas", async () => {
  expect((await cli(["grad", "x^2*y", "x=3", "y=2"])).out).toBe("f = 18\ndf/dx = 12\ndf/dy = 9\n");
  expect(JSON.parse((await cli(["grad", "sum(w * [1, 2])", "w=[3,4]", "--json"])).out)).toEqual({ value: 11, gradients: { w: [1, 2] } });
  expect((await cli(["grad", "sin(x)^2", "x=1", "--symbolic"])).out).toBe("df/dx = 2 * sin(x) * cos(x)\n");
  expect(JSON.parse((await cli(["grad", "x*y", "x=nan", "y=-0", "--json"])).out)).toEqual({
    value: "NaN",
    gradients: { x: "-0", y: "NaN" },
  });
  expect(JSON.parse((await cli(["grad", "1/x", "x=0", "--json"])).out)).toEqual({ value: "Infinity", gradients: { x: "-Infinity" } });
  expect((await cli(["grad", "높이^2", "높이=3"])).out).toContain("6");
});

test("values come from files too", async () => {
  const npy = file("v.npy", serializeNpy(tensor([1, 2, 3])));
  const safe = file("v.safetensors", serializeSafetensors({ a: tensor([5]), b: tensor([7, 8]) }));
  const csv = file("v.csv", "p,q\n1,2\n3,4\n");
  expect(JSON.parse((await cli(["grad", "sum(x^2)", `x=@${npy}`, "--json"])).out)).toEqual({ value: 14, gradients: { x: [2, 4, 6] } });
  expect(JSON.parse((await cli(["grad", "sum(x)", `x=@${safe}:b`, "--json"])).out)).toEqual({ value: 15, gradients: { x: [1, 1] } });
  expect(JSON.parse((await cli(["grad", "sum(x)", `x=@${csv}`, "--json"])).out)).toEqual({
    value: 10,
    gradients: {
      x: [
        [1, 1],
        [1, 1],
      ],
    },
  });
  for (const [value, message] of [
    [`x=@${join(folder, "none.npy")}`, "there is no such file"],
    [`x=@${safe}`, "a, b"],
    [`x=@${file("bad.npy", "nonsense")}`, "bad.npy"],
    [`x=@${file("ragged.csv", "1,2\n3\n")}`, "row"],
    [`x=@${file("words.csv", "a,b\n1,x\n")}`, '(b): "x" is not a number; a value has numbers alone: write a number'],
    [`x=@${file("gap.csv", "a,b\n1,\n")}`, "(b) is empty; fill the gap, or leave the row out"],
  ] as const) {
    const { code, out, err } = await cli(["grad", "sum(x)", value]);
    expect([code, out]).toEqual([2, ""]);
    expect(err).toContain(message);
  }
});

test("a batch answers line by line; a line that fails is an error in its place", async () => {
  const lines = [
    '{"expr":"x^2","at":{"x":3}}',
    '{"expr":"x +","at":{"x":1}}',
    "not json",
    '{"expr":"sum(w)","at":{"w":[1,2]}}',
    '{"expr":"x","at":{}}',
  ];
  const { code, out } = await cli(["grad", "--batch", "-"], { stdin: lines.join("\n") });
  const made = out
    .trim()
    .split("\n")
    .map((l) => JSON.parse(l) as { error?: { code: string; message: string; span: unknown } });
  expect(code).toBe(1);
  expect(made).toHaveLength(5);
  expect(made[0]).toEqual({ value: 9, gradients: { x: 6 } });
  expect(made[1]?.error).toMatchObject({ code: "parse", span: { from: 3, to: 3 } });
  expect(made[2]?.error?.code).toBe("parse");
  expect(made[3]).toEqual({ value: 3, gradients: { w: [1, 1] } });
  expect(made[4]?.error?.message).toContain("x has no value");
  expect((await cli(["grad", "--batch", "-"], { stdin: '{"expr":"x^2","at":{"x":3}}\n' })).code).toBe(0);
});

test("check compares with numeric gradients; a kink is no fault", async () => {
  const { code, out } = await cli(["check", "x * sin(y)", "x=2", "y=0.5"]);
  expect(code).toBe(0);
  expect(out).toContain("every gradient agrees");
  const made = JSON.parse((await cli(["check", "max(x, y)", "x=1", "y=1", "--json"])).out) as {
    passed: boolean;
    rows: { variable: string; order: number; verdict: string }[];
  };
  expect(made.passed).toBe(true);
  expect(made.rows.filter((r) => r.order === 1).map((r) => [r.variable, r.verdict])).toEqual([
    ["x", "kink"],
    ["y", "kink"],
  ]);
});

test("check speaks Korean, and does not call agreement what it could not judge", async () => {
  const korean = (await cli(["check", "x * 높이", "x=2", "높이=3", "--lang", "ko"])).out;
  expect(korean.split("\n")[0]).toBe("변수             차수          해석적            수치       오차");
  expect(korean).toContain("모든 기울기가 일치합니다");
  const undecided = await cli(["check", "log(x)", "x=-1"]);
  expect(undecided.code).toBe(0);
  expect(undecided.out).toContain("no gradient is wrong as far as could be seen; look at the row marked so\n");
  expect((await cli(["check", "x", "x=nan", "--lang=ko"])).out).toContain("틀린 기울기는 없는 것 같지만");
});

test("every other --json has the documented shape", async () => {
  const json = async (...args: string[]): Promise<Record<string, unknown>> => JSON.parse((await cli([...args, "--json"])).out) as never;
  const number = expect.any(Number) as number;
  expect(await json("check", "x^2", "x=3")).toEqual({
    expression: "x^2",
    passed: true,
    rows: [1, 2].map((order) => ({
      variable: "x",
      order,
      index: [],
      direction: null,
      analytic: order === 1 ? 6 : number,
      numeric: number,
      error: number,
      verdict: "pass",
      step: number,
    })),
    ops: [{ op: "pow", gates: 1, checked: 1, error: number, verdict: "pass" }],
    sweeps: [
      {
        variable: "x",
        analytic: number,
        points: Array.from({ length: 23 }, () => ({ step: number, error: number, error32: number, crossings: 0 })),
      },
    ],
    precision: [{ variable: "x", error: number, ulps: number }],
  });
  expect(await json("check", "log(x)", "x=-1")).toMatchObject({ passed: true, rows: [{ numeric: "NaN", error: "Infinity" }, {}] });
  expect(await json("check", "sum(w^2)", `w=[${"1,".repeat(20)}1]`)).toMatchObject({
    rows: [{ index: null, direction: 0 }, {}, {}, {}, {}, {}],
  });
  expect(await json("grad", "x^2", "--symbolic")).toEqual({ expression: "x^2", derivatives: { x: "2 * x" } });
  expect(await json("grad", "x^2", "--symbolic", "x=3")).toEqual({
    expression: "x^2",
    derivatives: { x: "2 * x" },
    value: 9,
    gradients: { x: 6 },
  });
  const path = join(folder, "json.svg");
  expect(await json("draw", "x*2", "x=1", "-o", path)).toEqual({ expression: "x*2", format: "svg", file: path });
  expect(await json("draw", "x*2", "x=1")).toEqual({ expression: "x*2", svg: expect.stringContaining("<svg") as string });
  expect(await json("--version")).toEqual({ version: "1.2.3" });
  const { commands } = (await json("help")) as { commands: Record<string, unknown>[] };
  expect(commands.map((c) => c["name"])).toEqual([
    "explain",
    "grad",
    "check",
    "draw",
    "step",
    "health",
    "profile",
    "diff",
    "why",
    "train",
    "predict",
    "finetune",
    "onnx",
    "studio",
  ]);
  for (const command of commands) {
    expect(Object.keys(command)).toEqual(["name", "usage", "summary", "options", "examples"]);
    for (const option of command["options"] as object[]) expect(Object.keys(option)).toEqual(["name", "short", "value", "about"]);
  }
});

test("what fails while it is computed has its place in the expression too", async () => {
  const { code, err } = await cli(["grad", "sum(2 * gather(a, i))", "a=[1,2]", "i:i32=[5]"]);
  expect(code).toBe(2);
  expect(err).toBe(
    "chainrule: gather: indices[0] is 5 and axis 0 of x has size 2; indices are -2..1 (line 1, column 9)\n" +
      "  sum(2 * gather(a, i))\n          ^^^^^^^^^^^^\n",
  );
  const batch = await cli(["grad", "--batch", "-"], { stdin: '{"expr": "sum(x * gather(x, cast(x, i32)))", "at": {"x": [7]}}' });
  expect(JSON.parse(batch.out)).toMatchObject({ error: { code: "domain", span: { from: 8, to: 31 } } });
  expect(batch.out).not.toContain("^");
});

test("a batch line may be any bad input, and the next one is answered", async () => {
  const fine = '{"expr":"x^2","at":{"x":"-0"}}';
  const bad = [
    `{"expr":"${"(".repeat(100_000)}x","at":{"x":1}}`,
    '{"expr":"x","at":{"x":[1,[2]]}}',
    '{"expr":"x","at":{"x":null}}',
    '{"expr":"x","at":{"y":1}}',
    '{"expr":"x","at":{"x":1},"wrt":["y"]}',
    '{"expr":"x","at":{"x":1},"att":{}}',
    '{"expr":"x","expr":"y","at":{"x":1}}',
    "[]",
    "7",
    '{"at":{}}',
    `{"expr":"x","at":{"x":${"[".repeat(5000)}1${"]".repeat(5000)}}}`,
  ];
  const { code, out } = await cli(["grad", "--batch", "-"], { stdin: bad.flatMap((line) => [line, fine]).join("\n") });
  expect(code).toBe(1);
  const lines = out.trimEnd().split("\n");
  expect(lines).toHaveLength(2 * bad.length);
  lines.forEach((line, i) => {
    if (i % 2 === 1) expect(line).toBe('{"value":0,"gradients":{"x":"-0"}}');
    else expect(Object.keys((JSON.parse(line) as { error: object }).error)).toEqual(["code", "message", "span"]);
  });
});

test("draw writes a picture, and nothing half-written", async () => {
  const path = join(folder, "f.svg");
  expect((await cli(["draw", ...lecture, "-o", path])).code).toBe(0);
  expect(readFileSync(path, "utf8")).toContain("−12.00");
  const { code, err } = await cli(["draw", ...lecture, "-o", join(folder, "no", "f.svg")]);
  expect([code, err.includes("there is no such file or folder")]).toEqual([2, true]);
});

test("help, version and colours", async () => {
  expect((await cli(["--version"])).out).toBe("1.2.3\n");
  for (const args of [[], ["--help"], ["help"]]) expect((await cli(args)).out).toContain("Commands");
  for (const name of ["explain", "grad", "check", "draw"]) {
    expect((await cli(["help", name])).out).toContain(`chainrule ${name}`);
    expect((await cli([name, "--help"])).out).toBe((await cli(["help", name])).out);
  }
  expect((await cli(["explain", ...lecture], { terminal: true })).out).toContain("\u001b[");
  expect((await cli(["explain", ...lecture], { terminal: true, env: { NO_COLOR: "1" } })).out).not.toContain("\u001b[");
});

test.each([
  [["frob"], 'unknown command "frob"'],
  [["explan", "x", "x=1"], "did you mean explain?"],
  [["grad", "x", "x=1", "--jsn"], "--jsn"],
  [["grad"], "grad needs an expression"],
  [["grad", "x * y", "x=1"], "y has no value; give it one: y=..."],
  [["grad", "x", "x=1", "z=2"], "the expression has no variable z"],
  [["grad", "x", "x=1", "x=2"], "x"],
  [["grad", "x", "x="], "x"],
  [["grad", "sum(x)", "x=[[1,2],[3]]"], "row"],
  [["grad", "x", "x=[1,2]"], "a gradient starts at one number; write sum(...) or mean(...) around it"],
  [["grad", "x", "x=1", "--wrt", "q"], "wrt: the expression has no variable q"],
  [["grad", "(x", "x=1"], ")"],
  [["grad", "x +", "x=1"], "expected an operand after"],
  [["grad", "foo(x)", "x=1"], 'unknown function "foo"'],
  [["grad", "sgmoid(x)", "x=1"], "sigmoid"],
  [["grad", `${"(".repeat(100_000)}x${")".repeat(100_000)}`, "x=1"], "nested"],
  [["grad", `x${"+x".repeat(50_000)}+`, "x=1"], "line 1"],
  [["explain", "x", "x=1", "--lang", "fr"], "--lang fr is not there; en and ko are"],
  [["explain", "x", "x=1", "--json", "--latex"], "do not go together"],
  [["grad", "a @ b", "a=[1,2]", "b=[1,2,3]"], "the inner sizes 2 and 3 must match"],
  [["grad", "--batch", "/none/there.jsonl"], "there is no such file"],
  [["grad", "--batch"], "--batch needs a value: --batch FILE"],
  [["grad", "--batch", "-", "--symbolic"], "--batch and --symbolic do not go together"],
  [["grad", "x", "x=1", "--batch", "-"], "leave out those on the command line"],
  [["grad", "x", "x=1", "--wrt", "x,x"], "--wrt names x twice"],
  [["grad", "x", "x=1", "--wrt", "x,"], "--wrt has an empty name"],
  [["grad", "x", "x=1", "--json", "--json"], "--json is given twice"],
  [["grad", "x", "x=1", "--json=1"], "--json takes no value"],
  [["--frob"], "unknown option --frob; a command comes first"],
  [["--version", "x"], "--version takes nothing after it"],
  [["help", "grad", "draw"], "help takes one command"],
  [["check", "x", "x=1", "--lang", "de"], "--lang de is not there; en and ko are"],
  [["draw", "x", "x=1", "--theme", "drk"], "did you mean dark?"],
  [["grad", "sum(a + b)", "a=[1,2]", "b=[1,2,3]"], "x is f64[2] and y is f64[3]; aligned at the right, sizes must be equal or 1"],
  [["grad", "sum(a * b)", "a:f32=[1]", "b=[1]"], 'write cast(y, "f32")'],
  [["grad", "sum(cast(a / b, f64) * x)", "a:i32=[1]", "b:i32=[0]", "x=1"], "integer division of 1 by zero"],
  [["grad", "max(a)", "a=[]"], "the largest of nothing is not defined"],
  [["grad", "argMin(a)", "a=[]"], "is not defined"],
  [["grad", "sum(a, axis=3)", "a=[1]"], "axis 3 is out of range for rank 1; axes are -1..0"],
  [["grad", "q = x; q = 2 * x; q", "x=1"], '"q" already has a value'],
  [["grad", "sum(n)", "n:i32=[1]"], "only floating-point numbers have a gradient"],
  [["grad", "x * cast(n, f64)", "x=1", "n:i32=1", "--wrt", "n"], "integers and truth values have no gradient"],
  [["grad", "x)", "x=1"], '")" closes nothing'],
  [["grad", "", "x=1"], "nothing to evaluate"],
  [["grad", "x", "x=[1,[2]]"], "all rows must have one shape"],
  [["grad", "x", "x:f65=1"], "did you mean f64?"],
  [["grad", "x", "3=4"], '"3" is no name of a variable'],
  [["grad", "x", "x"], "is no name=value"],
  [["explain", "x = 3"], "the expression comes first"],
] as [string[], string][])("bad input is one clear message and exit code 2 (%#)", async (args, message) => {
  const { code, out, err } = await cli(args);
  expect([code, out]).toEqual([2, ""]);
  expect(err).toContain(message);
  expect(err.startsWith("chainrule:")).toBe(true);
  expect(err).not.toContain("    at ");
  expect(err.length).toBeLessThan(2000);
});
