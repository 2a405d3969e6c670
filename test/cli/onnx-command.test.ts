import { mkdtempSync, readFileSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, expect, test } from "vitest";
import { modelBytes, node, port, weight } from "../onnx/build-model.ts";
import { runCli as cli } from "./run-cli.ts";

const folder = mkdtempSync(join(tmpdir(), "onnx-cli-"));
afterAll(() => rmSync(folder, { recursive: true }));
const mlp = fileURLToPath(new URL("../fixtures/onnx/mlp/model.onnx", import.meta.url));
const file = (name: string, content: Uint8Array | string): string => {
  const path = join(folder, name);
  writeFileSync(path, content);
  return path;
};

test("onnx inspect tells what is in a model, in words and as JSON", async () => {
  const { code, out, err } = await cli(["onnx", "inspect", mlp, "--dims", "batch=32"]);
  expect([code, err]).toEqual([0, ""]);
  expect(out).toContain("ONNX model: pytorch 2.13.0, ai.onnx 17, IR version 8");
  expect(out).toContain("Memory with batch = 32");
  const json = JSON.parse((await cli(["onnx", "inspect", mlp, "--json"])).out) as { parameters: { name: string }[] };
  expect(json.parameters.map((p) => p.name)).toContain("net.4.bias");
  const inner = JSON.parse((await cli(["onnx", "inspect", mlp, "--json", "--outputs", "/net/net.1/Relu_output_0"])).out) as object;
  expect(inner).toMatchObject({ outputs: { "/net/net.1/Relu_output_0": { dtype: "f32", shape: [1, 32] } }, deadNodes: 3 });
});

test("onnx inspect tells which weights a file has twice, and reads them as --tie says", async () => {
  const gpt = fileURLToPath(new URL("../fixtures/onnx/tied/gpt2.onnx", import.meta.url));
  const twice = "lm_head.weight is wte.weight transposed, written twice";
  expect((await cli(["onnx", "inspect", gpt])).out).toContain(`${twice}: they are one weight, and are written to both places`);
  const apart = (await cli(["onnx", "inspect", gpt, "--tie", "none"])).out;
  expect(apart).toContain(`${twice}: training moves them apart, unless they are tied (--tie lm_head.weight)`);
  expect(apart).toContain("lm_head.weight (onnx::MatMul_");
  expect((await cli(["onnx", "inspect", gpt, "--tie", "lm_head.*"])).out).not.toContain("lm_head.weight (onnx::MatMul_");
  expect((await cli(["onnx", "inspect", gpt, "--tie", "h.*"])).err).toContain("onnx: tie: h.* names no weight that the file has twice");
});

test("onnx inspect --lang ko tells it in Korean, in columns", async () => {
  const { code, out } = await cli(["onnx", "inspect", mlp, "--dims", "batch=32", "--lang", "ko"]);
  expect(code).toBe(0);
  expect(out).toBe(`ONNX 모델: pytorch 2.13.0, ai.onnx 17, IR 버전 8

입력
  input  f32[batch,64]

출력
  logits  f32[batch,10]

연산: 노드 5개
  Gemm 3, Relu 1, Tanh 1

매개변수: 텐서 6개에 값 3,466개, 13.9 kB. 그중 3,466개를 학습합니다
  이름          자료형      학습  기울기
  net.0.weight  f32[32,64]  함    있음
  net.0.bias    f32[32]     함    있음
  net.2.weight  f32[32,32]  함    있음
  net.2.bias    f32[32]     함    있음
  net.4.weight  f32[10,32]  함    있음
  net.4.bias    f32[10]     함    있음

기울기
  학습하는 매개변수 모두에 기울기가 도착합니다

메모리 (batch = 32)
  가중치   13.9 kB  가중치의 기울기  13.9 kB  Adam의 평균              27.7 kB
  순전파   20.5 kB  역전파까지       35.4 kB  역전파를 위해 남기는 값  18.9 kB
  연산 수  222 k    역전파까지       531 k
`);
  expect((await cli(["onnx", "inspect", mlp, "--lang", "fr"])).err).toContain("--lang fr is not there; en and ko are");
});

test("sizes may have names that every object has", async () => {
  for (const name of ["__proto__", "constructor"]) {
    const path = file("sized.onnx", modelBytes({ nodes: [node("Exp", ["x"], ["y"])], inputs: [port("x", [name])] }));
    expect((await cli(["onnx", "inspect", path, "--dims", `${name}=7`])).out).toContain(`forward pass  56 B`);
    expect((await cli(["onnx", "inspect", path])).out).toContain(`Memory with ${name} = 1\n`);
  }
});

test("names from a file cannot steer the terminal", async () => {
  const hostile = file("hostile.onnx", modelBytes({ nodes: [node("Exp", ["x"], ["y"], {}, "\u001b[2Jevil")], opset: 18, weights: [] }));
  expect((await cli(["onnx", "inspect", hostile])).out).not.toContain("\u001b");
  const names = file(
    "names.onnx",
    modelBytes({ nodes: [node("Add", ["x", "\u001b]0;w"], ["y"])], weights: [weight("\u001b]0;w", [2], [1, 2])] }),
  );
  expect((await cli(["onnx", "inspect", names])).out).not.toContain("\u001b");
});

const w = weight("w", [2], [1, 2]);
const large = file("large.onnx", "");
truncateSync(large, 3 * 2 ** 30);
const whole = readFileSync(mlp);
const outside = { ...w, float_data: [], data_location: 1, external_data: [{ key: "location", value: "weights.bin" }] };
const beyond = { data_type: 7, dims: [1], raw_data: new Uint8Array(new BigInt64Array([2n ** 60n]).buffer) };

test.each([
  [file("empty.onnx", ""), "onnx: the file is empty"],
  [file("cut.onnx", whole.subarray(0, 9000)), "onnx: "],
  [file("text.onnx", "<!doctype html><title>404</title>"), "onnx: "],
  [large, "onnx: the file has 3221225472 bytes; a model file has less than 2 GiB"],
  [join(folder, "none.onnx"), "none.onnx: cannot read it: there is no such file or folder"],
  [
    file("circle.onnx", modelBytes({ nodes: [node("Add", ["x", "b"], ["a"]), node("Neg", ["a"], ["b"]), node("Exp", ["b"], ["y"])] })),
    "a graph has no circles",
  ],
  [
    file("opset.onnx", modelBytes({ nodes: [node("Exp", ["x"], ["y"])], opset: 99 })),
    "the model is written in operator set 99; up to 28 is known",
  ],
  [
    file("outside.onnx", modelBytes({ nodes: [node("Add", ["x", "w"], ["y"])], weights: [outside] })),
    "the data of w is in weights.bin, and there is no such file beside the model",
  ],
  [
    file("double.onnx", modelBytes({ nodes: [node("Add", ["x", "w"], ["y"])], weights: [w, w] })),
    "onnx: two initialisers have one name: w",
  ],
  [
    file("twice.onnx", modelBytes({ nodes: [node("Exp", ["x"], ["y"]), node("Neg", ["x"], ["y"])] })),
    "writes y, which is written elsewhere too",
  ],
  [
    file("short.onnx", modelBytes({ nodes: [node("Add", ["x", "w"], ["y"])], weights: [{ ...w, dims: [3] }] })),
    "onnx: w is f32[3], which has 3 elements, and lists 2",
  ],
  [
    file("whole.onnx", modelBytes({ nodes: [node("Gather", ["x", "i"], ["y"])], weights: [{ ...beyond, name: "i" }] })),
    "the 64-bit integer 1152921504606846976 is beyond 2^53",
  ],
])("%s is one clear line and exit code 2, for inspect and for draw", async (path, message) => {
  for (const words of [
    ["onnx", "inspect", path],
    ["draw", path],
  ]) {
    const { code, out, err } = await cli(words);
    expect([code, out]).toEqual([2, ""]);
    expect(err).toContain(message);
    expect(err.trimEnd().split("\n").length).toBe(1);
  }
});

test.each([
  [["onnx"], "onnx wants to know what to do: chainrule onnx inspect FILE.onnx"],
  [["onnx", "look", mlp], "onnx has no look; it has inspect"],
  [["onnx", "inspect"], "onnx inspect takes one file"],
  [["onnx", "inspect", mlp, mlp], "onnx inspect takes one file"],
  [["onnx", "inspect", mlp, "--dims", "batch"], "--dims batch is no size; write --dims batch=32"],
  [["onnx", "inspect", mlp, "--dims", "rows=3"], "onnx: dims has rows, and the inputs have no size of that name; they have batch"],
  [["onnx", "inspect", mlp, "--outputs", "none"], "onnx: there is no output none; the model has logits"],
  [["draw", mlp, "x=1"], "is drawn with its shapes; leave out x=1"],
  [["draw", mlp, "--html"], "model.onnx is drawn with its shapes; name a picture: -o model.svg"],
] as const)("%j is told", async (words, message) => {
  const { code, err } = await cli(words);
  expect([code, err]).toEqual([2, expect.stringContaining(message)]);
});

test("a model whose shapes do not fit is inspected, and drawing it says why it cannot", async () => {
  const path = file(
    "shapes.onnx",
    modelBytes({ nodes: [node("MatMul", ["x", "w"], ["y"])], weights: [weight("w", [3, 1], [1, 2, 3])], inputs: [port("x", [1, 2])] }),
  );
  const told = await cli(["onnx", "inspect", path]);
  expect([told.code, told.out]).toEqual([0, expect.stringContaining("not known: onnx: node with output y (MatMul): matmul")]);
  expect(await cli(["draw", path])).toMatchObject({ code: 2, err: expect.stringContaining("matmul") });
});

test("draw shows a model's modules, and its nodes as one box each", async () => {
  const { code, out } = await cli(["draw", mlp, "--format", "text"]);
  expect(code).toBe(0);
  expect(out).toContain("Gemm");
  expect(out).not.toContain("transpose");
  expect((await cli(["draw", mlp, "--depth", "all"])).out).toContain("transpose");
});
