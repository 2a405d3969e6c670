// CS231n, assignments 1 and 2: their inputs, the numbers their notebooks expect, and their thresholds for gradient checks. What is drawn at random there
// is drawn from our keys here.
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import { loader, readCsv } from "../../src/data.ts";
import {
  add,
  argMax,
  compile,
  equal,
  evaluate,
  f32,
  grad,
  graph,
  hinge,
  i32,
  leaves,
  maxPool,
  mean,
  mul,
  type Operand,
  random,
  read,
  relu,
  reshape,
  softmaxCrossEntropy,
  square,
  sub,
  sum,
  type Tensor,
  tensor,
  transpose,
  type Value,
  type Values,
  valueAndGrad,
  variables,
  vjp,
} from "../../src/index.ts";
import { tensorType } from "../../src/ir/type.ts";
import {
  batchNorm,
  conv2d,
  dropout,
  embedding,
  flatten,
  groupNorm,
  initializers,
  type Layer,
  layer,
  layerNorm,
  linear,
  lstm,
  type Plain,
  rnn,
  sequential,
} from "../../src/nn.ts";
import { adadelta, adagrad, adam, adamax, adamW, lion, nadam, type Optimizer, rmsProp, sgd } from "../../src/optim.ts";
import { wasm } from "../../src/wasm.ts";
import { arrayGradientErrors, gradientErrors, linspace, randn, relativeError, Thresholds } from "./cs231n.ts";
import { NumpyRandom } from "./numpy-random.ts";

const labels = (...y: number[]): Tensor => tensor(Int32Array.from(y));
const data = (x: Value | Tensor): number[] => Array.from(("node" in x ? evaluate(x) : x).data);
const worst = (errors: Readonly<Record<string, number>>): number => Math.max(...Object.values(errors));
/** What the notebooks ask for, as docs/cs231n.md lists it. */
const asked = new Thresholds();
/** The gradient of f for a random cotangent, checked in every argument. */
const layerErrors = <P>(name: string, f: (p: P) => Value, at: P): number =>
  worst(arrayGradientErrors(f, randn(`${name}/ct`, ...f(at).type.shape), at));

describe("assignment 1", () => {
  test.each([
    ["svm", hinge, 9],
    ["softmax", softmaxCrossEntropy, Math.log(10)],
  ] as const)(
    "%s: the loss of small weights is %#, and the gradient passes the sparse check, with and without regularisation",
    (name, loss, first) => {
      const [x, y] = [randn("x", 20, 30), labels(...Array.from({ length: 20 }, (_, i) => i % 10))];
      const w = evaluate(mul(1e-4, randn("w", 30, 10)));
      expect(Math.abs(read(loss(linear({ w }, x), y)) - first)).toBeLessThan(0.01);
      for (const reg of [0, 5e1]) {
        const total = (p: { w: Value }) => add(loss(linear(p, x), y), mul(reg, sum(square(p.w))));
        asked.hold("1", `${name} classifier, gradient by ten numbers`, 1e-5, worst(gradientErrors(total as never, { w } as never)));
      }
    },
  );

  test("svm and softmax learn the digits by plain SGD", async () => {
    const [fit, held] = (await readCsv(fileURLToPath(new URL("../../data/digits.csv", import.meta.url)), { label: "label" })).split(0.8, {
      seed: 1,
    });
    const { x, y } = held.at(Int32Array.from({ length: held.size }, (_, i) => i));
    for (const loss of [hinge, softmaxCrossEntropy]) {
      const params = linear.init(random.key(0), 64, 10);
      const step = graph({ params, x: f32(100, 64), y: i32(100) }, ({ params: p, x, y }) => {
        const total = (now: typeof p) => add(loss(linear(now, mul(x, 1 / 16)), y), mul(1e-4, sum(square(now.w))));
        const { value, grad: g } = valueAndGrad(total)(p);
        return { loss: value, params: { w: sub(p.w, mul(0.3, g.w)), b: sub(p.b, mul(0.3, g.b)) } };
      });
      const program = await compile(step, wasm(), { state: { params } });
      for (let epoch = 0; epoch < 15; epoch++)
        for (const batch of loader(fit, { batch: 100, shuffle: epoch, last: "drop" })) program.run(batch as never);
      const learnt = program.state.read().params;
      expect(read(mean(equal(argMax(linear(learnt, mul(x, 1 / 16)), { axis: 1 }), y)))).toBeGreaterThan(0.93);
    }
  });

  test("affine and relu: the notebook's numbers, and gradients to 1e-9", () => {
    const x = flatten(linspace(-0.1, 0.5, 2, 4, 5, 6));
    const out = linear({ w: linspace(-0.2, 0.3, 120, 3), b: linspace(-0.3, 0.1, 3) }, x);
    asked.hold(
      "1",
      "affine, forward",
      1e-9,
      relativeError(data(out), [1.49834967, 1.70660132, 1.91485297, 3.25553199, 3.5141327, 3.77273342]),
    );
    const own = { x: randn("affine/x", 10, 6), w: randn("affine/w", 6, 5), b: randn("affine/b", 5) };
    asked.hold(
      "1",
      "affine, backward",
      1e-10,
      layerErrors("affine", (p: typeof own) => linear(p, p.x), own),
    );
    const ramp = relu(linspace(-0.5, 0.5, 3, 4));
    const ramped = [0, 0, 0, 0, 0, 0, 0.04545455, 0.13636364, 0.22727273, 0.31818182, 0.40909091, 0.5];
    asked.hold("1", "relu, forward", 1e-8, relativeError(data(ramp), ramped));
    asked.hold(
      "1",
      "relu, backward",
      1e-12,
      layerErrors("relu", (p: { x: Value }) => relu(p.x), { x: randn("relu", 10, 10) } as never),
    );
    const sandwich = { x: randn("sandwich/x", 2, 3, 4), w: randn("sandwich/w", 12, 10), b: randn("sandwich/b", 10) };
    const bent = layerErrors("sandwich", (p: typeof sandwich) => relu(linear(p, flatten(p.x))), sandwich);
    asked.hold("1", "affine and relu, backward", 1e-10, bent);
    const scores = { x: evaluate(mul(0.001, randn("scores", 50, 10))) };
    const ys = labels(...Array.from({ length: 50 }, (_, i) => (i * 7) % 10));
    for (const [name, loss, order] of [
      ["svm", hinge, 1e-9],
      ["softmax", softmaxCrossEntropy, 1e-8],
    ] as const)
      asked.hold("1", `${name} loss, backward`, order, worst(gradientErrors((p: { x: Value }) => loss(p.x, ys), scores as never)));
  });

  test("two-layer net: the notebook's scores, losses and gradient checks", () => {
    const p = {
      fc1: { w: linspace(-0.7, 0.3, 5, 50), b: linspace(-0.1, 0.9, 50) },
      fc2: { w: linspace(-0.3, 0.4, 50, 7), b: linspace(-0.9, 0.1, 7) },
    };
    const x = transpose(linspace(-5.5, 4.5, 5, 3));
    const net = (q: Values<typeof p>) => linear(q.fc2, relu(linear(q.fc1, x)));
    const scores = [
      [11.53165108, 12.2917344, 13.05181771, 13.81190102, 14.57198434, 15.33206765, 16.09215096],
      [12.05769098, 12.74614105, 13.43459113, 14.1230412, 14.81149128, 15.49994135, 16.18839143],
      [12.58373087, 13.20054771, 13.81736455, 14.43418138, 15.05099822, 15.66781506, 16.2846319],
    ].flat();
    expect(relativeError(data(net(p as never)), scores)).toBeLessThan(1e-8);
    const loss = (q: Values<typeof p>, reg: number) =>
      add(softmaxCrossEntropy(net(q), labels(0, 5, 1)), mul(reg / 2, add(sum(square(q.fc1.w)), sum(square(q.fc2.w)))));
    expect(read(loss(p as never, 0))).toBeCloseTo(3.4702243556, 9);
    expect(read(loss(p as never, 1))).toBeCloseTo(26.5948426952, 9);
    for (const reg of [0, 0.7])
      asked.hold(
        "1",
        "two-layer net, with and without regularisation",
        1e-7,
        worst(gradientErrors((q: typeof p) => loss(q as never, reg), p)),
      );
  });
});

/** A net of any depth: affine, normalisation, relu, dropout, again and again, and an affine layer to the scores. */
function fullyConnected(sizes: readonly number[], norm: "batch" | "layer" | null, rate: number, spread: number): Layer<unknown, unknown> {
  const children: Record<string, Layer<unknown, unknown> | Plain> = {};
  const weight = initializers.normal({ deviation: spread });
  const affine = (i: number) => layer.linear(sizes[i]!, sizes[i + 1]!, { dtype: "f64", weight, biasWeight: initializers.zeros() });
  for (let i = 0; i + 2 < sizes.length; i++) {
    children[`fc${i + 1}`] = affine(i) as Layer<unknown, unknown>;
    if (norm === "batch") children[`norm${i + 1}`] = layer.batchNorm(sizes[i + 1]!, { dtype: "f64" }) as Layer<unknown, unknown>;
    if (norm === "layer") children[`norm${i + 1}`] = layer.layerNorm(sizes[i + 1]!, { dtype: "f64" }) as Layer<unknown, unknown>;
    children[`relu${i + 1}`] = relu;
    if (rate > 0) children[`drop${i + 1}`] = layer.dropout(rate) as Layer<unknown, unknown>;
  }
  children["scores"] = affine(sizes.length - 2) as Layer<unknown, unknown>;
  return sequential(children) as Layer<unknown, unknown>;
}

describe("assignment 2, fully connected nets", () => {
  const x = randn("fc/x", 12, 15);
  const y = labels(...Array.from({ length: 12 }, (_, i) => (7 * i) % 10));
  const weightsOf = (p: unknown): Value[] => leaves(p).flatMap(({ leaf, path }) => (path.endsWith(".w") ? [leaf as Value] : []));
  const penalised = (net: Layer<unknown, unknown>, p: unknown, stats: unknown, batch: { x: Tensor; y: Tensor }, reg: number): Value => {
    const { out } = net.apply(p as Values<unknown>, batch.x, {
      train: true,
      key: random.key(1),
      stats: variables(stats) as Values<unknown>,
    });
    return weightsOf(p).reduce((all, w) => add(all, mul(reg / 2, sum(square(w)))), softmaxCrossEntropy(out, batch.y));
  };

  test.each([
    [null, 0],
    ["batch", 0],
    ["layer", 0],
    [null, 0.25],
    ["batch", 0.25],
  ] as const)("norm %s, dropout %f: first loss about log 10, gradients to 1e-4, at depths 2 and 4", (norm, rate) => {
    for (const sizes of [
      [15, 20, 10],
      [15, 12, 11, 13, 10],
    ]) {
      const net = fullyConnected(sizes, norm, rate, 5e-2);
      const { params, stats } = net.init(random.key(5));
      const loss = (p: unknown, reg: number) => penalised(net, p, stats, { x, y }, reg);
      expect(Math.abs(read(loss(params, 0)) - Math.log(10))).toBeLessThan(0.3);
      for (const reg of [0, 3.14]) {
        const errors = gradientErrors((p) => loss(p, reg), params, { count: 4 });
        // A bias before a batch normalisation has no effect: its gradient is 0 but for rounding, and so is the numeric one.
        for (const [path, error] of Object.entries(errors))
          if (!(norm === "batch" && /fc\d\.b/.test(path)))
            asked.hold(
              "2",
              `nets of 2 and 4 layers, ${norm ?? "no"} norm${rate > 0 ? ", dropout" : ""}`,
              norm === "batch" ? 1e-4 : 1e-5,
              error,
            );
      }
    }
  });

  test.each([
    // The losses are those of the notebooks' net, whose numbers numpy draws after its seed 231.
    [null, 0, 2.3004790897684924],
    [null, 0.25, null],
    [null, 0.5, null],
    ["batch", 0, 2.2611955101340957],
  ] as const)("the notebooks' own net, norm %s, dropout %f: its first loss, gradients to what they ask for", (norm, rate, first) => {
    const drawn = new NumpyRandom(231);
    const batch = { x: drawn.randn(2, 15), y: drawn.randint(10, 2) };
    const net = fullyConnected([15, 20, 30, 10], norm, rate, 5e-2);
    const born = net.init(random.key(5));
    const params = { ...(born.params as Record<string, { w: Tensor; b: Tensor }>) };
    for (const [name, rows, columns] of [
      ["fc1", 15, 20],
      ["fc2", 20, 30],
      ["scores", 30, 10],
    ] as const)
      params[name] = { ...params[name]!, w: evaluate(mul(5e-2, drawn.randn(rows, columns))) };
    const loss = (p: unknown, reg: number) => penalised(net, p, born.stats, batch, reg);
    if (first !== null) expect(read(loss(params, 0))).toBeCloseTo(first, norm === null ? 14 : 9);
    // Their nets are penalised without dropout only.
    for (const reg of rate > 0 ? [0] : [0, 3.14]) {
      const errors = gradientErrors((p) => loss(p, reg), params, { count: 60 });
      for (const [path, error] of Object.entries(errors)) {
        const weights = path.endsWith(".w");
        // "It is fine" for the second weights of the plain net to be of e-5 where nothing is penalised.
        const plain = rate > 0 ? 1e-6 : path === "fc2.w" && reg === 0 ? 1e-5 : 1e-7;
        const order = norm === null ? plain : weights ? 1e-4 : 1e-8;
        const part = norm === null ? (path === "fc2.w" ? "second weights" : "all others") : weights ? "weights" : "biases, scale and shift";
        asked.hold("2", `the notebooks' net, ${norm ?? "no"} norm${rate > 0 ? ", dropout" : ""}: ${part}`, order, error);
      }
    }
  });

  test("batch normalisation: means and deviations of 0 and 1, shift and scale, running averages at test time, gradients", () => {
    const bn = batchNorm.init(3, { dtype: "f64" });
    const wide = evaluate(add(mul(randn("bn", 200, 3), tensor([1, 10, 100])), 5));
    const { out } = batchNorm(bn.params, bn.stats, wide, { train: true });
    expect([...data(mean(out, { axis: 0 }))].every((m) => Math.abs(m) < 1e-12)).toBe(true);
    expect([...data(mean(square(out), { axis: 0 }))].every((v) => Math.abs(v - 1) < 1e-4)).toBe(true);
    const shifted = batchNorm({ scale: tensor([1, 2, 3]), shift: tensor([11, 12, 13]) }, bn.stats, wide, { train: true }).out;
    expect([...data(mean(shifted, { axis: 0 }))].map((m) => Number(m.toFixed(9)))).toEqual([11, 12, 13]);
    let stats = variables(bn.stats);
    for (let t = 0; t < 50; t++)
      stats = variables(evaluate(batchNorm(bn.params, stats, evaluate(add(randn(`bn/${t}`, 200, 3), 7)), { train: true }).stats));
    const calm = batchNorm(bn.params, stats, evaluate(add(randn("bn/test", 200, 3), 7)), { train: false }).out;
    expect([...data(mean(calm, { axis: 0 }))].every((m) => Math.abs(m) < 0.2)).toBe(true);
    const own = { x: evaluate(add(mul(5, randn("bn/x", 4, 5)), 12)), scale: randn("bn/g", 5), shift: randn("bn/b", 5) };
    const five = batchNorm.init(5, { dtype: "f64" }).stats;
    const batched = layerErrors("batchnorm", (p: typeof own) => batchNorm(p, five, p.x, { train: true }).out, own);
    asked.hold("2", "batch norm, backward", 1e-8, batched);
    asked.hold(
      "2",
      "layer norm, backward",
      1e-8,
      layerErrors("layernorm", (p: typeof own) => layerNorm(p, p.x), own),
    );
  });

  test("dropout: the mean stays, the mask is that of the key, the gradient passes it", () => {
    const big = evaluate(add(randn("drop", 500, 50), 10));
    for (const rate of [0.25, 0.4, 0.7]) {
      const out = dropout(big, { rate, key: random.key(3) });
      expect(Math.abs(read(mean(out)) - read(mean(big)))).toBeLessThan(0.15);
      expect(read(mean(equal(out, 0)))).toBeCloseTo(rate, 1);
    }
    const own = { x: evaluate(add(randn("drop/x", 10, 10), 10)) };
    const dropped = layerErrors("dropout", (p: { x: Value }) => dropout(p.x, { rate: 0.2, key: random.key(1) }), own as never);
    asked.hold("2", "dropout, backward", 1e-10, dropped);
  });

  test.each<[string, number, Optimizer, object, readonly number[]]>([
    [
      "momentum",
      1e-8,
      sgd({ rate: 1e-3, momentum: 0.9 }),
      // Their velocity is ours times minus the rate.
      { "m/p": evaluate(mul(-1e3, linspace(0.6, 0.9, 4, 5))) },
      [0.1406, 0.20738947, 0.27417895, 0.34096842, 0.40775789, 1.14244211, 1.20923158, 1.27602105, 1.34281053, 1.4096],
    ],
    [
      "RMSProp",
      1e-7,
      rmsProp({ rate: 1e-2 }),
      { "v/p": linspace(0.6, 0.9, 4, 5) },
      [-0.39223849, -0.34037513, -0.28849239, -0.23659121, -0.18467247, 0.38739248, 0.43947102, 0.49155973, 0.54365823, 0.59576619],
    ],
    [
      "Adam",
      1e-7,
      adam({ rate: 1e-2 }),
      { step: tensor(5, "i32"), "m/p": linspace(0.6, 0.9, 4, 5), "v/p": linspace(0.7, 0.5, 4, 5) },
      [-0.40094747, -0.34836187, -0.29577703, -0.24319299, -0.19060977, 0.38774145, 0.44031188, 0.49288093, 0.54544852, 0.59801459],
    ],
  ])("one update by %s: the notebook's numbers", (name, order, rule, from, ends) => {
    const p = linspace(-0.4, 0.6, 4, 5);
    const opt = { ...rule.init({ p }), ...from };
    const moved = data(rule.update({ params: { p }, grad: { p: linspace(-0.6, 0.4, 4, 5) }, opt } as never).params["p" as never] as Value);
    asked.hold("2", `one update by ${name}`, order, relativeError([...moved.slice(0, 5), ...moved.slice(15)], ends));
  });

  test.each<[string, Optimizer]>([
    ["sgd", sgd({ rate: 0.3 })],
    ["sgd with momentum", sgd({ rate: 0.05, momentum: 0.9 })],
    ["nesterov", sgd({ rate: 0.05, momentum: 0.9, nesterov: true })],
    ["rmsProp", rmsProp({ rate: 3e-3 })],
    ["adam", adam({ rate: 1e-2 })],
    ["adamW", adamW({ rate: 1e-2 })],
    ["adagrad", adagrad({ rate: 0.05 })],
    ["adadelta", adadelta({ rate: 5 })],
    ["adamax", adamax({ rate: 1e-2 })],
    ["nadam", nadam({ rate: 1e-2 })],
    ["lion", lion({ rate: 2e-3 })],
  ])("a deep net overfits fifty examples by %s", async (_, rule) => {
    const net = fullyConnected([15, 40, 40, 10], null, 0, 0.3);
    const born = net.init(random.key(2));
    const state = { params: born.params as Record<string, Record<string, Tensor>>, opt: rule.init(born.params) };
    const step = graph(state, ({ params: p, opt }) => {
      const loss = (q: typeof p) => {
        const { out } = net.apply(q as Values<unknown>, small.x, { train: true, stats: born.stats as Values<unknown> });
        return { loss: softmaxCrossEntropy(out, small.y), right: mean(equal(argMax(out, { axis: 1 }), small.y)) };
      };
      const { value, grad: g } = valueAndGrad(loss as (q: unknown) => { loss: Value; right: Value })(p);
      return { ...value, ...rule.update({ params: p, grad: g, opt } as never) };
    });
    const program = await compile(step as never, wasm(), { state } as never);
    const run = program as unknown as { run(x: object): { loss: Tensor; right: Tensor } };
    let right = 0;
    for (let t = 0; t < 150; t++) right = Math.max(right, run.run({}).right.data[0]!);
    expect(right).toBeGreaterThan(0.95);
  });
  const small = { x: randn("fit/x", 50, 15), y: labels(...Array.from({ length: 50 }, (_, i) => (i * i + 3 * i) % 10)) };
});

describe("assignment 2, convolutional nets", () => {
  test("convolution: the notebook's numbers, and gradients to 1e-8", () => {
    const p = { w: linspace(-0.2, 0.3, 3, 3, 4, 4), b: linspace(-0.1, 0.2, 3) };
    const out = conv2d(p, linspace(-0.1, 0.5, 2, 3, 4, 4), { stride: 2, padding: 1 });
    const wanted = [
      -0.08759809, -0.10987781, -0.18387192, -0.2109216, 0.21027089, 0.21661097, 0.22847626, 0.23004637, 0.50813986, 0.54309974, 0.64082444,
      0.67101435, -0.98053589, -1.03143541, -1.19128892, -1.24695841, 0.69108355, 0.66880383, 0.59480972, 0.56776003, 2.36270298,
      2.36904306, 2.38090835, 2.38247847,
    ];
    asked.hold("2", "convolution, forward", 1e-8, relativeError(data(out), wanted));
    const own = { x: randn("conv/x", 4, 3, 5, 5), w: randn("conv/w", 2, 3, 3, 3), b: randn("conv/b", 2) };
    asked.hold(
      "2",
      "convolution, backward",
      1e-8,
      layerErrors("conv", (q: typeof own) => conv2d(q, q.x, { padding: 1 }), own),
    );
    const sandwich = { ...own, x: randn("conv/sandwich", 2, 3, 16, 16) };
    const pooled = layerErrors("conv sandwich", (q: typeof own) => maxPool(relu(conv2d(q, q.x, { padding: 1 })), { size: 2 }), sandwich);
    asked.hold("2", "convolution, relu and pooling, backward", 1e-8, pooled);
  });

  test("max pooling: the notebook's numbers, and gradients to 1e-10", () => {
    const out = maxPool(linspace(-0.3, 0.4, 2, 3, 4, 4), { size: 2 });
    const wanted = [
      -0.26315789, -0.24842105, -0.20421053, -0.18947368, -0.14526316, -0.13052632, -0.08631579, -0.07157895, -0.02736842, -0.01263158,
      0.03157895, 0.04631579, 0.09052632, 0.10526316, 0.14947368, 0.16421053, 0.20842105, 0.22315789, 0.26736842, 0.28210526, 0.32631579,
      0.34105263, 0.38526316, 0.4,
    ];
    asked.hold("2", "max pooling, forward", 1e-8, relativeError(data(out), wanted));
    const own = { x: randn("pool", 3, 2, 8, 8) };
    asked.hold(
      "2",
      "max pooling, backward",
      1e-12,
      layerErrors("pool", (p: { x: Value }) => maxPool(p.x, { size: 2 }), own as never),
    );
  });

  test("spatial batch and group normalisation: channels, and groups of each example, of mean 0 and deviation 1", () => {
    const x = evaluate(add(mul(4, randn("spatial", 2, 6, 4, 5)), 10));
    const bn = batchNorm.init(6, { dtype: "f64" });
    const out = batchNorm(bn.params, bn.stats, x, { train: true }).out;
    expect([...data(mean(out, { axis: [0, 2, 3] }))].every((m) => Math.abs(m) < 1e-12)).toBe(true);
    expect([...data(mean(square(out), { axis: [0, 2, 3] }))].every((v) => Math.abs(v - 1) < 1e-5)).toBe(true);
    const grouped = reshape(groupNorm(groupNorm.init(6, { dtype: "f64" }), x, { groups: 2 }), { shape: [4, 60] });
    expect([...data(mean(grouped, { axis: 1 }))].every((m) => Math.abs(m) < 1e-12)).toBe(true);
    expect([...data(mean(square(grouped), { axis: 1 }))].every((v) => Math.abs(v - 1) < 1e-5)).toBe(true);
    const own = { x, scale: randn("spatial/g", 6), shift: randn("spatial/b", 6) };
    const spatial = layerErrors("sbn", (p: typeof own) => batchNorm(p, bn.stats, p.x, { train: true }).out, own);
    asked.hold("2", "spatial batch norm, backward", 1e-6, spatial);
    asked.hold(
      "2",
      "spatial group norm, backward",
      1e-7,
      layerErrors("sgn", (p: typeof own) => groupNorm(p, p.x, { groups: 2 }), own),
    );
  });

  test("the three-layer ConvNet: first loss about log 10, gradients to 1e-2 as asked, and it overfits", async () => {
    const net = sequential({
      conv: layer.conv2d(3, 4, 3, { padding: 1, dtype: "f64" }),
      relu1: relu,
      pool: layer.maxPool({ size: 2 }),
      flat: (x: Operand) => flatten(x),
      fc1: layer.linear(4 * 4 * 4, 7, { dtype: "f64" }),
      relu2: relu,
      fc2: layer.linear(7, 10, { dtype: "f64" }),
    });
    const { params, stats } = net.init(random.key(0));
    const [x, y] = [randn("convnet/x", 12, 3, 8, 8), labels(...Array.from({ length: 12 }, (_, i) => i % 10))];
    const loss = (p: Values<typeof params>) => softmaxCrossEntropy(net.apply(p, x, { train: true, stats: variables(stats) }).out, y);
    expect(Math.abs(read(loss(params as never)) - Math.log(10))).toBeLessThan(0.3);
    asked.hold("2", "three-layer ConvNet, every parameter", 1e-2, worst(gradientErrors(loss as never, params, { count: 5 })));
    const rule = adam({ rate: 1e-2 });
    const state = { params, opt: rule.init(params) };
    const step = graph(state, ({ params: p, opt }) => {
      const { value, grad: g } = valueAndGrad(loss)(p);
      return { loss: value, ...rule.update({ params: p, grad: g, opt }) };
    });
    const program = await compile(step, wasm(), { state });
    let last = Number.POSITIVE_INFINITY;
    for (let t = 0; t < 120; t++) last = read(program.run({}).loss);
    expect(last).toBeLessThan(0.1);
  });
});

describe("assignment 2, recurrent nets", () => {
  test("a vanilla step: the notebook's numbers, and gradients to 1e-8", () => {
    const p = { w: linspace(-0.1, 0.9, 10, 4), u: linspace(-0.3, 0.7, 4, 4), b: linspace(-0.2, 0.4, 4) };
    const { h } = rnn(p, { h: linspace(-0.2, 0.5, 3, 4) }, linspace(-0.4, 0.7, 3, 10));
    const wanted = [
      -0.58172089, -0.50182032, -0.41232771, -0.31410098, 0.66854692, 0.79562378, 0.87755553, 0.92795967, 0.97934501, 0.99144213,
      0.99646691, 0.99854353,
    ];
    asked.hold("2", "vanilla step, forward", 1e-8, relativeError(data(h), wanted));
    const own = {
      x: randn("rnn/x", 4, 5),
      h: randn("rnn/h", 4, 6),
      w: randn("rnn/w", 5, 6),
      u: randn("rnn/u", 6, 6),
      b: randn("rnn/b", 6),
    };
    asked.hold(
      "2",
      "vanilla step, backward",
      1e-8,
      layerErrors("rnn step", (q: typeof own) => rnn(q, { h: q.h }, q.x).h, own),
    );
    const line = rnn.over(
      { w: linspace(-0.2, 0.4, 4, 5), u: linspace(-0.4, 0.1, 5, 5), b: linspace(-0.7, 0.1, 5) },
      linspace(-0.1, 0.3, 2, 3, 4),
      { start: { h: linspace(-0.3, 0.1, 2, 5) } },
    ).out;
    const ends = [
      -0.42070749, -0.27279261, -0.11074945, 0.05740409, 0.22236251, -0.51014825, -0.30524429, -0.06755202, 0.17806392, 0.40333043,
    ];
    asked.hold(
      "2",
      "vanilla net over a sequence, forward",
      1e-7,
      relativeError([...data(line).slice(0, 5), ...data(line).slice(-5)], ends),
    );
    const over = {
      x: randn("rnn/xs", 2, 10, 3),
      h: randn("rnn/h0", 2, 5),
      w: randn("rnn/ws", 3, 5),
      u: randn("rnn/us", 5, 5),
      b: randn("rnn/bs", 5),
    };
    const along = layerErrors("rnn", (q: typeof over) => rnn.over(q, q.x, { start: { h: q.h } }).out, over);
    asked.hold("2", "vanilla net over a sequence, backward", 1e-6, along);
  });

  test("an LSTM step: the notebook's numbers, whose gates are input, forget, output, new, and gradients to 1e-7", () => {
    // Ours are PyTorch's order: input, forget, new, output.
    const columns = (t: Tensor, hidden: number): Tensor => {
      const rows = t.type.shape.length === 1 ? 1 : t.type.shape[0]!;
      const width = 4 * hidden;
      const from = [0, 1, 3, 2].flatMap((gate) => Array.from({ length: hidden }, (_, i) => gate * hidden + i));
      return tensor(
        Float64Array.from({ length: rows * width }, (_, i) => t.data[Math.floor(i / width) * width + from[i % width]!]!),
        t.type,
      );
    };
    const p = {
      w: columns(linspace(-2.1, 1.3, 4, 20), 5),
      u: columns(linspace(-0.7, 2.2, 5, 20), 5),
      b: columns(linspace(0.3, 0.7, 20), 5),
    };
    const { h, c } = lstm(p, { h: linspace(-0.3, 0.7, 3, 5), c: linspace(-0.4, 0.9, 3, 5) }, linspace(-0.4, 1.2, 3, 4));
    const nextH = [
      0.24635157, 0.28610883, 0.32240467, 0.35525807, 0.38474904, 0.49223563, 0.55611431, 0.61507696, 0.66844003, 0.7159181, 0.56735664,
      0.66310127, 0.74419266, 0.80889665, 0.858299,
    ];
    const nextC = [
      0.32986176, 0.39145139, 0.451556, 0.51014116, 0.56717407, 0.66382255, 0.76674007, 0.87195994, 0.97902709, 1.08751345, 0.74192008,
      0.90592151, 1.07717006, 1.25120233, 1.42395676,
    ];
    asked.hold("2", "LSTM step, forward", 1e-8, Math.max(relativeError(data(h), nextH), relativeError(data(c), nextC)));
    const own = {
      x: randn("lstm/x", 4, 5),
      h: randn("lstm/h", 4, 6),
      c: randn("lstm/c", 4, 6),
      w: randn("lstm/w", 5, 24),
      u: randn("lstm/u", 6, 24),
      b: randn("lstm/b", 24),
    };
    const both = (q: typeof own) => {
      const next = lstm(q, q, q.x);
      return add(next.h, mul(0.5, next.c));
    };
    asked.hold("2", "LSTM step, backward", 1e-7, layerErrors("lstm step", both, own));
    const still = tensor(new Float64Array(8), tensorType("f64", [2, 4]));
    const line = lstm.over(
      {
        w: columns(linspace(-0.2, 0.9, 5, 16), 4),
        u: columns(linspace(-0.3, 0.6, 4, 16), 4),
        b: columns(linspace(0.2, 0.7, 16), 4),
      },
      linspace(-0.4, 0.6, 2, 3, 5),
      { start: { h: linspace(-0.4, 0.8, 2, 4), c: still } },
    ).out;
    const ends = [0.01764008, 0.01823233, 0.01882671, 0.0194232, 0.81733511, 0.83677871, 0.85403753, 0.86935314];
    asked.hold("2", "LSTM over a sequence, forward", 1e-7, relativeError([...data(line).slice(0, 4), ...data(line).slice(-4)], ends));
    const over = {
      x: randn("lstm/xs", 2, 10, 3),
      h: randn("lstm/h0", 2, 6),
      c: randn("lstm/c0", 2, 6),
      w: randn("lstm/ws", 3, 24),
      u: randn("lstm/us", 6, 24),
      b: randn("lstm/bs", 24),
    };
    const along = arrayGradientErrors((q: typeof over) => lstm.over(q, q.x, { start: q }).out, randn("lstm/ct", 2, 10, 6), over);
    asked.hold("2", "LSTM over a sequence, backward: weights of the state", 1e-6, along["u"]!);
    asked.hold("2", "LSTM over a sequence, backward: all others", 1e-8, worst({ ...along, u: 0 }));
  });

  test("word embedding: the notebook's numbers; the gradient adds up where a word is said twice", () => {
    const table = linspace(0, 1, 5, 3);
    const ids = tensor(
      [
        [0, 3, 1, 2],
        [2, 1, 0, 3],
      ],
      "i32",
    );
    const out = embedding({ table }, ids);
    expect(out.type.shape).toEqual([2, 4, 3]);
    const six = [0, 0.07142857, 0.14285714, 0.64285714, 0.71428571, 0.78571429];
    asked.hold("2", "word embedding, forward", 1e-8, relativeError([...data(out)].slice(0, 6), six));
    const slope = evaluate(vjp((t: Value) => embedding({ table: t }, ids))(table as never).pull(linspace(1, 1, 2, 4, 3) as never) as Value);
    expect([...slope.data]).toEqual([...new Array(12).fill(2), 0, 0, 0]);
    const words = layerErrors("embedding", (p: { t: Value }) => embedding({ table: p.t }, ids), { t: table } as never);
    asked.hold("2", "word embedding, backward", 1e-11, words);
  });

  test("the loss of a caption: what is masked does not count", () => {
    const scores = evaluate(mul(0.001, randn("temporal", 100, 3, 10)));
    const y = Array.from({ length: 300 }, (_, i) => i % 10);
    const loss = (share: (i: number) => boolean) =>
      read(
        softmaxCrossEntropy(
          scores,
          tensor(
            Int32Array.from(y, (c, i) => (share(i) ? c : -1)),
            i32(100, 3),
          ),
          { reduction: "sum" },
        ),
      ) / 100;
    const own = { x: randn("temporal/x", 2, 3, 4), w: randn("temporal/w", 4, 5), b: randn("temporal/b", 5) };
    const affine = layerErrors("temporal affine", (q: typeof own) => linear(q, q.x), own);
    asked.hold("2", "affine layer at every step of a sequence, backward", 1e-9, affine);
    const words = tensor(
      Int32Array.from({ length: 56 }, (_, i) => (i % 3 === 0 ? -1 : (i * 5) % 9)),
      i32(7, 8),
    );
    const masked = gradientErrors(
      (q: { x: Value }) => mul(1 / 7, softmaxCrossEntropy(q.x, words, { reduction: "sum" })),
      { x: randn("temporal/scores", 7, 8, 9) } as never,
      { count: 60 },
    );
    asked.hold("2", "softmax loss of a caption with a mask, backward", 1e-7, worst(masked));
    expect(loss(() => true)).toBeCloseTo(3 * Math.log(10), 1);
    expect(loss((i) => i % 10 === 0)).toBeCloseTo(0.3 * Math.log(10), 1);
    expect(data(grad((s: Value) => sum(s))(scores as never) as Value).length).toBe(3000);
  });
});

test("what the notebooks ask for and what we have is what docs/cs231n.md says", async () => {
  await expect(asked.page()).toMatchFileSnapshot("../../docs/cs231n.md");
});
