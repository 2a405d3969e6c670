import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { compileExpression, evaluate, gradients, steps, type Tensor, tellStep, tensor, type Value, variable } from "../../src/index.ts";
import { type Example, examples } from "../../studio/graph/examples.ts";
import { leftOut, type Page } from "../browser/launch.ts";
import { openStudio, type Studio } from "./open-studio.ts";
import { settled } from "./settled.ts";

let studio: Studio;
let page: Page;
let faults: string[];

beforeAll(async () => {
  studio = await openStudio();
  ({ page, faults } = await studio.visit({ viewport: { width: 1440, height: 860 } }));
  await page.waitForFunction(() => document.querySelector(".cr-item") !== null);
});

afterAll(async () => {
  await studio.close();
});

function point({ formula, values }: Example): { readonly f: Value; readonly variables: Record<string, Value> } {
  const compiled = compileExpression(formula);
  const variables = Object.fromEntries(
    compiled.variables.map((name) => {
      const text = values[name]!;
      const whole = text.startsWith("i32 ");
      const given = tensor(JSON.parse(whole ? text.slice(4) : text) as number);
      return [name, variable(whole ? evaluate(compileExpression("cast(t, i32)")({ t: given })) : given, name)];
    }),
  );
  return { f: compiled(variables), variables };
}

const line = (t: Tensor): string => {
  const short = (x: number): string => (t.type.dtype === "bool" ? String(x === 1) : String(Number(x.toPrecision(4))));
  if (t.type.shape.length === 0) return short(t.data[0]!);
  const shown = Array.from(t.data.subarray(0, 12) as ArrayLike<number>, short).join(", ");
  return `${t.type.shape.join("×")} [${shown}${t.data.length > 12 ? ", …" : ""}]`;
};

/** What the table has to say: value, upstream and downstream of every line, from the library's own walk. */
function expected(f: Value): string[] {
  const stepper = steps(f);
  const rows: string[] = [];
  for (const step of stepper.forward()) rows.push(`${line(step.value)}||`);
  for (const step of stepper.backward()) {
    if (step.kind !== "gate") rows.push(`||${line(step.gradient)}`);
    else for (const { text } of tellStep(step, "f").flows) rows.push(`|${text.upstream}|${text.result}`);
  }
  return rows;
}

const shown = (): Promise<string[]> =>
  page.evaluate(() =>
    [...document.querySelectorAll("#trace-table tbody tr")].map((row) => {
      const cells = [...row.querySelectorAll("td")].slice(-4).map((cell) => cell.textContent ?? "");
      return `${cells[0]}|${cells[2]}|${cells[3]}`;
    }),
  );

/** The values that come into each gate of the forward pass. */
const arriving = (f: Value): string[] => [...steps(f).forward()].map(({ operands }) => operands.map(({ value }) => line(value)).join(", "));

/** What the table says of that, without the names. */
const arrived = (): Promise<string[]> =>
  page.evaluate(() =>
    [...document.querySelectorAll("#trace-table tbody tr:has(.fwd:not(:empty))")].map((row) =>
      row.querySelectorAll("td")[2]!.textContent!.replaceAll(/[^\s,]+ = /g, ""),
    ),
  );

describe.skipIf(leftOut())("every example of the lecture", () => {
  for (const example of examples)
    test(`${example.id}: stepped to the end, all numbers are the library's`, async () => {
      const { f, variables } = point(example);
      await page.click(`#example-${example.id}`);
      await page.click("#show-table");
      await page.click("#first");
      const rows = expected(f);
      const count = [...steps(f).forward()].length + [...steps(f).backward()].length;
      await settled(page);
      expect((await shown()).every((row) => /^[·|]*$/.test(row))).toBe(true);
      await page.focus(".cr [tabindex='0']");
      for (let i = 0; i < count; i++) await page.keyboard.press(".");
      await settled(page);
      expect(await shown()).toEqual(rows);
      expect(await arrived()).toEqual(arriving(f));
      expect(await page.evaluate(() => document.querySelector("#next")!.getAttribute("aria-disabled"))).toBe("true");
      // What the panel says of each variable is what the other way to a gradient, the transform, gives.
      const asked = Object.fromEntries(Object.entries(variables).filter(([, v]) => v.type.dtype === "f64"));
      for (const [name, g] of Object.entries(gradients(f, asked))) {
        const text = (await page.evaluate(
          (n) => document.querySelector(`#value-${n}`)!.closest("li")!.querySelector("output")!.textContent,
          name,
        ))!;
        const data = evaluate(g as Value).data as ArrayLike<number>;
        const size = (g as Value).type.shape.length === 0 ? data[0]! : Math.hypot(...Array.from(data));
        const told = Number(text.replace("‖∇‖", "").replaceAll("−", "-"));
        expect(Math.abs(told - size), `${name}: ${text} for ${size}`).toBeLessThanOrEqual(0.006 * Math.max(1, Math.abs(size)));
      }
    });

  test("nothing went wrong on the page", async () => {
    expect(faults).toEqual([]);
  });
});

const text = (selector: string): Promise<string> => page.evaluate((s) => document.querySelector(s)?.textContent ?? "", selector);
const exists = (selector: string): Promise<boolean> => page.evaluate((s) => document.querySelector(s) !== null, selector);

describe.skipIf(leftOut())("the formula box", () => {
  test("follows each key; a fault is told and marked, and the last good graph stays", async () => {
    await page.click("#example-product");
    await page.fill("#formula", "f = (x + y) * z +");
    expect(await text("#formula-fault")).not.toBe("");
    expect(await exists(".stage.stale .cr-item")).toBe(true);
    expect(await exists(".w-wrong")).toBe(true);
    await page.fill("#formula", "f = (x + y) * z + x");
    expect(await text("#formula-fault")).toBe("");
    expect(await exists(".stage.stale")).toBe(false);
    // A graph that takes long follows when the keys have paused.
    await page.waitForSelector(".cr-sum");
    expect(await exists(".stage.stale")).toBe(false);
  });

  test("hostile formulas are refused with a sentence, and harm nothing", async () => {
    const hostile = [
      "((((((((((((((((((((",
      "x".repeat(300),
      "<img src=x onerror=alert(1)>",
      `${"(".repeat(3000)}x${")".repeat(3000)}`,
      Array.from({ length: 6000 }, (_, i) => `x${i}`).join("+"),
      "sum(ones(f64(100000, 100000)))",
      "a = b\nb = a",
      "1/0 + x",
      "sqrt(-x^2 - 1)",
      "가중치 * 입력 + 편향",
      "",
      "\u202e x + y",
      "constructor * __proto__ + toString",
    ];
    for (const formula of hostile) {
      await page.fill("#formula", formula);
      expect(await exists("#formula")).toBe(true);
    }
    // Boxes of a formula whose graph cannot be made yet, as another value is wrong; every object has something of these names.
    await page.fill("#formula", "x * 2");
    await page.fill("#value-x", "oops");
    await page.fill("#formula", "x * constructor + toString");
    await page.waitForSelector("#value-toString");
    await page.fill("#value-x", "1");
    await page.fill("#formula", "가중치 * 입력 + 편향");
    expect(await text("#formula-fault")).toBe("");
    await page.waitForSelector("#value-가중치");
    expect(faults).toEqual([]);
  });
});

describe.skipIf(leftOut())("values", () => {
  test("a slider changes every number and moves nothing; undo takes it back", async () => {
    await page.click("#example-product");
    await page.click("#last");
    const places = (): Promise<string> =>
      page.evaluate(() =>
        [...document.querySelectorAll(".cr .cr-body")].map((e) => `${e.getAttribute("cx")}${e.getAttribute("x")}`).join(),
      );
    const before = await places();
    await page.fill("#value-z", "10");
    await settled(page);
    expect(await text(".cr-wire:last-of-type .cr-value")).not.toBe("");
    expect(await places()).toBe(before);
    const row = (await shown()).at(0);
    expect(row).toBe("3||");
    expect((await shown()).some((r) => r.startsWith("30|"))).toBe(true);
    await page.click("#undo");
    await settled(page);
    expect((await shown()).some((r) => r.startsWith("-12|"))).toBe(true);
  });
});

describe.skipIf(leftOut())("a part of the picture", () => {
  const corner = (selector: string): Promise<string> =>
    page.evaluate((s) => {
      const { left, top } = document.querySelector(s)!.getBoundingClientRect();
      return `${Math.round(left)} ${Math.round(top)}`;
    }, selector);
  const items = (): Promise<number> => page.evaluate(() => document.querySelectorAll(".cr-item").length);

  test("a module opens with a double click, stays where it is, and leads back", async () => {
    await page.click("#example-hinge");
    await page.waitForSelector(".cr-module .cr-body");
    const closed = await corner(".cr-module .cr-body");
    const before = await items();
    await page.dblclick(".cr-module .cr-label");
    await page.waitForFunction(() => document.querySelector(".cr-group rect") !== null);
    expect(await corner(".cr-group rect")).toBe(closed);
    expect(await items()).toBeGreaterThan(before);
  });

  test("Show narrows it to what feeds the chosen item, and widens it again", async () => {
    await page.click("#example-sigmoid");
    await page.waitForSelector(".cr-item .cr-body");
    const all = await items();
    await page.click(".cr-op .cr-label");
    await page.waitForSelector("#reach");
    await page.selectOption("#reach", "feeds");
    await page.waitForFunction((n) => document.querySelectorAll(".cr-item").length < n, all);
    expect(await items()).toBe(3);
    expect(await exists("#node-name")).toBe(true);
    await page.selectOption("#reach", "all");
    await page.waitForFunction((n) => document.querySelectorAll(".cr-item").length === n, all);
  });
});
