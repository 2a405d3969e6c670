import { afterAll, beforeAll, describe, expect, test } from "vitest";
import {
  compileExpression,
  evaluate,
  explain,
  firstBad,
  gradients,
  health,
  type Language,
  paths,
  steps,
  tensor,
  type Value,
  variable,
  why,
} from "../../src/index.ts";
import { packState } from "../../studio/state/address.ts";
import { defaultState } from "../../studio/state/slices.ts";
import { leftOut, type Page } from "../browser/launch.ts";
import { openStudio, type Studio } from "./open-studio.ts";
import { settled } from "./settled.ts";

let studio: Studio;
let page: Page;
let faults: string[];

/** Opens a formula at values, and shows both passes to their end. */
async function at(formula: string, values: Readonly<Record<string, string>>, language: Language = "en"): Promise<void> {
  await page?.close();
  const state = await packState({ ...defaultState, graph: { ...defaultState.graph, formula, values, depth: -1 } });
  ({ page, faults } = await studio.visit({ at: `?lang=${language}#${state}`, viewport: { width: 1440, height: 860 } }));
  await page.waitForFunction(() => document.querySelector(".cr-item") !== null);
  await page.click("#last");
  await page.click("#fit");
  await settled(page);
}

/** The same graph as the library makes it. */
function made(formula: string, values: Readonly<Record<string, string>>): { readonly f: Value; readonly x: Record<string, Value> } {
  const compiled = compileExpression(formula);
  const x = Object.fromEntries(compiled.variables.map((name) => [name, variable(tensor(JSON.parse(values[name]!) as number), name)]));
  return { f: compiled(x), x };
}

/** Clicks a question and gives what stands below it. */
async function asked(about: string): Promise<string> {
  await page.click(`#ask-${about}`);
  await page.waitForFunction(
    (id) => document.querySelector(`#${id}`)?.getAttribute("aria-pressed") === "true" && document.querySelector("#answer-text") !== null,
    `ask-${about}`,
  );
  await settled(page);
  return page.evaluate(() => document.querySelector("#answer-text > pre, #answer-text > p")?.textContent ?? "");
}

/** Name, analytic and numeric gradient, and verdict of each line of a check. */
async function check(about: "checkOne" | "checkAll"): Promise<{ name: string; analytic: number; numeric: number; verdict: string }[]> {
  await page.click(`#ask-${about}`);
  await page.waitForFunction(
    (id) => document.querySelector(`#${id}`)?.getAttribute("aria-pressed") === "true" && document.querySelector("#answer-text") !== null,
    `ask-${about}`,
  );
  await settled(page);
  return page.evaluate(() =>
    [...document.querySelectorAll("#check-table tbody tr")].map((row) => {
      const [name, analytic, numeric, , verdict] = [...row.children].map((cell) => cell.textContent ?? "");
      return { name: name!, analytic: Number(analytic), numeric: Number(numeric), verdict: verdict! };
    }),
  );
}

/** The names that screen readers hear of all wires. */
const wires = (): Promise<string[]> =>
  page.evaluate(() =>
    [...document.querySelectorAll(".cr-wires > [data-wire]")]
      .sort((a, b) => Number(a.getAttribute("data-wire")) - Number(b.getAttribute("data-wire")))
      .map((wire) => wire.getAttribute("aria-label") ?? ""),
  );

async function chooseWire(index: number): Promise<void> {
  await page.click(`.cr-wires > [data-wire="${index}"] .cr-value`);
  await settled(page);
}

async function chooseItem(label: string): Promise<void> {
  const index = await page.evaluate(
    (wanted) =>
      [...document.querySelectorAll(".cr-item")]
        .find((item) => item.querySelector(".cr-label")?.textContent === wanted)
        ?.getAttribute("data-item"),
    label,
  );
  await page.click(`.cr-item[data-item="${index}"] .cr-label`);
  await settled(page);
}

describe.skipIf(leftOut())("the check of one gradient", () => {
  beforeAll(async () => {
    studio ??= await openStudio();
  });

  /** What each operand's gate sends it, in the order of the wires of the whole graph. */
  function contributions(f: Value): Map<string, readonly number[]> {
    const found = new Map<string, readonly number[]>();
    for (const step of steps(f).backward())
      if (step.kind === "gate")
        for (const flow of step.flows) found.set(`${step.node.serial} ${flow.slot}`, [...(flow.contribution.data as Iterable<number>)]);
    return found;
  }

  test.each([
    ["x * x", "f = x * x", { x: "-2" }],
    ["branches of one variable", "f = x * x + 3 * x - exp(x * y)", { x: "0.5", y: "-1.5" }],
    ["a branch in the middle", "q = x + y\nf = q * q * x", { x: "-2", y: "5" }],
    ["tensors that branch", "f = sum(x * x + x @ w)", { x: "[[1, 2], [3, -1]]", w: "[[0.5, -1], [2, 1.5]]" }],
    ["a stretched operand", "f = sum((x + b) * x)", { x: "[[1, 2], [3, -1]]", b: "[0.5, -2]" }],
  ])("of a wire is of that wire alone: %s", async (_, formula, values) => {
    await at(formula, values);
    const { f } = made(formula, values);
    const expected = [...contributions(f).values()].map((list) => list.map((x) => Number(x.toPrecision(6))).join());
    const names = await wires();
    const found: string[] = [];
    for (let i = 0; i < names.length; i++) {
      await chooseWire(i);
      const rows = await check("checkOne");
      for (const { analytic, numeric, verdict } of rows) {
        expect(verdict, `${names[i]} ${analytic} ${numeric}`).toContain("pass");
        expect(Math.abs(analytic - numeric)).toBeLessThan(1e-5 * Math.max(1, Math.abs(analytic)));
      }
      if (rows.length > 0) found.push(rows.map(({ analytic }) => analytic).join());
    }
    // One wire is that to the name of the end, whose gradient is 1; those of constants need none, and the page says so.
    expect([...found].sort()).toEqual([...expected, "1"].sort());
    expect(faults).toEqual([]);
  });

  test("of a node is of the sum over its branches, and the panel tells both", async () => {
    await at("f = x * x + 3 * x", { x: "-2" });
    await chooseItem("x");
    expect((await check("checkOne")).map(({ name, analytic }) => [name, analytic])).toEqual([["x", -1]]);
    const names = await wires();
    const three = names.findIndex(
      (name, i) => name.startsWith("x to") && names.slice(0, i).filter((n) => n.startsWith("x to")).length === 2,
    );
    await chooseWire(three);
    expect(await page.textContent("#along-wire")).toBe("3");
    expect((await check("checkOne")).map(({ name, analytic }) => [name, analytic])).toEqual([[expect.stringMatching(/^x → /), 3]]);
  });

  test("of all is of every variable, element by element", async () => {
    const [formula, values] = ["f = sum(relu(W @ x) * 2)", { W: "[[1, -2], [3, 0.5]]", x: "[1, 2]" }] as const;
    await at(formula, values);
    const { f, x } = made(formula, values);
    const slopes = gradients(f, x);
    const expected = Object.values(slopes).flatMap((g) => [...(evaluate(g as Value).data as Iterable<number>)]);
    const rows = await check("checkAll");
    expect(rows.map(({ name }) => name)).toEqual(["W[0,0]", "W[0,1]", "W[1,0]", "W[1,1]", "x[0]", "x[1]"]);
    expect(rows.map(({ analytic }) => analytic)).toEqual(expected);
  });

  test("tells a kink from a fault", async () => {
    await at("f = relu(x) + abs(y)", { x: "0", y: "2" });
    expect((await check("checkAll")).map(({ name, verdict }) => `${name} ${verdict}`)).toEqual([
      expect.stringContaining("x △ kink"),
      expect.stringContaining("y ✓ pass"),
    ]);
  });
});

describe.skipIf(leftOut())("what the library says", () => {
  beforeAll(async () => {
    studio ??= await openStudio();
  });
  const formula = "f = max(x * y, z) + exp(x * 0)";
  const values = { x: "2", y: "-3", z: "-6" };

  test.each(["en", "ko"] as const)("is what the page says of why, paths, kinks, health, LaTeX and Markdown: %s", async (language) => {
    await at(formula, values, language);
    const { f, x } = made(formula, values);
    await chooseItem("x");
    expect(await asked("why")).toBe(why(f, x["x"]!, { language }).text());
    expect(await asked("paths")).toBe(paths(f, x["x"]!, { language }).text());
    const kinks = health(f, { language }).findings.filter(({ rule }) => rule === "kink");
    expect(kinks.length).toBeGreaterThan(0);
    expect(await asked("kinks")).toBe(kinks.map(({ sentence }) => sentence).join("\n"));
    expect(await asked("health")).toBe(health(f, { language, initial: true }).text());
    expect(await asked("latex")).toBe(explain(f, { language }).latex());
    expect(await asked("markdown")).toBe(explain(f, { language }).markdown());
    expect(await asked("firstBad")).toBe(language === "en" ? "All values and gradients are finite." : "모든 값과 기울기가 유한합니다.");
    expect(faults).toEqual([]);
  });

  test("is what the page says of the first bad value, with its place lit in the picture", async () => {
    const [bad, at0] = ["f = log(x) * y + x", { x: "0", y: "1" }] as const;
    await at(bad, at0);
    const { f } = made(bad, at0);
    expect(await asked("firstBad")).toBe(firstBad(f)!.text());
    expect(await page.evaluate(() => document.querySelectorAll(".cr [data-lit]").length)).toBeGreaterThan(0);
  });

  test("is copied by the button, and the button says so", async () => {
    await at(formula, values);
    await page.evaluate(() => {
      Object.defineProperty(navigator, "clipboard", {
        value: { writeText: async (text: string) => void ((window as { copied?: string }).copied = text) },
      });
    });
    const latex = await asked("latex");
    await page.click("#answer-text h3 button");
    await page.waitForFunction(() => document.querySelector("#answer-text h3 button")?.textContent === "Copied");
    expect(await page.evaluate(() => (window as { copied?: string }).copied)).toBe(latex);
    // Another answer has not been copied yet.
    await asked("markdown");
    expect(await page.textContent("#answer-text h3 button")).toBe("Copy");
  });
});

afterAll(() => studio?.close());
