import { expect, test } from "vitest";
import { compile, evaluate, f64, graph, i32, mul, read, reference, type Tensor, tensor } from "../../src/index.ts";
import { adam, averaged, averages, type OptimizerState, plateau, sgd } from "../../src/optim.ts";

const params = { w: tensor([4]), frozen: tensor([7], "f32") };

test("the average is kept beside the parameters, and a program that shares the state evaluates with it", async () => {
  const optimizer = averaged(sgd({ rate: 0.5, freeze: ["frozen"] }), { keep: 0.75 });
  const state = { params, opt: optimizer.init(params) };
  expect(Object.keys(state.opt)).toEqual(["step", "rate", "average/w"]);
  const step = graph(state, ({ params, opt }) => optimizer.update({ params, grad: { w: params.w, frozen: params.frozen }, opt }));
  const test = graph(state, ({ params, opt }) => averages(opt, params));
  const program = await compile(step, reference(), { state });
  const testing = await compile(test, reference(), { state: program.state });
  let [w, average] = [4, 4];
  for (let i = 0; i < 5; i++) {
    program.run({});
    w *= 0.5;
    average = 0.75 * average + 0.25 * w;
  }
  const found = testing.run({});
  expect([...found.w.data, ...found.frozen.data]).toEqual([expect.closeTo(average, 14), 7]);
  expect(program.state.read().params.w.data[0]).toBe(w);
});

test("with warmup the first parameters weigh little", () => {
  const optimizer = averaged(sgd({ rate: 1 }), { keep: 0.999, warmup: true });
  const opt = optimizer.init(3);
  const next = evaluate(optimizer.update({ params: 3, grad: 1 as never, opt: opt as never })) as { opt: OptimizerState };
  expect(read(next.opt["average/"]!)).toBeCloseTo(3 - 9 / 11, 14);
});

test("a plateau inside goes on observing", () => {
  const optimizer = averaged(sgd({ rate: plateau({ from: 1, patience: 0 }) }));
  let opt: OptimizerState = optimizer.init({ w: 1 });
  for (let i = 0; i < 2; i++) opt = evaluate(optimizer.observe!({ opt: opt as never, metric: 1 })) as OptimizerState;
  expect([read(opt["rate"]!), read(opt["average/w"]!)]).toEqual([0.1, 1]);
  expect(averaged(sgd({ rate: 1 })).observe).toBeUndefined();
});

test("integers that are frozen pass, and what does not fit is told", () => {
  const optimizer = averaged(adam({ rate: 1, freeze: ["ids"] }));
  const opt = optimizer.init({ ids: tensor([1], "i32"), w: 2 });
  const both = evaluate(averages(opt, { ids: tensor([1], "i32"), w: 5 })) as Record<string, Tensor>;
  expect([both["ids"]!.data[0], both["w"]!.data[0]]).toEqual([1, 2]);
  expect(() => optimizer.init({ ids: i32(1), w: f64() })).toThrow("averaged: w is a type; an average begins with the parameters");
  expect(() => averages({ step: mul(1, 1) }, { w: 1 })).toThrow(
    "averages: opt has no averages; they are kept by an optimiser that is averaged(...)",
  );
  expect(() => averages(opt, { w: tensor([1, 2]) })).toThrow(
    "averages: average/w is f64[] and the parameter f64[2]; it is of other parameters",
  );
  const bare = sgd({ rate: 1 }).init({ w: 1 });
  expect(() => averaged(sgd({ rate: 1 })).update({ params: { w: 1 }, grad: { w: 1 as never }, opt: bare as never })).toThrow(
    "averaged: opt has no average/w; make it with the init of the averaged optimiser",
  );
  expect(() => averaged(sgd({ rate: 1 }), { keep: 1 })).toThrow("averaged: keep is 1; it is a number from 0 on and below 1");
});
