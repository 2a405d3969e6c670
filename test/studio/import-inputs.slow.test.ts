import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import sharp from "sharp";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { parseCsv, readImage, serializeNpy, serializeNpz } from "../../src/data.ts";
import {
  constant,
  evaluate,
  f32,
  gather,
  gradients,
  graph,
  i64,
  matmul,
  mean,
  mul,
  read,
  reshape,
  scope,
  softmaxCrossEntropy,
  square,
  sub,
  type Tensor,
  tensor,
  transpose,
  type Value,
  variable,
} from "../../src/index.ts";
import { onnx } from "../../src/onnx.ts";
import type { Page, PageOptions } from "../browser/launch.ts";
import { englishOf, textsOf } from "./dictionaries.ts";
import { openStudio, type Studio } from "./open-studio.ts";
import { serious } from "./serious.ts";

/* Gradients of an output or a loss for an input that the reader gives: the numbers of the page are the library's. */

const fixture = (path: string): string => fileURLToPath(new URL(`../fixtures/${path}`, import.meta.url));
const digits = fileURLToPath(new URL("../../data/digits.csv", import.meta.url));
const mlp = fixture("onnx/mlp/model.onnx");

let studio: Studio | null = null;
let folder: string;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "chainrule-inputs-"));
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

function write(name: string, content: Uint8Array | string): string {
  const path = join(folder, name);
  writeFileSync(path, content);
  return path;
}

async function visit(
  there: Studio,
  path: string,
  options: PageOptions & { readonly at?: string } = {},
): Promise<{ page: Page; faults: string[] }> {
  const visited = await there.visit({ bypassCSP: true, viewport: { width: 1280, height: 1100 }, ...options });
  await visited.page.click("#tab-import");
  await visited.page.waitForSelector("#import-file", { state: "attached" });
  await visited.page.setInputFiles("#import-file", path);
  await visited.page.waitForSelector("#import-inspection", { state: "attached" });
  await visited.page.waitForFunction(() => document.querySelector("#import-status")?.textContent === "");
  return visited;
}

/** The loss and the gradients' sizes by weight, as the page shows them. */
async function computed(page: Page): Promise<{ loss: string; slopes: Record<string, string>; fault: string }> {
  await page.evaluate(() => {
    for (const old of document.querySelectorAll("#import-loss, #import-fault")) old.setAttribute("data-old", "");
  });
  await page.click("#import-gradients button[type=submit]");
  await page.waitForFunction(
    () =>
      document.querySelector("#import-status")?.textContent === "" &&
      document.querySelector("[data-old]") === null &&
      (document.querySelector("#import-loss") !== null || document.querySelector("#import-fault") !== null),
  );
  return page.evaluate(() => ({
    loss: /(?:loss|손실) ([^,]+),/.exec(document.querySelector("#import-loss")?.textContent ?? "")?.[1] ?? "",
    fault: document.querySelector("#import-fault")?.textContent?.trim() ?? "",
    slopes: Object.fromEntries(
      [...document.querySelectorAll(".import-side[data-panel=file] .import-tensors li")].map((row) => [
        row.querySelector("b")!.textContent,
        /‖∇‖ (.*)/.exec(row.textContent)?.[1] ?? "",
      ]),
    ),
  }));
}

/** Of four digits on the page. */
const numberOf = (text: string): number => Number(text.replace("−", "-"));

/** The loss that the page says it takes, written with the library. */
function lossOf(y: Value, { loss, target }: { readonly loss: string; readonly target: string }): Value {
  if (loss === "mean") return mean(y);
  if (loss === "squares") return mean(square(sub(y, Number(target))));
  const [rows, classes] = [y.type.shape.slice(0, -1).reduce((a, b) => a * b, 1), y.type.shape.at(-1)!];
  const wanted = target.split(",").map(Number);
  return softmaxCrossEntropy(
    reshape(y, { shape: [rows, classes] }),
    tensor(Int32Array.from({ length: rows }, (_, i) => wanted[i] ?? wanted[0]!)),
  );
}

/** Holds what the page shows to what the library computes in double where the model lets it. */
async function expectSame(
  path: string,
  inputs: Readonly<Record<string, Tensor>>,
  asked: { readonly output: string; readonly loss: string; readonly target: string },
  shown: Awaited<ReturnType<typeof computed>>,
): Promise<void> {
  expect(shown.fault).toBe("");
  const model = await onnx.read(path);
  const params = Object.fromEntries(Object.entries(model.params).map(([name, value]) => [name, variable(value, name)]));
  const loss = lossOf(model.apply(params, inputs)[asked.output]!, asked);
  const wrt = Object.fromEntries(model.trainable.map((name) => [name, params[name]!]));
  const slopes = gradients(loss, wrt);
  const close = (text: string, wanted: number): void =>
    expect(Math.abs(numberOf(text) - wanted), `${text} is not ${wanted}`).toBeLessThanOrEqual(1e-3 * Math.abs(wanted) + 1e-9);
  close(shown.loss, read(loss));
  expect(model.trainable.length).toBeGreaterThan(0);
  for (const name of model.trainable) {
    const data = Float64Array.from(evaluate(slopes[name]!).data);
    close(shown.slopes[name]!, Math.sqrt(data.reduce((sum, x) => sum + x * x, 0) / data.length));
  }
}

const verdict = (page: Page, input: string): Promise<string> =>
  page.evaluate((name) => document.querySelector(`[data-input="${name}"] [role=status]`)?.textContent?.trim() ?? "", input);

/** Waits for what the page says of an input. */
async function says(page: Page, input: string, wanted: RegExp): Promise<void> {
  await expect.poll(() => verdict(page, input), { timeout: 30_000 }).toMatch(wanted);
}

const field = (input: string, what: string): string => `[data-input="${input}"] ${what}`;

describe("gradients for an input that is given", () => {
  inPage("typed: each loss has the library's numbers, and what does not fit is told", async (there) => {
    const { page, faults } = await visit(there, mlp);
    const [input] = Object.keys((await onnx.read(mlp)).inputs);
    const output = Object.keys((await onnx.read(mlp)).outputs)[0]!;
    await page.selectOption(field(input!, "select"), "text");
    await says(page, input!, /^There are no numbers yet/);
    await page.fill(field(input!, "textarea"), Array(63).fill("0.5").join(", "));
    await says(page, input!, /^63 numbers were given, and f32\[batch,64\] takes 64, or a multiple of that\.$/);
    expect((await computed(page)).fault).toMatch(/^63 numbers were given/);
    const data = Float32Array.from({ length: 128 }, (_, i) => Math.round(100 * Math.sin(i)) / 10);
    await page.fill(field(input!, "textarea"), Array.from(data).join(" "));
    await says(page, input!, /^fits: f32\[2,64\], from −10.* to 10/);
    const given = { [input!]: tensor(data, f32(2, 64)) };
    await page.fill("#import-target", "3, 7");
    await expectSame(mlp, given, { output, loss: "class", target: "3, 7" }, await computed(page));
    // The output for this input stands beside the loss.
    expect(await page.textContent("#import-result")).toContain("f32[2, 10]");
    await page.selectOption("#import-loss-kind", "squares");
    await page.fill("#import-target", "0.25");
    await expectSame(mlp, given, { output, loss: "squares", target: "0.25" }, await computed(page));
    await page.selectOption("#import-loss-kind", "mean");
    await expectSame(mlp, given, { output, loss: "mean", target: "" }, await computed(page));
    // The picture is of these two rows.
    expect(await page.textContent("#import-canvas")).toContain("2×64");
    await page.selectOption("#import-loss-kind", "class");
    for (const [target, fault] of [
      ["10", /^10 is no class of .*, whose classes are 0 to 9\.$/],
      ["1, 2, 3", /^3 targets were given, and .* takes one for all, or 2\.$/],
      ["<b>x</b>", /^“<b>x<\/b>” is no number/],
    ] as const) {
      await page.fill("#import-target", target);
      expect((await computed(page)).fault).toMatch(fault);
    }
    expect(await serious(page)).toEqual([]);
    expect(faults).toEqual([]);
    await page.close();
  });

  inPage("from a table, an array and an archive, with a row of them, chosen or dropped", async (there) => {
    const { page, faults } = await visit(there, mlp);
    const model = await onnx.read(mlp);
    const [input, output] = [Object.keys(model.inputs)[0]!, Object.keys(model.outputs)[0]!];
    await page.selectOption(field(input, "select"), "file");
    await page.setInputFiles(field(input, "input[type=file]"), digits);
    await says(page, input, /^fits: f32\[1,64\]/);
    expect(await page.textContent(field(input, "label:has(.import-row)"))).toContain("1,797");
    await page.fill(field(input, ".import-row"), "1798");
    await says(page, input, /^There is no row 1798; the file has rows 1 to 1,797\.$/);
    await page.fill(field(input, ".import-row"), "1000");
    await says(page, input, /^fits/);
    const text = readFileSync(digits, "utf8");
    const label = text.split("\n")[0]!.split(",").at(-1)!;
    const table = parseCsv(text, { label });
    const row = tensor(Float32Array.from(table.data.subarray(999 * 64, 1000 * 64)), f32(1, 64));
    await page.fill("#import-target", "4");
    await expectSame(mlp, { [input]: row }, { output, loss: "class", target: "4" }, await computed(page));
    // An array that is dropped on the page is the input, not another file to look at.
    const array = tensor(
      Float32Array.from({ length: 192 }, (_, i) => Math.cos(i)),
      f32(3, 64),
    );
    await page.evaluate(
      ([selector, bytes]) => {
        const dataTransfer = new DataTransfer();
        dataTransfer.items.add(new File([Uint8Array.from(bytes as number[])], "three.npy"));
        document.querySelector(selector as string)!.dispatchEvent(new DragEvent("drop", { dataTransfer, bubbles: true, cancelable: true }));
      },
      ["#import-canvas", Array.from(serializeNpy(array))] as const,
    );
    await says(page, input, /^fits: f32\[3,64\]/);
    await expectSame(mlp, { [input]: array }, { output, loss: "class", target: "4" }, await computed(page));
    expect(await page.textContent(".import-side h2")).toBe("model.onnx");
    await page.setInputFiles(field(input, "input[type=file]"), write("two.npz", await serializeNpz({ a: array, "<b>b</b>": array })));
    await says(page, input, /choose one of a, <b>b<\/b>\.$/);
    await page.selectOption(field(input, "label select"), "<b>b</b>");
    await says(page, input, /^fits: f32\[3,64\]/);
    expect(faults).toEqual([]);
    await page.close();
  });

  inPage("from an image, and tokens that are whole", async (there) => {
    const lenet = fixture("onnx/lenet/model.onnx");
    const model = await onnx.read(lenet);
    const [input, output] = [Object.keys(model.inputs)[0]!, Object.keys(model.outputs)[0]!];
    const side = model.inputs[input]!.shape!.at(-1) as number;
    const pixels = Uint8Array.from({ length: side * side * 3 }, (_, i) => (i * 37) % 256);
    const png = await sharp(pixels, { raw: { width: side, height: side, channels: 3 } })
      .png()
      .toBuffer();
    const { page, faults } = await visit(there, lenet);
    await page.selectOption(field(input, "select"), "file");
    await page.setInputFiles(field(input, "input[type=file]"), write("noise.png", png));
    await says(page, input, /^fits: f32\[1,1,/);
    await page.selectOption(field(input, "label select"), "signed");
    await says(page, input, /from −/);
    const image = await readImage(png, { grey: true });
    const signed = tensor(
      Float32Array.from(image.data, (x) => 2 * x - 1),
      f32(1, 1, side, side),
    );
    await page.fill("#import-target", "2");
    await expectSame(lenet, { [input]: signed }, { output, loss: "class", target: "2" }, await computed(page));
    const table = constant(
      tensor(
        Float32Array.from({ length: 40 }, (_, i) => Math.sin(i)),
        f32(10, 4),
      ),
    );
    const tokens = write(
      "tokens.onnx",
      onnx.write(
        graph({ ids: i64(1, 3) }, ({ ids }) => ({
          y: scope("head", () => matmul(gather(table, ids, { axis: 0 }), mul(transpose(table), 2))),
        })),
      ),
    );
    await page.setInputFiles("#import-file", tokens);
    await page.waitForFunction(
      () =>
        document.querySelector(".import-side h2")?.textContent === "tokens.onnx" &&
        document.querySelector("#import-status")?.textContent === "",
    );
    await page.selectOption(field("ids", "select"), "text");
    await page.fill(field("ids", "textarea"), "1, 2.5, 3");
    await says(page, "ids", /^2\.5 is not a whole number, and the input takes i64/);
    await page.fill(field("ids", "textarea"), "1, 7, 3");
    await says(page, "ids", /^fits: i64\[1,3\]/);
    await page.fill("#import-target", "5");
    await expectSame(
      tokens,
      { ids: tensor(Float64Array.of(1, 7, 3), i64(1, 3)) },
      { output: "y", loss: "class", target: "5" },
      await computed(page),
    );
    expect(faults).toEqual([]);
    await page.close();
  });

  inPage("in Korean", async (there) => {
    const { page, faults } = await visit(there, mlp, { at: "?lang=ko" });
    const input = Object.keys((await onnx.read(mlp)).inputs)[0]!;
    const english = await englishOf("words/", "import/words-");
    await page.selectOption(field(input, "select"), "text");
    await page.fill(field(input, "textarea"), "1 2");
    await says(page, input, /^수가 2개인데, 입력 f32\[batch,64\]\u2060에는 64개 또는 그 배수만큼 필요합니다\.$/);
    expect((await computed(page)).fault).toMatch(/^수가 2개인데/);
    await page.selectOption(field(input, "select"), "file");
    expect((await textsOf(page)).filter((text) => english.has(text))).toEqual([]);
    expect(await serious(page)).toEqual([]);
    expect(faults).toEqual([]);
    await page.close();
  });
});
