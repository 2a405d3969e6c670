import { afterEach, expect, test, vi } from "vitest";
import {
  add,
  constant,
  f64,
  gather,
  jit,
  mul,
  pad,
  random,
  reference,
  scan,
  slice,
  sort,
  sum,
  type Tensor,
  tanh,
  tensor,
  type Value,
} from "../../../src/index.ts";
import { wasm } from "../../../src/wasm.ts";

afterEach(() => {
  vi.restoreAllMocks();
});

/** How many modules `build` compiles. */
async function compiled(build: () => unknown): Promise<number> {
  const real = WebAssembly.Module;
  let count = 0;
  const counting = function (this: unknown, bytes: BufferSource): WebAssembly.Module {
    count++;
    return new real(bytes);
  };
  counting.imports = real.imports;
  vi.spyOn(WebAssembly, "Module").mockImplementation(counting as never);
  await build();
  vi.restoreAllMocks();
  return count;
}

const many = (seed: number, n = 40): Tensor => tensor(Float64Array.from({ length: n }, (_, i) => Math.sin(seed * 7 + i)));
function close(got: readonly number[], want: readonly number[]): void {
  got.forEach((v, i) => {
    expect(v).toBeCloseTo(want[i]!, 12);
  });
}
const values = (t: unknown): number[] => [...(t as Tensor).data];

test("a graph that is made alike is not compiled again, and each program has its own data", async () => {
  const engine = wasm();
  const make = (w: Tensor) => jit((x: Value) => tanh(add(mul(x, w), 1)), engine);
  const x = many(1);
  const first = make(many(2));
  first(x);
  const second = make(many(3));
  expect(await compiled(() => second(x))).toBe(0);
  for (const [f, w] of [
    [first, many(2)],
    [second, many(3)],
  ] as const)
    expect(values(f(x))).toEqual(values(jit((v: Value) => tanh(add(mul(v, w), 1)), wasm())(x)));
});

test("numbers, short constants, attributes, types and who reads whom belong to the structure", async () => {
  const engine = wasm();
  const x = tensor([1, 2, 3]);
  const variants: ((x: Value) => Value)[] = [
    (x) => mul(x, 2),
    (x) => mul(x, 3),
    (x) => mul(2, x),
    (x) => add(x, 2),
    (x) => mul(x, tensor([1, 2, 3])),
    (x) => mul(x, tensor([1, 2, 4])),
    (x) => slice(x, { axis: 0, start: 1 }),
    (x) => slice(x, { axis: 0, start: 2 }),
    (x) => mul(x, x),
    (x) => mul(x, add(x, 0)),
    (x) => pad(x, { pads: [[1, 0]], value: 0 } as never),
    (x) => pad(x, { pads: [[1, 0]], value: -0 } as never),
  ];
  for (const f of variants) expect(values(jit(f, engine)(x))).toEqual(values(jit(f, reference())(x)));
});

test("numbers made of large constants are data: they are not written into the code", () => {
  const engine = wasm();
  for (const seed of [1, 2, 3]) {
    const f = (x: Value): Value => add(mul(x, sum(constant(many(seed)))), gather(constant(many(seed)), tensor([seed], "i32")));
    const [want, got] = [reference(), engine].map((e) => values(jit(f, e)(tensor([1]))));
    expect(got![0]).toBeCloseTo(want![0]!, 12);
  }
});

test("steps that the host runs, loops with bodies and random draws work in programs of one structure", async () => {
  const engine = wasm();
  const make = (engine: ReturnType<typeof wasm>, w: Tensor) =>
    jit((x: Value, key: Value) => {
      const { out } = scan((c: Value, row: Value) => ({ carry: add(c, row), out: mul(c, row) }), constant(0), sort(mul(x, w)).values);
      return { out, coin: random.uniform(key, f64(40)) };
    }, engine);
  const x = many(5);
  const key = random.key(3);
  for (const seed of [1, 2]) {
    const got = make(engine, many(seed))(x, key) as unknown as Record<string, Tensor>;
    const want = make(reference() as never, many(seed))(x, key) as unknown as Record<string, Tensor>;
    for (const k of Object.keys(want)) close(values(got[k]), values(want[k]));
  }
});

test("loops and branches that are made alike are not compiled again; their bodies' attributes, constants and larger data tell them apart", async () => {
  const engine = wasm();
  const make = (w: Tensor, times = 2, axis = 0) =>
    jit(
      (x: Value) =>
        scan((c: Value, row: Value) => ({ carry: add(mul(c, times), sum(mul(row, w), { axis })), out: c }), constant(0.5), x).out as Value,
      engine,
    );
  const loop = (w: Tensor, times: number, x: Tensor): number[] => values(make(w, times)(x));
  const plain = (w: Tensor, times: number, x: Tensor): number[] =>
    values(
      jit(
        (v: Value) =>
          scan((c: Value, row: Value) => ({ carry: add(mul(c, times), sum(mul(row, w))), out: c }), constant(0.5), v).out as Value,
        reference(),
      )(x),
    );
  const x = tensor(
    Float64Array.from({ length: 12 }, (_, i) => i),
    { kind: "type", dtype: "f64", shape: [3, 4] },
  );
  const w = tensor([1, 2, 3, 4]);
  expect(await compiled(() => loop(w, 2, x))).toBe(1);
  expect(await compiled(() => loop(tensor([1, 2, 3, 4]), 2, x))).toBe(0);
  expect(await compiled(() => loop(w, 3, x))).toBe(1);
  for (const [v, times] of [
    [w, 2],
    [tensor([4, 3, 2, 1]), 2],
    [w, 3],
  ] as const)
    close(loop(v, times, x), plain(v, times, x));
  const wide = tensor(
    Float64Array.from({ length: 60 }, (_, i) => i),
    { kind: "type", dtype: "f64", shape: [3, 20] },
  );
  const [a, b] = [many(1, 20), many(2, 20)];
  expect(await compiled(() => loop(a, 2, wide))).toBe(1);
  close(loop(b, 2, wide), plain(b, 2, wide));
  close(loop(a, 2, wide), plain(a, 2, wide));
});
