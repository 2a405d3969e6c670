import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { leftOut, type Page } from "../browser/launch.ts";
import { openStudio, type Studio } from "./open-studio.ts";
import { serious } from "./serious.ts";
import { settled } from "./settled.ts";

type Words = Readonly<Record<string, unknown>>;

/** The tab's words. Their types are the studio's, which is checked by itself. */
async function wordsIn(language: "en" | "ko"): Promise<Words> {
  const module = (await import(fileURLToPath(new URL(`../../studio/graph/words-${language}.ts`, import.meta.url)))) as Record<
    string,
    Words
  >;
  return module[language]!;
}

const en = await wordsIn("en");
const ko = await wordsIn("ko");

let studio: Studio | undefined;
let page: Page;
let faults: string[];

beforeAll(async () => {
  if (leftOut()) return;
  studio = await openStudio();
  await visit("?lang=en");
});

afterAll(async () => {
  await studio?.close();
});

async function visit(at: string, viewport = { width: 1440, height: 860 }): Promise<void> {
  if (page !== undefined) await page.close();
  ({ page, faults } = await studio!.visit({ at, viewport }));
  await page.waitForFunction(() => document.querySelector(".cr-item") !== null);
}

const text = async (selector: string): Promise<string> => {
  await settled(page);
  return page.evaluate((s) => document.querySelector(s)?.textContent ?? "", selector);
};
const count = async (selector: string): Promise<number> => {
  await settled(page);
  return page.evaluate((s) => document.querySelectorAll(s).length, selector);
};
const press = async (...keys: string[]): Promise<void> => {
  for (const key of keys) await page.keyboard.press(key);
  await settled(page);
};
const focused = (): Promise<string> =>
  page.evaluate(() => document.activeElement?.getAttribute("aria-label") ?? document.activeElement?.id ?? "");

describe.skipIf(leftOut())("with the keyboard alone", () => {
  test("Tab leads to the picture, keys step in it, arrows go along the wires, Enter chooses, c checks", async () => {
    await page.click("#example-product");
    for (
      let i = 0;
      i < 60 && !(await page.evaluate(() => document.activeElement?.closest(".cr") !== null && document.activeElement !== document.body));
      i++
    )
      await press("Tab");
    expect(await focused()).toMatch(/^f: /);
    await press("ArrowLeft");
    expect(await focused()).toContain("× to f");
    await press("ArrowLeft", "ArrowLeft");
    expect(await focused()).toContain("+ to ×");
    await press("ArrowDown");
    expect(await focused()).toContain("z to ×");
    await press("ArrowLeft");
    expect(await focused()).toMatch(/^z: variable/);
    await press("b", ".");
    expect(await text("#step-card h2")).toContain("Backward 2/3");
    expect(await text("#say")).toContain("gradient to z is 3 times 1 = 3");
    await press(",");
    expect(await text("#step-card h2")).toContain("Backward 1/3");
    await press("End");
    expect(await text("#step-card h2")).toContain("Backward 3/3");
    await press("Enter");
    expect(await text("#node-name")).toContain("z");
    await press("c");
    await page.waitForFunction(() => document.querySelector("#check-table td.verdict") !== null);
    expect(await text("#check-table td.verdict")).toContain("pass");
    await press("e");
    expect(await focused()).toBe("value of z");
    // A number that becomes a list gets another kind of box, and the writing goes on in it; and back.
    for (const written of ["[1, 2]", "-4"]) {
      await press("Control+a");
      for (const key of written) await press(key);
      expect(await page.evaluate(() => (document.activeElement as HTMLInputElement).value)).toBe(written);
      expect(await focused()).toBe("value of z");
    }
    // The keyboard may be set to Hangul: the key of b gives ㅠ then.
    await page.focus(".cr [tabindex='0']");
    await page.evaluate(() =>
      document.activeElement!.dispatchEvent(new KeyboardEvent("keydown", { key: "ㅠ", code: "KeyB", bubbles: true, cancelable: true })),
    );
    expect(await text("#step-card h2")).toContain("Backward 1/3");
    await press("End");
  });

  test("letters are the reader's in the formula, and nothing acts while a syllable is composed", async () => {
    const before = await text("#step-card h2");
    await page.focus("#formula");
    await press("End", " ");
    expect(await text("#step-card h2")).not.toBe("");
    await page.click("#example-product");
    await page.click("#last");
    const end = await text("#step-card h2");
    expect(before).toBe(end);
    await page.focus(".cr [tabindex='0']");
    await page.evaluate(() => {
      for (const key of [",", "Enter", "Home", " "])
        document.activeElement!.dispatchEvent(new KeyboardEvent("keydown", { key, isComposing: true, bubbles: true, cancelable: true }));
    });
    expect(await text("#step-card h2")).toBe(end);
  });

  test("the palette finds examples and nodes, the help lists the keys, Escape goes back to where one was", async () => {
    await page.focus(".cr [tabindex='0']");
    const at = await focused();
    await press("?");
    await page.waitForFunction(() => document.querySelector("#help") !== null);
    expect(await text("#help")).toContain("next step");
    await press("Escape");
    await page.waitForFunction(() => document.querySelector("dialog") === null);
    expect(await focused()).toBe(at);
    await press("/");
    await page.waitForFunction(() => document.querySelector("#palette input") === document.activeElement);
    for (const letter of "lstm") await press(letter);
    await press("Enter");
    await page.waitForFunction(() => (document.querySelector("#formula") as HTMLTextAreaElement).value.includes("tanh(c1)"));
    await press("Control+k");
    await page.waitForFunction(() => document.querySelector("#palette input") === document.activeElement);
    await page.fill("#palette input", "c1");
    await press("Enter");
    await page.waitForFunction(() => document.querySelector("#node-name")?.textContent?.includes("c1") === true);
  });
});

describe.skipIf(leftOut())("steps of every size", () => {
  test("by edge one operand at a time, by module a line at a time, by pass all at once", async () => {
    await page.click("#example-product");
    await page.click("#grain-edge");
    await page.click("#backward");
    await page.click("#next");
    expect(await count("#step-card .flow")).toBe(1);
    expect(await page.evaluate(() => document.querySelectorAll(".cr-downstream").length)).toBe(1);
    await page.click("#next");
    expect(await count("#step-card .flow")).toBe(2);
    await page.click("#example-lstm");
    await page.click("#grain-module");
    expect(await page.evaluate(() => document.querySelectorAll(".chip").length)).toBeLessThan(24);
    await page.click("#grain-all");
    expect(await page.evaluate(() => document.querySelectorAll(".chip").length)).toBe(2);
    await page.click("#grain-node");
  });

  test("a module opens and closes, and the walk stays where it is", async () => {
    await page.click("#example-hinge");
    await page.click("#last");
    expect(await text(".cr-module .cr-label")).toContain("hinge");
    await page.dblclick(".cr-module .cr-label");
    await page.waitForFunction(() => document.querySelectorAll(".cr-group").length === 1);
    expect(await page.evaluate(() => document.querySelector("#next")!.getAttribute("aria-disabled"))).toBe("true");
  });

  test("predicting: a wrong answer gets a hint, a right one the gradient", async () => {
    await page.click("#example-product");
    await page.click("#quiz");
    await page.click("#backward");
    await page.click("#next");
    await page.fill("#answer", "99");
    await press("Enter");
    expect(await text("#quiz-card .wrong")).toContain("local gradient is −4.00");
    await page.fill("#answer", "-4");
    await press("Enter");
    expect(await text("#quiz-card .right")).toContain("Right");
    // The form has gone; the focus is where the next question is asked for.
    expect(await page.evaluate(() => document.activeElement?.id)).toBe("next");
    expect(await count("#step-card .flow")).toBe(1);
    await page.click("#quiz");
  });

  test("the address has it all: another page that opens it stands at the same step", async () => {
    await page.click("#example-sigmoid");
    await page.click("#backward");
    await page.click("#next");
    const before = await text("#step-card h2");
    await page.waitForFunction(() => location.hash.length > 40);
    await new Promise((resolve) => setTimeout(resolve, 500));
    const hash = await page.evaluate(() => location.hash);
    expect(faults).toEqual([]);
    await visit(`?lang=en${hash}`);
    expect(await text("#step-card h2")).toBe(before);
  });
});

describe.skipIf(leftOut())("understanding", () => {
  test("every question has an answer, about any node", async () => {
    await page.click("#example-twoLayer");
    await page.click("#last");
    await page.focus(".cr [tabindex='0']");
    await press("ArrowLeft", "ArrowLeft", "ArrowLeft", "Enter");
    for (const about of ["why", "paths", "checkOne", "checkAll", "firstBad", "kinks", "health", "latex", "markdown"]) {
      await page.click(`#ask-${about}`);
      await page.waitForFunction(() => document.querySelector("#answer-text") !== null);
      expect((await text("#answer-text")).length, about).toBeGreaterThan(20);
      expect(await page.evaluate(() => document.querySelector("#answer-text .wrong")?.textContent ?? ""), about).toBe("");
    }
    await page.fill("#formula", "log(a) * 0 + c");
    await page.fill("#value-a", "0");
    await page.click("#ask-firstBad");
    await page.waitForFunction(() => document.querySelector("#answer-text pre") !== null);
    expect(await text("#answer-text pre")).toMatch(/log/);
  });
});

describe.skipIf(leftOut())("for everybody", () => {
  test("axe-core finds nothing serious: at a step, with table and answers, in dark, in dialogs", async () => {
    await page.click("#example-twoLayer");
    await page.click("#backward");
    await page.click("#next");
    await page.click("#show-table");
    await page.click("#ask-checkAll");
    await page.waitForFunction(() => document.querySelector("#check-table") !== null);
    expect(await serious(page)).toEqual([]);
    await page.click("#open-help");
    await page.waitForFunction(() => document.querySelector("#help") !== null);
    expect(await serious(page)).toEqual([]);
    await press("Escape");
    for (const theme of ["dark", "colour-blind", "colour-blind dark"]) {
      await page.evaluate((name) => {
        const select = document.querySelector("#theme") as HTMLSelectElement;
        select.value = name;
        select.dispatchEvent(new Event("change", { bubbles: true }));
      }, theme);
      await page.click("#next");
      expect(await serious(page, { colours: true }), theme).toEqual([]);
    }
  });

  test("in Korean, on a phone: the words, the live sentence, the panels of the sheet", async () => {
    await visit("?lang=ko", { width: 390, height: 780 });
    expect(await page.evaluate(() => document.documentElement.lang)).toBe("ko");
    await page.click("#next");
    expect(await text("#step-card h2")).toContain(ko["backward"]);
    expect(await text("#say")).toMatch(/역전파 3단계 중 1단계/);
    // biome-ignore lint/performance/useDomNodeTextContent: text that is hidden on a phone is not what is asked about
    const visible = await page.evaluate(() => document.body.innerText);
    for (const key of ["expression", "variables", "understand", "quiz"] as const) expect(visible).not.toContain(en[key]);
    expect(await serious(page)).toEqual([]);
    for (const n of [1, 3, 4]) {
      await page.click(`.sheet-tabs button:nth-child(${n})`);
      expect(await serious(page)).toEqual([]);
    }
    expect(await text("#trace-table caption")).toBe(ko["tableCaption"]);
    // A question is asked where it can be seen, whichever panel is open.
    await page.click("#quiz");
    await page.click("#next");
    await page.waitForFunction(() => document.activeElement?.id === "answer");
    expect(await page.evaluate(() => document.querySelector("#answer")!.getBoundingClientRect().height)).toBeGreaterThan(20);
    expect(await page.evaluate(() => document.documentElement.scrollWidth <= innerWidth)).toBe(true);
  });

  test("at 400 % everything is still there, one under the other", async () => {
    await visit("?lang=en", { width: 320, height: 256 });
    expect(await page.evaluate(() => document.documentElement.scrollWidth <= innerWidth + 1)).toBe(true);
    for (const id of ["formula", "next", "understand", "step-card"])
      expect(await page.evaluate((name) => document.getElementById(name)!.getBoundingClientRect().width > 0, id), id).toBe(true);
    expect(faults).toEqual([]);
  });
});

test("both languages say the same things", () => {
  expect(Object.keys(ko).sort()).toEqual(Object.keys(en).sort());
  for (const [key, value] of Object.entries(en)) {
    const other = ko[key];
    expect(typeof other, key).toBe(typeof value);
    if (typeof value === "function") expect((other as { length: number }).length, key).toBe((value as { length: number }).length);
  }
});
