import { afterEach, expect, test, vi } from "vitest";
import { add, compile, f64, graph, jit, matmul, mul, reference, sort, type Tensor, tanh, tensor, type Value } from "../../../src/index.ts";
import { wasm } from "../../../src/wasm.ts";

afterEach(() => {
  vi.restoreAllMocks();
});
function close(got: readonly number[], want: readonly number[]): void {
  got.forEach((v, i) => {
    expect(v).toBeCloseTo(want[i]!, 12);
  });
}
const values = (t: unknown): number[] => [...(t as Tensor).data];

test("large modules are compiled without blocking, and programs of one structure go on alone when another is disposed of", async () => {
  const engine = wasm();
  const big = graph({ x: f64(3) }, ({ x }) => {
    let v = x;
    for (let i = 0; i < 4000; i++) v = tanh(add(mul(v, 0.5 + i / 8000), i / 4000));
    return { v };
  });
  const later = vi.spyOn(WebAssembly, "compile");
  const one = await compile(big, engine);
  expect(later).toHaveBeenCalledTimes(1);
  const two = await compile(big, engine);
  expect(later).toHaveBeenCalledTimes(1);
  const want = values((await compile(big, reference())).run({ x: [1, 2, 3] }).v);
  close(values(one.run({ x: [1, 2, 3] }).v), want);
  const before = values(two.run({ x: [1, 2, 3] }).v);
  one.dispose();
  expect(values(two.run({ x: [1, 2, 3] }).v)).toEqual(before);
});

test("more structures than the cache keeps are made again, and right", () => {
  const engine = wasm();
  const f = (n: number) => jit((x: Value) => matmul(x, mul(x, n)), engine);
  const x = tensor([
    [1, 2],
    [3, 4],
  ]);
  for (const round of [0, 1])
    for (let n = 1; n < 80; n++) expect(values(f(n)(x))).toEqual([7 * n, 10 * n, 15 * n, 22 * n].map((v) => v + round * 0));
});

test("memory beyond 2 GiB is addressed, and what does not fit is named and leaves the engine usable", () => {
  const engine = wasm();
  const low = engine.tensor!({ kind: "type", dtype: "u8", shape: [2_200_000_000] });
  const x = engine.tensor!(f64(3));
  x.data.set([1, 2, 3]);
  const f = jit((v: Value) => matmul(mul(v, 2), v), engine);
  expect(values(f(x))).toEqual([28]);
  expect(() => engine.tensor!({ kind: "type", dtype: "u8", shape: [2_200_000_000] })).toThrow(
    "a tensor of u8[2200000000] needs 2200000064 bytes",
  );
  expect(() =>
    jit((v: Value) => sort(matmul(v, v)).values, engine)(engine.tensor!({ kind: "type", dtype: "f32", shape: [17000, 17000] })),
  ).toThrow(/a program, \d+ bytes for its steps and \d+ for inputs and outputs, needs \d+ bytes/);
  expect(values(f(x))).toEqual([28]);
  expect(low.data.length).toBe(2_200_000_000);
});
