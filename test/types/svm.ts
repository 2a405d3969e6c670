import { loader, readCsv } from "../../src/data.ts";
import {
  add,
  argMax,
  compile,
  equal,
  expr,
  f32,
  grad,
  graph,
  hinge,
  i32,
  matmul,
  mean,
  mul,
  read,
  reference,
  square,
  sub,
  sum,
  type Tensor,
  tensor,
  type Value,
  type Values,
  valueAndGrad,
} from "../../src/index.ts";

const params = { w: tensor(new Float32Array(640), f32(64, 10)), b: tensor(new Float32Array(10)) };
type Params = Values<typeof params>;
const scores = (p: Params, x: Value) => add(matmul(x, p.w), p.b);
const loss = (p: Params, x: Value, y: Value) => add(mean(hinge(scores(p, x), y)), mul(1e-3, sum(square(p.w))));
const step = graph({ params, x: f32(64, 64), y: i32(64) }, ({ params, x, y }) => {
  const { value, grad: g } = valueAndGrad(loss)(params, x, y);
  return { loss: value, params: { w: sub(params.w, mul(0.1, g.w)), b: sub(params.b, mul(0.1, g.b)) } };
});
const engine = reference();
const train = await compile(step, engine, { state: { params } }); // same name in and out: it stays inside
const [trainSet, testSet] = (await readCsv(new URL("../../data/digits.csv", import.meta.url).pathname, { label: "label" })).split(0.8, {
  seed: 1,
});
for (let epoch = 0; epoch < 20; epoch++)
  for (const { x, y } of loader(trainSet, { batch: 64, shuffle: epoch, last: "drop" })) console.log(read(train.run({ x, y }).loss));
const test = graph({ params, x: f32(testSet.size, 64), y: i32(testSet.size) }, ({ params, x, y }) =>
  mean(equal(argMax(scores(params, x), { axis: 1 }), y)),
);
const accuracy = await compile(test, engine, { state: train.state }); // the same memory, no copy
const all = testSet.at(Int32Array.from({ length: testSet.size }, (_, i) => i));
console.log(read(accuracy.run(all)));
const learnt: { w: Tensor; b: Tensor } = train.state.read().params; // a copy, yours
console.log(learnt.w.data, expr`1`);
// @ts-expect-error: params live in the program, they are not an input of run
train.run({ x: [[0]], y: [0], params });
// @ts-expect-error: y is missing
train.run({ x: [[0]] });
// @ts-expect-error: a state with another tree does not fit
await compile(step, engine, { state: { params: { weights: params.w } } });
// the graph is a function of values too: transforms take it
const line = graph({ w: f32(10), x: f32(10) }, ({ w, x }) => sum(mul(w, x))); // named first: inline, TypeScript loses the type of P
const g2 = grad(line, { wrt: ["w"] })({ w: params.b, x: params.b });
console.log(g2.w);
// @ts-expect-error: x was not asked for
g2.x;
