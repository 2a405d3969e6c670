import { afterAll, beforeAll, expect, test } from "vitest";
import { leftOut, type Page } from "../browser/launch.ts";
import { openStudio, type Studio } from "./open-studio.ts";

/* A file that is dropped on the page is opened, whichever tab is shown; the page itself stays. */

let studio: Studio | null = null;

beforeAll(async () => {
  studio = await openStudio();
});

afterAll(() => studio?.close());

/** Drops a file as a browser does: whether the page took it, and so is not left for the file. */
const drop = (page: Page, name: string, text: string): Promise<boolean> =>
  page.evaluate(
    ([called, content]) => {
      const dataTransfer = new DataTransfer();
      dataTransfer.items.add(new File([content!], called!));
      const at = document.querySelector("main")!;
      const over = new DragEvent("dragover", { dataTransfer, bubbles: true, cancelable: true });
      const dropped = new DragEvent("drop", { dataTransfer, bubbles: true, cancelable: true });
      at.dispatchEvent(over);
      at.dispatchEvent(dropped);
      return over.defaultPrevented && dropped.defaultPrevented;
    },
    [name, text],
  );

test.skipIf(leftOut())(
  "a table on the Graph tab opens in Import, with a name in quotes that has a comma in it",
  { timeout: 120_000 },
  async ({ skip }) => {
    if (studio === null) return skip();
    const { page, faults } = await studio.visit();
    await page.waitForSelector(".cr-item", { state: "attached" });
    expect(await drop(page, "points.csv", '"a, b",class,c\n1,red,2\n3,blue,4\n')).toBe(true);
    await page.waitForSelector("#panel-import");
    await page.waitForFunction(() => document.querySelector("#panel-import")!.textContent!.includes("points.csv"));
    expect(await page.textContent("#panel-import")).toContain("a, b");
    // The column called class is kept apart as what is to be told.
    expect(await page.textContent("#panel-import")).toContain("2 rows, 2 columns");
    expect(faults).toEqual([]);
    await page.close();
  },
);

test.skipIf(leftOut())(
  "a table on the Train tab is what the net learns; another file opens in Import",
  { timeout: 120_000 },
  async ({ skip }) => {
    if (studio === null) return skip();
    const { page, faults } = await studio.visit();
    await page.click("#tab-train");
    await page.waitForSelector("#data-csv");
    expect(await drop(page, "points.csv", "x,y,label\n1,2,a\n3,4,b\n2,2,a\n")).toBe(true);
    await page.waitForFunction(() => document.querySelector<HTMLTextAreaElement>("#csv")?.value.startsWith("x,y,label") === true);
    await page.waitForFunction(() => document.querySelector("#data-csv")!.getAttribute("aria-pressed") === "true");
    expect(await drop(page, "model.onnx", "no model")).toBe(true);
    await page.waitForSelector("#import-fault");
    expect(await page.textContent("#import-fault")).not.toBe("");
    expect(faults).toEqual([]);
    await page.close();
  },
);
