import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { serializeNpz, serializeSafetensors } from "../../src/data.ts";
import { add, constant, f32, graph, matmul, print, relu, scope, tensor } from "../../src/index.ts";
import { onnx } from "../../src/onnx.ts";
import { leftOut, type Page } from "../browser/launch.ts";
import { resnet50 } from "./large-models.ts";
import { openStudio, type Studio } from "./open-studio.ts";

const fixture = (path: string): string => fileURLToPath(new URL(`../fixtures/${path}`, import.meta.url));
const digits = fileURLToPath(new URL("../../data/digits.csv", import.meta.url));

let studio: Studio;
let page: Page;
let faults: string[];
let folder: string;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "chainrule-import-"));
  studio = await openStudio();
  ({ page, faults } = await studio.visit());
  await page.click("#tab-import");
  await page.waitForSelector("#import-file", { state: "attached" });
});

afterAll(async () => {
  await studio?.close();
  rmSync(folder, { recursive: true, force: true });
});

const text = (selector: string): Promise<string> => page.evaluate((s) => document.querySelector(s)?.textContent ?? "", selector);

/** Chooses a file, waits until it is open or refused, and gives the message of what refused it. */
async function open(path: string): Promise<string> {
  // The fault of the file before goes when work begins.
  await page.evaluate(() => document.querySelector("#import-fault")?.remove());
  await page.setInputFiles("#import-file", path);
  const name = path.split("/").pop()!;
  await page.waitForFunction(
    (wanted) =>
      (document.querySelector("#import-fault") !== null || document.querySelector(".import-side h2")?.textContent === wanted) &&
      document.querySelector("#import-status")?.textContent === "",
    name,
  );
  return text("#import-fault");
}

function write(name: string, content: Uint8Array | string): string {
  const path = join(folder, name);
  writeFileSync(path, content);
  return path;
}

describe.skipIf(leftOut())("the Import tab", () => {
  test("draws a model, computes its gradients, and shows the numbers of a weight", async () => {
    expect(await open(fixture("onnx/mlp/model.onnx"))).toBe("");
    expect(await page.evaluate(() => document.querySelectorAll("#import-canvas [data-item]").length)).toBeGreaterThan(5);
    expect(await text("#import-inspection")).toContain("every trained parameter gets one");
    await page.click("#import-gradients button[type=submit]");
    await page.waitForSelector("#import-loss");
    // The loss of one row of zero mean lies near that of ten equal chances.
    expect(Number(/loss ([\d.]+)/.exec(await text("#import-loss"))![1])).toBeCloseTo(Math.log(10), 0);
    expect(await text(".import-tensors li")).toMatch(/^net\.0\.weight f32\[32,64\] ‖∇‖ 0\.0\d+/);
    await page.click(".import-tensors button");
    await page.waitForSelector(".import-gradient .import-heat");
    expect(await text("#import-tensor")).toContain("f32[32, 64]");
    // With its numbers in sight: values above the wires, gradients below.
    expect(await page.evaluate(() => document.querySelectorAll("#import-canvas .cr-gradient").length)).toBeGreaterThan(3);
  });

  test("searches, selects, opens and closes modules", async () => {
    await page.fill("#import-search", "net.2.bias");
    await page.waitForSelector("#import-found button");
    expect(await text("#import-found")).toContain("net.2.bias");
    await page.click("#import-found button");
    await page.waitForSelector("#import-item");
    expect(await page.evaluate(() => document.querySelectorAll(".import-selected").length)).toBe(1);
    await page.fill("#import-search", "");
    await page.selectOption("#import-depth", "0");
    await page.waitForFunction(() => document.querySelectorAll("#import-canvas [data-group]").length === 0);
    const before = await page.evaluate(() => document.querySelectorAll("#import-canvas [data-item]").length);
    const place = (selector: string): Promise<{ x: number; y: number }> =>
      page.evaluate((s) => {
        const { left, top, width, height } = document.querySelector(s)!.getBoundingClientRect();
        return { x: left + width / 2, y: top + height / 2 };
      }, selector);
    await page.evaluate(() => {
      const module = document.querySelector<SVGElement>("#import-canvas .cr-module");
      module!.focus();
    });
    // Away from where a new picture would stand.
    for (const key of ["-", "-"]) await page.keyboard.press(key);
    const closed = await place("#import-canvas .cr-module");
    await page.keyboard.press("Enter");
    await page.waitForFunction((n) => document.querySelectorAll("#import-canvas [data-item]").length > n, before);
    // What was opened stays where it was, and the picture as large as it was.
    const opened = await place("#import-canvas [data-group]");
    expect(Math.hypot(opened.x - closed.x, opened.y - closed.y)).toBeLessThan(10);
    expect(
      await page.evaluate(() => /scale\(([\d.]+)\)/.exec(document.querySelector("#import-canvas svg > g")!.getAttribute("transform")!)![1]),
    ).toMatch(/^0\.[3-6]/);
    await page.click(".import-open button");
    await page.waitForFunction((n) => document.querySelectorAll("#import-canvas [data-item]").length === n, before);
    await page.selectOption("#import-depth", "");
  });

  test("tunes the model on a table, and gives a file that the library reads", async () => {
    await page.setInputFiles("#import-data", digits);
    await page.waitForFunction(() => document.querySelector("#import-tune")?.textContent?.includes("1,797 rows of 64 numbers"));
    // An emptied number is asked for, and nothing is tuned meanwhile.
    await page.fill("#import-tune input[type=number]", "");
    await page.click("#import-tune button[type=submit]");
    expect(await page.evaluate(() => document.activeElement === document.querySelector("#import-tune :invalid"))).toBe(true);
    expect(await text("#import-tuned")).toBe("");
    await page.fill("#import-tune input[type=number]", "5");
    await page.click("#import-tune button[type=submit]");
    await page.waitForSelector("#import-tuned");
    const [, loss, right] = /loss ([\d.]+), (\d+) % right/.exec(await text("#import-step"))!;
    expect(Number(loss)).toBeLessThan(1);
    expect(Number(right)).toBeGreaterThan(75);
    await page.evaluate(() => {
      const create = URL.createObjectURL;
      URL.createObjectURL = (blob: Blob) => {
        (window as unknown as { saved: Promise<ArrayBuffer> }).saved = blob.arrayBuffer();
        return create(blob);
      };
    });
    await page.click("#import-download");
    await page.waitForFunction(() => "saved" in window);
    const bytes = await page.evaluate(async () =>
      Array.from(new Uint8Array(await (window as unknown as { saved: Promise<ArrayBuffer> }).saved)),
    );
    const tuned = await onnx.read(Uint8Array.from(bytes));
    const before = await onnx.read(fixture("onnx/mlp/model.onnx"));
    expect(Object.keys(tuned.params)).toEqual(Object.keys(before.params));
    expect(tuned.params["net.4.bias"]!.data).not.toEqual(before.params["net.4.bias"]!.data);
  });

  test("opens a graph with its tensors, a file of tensors, an archive, a table", async () => {
    const g = graph({ x: f32(2, 3) }, ({ x }) => ({
      y: scope("층", () =>
        relu(
          add(
            matmul(
              x,
              constant(
                tensor(
                  [
                    [1, 2],
                    [3, 4],
                    [5, 6],
                  ],
                  "f32",
                ),
              ),
            ),
            1,
          ),
        ),
      ),
    }));
    expect(await open(write("그래프.graph", print(g)))).toBe("");
    expect(await page.evaluate(() => document.querySelectorAll("#import-canvas [data-item]").length)).toBeGreaterThan(1);
    const tensors = { a: tensor([1, Number.NaN, Number.POSITIVE_INFINITY, -2]), "<b>": tensor([[1, 2]], "f32") };
    expect(await open(write("state.safetensors", serializeSafetensors(tensors, { note: '{"step":3}' })))).toBe("");
    await page.click(".import-tensors button");
    await page.waitForSelector("#import-tensor");
    expect(await text("#import-tensor")).toMatch(/NaN1.*\+∞1/);
    // A bin each, and a pattern each with its sign.
    expect(await page.evaluate(() => [...document.querySelectorAll("#import-tensor [data-bad]")].map((bin) => bin.textContent))).toEqual([
      "NaN",
      "+∞",
    ]);
    expect(await page.evaluate(() => document.querySelector("#import-tensor .import-histogram")!.getAttribute("aria-label"))).toMatch(
      /, NaN 1, \+∞ 1$/,
    );
    expect(await text("#import-tensor .import-legend")).toMatch(/^ NaN \+∞$/);
    expect(await text(".import-tensors")).toContain("<b>");
    expect(await text(".import-content")).toContain('"step": 3');
    expect(await open(write("arrays.npz", await serializeNpz({ w: tensor([1, 2, 3]) })))).toBe("");
    expect(await open(digits)).toBe("");
    expect(await text(".import-side")).toContain("1,797 rows, 64 columns");
  });

  test("draws ResNet-50 as modules", async () => {
    expect(await open(write("resnet50.onnx", resnet50()))).toBe("");
    expect(await text("#import-canvas")).toContain("layer3");
    expect(await page.evaluate(() => document.querySelectorAll("#import-canvas [data-item]").length)).toBeLessThan(100);
  });

  test("refuses what it cannot read in a sentence, and goes on", async () => {
    const model = readFileSync(fixture("onnx/mlp/model.onnx"));
    expect(await open(write("empty.onnx", ""))).toBe("empty.onnx is empty");
    expect(await open(write("cut.onnx", model.subarray(0, 900)))).toContain("onnx");
    expect(await open(write("garbage.onnx", "not a model at all"))).toContain("onnx");
    expect(await open(write("photo.jpg", "JFIF"))).toContain("photo.jpg is no .onnx model");
    expect(await open(write("ragged.csv", "a,b\n1,2\n3\n"))).toMatch(/csv: row 3/);
    expect(await open(write("markup.csv", "<img src=x onerror=alert(1)>,label\n1,<script>\n"))).toBe("");
    expect(await text(".import-content")).toContain("<img src=x");
    expect(await open(write("bad.graph", "graph { %1 = evil() }"))).not.toBe("");
    expect(await open(fixture("onnx/mlp/model.onnx"))).toBe("");
    expect(faults).toEqual([]);
  });

  test("says how much of a large file is read, and of gradients and tuning, and Cancel ends them", { timeout: 180_000 }, async () => {
    const large = write("large.onnx", resnet50());
    // All that the bar said.
    await page.evaluate(() => {
      const told: string[] = [];
      (window as unknown as { told: string[] }).told = told;
      new MutationObserver(() => {
        const bar = document.querySelector<HTMLProgressElement>("#import-progress progress");
        const text = document.querySelector("#import-progress small")?.textContent;
        if (bar !== null && text) told.push(`${bar.getAttribute("aria-label")} ${text} ${bar.position >= 0 && bar.position <= 1}`);
      }).observe(document.body, { subtree: true, childList: true, characterData: true, attributes: true });
    });
    const told = async (pattern: RegExp): Promise<string[]> =>
      (await page.evaluate(() => (window as unknown as { told: string[] }).told)).filter((text) => pattern.test(text));
    expect(await open(large)).toBe("");
    const read = await told(/^Looking.* of 10\d\.\d MB true$/);
    expect(read.length).toBeGreaterThan(3);
    expect(read.at(-1)).toMatch(/ (10\d\.\d) of \1 MB/);
    // Pressed as soon as the page says so.
    const cancelDuring = (...stages: readonly string[]): Promise<void> =>
      page.evaluate(
        (left) => {
          const watch = new MutationObserver(() => {
            if (document.querySelector("#import-status")?.textContent !== left[0]) return;
            left.shift();
            if (left.length === 0) watch.disconnect();
            document.querySelector<HTMLButtonElement>("#import-cancel")!.click();
          });
          watch.observe(document.querySelector("#import-status")!, { subtree: true, childList: true, characterData: true });
        },
        [...stages],
      );
    await cancelDuring("Reading …");
    await page.setInputFiles("#import-file", large);
    await page.waitForSelector(".import-drop");
    // A quiet line: nothing went wrong.
    const isQuiet = async (): Promise<void> => {
      expect(await text("#import-status")).toBe("Cancelled.");
      expect(await page.evaluate(() => document.querySelector("#import-progress, #import-fault, #import-item, #import-loss"))).toBe(null);
    };
    await isQuiet();
    // Cancel while it is drawn, and while gradients are computed: what is open stays open, as it was.
    const isCancelled = (): Promise<unknown> =>
      page.waitForFunction(() => document.querySelector("#import-status")?.textContent === "Cancelled.");
    expect(await open(large)).toBe("");
    const items = (): Promise<number> => page.evaluate(() => document.querySelectorAll("#import-canvas [data-item]").length);
    const before = await items();
    await cancelDuring("Drawing …");
    await page.selectOption("#import-depth", "2");
    await isCancelled();
    await isQuiet();
    expect(await items()).toBe(before);
    expect(await page.evaluate(() => document.querySelector<HTMLSelectElement>("#import-depth")!.value)).toBe("");
    await cancelDuring("Computing gradients …");
    await page.click("#import-gradients button[type=submit]");
    await isCancelled();
    await isQuiet();
    expect(await items()).toBe(before);
    await page.fill("#import-search", "downsample");
    await page.waitForSelector("#import-found button");
    // Given up while it comes back, it is closed, and a button opens it again.
    await cancelDuring("Computing gradients …", "Building the graph …");
    await page.click("#import-gradients button[type=submit]");
    await page.waitForSelector(".import-drop");
    await isQuiet();
    await page.click("#import-wanted button");
    await page.waitForSelector("#import-canvas [data-item]");
    // The next file is opened by another worker; what is told afterwards is its own.
    expect(await open(fixture("onnx/mlp/model.onnx"))).toBe("");
    await page.click("#import-gradients button[type=submit]");
    await page.waitForSelector("#import-loss");
    expect((await told(/^Computing gradients .* of 4 steps true$/)).length).toBeGreaterThan(0);
    await page.setInputFiles("#import-data", digits);
    await page.waitForFunction(() => document.querySelector("#import-tune")?.textContent?.includes("1,797 rows"));
    await page.fill("#import-tune input[type=number]", "10000");
    await page.click("#import-tune button[type=submit]");
    await expect.poll(() => told(/^Tuning .* of [\d,]+ steps true$/), { timeout: 30_000 }).not.toEqual([]);
    await page.click("#import-tune button:not(.primary):not(#import-download)");
    await page.waitForSelector("#import-tuned");
    expect(await text("#import-tuned")).toContain("Stopped");
    // What was tuned, and the table, outlive a computation that is given up.
    const loss = async (): Promise<string> => {
      await page.click("#import-gradients button[type=submit]");
      await page.waitForSelector("#import-loss");
      return (await text("#import-loss")).split(",")[0]!;
    };
    const tuned = await loss();
    await cancelDuring("Computing gradients …");
    await page.click("#import-gradients button[type=submit]");
    await isCancelled();
    expect(await loss()).toBe(tuned);
    await page.click("#import-tune button[type=submit]");
    await page.waitForFunction(() => document.querySelector("#import-status")?.textContent === "Tuning …");
    await page.click("#import-tune button:not(.primary):not(#import-download)");
    await page.waitForSelector("#import-tuned");
    expect(faults).toEqual([]);
  });

  test("opens a table of a million columns", { timeout: 180_000 }, async () => {
    const columns = 1_000_000;
    const names = Array.from({ length: columns }, (_, i) => `c${i}`).join(",");
    const row = Array.from({ length: columns }, (_, i) => i % 7).join(",");
    // Beside an open model a table is data to tune with.
    expect(await open(write("one.npz", await serializeNpz({ w: tensor([1, 2, 3]) })))).toBe("");
    const path = write("wide.csv", `${names},label\n${row},1\n${row},0\n`);
    await page.setInputFiles("#import-file", path);
    const opened = (): Promise<string> => page.evaluate(() => document.querySelector(".import-side[data-panel=file]")!.textContent!);
    await expect.poll(opened, { timeout: 120_000 }).toContain("2 rows, 1,000,000 columns");
    expect(await page.evaluate(() => document.querySelectorAll(".import-content th").length)).toBe(30);
    expect(await text(".import-content tbody tr:last-child td:nth-child(7)")).toBe("6.000");
    expect(await open(fixture("onnx/mlp/model.onnx"))).toBe("");
    expect(faults).toEqual([]);
  });

  test("speaks Korean", async () => {
    const other = await studio.visit({ at: "?lang=ko" });
    await other.page.click("#tab-import");
    await other.page.waitForSelector("#import-file", { state: "attached" });
    expect(await other.page.textContent(".import-drop")).toBe("여기에 파일을 놓거나 골라 주세요");
    expect(other.faults).toEqual([]);
    await other.page.close();
  });
});
