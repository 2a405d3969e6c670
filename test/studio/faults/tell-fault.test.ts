import { expect, test } from "vitest";
import { parseCsv, parseSafetensors } from "../../../src/data.ts";
import { compileExpression, evaluate, parse } from "../../../src/index.ts";
import { onnx } from "../../../src/onnx.ts";
import { linesInKorean, tellInKorean } from "../../../studio/faults/ko.ts";

const hangul = /[가-힣]/;
const original = "영어 원문:";
/** Words that no name or formula has. */
const englishWords = /(?<![\w"(])(the|is|are|which|with|write|there|has|it) /;

function thrown(run: () => unknown): string {
  try {
    run();
  } catch (error) {
    return (error as Error).message;
  }
  return "nothing was thrown";
}

/** Formulas that somebody mistypes, and what the page says of each, as far as the Korean is held to the letter here. */
const formulas: readonly (readonly [formula: string, told?: string])[] = [
  ["", "계산할 것이 없습니다. (x + y) * z 같은 식을 쓰세요. (1번째 줄, 1번째 칸)"],
  ["x +", '"+" 뒤에 피연산자가 와야 하는데 글의 끝이 있습니다. (1번째 줄, 4번째 칸)'],
  ["(x + y", '"("가 닫히지 않았습니다. ")"가 와야 하는데 글의 끝이 있습니다. (1번째 줄, 1번째 칸)'],
  ["x y"],
  ["x + * y"],
  ["x)"],
  ["[1, 2)"],
  ["(1, 2)"],
  ["()"],
  ["x = = 2"],
  ["x + y = 2"],
  ["a < b < c"],
  ["√x^2"],
  ["x.sum()"],
  ["sin(x"],
  ["x[]"],
  ["x[..., ...]"],
  ["x[1:2:3:4]"],
  ["a = 1\n2\n3"],
  ["2x", '"2x"는 수가 아닙니다. 곱하려면 2 * x로 쓰세요. (1번째 줄, 1번째 칸)'],
  ["0x1F"],
  ["1e999"],
  ['"abc'],
  ["x % y"],
  ["x & y"],
  ["|x|"],
  ["x ? 1 : 2"],
  ["{x}"],
  ["\\sqrt x"],
  ["x'"],
  ["x ⊗ y"],
  ["siin(x)", '모르는 함수입니다: "siin". sign을 뜻했나요? (1번째 줄, 1번째 칸)'],
  ["frobnicate(x)"],
  ["x.relu(2)"],
  ["sin", '"sin"은 함수입니다. sin(...)처럼 부르세요. (1번째 줄, 1번째 칸)'],
  ["f32 + 1"],
  ["None + 1"],
  ["x = 3; x"],
  ["a = 1; a = 2; a"],
  ["sin(1, 2)"],
  ["matmul(x=1)"],
  ["sum(ones(f32(2)), axs=1)"],
  ["softmax(ones(f32(2)), axis=1, axis=1)"],
  ["softmax(axis=1, ones(f32(2)))"],
  ["cast(1)"],
  ["cast(1, f99)"],
  ["einsum(1, 2)"],
  ['einsum("ij,jk", ones(f64(2)))'],
  ['einsum("ij,jk->ik", ones(f64(2, 3)), ones(f64(2, 3)))'],
  ["range(3, step=1)"],
  ["zeros(3)"],
  ["ones(f32(2))[5]"],
  ["ones(f32(2))[0, 0]"],
  ["ones(f32(2))[0.5]"],
  ["[1, [2, 3]]"],
  ["[[1, 2], [3]]"],
  ['"word" + 1'],
  // Shapes and dtypes.
  [
    "ones(f64(2)) + ones(f64(3))",
    "add: x는 f64[2], y는 f64[3]입니다. 오른쪽부터 맞추었을 때 크기가 서로 같거나 1이어야 합니다. (1번째 줄, 1번째 칸)",
  ],
  ["ones(f64(2, 3)) @ ones(f64(2, 3))"],
  ["ones(f64(2, 3)) @ 3"],
  ["ones(f64(2, 2, 3)) @ ones(f64(3, 3, 2))"],
  ["dot(ones(f64(2)), ones(f64(3)))"],
  ["cross(ones(f64(2)), ones(f64(2)))"],
  ["sum(1, axis=0)"],
  ["sum(ones(f64(2)), axis=3)"],
  ["sum(ones(f64(2, 2)), axis=[0, 0])"],
  ["max(ones(f64(0)))"],
  ["reshape(ones(f64(6)), shape=[4, 2])"],
  ["expand(ones(f64(2)), shape=[3])"],
  ["transpose(ones(f64(2, 3)), axes=[0, 0])"],
  ["squeeze(ones(f64(2, 3)), axis=0)"],
  ["concat([ones(f64(2, 3)), ones(f64(2, 4))], axis=0)"],
  ["concat([])"],
  ["stack([ones(f64(2)), ones(f64(3))])"],
  ["softmaxCrossEntropy(1, 0)"],
  ["softmaxCrossEntropy(ones(f64(2)), 5)"],
  ["meanSquaredError(ones(f64(3, 1)), ones(f64(3)))"],
  ["huber(1, 2, delta=-1)"],
  ["sin(true)"],
  ["mean(cast(1, i32))"],
  ["ones(f32(2)) + ones(f64(2))"],
  ["cast(7, i32) / cast(0, i32)"],
  ["mod(cast(7, i32), cast(0, i32))"],
  ["cast(1, i32) + 0.5"],
  ["where(ones(f32(2)), 2, 3)"],
  ["clip(1, min=3, max=2)"],
  ["gather(ones(f64(3)), 7)"],
  ["gather(ones(f64(3)), 0.5)"],
  ["oneHot(0.5, depth=3)"],
  ["tril(1)"],
  ["topK(ones(f64(3)), k=5)"],
  ["split(ones(f64(3)), parts=2)"],
  ["tile(ones(f64(3)), repeats=[1, 2])"],
  ["conv(ones(f64(1, 2, 5)), ones(f64(1, 3, 3)))"],
  ["conv(ones(f64(5)), ones(f64(3)))"],
  ["maxPool(ones(f64(1, 1, 5)))"],
  ["maxPool(ones(f64(1, 1, 2)), size=5)"],
  ["batchNormalization(ones(f64(2, 3)), 1, 0, ones(f64(2)), 1)"],
  ["cholesky([[-1, 0], [0, 1]])"],
  ["inverse(ones(f64(2, 2)))"],
  ["inverse(ones(f64(2, 3)))"],
  ["solve(ones(f64(2, 2)), ones(f64(3)))"],
  ["determinant(3)"],
  ["slice(ones(f64(3)), step=0)"],
  ["scaledDotProductAttention(1, 2, 3)"],
  ["norm(ones(f64(3)), ord=-1)"],
  ["f32(0.5)"],
];

test("faults of formulas are told in Korean, from the text to the shapes", () => {
  const english: string[] = [];
  for (const [formula, told] of formulas) {
    const message = thrown(() => {
      const compiled = compileExpression(formula, { variables: ["x", "y", "a", "b", "c"] });
      return evaluate(compiled({ x: 1, y: 2, a: 1, b: 2, c: 3 }));
    });
    const korean = tellInKorean(message);
    if (korean.includes(original) || !hangul.test(korean) || englishWords.test(korean))
      english.push(`${formula} => ${message.split("\n")[0]} => ${korean}`);
    if (told !== undefined) expect(korean.split("\n")[0]).toBe(told);
  }
  expect(english).toEqual([]);
});

test("faults of files are told in Korean", async () => {
  const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
  const faults: string[] = [
    "",
    "a,b\n",
    "a,b\n1,2\n3\n",
    'a,b\n1,"2\n',
    "a,b\n1,x\n2,3\n",
    "a,a\n1,2\n",
    "a,b\n1,2\n3,\n",
    'a,b\n1,2"3\n',
    'a,b\n1,"2"3\n',
  ].map((text) => thrown(() => parseCsv(text)));
  faults.push(thrown(() => parseSafetensors(bytes("abc"))));
  faults.push(thrown(() => parseSafetensors(bytes("abcdefghijkl"))));
  faults.push(thrown(() => parseSafetensors(new Uint8Array([3, 0, 0, 0, 0, 0, 0, 0, 65, 66, 67]))));
  for (const text of ["", "graph {", "graph {\n  %0: f99[] = constant 1\n}", "graph {\n  %0: f64[] = frob(%1)\n}"])
    faults.push(thrown(() => parse(text)));
  for (const given of [bytes(""), bytes("<html>"), new Uint8Array([8, 7, 58, 200, 1, 1])])
    faults.push(
      await onnx.read(given).then(
        () => "nothing",
        (error: Error) => error.message,
      ),
    );
  const told = faults.map(tellInKorean);
  expect(told.filter((text) => text.includes(original) || !hangul.test(text))).toEqual([]);
});

test("what is not in the catalogue is introduced in Korean, with what it is about, and never stands bare", () => {
  expect(tellInKorean("onnx: something nobody thought of")).toBe(
    "ONNX 모델에 문제가 있습니다. 영어 원문: onnx: something nobody thought of",
  );
  expect(tellInKorean("Strange")).toBe("문제가 생겼습니다. 영어 원문: Strange");
  expect(tellInKorean("ReferenceError: q is not defined")).toBe("q가 정의되지 않았습니다.");
  expect(tellInKorean(`add: x is f64[2] and y is f64[3]; ${"aligned ".repeat(100_000)}`).length).toBeLessThan(5000);
});

test("messages inside a Korean text are told, and its other lines stay", () => {
  const text = [
    "모델: pytorch 2.13",
    "  w  f32[2,3]  함  있음",
    "지원하지 않는 연산",
    "  node y (Frob): there is no operator Frob here; it is none of those that are read, whatever the operator set: leave this part out of the export, or read the model up to it, with outputs that name values before this node",
    "    막힌 매개변수: w",
    "  알 수 없습니다: onnx: two inputs have one name: x",
  ];
  expect(linesInKorean(text.join("\n")).split("\n")).toEqual([
    ...text.slice(0, 3),
    "  y 노드(Frob): 연산자 Frob를 지원하지 않습니다. 이 부분을 빼거나 ai.onnx 표준 연산자로 다시 내보내세요.",
    text[4],
    "  알 수 없습니다: ONNX: 두 입력의 이름이 같습니다: x.",
  ]);
});
