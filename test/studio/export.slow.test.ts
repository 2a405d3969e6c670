import { fileURLToPath } from "node:url";
import sharp from "sharp";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { Page } from "../browser/launch.ts";
import { openStudio, type Studio } from "./open-studio.ts";
import { serious } from "./serious.ts";

/* Pictures as files, of the Graph and the Import tab: the whole, and what is in sight. */

const mlp = fileURLToPath(new URL("../fixtures/onnx/mlp/model.onnx", import.meta.url));

let studio: Studio | null = null;

beforeAll(async () => {
  studio = await openStudio();
});

afterAll(() => studio?.close());

interface Saved {
  readonly type: string;
  readonly name: string;
  readonly bytes: number[];
}

/** Remembers what the page lets the reader save, and by what name. */
const watch = (page: Page): Promise<void> =>
  page.evaluate(() => {
    const kept = window as unknown as { saved: { blob: Blob; name: string }[] };
    kept.saved = [];
    const create = URL.createObjectURL;
    URL.createObjectURL = (blob: Blob) => {
      kept.saved.push({ blob, name: "" });
      return create(blob);
    };
    HTMLAnchorElement.prototype.click = function click(): void {
      kept.saved.at(-1)!.name = this.download;
    };
  });

/** Saves the picture in one form. */
async function save(page: Page, kind: "svg" | "png" | "html"): Promise<Saved> {
  await page.evaluate(() => {
    (window as unknown as { saved: unknown[] }).saved.length = 0;
  });
  await page.click(`#share-${kind}`);
  await page.waitForFunction(() => (window as unknown as { saved: { name: string }[] }).saved[0]?.name);
  return page.evaluate(async () => {
    const [{ blob, name }] = (window as unknown as { saved: [{ blob: Blob; name: string }] }).saved;
    return { type: blob.type, name, bytes: Array.from(new Uint8Array(await blob.arrayBuffer())) };
  });
}

const textOf = ({ bytes }: Saved): string => Buffer.from(bytes).toString();
const sizeOf = (svg: string): [number, number] => {
  const [, width, height] = /width="([\d.]+)" height="([\d.]+)"/.exec(svg)!;
  return [Number(width), Number(height)];
};

/** All forms, whole and in sight, on the tab that is open with its picture zoomed in. */
async function check(page: Page, name: string): Promise<void> {
  await watch(page);
  await page.click("#open-share");
  await page.waitForSelector("#share-svg");
  expect(await serious(page)).toEqual([]);
  const svg = await save(page, "svg");
  expect([svg.type, svg.name]).toEqual(["image/svg+xml", `${name}.svg`]);
  const whole = sizeOf(textOf(svg));
  const png = await save(page, "png");
  const { width, height } = await sharp(Buffer.from(png.bytes)).metadata();
  expect([width, height]).toEqual(whole.map((n) => Math.floor(n * 2)));
  expect(textOf(await save(page, "html"))).toMatch(/^<!doctype html>/i);
  await page.click("#share-sight");
  const seen = sizeOf(textOf(await save(page, "svg")));
  expect(seen[0]).toBeLessThan(whole[0]);
  const part = await sharp(Buffer.from((await save(page, "png")).bytes)).metadata();
  expect(Math.abs(part.width - 2 * seen[0])).toBeLessThanOrEqual(2);
  // A page of what is in sight runs nothing, and shows it.
  const still = textOf(await save(page, "html"));
  expect(still).toContain("default-src 'none'");
  expect(still).not.toContain("<script");
  expect(sizeOf(still)).toEqual(seen);
}

test("the Import tab's picture, with the numbers that were computed, whole and in sight", { timeout: 120_000 }, async ({ skip }) => {
  if (studio === null) return skip();
  const { page, faults } = await studio.visit({ bypassCSP: true });
  await page.click("#tab-import");
  await page.waitForSelector("#import-file", { state: "attached" });
  await page.setInputFiles("#import-file", mlp);
  await page.waitForSelector("#import-inspection", { state: "attached" });
  await page.waitForFunction(() => document.querySelector("#import-status")?.textContent === "");
  await page.click("#import-gradients button[type=submit]");
  await page.waitForSelector("#import-loss");
  await page.focus("#import-canvas");
  for (const key of ["+", "+", "+", "+", "+"]) await page.keyboard.press(key);
  await check(page, "model");
  await page.click("#share-sight");
  expect(textOf(await save(page, "svg"))).toContain("net.0.weight");
  // With numbers there is something to step through.
  expect(textOf(await save(page, "html"))).toContain("<script");
  expect(faults).toEqual([]);
  await page.close();
});

test("the Graph tab's picture, whole and in sight", { timeout: 120_000 }, async ({ skip }) => {
  if (studio === null) return skip();
  const { page, faults } = await studio.visit({ bypassCSP: true });
  await page.waitForSelector("#stage .cr-item");
  for (let i = 0; i < 5; i++) await page.click("#stage .tools button:nth-last-child(2)");
  await check(page, "f");
  expect(faults).toEqual([]);
  await page.close();
});
