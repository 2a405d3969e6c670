import { expect, test } from "vitest";
import {
  compile,
  conv,
  evaluate,
  f32,
  graph,
  matmul,
  mul,
  random,
  relu,
  sub,
  sum,
  type Tensor,
  transpose,
  valueAndGrad,
} from "../../../src/index.ts";
import { wasm } from "../../../src/wasm.ts";

const draw = (seed: number, ...shape: number[]): Tensor => evaluate(random.normal(random.key(seed), f32(...shape))) as Tensor;

/** Products by rows and by columns, batched ones that are one, a convolution both ways: all large enough to be shared. */
const params = { w: draw(1, 300, 170), v: draw(2, 170, 600), k: draw(3, 32, 8, 3, 3) };
const step = graph({ params, x: f32(2, 80, 300), image: f32(4, 8, 24, 24) }, ({ params, x, image }) => {
  const { value, grad } = valueAndGrad((p: typeof params) => {
    const h = relu(matmul(x, p.w));
    return { loss: sum(matmul(h, p.v)), h, seen: matmul(transpose(p.v), transpose(p.w)), felt: relu(conv(image, p.k)) } as never;
  })(params as never) as never as { value: { loss: typeof x; seen: typeof x; felt: typeof x }; grad: typeof params };
  const felt = valueAndGrad((p: { k: typeof x; image: typeof x }) => sum(mul(relu(conv(p.image, p.k)), relu(conv(p.image, p.k)))))({
    k: params.k as never,
    image,
  });
  return { loss: value.loss, seen: value.seen, felt: felt.grad, params: { w: sub(params.w, mul(1e-4, grad.w)), v: sub(params.v, mul(1e-4, grad.v)), k: params.k } }; // biome-ignore format: the step
});
const given = { x: draw(4, 2, 80, 300), image: draw(5, 4, 8, 24, 24) };

const bits = (t: Tensor): string => Buffer.from(new Uint8Array(t.data.slice().buffer)).toString("base64");

test("steps are the same bits on one thread, on two before their worker is there and after, and on five", async () => {
  const results: string[] = [];
  for (const threads of [1, 2, 5]) {
    const program = await compile(step, wasm({ threads }), { state: { params } });
    const seen: string[] = [];
    for (let run = 0; run < 6; run++) {
      const out = program.run(given);
      seen.push([bits(out.loss), bits(out.seen), bits(out.felt.k), bits(out.felt.image)].join());
      // The workers start meanwhile.
      if (run === 1) await new Promise((done) => setTimeout(done, 300));
    }
    const { w, v } = program.state.read().params;
    results.push([...seen, bits(w), bits(v)].join("|"));
  }
  expect(results[1] === results[0]).toBe(true);
  expect(results[2] === results[0]).toBe(true);
});
