import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { type Engine, evaluate, reference, tensor } from "chainrule";
import { parseSafetensors } from "chainrule/data";
import { onnx } from "chainrule/onnx";
import { afterAll, expect, test } from "vitest";
import { exportedAs, factsOf, graphOf } from "../../../studio/train/exported.ts";
import type { Format } from "../../../studio/train/messages.ts";
import { defaultTrain, type TrainState } from "../../../studio/train/state.ts";
import { makeTrainer, type Trainer } from "../../../studio/train/trainer.ts";
import { nets } from "./nets.ts";

const out = fileURLToPath(new URL("../../../out/", import.meta.url));
mkdirSync(out, { recursive: true });
const folder = mkdtempSync(join(out, "nets-"));
afterAll(() => rmSync(folder, { recursive: true }));

/** In the fast suite one net of each kind of file: of points, of a table, of pictures. */
const tried = Object.entries(nets).filter(
  ([name]) => process.env["CHAINRULE_FAST"] !== "1" || ["plane", "table", "convolved"].includes(name),
);

const engine: Engine<"sync"> = reference();
async function trained(part: Partial<TrainState>): Promise<{ settings: TrainState; trainer: Trainer }> {
  const settings = { ...defaultTrain, ...part };
  const digits = settings.data === "digits" ? readFileSync(new URL("../../../data/digits.csv", import.meta.url), "utf8") : undefined;
  const trainer = await makeTrainer(settings, engine, { digits });
  trainer.step();
  return { settings, trainer };
}
async function bytesOf(format: Format, { settings, trainer }: Awaited<ReturnType<typeof trained>>): Promise<Uint8Array<ArrayBuffer>> {
  return (await exportedAs(format, settings, trainer)).bytes;
}
const text = (bytes: Uint8Array): string => new TextDecoder().decode(bytes);

/** What the net says of the rows that exports show, by the library. */
function said({ settings, trainer }: Awaited<ReturnType<typeof trained>>): number[][] {
  const facts = factsOf(settings, trainer);
  return facts.sample.map((row) => {
    const results = evaluate(graphOf(facts)({ x: tensor([[...row]], "f32") })) as Record<string, { data: Float32Array }>;
    return [...(results["probabilities"] ?? results["probability"] ?? results["output"]!).data];
  });
}

test("TypeScript runs, and says what the net says", async () => {
  for (const [name, part] of tried) {
    const net = await trained(part);
    const file = join(folder, `${name}.ts`);
    writeFileSync(file, text(await bytesOf("typescript", net)).replace(/^console\.log.*$/m, ""));
    const module = (await import(file)) as {
      predict(rows: readonly (readonly number[])[]): number[][];
      learn(rows: readonly (readonly number[])[], y: readonly number[], epochs: number): Promise<unknown>;
    };
    const { sample } = factsOf(net.settings, net.trainer);
    const [a, b] = [module.predict(sample), said(net)];
    a.flat().forEach((v, i) => {
      expect(v, name).toBeCloseTo(b.flat()[i]!, 4);
    });
    await module.learn([...sample, ...sample], [0, 1, 1, 0], 1);
  }
});

test("ONNX reads back, and says what the net says", async () => {
  for (const [name, part] of tried) {
    const net = await trained(part);
    const model = await onnx.read(await bytesOf("onnx", net));
    const { sample } = factsOf(net.settings, net.trainer);
    const again = sample.map((row) => {
      const results = evaluate(model.apply(model.params, { x: tensor([[...row]], "f32") })) as Record<string, { data: Float32Array }>;
      return [...(results["probabilities"] ?? results["probability"] ?? results["output"]!).data];
    });
    said(net)
      .flat()
      .forEach((v, i) => {
        expect(again.flat()[i]!, name).toBeCloseTo(v, 5);
      });
  }
});

test("safetensors and JSON hold every weight", async () => {
  const net = await trained({ layers: [3, 2] });
  const params = net.trainer.params();
  const { tensors } = parseSafetensors(await bytesOf("safetensors", net));
  expect(Object.keys(tensors).sort()).toEqual(["layer1.b", "layer1.w", "layer2.b", "layer2.w", "output.b", "output.w"]);
  for (const [name, { w, b }] of Object.entries(params)) {
    expect(tensors[`${name}.w`]!.data).toEqual(w.data);
    expect(tensors[`${name}.b`]!.data).toEqual(b.data);
  }
  const json = JSON.parse(text(await bytesOf("json", net)));
  expect(json.params.layer1.w).toEqual({ dtype: "f32", shape: [2, 3], data: [...(params["layer1"]!.w.data as Float32Array)] });
  expect(json.settings.seed).toBe(1);
});

test("names and formulas of the reader's stay inside their quotes", async () => {
  const hostile = 'x\u2028+ 0 // "*/ `';
  const net = await trained({ data: "formula", formula: "x + 1" });
  const facts = { ...net, settings: { ...net.settings, formula: hostile } };
  for (const format of ["typescript", "pytorch"] as const) {
    const code = text(await bytesOf(format, facts));
    const [first] = code.split(/[\n\r\u2028\u2029]/);
    expect(first).toMatch(/^(\/\/|#) A net from the chainrule studio: formula "x \+ 0 .*epochs\.$/);
  }
});
