import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type HeldNumbers, keyOf, partsOf } from "../../studio/graph/held.ts";
import { fileOf } from "../../studio/graph/held-file.ts";
import { packState } from "../../studio/state/address.ts";
import { defaultState } from "../../studio/state/slices.ts";
import { leftOut, type Page } from "../browser/launch.ts";
import { openStudio, type Studio } from "./open-studio.ts";
import { serious } from "./serious.ts";
import { settled } from "./settled.ts";

/* Graphs whose numbers are too many for an address: for everybody, and in browsers that keep nothing. `train.slow.test.ts` has how they come and go. */

let studio: Studio;

beforeAll(async () => {
  studio = await openStudio();
});

afterAll(() => studio.close());

const tensors = {
  W: { dtype: "f32", shape: [400, 300], data: Float32Array.from({ length: 120_000 }, (_, i) => ((i * 37) % 101) / 1000) },
  x: { dtype: "f32", shape: [300], data: Float32Array.from({ length: 300 }, (_, i) => (i % 7) / 10) },
} as const;
const numbers: HeldNumbers = { key: keyOf(tensors), tensors };
const graph = { ...defaultState.graph, formula: "f = sum((W @ x)^2)", values: {}, held: { key: numbers.key, parts: partsOf(tensors) } };
const file = { name: "graph.safetensors", mimeType: "", buffer: Buffer.from(fileOf(graph, numbers)) };
const at = async (language = "en"): Promise<string> => `?lang=${language}#${await packState({ ...defaultState, graph })}`;

const note = async (page: Page): Promise<string> => {
  await page.waitForFunction(() => !/^$/.test(document.querySelector("#held-note")?.textContent ?? ""));
  return (await page.textContent("#held-note"))!;
};

/** Until the graph stands at its numbers. */
const standing = (page: Page): Promise<unknown> => page.waitForSelector(".cr-item", { state: "attached" });

describe.skipIf(leftOut())("a graph whose numbers are not here", () => {
  test.each([
    ["en", { width: 1280, height: 800 }],
    ["ko", { width: 390, height: 844 }],
    ["en", { width: 320, height: 256 }],
  ] as const)("has nothing serious for axe, and no button under another: %s, %o", { timeout: 120_000 }, async (language, viewport) => {
    const { page, faults } = await studio.visit({ bypassCSP: true, viewport, at: await at(language) });
    await page.waitForSelector("#held-missing");
    const media = [
      { colorScheme: "light", forcedColors: "none" },
      { colorScheme: "dark", forcedColors: "none" },
      { colorScheme: "light", forcedColors: "active" },
    ] as const;
    for (const [n, chosen] of media.entries()) {
      await page.emulateMedia(chosen);
      await settled(page);
      expect(await serious(page, { colours: n > 0 }), JSON.stringify(chosen)).toEqual([]);
    }
    const covered = await page.evaluate(() =>
      [...document.querySelectorAll<HTMLElement>("#held-missing button")]
        .filter((button) => {
          button.scrollIntoView({ block: "nearest" });
          const { left, right, top, bottom } = button.getBoundingClientRect();
          return [left + 4, right - 4].some((x) => !button.contains(document.elementFromPoint(x, (top + bottom) / 2)));
        })
        .map(({ id }) => id),
    );
    expect(covered).toEqual([]);
    // What asks about a graph has none to ask about.
    const enabled = await page.evaluate(() =>
      [...document.querySelectorAll<HTMLButtonElement>("#play, #first, #next, #forward, #backward, .asks button")]
        .filter((button) => !button.disabled && button.getAttribute("aria-disabled") !== "true")
        .map(({ id }) => id),
    );
    expect(enabled).toEqual([]);
    const wide = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
    expect(wide).toBe(0);
    expect(faults).toEqual([]);
    await page.close();
  });

  test("is drawn from a seed by the keyboard alone, which then is in the picture", async () => {
    const { page, faults } = await studio.visit({ at: await at() });
    await page.waitForSelector("#held-missing");
    await page.focus("#draw-held");
    await page.keyboard.press("Enter");
    expect(await note(page)).toContain("drawn from seed 1");
    await standing(page);
    await page.waitForFunction(() => document.activeElement?.matches("svg.cr"));
    // Keys act there.
    await page.keyboard.press("b");
    await page.waitForFunction(() => document.querySelector("#backward")!.getAttribute("aria-pressed") === "true");
    expect(faults).toEqual([]);
    await page.close();
  });
});

describe.skipIf(leftOut())("a graph of very many numbers", () => {
  const large = {
    W: { dtype: "f32", shape: [600, 600], data: new Float32Array(360_000).fill(0.01) },
    x: { dtype: "f32", shape: [600], data: new Float32Array(600).fill(1) },
  } as const;
  const many: HeldNumbers = { key: keyOf(large), tensors: large };
  const asked = {
    ...defaultState.graph,
    formula: "f = s * sum(W @ x)",
    values: { s: "2" },
    held: { key: many.key, parts: partsOf(large) },
  };
  const given = { name: "graph.safetensors", mimeType: "", buffer: Buffer.from(fileOf(asked, many)) };

  /** A page in which the graph is begun and stands still: the turns of its computation are timers without a time. */
  async function begun(): Promise<{ page: Page; faults: string[]; go: () => Promise<void> }> {
    const { page, faults } = await studio.visit({ at: `?lang=en#${await packState({ ...defaultState, graph: asked })}` });
    await page.waitForSelector("#held-missing");
    await page.evaluate(() => {
      const waiting: (() => void)[] = [];
      const { setTimeout: set } = window;
      const hold = (run: () => void, ...time: number[]): number => (time.length === 0 ? waiting.push(run) : set(run, ...time));
      Object.assign(window, { setTimeout: hold });
      (window as unknown as { go: () => void }).go = () => {
        Object.assign(window, { setTimeout: set });
        for (const run of waiting) run();
      };
    });
    await page.setInputFiles("#find-held", given);
    await expect.poll(() => page.evaluate(() => document.querySelector("#held-missing") === null), { timeout: 20_000 }).toBe(true);
    return { page, faults, go: () => page.evaluate(() => (window as unknown as { go: () => void }).go()) };
  }
  const items = (page: Page): Promise<number> => page.evaluate(() => document.querySelectorAll(".cr-item").length);

  test("is computed in turns of the page: another formula takes its place meanwhile, at once", async () => {
    const { page, faults, go } = await begun();
    expect(await items(page)).toBe(0);
    await page.fill("#formula", "f = s * s");
    // While the first one stands still.
    await expect.poll(() => items(page)).toBeGreaterThan(0);
    await go();
    await settled(page);
    await settled(page);
    expect(await page.evaluate(() => document.querySelector("#stage svg")!.textContent)).not.toMatch(/W/);
    expect(faults).toEqual([]);
    await page.close();
  });

  test("is shown at the numbers that are written while it is computed", async () => {
    const { page, faults, go } = await begun();
    await page.fill("#value-s", "5");
    expect(await items(page)).toBe(0);
    await go();
    // 600 x 600 x 0.01 x 5
    await page.waitForFunction(() => /18000|18,000|1\.80e4/.test(document.querySelector("#stage svg")?.textContent ?? ""));
    expect(faults).toEqual([]);
    await page.close();
  });
});

describe.skipIf(leftOut())("the storage of a graph's numbers", () => {
  const refusing = {
    "is denied": 'Object.defineProperty(window, "indexedDB", { get() { throw new DOMException("denied", "SecurityError"); } });',
    "is missing": 'Object.defineProperty(window, "indexedDB", { value: undefined });',
    "is full":
      'const put = IDBObjectStore.prototype.put; IDBObjectStore.prototype.put = function (value, ...key) { if (value.data?.length === 300) throw new DOMException("full", "QuotaExceededError"); return put.call(this, value, ...key); };',
  };
  test.each(Object.entries(refusing))(
    "that %s leaves the graph as it is, and the page says so",
    { timeout: 60_000 },
    async (_, content) => {
      const before = async (page: Page): Promise<void> => {
        await (page as unknown as { addInitScript(script: { content: string }): Promise<unknown> }).addInitScript({ content });
      };
      const { page, faults } = await studio.visit({ at: await at(), before });
      await page.waitForSelector("#held-missing");
      await page.setInputFiles("#find-held", file);
      await standing(page);
      await page.waitForFunction(() => /last as long as this tab/.test(document.querySelector("#held-note")?.textContent ?? ""));
      expect(faults).toEqual([]);
      await page.close();
    },
  );

  test("serves two tabs: what one opens the other finds, and keeps when the first one is gone", { timeout: 60_000 }, async () => {
    const context = await (
      studio.browser as unknown as { newContext(): Promise<{ newPage(): Promise<Page>; close(): Promise<void> }> }
    ).newContext();
    const faults: string[] = [];
    const open = async (): Promise<Page> => {
      const page = await context.newPage();
      page.on("pageerror", (error) => faults.push(error.message));
      await page.goto(studio.url + (await at()));
      return page;
    };
    const first = await open();
    await first.waitForSelector("#held-missing");
    const second = await open();
    await second.waitForSelector("#held-missing");
    await first.setInputFiles("#find-held", file);
    await standing(first);
    await first.waitForFunction(() => /This browser keeps them/.test(document.querySelector("#held-note")?.textContent ?? ""));
    await second.reload();
    await standing(second);
    const value = (page: Page): Promise<string | null> => page.evaluate(() => document.querySelector("#step-card")!.textContent);
    await expect.poll(() => value(second)).toBe(await value(first));
    await first.close();
    await second.reload();
    await standing(second);
    expect(faults).toEqual([]);
    await context.close();
  });
});

describe.skipIf(leftOut())("a net opened as a graph", () => {
  test("leaves the focus in the picture, where the button that opened it is gone", { timeout: 60_000 }, async () => {
    const state = { ...defaultState, tab: "train", train: { ...defaultState.train, points: 20, batch: 4, layers: [2] } } as const;
    const { page, faults } = await studio.visit({ at: `?lang=en#${await packState(state)}` });
    await page.waitForSelector("#play:not([disabled])", { timeout: 30_000 });
    await page.focus("#take-batch");
    await page.keyboard.press("Enter");
    await standing(page);
    await page.waitForFunction(() => document.activeElement?.matches("svg.cr"));
    expect(faults).toEqual([]);
    await page.close();
  });
});
