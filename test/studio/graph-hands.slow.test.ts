import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { packState } from "../../studio/state/address.ts";
import { defaultState } from "../../studio/state/slices.ts";
import { leftOut, type Page } from "../browser/launch.ts";
import { openStudio, type Studio } from "./open-studio.ts";
import { settled } from "./settled.ts";

interface Mouse {
  move(x: number, y: number, options?: { steps: number }): Promise<void>;
  down(): Promise<void>;
  up(): Promise<void>;
}

let studio: Studio;
let page: Page & { readonly mouse: Mouse };
let faults: string[];

beforeAll(async () => {
  studio = await openStudio();
});

afterAll(() => studio?.close());

async function at(graph: Partial<typeof defaultState.graph>): Promise<void> {
  await page?.close();
  const state = await packState({ ...defaultState, graph: { ...defaultState.graph, ...graph } });
  const visited = await studio.visit({ at: `?lang=en#${state}`, viewport: { width: 1440, height: 860 } });
  page = visited.page as typeof page;
  faults = visited.faults;
  await page.waitForFunction(() => document.querySelector(".cr-item") !== null);
  await settled(page);
}

const product = { formula: "f = (x + y) * z", values: { x: "-2", y: "5", z: "-4" } };

const text = async (selector: string): Promise<string> => {
  await settled(page);
  return page.evaluate((s) => document.querySelector(s)?.textContent ?? "", selector);
};

const middleOf = (selector: string): Promise<{ x: number; y: number }> =>
  page.evaluate((s) => {
    const { left, top, width, height } = document.querySelector(s)!.getBoundingClientRect();
    return { x: left + width / 2, y: top + height / 2 };
  }, selector);

async function drag(selector: string, dx: number): Promise<void> {
  const { x, y } = await middleOf(selector);
  await page.mouse.move(x, y);
  await page.mouse.down();
  await page.mouse.move(x + dx, y, { steps: 5 });
  await page.mouse.up();
  await settled(page);
}

const box = (name: string): Promise<number> =>
  page.evaluate((n) => Number((document.querySelector(`#value-${n}`) as HTMLInputElement).value), name);

/** Where every item stands: nothing of it may move while a number is dragged. */
const places = (): Promise<string> =>
  page.evaluate(() => [...document.querySelectorAll(".cr-body")].map((e) => `${e.getAttribute("x")} ${e.getAttribute("cx")}`).join());

describe.skipIf(leftOut())("walking by hand", () => {
  test("a chip of the scrubber goes to its step, arrow keys to the next, and one more click back unwrites", async () => {
    await at({ ...product, step: 0 });
    const chips = await page.evaluate(() => document.querySelectorAll(".chips .chip").length);
    expect(chips).toBe(5);
    await page.click(".chips .chip:nth-child(4)");
    expect(await text("#step-card h2")).toContain("Backward 2/3");
    expect(await page.evaluate(() => document.querySelector(".chips [aria-current=step]")?.textContent)).toBe("×");
    await page.keyboard.press("ArrowRight");
    expect(await text("#step-card h2")).toContain("Backward 3/3");
    await page.click(".chips .chip:nth-child(1)");
    expect(await text("#step-card h2")).toContain("Forward 1/2");
    // What the walk has not come to is not told.
    expect(await page.evaluate(() => [...document.querySelectorAll(".variable output")].map((o) => o.textContent))).toEqual([
      "·",
      "·",
      "·",
    ]);
    expect(faults).toEqual([]);
  });

  test("a long walk has a slider in place of chips, and it goes to where it is pulled", async () => {
    const lines = ["s0 = x", ...Array.from({ length: 60 }, (_, i) => `s${i + 1} = s${i} + x * ${i}`)];
    await at({ formula: lines.join("\n"), values: { x: "1" }, depth: -1 });
    await page.waitForSelector("#scrub");
    await page.evaluate(() => {
      const slider = document.querySelector("#scrub") as HTMLInputElement;
      slider.value = "30";
      slider.dispatchEvent(new Event("input", { bubbles: true }));
    });
    expect(await text("#step-card h2")).toMatch(/^Forward 30\//);
    await page.focus("#scrub");
    await page.keyboard.press("ArrowRight");
    expect(await text("#step-card h2")).toMatch(/^Forward 31\//);
    await page.keyboard.press("End");
    expect(await page.evaluate(() => document.querySelector("#next")!.getAttribute("aria-disabled"))).toBe("true");
  });

  test("Play walks to the end by itself and stops; pressed in the middle it pauses, and begins anew at the end; the speed is kept", async () => {
    await at({ ...product, step: 0 });
    await page.selectOption("#speed", "4");
    await page.click("#play");
    expect(await page.evaluate(() => document.querySelector("#play")!.getAttribute("aria-label"))).toContain("Pause");
    await page.waitForFunction(() => document.querySelector("#step-card h2")?.textContent?.includes("Backward 3/3"));
    await page.waitForFunction(() => document.querySelector("#play")?.getAttribute("aria-label")?.startsWith("Play"));
    await page.click("#play");
    await page.waitForFunction(() => document.querySelector("#step-card h2")?.textContent?.includes("Forward 1/2"));
    await page.click("#play");
    const paused = await text("#step-card h2");
    // Longer than a step at this speed.
    await new Promise((resolve) => setTimeout(resolve, 700));
    expect(await text("#step-card h2")).toBe(paused);
    expect(await page.evaluate(() => (document.querySelector("#speed") as HTMLSelectElement).value)).toBe("4");
    expect(faults).toEqual([]);
  });
});

describe.skipIf(leftOut())("numbers by mouse", () => {
  test("a slider, a name and a number on a wire are dragged: values and gradients follow, nothing moves, one undo takes it back", async () => {
    await at(product);
    await page.click("#last");
    const before = await places();
    await drag('.variable input[aria-label="z, slider"]', 60);
    expect(await box("z")).toBeGreaterThan(-4 + 1);
    const z = await box("z");
    expect(Number((await text(".variable:nth-child(1) output")).replace("−", "-"))).toBeCloseTo(z, 1);
    expect(await places()).toBe(before);
    await page.click("#undo");
    await settled(page);
    expect(await box("z")).toBe(-4);

    await drag(".variable:nth-child(2) .variable-name", 40);
    expect(await box("y")).toBeGreaterThan(5);
    await page.click("#undo");
    await settled(page);
    expect(await box("y")).toBe(5);

    const wire = await page.evaluate(() =>
      [...document.querySelectorAll(".cr-wires > [data-wire]")]
        .find((w) => w.getAttribute("aria-label")?.startsWith("x to"))!
        .getAttribute("data-wire"),
    );
    await drag(`.cr-wires > [data-wire="${wire}"] .cr-value`, 100);
    expect(await box("x")).toBe(0);
    expect(await text(`.cr-wires > [data-wire="${wire}"] .cr-value`)).toBe("0.00");
    expect(Number((await text(".variable:nth-child(3) output")).replace("−", "-"))).toBe(5);
    expect(await places()).toBe(before);
    // A number that is computed is not dragged.
    const sum = await page.evaluate(() =>
      [...document.querySelectorAll(".cr-wires > [data-wire]")]
        .find((w) => w.getAttribute("aria-label")?.startsWith("+ to"))!
        .getAttribute("data-wire"),
    );
    expect(await page.evaluate((i) => document.querySelector(`.cr-wires > [data-wire="${i}"] [data-draggable]`), sum)).toBe(null);
    expect(faults).toEqual([]);
  });
});

describe.skipIf(leftOut())("what the pointer is over", () => {
  test("a node lights its part of the formula, a part of the formula its node, and leaving takes both away", async () => {
    await at(product);
    const lit = (): Promise<string> => page.evaluate(() => [...document.querySelectorAll(".w-lit")].map((e) => e.textContent).join(""));
    const plus = await page.evaluate(() =>
      [...document.querySelectorAll(".cr-item")].find((i) => i.querySelector(".cr-label")?.textContent === "+")!.getAttribute("data-item"),
    );
    const { x, y } = await middleOf(`.cr-item[data-item="${plus}"] .cr-body`);
    await page.mouse.move(x, y);
    await settled(page);
    expect(await lit()).toBe("x + y");
    await page.mouse.move(700, 840);
    await settled(page);
    expect(await lit()).toBe("");
    // The sign of the product in the text.
    const sign = await page.evaluate(() => {
      const span = [...document.querySelectorAll(".formula-box pre span")].find((one) => one.textContent === "*")!;
      const { left, top, width, height } = span.getBoundingClientRect();
      return { x: left + width / 2, y: top + height / 2 };
    });
    await page.mouse.move(sign.x, sign.y);
    await settled(page);
    expect(
      await page.evaluate(() => [...document.querySelectorAll(".cr-item[data-lit]")].map((i) => i.querySelector(".cr-label")?.textContent)),
    ).toEqual(["×"]);
    await page.mouse.move(700, 840);
    await settled(page);
    expect(await page.evaluate(() => document.querySelectorAll(".cr-item[data-lit]").length)).toBe(0);
  });
});

describe.skipIf(leftOut())("the place of a fault", () => {
  // The fault's text, and the characters that have to be underlined.
  test.each([
    ["a name that is missing", "f = x + sinn(y)", "sinn"],
    ["Hangul before it", "손실 = 가중치 * 입력 + sinn(편향)", "sinn"],
    ["a Hangul name that is no function", "f = x + 없는함수(y)", "없는함수"],
    ["a second line", "q = x * y\nf = q + sinn(q)", "sinn"],
    ["letters of two code units, and wide ones", "𝑥 = 2\nf = 𝑥 + 漢字 + sinn(𝑥)", "sinn"],
  ])("is underlined under its own characters, where they are drawn: %s", async (_, formula, wrong) => {
    await at(product);
    await page.fill("#formula", formula);
    await settled(page);
    expect(await text("#formula-fault")).not.toBe("");
    const found = await page.evaluate(() => {
      const spans = [...document.querySelectorAll<HTMLElement>(".formula-box pre .w-wrong")];
      const area = document.querySelector<HTMLTextAreaElement>("#formula")!;
      const style = getComputedStyle(area);
      const layer = getComputedStyle(document.querySelector(".formula-box pre")!);
      return {
        text: spans.map((span) => span.textContent).join(""),
        from: Number(spans[0]?.dataset["from"]),
        value: area.value,
        // The layer lies under the letters that are typed where both break their lines and letters alike.
        same: (
          [
            "fontFamily",
            "fontSize",
            "lineHeight",
            "paddingLeft",
            "paddingTop",
            "letterSpacing",
            "whiteSpace",
            "wordBreak",
            "overflowWrap",
            "fontVariantLigatures",
            "width",
          ] as const
        ).filter((key) => style[key] !== layer[key]),
        line: getComputedStyle(spans[0]!).textDecorationLine,
      };
    });
    expect(found.text).toContain(wrong);
    expect(found.value.slice(found.from, found.from + wrong.length)).toBe(wrong);
    expect(found.text.length).toBeLessThan(wrong.length + 3);
    expect(found.same).toEqual([]);
    expect(found.line).toBe("underline");
  });
});
