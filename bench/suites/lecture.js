// The lecture's example, anew each time: three variables, two ops, one backward pass, three gradients read as numbers.
import { add, gradients, mul, read, variable } from "../../dist/index.js";
import { peer } from "../harness/peers.js";

export const title = "(x + y) z, built and differentiated anew";
export const unit = "ns of processor time a gradient";
export const scale = 1;

/** @param {unknown} result */
export function check(result) {
  if (String(result) !== "-4,-4,3") throw new Error(`the gradients are ${result}`);
}

/** @returns {Promise<import("../harness/measure.js").Contestant[]>} */
export async function contestants() {
  const found = [{ name: "chainrule", run: repeat(ours) }];
  const scalar = await peer("scalar-autograd");
  if (scalar) found.push({ name: "scalar-autograd", run: repeat(() => scalarAutograd(scalar.V)) });
  const micro = await peer("micrograd-ts");
  if (micro) found.push({ name: "micrograd-ts", run: repeat(() => micrograd(micro.Value)) });
  const jax = await peer("@jax-js/jax");
  if (jax) {
    const slope = jax.grad((x, y, z) => x.add(y).mul(z), { argnums: [0, 1, 2] });
    const run = async (times) => {
      let out = [];
      for (let i = 0; i < times; i++) {
        out = slope(jax.numpy.array(-2), jax.numpy.array(5), jax.numpy.array(-4)).map((g) => g.item());
      }
      return out;
    };
    await jax.init().catch(() => undefined);
    found.push({ name: "@jax-js/jax, not compiled", run });
  }
  const tf = await peer("@tensorflow/tfjs");
  if (tf) {
    const slope = tf.grads((x, y, z) => x.add(y).mul(z));
    const run = (times) => {
      let out = [];
      for (let i = 0; i < times; i++) out = tf.tidy(() => slope([tf.scalar(-2), tf.scalar(5), tf.scalar(-4)]).map((g) => g.dataSync()[0]));
      return out;
    };
    found.push({ name: "@tensorflow/tfjs, cpu", run });
  }
  const torch = await peer("js-pytorch");
  if (torch) found.push({ name: "js-pytorch", run: repeat(() => pytorch(torch.torch)) });
  return found;
}

function repeat(once) {
  return (times) => {
    let out;
    for (let i = 0; i < times; i++) out = once();
    return out;
  };
}

function ours() {
  const x = variable(-2);
  const y = variable(5);
  const z = variable(-4);
  const { dx, dy, dz } = gradients(mul(add(x, y), z), { dx: x, dy: y, dz: z });
  return [read(dx), read(dy), read(dz)];
}

function scalarAutograd(V) {
  const x = V.W(-2);
  const y = V.W(5);
  const z = V.W(-4);
  V.mul(V.add(x, y), z).backward();
  return [x.grad, y.grad, z.grad];
}

function micrograd(Value) {
  const x = new Value(-2);
  const y = new Value(5);
  const z = new Value(-4);
  x.add(y).mul(z).backward();
  return [x.grad, y.grad, z.grad];
}

function pytorch(torch) {
  const x = torch.tensor([-2], true);
  const y = torch.tensor([5], true);
  const z = torch.tensor([-4], true);
  torch.mul(torch.add(x, y), z).backward();
  return [x, y, z].map((v) => v.grad[0]);
}
