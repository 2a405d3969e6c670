import { describe, expect, test } from "vitest";
import {
  add,
  cast,
  compile,
  costOf,
  type Engine,
  evaluate,
  exp,
  f32,
  f64,
  graph,
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
  tanh,
  tensor,
  type Value,
  type Values,
  valueAndGrad,
} from "../../src/index.ts";
import { nodesOf } from "../../src/ir/graph.ts";
import { adam, adamW, type Optimizer, sgd, stepCount } from "../../src/optim.ts";
import { wasm } from "../../src/wasm.ts";

/** One step on gradients that are given. */
function step<P>(
  optimizer: Optimizer,
  params: P,
  grad: unknown,
  opt: unknown = optimizer.init(params),
): { params: P; opt: Record<string, Tensor> } {
  return evaluate(optimizer.update({ params, grad: grad as Values<P>, opt: opt as never })) as never;
}

const net = {
  features: [
    {
      w: tensor([
        [0.1, 0.2],
        [0.3, -0.4],
      ]),
      b: tensor([0, 0.1]),
    },
    {
      w: tensor([
        [0.5, 0.2],
        [-0.3, 0.1],
      ]),
      b: tensor([0.2, 0]),
    },
  ],
  head: { w: tensor([[1], [-1]]), b: tensor([0.3]) },
} as const;
const paths = ["features.0.w", "features.0.b", "features.1.w", "features.1.b", "head.w", "head.b"];
const slope = { ...net };
const keys = (opt: object): string[] => Object.keys(opt);

describe("the state", () => {
  test("is flat: the step count, the rate when it is a number, and slots by path", () => {
    expect(keys(adam({ rate: 0.1 }).init(net))).toEqual(["step", "rate", ...paths.flatMap((p) => [`m/${p}`, `v/${p}`])]);
    expect(keys(sgd({ rate: 0.1 }).init(net))).toEqual(["step", "rate"]);
    expect(keys(sgd({ rate: (s) => exp(s), momentum: 0.9 }).init({ a: 1, list: [2, tensor([3])] }))).toEqual([
      "step",
      "m/a",
      "m/list.0",
      "m/list.1",
    ]);
    expect(keys(adam({ rate: 0.1 }).init(tensor([1, 2])))).toEqual(["step", "rate", "m/", "v/"]);
  });

  test("has the types of the parameters, and takes types for them", () => {
    const opt = adam({ rate: 0.1 }).init({ w: f32(2, 3), b: f64(0) });
    expect(opt["m/w"]).toMatchObject({ type: { dtype: "f32", shape: [2, 3] } });
    expect(opt["v/b"]).toMatchObject({ type: { dtype: "f64", shape: [0] } });
    expect(opt["step"]).toMatchObject({ type: { dtype: "i32", shape: [] } });
  });

  test("counts the steps, and stepCount finds the count", () => {
    const optimizer = sgd({ rate: 0.1 });
    let opt = optimizer.init({ a: 1 });
    for (let i = 0; i < 3; i++) opt = step(optimizer, { a: 1 }, { a: 0 }, opt).opt;
    expect(read(opt["step"]!)).toBe(3);
    expect(read(stepCount(opt as never))).toBe(3);
    expect(() => stepCount({})).toThrow("stepCount: opt has no step, only nothing; pass what optimizer.init gave");
  });

  test("keeps the rate, so that another one can be written there without compiling anew", async () => {
    const optimizer = sgd({ rate: 0.5 });
    const params = { a: 1 };
    const state = { params, opt: optimizer.init(params) };
    const once = graph(state, ({ params, opt }) => optimizer.update({ params, grad: { a: mul(1, params.a) }, opt }));
    const program = await compile(once, reference(), { state });
    program.run({});
    program.state.write({ opt: { ...program.state.read().opt, rate: 0.25 } });
    program.run({});
    expect(program.state.read().params.a.data[0]).toBe(0.375);
  });
});

describe("patterns", () => {
  test("freeze: leaves stay, have no slots, and lists of records keep their form", () => {
    const optimizer = adam({ rate: 0.1, freeze: ["features.*"] });
    expect(keys(optimizer.init(net))).toEqual(["step", "rate", "m/head.w", "v/head.w", "m/head.b", "v/head.b"]);
    const { params } = step(optimizer, net, slope);
    expect(params.features).toEqual(net.features);
    expect(params.head.b.data[0]).toBeCloseTo(0.2, 6);
  });

  test("only and freeze together, and * across dots", () => {
    expect(keys(sgd({ rate: 1, momentum: 0.5, only: ["*.w"], freeze: ["*.0.*"] }).init(net))).toEqual([
      "step",
      "rate",
      "m/features.1.w",
      "m/head.w",
    ]);
    expect(keys(sgd({ rate: 1, momentum: 0.5, only: ["a+b"] }).init({ "a+b": 1, aab: 2 }))).toEqual(["step", "rate", "m/a+b"]);
    expect(keys(sgd({ rate: 1, momentum: 0.5, only: ["층.*"] }).init({ 층: { w: 1 }, b: 2 }))).toEqual(["step", "rate", "m/층.w"]);
  });

  test("decay: the others do not shrink", () => {
    const { params } = step(adamW({ rate: 0.1, weightDecay: 0.5, decay: ["*.w"] }), { a: { w: 2, b: 2 } }, { a: { w: 0, b: 0 } });
    expect([params.a.w, params.a.b].map((x) => (x as unknown as Tensor).data[0])).toEqual([1.9, 2]);
  });

  test("groups: other numbers for some, the first that names a leaf; a rate of their own is in the state too", () => {
    const optimizer = sgd({
      rate: 1,
      momentum: 0.9,
      groups: [
        { only: ["*.b"], momentum: 0 },
        { only: ["head.*"], rate: 0.5, weightDecay: 1 },
        { only: ["features.0.*"], rate: (s) => add(s, 4) },
      ],
    });
    const opt = optimizer.init(net);
    expect(keys(opt)).toEqual(["step", "rate", "rate/head.*", "m/features.0.w", "m/features.1.w", "m/head.w"]);
    const { params } = step(optimizer, net, slope, opt);
    expect([...params.features[0].w.data].map((x, i) => x / net.features[0].w.data[i]!)).toEqual(
      [-3, -3, -3, -3].map((x) => expect.closeTo(x, 12)),
    );
    expect([...params.features[1].w.data]).toEqual([0, 0, 0, 0]);
    expect([...params.head.w.data]).toEqual([0, 0]);
    expect([...params.head.b.data]).toEqual([0]);
  });

  test.each([
    ["freeze", "feature.*"],
    ["only", "head.weight"],
    ["decay", "*.table"],
  ])("a pattern of %s that names nothing is an error with the names", (what, pattern) => {
    expect(() => sgd({ rate: 0.1, [what]: [pattern] }).init(net)).toThrow(
      `sgd: ${what}: ${pattern} names no parameter; * stands for any characters, and there are features.0.w, features.0.b`,
    );
  });

  test("of long lists of names a dozen are said", () => {
    const many = Object.fromEntries(Array.from({ length: 20 }, (_, i) => [`p${i}`, 0]));
    expect(() => sgd({ rate: 0.1, groups: [{ only: ["q"] }] }).init(many)).toThrow("p10, p11 and 8 more");
  });
});

describe("a frozen leaf's gradient", () => {
  const loss = (p: Values<typeof net>, x: Value): Value => {
    let h = x;
    for (const { w, b } of p.features) h = tanh(add(matmul(h, w), b));
    return mean(square(add(matmul(h, p.head.w), p.head.b)));
  };
  const flops = (optimizer: Optimizer): { nodes: number; products: number; flops: number } => {
    const g = graph({ params: net, opt: optimizer.init(net), x: f64(5, 2) }, ({ params, opt, x }) => {
      const { value, grad } = valueAndGrad(loss)(params, x);
      return { loss: value, ...optimizer.update({ params, grad, opt }) };
    });
    const nodes = nodesOf(g);
    return { nodes: nodes.length, products: nodes.filter(({ op }) => op.name === "matmul").length, flops: costOf(g).flops };
  };

  test("is dead code: the backward pass stops above the frozen layers", () => {
    const [all, some] = [flops(sgd({ rate: 0.1 })), flops(sgd({ rate: 0.1, freeze: ["features.*"] }))];
    // Three products forward; backward one for each weight, and one for each input but the first.
    expect([all.products, some.products]).toEqual([3 + 3 + 2, 3 + 1]);
    expect(some.nodes).toBeLessThan(all.nodes * 0.65);
    expect(some.flops).toBeLessThan(all.flops * 0.65);
  });

  test("does not come back through clipping by the global norm", () => {
    const { products } = flops(adam({ rate: 0.1, clipNorm: 1, freeze: ["features.*"] }));
    expect(products).toBe(4);
  });
});

describe("clipping", () => {
  test("by value, then by the norm of all gradients together, as PyTorch", () => {
    const { params } = step(sgd({ rate: 1, clipValue: 4, clipNorm: 1 }), { a: 0, b: tensor([0, 0]) }, { a: 3, b: tensor([-100, 0]) });
    const scale = 1 / (5 + 1e-6);
    expect((params.a as unknown as Tensor).data[0]).toBeCloseTo(-3 * scale, 14);
    expect([...params.b.data]).toEqual([expect.closeTo(4 * scale, 14), 0]);
  });

  test("leaves gradients within the norm as they are", () => {
    const { params } = step(sgd({ rate: 1, clipNorm: 10 }), { a: 0 }, { a: 3 });
    expect((params.a as unknown as Tensor).data[0]).toBe(-3);
  });

  test("does not overflow in f32, and does not hide NaN", () => {
    const big = tensor([3e30, 4e30], "f32");
    const { params } = step(sgd({ rate: 1, clipNorm: 1 }), { a: tensor([0, 0], "f32") }, { a: big });
    expect([...params.a.data]).toEqual([expect.closeTo(-0.6, 6), expect.closeTo(-0.8, 6)]);
    const bad = step(sgd({ rate: 1, clipNorm: 1 }), { a: tensor([0, 0]) }, { a: tensor([Number.NaN, 1]) });
    expect([...bad.params.a.data]).toEqual([Number.NaN, Number.NaN]);
  });
});

describe("a step", () => {
  const schedule = (s: Value): Value => mul(0.1, exp(mul(-0.01, s)));

  /** How often the engine was asked to compile while a schedule ran. */
  async function compilations(engine: Engine<"sync">): Promise<{ compiled: number; params: Tensor; rate: number }> {
    let compiled = 0;
    const counting: Engine<"sync"> = {
      ...engine,
      prepare: (inputs, outputs) => {
        compiled++;
        return engine.prepare(inputs, outputs);
      },
      ...(engine.prepareLater && {
        prepareLater: (inputs, outputs) => {
          compiled++;
          return engine.prepareLater!(inputs, outputs);
        },
      }),
    };
    const optimizer = adam({ rate: schedule });
    const params = { w: tensor([3, -2]) };
    const state = { params, opt: optimizer.init(params) };
    const once = graph(state, ({ params, opt }) => {
      const { grad } = valueAndGrad(({ w }: Values<typeof params>) => sum(square(sub(w, 1))))(params);
      return { rate: schedule(cast(stepCount(opt), "f64")), ...optimizer.update({ params, grad, opt }) };
    });
    const program = await compile(once, counting, { state });
    let rate = 0;
    for (let i = 0; i < 1000; i++) rate = read(program.run({}).rate);
    expect(read(program.state.read().opt["step"]!)).toBe(1000);
    return { compiled, params: program.state.read().params.w, rate };
  }

  test.each([reference(), wasm()].map((e) => [e.name, e] as const))(
    "is compiled once for 1,000 of them with a schedule, on %s",
    async (_, engine) => {
      const { compiled, params, rate } = await compilations(engine);
      expect(compiled).toBe(1);
      expect(rate).toBeCloseTo(0.1 * Math.exp(-9.99), 12);
      expect([...params.data]).toEqual([expect.closeTo(1, 2), expect.closeTo(1, 2)]);
    },
  );

  test("in f32 keeps f32, with the numbers of the step taken in f64", () => {
    const params = { w: tensor([1, 2], "f32") };
    const optimizer = adam({ rate: 1e-3 });
    const { params: after, opt } = step(optimizer, params, { w: tensor([0.5, -0.25], "f32") });
    expect(after.w.type.dtype).toBe("f32");
    expect([...after.w.data]).toEqual([expect.closeTo(0.999, 6), expect.closeTo(2.001, 6)]);
    expect(opt["v/w"]?.type.dtype).toBe("f32");
  });

  test("in half precision is computed in f32", () => {
    const params = { w: tensor([1, 2], "bf16") };
    const { params: after, opt } = step(adam({ rate: 0.5 }), params, { w: tensor([0.5, -0.25], "bf16") });
    expect(after.w.type.dtype).toBe("bf16");
    expect([...after.w.data]).toEqual([0.5, 2.5]);
    expect(opt["m/w"]?.type.dtype).toBe("f32");
  });

  test("takes parameters of no elements, scalars, and both dtypes at once", () => {
    const params = { none: tensor(new Float64Array(0), f64(0, 3)), one: 2, single: tensor([1], "f32") };
    const { params: after } = step(adam({ rate: 1, clipNorm: 5 }), params, { ...params });
    expect(after.none.type).toMatchObject({ shape: [0, 3] });
    expect((after.one as unknown as Tensor).data[0]).toBeCloseTo(1, 7);
    expect(after.single.data[0]).toBeCloseTo(0, 7);
  });

  test("can be differentiated: the gradient of a loss after it by the one before", () => {
    const optimizer = sgd({ rate: 0.1 });
    const after = (w: Value): Value => {
      const { grad } = valueAndGrad((p: Value) => square(p))(w);
      return square(optimizer.update({ params: w, grad, opt: optimizer.init(1) as never }).params);
    };
    expect(read(valueAndGrad(after)(3).grad)).toBeCloseTo(2 * 3 * 0.8 ** 2, 12);
  });
});

describe("bad input is told:", () => {
  test.each([
    [0, "sgd: rate is 0, so nothing would be learnt; to hold parameters fixed, name them in freeze"],
    [-0.1, "sgd: rate is -0.1; a rate is a number above 0, and usually between 1e-5 and 1"],
    [Number.NaN, "sgd: rate is NaN; a rate is a number above 0"],
    [Number.POSITIVE_INFINITY, "sgd: rate is Infinity; a rate is a number above 0"],
    ["fast", 'sgd: rate is "fast"; give a number as 1e-3, or a schedule'],
    [undefined, "sgd: rate is missing; give a number as 1e-3, or a schedule"],
  ])("rate %s", (rate, message) => {
    expect(() => sgd({ rate: rate as number })).toThrow(message);
    if (typeof rate === "number")
      expect(() => sgd({ rate: 1, groups: [{ only: ["a", "b.*"], rate }] })).toThrow(message.replace("sgd:", "sgd: group a,b.*:"));
  });

  test("settings out of range", () => {
    expect(() => adam({ rate: 1, beta1: 1 })).toThrow("adam: beta1 is 1; it is a number from 0 on and below 1");
    expect(() => adam({ rate: 1, epsilon: -1 })).toThrow("adam: epsilon is -1; it is a number from 0 on");
    expect(() => adam({ rate: 1, clipNorm: Number.NaN })).toThrow("adam: clipNorm is NaN; gradients are cut to a magnitude above 0");
    expect(() => sgd({ rate: 1, momentum: "much" as never })).toThrow("sgd: momentum is much; it is a number from 0 on");
    expect(() => sgd({ rate: 1, nesterov: true })).toThrow(
      "sgd: nesterov needs a momentum and no dampening; momentum is 0 and dampening 0",
    );
  });

  test("schedules that give no scalar Value", () => {
    const go = (rate: unknown): unknown => step(sgd({ rate: rate as number }), { a: 1 }, { a: 1 });
    expect(() => go(() => 0.1)).toThrow("sgd: the schedule gave the number 0.1; it computes a Value from the step");
    expect(() => go(() => evaluate(tensor([1, 2])) && add(tensor([1, 2]), 0))).toThrow("sgd: the schedule gave f64[2]; a rate is a scalar");
  });

  test("models with nothing to train", () => {
    expect(() => sgd({ rate: 1 }).init({})).toThrow("sgd: there are no parameters; the tree given has no leaves");
    expect(() => sgd({ rate: 1, freeze: ["*"] }).init(net)).toThrow(
      "sgd: every parameter is frozen, so there is nothing to train: features.0.w",
    );
    expect(() => sgd({ rate: 1 }).init({ ids: i32(8) })).toThrow(
      'sgd: ids is i32[8]; only floating-point parameters are trained: freeze: ["ids"]',
    );
    expect(keys(sgd({ rate: 1, freeze: ["ids"] }).init({ ids: i32(8), w: f64(2) }))).toEqual(["step", "rate"]);
    expect(() => sgd({ rate: 1 }).init({ "a.b": 1, a: { b: 2 } })).toThrow(
      "sgd: two parameters are called a.b; rename a key that has dots in it",
    );
  });

  test("gradients that do not match", () => {
    expect(() => step(sgd({ rate: 1 }), { w: 1, b: 2 }, { w: 1, c: 2 })).toThrow("sgd: grad: missing b; unknown c; wanted w, b");
    expect(() => step(sgd({ rate: 1 }), { w: tensor([1, 2]) }, { w: tensor([1, 2, 3]) })).toThrow(
      "sgd: gradients have the types of their parameters; in grad w is f64[3] and the parameter f64[2]",
    );
    expect(() => step(sgd({ rate: 1 }), { w: tensor([1, 2]) }, { w: tensor([1, 2], "f32") })).toThrow(
      "w is f32[2] and the parameter f64[2]",
    );
  });

  test("states of something else", () => {
    const opt = adam({ rate: 1 }).init({ w: f64(2) });
    expect(() => step(adam({ rate: 1 }), { w: tensor([1, 2]), b: 1 }, { w: tensor([1, 2]), b: 1 }, opt)).toThrow(
      "adam: opt is the state of another optimiser or other parameters: missing m/b, v/b",
    );
    expect(() => step(sgd({ rate: 1 }), { w: tensor([1, 2]) }, { w: tensor([1, 2]) }, opt)).toThrow("unknown m/w, v/w");
    expect(() => step(adam({ rate: 1 }), { w: tensor([1]) }, { w: tensor([1]) }, opt)).toThrow("m/w is f64[2] instead of f64[1]");
  });
});
