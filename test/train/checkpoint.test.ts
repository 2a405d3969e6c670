import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { loader } from "../../src/data/loader.ts";
import { parseSafetensors, serializeSafetensors } from "../../src/data/safetensors.ts";
import { loadTensors, saveTensors } from "../../src/data/tensor-tree.ts";
import { reference, tensor } from "../../src/index.ts";
import { adam } from "../../src/optim/adam.ts";
import { averaged } from "../../src/optim/averaged.ts";
import { plateau } from "../../src/optim/plateau.ts";
import { sgd } from "../../src/optim/sgd.ts";
import { parseCheckpoint, readCheckpoint, serializeCheckpoint } from "../../src/train/checkpoint.ts";
import { type TrainOptions, train } from "../../src/train.ts";
import { clouds, lossOf, twoLayers } from "./two-layers.ts";

const folder = mkdtempSync(join(tmpdir(), "checkpoint-"));
const file = join(folder, "a.ckpt");
afterAll(() => rmSync(folder, { recursive: true }));

const begin = (given: object = {}, params = twoLayers()) =>
  train({ params, loss: lossOf }, {
    data: loader(clouds(20), { batch: 8, shuffle: 1 }),
    optimizer: adam({ rate: 1e-2 }),
    engine: reference(),
    epochs: 2,
    health: false,
    checkpoint: { file, resume: true, note: { made: "for a test" } },
    ...given,
  } as TrainOptions<ReturnType<ReturnType<typeof clouds>["all"]>, "sync", never>);

beforeAll(async () => {
  await begin().finish();
});

describe("a checkpoint", () => {
  test("is a safetensors file that holds all of the run", async () => {
    const { header, tensors } = await readCheckpoint(file);
    expect(header).toMatchObject({ format: 1, step: 6, epoch: 2, batch: 0, note: { made: "for a test" } });
    expect(Object.keys(tensors)).toEqual(expect.arrayContaining(["params.fc1.w", "opt.step", "opt.m/fc1.w", "key", "step"]));
    expect(Object.keys(parseSafetensors(readFileSync(file)).tensors).length).toBe(Object.keys(tensors).length);
    expect(readdirSync(folder)).toEqual(["a.ckpt"]);
  });

  test("of a run that is over is resumed to its end", async () => {
    const before = readFileSync(file);
    const { report } = await begin().finish();
    expect(report).toMatchObject({ steps: 6, epochs: 2, reason: "epochs" });
    expect(readFileSync(file).equals(before)).toBe(true);

    // Its loss is that of the rows trained on, and not of the validation behind them.
    const validated = { validate: loader(clouds(12), { batch: 6 }), checkpoint: { file: join(folder, "over.ckpt"), resume: true } };
    const { report: first } = await begin(validated).finish();
    const { report: again } = await begin(validated).finish();
    expect(first.loss).not.toBe(first.checkups.at(-1)!.loss);
    expect(again.loss).toBe(first.loss);
    rmSync(join(folder, "over.ckpt"));
    const { report: further } = await begin({ epochs: 3, checkpoint: undefined }).finish();
    expect(further.steps).toBe(9);
  });

  test("goes on with the rate that the resumed run says, with a rate in groups too, and with everything else as it was", async () => {
    const own = { file: join(folder, "rates.ckpt"), resume: true };
    const groups = (rate: number) => [{ only: ["fc2.*"], rate }];
    const at = (rate: number, epochs: number) =>
      begin({ checkpoint: own, epochs, optimizer: averaged(adam({ rate, groups: groups(2 * rate) })) }).finish();
    await at(1e-2, 1);
    const before = await readCheckpoint(own.file);
    await at(1e-3, 2);
    const after = await readCheckpoint(own.file);
    const rates = ({ tensors }: typeof after) => ["opt.rate", "opt.rate/fc2.*"].map((name) => tensors[name]!.data[0]);
    expect([rates(before), rates(after)]).toEqual([
      [1e-2, 2e-2],
      [1e-3, 2e-3],
    ]);
    expect(after.tensors["opt.step"]!.data[0]).toBe(6);
    // A rate that follows a metric is what training made of it.
    const falling = { file: join(folder, "falling.ckpt"), resume: true };
    const fall = (from: number, epochs: number) =>
      begin({ checkpoint: falling, epochs, optimizer: adam({ rate: plateau({ from }) }) }).finish();
    await fall(1e-2, 1);
    await fall(1e-3, 2);
    expect((await readCheckpoint(falling.file)).tensors["opt.rate"]!.data[0]).toBe(1e-2);
    for (const { file: made } of [own, falling]) rmSync(made);
  });

  test("that is cut short, damaged anywhere or something else is refused, and nothing is changed", async () => {
    const bytes = new Uint8Array(readFileSync(file));
    for (let i = 0; i < 200; i++) {
      const at = Math.floor((i / 200) * bytes.length);
      expect(() => parseCheckpoint(bytes.slice(0, at))).toThrow();
      const bad = bytes.slice();
      bad[at] = bad[at]! ^ (1 << (i % 8));
      expect(() => parseCheckpoint(bad)).toThrow();
    }
    const bad = bytes.slice();
    bad[bytes.length - 3] = bad[bytes.length - 3]! ^ 1;
    const path = join(folder, "bad.ckpt");
    writeFileSync(path, bad);
    await expect(readCheckpoint(path)).rejects.toThrow(`${path}: checkpoint: its checksum does not fit: the file is damaged`);
    const training = begin({ checkpoint: { file: path, resume: true } });
    await expect(training.finish()).rejects.toThrow("its checksum does not fit");
    expect(readFileSync(path).equals(bad)).toBe(true);
    writeFileSync(path, serializeSafetensors({ w: tensor([1]) }));
    await expect(readCheckpoint(path)).rejects.toThrow("the file has tensors and no state of a training");
    writeFileSync(path, "hello");
    await expect(readCheckpoint(path)).rejects.toThrow("safetensors: the file has 5 bytes");
    await expect(readCheckpoint(join(folder, "none"))).rejects.toThrow("there is no such file or folder");
    rmSync(path);
  });

  test("of another version says so", async () => {
    const { tensors, metadata } = parseSafetensors(readFileSync(file));
    const text = metadata["chainrule.train"]!.replace('"format":1', '"format":2');
    const { crc32 } = await import("../../src/data/crc32.ts");
    const sealed = (header: string): Uint8Array => {
      const bytes = serializeSafetensors(tensors, { "chainrule.crc32": "00000000", "chainrule.train": header });
      const sum = crc32(bytes).toString(16).padStart(8, "0");
      const at = new TextDecoder("latin1").decode(bytes).indexOf("00000000");
      bytes.set(new TextEncoder().encode(sum), at);
      return bytes;
    };
    expect(() => parseCheckpoint(sealed(text))).toThrow("checkpoint: its format is 2, and this version reads format 1");
    expect(() => parseCheckpoint(sealed("{"))).toThrow("checkpoint: its header is no JSON");
  });

  test("of another model gives a difference of names and shapes", async () => {
    await expect(begin({}, twoLayers(0, 9)).finish()).rejects.toThrow(
      "it is the checkpoint of another model or optimiser, and nothing was changed:\n  params.fc1.w: f32[4,8] there, f32[4,9] here\n  params.fc1.b: f32[8] there, f32[9] here\n  params.fc2.w: f32[8,3] there, f32[9,3] here",
    );
    await expect(begin({ optimizer: sgd({ rate: 1 }) }).finish()).rejects.toThrow(/opt\.m\/fc1\.w: f32\[4,8\] there, unknown here/);
  });

  test("with other data or another seed is not gone on with", async () => {
    await expect(begin({ data: loader(clouds(20), { batch: 10, shuffle: 1 }) }).finish()).rejects.toThrow(
      "the data comes otherwise than it did, so the run cannot go on as it was:\n  batch: 8 there, 10 here",
    );
    await expect(begin({ data: loader(clouds(20), { batch: 8 }) }).finish()).rejects.toThrow("shuffle: 1 there, null here");
    await expect(begin({ data: loader(clouds(20, 7), { batch: 8, shuffle: 1 }) }).finish()).rejects.toThrow(
      /\n {2}checksum: [0-9a-f]{8} there, [0-9a-f]{8} here\nUse the same loader/,
    );
    await expect(begin({ seed: 5 }).finish()).rejects.toThrow("was written with another seed; resume with the same seed");
  });

  test("from before the data had a checksum is gone on with", async () => {
    const { header, tensors } = await readCheckpoint(file);
    const { checksum, ...order } = header.order;
    expect(checksum).toMatch(/^[0-9a-f]{8}$/);
    const old = join(folder, "old.ckpt");
    writeFileSync(old, serializeCheckpoint({ ...header, order }, tensors as never, null));
    expect((await begin({ epochs: 3, checkpoint: { file: old, resume: true } }).finish()).report.steps).toBe(9);
    rmSync(old);
  });

  test("that could not be written is told before the first step, and so is the file of the best", async () => {
    const none = join(folder, "there/is/none");
    for (const checkpoint of [{ file: none }, { file: join(folder, "some.ckpt"), best: none }, { file: folder }]) {
      const seen: number[] = [];
      const training = begin({ checkpoint, callbacks: [{ step: ({ step }: { step: number }) => void seen.push(step) }] });
      await expect(training.finish()).rejects.toThrow(/cannot write .*: (there is no such file or folder|it is a folder)/);
      expect(seen).toEqual([]);
    }
  });

  test("that cannot be written stops the run, which can then go on", async () => {
    const gone = join(folder, "gone");
    mkdirSync(gone);
    const training = begin({ checkpoint: { file: join(gone, "run.ckpt"), every: 2 } });
    const seen: number[] = [];
    for await (const { step } of training) if (step === 1) break;
    expect(readdirSync(gone)).toEqual([]);
    rmSync(gone, { recursive: true });
    await expect(training.finish()).rejects.toThrow(/cannot write .*there is no such file or folder/);
    for await (const { step } of training) {
      seen.push(step);
      if (step === 3) break;
    }
    expect(seen).toEqual([3]);
  });

  test("clears away what a killed process left beside it", async () => {
    writeFileSync(`${file}.abc123.tmp`, "half");
    writeFileSync(`${file}.notes.txt`, "mine");
    await begin().finish();
    expect(readdirSync(folder).sort()).toEqual(["a.ckpt", "a.ckpt.notes.txt"]);
    rmSync(`${file}.notes.txt`);
  });
});

describe("saveTensors and loadTensors", () => {
  const path = join(folder, "w.safetensors");

  test("are each other's inverse on a tree", async () => {
    const tree = twoLayers(3);
    await saveTensors(path, tree);
    expect(await loadTensors(path, twoLayers(4))).toEqual(tree);
  });

  test("say what differs", async () => {
    await saveTensors(path, { a: tensor([1]), b: [tensor([1, 2])] });
    await expect(loadTensors(path, { a: tensor([1, 2]), c: tensor([1]) })).rejects.toThrow(
      `${path}: its tensors are not those that were asked for:\n  a: f64[1] there, f64[2] here\n  c: missing there, f64[1] here\n  b.0: f64[2] there, unknown here`,
    );
    await expect(saveTensors(path, { "a.b": 1, a: { b: 2 } })).rejects.toThrow("saveTensors: two leaves are called a.b");
    rmSync(path);
  });
});
