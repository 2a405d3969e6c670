import { expect, test } from "vitest";
import { run } from "../../src/cli/run.ts";
import { pressing, runCli } from "./run-cli.ts";

const lecture = ["step", "(x + y) * z", "x=-2", "y=5", "z=-4"];
const counts = (out: string): string[] =>
  out
    .split("\n")
    .filter((line) => /^Step \d/.test(line))
    .map((line) => line.slice(0, 11));

test("lines are commands: next, back, jump, both passes, the end", async () => {
  const { code, out, err } = await runCli(lecture, { stdin: "n\n\nb\nj 5\nf\ng\ne\n3\nq\nn\n" });
  expect([code, err]).toEqual([0, ""]);
  expect(counts(out)).toEqual([0, 1, 2, 1, 5, 0, 3, 5, 3].map((t) => `Step ${t} of 5`));
  expect(out).toContain("q1 = x + y = -2 + 5 = 3");
  expect(out).toContain("df/dx = local 1 x upstream -4 = -4");
  expect(out).not.toContain("\u001b");
});

test("a step that is not there says so and stays", async () => {
  const { out } = await runCli(lecture, { stdin: "b\nj 99\nj -1\nj 1.5\nj\nhop\ne\nn\n" });
  const lines = out.trimEnd().split("\n");
  expect(lines).toContain("this is the start; n goes on");
  expect(lines).toContain("there is no step 99; steps are 0 to 5");
  expect(lines).toContain("a step is a whole number: j 5");
  expect(lines).toContain('"hop" is no command; ? lists them');
  expect(lines.at(-1)).toBe("this is the end, step 5 of 5; b goes back");
});

test("the table has what is known so far", async () => {
  const { out } = await runCli(lecture, { stdin: "n\ns\nj 4\ns\n" });
  expect(out).toContain("x        -2         ·\n");
  expect(out).toContain("f         ·         ·\n");
  expect(out).toContain("z        -4         3\n");
  expect(out).toContain("q1        3        -4\n");
  const branches = await runCli(["step", "x * x", "x=3"], { stdin: "j 3\ns\nj 4\ns\n" });
  expect(branches.out.match(/x {5} *3 +·/g)).toHaveLength(1); // one branch has arrived, and one is missing
  expect(branches.out.match(/x {5} *3 +6/g)).toHaveLength(1);
});

test("--lang ko speaks Korean, --at starts elsewhere, --json prints the whole walk", async () => {
  expect((await runCli([...lecture, "--lang", "ko", "--at", "5"], { stdin: "n\n?\n" })).out).toMatch(
    /5단계 중 5단계[\s\S]*끝입니다[\s\S]*다음 단계/,
  );
  const made = JSON.parse((await runCli([...lecture, "--json"])).out) as { steps: { sentence: string }[] };
  expect(Object.keys(made)).toEqual(["expression", "value", "gradients", "notes", "steps"]);
  expect(made.steps).toHaveLength(5);
  expect(made.steps[0]!.sentence).toBe("Step 1 of 5, forward: q1 = x + y = -2 + 5 = 3");
});

test("in a terminal each key is a step, and the terminal is given back", async () => {
  const { code, out } = await runCli(lecture, {
    terminal: true,
    keys: ["n", "\u001b[C", " ", "\u001b[D", "j", "5", "\r", ".", "?", "9", "9", "\r", "\u0003", "n"],
  });
  expect(code).toBe(0);
  expect(out.startsWith("\u001b[?1049h")).toBe(true);
  expect(out.endsWith("\u001b[?25h\u001b[?1049l")).toBe(true);
  const screens = out.split("\u001b[2J").slice(1);
  const at = screens.map((s) => /Step (\d) of 5/.exec(s)![1]!).join("");
  expect(at).toBe("0123222555555");
  expect(screens[7]).toContain("Step 5 of 5");
  expect(out).toContain("jump to step: 99");
  expect(out).toContain("there is no step 99");
  expect(out).toContain("this is the end, step 5 of 5");
});

test("a terminal that goes away ends the walk and gives the keyboard back once", async () => {
  const keys = pressing(["n"]);
  let out = "";
  const code = await run(lecture, {
    write: (text) => {
      out += text;
    },
    writeError: () => undefined,
    isTerminal: { output: true, error: true },
    env: {},
    readBytes: () => (async function* () {})(),
    version: "1",
    keys: () => keys,
    rows: 12,
  });
  expect([code, keys.closed]).toEqual([0, 1]);
  expect(out).toContain("\u001b[?1049l");
});

test("a long walk shows the numbers around the newest one", async () => {
  const { out } = await runCli(["step", `x${"+x".repeat(60)}`, "x=1", "--at", "50"], { terminal: true, keys: [] });
  expect(out).toMatch(/… \d+-\d+ \/ 61/);
  expect(out).toContain("q50");
  expect(out).not.toMatch(/\bq1\b/);
});

test.each([
  [["--at", "x"], "--at x is no step; write a whole number"],
  [["--at", "9"], "--at: there is no step 9; steps are 0 to 5"],
  [["--lang", "fr"], "--lang fr is not there"],
] as const)("%j is one clear error", async (words, message) => {
  const { code, out, err } = await runCli([...lecture, ...words]);
  expect([code, out]).toEqual([2, ""]);
  expect(err).toContain(message);
});
