// What the compiler makes of a step: the update is one pass over each parameter, and nothing of it runs outside the compiled module.
import { expect, test } from "vitest";
import { lowered } from "../../src/engines/wasm/lower.ts";
import { plan } from "../../src/engines/wasm/plan.ts";
import { add, f32, graph, leaves, matmul, mean, square, sub, tanh, type Value, type Values, valueAndGrad } from "../../src/index.ts";
import { adadelta, adagrad, adam, adamax, adamW, cosine, lamb, lion, muon, nadam, type Optimizer, rmsProp, sgd } from "../../src/optim.ts";

const params = { fc1: { w: f32(20, 12), b: f32(12) }, fc2: { w: f32(12, 3), b: f32(3) } };
const loss = (p: Values<typeof params>, x: Value, y: Value): Value =>
  mean(square(sub(add(matmul(tanh(add(matmul(x, p.fc1.w), p.fc1.b)), p.fc2.w), p.fc2.b), y)));

/** How many loops go over the shape of each parameter, and how many ops the host computes. */
function passes(optimizer: Optimizer): { readonly loops: readonly number[]; readonly hosted: readonly string[] } {
  const g = graph({ params, opt: optimizer.init(params), x: f32(7, 20), y: f32(7, 3) }, ({ params, opt, x, y }) => {
    const { value, grad } = valueAndGrad(loss)(params, x, y);
    return { loss: value, ...optimizer.update({ params, grad, opt }) };
  });
  const values = (tree: unknown): Value[] => leaves(tree).map(({ leaf }) => leaf as Value);
  const { inputs, outputs } = lowered(values(g.inputs), values(g.outputs));
  // Small ones of one after the other are rows together, each with a loop of its own.
  const steps = plan(inputs, outputs).steps.flatMap((s) => (s.kind === "rows" ? s.steps : [s]));
  const loops = leaves(params).map(
    ({ leaf }) => steps.filter((s) => s.kind === "loop" && s.shape.join() === (leaf as { shape: readonly number[] }).shape.join()).length,
  );
  return { loops, hosted: steps.flatMap((s) => (s.kind === "host" ? [s.node.op.name] : [])) };
}

const rate = cosine({ from: 1e-3, steps: 100, warmup: 10 });
test.each([
  ["sgd", sgd({ rate, momentum: 0.9, nesterov: true, weightDecay: 0.1 })],
  ["adam", adam({ rate })],
  ["adam with amsgrad", adam({ rate: 1e-3, amsgrad: true, weightDecay: 0.1 })],
  ["adamW", adamW({ rate, weightDecay: 0.1, decay: ["*.w"] })],
  ["rmsProp", rmsProp({ rate, momentum: 0.9, centered: true })],
  ["adagrad", adagrad({ rate })],
  ["adadelta", adadelta({ rate })],
  ["adamax", adamax({ rate })],
  ["nadam", nadam({ rate })],
  ["lion", lion({ rate, weightDecay: 0.1 })],
] as const)("%s is one loop over each parameter", (_, optimizer) => {
  expect(passes(optimizer)).toEqual({ loops: [1, 1, 1, 1], hosted: [] });
});

test("clipping by the norm is one more, norms of parameters are two more; products of matrices are not on the host either", () => {
  expect(passes(adam({ rate, clipNorm: 1 }))).toEqual({ loops: [2, 2, 2, 2], hosted: [] });
  expect(Math.max(...passes(lamb({ rate })).loops)).toBeLessThanOrEqual(3);
  expect(passes(muon({ rate })).hosted).toEqual([]);
});
