import { afterEach, expect, test, vi } from "vitest";
import { loader } from "../../src/data/loader.ts";
import { sgd } from "../../src/optim/sgd.ts";
import { defaultEngine } from "../../src/train/default-engine.ts";
import { type TrainOptions, train } from "../../src/train.ts";
import { wasm } from "../../src/wasm.ts";
import { clouds, lossOf, twoLayers } from "./two-layers.ts";

afterEach(() => {
  vi.unstubAllGlobals();
});

const run = (engine?: ReturnType<typeof wasm>) =>
  train({ params: twoLayers(), loss: lossOf }, {
    data: loader(clouds(24), { batch: 8 }),
    optimizer: sgd({ rate: 0.1 }),
    epochs: 1,
    health: false,
    ...(engine !== undefined && { engine }),
  } as TrainOptions<ReturnType<ReturnType<typeof clouds>["all"]>, "sync", never>).finish();

test("without an engine it is the compiling one, here", async () => {
  expect((await defaultEngine()).mode).toBe("sync");
  expect((await run()).params).toEqual((await run(wasm())).params);
});

test("on a page's own thread it is the one in a worker, and in a worker of the page it is not", async () => {
  vi.stubGlobal("Worker", function Worker() {});
  expect((await defaultEngine()).mode).toBe("sync");
  vi.stubGlobal("document", {});
  expect((await defaultEngine()).mode).toBe("async");
});
