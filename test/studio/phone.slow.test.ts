import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { packState } from "../../studio/state/address.ts";
import { defaultState, type Tab, tabs } from "../../studio/state/slices.ts";
import { leftOut, type Page } from "../browser/launch.ts";
import { openStudio, type Studio } from "./open-studio.ts";
import { serious } from "./serious.ts";

/* A phone: what a tab is about stands on top, its buttons below, and one sheet at the bottom has every other panel. */

const phone = { width: 390, height: 844 };

/** What a tab is about, what each panel of its sheet shows, and the buttons that stand between. */
const parts: Readonly<Record<Tab, { readonly stage: string; readonly run: string; readonly panels: Readonly<Record<string, string>> }>> = {
  graph: {
    stage: ".stage",
    run: "#next",
    panels: { formula: "#formula", step: "#step-card", look: "#understand", table: "#trace-table" },
  },
  train: {
    stage: ".map-box",
    run: "#play",
    panels: {
      data: "#data-circle",
      net: ".net-columns",
      learning: "#optimizer",
      curves: ".chart",
      health: ".health table",
      export: "#export-onnx",
    },
  },
  import: { stage: ".import-drop", run: ".sheet-tabs", panels: { file: ".import-kinds", selected: "", learn: "" } },
  code: {
    stage: ".code-editor",
    run: "#code-run",
    panels: { output: "#code-lines", pictures: ".code-pictures img", about: ".code-about" },
  },
};

let studio: Studio;

beforeAll(async () => {
  studio = await openStudio();
});

afterAll(() => studio.close());

async function visit(there: Studio, tab: Tab, language: "en" | "ko", viewport = phone): Promise<{ page: Page; faults: string[] }> {
  const { page, faults } = await there.visit({
    viewport,
    bypassCSP: true,
    at: `?lang=${language}#${await packState({ ...defaultState, tab })}`,
  });
  if (tab === "graph") await page.waitForSelector(".cr-item", { state: "attached" });
  if (tab === "train") await page.waitForSelector("#play:not([disabled])", { timeout: 60_000 });
  if (tab === "code") {
    await page.waitForSelector("#code-run");
    await page.click("#code-run");
    await page.waitForSelector(".code-done", { state: "attached" });
    await page.waitForFunction(() => document.querySelector<HTMLImageElement>(".code-pictures img")?.complete);
  }
  return { page, faults };
}

/** Which of these are to be seen, and how high each stands. */
const heights = (page: Page, selectors: readonly string[]): Promise<number[]> =>
  page.evaluate(
    (wanted) =>
      wanted.map((selector) => {
        const box = document.querySelector(selector)?.getBoundingClientRect();
        return box === undefined || box.width === 0 || box.top >= innerHeight ? 0 : Math.round(box.height);
      }),
    selectors,
  );

describe.skipIf(leftOut()).each(tabs)("the %s tab on a phone", (tab) => {
  const { stage, run, panels } = parts[tab];
  const names = Object.keys(panels);

  test.each(["en", "ko"] as const)(
    "shows one panel at a time below its picture, by finger and by keyboard: %s",
    { timeout: 240_000 },
    async (language) => {
      const { page, faults } = await visit(studio, tab, language);
      for (const name of names) {
        await page.click(`#sheet-${name}`);
        const seen = await heights(page, [stage, run, ...names.map((other) => panels[other] || "#none")]);
        expect(seen[0], `${name}: ${stage}`).toBeGreaterThan(150);
        expect(seen[1], `${name}: ${run}`).toBeGreaterThan(25);
        names.forEach((other, i) => {
          if (panels[other] !== "") expect(seen[i + 2]! > 0, `${other} while ${name} is open`).toBe(other === name);
        });
        // Axe takes seconds a page; the other tabs' own tests have it look at each panel.
        if (language === "ko" && (tab === "train" || tab === "code")) expect(await serious(page), name).toEqual([]);
      }
      // A finger's breadth each, all of them in sight, and the page itself never scrolls.
      const layout = await page.evaluate(() => ({
        wide: document.documentElement.scrollWidth - innerWidth,
        high: document.documentElement.scrollHeight - innerHeight,
        buttons: [...document.querySelectorAll(".sheet-tabs button")].map((button) => {
          const { height, right, bottom } = button.getBoundingClientRect();
          return height >= 44 && right <= innerWidth + 0.5 && bottom <= innerHeight + 0.5 && button.scrollWidth <= button.clientWidth + 1;
        }),
      }));
      expect(layout).toEqual({ wide: 0, high: 0, buttons: Array(names.length + 1).fill(true) });
      // The keyboard alone: the first panel by Enter, and the sheet folded and unfolded by the Space bar.
      await page.focus(`#sheet-${names[0]}`);
      await page.keyboard.press("Enter");
      const pressed = (): Promise<string[]> =>
        page.evaluate(() => [...document.querySelectorAll('.sheet-tabs [aria-pressed="true"]')].map(({ id }) => id));
      expect(await pressed()).toEqual([`sheet-${names[0]}`]);
      const room = async (): Promise<number> =>
        (await heights(page, [tab === "train" ? ".outcome" : tab === "import" ? ".import-main" : stage]))[0]!;
      const open = await room();
      await page.focus("#sheet-fold");
      await page.keyboard.press(" ");
      expect(await pressed()).toEqual([]);
      expect(await page.evaluate(() => document.querySelector("#sheet-fold")!.getAttribute("aria-expanded"))).toBe("false");
      expect(await room()).toBeGreaterThan(open + 100);
      await page.keyboard.press(" ");
      expect(await pressed()).toEqual([`sheet-${names[0]}`]);
      expect(await room()).toBe(open);
      const label = (await page.evaluate(() => document.querySelector("#sheet-fold")!.getAttribute("aria-label")))!;
      expect(/[가-힣]/.test(label)).toBe(language === "ko");
      expect(faults).toEqual([]);
      await page.close();
    },
  );
});

test.skipIf(leftOut())(
  "nothing of the Train tab's buttons is out of sight, nor of the names of colours, in either language",
  { timeout: 120_000 },
  async () => {
    for (const [language, width] of [
      ["en", 390],
      ["ko", 390],
      ["en", 320],
    ] as const) {
      const { page, faults } = await visit(studio, "train", language, { width, height: 844 });
      await page.click("#step-epoch");
      await page.waitForFunction(() => document.querySelector("#epoch")?.textContent === "1");
      const cut = await page.evaluate(() => {
        const found: string[] = [];
        const run = document.querySelector(".run")!;
        if (run.scrollWidth > run.clientWidth + 1) found.push("run");
        for (const element of run.querySelectorAll("button, select, input, p, .field > span")) {
          const { left, right, width: wide } = element.getBoundingClientRect();
          const isText = element.id !== "reset" && element.tagName !== "SELECT" && element.tagName !== "INPUT";
          if (wide === 0 || left < 0 || right > innerWidth || (isText && element.scrollWidth > element.clientWidth + 1))
            found.push(element.id || element.className || element.textContent || element.tagName);
        }
        const map = document.querySelector(".map-box")!.parentElement!;
        if (innerWidth >= 360 && map.getBoundingClientRect().bottom > run.getBoundingClientRect().top + 1) found.push("map");
        const context = document.createElement("canvas").getContext("2d")!;
        for (const select of innerWidth < 360 ? [] : document.querySelectorAll<HTMLSelectElement>("#theme, #pace")) {
          const style = getComputedStyle(select);
          context.font = `${style.fontWeight} ${style.fontSize} ${style.fontFamily}`;
          // The arrow of a select takes about 20 pixels.
          const room = select.clientWidth - Number.parseFloat(style.paddingLeft) - Number.parseFloat(style.paddingRight) - 20;
          for (const { textContent } of select.options) if (context.measureText(textContent!).width > room) found.push(textContent!);
        }
        return found;
      });
      expect(cut, `${language} ${width}`).toEqual([]);
      expect(faults).toEqual([]);
      await page.close();
    }
  },
);

test.skipIf(leftOut())("no column of the table of steps is a letter wide, in either language", { timeout: 120_000 }, async () => {
  const formula = { formula: "Y = A @ B\nf = sum(Y * Y)", values: { A: "[[1, 2], [4, 5]]", B: "[[1, 2], [3, 4]]" } };
  for (const language of ["en", "ko"]) {
    const graph = { ...defaultState.graph, ...formula };
    const { page, faults } = await studio.visit({
      viewport: phone,
      at: `?lang=${language}#${await packState({ ...defaultState, graph })}`,
    });
    await page.waitForSelector(".cr-item", { state: "attached" });
    await page.click("#sheet-table");
    const { lines, wide } = await page.evaluate(() => ({
      lines: Math.max(...[...document.querySelectorAll("#trace-table td")].map((cell) => cell.getBoundingClientRect().height / 20)),
      wide: document.documentElement.scrollWidth - innerWidth,
    }));
    expect(lines).toBeLessThan(4);
    expect(wide).toBe(0);
    expect(faults).toEqual([]);
    await page.close();
  }
});

test.skipIf(leftOut())(
  "a run of the Code tab brings what it says to the front, and counts the pictures it drew",
  { timeout: 120_000 },
  async () => {
    const { page, faults } = await visit(studio, "code", "en");
    expect(await page.textContent("#sheet-pictures")).toBe("Pictures (1)");
    await page.click("#sheet-about");
    await page.click("#sheet-fold");
    await page.click("#code-run");
    await page.waitForFunction(() => document.querySelector(".code-done") !== null);
    expect(await page.evaluate(() => document.querySelector("#sheet-output")!.getAttribute("aria-pressed"))).toBe("true");
    expect(faults).toEqual([]);
    await page.close();
  },
);
