import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { expect, test } from "vitest";
import {
  add,
  compile,
  constant,
  exp,
  explain,
  expr,
  f64,
  grad,
  graph,
  hvp,
  jit,
  matmul,
  mean,
  mul,
  read,
  reference,
  scope,
  sin,
  square,
  sub,
  sum,
  type Tensor,
  tensor,
  type Value,
  valueAndGrad,
  variable,
} from "../../src/index.ts";

setFlagsFromString("--expose-gc");
const collect = runInNewContext("gc") as () => void;

function held(): number {
  collect();
  collect();
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}

/** How many bytes more are held after `steps` steps than after a tenth of them. */
async function growth(steps: number, step: (i: number) => unknown): Promise<number> {
  let i = 0;
  for (; i < steps / 10; i++) await step(i);
  const before = held();
  for (; i < steps; i++) await step(i);
  return held() - before;
}

/** Less than a byte for most steps: what leaks a node or a number a step is far above. */
const flat = 400_000;

const sink = { total: 0 };

test("a host loop on values, with derivatives inside", async () => {
  let x: Value = constant(1);
  const force = grad((t: Value) => mul(sin(t), exp(mul(-0.1, square(t)))));
  const grown = await growth(300_000, () => {
    x = add(mul(0.999, x), mul(1e-3, force(x)));
    sink.total += read(x);
  });
  expect(Number.isFinite(sink.total)).toBe(true);
  expect(grown).toBeLessThan(flat);
});

test("a host loop with second derivatives, scopes and expr", async () => {
  let x: Value = constant(0.5);
  const energy = (t: Value): Value => scope("energy", () => expr`sin(${t})^2 + 0.5 * ${t}^2`);
  const curve = hvp(energy);
  const grown = await growth(60_000, () => {
    x = sub(x, mul(1e-3, curve(x, 1)));
    sink.total += read(x);
  });
  expect(grown).toBeLessThan(flat);
});

test("a loop over tensors that trains in the host", async () => {
  const data = tensor(
    Float64Array.from({ length: 64 }, (_, i) => Math.sin(i)),
    f64(16, 4),
  );
  const loss = (w: Value): Value => mean(square(sub(matmul(data, w), 1)));
  const step = valueAndGrad(loss);
  let w: Value = constant([0, 0, 0, 0]);
  const grown = await growth(30_000, () => {
    const { value, grad: g } = step(w);
    w = sub(w, mul(1e-3, g));
    sink.total += read(value) + read(sum(w));
  });
  expect(grown).toBeLessThan(flat);
});

test("a compiled program with state, and a jitted gradient", async () => {
  const training = graph({ w: f64(8), x: f64(8) }, ({ w, x }) => {
    const { value, grad: g } = valueAndGrad((p: Value) => mean(square(sub(mul(p, x), 1))))(w);
    return { loss: value, w: sub(w, mul(0.01, g)) };
  });
  const program = await compile(training, reference(), { state: { w: tensor([0, 0, 0, 0, 0, 0, 0, 0]) }, guard: ["loss"] });
  const x = tensor([1, 2, 3, 4, 5, 6, 7, 8].map((v) => v / 8));
  const fast = jit(
    grad((t: Value) => sin(square(t))),
    reference(),
  );
  const grown = await growth(60_000, (i) => {
    sink.total += program.run({ x }).loss.data[0]!;
    sink.total += (fast(i % 7) as Tensor).data[0]!;
  });
  expect(grown).toBeLessThan(flat);
});

test("graphs that are explained, printed and thrown away", async () => {
  const grown = await growth(3000, (i) => {
    const x = variable(i % 5, "x");
    sink.total += explain(mul(add(x, 1), sin(x))).text().length;
  });
  expect(grown).toBeLessThan(flat);
});

test("errors thrown within transforms leave nothing behind", async () => {
  const grown = await growth(60_000, () => {
    try {
      grad((t: Value) => {
        read(exp(t));
        throw new RangeError("no");
      })(1);
    } catch (e) {
      sink.total += (e as Error).message.length;
    }
  });
  expect(grown).toBeLessThan(flat);
});
