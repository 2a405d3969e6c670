import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, describe, expect, test } from "vitest";
import { run } from "../../src/cli/run.ts";
import { parseSafetensors } from "../../src/data/safetensors.ts";
import { parseCheckpoint, readCheckpoint } from "../../src/train/checkpoint.ts";
import { runCli as cli } from "./run-cli.ts";

const folder = mkdtempSync(join(tmpdir(), "train-cli-"));
const digits = fileURLToPath(new URL("../../data/digits.csv", import.meta.url));
afterAll(() => rmSync(folder, { recursive: true }));
const at = (name: string): string => join(folder, name);
const file = (name: string, content: string): string => {
  writeFileSync(at(name), content);
  return at(name);
};

/** Three kinds of flowers by two numbers, with names for classes. */
const flowers = file(
  "flowers.csv",
  `length,width,kind\n${Array.from({ length: 90 }, (_, i) => `${(i % 3) * 2 + ((i * 7) % 10) / 20},${10 - (i % 3) + ((i * 3) % 10) / 20},${["rose", "lily, white", "tulip"][i % 3]!.replace(/.*,.*/, '"$&"')}`).join("\n")}\n`,
);
const lines = file(
  "lines.csv",
  `a,b,y\n${Array.from({ length: 60 }, (_, i) => `${i % 7},${i % 5},${100 + 3 * (i % 7) - 2 * (i % 5)}`).join("\n")}\n`,
);
const flower = ["train", "--model", "mlp:2-16-3", "--data", flowers, "--target", "kind", "--rate", "0.02"];

describe("chainrule train", () => {
  test("learns classes with names, writes all its files, and predict finds the names again", async () => {
    const files = { checkpoint: at("f.ckpt"), best: at("f.best"), out: at("f.safetensors"), log: at("f.jsonl"), curve: at("f.svg") };
    const args = Object.entries(files).flatMap(([name, path]) => [`--${name}`, path]);
    const { code, out, err } = await cli([...flower, "--epochs", "40", ...args]);
    expect(err).toMatch(/^epoch 1\/40 {2}step 2\/80 .*\n[\s\S]*epoch 40\/40 {2}step 80\/80 .*accuracy 1/);
    expect(code).toBe(0);
    expect(out).toContain("Training: 80 steps, 40 epochs");
    expect(out).toContain(`wrote ${files.checkpoint}`);
    expect(Object.keys(parseSafetensors(readFileSync(files.out)).tensors)).toEqual(expect.arrayContaining(["fc1.w", "fc2.b"]));
    expect(readFileSync(files.log, "utf8").trim().split("\n").length).toBe(80);
    expect(readFileSync(files.curve, "utf8")).toContain("validation");
    expect((await readCheckpoint(files.best)).header.note).toMatchObject({
      model: "mlp:2-16-3",
      classes: ["rose", "lily, white", "tulip"],
    });
    const all = await cli(["predict", files.checkpoint, "--data", flowers]);
    expect(
      all.out
        .split("\n")
        .slice(0, 3)
        .map((line) => line.replace(/,[\d.]+$/, "")),
    ).toEqual(["prediction,probability", "rose", '"lily, white"']);
    expect(all.err).toBe("predicted 90 rows, 90 of them right: accuracy 1\n");
    const other = file("new.csv", "width,ignored,length\n10,5,0.1\n8.1,5,4.2\n");
    const { out: json, err: told } = await cli(["predict", files.best, "--data", other, "--json"]);
    expect(
      json
        .trim()
        .split("\n")
        .map((line) => (JSON.parse(line) as { prediction: string }).prediction),
    ).toEqual(["rose", "tulip"]);
    expect(told).toBe("predicted 2 rows\ncolumns that the model does not read: ignored\n");
    expect((await cli(["predict", files.best, "--data", other, "--lang", "ko"])).err).toBe(
      "2행을 예측했습니다\n모델이 읽지 않는 열: ignored\n",
    );
    expect((await cli(["predict", files.best, "--data", flowers, "--lang", "ko"])).err).toBe(
      "90행을 예측했고 그중 90행이 맞았습니다: 정확도 1\n",
    );
    const korean = await cli([...flower, "--epochs", "1", "--checkpoint", at("ko.ckpt"), "--curve", at("ko.svg"), "--lang", "ko"]);
    expect(korean.err).toMatch(/^에폭 1\/1 {2}단계 2\/2 {2}손실 /);
    expect(korean.out).toMatch(/^학습: 2단계, 1에폭, [\s\S]*\n저장한 파일: /);
    expect(readFileSync(at("ko.svg"), "utf8")).toContain("검증");
    expect((await cli(["predict", files.checkpoint, "--data", other, "--out", at("p.csv")])).out).toBe("");
    expect(readFileSync(at("p.csv"), "utf8")).toContain("prediction,probability\nrose,");
  });

  test("fits numbers, which predict gives in their own scale", async () => {
    const { code } = await cli([
      "train",
      "--model",
      "mlp:2-16-1,tanh",
      "--data",
      lines,
      "--target",
      "y",
      "--rate",
      "0.02",
      "--epochs",
      "150",
      "--batch",
      "16",
      "--checkpoint",
      at("l.ckpt"),
      "--schedule",
      "cosine",
    ]);
    expect(code).toBe(0);
    const { out, err } = await cli(["predict", at("l.ckpt"), "--data", lines]);
    expect(Number(/error ([\d.]+)/.exec(err)?.[1])).toBeLessThan(0.5);
    expect(Number(out.split("\n")[1])).toBeCloseTo(100, 0);
  });

  test("runs a small convolutional net from a CONFIG.json, options beside it winning", async () => {
    const config = file(
      "conv.json",
      JSON.stringify({
        model: "conv:8x8x1-4c3-p2-10,batchnorm",
        data: digits,
        target: "label",
        epochs: 9,
        batch: 128,
        rate: 0.01,
        checkpoint: at("c.ckpt"),
      }),
    );
    const { code, out } = await cli(["train", config, "--epochs", "2", "--json"]);
    const report = JSON.parse(out) as { epochs: number; checkups: { metrics: { accuracy: number } }[] };
    expect([code, report.epochs]).toEqual([0, 2]);
    expect(report.checkups[1]!.metrics.accuracy).toBeGreaterThan(0.8);
  });

  test("stopped by Ctrl-C writes the checkpoint, says how to go on, and the resumed run is the unbroken one", async () => {
    const args = (name: string) => [...flower, "--epochs", "30", "--checkpoint", at(name)];
    await cli(args("whole.ckpt"));
    let out = "";
    let err = "";
    let stop = (): void => {};
    let released = false;
    const code = await run(args("cut.ckpt"), {
      write: (text) => void (out += text),
      writeError: (text) => {
        err += text;
        if (text.includes("step 20/60")) stop();
      },
      isTerminal: { output: false, error: false },
      env: {},
      readBytes: (path) => [new Uint8Array(readFileSync(path))][Symbol.iterator]() as never,
      version: "0",
      onInterrupt: (f) => {
        stop = f;
        return () => void (released = true);
      },
    });
    expect([code, released]).toEqual([130, true]);
    expect(err).toContain(
      `stopped after step 20; the run is in ${at("cut.ckpt")}. Go on with\n  chainrule train --model mlp:2-16-3 --data`,
    );
    expect(err.trim().split("\n").at(-1)).toMatch(/--resume$/);
    expect((await readCheckpoint(at("cut.ckpt"))).header.step).toBe(20);
    const on = await cli([...args("cut.ckpt"), "--resume"]);
    expect(on.err).toContain("goes on after step 20");
    const [a, b] = ["whole.ckpt", "cut.ckpt"].map((name) => parseCheckpoint(readFileSync(at(name))).tensors);
    expect(b).toEqual(a);
  });

  test("stops by patience with the best weights in the checkpoint, which predict takes", async () => {
    const { out } = await cli(
      [
        ...flower,
        "--epochs",
        "500",
        "--rate=0.9",
        "--optimizer",
        "sgd",
        "--patience",
        "3",
        "--checkpoint",
        at("p.ckpt"),
        "--seed",
        "2",
      ].filter((w, i, all) => !(w === "0.02" || (w === "--rate" && all[i + 1] === "0.02"))),
    );
    expect(out).toMatch(/patience allows|all epochs/);
    expect(Object.keys((await readCheckpoint(at("p.ckpt"))).tensors)).toContain("best.params.fc1.w");
    expect((await cli(["predict", at("p.ckpt"), "--data", flowers])).err).toContain("accuracy");
  });
});
