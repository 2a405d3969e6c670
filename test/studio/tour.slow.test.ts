import { afterAll, beforeAll, expect, test } from "vitest";
import { leftOut } from "../browser/launch.ts";
import { openStudio, type Studio } from "./open-studio.ts";
import { settled } from "./settled.ts";

/* The README's first five minutes, done as a new user does them. */

let studio: Studio;

beforeAll(async () => {
  studio = await openStudio();
});

afterAll(() => studio.close());

test.skipIf(leftOut())("the README's tour of the Graph tab holds, word by word", { timeout: 180_000 }, async () => {
  const { page, faults } = await studio.visit();
  await page.waitForSelector(".cr-item", { state: "attached" });
  await page.click("#example-sigmoid");
  // The forward pass is done; a click on the picture, then the point, again and again.
  await settled(page);
  expect(await page.textContent("#step-card h2")).toContain("Forward 8/8");
  await page.click(".picture svg.cr");
  for (let step = 1; step <= 9; step++) {
    await page.keyboard.press(".");
    // The card is written in the frame after the picture's.
    await page.waitForFunction((title) => document.querySelector("#step-card h2")?.textContent?.includes(title), `Backward ${step}/9`);
  }
  await page.waitForFunction(
    (wanted) => [...document.querySelectorAll(".variable output")].map((output) => output.textContent!.trim()).join(" ") === wanted,
    "−0.20 0.39 −0.39 −0.59 0.20",
  );
  // Drag a number, and everything follows.
  await page.focus('.variable input[type="range"]');
  for (let i = 0; i < 3; i++) await page.keyboard.press("PageUp");
  await page.waitForFunction(
    () => ![...document.querySelectorAll(".variable output")].map((output) => output.textContent!.trim()).includes("−0.59"),
  );
  // Check all compares every gradient.
  await page.click("#ask-checkAll");
  await page.waitForSelector("#check-table");
  const verdicts = await page.evaluate(() =>
    [...document.querySelectorAll("#check-table td.verdict")].map((cell) => cell.textContent!.trim()),
  );
  expect(verdicts).toEqual(Array(5).fill("✓ pass"));
  // Predict first asks before it tells.
  await page.click("#quiz");
  await page.click("#backward");
  await page.click("#next");
  await page.waitForSelector("#answer");
  await page.click("#reveal");
  await page.click("#quiz");
  // Share gives an address that opens the same, in the reader's own language.
  await page.click("#open-share");
  await page.waitForSelector("#share-link");
  await page.click("#share-copy");
  await page.waitForFunction(() => document.querySelector("#share-outcome")!.textContent !== "");
  const there = await page.evaluate(() => document.querySelector<HTMLInputElement>("#share-link")!.value);
  await settled(page);
  const title = await page.textContent("#step-card h2");
  const other = await studio.visit({ at: `?lang=ko${new URL(there).hash}` });
  await other.page.waitForSelector(".cr-item", { state: "attached" });
  await settled(other.page);
  expect(await other.page.textContent("#step-card h2")).toContain(/^Backward \d\/9/.exec(title!)![0].replace("Backward", "역전파"));
  expect([...faults, ...other.faults]).toEqual([]);
  await other.page.close();
  await page.close();
});
