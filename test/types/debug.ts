import {
  compile,
  draw,
  explain,
  f32,
  graph,
  log,
  mean,
  mul,
  reference,
  relu,
  sub,
  tensor,
  type Value,
  valueAndGrad,
  variables,
} from "../../src/index.ts";

const params = { w: tensor(new Float32Array(3)) };
const step = graph({ params, x: f32(3) }, ({ params, x }) => {
  const { value, grad } = valueAndGrad((p: { w: Value }) => mean(log(relu(mul(p.w, x)))))(params);
  return { loss: value, params: { w: sub(params.w, mul(0.1, grad.w)) } };
});
const program = await compile(step, reference(), { state: { params }, guard: ["loss"] }); // a bad loss throws and commits nothing
const batch = { x: tensor(new Float32Array([1, -2, 3])) };
try {
  program.run(batch);
} catch (fault) {
  const facts = variables({ ...program.state.read(), ...batch }); // the state as it was before the bad step
  const replay = step(facts); // a graph is a function: call it on the facts
  console.log(String(fault), explain(replay.loss).text(), draw(replay.loss));
}
// @ts-expect-error: no output has this name
await compile(step, reference(), { state: { params }, guard: ["los"] });
