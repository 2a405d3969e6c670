import { expect, test } from "vitest";
import { add, compile, f32, f64, graph, i32, jit, mul, op, reference, sum, type Tensor, tensor, type Value } from "../../src/index.ts";
import { wasm } from "../../src/wasm.ts";

const model = graph({ x: f64(3), p: { rate: f64(), list: [f32(2), i32(2)] as const } }, ({ x, p }) => ({
  scaled: mul(x, p.rate),
  parts: [sum(p.list[0]), add(p.list[1], 1)] as const,
}));
const usual = {
  x: new Float64Array([1, 2, 3]),
  p: { rate: 2, list: [tensor([1, 2], "f32"), new Int32Array([4, 5])] as const },
};

test("inputs arrive the short and the long way alike: typed arrays, tensors, numbers, lists", async () => {
  const program = await compile(model, wasm());
  const want = (await compile(model, reference())).run(usual);
  const ways = [
    usual,
    { ...usual, x: [1, 2, 3] },
    { ...usual, x: tensor([1, 2, 3]) },
    {
      ...usual,
      p: {
        list: [
          [1, 2],
          [4, 5],
        ] as const,
        rate: tensor(2),
      },
    },
  ];
  for (const way of ways) expect(program.run(way as never)).toEqual(want);
  expect(program.run({ p: usual.p, x: usual.x })).toEqual(want);
});

test("results are the caller's own, and inputs may be changed after the run", () => {
  const double = jit((x: Value) => mul(x, 2), wasm());
  const x = new Float64Array([1, 2]);
  const first = double(x);
  x[0] = 10;
  const second = double(x);
  second.data[1] = 99;
  expect([[...first.data], [...second.data], [...double(x).data]]).toEqual([
    [2, 4],
    [20, 99],
    [20, 4],
  ]);
});

test.each([
  [{ ...usual, x: new Float64Array(2) }, "x is f64[3], with 3 elements; 2 were given"],
  [{ ...usual, x: new Float32Array(3) }, "x is f64[3]; the typed array given is f32"],
  [{ ...usual, x: tensor([[1, 2, 3]]) }, "x is f64[3]; f64[1,3] was given"],
  [{ ...usual, p: { rate: 1, list: [[1, 2]] } }, "the graph wants 0, 1"],
  [{ ...usual, more: undefined }, "run: the input has x, p, more, the graph wants x, p"],
])("what does not fit the compiled engine is named too (%#)", async (inputs, message) => {
  const program = await compile(model, wasm());
  expect(() => program.run(inputs as never)).toThrow(message);
  expect(program.run(usual).parts[1].data[0]).toBe(5);
});

test("a detached buffer is refused, and the program goes on", async () => {
  const program = await compile(model, wasm());
  const x = new Float64Array([1, 2, 3]);
  structuredClone(x.buffer, { transfer: [x.buffer] });
  expect(() => program.run({ ...usual, x })).toThrow("x is f64[3], with 3 elements; 0 were given");
  expect([...program.run(usual).scaled.data]).toEqual([2, 4, 6]);
});

test("jit tells a vector from other shapes of its size, and keeps both", () => {
  const f = jit((x: Value) => mul(x, 2), wasm());
  expect(f(tensor([[1], [2]])).type.shape).toEqual([2, 1]);
  expect(f(new Float64Array([1, 2])).type.shape).toEqual([2]);
  expect(f(tensor([[1], [2]])).type.shape).toEqual([2, 1]);
  expect((f as (x: unknown) => Tensor)(3).data[0]).toBe(6);
});

test("two engines at once: a tensor of one is copied into the other", () => {
  const [one, two] = [wasm(), wasm()];
  const x = one.tensor!(f64(2));
  x.data.set([1, 2]);
  const f = (v: Value): Value => mul(v, 3);
  expect([...jit(f, two)(x).data, ...jit(f, one)(x).data]).toEqual([3, 6, 3, 6]);
});

test("a program that runs itself from a kernel of its own is refused, and runs again afterwards", async () => {
  let inside: (() => void) | null = null;
  const calls = op<(x: Value) => Value, readonly ["x"]>("acme.calls", ["x"], {
    type: ({ x }) => x,
    eval: ({ x }) => {
      inside?.();
      return x.data;
    },
    vjp: null,
  });
  const program = await compile(
    graph({ x: f64(2) }, ({ x }) => ({ y: mul(calls(x), 2) })),
    wasm(),
  );
  inside = () => program.run({ x: [5, 6] });
  expect(() => program.run({ x: [1, 2] })).toThrow("this program is running; a kernel that it calls cannot run it again");
  inside = null;
  expect([...program.run({ x: [1, 2] }).y.data]).toEqual([2, 4]);
});

test("programs without outputs and with tensors of no elements", async () => {
  const nothing = await compile(
    graph({ x: f64(2) }, () => ({})),
    wasm(),
  );
  expect(nothing.run({ x: [1, 2] })).toEqual({});
  const empty = await compile(
    graph({ x: f64(0, 3) }, ({ x }) => ({ y: mul(x, 2), total: sum(x) })),
    wasm(),
  );
  const { y, total } = empty.run({ x: tensor(new Float64Array(0), f64(0, 3)) });
  expect([y.type.shape, total.data[0]]).toEqual([[0, 3], 0]);
});
