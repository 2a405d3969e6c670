import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { add, constant, f32, graph, mul, print, scope, tanh, tensor, type Value } from "../../src/index.ts";
import { onnx } from "../../src/onnx.ts";
import { leftOut, type Page, type PageOptions } from "../browser/launch.ts";
import { englishOf, textsOf } from "./dictionaries.ts";
import { openStudio, type Studio } from "./open-studio.ts";
import { serious } from "./serious.ts";

const fixture = (path: string): string => fileURLToPath(new URL(`../fixtures/${path}`, import.meta.url));

let studio: Studio | null = null;
let folder: string;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "chainrule-import-people-"));
  studio = await openStudio();
});

afterAll(async () => {
  await studio?.close();
  rmSync(folder, { recursive: true, force: true });
});

/** A test that is left out where there is no browser. */
function inPage(name: string, run: (studio: Studio) => Promise<void>): void {
  // Axe, and 2,000 nodes at once, take seconds a page on a busy machine.
  test(name, { timeout: 240_000 }, async ({ skip }) => {
    if (studio === null) skip();
    else await run(studio);
  });
}

async function visit(there: Studio, options: PageOptions & { readonly at?: string } = {}): Promise<{ page: Page; faults: string[] }> {
  const visited = await there.visit({ bypassCSP: true, ...options });
  await visited.page.click("#tab-import");
  await visited.page.waitForSelector("#import-file", { state: "attached" });
  return visited;
}

async function open(page: Page, path: string): Promise<void> {
  await page.setInputFiles("#import-file", path);
  await page.waitForSelector("#import-canvas [data-item]", { state: "attached", timeout: 60_000 });
  await page.waitForSelector("#import-inspection", { state: "attached" });
  await page.waitForFunction(() => document.querySelector("#import-status")?.textContent === "");
}

const press = async (page: Page, ...keys: readonly string[]): Promise<void> => {
  for (const key of keys) await page.keyboard.press(key);
};
const said = async (page: Page): Promise<string> => (await page.textContent("#say"))!.trim();
const focused = (page: Page): Promise<string> =>
  page.evaluate(() => {
    const at = document.activeElement!;
    return at.id !== "" ? `#${at.id}` : (at.getAttribute("aria-label") ?? at.textContent ?? "").trim();
  });
const items = (page: Page): Promise<number> => page.evaluate(() => document.querySelectorAll("#import-canvas [data-item]").length);

/** Presses Tab until the focus is in what the selector names. */
async function tabTo(page: Page, selector: string): Promise<void> {
  for (let i = 0; i < 80; i++) {
    if (await page.evaluate((s) => document.activeElement?.closest(s) !== null, selector)) return;
    await press(page, "Tab");
  }
  throw new Error(`Tab does not lead to ${selector}, but to ${await focused(page)}`);
}

/** 40 blocks of 50 ops each, as a model file: 2,000 nodes. */
function large(): Uint8Array {
  const w = constant(
    tensor(
      Float32Array.from({ length: 8 }, (_, i) => 0.1 * i),
      f32(8),
    ),
  );
  const g = graph({ x: f32(1, 8) }, ({ x }) => {
    let y: Value = x;
    for (let block = 0; block < 40; block++)
      y = scope(`block${block}`, () => {
        let z: Value = y;
        for (let i = 0; i < 16; i++) z = tanh(add(mul(z, w), y));
        return mul(add(z, y), w);
      });
    return { y };
  });
  expect(print(g).match(/ = (mul|add|tanh)\(/g)!.length).toBe(2000);
  return onnx.write(g);
}

describe.skipIf(leftOut())("the Import tab for everybody", () => {
  inPage("opens 2,000 nodes, closed and open, finds one, shows its place and computes gradients", async (there) => {
    const { page, faults } = await visit(there);
    const path = join(folder, "large.onnx");
    writeFileSync(path, large());
    await open(page, path);
    expect(await said(page)).toMatch(/^large\.onnx is open: \d+ parts in the picture\.$/);
    const closed = await items(page);
    expect(closed).toBeLessThan(100);
    await page.fill("#import-search", "block37");
    await page.waitForSelector("#import-found button");
    await page.click("#import-found button");
    await page.waitForSelector("#import-item");
    await page.click("#import-gradients button[type=submit]");
    await page.waitForSelector("#import-loss");
    await page.selectOption("#import-depth", "1");
    await page.waitForSelector('#import-canvas [data-item="2000"]', { state: "attached", timeout: 120_000 });
    expect(faults).toEqual([]);
    await page.close();
  });

  inPage("is worked by the keyboard alone, and says each step", async (there) => {
    const { page, faults } = await visit(there);
    await tabTo(page, "#import-file");
    await open(page, fixture("onnx/mlp/model.onnx"));
    // The list of weights is one stop, walked by arrows.
    await tabTo(page, ".import-tensors");
    await press(page, "ArrowDown", "ArrowDown", "Enter");
    await page.waitForSelector("#import-tensor");
    expect(await page.textContent("#import-tensor h2")).toBe("net.2.weight");
    expect(await said(page)).toMatch(/^net\.2\.weight: from −0\.\d+ to 0\.\d+$/);
    await press(page, "End");
    expect(await focused(page)).toContain("net.4.bias");
    await press(page, "Home", "ArrowUp");
    expect(await focused(page)).toContain("net.0.weight");
    // The dropdown.
    await tabTo(page, "#import-depth");
    const before = await items(page);
    await press(page, "ArrowDown");
    await page.waitForFunction((n) => document.querySelectorAll("#import-canvas [data-item]").length !== n, before);
    // Search, its results, and back.
    await tabTo(page, "#import-search");
    await page.keyboard.type("net.2");
    // The list of the letters before may still stand there.
    await page.waitForFunction(() => document.querySelector("#import-found button")?.textContent?.includes("net.2"));
    expect(await said(page)).toMatch(/^\d+ found$/);
    await press(page, "ArrowDown");
    expect(await focused(page)).toContain("net.2");
    await press(page, "Enter");
    await page.waitForSelector("#import-item");
    await press(page, "ArrowUp");
    expect(await focused(page)).toBe("#import-search");
    await press(page, "ArrowDown", "Escape");
    expect(await focused(page)).toBe("#import-search");
    await page.waitForFunction(() => document.querySelector("#import-found") === null);
    // The picture: into it, along its wires, a module opened; the focus stays.
    await tabTo(page, "#import-canvas [data-item]");
    const first = await focused(page);
    await press(page, "ArrowRight");
    await page.waitForFunction((text) => document.activeElement?.getAttribute("aria-label") !== text, first);
    expect(await page.evaluate(() => document.querySelectorAll(".import-selected").length)).toBe(1);
    await press(page, "n", "ArrowLeft");
    expect(await page.evaluate(() => document.activeElement!.classList.contains("cr-module"))).toBe(true);
    const shut = await items(page);
    await press(page, "Enter");
    await page.waitForFunction((n) => document.querySelectorAll("#import-canvas [data-item]").length !== n, shut);
    await page.waitForFunction(() => /^The picture has \d+ parts now\./.test(document.querySelector("#say")!.textContent!));
    expect(await page.evaluate(() => document.activeElement?.closest("#import-canvas") !== null)).toBe(true);
    // Keys act only when no syllable is composed.
    const opened = await items(page);
    await page.evaluate(() => {
      for (const key of ["Enter", "0", "n", "ArrowRight"])
        document.activeElement!.dispatchEvent(new KeyboardEvent("keydown", { key, isComposing: true, bubbles: true, cancelable: true }));
    });
    expect(await items(page)).toBe(opened);
    // The form, by Enter in a field.
    await tabTo(page, "#import-gradients input");
    await press(page, "Enter");
    await page.waitForSelector("#import-loss");
    expect(faults).toEqual([]);
    await page.close();
  });

  inPage("has a table of all that the picture says", async (there) => {
    const { page, faults } = await visit(there);
    await open(page, fixture("onnx/mlp/model.onnx"));
    await page.click("#import-gradients button[type=submit]");
    await page.waitForSelector("#import-loss");
    await page.waitForFunction(() => document.querySelectorAll("#import-canvas .cr-gradient").length > 3);
    await page.click("#import-table");
    const rows = await page.evaluate(() =>
      [...document.querySelectorAll("#import-parts tbody tr")].map((row) => [...row.children].map((cell) => cell.textContent)),
    );
    expect(rows.length).toBe(await items(page));
    const texts = rows.flat().join("\n");
    // Every number and word that is drawn stands in it.
    const drawn = await page.evaluate(() =>
      [...document.querySelectorAll("#import-canvas :is(.cr-value, .cr-gradient, .cr-label)")].map((text) => text.textContent!.trim()),
    );
    expect(drawn.length).toBeGreaterThan(20);
    expect(drawn.filter((text) => !texts.includes(text.replace(/^▸ /, "")))).toEqual([]);
    expect(rows.find(([name]) => name === "net.0.weight")).toEqual([
      "net.0.weight",
      "weight",
      "32×64",
      "",
      "32×64",
      expect.stringContaining("‖∇‖"),
    ]);
    await page.click("#import-parts tbody button");
    await page.waitForSelector("#import-parts tr.now");
    expect(faults).toEqual([]);
    await page.close();
  });

  inPage("axe-core finds nothing serious: empty, with a model and its numbers, a table, a fault; light, dark, phone", async (there) => {
    for (const options of [{}, { viewport: { width: 390, height: 780 }, forcedColors: "active", reducedMotion: "reduce" }] as const) {
      const { page, faults } = await visit(there, options);
      const look = async (): Promise<void> => {
        expect(await serious(page)).toEqual([]);
        if ("viewport" in options) return;
        await page.emulateMedia({ colorScheme: "dark" });
        expect(await serious(page, { colours: true }), "dark").toEqual([]);
        await page.emulateMedia({ colorScheme: "light" });
      };
      await look();
      await open(page, fixture("onnx/mlp/model.onnx"));
      await page.click("#import-table");
      for (const tab of "viewport" in options ? [1, 2, 3] : [0]) {
        if (tab > 0) await page.click(`.import .sheet-tabs button:nth-child(${tab})`);
        if (tab < 2) {
          await page.click(".import-tensors button");
          await page.waitForSelector("#import-tensor", { state: "attached" });
        }
        await look();
      }
      expect(await page.evaluate(() => document.documentElement.scrollWidth - innerWidth)).toBeLessThanOrEqual(0);
      await page.setInputFiles("#import-file", { name: "x.jpg", mimeType: "image/jpeg", buffer: Buffer.from("no picture") });
      await page.waitForSelector("#import-fault", { state: "attached" });
      await look();
      expect(faults).toEqual([]);
      await page.close();
    }
  });

  inPage("is whole in Korean", async (there) => {
    const { page, faults } = await visit(there, { at: "?lang=ko" });
    const english = await englishOf("words/", "import/words-");
    await open(page, fixture("onnx/mlp/model.onnx"));
    await page.click("#import-gradients button[type=submit]");
    await page.waitForSelector("#import-loss");
    await page.click("#import-table");
    await page.click(".import-tensors button");
    await page.waitForSelector("#import-tensor");
    const texts = await textsOf(page);
    expect(texts.filter((text) => english.has(text))).toEqual([]);
    expect(texts.filter((text) => /[가-힣]/.test(text)).length).toBeGreaterThan(60);
    expect(await said(page)).toMatch(/부터 .*까지$/);
    expect(faults).toEqual([]);
    await page.close();
  });
});
