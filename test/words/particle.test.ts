import { readdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { type Particle, withParticle } from "../../src/words/particle.ts";

const read: readonly (readonly [string | number, Particle, string])[] = [
  ["값", "은", "값은"],
  ["기울기", "은", "기울기는"],
  ["기울기", "을", "기울기를"],
  ["행렬", "으로", "행렬로"],
  ["합", "으로", "합으로"],
  ["변수", "으로", "변수로"],
  ["x", "은", "x는"],
  ["f", "이", "f가"],
  ["l", "이", "l이"],
  ["r", "으로", "r로"],
  ["n", "으로", "n으로"],
  ["w0", "이", "w0이"],
  ["w₁", "을", "w₁을"],
  ["w2", "을", "w2를"],
  ["x²", "은", "x²는"],
  ["fc1.w", "과", "fc1.w와"],
  ["σ", "은", "σ는"],
  ["ε", "은", "ε은"],
  [3, "으로", "3으로"],
  [1, "으로", "1로"],
  [10, "을", "10을"],
  ["-0.39", "을", "-0.39를"],
  ["1e-7", "과", "1e-7과"],
  ["relu", "은", "relu는"],
  ["matmul", "은", "matmul은"],
  ["matmul", "으로", "matmul로"],
  ["sum", "이", "sum이"],
  ["softmax", "이", "softmax가"],
  ["log", "을", "log를"],
  ["clip", "은", "clip은"],
  ["list", "은", "list는"],
  ["exp", "은", "exp는"],
  ["NaN", "이", "NaN이"],
  ["f64[2,3]", "과", "f64[2,3]과"],
  ["f64[4]", "은", "f64[4]는"],
  ['"x"', "이라는", '"x"라는'],
  ["ONNX", "을", "ONNX를"],
  ["", "은", "는"],
];

test("a particle agrees with how the name or number before it is read", () => {
  expect(read.map(([text, particle]) => withParticle(text, particle))).toEqual(read.map(([, , whole]) => whole));
});

test("no sentence offers both forms of a particle instead of the one that fits", () => {
  const root = fileURLToPath(new URL("../../", import.meta.url));
  const both = /은\(는\)|이\(가\)|을\(를\)|와\(과\)|\(으\)로|\(이\)라/;
  const found = ["src", "studio"].flatMap((folder) =>
    readdirSync(root + folder, { recursive: true, encoding: "utf8" })
      .filter((file) => /\.tsx?$/.test(file) && both.test(readFileSync(`${root}${folder}/${file}`, "utf8")))
      .map((file) => `${folder}/${file}`),
  );
  expect(found).toEqual([]);
});
