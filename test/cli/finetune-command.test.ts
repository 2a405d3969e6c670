import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, describe, expect, test } from "vitest";
import { parseSafetensors, serializeSafetensors } from "../../src/data.ts";
import { f32, f64, i32, type Tensor, tensor } from "../../src/index.ts";
import { onnx } from "../../src/onnx.ts";
import { png } from "../data/make-image.ts";
import { modelBytes, node, port, weight } from "../onnx/build-model.ts";
import { runCli as cli } from "./run-cli.ts";

const folder = mkdtempSync(join(tmpdir(), "finetune-cli-"));
afterAll(() => rmSync(folder, { recursive: true }));
const at = (name: string): string => join(folder, name);
const fixture = (name: string): string => fileURLToPath(new URL(`../fixtures/onnx/${name}`, import.meta.url));
const file = (name: string, content: Uint8Array | string): string => {
  writeFileSync(at(name), content);
  return at(name);
};
const mlp = fixture("mlp/model.onnx");
const told = parseSafetensors(new Uint8Array(readFileSync(fixture("mlp/data.safetensors")))).tensors;
const stacked = (prefix: string, count: number): Tensor => {
  const parts = Array.from({ length: count }, (_, i) => told[`${prefix}/${i}`]!);
  const [rows = 0, ...rest] = parts[0]!.type.shape;
  const data =
    parts[0]!.data instanceof Int32Array ? new Int32Array(count * parts[0]!.data.length) : new Float32Array(count * parts[0]!.data.length);
  parts.forEach((t, i) => {
    data.set(t.data as Float32Array, i * t.data.length);
  });
  return tensor(data as Float32Array, { kind: "type", dtype: parts[0]!.type.dtype, shape: [count * rows, ...rest] });
};
const [x, y] = [stacked("x", 4), stacked("y", 4)];
const rows = file("rows.safetensors", serializeSafetensors({ input: x, y }));

test("chainrule finetune trains and writes a model", async () => {
  expect((await cli(["finetune", mlp, "--data", rows, "--epochs", "1", "-o", at("short.onnx")])).code).toBe(0);
  expect((await onnx.read(at("short.onnx"))).trainable.length).toBe(6);
});

test("chainrule finetune refuses a batch larger than the rows, where it is asked for", async () => {
  const count = Math.ceil(x.type.shape[0]! * 0.8);
  const { code, err } = await cli(["finetune", mlp, "--data", rows, "--epochs", "1", "--batch", "5000", "-o", at("large.onnx")]);
  expect(err).toMatch(/--batch 5000: (\d+) rows are trained on, so every batch would be all of them; write --batch \1 if that is meant/);
  expect(Number(/: (\d+) rows/.exec(err)![1])).toBeLessThanOrEqual(count + 1);
  expect(code).toBe(2);
});

test.each([
  ["--curve", "none/curve.svg", []],
  ["--adapters", "none/small.safetensors", ["--lora", "2"]],
])("chainrule finetune tells that the file of %s cannot be written before the first step", async (option, name, more) => {
  const { code, err } = await cli(["finetune", mlp, "--data", rows, "--epochs", "1", "-o", at("never.onnx"), ...more, option, at(name)]);
  expect(err).toContain(`cannot write ${at(name)}: there is no such file or folder`);
  expect(err).not.toContain("epoch 1/1");
  expect(code).toBe(2);
  expect([existsSync(at("never.onnx")), existsSync(at("never.ckpt"))]).toEqual([false, false]);
});

test("chainrule finetune --lang ko tells its run in Korean", async () => {
  const args = ["finetune", mlp, "--data", rows, "--epochs", "1", "--lang", "ko", "--curve", at("ko.svg"), "-o", at("ko.onnx")];
  const { code, out, err } = await cli(args);
  expect(code).toBe(0);
  expect(err).toMatch(/\(매개변수 값 3466개\)에서 가중치 6개의 값 3466개를 \d+행으로 학습합니다\. 검증은 \d+행으로 합니다\n/);
  expect(err).toMatch(/에폭 1\/1 {2}단계/);
  expect(out).toMatch(/^학습: \d+단계, 1에폭, [\s\S]*\n저장한 파일: .*ko\.onnx/);
  expect(readFileSync(at("ko.svg"), "utf8")).toContain("검증");
  expect((await cli([...args.slice(0, 6), "--lang", "fr", "-o", at("fr.onnx")])).err).toContain("--lang fr is not there; there are en, ko");
});

test.each(["__proto__", "constructor", "toString", "hasOwnProperty", "\u200b"])(
  "an input, a weight and an output may be called %j",
  async (name) => {
    const path = file(
      "called.onnx",
      modelBytes({
        nodes: [node("MatMul", [name, `${name}w`], [`${name}y`])],
        inputs: [port(name, [name, 2])],
        outputs: [port(`${name}y`, [name, 1])],
        weights: [weight(`${name}w`, [2, 1], [1, 2])],
      }),
    );
    const [given, wanted] = [tensor([1, 2, 3, 4, 5, 6], f32(3, 2)), tensor([1, 2, 3], f32(3, 1))];
    const tune = ["--validation", "0", "--force", "-o", at("called-tuned.onnx")];
    const same = file("called.safetensors", serializeSafetensors({ [name]: given, y: wanted }));
    expect(await cli(["finetune", path, "--data", same, ...tune])).toMatchObject({ code: 0 });
    const other = file("called-otherwise.safetensors", serializeSafetensors({ data: given, more: given, y: wanted }));
    expect(await cli(["finetune", path, "--data", other, ...tune])).toMatchObject({
      code: 2,
      err: expect.stringContaining("name the tensor"),
    });
    expect(await cli(["finetune", path, "--data", other, "--input", `${name}=more`, "--target", "y", ...tune])).toMatchObject({ code: 0 });
    expect((await onnx.read(at("called-tuned.onnx"))).params[`${name}w`]!.data).not.toEqual(Float32Array.of(1, 2));
  },
);

/** What does not fit, word for word. */
describe("data that is not the model's", () => {
  const cases: [string, Record<string, Tensor>, string[], string][] = [
    [
      "another shape",
      { input: tensor(new Float32Array(30), f32(3, 10)), y: tensor([1, 2, 3], "i32") },
      [],
      "the model's input input is f32[batch,64], and input is f32[3,10]: axis 1 has 10 instead of 64",
    ],
    [
      "too few axes",
      { input: tensor(new Float32Array(64), f32(64)), y: tensor(new Int32Array(64)) },
      [],
      "input is f32[64]: 1 axes instead of 2, of which the first is that of the rows",
    ],
    [
      "another dtype",
      { input: tensor(new Float64Array(128), f64(2, 64)), y: tensor([1, 2], "i32") },
      [],
      "the model's input input is f32[batch,64], and input is f64[2,64]; write it as f32",
    ],
    [
      "whole numbers",
      { input: tensor(new Int32Array(128), i32(2, 64)), y: tensor([1, 2], "i32") },
      [],
      "write it as f32, scaled as the model was trained",
    ],
    [
      "rows that differ",
      { input: tensor(new Float32Array(128), f32(2, 64)), y: tensor([1, 2, 3], "i32") },
      [],
      "y is i32[3], and input has 2 rows; rows are axis 0, and all tensors have as many",
    ],
    [
      "a label that is no class",
      { input: tensor(new Float32Array(128), f32(2, 64)), y: tensor([1, 10], "i32") },
      [],
      "y is 10 in row 1 (from 0); the model has 10 classes, 0 to 9",
    ],
    [
      "numbers for labels",
      { input: tensor(new Float32Array(128), f32(2, 64)), y: tensor([1, 2], "f32") },
      ["--loss", "cross-entropy"],
      "cross-entropy takes classes, whole numbers, and y is f32[2]; write it as i32, or choose --loss mse",
    ],
    [
      "targets of another size",
      { input: tensor(new Float32Array(128), f32(2, 64)), y: tensor([1, 2], "f32") },
      [],
      "the model's logits is f32[2,10] and the targets are f32[2]; there is a target for each number, f32[2,10]",
    ],
    [
      "labels of another shape",
      { input: tensor(new Float32Array(128), f32(2, 64)), y: tensor(new Int32Array(6), i32(2, 3)) },
      [],
      "the model's logits is f32[2,10] and the labels are i32[2,3]; cross-entropy takes a label for each row of logits: i32[2]",
    ],
    [
      "no target",
      { input: tensor(new Float32Array(128), f32(2, 64)), a: tensor([1, 2], "i32"), b: tensor([1, 2], "i32") },
      [],
      "has input f32[2,64], a i32[2], b i32[2], and the model takes input f32[batch,64]; name what is to be predicted: --target ...",
    ],
    ["no such target", { input: tensor(new Float32Array(128), f32(2, 64)) }, ["--target", "z"], "--target z: there is no such tensor; "],
    [
      "no input",
      { a: tensor(new Float32Array(128), f32(2, 64)), b: tensor(new Float32Array(128), f32(2, 64)), y: tensor([1, 2], "i32") },
      [],
      "name the tensor for input: --input input=...",
    ],
    [
      "no such input",
      { a: tensor(new Float32Array(128), f32(2, 64)), y: tensor([1, 2], "i32") },
      ["--input", "image=a"],
      "--input image=a: there is no such input; ",
    ],
    [
      "no such tensor",
      { a: tensor(new Float32Array(128), f32(2, 64)), y: tensor([1, 2], "i32") },
      ["--input", "input=b"],
      "--input input=b: there is no such tensor; ",
    ],
    ["no rows", { input: tensor(new Float32Array(0), f32(0, 64)), y: tensor(new Int32Array(0)) }, [], "has no rows"],
    [
      "NaN",
      { input: tensor(new Float32Array(128).fill(Number.NaN), f32(2, 64)), y: tensor([1, 2], "i32") },
      ["--validation", "0"],
      "NaN.safetensors: input input is NaN in row 0, column 0 (from 0); leave such rows out or fill the gaps\n",
    ],
  ];
  test.each(cases)("%s", async (name, tensors, words, message) => {
    const path = file(`${name.replaceAll(" ", "-")}.safetensors`, serializeSafetensors(tensors));
    const { code, out, err } = await cli(["finetune", mlp, "--data", path, "-o", at("never.onnx"), "--force", ...words]);
    expect([code, out]).toEqual([2, ""]);
    expect(err).toContain(message);
    expect(existsSync(at("never.onnx"))).toBe(false);
  });

  test("one tensor beside the target is the one input, whatever it is called, and --input names it otherwise", async () => {
    const path = file("names.safetensors", serializeSafetensors({ pixels: x, label: y }));
    expect((await cli(["finetune", mlp, "--data", path, "--epochs", "1", "-o", at("n.onnx")])).code).toBe(0);
    const more = file("more.safetensors", serializeSafetensors({ pixels: x, other: x, label: y }));
    const words = ["--input", "input=pixels", "--target", "label", "--epochs", "1", "--force", "-o", at("n.onnx")];
    expect((await cli(["finetune", mlp, "--data", more, ...words])).code).toBe(0);
  });

  test("tables that do not fit are told with their columns", async () => {
    const wide = file("wide.csv", "a,b,label\n1,2,0\n3,4,1\n");
    const on = (...words: string[]) => cli(["finetune", mlp, "--data", wide, "-o", at("never.onnx"), ...words]);
    expect((await on("--target", "label")).err).toContain(
      "has 2 columns beside label, and the model's input input is f32[batch,64], 64 numbers a row",
    );
    expect((await on("--target", "label", "--ignore", "b")).err).toContain(
      "has 1 column beside label and those of --ignore, and the model's",
    );
    const words = ["--ignore", "id", "-o", at("never.onnx")];
    expect((await cli(["finetune", mlp, "--data", file("x.safetensors", serializeSafetensors({ x, y })), ...words])).err).toContain(
      "--ignore names columns of a table, and ",
    );
    expect((await on()).err).toContain("--target is missing: name the column to be predicted");
    expect((await on("--target", "label", "--input", "input=a")).err).toContain("of a table all columns but the target are the input");
    const two = file(
      "two.onnx",
      modelBytes({ nodes: [node("Add", ["x", "z"], ["y"])], inputs: [port("x", ["n", 2]), port("z", ["n", 2])] }),
    );
    expect((await cli(["finetune", two, "--data", wide, "--target", "label", "-o", at("never.onnx")])).err).toContain(
      "a table has one input, and the model takes x f32[n,2], z f32[n,2]; give the data as .safetensors",
    );
    const ids = file(
      "ids.onnx",
      modelBytes({
        nodes: [node("Gather", ["w", "x"], ["g"]), node("ReduceMean", ["g"], ["y"], { keepdims: 0, axes: [1] })],
        opset: 17,
        weights: [weight("w", [5, 2], [1, 2, 3, 4, 5, 6, 7, 8, 9, 10])],
        inputs: [port("x", ["n", 2], 7)],
        outputs: [port("y", ["n", 2])],
      }),
    );
    const half = file("half.csv", "a,b,label\n1,2,0\n3,0.5,1\n");
    expect((await cli(["finetune", ids, "--data", half, "--target", "label", "-o", at("never.onnx")])).err).toContain(
      "b is 0.5 in row 1 (from 0), and the model's input x takes whole numbers, i64[n,2]",
    );
    expect(
      (await cli(["finetune", ids, "--data", wide, "--target", "label", "-o", at("ids.tuned.onnx"), "--validation", "0", "--epochs", "1"]))
        .code,
    ).toBe(0);
    const named = file(
      "named.csv",
      `${Array.from({ length: 64 }, (_, i) => `p${i}`).join(",")},label\n${["ant", "bee"].map((name) => `${new Array<number>(64).fill(1).join(",")},${name}`).join("\n")}\n`,
    );
    expect(
      (await cli(["finetune", mlp, "--data", named, "--target", "label", "-o", at("names.onnx"), "--validation", "0", "--epochs", "1"]))
        .code,
    ).toBe(0);
  });
});

describe("a folder of images", () => {
  const images = at("images");
  const classes = { dark: 40, light: 220 };
  for (const [name, level] of Object.entries(classes)) {
    mkdirSync(join(images, name), { recursive: true });
    for (let k = 0; k < 12; k++)
      writeFileSync(
        join(images, name, `${k}.png`),
        png(
          "grey",
          8,
          8,
          Array.from({ length: 64 }, (_, i) => level + ((i * 7 + k * 13) % 30)),
        ),
      );
  }
  const net = (channels: number): string =>
    file(
      `images-${channels}.onnx`,
      modelBytes({
        nodes: [
          node("GlobalAveragePool", ["image"], ["p"]),
          node("Flatten", ["p"], ["f"]),
          node("Gemm", ["f", "w", "b"], ["scores"], { transB: 1 }),
        ],
        weights: [weight("w", [2, channels], new Array<number>(2 * channels).fill(0.1)), weight("b", [2], [0, 0])],
        inputs: [port("image", ["n", channels, 4, 4])],
        outputs: [port("scores", ["n", 2])],
      }),
    );

  test("is read in the model's size and channels, each folder a class", async () => {
    for (const [channels, norm] of [
      [1, ["--mean", "0.5", "--std", "0.25"]],
      [3, ["--mean", "0.5,0.5,0.5"]],
    ] as const) {
      const words = ["--data", images, "--lr", "0.3", "--epochs", "15", "--batch", "8", ...norm, "-o", at(`images-${channels}-tuned.onnx`)];
      const { code, err } = await cli(["finetune", net(channels), ...words]);
      expect([code, err]).toEqual([0, expect.stringMatching(/epoch 15\/15 .*accuracy 1\b/)]);
    }
  });

  test("has to fit the model, and the classes of the validation have to be the same", async () => {
    const on = (model: string, ...words: string[]) => cli(["finetune", model, "--data", images, "-o", at("never.onnx"), ...words]);
    expect((await on(mlp)).err).toContain(
      "a folder of images is one input of 1 or 3 channels behind the rows, and the model takes input f32[batch,64]",
    );
    expect((await on(net(3), "--std", "1,1")).err).toContain("--std has 2 numbers, and the model's images have 3 channels");
    expect((await on(net(3), "--std", "0")).err).toContain("--std 0: write numbers with commas between them, above 0");
    mkdirSync(join(at("others"), "red"), { recursive: true });
    mkdirSync(join(at("others"), "dark"), { recursive: true });
    for (const name of ["red", "dark"]) writeFileSync(join(at("others"), name, "a.png"), png("grey", 4, 4, new Array<number>(16).fill(9)));
    expect((await on(net(1), "--validation", at("others"))).err).toContain(
      `has the classes dark, red, and ${images} has dark, light; both have to have the same`,
    );
    mkdirSync(at("nothing"));
    expect(await cli(["finetune", net(1), "--data", at("nothing"), "-o", at("never.onnx")])).toMatchObject({ code: 2, out: "" });
    expect((await cli(["finetune", mlp, "--data", rows, "-o", at("never.onnx"), "--mean", "1"])).err).toContain(
      "--mean and --std are those of images, and",
    );
  });
});

const large = file("large.onnx", "");
truncateSync(large, 3 * 2 ** 30);
const w = weight("w", [2], [1, 2]);
const whole = readFileSync(mlp);

test.each([
  [["finetune"], "finetune takes one model"],
  [["finetune", mlp, mlp], "finetune takes one model"],
  [["finetune", mlp, "--data", rows], "-o is missing: name the file of the tuned model"],
  [["finetune", mlp, "--data", rows, "-o", "a.txt"], "-o a.txt: name the file ….onnx"],
  [["finetune", mlp, "--data", rows, "-o", mlp], "is the model itself, which a resumed run reads again; name another file"],
  [["finetune", mlp, "-o", at("b.onnx")], "--data is missing: --data train.safetensors"],
  [
    ["finetune", mlp, "--data", "a.parquet", "-o", at("b.onnx")],
    "--data a.parquet: data is a .safetensors or .npz file with tensors by name, a .csv table, or a folder of images",
  ],
  [["finetune", mlp, "--data", "none.safetensors", "-o", at("b.onnx")], "none.safetensors: cannot read it"],
  [["finetune", mlp, "--data", rows, "-o", at("b.onnx"), "--alpha", "2"], "--alpha belongs to adapters; give --lora RANK too"],
  [["finetune", mlp, "--data", rows, "-o", at("b.onnx"), "--lora", "2", "--freeze", "net.*"], "--freeze has nothing to freeze with --lora"],
  [["finetune", mlp, "--data", rows, "-o", at("b.onnx"), "--lora", "0"], "--lora 0 is no whole number of 1 or more"],
  [
    ["finetune", mlp, "--data", rows, "-o", at("b.onnx"), "--lora", "64"],
    "lora: rank 64 is larger than net.0.weight, f32[32,64], has room for",
  ],
  [["finetune", mlp, "--data", rows, "-o", at("b.onnx"), "--freeze", "features.*"], "trainables: freeze: features.* names no parameter"],
  [["finetune", mlp, "--data", rows, "-o", at("b.onnx"), "--freeze", "*"], "trainables: nothing is left to train"],
  [["finetune", mlp, "--data", rows, "-o", at("b.onnx"), "--loss", "nll"], "--loss nll is not there; there are cross-entropy, mse"],
  [["finetune", mlp, "--data", rows, "-o", at("b.onnx"), "--lr", "fast"], "--lr fast is no learning rate"],
  [["finetune", mlp, "--data", rows, "-o", at("b.onnx"), "--validation", "1"], "--validation 1 is no share of the rows"],
  [
    ["finetune", mlp, "--data", rows, "-o", at("b.onnx"), "--input", "x"],
    "--input x: write the model's input and the tensor, --input image=x",
  ],
  [["finetune", mlp, "--data", rows, "-o", at("b.onnx"), "--predict", "none"], "onnx: there is no output none; the model has logits"],
  [["finetune", mlp, "--data", rows, "-o", at("b.onnx"), "--resume"], "b.ckpt to go on from; leave --resume out to begin"],
  [["finetune", mlp, "--data", rows, "-o", at("b.onnx"), "--resume", "--force"], "--resume and --force do not go together"],
  [["finetune", mlp, "--data", rows, "-o", "/none/there.onnx"], "/none/there.onnx"],
  [["finetune", large, "--data", rows, "-o", at("b.onnx")], "a model file has less than 2 GiB"],
  [["finetune", file("empty.onnx", ""), "--data", rows, "-o", at("b.onnx")], "onnx: the file is empty"],
  [["finetune", file("cut.onnx", whole.subarray(0, 9000)), "--data", rows, "-o", at("b.onnx")], "onnx: "],
  [
    [
      "finetune",
      file("circle.onnx", modelBytes({ nodes: [node("Add", ["x", "b"], ["a"]), node("Neg", ["a"], ["b"]), node("Exp", ["b"], ["y"])] })),
      "--data",
      rows,
      "-o",
      at("b.onnx"),
    ],
    "a graph has no circles",
  ],
  [
    [
      "finetune",
      file("op.onnx", modelBytes({ nodes: [node("FusedConv", ["x", "w"], ["y"], {}, "f", "com.microsoft")], weights: [w] })),
      "--data",
      rows,
      "-o",
      at("b.onnx"),
    ],
    "Without it there is no y, and w behind it get no gradient",
  ],
  [
    [
      "finetune",
      file("several.onnx", modelBytes({ nodes: [node("Exp", ["x"], ["y"]), node("Neg", ["x"], ["z"])], outputs: [port("y"), port("z")] })),
      "--data",
      rows,
      "-o",
      at("b.onnx"),
    ],
    "the model has several outputs, y, z; name the one that predicts: --predict y",
  ],
  [
    [
      "finetune",
      file(
        "ints.onnx",
        modelBytes({
          nodes: [node("Mul", ["input", "v"], ["h"]), node("ArgMax", ["h"], ["y"], { axis: 1, keepdims: 0 })],
          weights: [weight("v", [1], [2])],
          inputs: [port("input", ["n", 64])],
          outputs: [port("y", ["n"], 7)],
        }),
      ),
      "--data",
      rows,
      "-o",
      at("b.onnx"),
    ],
    "--predict y: it is i64[",
  ],
] as const)("%j is one clear error", async (words, message) => {
  const { code, out, err } = await cli(words);
  expect([code, out]).toEqual([2, ""]);
  expect(err).toContain(message);
  expect(existsSync(at("b.onnx"))).toBe(false);
  expect(readdirSync(folder).filter((name) => name.endsWith(".tmp"))).toEqual([]);
});
