import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { leftOut } from "../browser/launch.ts";
import { openStudio, type Studio } from "./open-studio.ts";
import { settled } from "./settled.ts";
import { type MorePage, ready, visitTrain } from "./train-page.ts";

interface Mouse {
  move(x: number, y: number, options?: { steps: number }): Promise<void>;
  down(options?: { button: "left" | "right" }): Promise<void>;
  up(options?: { button: "left" | "right" }): Promise<void>;
}

let studio: Studio;
beforeAll(async () => {
  studio = await openStudio();
});
afterAll(() => studio?.close());

interface Box {
  readonly left: number;
  readonly top: number;
  readonly width: number;
  readonly height: number;
}

const boxOf = (page: MorePage, selector: string): Promise<Box> =>
  page.evaluate((s) => {
    const element = document.querySelector(s)!;
    element.scrollIntoView({ block: "center" });
    const { left, top, width, height } = element.getBoundingClientRect();
    return { left, top, width, height };
  }, selector);

/** Presses the mouse at the first place, goes by the others, and lets go. */
async function drag(page: MorePage, places: readonly (readonly [number, number])[], button: "left" | "right" = "left"): Promise<void> {
  const { mouse } = page as MorePage & { readonly mouse: Mouse };
  const [first, ...rest] = places;
  await mouse.move(...first!);
  await mouse.down({ button });
  for (const place of rest) await mouse.move(...place, { steps: 8 });
  await mouse.up({ button });
}

describe.skipIf(leftOut())("the Train tab by the mouse", () => {
  test("its sliders follow a drag, the data with them, and one step of undo takes a drag back", async () => {
    const { page, faults } = await visitTrain(studio, { data: "moons", noise: 10, share: 50 });
    await ready(page);
    const told = (id: string): Promise<string> =>
      page.evaluate((i) => document.querySelector(`#${i}`)!.getAttribute("aria-valuetext")!, id);
    const marks = (): Promise<string> => page.evaluate(() => document.querySelector<HTMLCanvasElement>(".map-box .marks")!.toDataURL());
    for (const [id, before] of [
      ["noise", "10 %"],
      ["share", "50 %"],
    ] as const) {
      const drawn = await marks();
      expect(await told(id)).toBe(before);
      const { left, top, width, height } = await boxOf(page, `#${id}`);
      const at = (share: number): readonly [number, number] => [left + 8 + share * (width - 16), top + height / 2];
      const start = id === "noise" ? 0.2 : 0.5;
      await drag(page, [at(start), at(0.6), at(0.95)]);
      await expect.poll(() => told(id)).not.toBe(before);
      expect(Number.parseInt(await told(id), 10)).toBeGreaterThan(id === "noise" ? 40 : 80);
      await ready(page);
      await expect.poll(marks).not.toBe(drawn);
      await page.click("#undo");
      expect(await told(id)).toBe(before);
      await ready(page);
      await expect.poll(marks).toBe(drawn);
    }
    // Points are drawn by a press that begins on the map, and only there.
    await page.click("#data-draw");
    const points = (): Promise<number> =>
      page.evaluate(() => Number.parseInt(document.querySelector(".draw-tools .hint")!.textContent!, 10));
    await expect.poll(points).toBe(0);
    const { left, top, width, height } = await boxOf(page, ".map-box .marks");
    const on = (x: number, y: number): readonly [number, number] => [left + x * width, top + y * height];
    await drag(page, [on(0.5, -0.1), on(0.5, 0.4), on(0.9, 0.4), on(0.9, 0.9)]);
    expect(await points()).toBe(0);
    await drag(page, [on(0.2, 0.5), on(0.8, 0.5), on(0.8, 1.2), on(0.3, 1.2)]);
    // How many there are is written a frame later.
    await expect.poll(points).toBeGreaterThan(4);
    await settled(page);
    const sprayed = await points();
    await page.keyboard.press("Tab");
    await drag(page, [on(0.5, -0.1), on(0.5, 0.8)]);
    expect(await points()).toBe(sprayed);
    expect(faults).toEqual([]);
    await page.close();
  });

  test("Cancel ends a preparation that takes long, quietly, and the next setting begins anew", { timeout: 60_000 }, async () => {
    const { page, faults } = await visitTrain(
      studio,
      { data: "moons" },
      {
        // The worker hears nothing while the page is told to keep its words.
        before: (fresh) =>
          (fresh as MorePage).addInitScript(
            "const post = Worker.prototype.postMessage; Worker.prototype.postMessage = function (...all) { if (!window.isHeld) post.apply(this, all); };",
          ),
      },
    );
    await ready(page);
    await page.evaluate("window.isHeld = true");
    await page.fill("#seed", "77");
    await page.click(".train-news .calm button");
    await page.waitForFunction(() => document.querySelector(".train-news")!.textContent!.startsWith("Stopped."));
    // It was the reader's wish: no alert.
    expect(await page.evaluate(() => document.querySelector(".train-news [role=alert]"))).toBe(null);
    await page.evaluate("window.isHeld = false");
    await page.fill("#seed", "78");
    await ready(page);
    expect(await page.textContent(".train-news")).toBe("");
    await page.click("#step-epoch");
    await page.waitForFunction(() => Number(document.querySelector("#epoch")?.textContent) >= 1);
    // And a run that plays is ended by the same button that began it.
    await page.click("#play");
    await page.waitForFunction(() => Number(document.querySelector("#epoch")?.textContent) >= 3);
    await page.click("#play");
    await page.waitForFunction(() => document.querySelector("#play")!.getAttribute("aria-pressed") === "false");
    // The last pictures of the worker come a little later.
    const wait = (): Promise<unknown> => page.evaluate("new Promise((done) => setTimeout(done, 400))");
    await wait();
    const stood = await page.textContent("#epoch");
    await wait();
    expect(await page.textContent("#epoch")).toBe(stood);
    expect(faults).toEqual([]);
    await page.close();
  });
});
