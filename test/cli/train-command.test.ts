import { existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { modelOf } from "../../src/cli/model-spec.ts";
import { dataset } from "../../src/data/dataset.ts";
import { loader } from "../../src/data/loader.ts";
import { serializeSafetensors } from "../../src/data/safetensors.ts";
import { leaves, mean, mul, random, reference, tensor } from "../../src/index.ts";
import { sgd } from "../../src/optim/sgd.ts";
import { readCheckpoint } from "../../src/train/checkpoint.ts";
import { train } from "../../src/train/train.ts";
import { runCli as cli } from "./run-cli.ts";

const folder = mkdtempSync(join(tmpdir(), "train-cli-"));
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

describe("chainrule train refuses", () => {
  test.each<[readonly string[], string]>([
    [["train"], "--model is missing: --model mlp:64-32-10"],
    [["train", "a.json", "b.json"], "train takes one CONFIG.json"],
    [[...flower, "--optimizer", "adum"], "--optimizer adum is not there; there are adam"],
    [[...flower, "--epochs", "0"], "--epochs 0 is no whole number of 1 or more"],
    [[...flower, "--split", "2"], "--split 2 is no share above 0"],
    [[...flower, "--seed", "x"], "--seed x is no whole number"],
    [[...flower, "--curve", "a.png"], "--curve a.png: name the file ….svg"],
    [[...flower, "--resume", "--force"], "--resume and --force do not go together"],
    [[...flower, "--resume", "--checkpoint", at("none.ckpt")], "none.ckpt to go on from; leave --resume out to begin"],
    [["train", "--model", "mlp:3-3", "--data", flowers, "--target", "kind"], "--model mlp:3-3 takes 3 numbers a row, and"],
    [
      ["train", "--model", "mlp:2-2", "--data", flowers, "--target", "kind"],
      "kind is tulip in row 2 of the data (from 0), which is class 2, counted from 0 in order of appearance, and --model mlp:2-2 has 2 outputs, for the classes 0..1; give it an output for each class",
    ],
    [["train", "--model", "mlp:2-1", "--data", flowers, "--target", "kind"], "kind holds names; a regression predicts numbers"],
    [
      ["train", "--model", "mlp:2-1", "--data", lines, "--target", "y", "--task", "classification"],
      "has 1 output; a classification has one for each class",
    ],
    [["train", "--model", "mlp:2-4", "--data", lines, "--target", "y", "--task", "regression"], "has 4 outputs; a regression has 1"],
    [["train", "--model", "mlp:2-3", "--data", flowers, "--target", "sort"], 'there is no column "sort"'],
    [["train", "--model", "mlp:2-3", "--data", at("no.csv"), "--target", "kind"], "no.csv: there is no such file"],
    [["train", "--model", "mlp:2-3", "--data", folder, "--target", "kind"], "it is a folder"],
    [["train", "--model", "mlp:2-1", "--data", file("one.csv", "y\n1\n2\n"), "--target", "y"], "csv: there is no column beside y"],
    [["train", file("bad.json", "{")], "bad.json is no JSON"],
    [["train", file("list.json", "[1]")], "list.json must be an object of options"],
    [["train", file("odd.json", '{"modle": "mlp:2-3"}')], "the configuration has no modle; did you mean model?"],
    [["train", file("type.json", '{"model": 3}')], "--model 3 is no text"],
    [
      ["train", file("flag.json", JSON.stringify({ model: "mlp:2-3", data: flowers, target: "kind", raw: "yes" }))],
      "--raw yes is neither true nor false",
    ],
  ])("%j", async (args, message) => {
    const { code, err } = await cli(args);
    expect(err).toContain(message);
    expect(code).toBe(2);
  });

  test("a rate that is none, NaN and ragged rows with their place", async () => {
    for (const rate of ["0", "-1", "NaN"]) {
      const { err } = await cli(["train", "--model", "mlp:2-3", "--data", flowers, "--target", "kind", "--rate", rate]);
      expect(err).toContain(`--rate ${rate} is no learning rate`);
    }
    const table = (text: string) =>
      cli(["train", "--model", "mlp:2-3", "--data", file("t.csv", text), "--target", "c", "--checkpoint", at("t.ckpt")]);
    expect((await table("a,b,c\n1,2,0\n1,2\n")).err).toContain("row 3 has 2 cells");
    expect((await table("a,b,c\n1,2,0\n1,x,1\n")).err).toContain('row 3, column 2 (b): "x" is not a number');
    // In words of the command line: the column by its name, the row as the file has it, and no option of an API.
    const nan = await table("a,b,c\n1,2,0\n1,nan,1\n3,4,2\n4,4,1\n5,2,2\n");
    expect(nan.err).toContain("t.csv: b is NaN in row 1 of the data (from 0); leave such rows out or fill the gaps\n");
    const gap = await table("a,b,c\n1,2,0\n1,,1\n");
    expect(gap.err).toContain("row 3, column 2 (b) is empty; fill the gap, or leave the row out");
    for (const { code, err } of [nan, gap]) expect([code, /\{ \w+:/.test(err)]).toEqual([2, false]);
    const target = cli(["train", "--model", "mlp:1-1", "--data", file("y.csv", "a,c\n1,2\n2,inf\n3,4\n"), "--target", "c"]);
    expect((await target).err).toContain("y.csv: c is Infinity in row 1 of the data");
    expect((await table("a,b,c\n")).err).toContain("a header and no rows");
  });

  test("to write over a checkpoint that is there", async () => {
    await cli([...flower, "--epochs", "1", "--checkpoint", at("there.ckpt")]);
    const { code, err } = await cli([...flower, "--epochs", "1", "--checkpoint", at("there.ckpt")]);
    expect([code, err.includes("there.ckpt is there already: --resume goes on from it")]).toEqual([2, true]);
    expect((await cli([...flower, "--epochs", "1", "--checkpoint", at("there.ckpt"), "--force"])).code).toBe(0);
    expect(readdirSync(folder).filter((name) => name.endsWith(".tmp"))).toEqual([]);
    expect(existsSync("chainrule.ckpt")).toBe(false);
  });
});

describe("chainrule predict refuses", () => {
  test("what is no model, and rows that do not fit", async () => {
    await cli([...flower, "--epochs", "1", "--checkpoint", at("m.ckpt")]);
    expect((await cli(["predict"])).err).toContain("predict takes one checkpoint");
    expect((await cli(["predict", at("m.ckpt")])).err).toContain("--data is missing: --data new.csv");
    expect((await cli(["predict", at("gone.ckpt"), "--data", flowers])).err).toContain("there is no such file");
    expect(await cli(["predict", at("m.ckpt"), "--data", at("no.csv")])).toMatchObject({
      code: 2,
      out: "",
      err: expect.stringContaining("no.csv: there is no such file"),
    });
    expect((await cli(["predict", at("m.ckpt"), "--data", lines])).err).toContain(
      `${lines}: csv: the model reads columns that are not there: length, width; there are a, b, y\n`,
    );
    const part = (text: string) => cli(["predict", at("m.ckpt"), "--data", file("part.csv", text)]);
    expect((await part("id,length\nx,1\n")).err).toContain("columns that are not there: width; there are id, length\n");
    expect((await part("1,2\n3,4\n")).err).toContain("length, width; there are column1, column2; the first row has numbers");
    expect((await part("length;width\n3;4\n")).err).toContain("there are length;width; there is no comma in the first row");
    expect((await part("id,length,width\na,1,2\nb,3,wide\n")).err).toContain(
      'csv: row 3, column 3 (width): "wide" is not a number; the model reads this column: write a number\n',
    );
    expect((await part("id,length,width\na,1,\n")).err).toContain("row 2, column 3 (width) is empty; fill the gap, or leave the row out\n");
    expect((await cli(["predict", at("m.ckpt"), "--data", file("nan.csv", "length,width\n1,2\ninf,2\n")])).err).toContain(
      "length is no finite number in row 1",
    );
    const data = loader(dataset({ x: tensor([[1], [2]], "f32") }), { batch: 1 });
    const foreign = (note: unknown) =>
      train(
        { params: { w: tensor([1], "f32") }, loss: (p, { x }) => mean(mul(p.w, x)) },
        { data, optimizer: sgd({ rate: 1 }), engine: reference(), epochs: 1, health: false, checkpoint: { file: at("api.ckpt"), note } },
      ).finish();
    await foreign(null);
    expect((await cli(["predict", at("api.ckpt"), "--data", flowers])).err).toContain("the checkpoint does not say how its model is built");
    await foreign((await readCheckpoint(at("m.ckpt"))).header.note);
    expect((await cli(["predict", at("api.ckpt"), "--data", flowers])).err).toContain(
      "its weights are not those of mlp:2-16-3:\n  params.fc1.w: missing there",
    );
    const tensors = serializeSafetensors({ w: tensor([1]) });
    writeFileSync(at("w.safetensors"), tensors);
    expect((await cli(["predict", at("w.safetensors"), "--data", flowers])).err).toContain(
      "the file has tensors and no state of a training",
    );
  });
});

describe("chainrule predict takes", () => {
  const line = ["train", "--model", "mlp:2-1", "--data", lines, "--target", "y", "--epochs", "1", "--checkpoint", at("line.ckpt")];
  /** What is printed, and what is told of it. */
  const of = async (checkpoint: string, text: string, ...more: string[]) => {
    const { code, out, err } = await cli(["predict", checkpoint, "--data", file("rows.csv", text), ...more]);
    expect([code, code === 0 ? "" : err]).toEqual([0, ""]);
    return { out, told: err.trim().split("\n") };
  };

  test("columns in any order beside others of any kind, which it tells, and a target that is there, empty or no column", async () => {
    await cli([...flower, "--epochs", "30", "--force", "--checkpoint", at("m.ckpt")]);
    const bare = await of(at("m.ckpt"), "length,width\n0.1,10\n4.1,8.2\n");
    expect(bare.out).toMatch(/^prediction,probability\nrose,0\.\d+\ntulip,0\.\d+\n$/);
    expect(bare.told).toEqual(["predicted 2 rows"]);
    const none = ["predicted 2 rows", "columns that the model does not read: id, who"];
    const id = await of(at("m.ckpt"), 'id,width,who,length\nx1,10,"Kim, Ann",0.1\n,8.2,,4.1\n');
    expect(id).toEqual({ out: bare.out, told: none });
    const empty = await of(at("m.ckpt"), "id,width,kind,who,length\nx1,10,,Ann,0.1\nx2,8.2, ,Bo,4.1\n");
    expect(empty).toEqual({ out: bare.out, told: none });
    const kinds = "width,length,kind\n10,0.1,rose\n8.2,4.1,\n8.2,4.1,rose\n8.2,4.1,tulip\n9,1,thistle\n";
    expect((await of(at("m.ckpt"), kinds)).told).toEqual(["predicted 5 rows; the target is there in 4, 2 of them right: accuracy 0.5"]);
    expect((await of(at("m.ckpt"), kinds, "--lang", "ko")).told).toEqual([
      "5행을 예측했고, 목푯값이 있는 4행 중 2행이 맞았습니다: 정확도 0.5",
    ]);
  });

  test("numbers for a target, of which some are not there", async () => {
    await cli(line);
    const { out } = await of(at("line.ckpt"), "a,b\n1,2\n3,4\n");
    const [, first = 0] = out.split("\n").map(Number);
    const gap = `id,y,b,a\np,${first + 3},2,1\nq,,4,3\n`;
    const { told, out: same } = await of(at("line.ckpt"), gap);
    expect(same).toBe(out);
    expect(told).toEqual([
      "predicted 2 rows; the target is there in 1, root mean squared error 3",
      "columns that the model does not read: id",
    ]);
    expect((await of(at("line.ckpt"), gap, "--lang", "ko")).told).toEqual([
      "2행을 예측했습니다(목푯값이 있는 행은 1행): 평균제곱근오차 3",
      "모델이 읽지 않는 열: id",
    ]);
    const text = await cli(["predict", at("line.ckpt"), "--data", file("rows.csv", "y,a,b\nhigh,1,2\n")]);
    expect(text.err).toContain('csv: row 2, column 1 (y): "high" is not a number; where it is not known, leave the cell empty\n');
  });
});

describe("model descriptions", () => {
  const sizes = (spec: string): string[] =>
    leaves(modelOf(spec).init(random.key(0)).params).map(
      ({ path, leaf }) => `${path} ${(leaf as ReturnType<typeof tensor>).type.shape.join("x")}`,
    );

  test("make the layers that they say", () => {
    expect(sizes("mlp:4-8-3")).toEqual(["fc1.w 4x8", "fc1.b 8", "fc2.w 8x3", "fc2.b 3"]);
    expect(sizes("conv:6x4x2-5c3-p2-3,tanh,dropout=0.5")).toEqual(["conv1.w 5x2x3x3", "conv1.b 5", "fc3.w 30x3", "fc3.b 3"]);
    expect(sizes("mlp:4-8-3,batchnorm,gelu").filter((s) => s.startsWith("norm"))).toEqual(["norm1.scale 8", "norm1.shift 8"]);
    expect(modelOf("conv:8x8-4c3-10")).toMatchObject({ inputs: 64, outputs: 10 });
  });

  test.each([
    ["net:3", "it is no model"],
    ["mlp:3", "it has no layer"],
    ["mlp:3-x", '"x" is no size'],
    ["mlp:3-0", '"0" is no size'],
    ["mlp:3-4c3-2", "4c3 needs an image, and there are rows of 3 numbers"],
    ["conv:8-3", '"8" is no height x width x channels'],
    ["conv:8x8-p9-3", "p9 does not fit an image of 8 x 8"],
    ["conv:8x8-4c3", "it ends in an image"],
    ["mlp:3-2,swish", "there is no swish"],
    ["mlp:3-2,dropout=2", "dropout=2 is no share"],
  ])("%s is refused", (spec, message) => {
    expect(() => modelOf(spec)).toThrow(message);
    expect(() => modelOf(spec)).toThrow("write mlp:64-32-10");
  });
});
