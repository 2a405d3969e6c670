import { expect, test } from "vitest";
import { compile, evaluate, f64, graph, read, reference, tensor, type Value } from "../../src/index.ts";
import { adam, type OptimizerState, type PlateauOptions, plateau, sgd } from "../../src/optim.ts";

/** The rate after each metric. */
function rates(options: Partial<PlateauOptions>, metrics: readonly number[]): number[] {
  const optimizer = sgd({ rate: plateau({ from: 1, factor: 0.5, patience: 1, ...options }) });
  let opt: OptimizerState = optimizer.init({ a: 1 });
  return metrics.map((metric) => {
    opt = evaluate(optimizer.observe!({ opt: opt as never, metric })) as OptimizerState;
    return read(opt["rate"]!);
  });
}

test("the rate falls when more metrics than patience were no better, and what is counted begins anew", () => {
  expect(rates({}, [3, 2, 2, 2, 2, 2, 1, 1, 1])).toEqual([1, 1, 1, 0.5, 0.5, 0.25, 0.25, 0.25, 0.125]);
});

test("the threshold is a share of the best, metrics in a cooldown do not count, and there is a lowest rate", () => {
  expect(rates({ threshold: 0.1, patience: 0 }, [10, 9.5, 8.9, 8.5])).toEqual([1, 0.5, 0.5, 0.25]);
  expect(rates({ cooldown: 2, patience: 0 }, [1, 1, 1, 1, 1])).toEqual([1, 0.5, 0.5, 0.5, 0.25]);
  expect(rates({ to: 0.4, patience: 0 }, [1, 1, 1, 1])).toEqual([1, 0.5, 0.4, 0.4]);
});

test("accuracies are better when higher, negative metrics have their threshold too, and NaN is never better", () => {
  expect(rates({ best: "highest", patience: 0 }, [0.5, 0.6, 0.6])).toEqual([1, 1, 0.5]);
  expect(rates({ patience: 0, threshold: 0.1 }, [-1, -1.05, -1.2])).toEqual([1, 0.5, 0.5]);
  expect(rates({ patience: 1 }, [Number.NaN, Number.NaN, 1])).toEqual([1, 0.5, 0.5]);
});

test("the step goes on with the rate that the state has, in a program that shares it", async () => {
  const optimizer = sgd({ rate: plateau({ from: 1, factor: 0.25, patience: 0 }) });
  const params = { a: 1 };
  const state = { params, opt: optimizer.init(params) };
  const step = graph(state, ({ params, opt }) => optimizer.update({ params, grad: { a: params.a }, opt }));
  const watch = graph({ opt: state.opt, metric: f64() }, ({ opt, metric }) => ({ opt: optimizer.observe!({ opt, metric }) }));
  const program = await compile(step, reference(), { state });
  const watching = await compile(watch, reference(), { state: program.state });
  watching.run({ metric: 1 });
  watching.run({ metric: 1 });
  program.run({});
  expect(program.state.read().params.a.data[0]).toBe(0.75);
});

test("groups without a rate of their own share it; a group may have its own plateau; other rates observe nothing", () => {
  const shared = adam({ rate: plateau({ from: 1 }), groups: [{ only: ["b"], beta1: 0.5 }] });
  expect(Object.keys(shared.init({ a: 1, b: 1 })).filter((key) => !key.includes("/"))).toEqual([
    "step",
    "rate",
    "best",
    "waited",
    "cooling",
  ]);
  const own = sgd({ rate: 0.5, groups: [{ only: ["b"], rate: plateau({ from: 1, patience: 0 }) }] });
  let opt: OptimizerState = own.init({ a: 1, b: 1 });
  expect(Object.keys(opt)).toEqual(["step", "rate", "rate/b", "best/b", "waited/b", "cooling/b"]);
  for (let i = 0; i < 2; i++) opt = evaluate(own.observe!({ opt: opt as never, metric: 1 })) as OptimizerState;
  expect([read(opt["rate"]!), read(opt["rate/b"]!)]).toEqual([0.5, expect.closeTo(0.1, 15)]);
  expect(sgd({ rate: 0.5 }).observe).toBeUndefined();
  expect(sgd({ rate: (s: Value) => s }).observe).toBeUndefined();
});

test("bad numbers are told", () => {
  const message =
    (options: Partial<PlateauOptions>): (() => unknown) =>
    () =>
      plateau({ from: 1, ...options });
  expect(message({ from: 0 })).toThrow("plateau: from is 0; it is the first rate, a number above 0");
  expect(message({ factor: 1 })).toThrow("plateau: factor is 1; it is between 0 and 1, so that the rate falls");
  expect(message({ patience: 1.5 })).toThrow("plateau: patience is 1.5; it is a whole number of metrics, 0 or more");
  expect(message({ to: 2 })).toThrow("plateau: to is 2; it is the lowest rate, from 0 to the first one");
  const { observe, init } = sgd({ rate: plateau({ from: 1 }) });
  expect(() => observe!({ opt: init({ a: 1 }) as never, metric: tensor([1, 2]) })).toThrow("observe: metric is f64[2]; it is a scalar");
});
