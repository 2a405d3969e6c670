import { describe, expect, test } from "vitest";
import { compile, f64, graph, matmul, mul, reference, type Tensor, tensor, transpose, type Values } from "../../src/index.ts";
import { lamb, lion, muon, type Optimizer, rmsProp } from "../../src/optim.ts";
import { wasm } from "../../src/wasm.ts";
import { type PlainLeaf, type PlainRule, plainLamb, plainLion, plainMuon, plainNewtonSchulz } from "./plain.ts";

/** Numbers that look like nothing in particular. */
const noise = (n: number, seed: number): Float64Array =>
  Float64Array.from({ length: n }, (_, i) => Math.sin(12.9898 * (i + 1) + 78.233 * seed) * 1.5);

const shapes = { wide: [3, 5], tall: [6, 2], table: [4, 3], kernel: [4, 2, 3, 3], bias: [5], scale: [] } as const;
type Name = keyof typeof shapes;
const size = (shape: readonly number[]): number => shape.reduce((a, b) => a * b, 1);
const tree = (seed: number): Record<Name, Tensor> =>
  Object.fromEntries(
    Object.entries(shapes).map(([name, shape], i) => [name, tensor(noise(size(shape), seed + i), f64(...shape))]),
  ) as Record<Name, Tensor>;

/** The largest difference between an optimiser and the plain arrays over some steps. */
async function difference(optimizer: Optimizer, rule: PlainRule, engine = reference()): Promise<number> {
  const params = tree(1);
  const state = { params, opt: optimizer.init(params) };
  const step = graph({ ...state, grad: params }, ({ params, grad, opt }) =>
    optimizer.update({ params, grad: grad as Values<typeof params>, opt }),
  );
  const program = await compile(step, engine, { state });
  const plain: Readonly<Record<string, PlainLeaf>> = Object.fromEntries(
    Object.entries(shapes).map(([name, shape]) => [name, { shape, p: [...params[name as Name].data] }]),
  );
  const slots: Record<string, Record<string, number[]>> = {};
  let worst = 0;
  for (let t = 1; t <= 12; t++) {
    const grad = tree(100 * t);
    program.run({ grad });
    for (const [name, leaf] of Object.entries(plain)) {
      rule(leaf, [...grad[name as Name].data], (slots[name] ??= {}), t);
      const { data } = program.state.read().params[name as Name];
      for (const [i, x] of leaf.p.entries()) worst = Math.max(worst, Math.abs(x - data[i]!));
    }
  }
  return worst;
}

describe.each([
  ["reference", reference],
  ["wasm", wasm],
] as const)("on the engine %s,", (_, engine) => {
  test("Lion is the paper's algorithm", async () => {
    const numbers = { rate: 0.02, beta1: 0.9, beta2: 0.99 };
    expect(await difference(lion({ ...numbers, weightDecay: 0.1 }), plainLion({ ...numbers, decay: 0.1 }), engine())).toBeLessThan(1e-12);
  });

  test("LAMB is the paper's algorithm", async () => {
    const numbers = { rate: 0.02, beta1: 0.9, beta2: 0.999, epsilon: 1e-6 };
    expect(await difference(lamb({ ...numbers, weightDecay: 0.1 }), plainLamb({ ...numbers, decay: 0.1 }), engine())).toBeLessThan(1e-12);
  });

  test.each([true, false])(
    "Muon is its repository's algorithm, with AdamW for what is no matrix and what is named (nesterov %s)",
    async (nesterov) => {
      const plain = plainMuon({
        rate: 0.02,
        momentum: 0.95,
        nesterov,
        decay: 0.1,
        adam: { rate: 3e-4, beta1: 0.9, beta2: 0.95, epsilon: 1e-10 },
        byAdam: ({ shape }) => shape === shapes.table,
      });
      expect(await difference(muon({ rate: 0.02, nesterov, weightDecay: 0.1, adam: ["table"] }), plain, engine())).toBeLessThan(1e-12);
    },
  );
});

test("LAMB moves parameters that are zeros, and stays where the gradient is", async () => {
  const optimizer = lamb({ rate: 0.5 });
  const params = { zeros: tensor([0, 0]), still: tensor([1, 2]) };
  const state = { params, opt: optimizer.init(params) };
  const step = graph({ ...state, grad: params }, ({ params, grad, opt }) =>
    optimizer.update({ params, grad: grad as Values<typeof params>, opt }),
  );
  const program = await compile(step, reference(), { state });
  program.run({ grad: { zeros: [1, -1], still: [0, 0] } });
  expect([...program.state.read().params.zeros.data]).toEqual([-0.5, 0.5].map((x) => expect.closeTo(x, 5)));
  expect([...program.state.read().params.still.data]).toEqual([1, 2]);
});

test("centred RMSProp goes on where the gradient is the same at every step, and rounding takes its variance below 0", async () => {
  const optimizer = rmsProp({ rate: 1e-3, centered: true, smoothing: 0.5 });
  const slopes = tensor(Float32Array.from({ length: 50 }, (_, i) => 0.1 + i / 7));
  const params = { w: tensor(new Float32Array(50)) };
  const state = { params, opt: optimizer.init(params) };
  const step = graph(state, ({ params, opt }) => optimizer.update({ params, grad: { w: mul(1, slopes) }, opt }));
  const program = await compile(step, reference(), { state });
  for (let i = 0; i < 100; i++) program.run({});
  expect(program.state.read().params.w.data.every(Number.isFinite)).toBe(true);
});

test("Muon's state is one momentum for a matrix, Adam's two for the rest; its iteration makes singular values near 1", () => {
  const keys = Object.keys(muon({ rate: 0.02, adam: ["table"] }).init(tree(1))).filter((key) => key.includes("/"));
  expect(keys).toEqual(["m/wide", "m/tall", "m/table", "v/table", "m/kernel", "m/bias", "v/bias", "m/scale", "v/scale"]);
  const x = plainNewtonSchulz(
    [
      [3, 1, 0],
      [0, 0.5, 2],
    ],
    5,
  );
  const gram = matmul(tensor(x), transpose(tensor(x)));
  expect(gram.type.shape).toEqual([2, 2]);
  const [a, b, d] = [0, 1, 3].map((i) => x[i >> 1]!.reduce((s, v, k) => s + v * x[i & 1]![k]!, 0)) as [number, number, number];
  const middle = (a + d) / 2;
  const spread = Math.hypot((a - d) / 2, b);
  expect(Math.sqrt(middle - spread)).toBeGreaterThan(0.65);
  expect(Math.sqrt(middle + spread)).toBeLessThan(1.25);
  expect(() => muon({ rate: 0.02, adam: ["embed.*"] }).init(tree(1))).toThrow("muon: adam: embed.* names no parameter");
  expect(() => muon({ rate: 0.02, rounds: 2.5 })).toThrow("muon: rounds is 2.5; it is a whole number of rounds, 1 or more");
});
