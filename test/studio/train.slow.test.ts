import {
  binaryCrossEntropy,
  compile,
  evaluate,
  f32,
  graph,
  random,
  read,
  reshape,
  tanh,
  tensor,
  type Value,
  valueAndGrad,
  variables,
} from "chainrule";
import { dataset, loader, parseSafetensors } from "chainrule/data";
import { linear } from "chainrule/nn";
import { onnx } from "chainrule/onnx";
import { adam } from "chainrule/optim";
import { wasm } from "chainrule/wasm";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { makeProblem } from "../../studio/train/data-sets.ts";
import { defaultTrain } from "../../studio/train/state.ts";
import { leftOut, type Page } from "../browser/launch.ts";
import { openStudio, type Studio } from "./open-studio.ts";
import { serious } from "./serious.ts";
import { type MorePage, numberIn, paused, ready, visitTrain } from "./train-page.ts";

type Dictionary = Readonly<Record<string, string | ((...given: never[]) => string)>>;
/** A dictionary of the tab; by a path that types do not follow, because they would ask the studio's files for types in every export. */
async function dictionary(language: string): Promise<Dictionary> {
  const path: string = `../../studio/train/words-${language}.ts`;
  return ((await import(path)) as Record<string, Dictionary>)[language]!;
}
const [en, ko] = [await dictionary("en"), await dictionary("ko")];
const said = (key: string): string => String(en[key]);

let studio: Studio | null;
beforeAll(async () => {
  studio = await openStudio();
});
afterAll(() => studio?.close());

/** The same training by the library alone, as a user would write it. */
async function byLibrary(seed: number, epochs: number): Promise<{ train: number; test: number }> {
  const { train, test } = makeProblem({ ...defaultTrain, data: "moons", points: 200, noise: 10, seed });
  const rows = { x: tensor(train.x, f32(train.rows, 2)), y: tensor(train.y, f32(train.rows)) };
  const key = random.key(seed);
  const params = {
    layer1: linear.init(random.fold(key, "layer1"), 2, 8),
    layer2: linear.init(random.fold(key, "layer2"), 8, 8),
    output: linear.init(random.fold(key, "output"), 8, 1),
  };
  type P = { readonly [K in keyof typeof params]: { readonly w: Value; readonly b: Value } };
  const loss = (p: P, x: Value, y: Value): Value =>
    binaryCrossEntropy(reshape(linear(p.output, tanh(linear(p.layer2, tanh(linear(p.layer1, x))))), { shape: y.type.shape }), y);
  const optimizer = adam({ rate: 0.01 });
  const state = { params, opt: optimizer.init(params) };
  const step = graph({ ...state, x: f32(10, 2), y: f32(10) }, ({ params, opt, x, y }) => {
    const { value, grad } = valueAndGrad((p: P) => loss(p, x, y))(params);
    return { loss: value, ...optimizer.update({ params, grad, opt }) };
  });
  const program = await compile(step, wasm(), { state });
  const source = loader(dataset(rows), { batch: 10, shuffle: seed, last: "drop" });
  for (let epoch = 0; epoch < epochs; epoch++) for (const batch of source) program.run(batch);
  const now = variables(program.state.read().params) as unknown as P;
  const at = ({ x, y, rows: n }: typeof train): number =>
    read(loss(now, variables(tensor(x, f32(n, 2))) as Value, variables(tensor(y, f32(n))) as Value));
  return { train: at(train), test: at(test) };
}

const fifty = {
  data: "moons",
  points: 200,
  noise: 10,
  seed: 3,
  layers: [8, 8],
  optimizer: "adam",
  rate: 0.01,
  stop: 50,
  pace: "full",
} as const;

/** The output's map and the units' pictures as they are seen: six hexadecimal digits a pixel. */
const drawnOn = (page: Page): Promise<string[]> =>
  page.evaluate(() =>
    [".map-box canvas.pixels", ".unit canvas"]
      .flatMap((place) => [...document.querySelectorAll<HTMLCanvasElement>(place)])
      .map((canvas) => {
        const copy = new OffscreenCanvas(canvas.width, canvas.height);
        const context = copy.getContext("2d")!;
        context.drawImage(canvas, 0, 0);
        const { data } = context.getImageData(0, 0, canvas.width, canvas.height);
        let text = "";
        for (let i = 0; i < data.length; i += 4)
          text += (65_536 * data[i]! + 256 * data[i + 1]! + data[i + 2]!).toString(16).padStart(6, "0");
        return text;
      }),
  );

/** The same once nothing is drawn any more: the worker's pictures come some frames after the numbers. */
async function drawnAtLast(page: Page): Promise<string[]> {
  let last: string[] = [];
  for (let same = 0; same < 3; ) {
    await page.evaluate("new Promise((done) => setTimeout(done, 120))");
    const now = await drawnOn(page);
    same = now.join() === last.join() ? same + 1 : 0;
    last = now;
  }
  return last;
}

describe.skipIf(leftOut())("the Train tab", () => {
  test("learns 50 epochs as the library does in Node, the same each time, and says so", async (context) => {
    if (studio === null) return context.skip();
    const { page, faults } = await visitTrain(studio, fifty);
    await ready(page);
    await page.click("#play");
    await page.waitForFunction(() => document.querySelector("#epoch")!.textContent === "50");
    await paused(page);
    const wanted = await byLibrary(3, 50);
    const shown = { train: await numberIn(page, "#train-loss"), test: await numberIn(page, "#test-loss") };
    expect(Math.abs(shown.train / wanted.train - 1)).toBeLessThan(2e-3);
    expect(Math.abs(shown.test / wanted.test - 1)).toBeLessThan(2e-3);
    expect(await page.textContent("#train-says")).toMatch(
      /^Paused at epoch 50: training loss [\d.]+, test loss [\d.]+, [\d.]+ % of the test rows right\.$/,
    );
    // What is drawn is no empty canvas.
    const [map] = await drawnAtLast(page);
    expect(new Set(map!.match(/.{6}/g)).size).toBeGreaterThan(20);
    // Again, another way: paused in between, and slower.
    await page.selectOption("#pace", "epoch");
    await page.click("#reset");
    await page.waitForFunction(() => document.querySelector("#epoch")!.textContent === "0");
    await ready(page);
    await page.click("#step-batch");
    await page.click("#step-epoch");
    await page.waitForFunction(() => document.querySelector("#epoch")!.textContent === "1");
    await page.selectOption("#pace", "full");
    await page.click("#play");
    await page.waitForFunction(() => document.querySelector("#epoch")!.textContent === "50");
    await paused(page);
    expect({ train: await numberIn(page, "#train-loss"), test: await numberIn(page, "#test-loss") }).toEqual(shown);
    expect(faults).toEqual([]);
    await page.close();
  });

  test("the worker's own pictures are the page's, which draws them where a canvas cannot be handed over", async (context) => {
    if (studio === null) return context.skip();
    const found: string[][] = [];
    for (const hands of [true, false]) {
      const { page, faults } = await visitTrain(
        studio,
        { ...fifty, stop: 5 },
        hands
          ? {}
          : { before: (page) => (page as MorePage).addInitScript("delete HTMLCanvasElement.prototype.transferControlToOffscreen") },
      );
      await ready(page);
      await page.click("#play");
      await page.waitForFunction(() => document.querySelector("#epoch")!.textContent === "5");
      await paused(page);
      const handed = await page.evaluate(() => {
        try {
          return document.querySelector<HTMLCanvasElement>(".map-box canvas")!.getContext("2d") === null;
        } catch {
          return true;
        }
      });
      expect(handed).toBe(hands);
      const shades = await drawnAtLast(page);
      // Another look while it stands still.
      await page.click("#discrete");
      await expect.poll(async () => new Set((await drawnOn(page))[0]!.match(/.{6}/g)).size, { timeout: 10_000 }).toBeLessThan(4);
      const [yesNo] = await drawnOn(page);
      // A layer more has canvases of its own.
      await page.click("#add-layer");
      await page.waitForFunction(() => document.querySelector("#epoch")!.textContent === "0");
      await ready(page);
      found.push(shades, [yesNo!], await drawnAtLast(page));
      expect(faults).toEqual([]);
      await page.close();
    }
    expect(found[0]!.length).toBe(17);
    expect(new Set(found[0]).size).toBe(17);
    for (let i = 0; i < 3; i++) expect(found[i]).toEqual(found[i + 3]);
  });

  test("gives the net away in five forms that agree", async (context) => {
    if (studio === null) return context.skip();
    const { page, faults } = await visitTrain(studio, { points: 50, layers: [3] });
    await ready(page);
    await page.click("#step-epoch");
    const files: Record<string, Uint8Array> = {};
    for (const format of ["typescript", "pytorch", "json", "onnx", "safetensors"]) {
      await page.evaluate(() => {
        const make = URL.createObjectURL.bind(URL);
        URL.createObjectURL = (blob) => {
          if (blob instanceof Blob) void blob.arrayBuffer().then((b) => Object.assign(window, { taken: [...new Uint8Array(b)] }));
          return make(blob);
        };
      });
      await page.click(`#export-${format}`);
      await page.waitForFunction(() => "taken" in window);
      files[format] = Uint8Array.from(await page.evaluate<number[]>("window.taken"));
      await page.evaluate("delete window.taken");
    }
    const text = (name: string): string => new TextDecoder().decode(files[name]);
    const { tensors } = parseSafetensors(files["safetensors"]!);
    const json = JSON.parse(text("json")) as { params: Record<string, { w: { data: number[] }; b: { data: number[] } }> };
    expect([...tensors["layer1.w"]!.data]).toEqual(json.params["layer1"]!.w.data);
    expect([...tensors["output.b"]!.data]).toEqual(json.params["output"]!.b.data);
    const model = await onnx.read(files["onnx"]!);
    const x = tensor([[1.5, -2]], "f32");
    const t = (name: string) => variables(tensors[name]!) as Value;
    const p = { layer1: { w: t("layer1.w"), b: t("layer1.b") }, output: { w: t("output.w"), b: t("output.b") } };
    const out = evaluate(linear(p.output, tanh(linear(p.layer1, x)))).data[0]!;
    expect(Number(evaluate(model.apply(model.params, { x })["output"]!).data[0])).toBeCloseTo(Number(out), 5);
    expect(text("typescript")).toContain("export function predict(");
    expect(text("pytorch")).toContain("class Net(nn.Module):");
    expect(faults).toEqual([]);
    await page.close();
  });

  test("is whole in Korean, and is worked by the keyboard alone", async (context) => {
    if (studio === null) return context.skip();
    const { page, faults } = await visitTrain(studio, { points: 60 }, { lang: "ko" });
    await ready(page);
    await page.focus("#data-gauss");
    await page.keyboard.press("Enter");
    await page.waitForFunction(() => document.querySelector("#data-gauss")!.getAttribute("aria-pressed") === "true");
    await page.focus("#add-layer");
    await page.keyboard.press(" ");
    await page.waitForFunction(() => document.querySelectorAll(".unit-grid").length === 3);
    await page.waitForFunction(() => document.querySelector("#play:not([disabled])"));
    await page.focus("#play");
    await page.keyboard.press("Enter");
    await page.waitForFunction(() => document.querySelector("#train-says")!.textContent === "학습 중입니다.");
    await page.keyboard.press("Enter");
    await paused(page);
    await page.waitForFunction(() => /에폭에서 멈춤: 학습 손실/.test(document.querySelector("#train-says")!.textContent!));
    // A unit by the keyboard: its formula.
    await page.focus('[data-unit="0:1"]');
    await page.keyboard.press("Enter");
    await page.waitForSelector(".unit-formula");
    expect(await page.textContent(".unit-formula")).toContain("h1_2 = tanh(");
    // No English sentence of the tab is left.
    const texts = await page.evaluate(() =>
      [...document.querySelectorAll("#panel-train *")].flatMap((element) => [
        ...[...element.childNodes].filter((node) => node.nodeType === 3).map((node) => node.textContent!.trim()),
        element.getAttribute("aria-label") ?? "",
        element.getAttribute("title") ?? "",
      ]),
    );
    const english = new Set(Object.entries(en).flatMap(([key, word]) => (typeof word === "string" && word !== ko[key] ? [word] : [])));
    expect(texts.filter((text) => english.has(text))).toEqual([]);
    expect(texts.filter((text) => /[가-힣]/.test(text)).length).toBeGreaterThan(40);
    expect(faults).toEqual([]);
    await page.close();
  });

  test("has points drawn and digits read, by the keyboard", async (context) => {
    if (studio === null) return context.skip();
    const { page, faults } = await visitTrain(studio, { data: "draw", layers: [] });
    await page.waitForSelector(".train-fault[role=alert]");
    expect(await page.textContent(".train-fault")).toBe(said("fault too few"));
    await page.focus(".marks");
    for (const key of [
      "1",
      "ArrowLeft",
      "Enter",
      "ArrowLeft",
      "Enter",
      "ArrowLeft",
      " ",
      "2",
      "Shift+ArrowRight",
      "Shift+ArrowRight",
      "Enter",
      "ArrowUp",
      "Enter",
      "ArrowUp",
      "Enter",
      "Delete",
      "Enter",
    ])
      await page.keyboard.press(key);
    await page.waitForFunction((text) => document.querySelector(".draw-tools .hint")!.textContent!.startsWith(text), "6 points");
    await ready(page);
    await page.click("#data-digits");
    await page.waitForFunction(() => document.querySelectorAll(".unit").length === 24);
    await ready(page);
    await page.click("#step-epoch");
    await page.focus("#pad");
    for (const key of ["ArrowUp", "ArrowUp", "ArrowUp", "ArrowUp", " ", ...Array<string>(8).fill("ArrowDown"), " "])
      await page.keyboard.press(key);
    await page.waitForFunction(() => /^The net reads a \d \([\d.]+ %\)\.$/.test(document.querySelector("#reads")!.textContent!));
    await page.keyboard.press("Delete");
    await page.waitForFunction((text) => document.querySelector("#reads")!.textContent === text, said("reads nothing"));
    await page.selectOption("#kind", "conv");
    await page.waitForFunction(() => document.querySelector("#units-0") !== null);
    await page.fill("#units-0", "4");
    await page.waitForFunction(() => document.querySelectorAll(".unit").length === 4);
    await ready(page);
    await page.click("#pad-sample");
    await page.click("#step-batch");
    await page.waitForFunction(() => /reads a/.test(document.querySelector("#reads")!.textContent!));
    expect(faults).toEqual([]);
    await page.close();
  });

  test("tells what is wrong with what it is given, and goes on", async (context) => {
    if (studio === null) return context.skip();
    const { page, faults } = await visitTrain(studio, { data: "formula", formula: "x", activation: "identity", layers: [4], points: 40 });
    await ready(page);
    const fault = (part: string): Promise<unknown> =>
      page.waitForFunction((text) => document.querySelector(".train-fault")?.textContent?.includes(text), part);
    await page.fill("#formula", "x +");
    await fault("The formula could not be read");
    await page.fill("#formula", "log(x)");
    await fault(said("fault not finite"));
    await page.fill("#formula", "x");
    await page.waitForFunction(() => document.querySelector(".train-fault") === null);
    await ready(page);
    // A rate that is none changes nothing and is told so; one that is too large stops with the reason.
    await page.fill("#rate", "NaN");
    expect(await page.textContent("#rate-says")).toContain("A number from 0");
    await page.fill("#rate", "0");
    expect(await page.textContent("#rate-says")).toBe(said("rate zero"));
    await page.fill("#rate", "1e20");
    await page.selectOption("#pace", "full");
    await page.click("#play");
    await page.waitForSelector(".health .train-fault");
    expect(await page.textContent(".health .train-fault pre")).toMatch(/\w{3}/);
    // A table with markup in its names, and one of a million columns.
    await page.click("#data-csv");
    await page.fill("#csv", `<img src=x onerror="window.broken=1">,b,y\n1,2,<script>\n2,1,c\n3,5,c\n4,4,<script>\n`);
    await page.waitForFunction(() => document.querySelectorAll("[data-input]").length === 2);
    expect(await page.evaluate(() => [document.querySelectorAll("main img, main script").length, "broken" in window])).toEqual([0, false]);
    const wide = `${"1,".repeat(1_000_000)}1`;
    await page.setInputFiles("#csv-file", { name: "wide.csv", mimeType: "text/csv", buffer: Buffer.from(`${wide}\n${wide}\n`) });
    await fault("1,000,001 columns");
    // The worker ends: the page says so, and begins with another.
    await page.click("#data-circle");
    await ready(page);
    await page.workers()[0]!.evaluate("setTimeout(() => { throw new Error('gone'); })");
    await fault(said("worker died"));
    faults.splice(0, faults.length, ...faults.filter((text) => !text.includes("gone")));
    await page.click("#reset");
    await ready(page);
    await page.click("#step-batch");
    // Undo brings the settings back.
    await page.click("#undo");
    await page.waitForFunction(() => document.querySelector("#data-csv")!.getAttribute("aria-pressed") === "true");
    expect(faults).toEqual([]);
    await page.close();
  });

  test("opens the next batch as a graph", { timeout: 120_000 }, async (context) => {
    if (studio === null) return context.skip();
    const { page, faults } = await visitTrain(studio, { points: 40, batch: 4, layers: [2] });
    await ready(page);
    await page.click("#take-batch");
    await page.waitForFunction(() => document.querySelector("#tab-graph")!.getAttribute("aria-current") === "page");
    await page.waitForFunction(
      (formula) => document.querySelector<HTMLTextAreaElement>("main textarea")?.value === formula,
      [
        "## layer1: W1, b1",
        "h1 = tanh(X @ W1 + b1)",
        "## output: W2, b2",
        "z = h1 @ W2 + b2",
        "## loss",
        "L = binaryCrossEntropy(z, y)",
      ].join("\n"),
    );
    // The graph is drawn with the numbers: a wire has the shape of the batch.
    await page.waitForFunction(() =>
      /4×2/.test(document.querySelector("main svg[role='graphics-document'], main [role='graphics-document']")?.textContent ?? ""),
    );
    // Convolutions come as a box a layer, and are stepped through to the images.
    await page.click("#tab-train");
    await page.click("#data-digits");
    await page.selectOption("#kind", "conv");
    await page.fill("#units-0", "2");
    await page.waitForFunction(() => document.querySelectorAll(".unit").length === 2);
    await ready(page);
    await page.click("#take-batch");
    await page.waitForFunction(() =>
      document.querySelector<HTMLTextAreaElement>("#formula")?.value.includes("relu(conv(X, W1, b1, padding=1))"),
    );
    await page.waitForSelector(".cr-item[aria-label^='layer1']");
    await page.click("#last");
    await page.waitForFunction(() => /\d/.test(document.querySelector("li:has(#value-X) .gradient")?.textContent ?? ""));

    // The numbers of a large net stay beside the address, which is as short as ever.
    await page.click("#tab-train");
    await page.selectOption("#kind", "dense");
    await page.fill("#units-0", "400");
    await page.click("#add-layer");
    await page.fill("#units-1", "200");
    await page.fill("#batch", "8");
    await page.waitForFunction(() => /108,210/.test(document.querySelector("#panel-train")!.textContent ?? ""));
    await ready(page);
    await page.click("#step-batch");
    await page.click("#step-batch");
    await page.click("#take-batch");
    const slope = (): Promise<string> => page.evaluate(() => document.querySelector("li:has(#value-W2) .gradient")?.textContent ?? "");
    const isStepped = (): Promise<unknown> =>
      page.waitForFunction(() => /\d/.test(document.querySelector("li:has(#value-W2) .gradient")?.textContent ?? ""));
    await page.waitForSelector("#held-note");
    await page.waitForFunction(() => /This browser keeps them/.test(document.querySelector("#held-note")!.textContent ?? ""));
    await page.click("#last");
    await isStepped();
    const first = await slope();
    expect(first).toMatch(/‖∇‖/);
    // What is written in a box takes the place of a variable's numbers; an emptied one gives them back.
    await page.fill("#value-b3", "[1, 0, 0, 0, 0, 0, 0, 0, 0, 0]");
    await page.waitForFunction((old) => document.querySelector("li:has(#value-W2) .gradient")!.textContent !== old, first);
    await page.fill("#value-b3", "");
    await page.waitForFunction((old) => document.querySelector("li:has(#value-W2) .gradient")!.textContent === old, first);
    await page.waitForFunction(() => location.hash.length > 10);
    const address = await page.evaluate(async () => {
      await new Promise((done) => setTimeout(done, 400));
      return location.hash;
    });
    expect(address.length).toBeLessThan(2000);
    // Loaded again, it finds them in the browser's storage.
    await page.reload();
    await isStepped();
    expect(await slope()).toBe(first);
    const file = await page.evaluate(async () => {
      let kept: Blob | null = null;
      const create = URL.createObjectURL;
      URL.createObjectURL = (blob: Blob) => {
        kept = blob;
        return create(blob);
      };
      document.querySelector<HTMLButtonElement>("#save-held")!.click();
      while (kept === null) await new Promise((done) => setTimeout(done, 20));
      return [...new Uint8Array(await (kept as Blob).arrayBuffer())];
    });
    // Where nobody has them, which is what another browser is, the page says what is missing and what can be done.
    await page.evaluate(
      () =>
        new Promise((done, failed) => {
          const request = indexedDB.deleteDatabase("chainrule-numbers");
          request.onsuccess = done;
          request.onerror = failed;
        }),
    );
    await page.reload();
    await page.waitForSelector("#held-missing");
    expect(await page.textContent("#held-missing")).toContain("108,730");
    await page.setInputFiles("#find-held", { name: "other.safetensors", mimeType: "", buffer: Buffer.from("no such file") });
    await page.waitForFunction(() => (document.querySelector("#held-outcome")?.textContent ?? "") !== "");
    await page.click("#draw-held");
    await page.waitForFunction(() => /drawn from seed 1/.test(document.querySelector("#held-note")?.textContent ?? ""));
    await isStepped();
    expect(await slope()).not.toBe(first);
    await page.click("#undo");
    await page.waitForSelector("#held-missing");
    // The address has the settings of the net too, so that it can be learnt again: the same seed gives the same numbers.
    await page.click("#learn-held");
    await page.waitForFunction((old) => document.querySelector("li:has(#value-W2) .gradient")?.textContent === old, first);
    expect(await page.evaluate(() => document.querySelector("#held-missing"))).toBeNull();
    // They are kept, and the address told, a moment after they are shown.
    await page.evaluate(() => new Promise((done) => setTimeout(done, 400)));
    await page.waitForFunction(() => /This browser keeps them/.test(document.querySelector("#held-note")?.textContent ?? ""));
    await page.evaluate(
      () =>
        new Promise((done) => {
          indexedDB.deleteDatabase("chainrule-numbers").onsuccess = done;
        }),
    );
    await page.reload();
    await page.waitForSelector("#held-missing");
    await page.setInputFiles("#find-held", { name: "graph.safetensors", mimeType: "", buffer: Buffer.from(file) });
    await page.waitForFunction((old) => document.querySelector("li:has(#value-W2) .gradient")?.textContent === old, first);
    expect(faults).toEqual([]);
    await page.close();
  });

  test("a step in the opened graph is the step of the training: the whole batch, its loss with the penalty, and its gradients", async (context) => {
    if (studio === null) return context.skip();
    const rate = 0.2;
    const { page, faults } = await visitTrain(studio, {
      points: 50,
      batch: 24,
      layers: [2],
      optimizer: "sgd",
      rate,
      penalty: "l2",
      penaltyRate: 0.3,
    });
    await ready(page);
    await page.click("#step-batch");
    interface Opened {
      readonly formula: string;
      readonly values: Readonly<Record<string, number[]>>;
      readonly slopes: Readonly<Record<string, number[]>>;
    }
    const opened = async (): Promise<Opened> => {
      await page.click("#take-batch");
      await page.waitForFunction(() => document.querySelector("#tab-graph")!.getAttribute("aria-current") === "page");
      await page.waitForSelector("#value-W1");
      await page.click("#last");
      await page.waitForFunction(() => /\d/.test(document.querySelector("li:has(#value-W1) .gradient")?.textContent ?? ""));
      return page.evaluate(() => {
        const numbers = (text: string): number[] =>
          (
            text
              .replace(/^\d[\d×]* /, "")
              .replaceAll("−", "-")
              .match(/-?\d[\d.e+-]*/g) ?? []
          ).map(Number);
        const boxes = [...document.querySelectorAll<HTMLTextAreaElement>("textarea[id^='value-']")];
        const at = (name: string): Element => document.querySelector(`li:has(#value-${name}) .gradient`)!;
        const names = ["W1", "b1", "W2"];
        return {
          formula: document.querySelector<HTMLTextAreaElement>("#formula")!.value,
          values: Object.fromEntries(boxes.map((box) => [box.id.slice(6), numbers(box.value)])),
          slopes: Object.fromEntries(names.map((name) => [name, numbers(at(name).textContent ?? "")])),
        };
      });
    };
    const before = await opened();
    expect(before.formula).toBe(
      [
        "## layer1: W1, b1",
        "h1 = tanh(X @ W1 + b1)",
        "## output: W2, b2",
        "z = h1 @ W2 + b2",
        "## loss",
        "D = binaryCrossEntropy(z, y)",
        "## penalty",
        "P = (sum(W1^2) + sum(W2^2)) / 2",
        "##",
        "L = D + 0.3 * P",
      ].join("\n"),
    );
    expect(before.values["X"]!.length).toBe(2 * 24);
    await page.click("#tab-train");
    await ready(page);
    await page.click("#step-batch");
    const after = await opened();
    for (const [name, [norm]] of Object.entries(before.slopes)) {
      const [from, to] = [before.values[name]!, after.values[name]!];
      const moved = Math.hypot(...to.map((w, i) => (from[i]! - w) / rate));
      // The page shows a tensor's gradient by its norm, with three digits; `to-graph.test.ts` compares element by element.
      expect(Math.abs(moved - norm!) / norm!, name).toBeLessThan(5e-3);
    }
    // A batch that does not fit in the address is cut, and the formula says so.
    await page.click("#tab-train");
    await page.close();
    const large = await visitTrain(studio, { data: "gauss", points: 20_000, batch: 9000, layers: [2] }, { lang: "ko" });
    await ready(large.page);
    await large.page.click("#take-batch");
    await large.page.waitForFunction(() =>
      /^# 배치 9,000행 가운데 6,\d{3}행입니다/.test(document.querySelector<HTMLTextAreaElement>("#formula")?.value ?? ""),
    );
    expect([...faults, ...large.faults]).toEqual([]);
    await large.page.close();
  });

  test("has nothing serious for axe, on any of its faces", { timeout: 240_000 }, async (context) => {
    if (studio === null) return context.skip();
    for (const options of [{}, { viewport: { width: 390, height: 800 }, forcedColors: "active", reducedMotion: "reduce" }] as const) {
      const { page, faults } = await visitTrain(studio, { points: 40, penalty: "l2" }, { ...options, bypassCSP: true });
      const look = async (): Promise<void> => {
        expect(await serious(page, { within: "#panel-train" })).toEqual([]);
        if ("viewport" in options) return;
        await page.emulateMedia({ colorScheme: "dark" });
        expect(await serious(page, { within: "#panel-train", colours: true }), "dark").toEqual([]);
        await page.emulateMedia({ colorScheme: "light" });
      };
      await ready(page);
      await page.click("#step-batch");
      await look();
      await page.click("#data-digits");
      await page.waitForSelector("#pad");
      await ready(page);
      await look();
      await page.click("#data-csv");
      await page.waitForSelector(".train-fault");
      await look();
      const wide = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
      expect(wide).toBeLessThanOrEqual(0);
      expect(faults).toEqual([]);
      await page.close();
    }
  });

  test("draws while it learns, and its memory stays flat (numbers are printed)", async (context) => {
    if (studio === null) return context.skip();
    const { page, faults } = await visitTrain(studio, { data: "spiral", layers: [8, 8], optimizer: "adam", rate: 0.01, pace: "full" });
    await ready(page);
    await page.click("#play");
    await page.evaluate("new Promise((done) => setTimeout(done, 1500))");
    const session = await page.context().newCDPSession(page);
    await session.send("Performance.enable", { timeDomain: "threadTicks" });
    const busy = async (): Promise<number> => {
      const { metrics } = (await session.send("Performance.getMetrics")) as { metrics: { name: string; value: number }[] };
      return metrics.find(({ name }) => name === "TaskDuration")!.value;
    };
    const heap = async (): Promise<number> => {
      await session.send("HeapProfiler.collectGarbage");
      return ((await session.send("Runtime.getHeapUsage")) as { usedSize: number }).usedSize / 2 ** 20;
    };
    const before = await heap();
    const from = await busy();
    const drawn = (): Promise<number> => page.evaluate<number>(`performance.getEntriesByName("pictures").at(-1).detail`);
    const drawnBefore = await drawn();
    await page.evaluate("new Promise((done) => setTimeout(done, 4000))");
    const pictures = (await drawn()) - drawnBefore;
    const share = ((await busy()) - from) / 4;
    const after = await heap();
    console.log(
      `spiral 2-8-8-1: ${await page.textContent("#speed")}, ${(pictures / 4).toFixed(1)} pictures a second, the page ${(100 * share).toFixed(0)} % busy, ${before.toFixed(1)} MiB, then ${after.toFixed(1)} MiB`,
    );
    expect(pictures).toBeGreaterThan(0);
    expect(after - before).toBeLessThan(2);
    expect(faults).toEqual([]);
    await page.close();
  });
});
