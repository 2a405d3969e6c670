import { existsSync, mkdtempSync, readFileSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { loader } from "../../src/data/loader.ts";
import { mul, reference } from "../../src/index.ts";
import { sgd } from "../../src/optim/sgd.ts";
import { curveSvg } from "../../src/train/curve.ts";
import { History } from "../../src/train/history.ts";
import { jsonLog } from "../../src/train/log.ts";
import { progress } from "../../src/train/progress.ts";
import { duration, trainWords } from "../../src/train/words.ts";
import { type TrainOptions, train } from "../../src/train.ts";
import { clouds, lossOf, twoLayers } from "./two-layers.ts";

const folder = mkdtempSync(join(tmpdir(), "told-"));
afterAll(() => rmSync(folder, { recursive: true }));

const run = (given: object) =>
  train({ params: twoLayers(), loss: lossOf }, {
    data: loader(clouds(24), { batch: 8 }),
    validate: loader(clouds(6), { batch: 6 }),
    optimizer: sgd({ rate: 0.1 }),
    engine: reference(),
    epochs: 2,
    health: false,
    ...given,
  } as TrainOptions<ReturnType<ReturnType<typeof clouds>["all"]>, "sync", never>);

const clock = () => {
  let t = 0;
  return () => (t += 250);
};

describe("progress", () => {
  test("is a line an epoch where there is no terminal", async () => {
    let out = "";
    const write = (text: string) => void (out += text);
    await run({ callbacks: [progress({ write, terminal: false, now: clock() })] }).finish();
    const [first, second, rest] = out.split("\n");
    expect(first).toMatch(
      /^epoch 1\/2 {2}step 3\/6 {2}loss [\d.]+ {2}\d+ rows\/s {2}[\d.]+ s left {2}validation loss [\d.]+ {2}accuracy [\d.]+ {2}\(best\)$/,
    );
    expect(second).toMatch(/^epoch 2\/2 {2}step 6\/6 {2}loss [\d.]+ {2}\d+ rows\/s {2}validation loss/);
    expect(rest).toBe("");
  });

  test("is one line that changes on a terminal, no longer than the terminal is wide", async () => {
    let out = "";
    const write = (text: string) => void (out += text);
    await run({ validate: undefined, callbacks: [progress({ write, terminal: true, columns: 30, now: clock() })] }).finish();
    expect(out).not.toContain("\n");
    const shown = out.split("\r\u001b[K").filter((s) => s !== "");
    expect(shown.length).toBe(6);
    for (const line of shown) expect(line.length).toBeLessThan(30);
  });

  test("says where it goes on", async () => {
    const file = join(folder, "on");
    await run({ steps: 2, checkpoint: { file } }).finish();
    let out = "";
    const write = (text: string) => void (out += text);
    await run({ checkpoint: { file, resume: true }, callbacks: [progress({ write, terminal: false })] }).finish();
    expect(out).toMatch(/^goes on after step 2\nepoch 1\/2 {2}step 3\/6/);
  });
});

test("progress, report and health are told in Korean too, by sentences of the same names", async () => {
  expect(Object.keys(trainWords.ko)).toEqual(Object.keys(trainWords.en));
  expect(Object.keys(trainWords.ko.endings)).toEqual(Object.keys(trainWords.en.endings));
  const hangul = /[가-힣]/;
  let out = "";
  const told = progress({ write: (text) => void (out += text), terminal: false, now: clock(), language: "ko" });
  const { report } = await run({ health: true, language: "ko", callbacks: [told] }).finish();
  expect(out).toMatch(
    /^에폭 1\/2 {2}단계 3\/6 {2}손실 [\d.]+ {2}초당 \d+행 {2}[\d.]+초 남음 {2}검증 손실 [\d.]+ {2}accuracy [\d.]+ {2}\(최고\)\n/,
  );
  expect(report.text()).toMatch(/^학습: 6단계, 2에폭, [\d.]+초, 매개변수 값 \d+개; 모든 에폭을 마쳤습니다\n/);
  for (const line of report
    .text()
    .split("\n")
    .filter((line) => /[a-z]{4}/.test(line)))
    expect(line).toMatch(hangul);
  expect(report.svg()).toContain("각 단계");
  expect(report.svg({ language: "en" })).toContain("each step");
  expect(() => run({ language: "fr" })).toThrow('train: language is fr; it is "en" or "ko"');
});

describe("jsonLog", () => {
  test("has a line a step, and no step twice after a resumption", async () => {
    const log = join(folder, "log.jsonl");
    const file = join(folder, "logged");
    const lines = () =>
      readFileSync(log, "utf8")
        .trim()
        .split("\n")
        .map(
          (line) => JSON.parse(line) as { step: number; loss: number; accuracy: number; validation?: { accuracy: number; best: boolean } },
        );
    await run({ steps: 5, checkpoint: { file, every: 2 }, callbacks: [jsonLog(log)] }).finish();
    expect(lines().map(({ step }) => step)).toEqual([1, 2, 3, 4, 5]);
    const before = lines().slice(0, 5);
    await run({ steps: 4, checkpoint: { file: join(folder, "four") } }).finish();
    await run({ checkpoint: { file: join(folder, "four"), resume: true }, callbacks: [jsonLog(log)] }).finish();
    expect(lines().map(({ step }) => step)).toEqual([1, 2, 3, 4, 5, 6]);
    expect(lines()[4]).toMatchObject({ step: 5, epoch: 2, loss: before[4]!.loss, rows: 8 });
    expect(lines()[2]!.validation).toMatchObject({ best: true, rows: 6 });
    expect(lines()[0]!.accuracy).toBeGreaterThanOrEqual(0);
  });

  test("has the steps before one that failed, and says where it cannot be written", async () => {
    const log = join(folder, "failed.jsonl");
    const training = train(
      { params: twoLayers(), loss: (p, b, { key }) => mul(lossOf(p, b).loss, key === null ? 0 : 1) },
      {
        data: loader(clouds(24), { batch: 8 }),
        optimizer: sgd({ rate: 1e30 }),
        engine: reference(),
        epochs: 9,
        callbacks: [jsonLog(log)],
      },
    );
    await expect(training.finish()).rejects.toThrow(/step \d, epoch 1: the (loss|norm of the gradient) is/);
    expect(readFileSync(log, "utf8")).toContain('"step":1,');
    await expect(run({ callbacks: [jsonLog(join(folder, "no/folder/log"))] }).finish()).rejects.toThrow("cannot write");
    const lost = jsonLog(log);
    await lost.start?.({ epochs: 1, stepsInEpoch: 1, steps: 1, resumed: 0, parameters: 1 });
    rmSync(log);
    const { mkdirSync } = await import("node:fs");
    mkdirSync(log);
    await lost.step?.({ step: 1, epoch: 1, loss: 1, outputs: {} as never, gradientNorm: 1, rows: 1 });
    await expect((async () => lost.finish?.({} as never))()).rejects.toThrow(`cannot write the log ${log}: it is a folder`);
  });
});

test.runIf(existsSync("/dev/full"))("a log on a full disk stops the run with the reason", async () => {
  const log = join(folder, "full.jsonl");
  symlinkSync("/dev/full", log);
  const training = run({ callbacks: [{ ...jsonLog(log), start: () => undefined }] });
  await expect(training.finish()).rejects.toThrow(`cannot write the log ${log}: the disk is full`);
});

describe("History", () => {
  test("keeps the curve of any number of steps in bounded memory, and goes on after being saved", () => {
    const whole = new History();
    const half = new History();
    const loss = (step: number): number => 1 / step;
    for (let step = 1; step <= 100_000; step++) whole.add(step, loss(step));
    for (let step = 1; step <= 50_001; step++) half.add(step, loss(step));
    const rest = new History();
    rest.load(JSON.parse(JSON.stringify(half.save())));
    for (let step = 50_002; step <= 100_000; step++) rest.add(step, loss(step));
    expect(rest.points()).toEqual(whole.points());
    const points = whole.points();
    expect(points.length).toBeGreaterThan(1000);
    expect(points.length).toBeLessThanOrEqual(2048);
    const width = points[1]!.step - points[0]!.step;
    const mean = Array.from({ length: width }, (_, i) => loss(width + i + 1)).reduce((a, b) => a + b, 0) / width;
    expect(points[1]!.loss).toBeCloseTo(mean, 12);
  });
});

describe("the curve", () => {
  const history = Array.from({ length: 300 }, (_, i) => ({ step: i + 1, loss: 2.3 * Math.exp(-i / 60) + 0.05 * (1 + Math.sin(i * i)) }));
  const checkups = [100, 200, 300].map((step, i) => ({ step, epoch: i + 1, loss: [0.6, 0.2, 0.3][i]!, metrics: {} }));

  test("shows steps, their mean, checkups and the best of them, in both languages", () => {
    const facts = { history, checkups, validated: true, bestStep: 200 };
    const en = curveSvg(facts);
    const ko = curveSvg(facts, { language: "ko", theme: "dark", title: "<내 모델>" });
    for (const word of ["each step", "running mean", "validation", "best: 0.2 (step 200)"]) expect(en).toContain(word);
    for (const word of ["각 단계", "이동 평균", "검증", "&lt;내 모델&gt;"]) expect(ko).toContain(word);
    expect(en.match(/<circle/g)!.length).toBe(3 + 1 + 1 + 1);
    expect(en).not.toContain("NaN");
  });

  test("is drawn of nothing, of one step, of equal, huge and negative losses", () => {
    const draw = (...losses: number[]): string =>
      curveSvg({ history: losses.map((loss, i) => ({ step: i + 1, loss })), checkups: [], validated: false, bestStep: 0 });
    expect(draw()).toContain("no step was made");
    for (const losses of [[1], [1, 1], [0, 0], [1e-9, 1e9], [-3, -2, 5], [1e300, 1]]) expect(draw(...losses)).not.toMatch(/NaN|Infinity/);
  });
});

test("durations are told in words", () => {
  expect([0.42, 42, 65, 3700].map((s) => duration(s))).toEqual(["0.4 s", "42 s", "1 min 05 s", "1 h 01 min"]);
  expect([0.42, 42, 65, 3700].map((s) => duration(s, trainWords.ko))).toEqual(["0.4초", "42초", "1분 05초", "1시간 01분"]);
});
