import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { packState } from "../../studio/state/address.ts";
import { type AppState, defaultState } from "../../studio/state/slices.ts";
import { leftOut, type Page } from "../browser/launch.ts";
import { openStudio, type Studio } from "./open-studio.ts";
import { settled } from "./settled.ts";

/* Where keys go that are pressed at once: the focus moves with what it moves for, and not in the frame after. */

let studio: Studio;

beforeAll(async () => {
  studio = await openStudio();
});

afterAll(() => studio.close());

const at = async (state: Partial<AppState>): Promise<string> => `?lang=en#${await packState({ ...defaultState, ...state })}`;

/**
 * From here on no frame and no timer comes: what a key does, it has done before the next one.
 * @param asked from when a worker is asked something on
 */
async function hold(page: Page, asked = false): Promise<void> {
  await page.evaluate((waits) => {
    const never = (): number => 0;
    const stand = { requestAnimationFrame: never, setTimeout: never };
    const held = { requestAnimationFrame, setTimeout };
    Object.assign(window, { held });
    if (!waits) Object.assign(window, stand);
    const { postMessage } = Worker.prototype;
    Worker.prototype.postMessage = function (...given: unknown[]) {
      if (waits) Object.assign(window, stand);
      (postMessage as (...given: unknown[]) => void).apply(this, given);
    };
  }, asked);
}

async function release(page: Page): Promise<void> {
  await page.evaluate(() => {
    Object.assign(window, (window as unknown as { held: object }).held);
  });
  await settled(page);
}

const focused = (page: Page): Promise<string> =>
  page.evaluate(() => {
    const { activeElement: now } = document;
    const inner = now?.shadowRoot?.activeElement ?? now;
    return inner?.id || inner?.getAttribute("class") || inner?.tagName || "";
  });

const written = (page: Page, selector: string): Promise<string | null> =>
  page.evaluate((what) => document.querySelector<HTMLInputElement>(what)?.value ?? null, selector);

/** The dialogs are fetched before anybody asks for one. */
async function dialogsHere(page: Page): Promise<void> {
  const here = (): Promise<number> =>
    page.evaluate(
      () => performance.getEntriesByType("resource").filter(({ name }) => /\/(palette|help|share)-[^/]*\.js$/.test(name)).length,
    );
  await expect.poll(here, { timeout: 20_000 }).toBe(3);
  await settled(page);
}

describe.skipIf(leftOut())("keys that are pressed at once", () => {
  test("are the palette's when it opens, and go where the focus was, or where the command sends it, when it closes", async () => {
    const { page, faults } = await studio.visit();
    await page.waitForSelector(".cr-item", { state: "attached" });
    await dialogsHere(page);
    await page.focus("#formula");
    await page.keyboard.press("End");
    const formula = await written(page, "#formula");
    await hold(page);
    await page.keyboard.press("Control+K");
    await page.keyboard.type("step");
    expect([await written(page, "#palette input"), await written(page, "#formula")]).toEqual(["step", formula]);
    await page.keyboard.press("ArrowDown");
    expect(await page.evaluate(() => document.querySelector("#palette [aria-selected=true]")?.id)).toBe("command-1");
    // Closed by a key, it gives the focus back before the next one.
    await page.keyboard.press("Escape");
    await page.keyboard.type(" + 1");
    expect(await written(page, "#formula")).toBe(`${formula} + 1`);
    // Opened again it begins at the first command, which takes the focus into the picture.
    await page.keyboard.press("Control+K");
    await page.keyboard.type("go to x");
    expect(await page.evaluate(() => document.querySelector("#palette [aria-selected=true]")?.id)).toBe("command-0");
    await page.keyboard.press("Enter");
    expect(await page.evaluate(() => document.activeElement?.closest("svg [data-item]") !== null)).toBe(true);
    // And a command may open the next dialog, which has the focus in it at once.
    await page.keyboard.press("Control+K");
    await page.keyboard.type("help and");
    await page.keyboard.press("Enter");
    expect(await page.evaluate(() => document.querySelector("#help")?.contains(document.activeElement))).toBe(true);
    await page.keyboard.press("Escape");
    expect(await page.evaluate(() => document.activeElement?.closest("svg [data-item]") !== null)).toBe(true);
    await release(page);
    expect(faults).toEqual([]);
    await page.close();
  });

  test("walk on from the element of a product that was gone to", async () => {
    const { page, faults } = await studio.visit();
    await page.waitForSelector(".cr-item", { state: "attached" });
    await page.click("#example-twoLayer");
    await page.click("#forward");
    for (let i = 0; i < 30 && !(await page.evaluate(() => document.querySelector("#products") !== null)); i++) {
      await page.click("#next");
      await settled(page);
    }
    await page.click("#products summary");
    await page.click('#products button[tabindex="0"]');
    await settled(page);
    await hold(page);
    const where = (): Promise<unknown> =>
      page.evaluate(() => {
        const { activeElement: now } = document;
        const row = now?.closest("tr");
        return [row?.rowIndex, [...(row?.cells ?? [])].findIndex((cell) => cell.contains(now)), now?.getAttribute("tabindex")];
      });
    const [row, column] = (await where()) as [number, number];
    await page.keyboard.press("ArrowRight");
    expect(await where()).toEqual([row, column + 1, "0"]);
    await page.keyboard.press("ArrowDown");
    expect(await where()).toEqual([row + 1, column + 1, "0"]);
    // What has got the focus meanwhile keeps it.
    await page.keyboard.press("ArrowUp");
    await page.focus("#formula");
    await release(page);
    expect(await focused(page)).toBe("formula");
    expect(faults).toEqual([]);
    await page.close();
  });

  test("are the program's when its page speaks another language, and what was written can still be undone", async () => {
    const { page, faults } = await studio.visit({ at: await at({ tab: "code", code: { source: "// a\n" } }) });
    await page.waitForSelector(".code-editor", { state: "attached" });
    await dialogsHere(page);
    const text = (): Promise<string | null> =>
      page.evaluate(() => document.querySelector(".code-editor")!.shadowRoot!.querySelector(".cm-content")!.textContent);
    const label = (): Promise<string | null> =>
      page.evaluate(() => document.querySelector(".code-editor")!.shadowRoot!.querySelector(".cm-content")!.getAttribute("aria-label"));
    await page.evaluate(() => document.querySelector(".code-editor")!.shadowRoot!.querySelector<HTMLElement>(".cm-content")!.focus());
    await page.keyboard.press("Control+Home");
    await page.keyboard.type("// one");
    const english = await label();
    await page.keyboard.press("Control+K");
    await page.keyboard.type("한국어");
    await page.keyboard.press("Enter");
    await page.keyboard.type(" two");
    expect(await text()).toMatch(/^\/\/ one two\/\/ a/);
    expect(await label()).not.toBe(english);
    await page.keyboard.press("Control+Z");
    await page.keyboard.press("Control+Z");
    expect(await text()).toMatch(/^\/\/ a/);
    expect(faults).toEqual([]);
    await page.close();
  });

  test("act on the drawing that is there, in the Import tab: on its part inside a module that was opened", async () => {
    const { page, faults } = await studio.visit({ at: await at({ tab: "import" }) });
    await page.waitForSelector("#import-file", { state: "attached" });
    await page.setInputFiles("#import-file", fileURLToPath(new URL("../fixtures/onnx/lenet/model.onnx", import.meta.url)));
    await page.waitForSelector("#import-canvas [data-item]", { state: "attached" });
    await expect.poll(() => page.textContent("#import-status")).toBe("");
    await settled(page);
    const count = (): Promise<number> => page.evaluate(() => document.querySelectorAll("#import-canvas [data-item]").length);
    const before = await count();
    await page.focus('#import-canvas [aria-label^="f1/Gemm"]');
    await hold(page, true);
    await page.keyboard.press("Enter");
    await expect.poll(count, { timeout: 20_000 }).toBeGreaterThan(before);
    const inside = (): Promise<string | null | undefined> =>
      page.evaluate(() => document.activeElement?.closest("[data-item]")?.textContent);
    const first = await inside();
    // A Hangul keyboard has ㅜ at the place of n.
    await page.evaluate(() => {
      document.activeElement!.dispatchEvent(new KeyboardEvent("keydown", { key: "ㅜ", code: "KeyN", bubbles: true, cancelable: true }));
    });
    expect(first).toMatch(/^f1\.weight: /);
    expect(await inside()).toMatch(/: transpose /);
    await release(page);
    expect(faults).toEqual([]);
    await page.close();
  });
});
