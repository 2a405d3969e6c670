import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { add, constant, f32, graph, mul, scope, tensor } from "../../src/index.ts";
import { onnx } from "../../src/onnx.ts";
import type { ImportState } from "../../studio/import/state.ts";
import { unpackState } from "../../studio/state/address.ts";
import type { Page, PageOptions } from "../browser/launch.ts";
import { englishOf, textsOf } from "./dictionaries.ts";
import { openStudio, type Studio } from "./open-studio.ts";
import { serious } from "./serious.ts";

/* What the address and undo hold of the Import tab: all but the file, whose view comes back when it is opened again. */

const fixture = (path: string): string => fileURLToPath(new URL(`../fixtures/${path}`, import.meta.url));
const mlp = fixture("onnx/mlp/model.onnx");

let studio: Studio | null = null;
let folder: string;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "chainrule-state-"));
  studio = await openStudio();
});

afterAll(async () => {
  await studio?.close();
  rmSync(folder, { recursive: true, force: true });
});

function inPage(name: string, run: (studio: Studio) => Promise<void>): void {
  test(name, { timeout: 240_000 }, async ({ skip }) => {
    if (studio === null) skip();
    else await run(studio);
  });
}

async function open(page: Page, path: string): Promise<void> {
  await page.setInputFiles("#import-file", path);
  await page.waitForFunction(
    (name) =>
      document.querySelector(".import-side h2")?.textContent === name && document.querySelector("#import-status")?.textContent === "",
    path.split("/").pop()!,
  );
}

async function visit(there: Studio, options: PageOptions & { readonly at?: string } = {}): Promise<{ page: Page; faults: string[] }> {
  const visited = await there.visit({ bypassCSP: true, ...options });
  await visited.page.click("#tab-import");
  await visited.page.waitForSelector("#import-file", { state: "attached" });
  return visited;
}

const items = (page: Page): Promise<number> => page.evaluate(() => document.querySelectorAll("#import-canvas [data-item]").length);
const hasItems = (page: Page, n: number): Promise<unknown> =>
  page.waitForFunction(
    (wanted) =>
      document.querySelectorAll("#import-canvas [data-item]").length === wanted &&
      document.querySelector("#import-status")?.textContent === "",
    n,
  );

async function kept(page: Page): Promise<ImportState> {
  return (await unpackState((await page.evaluate(() => location.hash)).slice(1))).state.import;
}

/** Opens the first closed module, by keys, and gives how many parts there are before and after. */
async function openModule(page: Page): Promise<[number, number]> {
  const before = await items(page);
  await page.evaluate(() => document.querySelector<SVGElement>("#import-canvas .cr-module")!.focus());
  await page.keyboard.press("Enter");
  await page.waitForFunction((n) => document.querySelectorAll("#import-canvas [data-item]").length !== n, before);
  return [before, await items(page)];
}

/** What of the view a reader sees. */
const seen = (page: Page): Promise<unknown> =>
  page.evaluate(() => ({
    items: document.querySelectorAll("#import-canvas [data-item]").length,
    selected: document.querySelector(".import-selected")?.getAttribute("aria-label"),
    item: document.querySelector("#import-item h2")?.textContent,
    tensor: document.querySelector("#import-tensor h2")?.textContent,
    search: document.querySelector<HTMLInputElement>("#import-search")?.value,
    found: document.querySelectorAll("#import-found li").length,
    table: document.querySelector("#import-parts") !== null,
    loss: document.querySelector<HTMLSelectElement>("#import-loss-kind")?.value,
    target: document.querySelector<HTMLInputElement>("#import-target")?.value,
    numbers: document.querySelector<HTMLTextAreaElement>(".import-input textarea")?.value,
    undone: document.querySelector("#import-depth") !== null,
  }));

describe("the address and undo of the Import tab", () => {
  inPage("hold opened modules, the selection, filters and what gradients are of; the file is asked for again", async (there) => {
    const { page, faults } = await visit(there);
    await open(page, mlp);
    await page.selectOption("#import-depth", "0");
    await page.waitForFunction(() => document.querySelectorAll("#import-canvas [data-group]").length === 0);
    await openModule(page);
    await page.selectOption("#import-loss-kind", "squares");
    await page.fill("#import-target", "0.5");
    await page.selectOption(".import-input select", "text");
    await page.fill(".import-input textarea", "1, 2, 3");
    await page.click("#import-table");
    await page.click(".import-tensors button");
    await page.waitForSelector("#import-tensor");
    await page.click("#import-parts tbody button");
    await page.waitForSelector("#import-item");
    await page.fill("#import-search", "net.2");
    await page.waitForSelector("#import-found li");
    const before = await seen(page);
    await expect.poll(async () => (await kept(page)).search, { timeout: 20_000 }).toBe("net.2");
    const hash = await page.evaluate(() => location.hash);
    const state = await kept(page);
    expect(state.file?.name).toBe("model.onnx");
    expect([state.open.length, state.loss, state.target, state.tensor, state.table]).toEqual([1, "squares", "0.5", "net.0.weight", true]);
    await page.close();

    const other = await visit(there, { at: `?lang=en${hash}` });
    expect(await other.page.textContent("#import-wanted")).toContain("a view of model.onnx: open that file");
    expect(await serious(other.page)).toEqual([]);
    await open(other.page, mlp);
    await expect.poll(() => seen(other.page), { timeout: 20_000 }).toEqual(before);
    expect(await other.page.evaluate(() => document.querySelector("#import-wanted"))).toBe(null);
    // Another file of the same name is another file: its view begins anew.
    await open(other.page, fixture("onnx/lenet/model.onnx"));
    expect(await seen(other.page)).toMatchObject({ search: "", table: false, loss: "class", target: "0" });
    // One step back the address is about the first file again, which this page has seen.
    await other.page.click("#undo");
    await other.page.waitForSelector("#import-wanted button");
    await other.page.click("#import-wanted button");
    await expect.poll(() => seen(other.page), { timeout: 20_000 }).toEqual(before);
    expect([...faults, ...other.faults]).toEqual([]);
    await other.page.close();
  });

  inPage("steps go back and forth with a file open, and never close it", async (there) => {
    const { page, faults } = await visit(there);
    await open(page, mlp);
    await page.selectOption("#import-depth", "0");
    await page.waitForFunction(() => document.querySelectorAll("#import-canvas [data-group]").length === 0);
    const [shut, opened] = await openModule(page);
    await page.selectOption("#import-loss-kind", "mean");
    await page.click("#undo");
    await expect.poll(() => seen(page)).toMatchObject({ loss: "class", items: opened });
    await page.click("#undo");
    await hasItems(page, shut);
    await page.click("#redo");
    await hasItems(page, opened);
    await page.click("#redo");
    await expect.poll(() => seen(page)).toMatchObject({ loss: "mean", items: opened });
    // Further back than the file was opened.
    for (let i = 0; i < 10 && (await page.evaluate(() => !document.querySelector<HTMLButtonElement>("#undo")!.disabled)); i++) {
      await page.click("#undo");
      if ((await page.evaluate(() => document.querySelector("#panel-import"))) === null) break;
    }
    await page.click("#tab-import");
    await page.waitForSelector("#import-file", { state: "attached" });
    expect(await page.textContent(".import-side h2")).toBe("model.onnx");
    expect(await items(page)).toBeGreaterThan(1);
    expect(faults).toEqual([]);
    await page.close();
  });

  inPage("are each tab's own, where two have a file open", async (there) => {
    const context = await (
      there.browser as unknown as { newContext(): Promise<{ newPage(): Promise<Page>; close(): Promise<void> }> }
    ).newContext();
    const tabs: { page: Page; path: string; text: string }[] = [];
    for (const [path, text] of [
      [mlp, "net.4"],
      [fixture("onnx/lenet/model.onnx"), "c1"],
    ] as const) {
      const page = await context.newPage();
      await page.goto(`${there.url}?lang=en`);
      await page.click("#tab-import");
      await page.waitForSelector("#import-file", { state: "attached" });
      await open(page, path);
      tabs.push({ page, path, text });
    }
    // Both at work, the first one last: what the storage keeps is of one of them alone.
    for (const { page, text } of tabs.toReversed()) await page.fill("#import-search", text);
    for (const { page, text } of tabs) await expect.poll(async () => (await kept(page)).search, { timeout: 20_000 }).toBe(text);
    for (const { page, path, text } of tabs) {
      await page.reload();
      await page.waitForSelector("#import-wanted");
      await open(page, path);
      await expect.poll(() => seen(page), { timeout: 20_000 }).toMatchObject({ search: text });
      expect(await page.evaluate(() => document.querySelector("#import-wanted"))).toBe(null);
    }
    await context.close();
  });

  inPage("show hostile names as text, and take them as keys", async (there) => {
    const { page, faults } = await visit(there);
    const evil = "<img src=x onerror=document.title='evil'>";
    const w = constant(tensor([1, 2], "f32"));
    const path = join(folder, "__proto__.onnx");
    const names = ["constructor", "hasOwnProperty", evil];
    const g = graph(Object.fromEntries(names.map((name) => [name, f32(1, 2)])), (x) => ({
      [evil]: scope(evil, () => mul(add(add(x[names[0]!]!, x[names[1]!]!), x[evil]!), w)),
    }));
    writeFileSync(path, onnx.write(g));
    await open(page, path);
    const fields = await page.evaluate(() =>
      [...document.querySelectorAll<HTMLElement>("[data-input]")].map((one) => one.dataset["input"]!),
    );
    expect(fields.sort()).toEqual([...names].sort());
    for (const i of [1, 2, 3]) {
      await page.selectOption(`.import-input:nth-of-type(${i}) select`, "text");
      await page.fill(`.import-input:nth-of-type(${i}) textarea`, `${i}, ${i}`);
    }
    await page.selectOption("#import-loss-kind", "sum");
    await page.click("#import-gradients button[type=submit]");
    await page.waitForSelector("#import-loss");
    // (1 + 2 + 3) * (1 + 2)
    expect(await page.textContent("#import-loss")).toMatch(/^loss 18\.00,/);
    await page.fill("#import-search", evil);
    await page.waitForSelector("#import-found li");
    await expect.poll(async () => (await kept(page)).search, { timeout: 20_000 }).toBe(evil);
    await page.keyboard.press("Control+k");
    await page.waitForSelector("#palette-list [role=option]");
    expect(await page.evaluate(() => [document.title, document.querySelectorAll("img").length])).toEqual(["Import · chainrule studio", 0]);
    expect(faults).toEqual([]);
    await page.close();
  });
});

describe("the palette of the Import tab", () => {
  inPage("finds its buttons, parts and weights by Ctrl+K, in Korean too", async (there) => {
    for (const [lang, depth, numbers] of [
      ["en", "Depth: 0", "Numbers of net.4.bias"],
      ["ko", "깊이: 0", "수 보기: net.4.bias"],
    ] as const) {
      const { page, faults } = await visit(there, { at: `?lang=${lang}` });
      await open(page, mlp);
      await page.keyboard.press("Control+k");
      await page.waitForSelector("#palette-list [role=option]");
      expect(await serious(page)).toEqual([]);
      if (lang === "ko") {
        const english = await englishOf("words/", "import/words-");
        expect((await textsOf(page)).filter((text) => english.has(text))).toEqual([]);
        const names = await page.evaluate(() =>
          [...document.querySelectorAll("#palette-list [role=option] span")].map((one) => one.textContent!),
        );
        expect(names.filter((name) => !/[가-힣]/.test(name) && !name.includes("English"))).toEqual([]);
      }
      await page.keyboard.type(depth);
      await page.keyboard.press("Enter");
      await page.waitForFunction(() => document.querySelectorAll("#import-canvas [data-group]").length === 0);
      await page.keyboard.press("Control+k");
      await page.waitForSelector("#palette-list [role=option]");
      await page.keyboard.type(numbers);
      await page.keyboard.press("Enter");
      await page.waitForSelector("#import-tensor");
      expect(await page.textContent("#import-tensor h2")).toBe("net.4.bias");
      expect(faults).toEqual([]);
      await page.close();
    }
  });
});
