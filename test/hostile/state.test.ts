import { expect, test } from "vitest";
import { add, compile, constant, type Engine, f64, graph, mul, read, reference, sub, tensor, toArray } from "../../src/index.ts";

/** The reference engine, answering later. */
function later(): Engine<"async"> {
  const engine = reference();
  return {
    name: "later",
    mode: "async",
    prepare: (inputs, outputs) => {
      const ready = engine.prepare(inputs, outputs);
      return {
        run: async (held) => {
          await new Promise((resolve) => setTimeout(resolve, 5));
          return ready.run(held);
        },
        dispose: () => undefined,
      };
    },
  };
}

test("two overlapping runs on an asynchronous engine both count, and a reading in between sees the first", async () => {
  const counter = graph({ n: f64(), x: f64() }, ({ n, x }) => ({ n: add(n, x) }));
  const p = await compile(counter, later(), { state: { n: tensor(0) } });
  const first = p.run({ x: 1 });
  const between = p.state.read();
  const second = p.run({ x: 1 });
  await Promise.all([first, second]);
  expect(toArray((await between).n)).toBe(1);
  expect(toArray((await p.state.read()).n)).toBe(2);
});

test("a failed run does not hold up the next one", async () => {
  const counter = graph({ n: f64(), x: f64() }, ({ n, x }) => ({ n: add(n, x), loss: x }));
  const p = await compile(counter, later(), { state: { n: tensor(0) }, guard: ["loss"] });
  const bad = p.run({ x: Number.NaN });
  const good = p.run({ x: 1 });
  await expect(bad).rejects.toThrow("loss is NaN at run 1; the state is unchanged");
  await good;
  expect(toArray((await p.state.read()).n)).toBe(1);
});

test("an asynchronous program rejects bad inputs, it does not throw", async () => {
  const p = await compile(
    graph({ x: f64() }, ({ x }) => ({ y: x })),
    later(),
  );
  const answer = p.run({} as never);
  await expect(answer).rejects.toThrow("run: the input has nothing, the graph wants x");
});

test("state under a name with dots is committed", async () => {
  const g = graph({ "a.w": f64(), x: f64() }, (i) => ({ "a.w": add(i["a.w"], i.x) }));
  const p = await compile(g, reference(), { state: { "a.w": tensor(1) } });
  p.run({ x: 2 });
  expect(toArray(p.state.read()["a.w"])).toBe(3);
});

test("leaves that share a path are refused, not mixed up", async () => {
  const g = graph({ "a.b": f64(), a: { b: f64() } }, (i) => sub(i["a.b"], i.a.b));
  expect(() => g({ "a.b": 5, a: { b: 3 } })).toThrow("graph: two leaves are called a.b; rename a key that has dots in it");
  await expect(compile(g, reference())).rejects.toThrow("compile: two inputs are called a.b");
});

test("a list of outputs comes back as a list", async () => {
  const p = await compile(
    graph({ x: f64() }, ({ x }) => [x, mul(x, 2)] as const),
    reference(),
  );
  const [one, two] = p.run({ x: 2 }) as unknown as readonly [ReturnType<typeof tensor>, ReturnType<typeof tensor>];
  expect([toArray(one), toArray(two)]).toEqual([2, 4]);
});

test("the record given as state stays the caller's: changing it later changes nothing", async () => {
  const g = graph({ w: { a: f64() }, x: f64() }, (i) => ({ w: { a: add(i.w.a, i.x) } }));
  const given: { w: { a: ReturnType<typeof tensor>; b?: ReturnType<typeof tensor> } } = { w: { a: tensor(1) } };
  const p = await compile(g, reference(), { state: given as { w: { a: ReturnType<typeof tensor> } } });
  given.w.b = tensor(2);
  expect(Object.keys(p.state.read().w)).toEqual(["a"]);
});

test("names that every object inherits are no names of the state or the inputs", async () => {
  const g = graph({ w: f64(), x: f64() }, (i) => ({ w: add(i.w, i.x) }));
  const p = await compile(g, reference(), { state: { w: tensor(1) } });
  expect(() => p.state.write({ constructor: 3 } as never)).toThrow("state.write: there is no constructor; the state has w");
  await expect(compile(g, reference(), { state: { toString: tensor(1) } as never })).rejects.toThrow("the graph has no input of that name");
  const odd = await compile(
    graph({ constructor: f64() }, (i) => ({ y: i.constructor })),
    reference(),
  );
  expect(() => odd.run({} as never)).toThrow("run: the input has nothing, the graph wants constructor");
});

test("a program survives the reading of what its graph closed over", async () => {
  const k = mul(constant(2), 3);
  const p = await compile(
    graph({ x: f64() }, ({ x }) => ({ y: mul(x, k) })),
    reference(),
  );
  read(k);
  expect(toArray(p.run({ x: 2 }).y)).toBe(12);
});
