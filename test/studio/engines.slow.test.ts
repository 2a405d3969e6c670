import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, expect, test } from "vitest";
import { leftOut, type Page } from "../browser/launch.ts";
import { englishOf, textsOf } from "./dictionaries.ts";
import { openStudio, type Studio } from "./open-studio.ts";
import { serious } from "./serious.ts";
import type { MorePage } from "./train-page.ts";

/* What a model is tuned on: the compiler, or ONNX Runtime on the processor or on the graphics card, here one in software. */

const fixture = (path: string): string => fileURLToPath(new URL(`../fixtures/${path}`, import.meta.url));
const rows = readFileSync(fileURLToPath(new URL("../../data/digits.csv", import.meta.url)), "utf8")
  .split("\n")
  .slice(0, 201)
  .join("\n");

let withGpu: Studio | null = null;

beforeAll(async () => {
  withGpu = await openStudio({ args: ["--enable-unsafe-webgpu", "--enable-features=Vulkan", "--use-webgpu-adapter=swiftshader"] });
});

afterAll(() => withGpu?.close());

const text = (page: Page, selector: string): Promise<string> =>
  page.evaluate((wanted) => document.querySelector(wanted)?.textContent ?? "", selector);

/** The Import tab with a model and a table to tune it on. */
async function visit(there: Studio, language = "en"): Promise<{ page: MorePage; faults: string[] }> {
  const { page, faults } = await there.visit({ at: `?lang=${language}`, bypassCSP: true });
  await page.click("#tab-import");
  await page.waitForSelector("#import-file", { state: "attached" });
  await page.setInputFiles("#import-file", fixture("onnx/mlp/model.onnx"));
  await page.waitForSelector("#import-inspection", { state: "attached" });
  await page.waitForFunction(() => document.querySelector("#import-status")!.textContent === "");
  await page.setInputFiles("#import-data", { name: "rows.csv", mimeType: "text/csv", buffer: Buffer.from(rows) });
  await page.waitForFunction(() => /200/.test(document.querySelector("#import-tune > p")?.textContent ?? ""));
  return { page: page as MorePage, faults };
}

const offered = (page: Page): Promise<string[]> =>
  page.evaluate(() => Array.from(document.querySelectorAll<HTMLOptionElement>("#import-engine option"), ({ value }) => value));

/** Tunes on this engine to the end; gives the last line and what was said of the engine. */
async function tuned(page: Page, engine: string): Promise<{ last: string; said: string }> {
  await page.selectOption("#import-engine", engine);
  await page.click("#import-tune button[type=submit]");
  await page.waitForSelector("#import-tuned", { timeout: 240_000 });
  return { last: await text(page, "#import-step"), said: await text(page, "#import-taken-over") };
}

const loss = (line: string): number => Number(/(?:loss|손실) ([\d.]+)/.exec(line)![1]);

test.skipIf(leftOut())(
  "WebGPU that is lost while a model is tuned gives way to WebAssembly, which goes on from the last step: nothing is lost",
  {
    timeout: 600_000,
  },
  async ({ skip }) => {
    if (withGpu === null) return skip();
    const plain = await visit(withGpu);
    const compiled = await tuned(plain.page, "wasm");
    expect(compiled.said).toBe("");
    await plain.page.close();
    const { page, faults } = await visit(withGpu, "ko");
    const adapter = await page.evaluate<boolean>("navigator.gpu?.requestAdapter().then((a) => a !== null) ?? false");
    if (!adapter) {
      console.log("this Chromium has no WebGPU adapter, not even in software: tuning on it was left out");
      return skip();
    }
    await page.waitForFunction(() => document.querySelectorAll("#import-engine option").length === 3);
    expect(await offered(page)).toEqual(["wasm", "onnxruntime", "webgpu"]);
    expect(await serious(page)).toEqual([]);
    const everywhere = async (code: string): Promise<void> => {
      for (const worker of page.workers()) await worker.evaluate(code);
    };
    await everywhere(`{
    const request = GPUAdapter.prototype.requestDevice;
    GPUAdapter.prototype.requestDevice = async function (...given) {
      const device = await request.apply(this, given);
      globalThis.device = device;
      return device;
    };
    // In the worker itself: a page that is busy may see none of the thirty steps before the last.
    const post = globalThis.postMessage;
    globalThis.postMessage = (word) => {
      post.call(globalThis, word);
      if (word.tuning?.step >= 2) globalThis.device?.destroy();
    };
  }`);
    const { last, said } = await tuned(page, "webgpu");
    expect(said).toMatch(/^\d+단계에서 그래픽 장치와 연결이 끊겼습니다\..*WebAssembly가 이어서/);
    expect(last).toContain("30단계 중 30단계");
    // The same batches in the same order, from the weights of the step before the loss.
    expect(Math.abs(loss(last) - loss(compiled.last))).toBeLessThan(1e-3 * loss(compiled.last));
    const english = await englishOf("words/", "import/words-");
    expect((await textsOf(page)).filter((word) => english.has(word))).toEqual([]);
    // The worker lives on, and ONNX Runtime in it.
    const again = await tuned(page, "onnxruntime");
    expect(again.last).toContain("30단계 중 30단계");
    expect(faults).toEqual([]);
    await page.close();
  },
);

test.skipIf(leftOut())(
  "without a graphics card WebGPU is not offered; an engine that cannot be loaded gives way in a sentence",
  {
    timeout: 240_000,
  },
  async ({ skip }) => {
    const there = await openStudio();
    if (there === null) return skip();
    const { page } = await visit(there);
    expect(await offered(page)).toEqual(["wasm", "onnxruntime"]);
    await page.evaluate(() => document.querySelector("meta[name='onnxruntime-web']")!.setAttribute("content", "nowhere/"));
    const { last, said } = await tuned(page, "onnxruntime");
    expect(said).toContain(
      "WebAssembly does it instead, because the engine that was chosen would not go on: ONNX Runtime could not be loaded",
    );
    expect(last).toContain("step 30 of 30");
    await there.close();
  },
);

test.skipIf(leftOut())("a static site has the compiler alone, and says what others need", { timeout: 120_000 }, async ({ skip }) => {
  const there = await openStudio({ runtime: null });
  if (there === null) return skip();
  const { page, faults } = await visit(there);
  expect(await offered(page)).toEqual([]);
  expect(await text(page, "#import-tune")).toContain("onnxruntime-web is installed beside chainrule");
  expect(faults).toEqual([]);
  await there.close();
});
