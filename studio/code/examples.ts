import type { Language } from "../state/slices.ts";

/** A program to begin from. Its name is a key of the tab's words. */
export interface CodeExample {
  readonly name: "lecture" | "neuron" | "descent" | "moons" | "ownGate" | "hessian";
  readonly source: string;
}

/** Programs to begin from; the tests run each of them. */
export const examples: readonly CodeExample[] = [
  {
    name: "lecture",
    source: `// The lecture's first graph. show() draws a value with its gradients.
import { add, mul, gradients, read, variable } from "chainrule";

const x = variable(-2, "x");
const y = variable(5, "y");
const z = variable(-4, "z");

const f = mul(add(x, y), z);
const { dx, dy, dz } = gradients(f, { dx: x, dy: y, dz: z });

console.log("f =", read(f));
console.log("df/dx =", read(dx), " df/dy =", read(dy), " df/dz =", read(dz));
show(f, "f = (x + y) z");
`,
  },
  {
    name: "neuron",
    source: `// A sigmoid neuron, written as a formula; every name becomes a variable.
import { expr, gradients, read, variable } from "chainrule";

const w0 = variable(2, "w0"), x0 = variable(-1, "x0");
const w1 = variable(-3, "w1"), x1 = variable(-2, "x1");
const w2 = variable(-3, "w2");

const f = expr\`1 / (1 + exp(-(\${w0} * \${x0} + \${w1} * \${x1} + \${w2})))\`;
const d = gradients(f, { w0, x0, w1, x1, w2 });

for (const [name, gradient] of Object.entries(d)) console.log("df/d" + name, "=", read(gradient));
show(f);
`,
  },
  {
    name: "descent",
    source: `// Gradient descent by hand on the Rosenbrock valley: the smallest value, 0, is at (1, 1).
import { add, evaluate, mul, square, sub, valueAndGrad, type Value } from "chainrule";

const valley = ({ x, y }: { x: Value; y: Value }): Value =>
  add(square(sub(1, x)), mul(100, square(sub(y, square(x)))));

let at = { x: -1.2, y: 1 };
for (let step = 0; step <= 20000; step++) {
  const { value, grad } = evaluate(valueAndGrad(valley)(at));
  if (step % 4000 === 0) console.log(step, "f =", value.data[0]!.toFixed(6), "at", at.x.toFixed(4), at.y.toFixed(4));
  at = { x: at.x - 0.001 * grad.x.data[0]!, y: at.y - 0.001 * grad.y.data[0]! };
}
`,
  },
  {
    name: "moons",
    source: `// Two half moons, a net 2-16-1, trained on the WebAssembly engine inside this page.
import { f64, compile, evaluate, graph, matmul, add, tanh, sub, mul, random, tensor, valueAndGrad, binaryCrossEntropy, reshape, type Value } from "chainrule";
import { wasm } from "chainrule/wasm";

const n = 200;
const points: number[][] = [];
const labels: number[] = [];
for (let i = 0; i < n; i++) {
  const t = (Math.PI * (i >> 1)) / (n / 2);
  const noise = 0.08 * Math.sin(i * 12.9898);
  points.push(i % 2 === 0 ? [Math.cos(t) + noise, Math.sin(t) - noise] : [1 - Math.cos(t) - noise, 0.5 - Math.sin(t) + noise]);
  labels.push(i % 2);
}

const [k1, k2] = random.split(random.key(7), 2);
const start = evaluate({
  w1: random.normal(k1!, f64(2, 16)), b1: tensor([0]),
  w2: mul(0.25, random.normal(k2!, f64(16, 1))), b2: tensor([0]),
});
type Net = { w1: Value; b1: Value; w2: Value; b2: Value };
const x = tensor(points), y = tensor(labels);
const loss = (p: Net): Value =>
  binaryCrossEntropy(reshape(add(matmul(tanh(add(matmul(x, p.w1), p.b1)), p.w2), p.b2), { shape: [n] }), y);

const step = graph({ net: start }, ({ net }) => {
  const { value, grad } = valueAndGrad(loss)(net);
  const down = (p: Value, g: Value): Value => sub(p, g); // the learning rate is 1
  return {
    loss: value,
    net: { w1: down(net.w1, grad.w1), b1: down(net.b1, grad.b1), w2: down(net.w2, grad.w2), b2: down(net.b2, grad.b2) },
  };
});
const program = await compile(step, wasm(), { state: { net: start } });
for (let i = 0; i <= 500; i++) {
  const { loss } = program.run({});
  if (i % 100 === 0) console.log("step", i, "loss", loss.data[0]!.toFixed(4));
}
`,
  },
  {
    name: "ownGate",
    source: `// A gate of your own: its value and its local gradient; all else follows.
import { unary, mul, exp, sub, add, div, variable, gradients, read } from "chainrule";

const swish = unary("my.swish", {
  f: (x) => x / (1 + Math.exp(-x)),
  d: ({ x, out }) => add(out, mul(div(1, add(1, exp(mul(-1, x)))), sub(1, out))),
});

const x = variable(0.5, "x");
const f = mul(3, swish(x));
console.log("f =", read(f), " df/dx =", read(gradients(f, { x }).x));
show(f);
`,
  },
  {
    name: "hessian",
    source: `// Derivatives are graphs too, so they can be differentiated again.
import { add, evaluate, hessian, mul, sin, exp, type Value } from "chainrule";

const f = ({ x, y }: { x: Value; y: Value }): Value => add(mul(sin(x), exp(y)), mul(x, mul(y, y)));
const h = evaluate(hessian(f)({ x: 1, y: 2 }));

console.log("d2f/dx2 ", h.x.x.data[0]);
console.log("d2f/dxdy", h.x.y.data[0], h.y.x.data[0]);
console.log("d2f/dy2 ", h.y.y.data[0]);
`,
  },
];

/** What the comments of the programs say, in Korean. */
const korean: Readonly<Record<string, string>> = {
  "The lecture's first graph. show() draws a value with its gradients.": "강의의 첫 그래프입니다. show()는 값을 기울기와 함께 그립니다.",
  "A sigmoid neuron, written as a formula; every name becomes a variable.": "수식으로 쓴 시그모이드 뉴런입니다. 이름마다 변수가 됩니다.",
  "Gradient descent by hand on the Rosenbrock valley: the smallest value, 0, is at (1, 1).":
    "로젠브록 골짜기에서 손으로 하는 경사 하강법입니다. 가장 작은 값 0은 (1, 1)에 있습니다.",
  "Two half moons, a net 2-16-1, trained on the WebAssembly engine inside this page.":
    "반달 두 개를 2-16-1 신경망이 배웁니다. 이 페이지 안의 WebAssembly 엔진에서 돌아갑니다.",
  "the learning rate is 1": "학습률은 1입니다",
  "A gate of your own: its value and its local gradient; all else follows.":
    "직접 만든 게이트입니다. 값과 지역 기울기를 적으면 나머지는 따라옵니다.",
  "Derivatives are graphs too, so they can be differentiated again.": "도함수도 그래프라서 다시 미분할 수 있습니다.",
};

/** A program with its comments in the reader's language. */
export function sourceIn({ source }: CodeExample, language: Language): string {
  if (language === "en") return source;
  return source.replace(/\/\/ (.*)$/gm, (comment, said: string) => (korean[said] === undefined ? comment : `// ${korean[said]}`));
}
