import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { loader } from "../../src/data/loader.ts";
import { leaves, reference, type Tensor } from "../../src/index.ts";
import { adam } from "../../src/optim/adam.ts";
import { sgd } from "../../src/optim/sgd.ts";
import { type Step, train } from "../../src/train/train.ts";
import { wasm } from "../../src/wasm.ts";
import { clouds, lossOf, twoLayers } from "./two-layers.ts";

const folder = mkdtempSync(join(tmpdir(), "train-"));
afterAll(() => rmSync(folder, { recursive: true }));

const model = { params: twoLayers(), loss: lossOf };

function numbersOf(tree: unknown): number[] {
  return leaves(tree).flatMap(({ leaf }) => [...(leaf as Tensor).data]);
}

describe("train", () => {
  test("learns, gives every step, and tells how it went", async () => {
    const data = clouds(300);
    const [fit, held] = data.split(0.8, { seed: 1, stratify: "y" });
    const training = train(model, {
      data: loader(fit, { batch: 32, shuffle: 0 }),
      validate: loader(held, { batch: 25 }),
      optimizer: adam({ rate: 1e-2 }),
      engine: wasm(),
      epochs: 10,
    });
    const steps: Step<ReturnType<typeof lossOf>>[] = [];
    for await (const step of training) steps.push(step);
    expect(steps.map(({ step }) => step)).toEqual(Array.from({ length: 80 }, (_, i) => i + 1));
    expect(steps.map(({ epoch }) => epoch).filter((e, i, all) => e !== all[i - 1])).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
    expect(steps.filter(({ validation }) => validation !== undefined).map(({ step }) => step)).toEqual([
      8, 16, 24, 32, 40, 48, 56, 64, 72, 80,
    ]);
    const last = steps.at(-1)!;
    expect(last.outputs.accuracy.data[0]).toBeGreaterThan(0.85);
    expect(last.validation!.metrics["accuracy"]).toBeGreaterThan(0.85);
    expect(last.validation!.rows).toBe(60);
    const { report, params } = await training.finish();
    expect(numbersOf(params)).toEqual(numbersOf((await training.read()).params));
    expect(report.text()).toContain("Training: 80 steps, 10 epochs");
    expect(report.best).toBeCloseTo(Math.min(...steps.flatMap(({ validation }) => validation?.loss ?? [])), 12);
    expect(report.health?.parameters.length).toBe(4);
  });

  test("gives on both engines what steps by hand give", async () => {
    const runs = [reference(), wasm()].map((engine) =>
      train(model, { data: loader(clouds(50), { batch: 20 }), optimizer: sgd({ rate: 0.1 }), engine, epochs: 2, health: false }).finish(),
    );
    const [a, b] = (await Promise.all(runs)).map(({ params }) => numbersOf(params));
    for (const [i, x] of b!.entries()) expect(x).toBeCloseTo(a![i]!, 5);
  });

  test.each(["reference", "wasm"])("goes on bit for bit from a checkpoint in the middle of an epoch, on %s", async (name) => {
    const start = (file: string, steps: number, resume: boolean) =>
      train(model, {
        data: loader(clouds(150), { batch: 32, shuffle: 7 }),
        validate: loader(clouds(30, 5), { batch: 30 }),
        optimizer: adam({ rate: 1e-2 }),
        engine: name === "wasm" ? wasm() : reference(),
        epochs: 20,
        steps,
        keep: "best",
        health: false,
        checkpoint: { file: join(folder, `${name}-${file}`), resume },
      });
    const whole = await start("whole", 34, false).finish();
    await start("half", 17, false).finish();
    const half = start("half", 34, true);
    const seen: number[] = [];
    for await (const { step } of half) seen.push(step);
    expect(seen).toEqual(Array.from({ length: 17 }, (_, i) => 18 + i));
    const both = await half.finish();
    expect(numbersOf(both.params)).toEqual(numbersOf(whole.params));
    expect(numbersOf((await half.read()).params)).not.toEqual(numbersOf(both.params));
    const { seconds: _, ...facts } = whole.report.toJSON();
    expect(both.report.toJSON()).toMatchObject(facts);
    expect(both.report.history).toEqual(whole.report.history);
    expect(existsSync(join(folder, `${name}-half`))).toBe(true);
  });
});
