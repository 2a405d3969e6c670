import { describe, expect, test } from "vitest";
import { bf16, bool, f16, f32, f64, jit, random, reference, type Tensor, tensor, type Value, vmap } from "../../../src/index.ts";
import { literal } from "../../../src/ir/leaf.ts";
import { wasm } from "../../../src/wasm.ts";

const engine = wasm();

/** The same bits from both engines. */
function same(f: (key: Value) => Value, key: Tensor): void {
  const [want, got] = [reference(), engine].map((e) => jit(f as never, e)(key as never) as Tensor);
  expect(got!.type).toEqual(want!.type);
  want!.data.forEach((x, i) => {
    if (!Object.is(got!.data[i], x)) expect(`${i}: ${got!.data[i]}`).toBe(`${i}: ${x}`);
  });
}
const keys = [random.key(0), random.key(1), random.key(-12345678901), random.key(2 ** 40 + 3)];

describe.each([0, 1, 3, 4, 5, 8, 9, 31, 1000])("%i numbers", (n) => {
  test("are uniform with the reference's bits, in every float", () => {
    for (const key of keys) for (const type of [f32, f64, f16, bf16]) same((k) => random.uniform(k, type(n)), key);
  });
  test("are normal with the reference's bits", () => {
    for (const key of keys) for (const type of [f32, f64, f16]) same((k) => random.normal(k, type(n)), key);
  });
  test("are compared with a chance without being written down", () => {
    for (const key of keys)
      for (const p of [0, 0.1, 0.5, 0.9, 1, 2 ** -53]) {
        same((k) => random.bernoulli(k, p, bool(n)), key);
        same((k) => random.bernoulli(k, literal(p, "f32"), bool(n)), key);
      }
  });
  test("are put in a random order, and keys are split", () => {
    for (const key of keys) {
      same((k) => random.permutation(k, n), key);
      same((k) => random.splitKeys(k, { count: n }), key);
    }
  });
});

test("rare tails of the normal distribution are there too", () => {
  for (const type of [f32, f64]) same((k) => random.normal(k, type(300, 333)), random.key(5));
});

test("keys are folded with names, numbers and values", () => {
  for (const key of keys) {
    for (const by of ["", "a", "attn3", "\u{1f600} 이름", 0, -1, 7, 2 ** 40 + 1, -(2 ** 35)])
      same((k) => random.foldKey(k, undefined, { by }), key);
    for (const by of [0, 5, -7]) same((k) => random.fold(k, jitConstant(by)), key);
  }
});
const jitConstant = (n: number) => literal(n, "i32");

test("many keys draw each for itself", () => {
  const many = random.key(3);
  same((k) => vmap((one: Value) => random.uniform(one, f32(7)))(random.splitKeys(k, { count: 5 })), many);
  same((k) => vmap((one: Value) => random.normal(one, f64(3)))(random.splitKeys(k, { count: 5 })), many);
  same((k) => vmap((one: Value) => random.bernoulli(one, 0.3, bool(9)))(random.splitKeys(k, { count: 5 })), many);
  same(
    (k) => vmap((one: Value, n: Value) => random.fold(one, n))(random.splitKeys(k, { count: 3 }), tensor([4, -5, 6], "i32") as never),
    many,
  );
});
