import { describe, expect, test } from "vitest";
import { drawsFrom } from "../../../src/check/draws.ts";
import {
  add,
  compile,
  evaluate,
  exp,
  f32,
  f64,
  flip,
  graph,
  i32,
  layerNormalization,
  matmul,
  max,
  mul,
  random,
  reference,
  rmsNormalization,
  slice,
  softmax,
  softmaxCrossEntropy,
  square,
  sub,
  sum,
  transpose,
  type Value,
  valueAndGrad,
} from "../../../src/index.ts";
import { wasm } from "../../../src/wasm.ts";
import { firstApart, roomFor } from "./tolerances.ts";

/** Runs a function of x on both engines, twice on the compiled one; returns the kinds of its steps and their ops. */
async function agree(
  name: string,
  dtype: "f32" | "f64",
  shape: readonly number[],
  f: (x: Value) => Record<string, Value>,
): Promise<string[]> {
  const type = (dtype === "f32" ? f32 : f64)(...shape);
  const x = evaluate(random.normal(random.key(7), type));
  const g = graph({ x: type }, ({ x }) => f(x));
  const want = (await compile(g, reference())).run({ x });
  const program = await compile(g, wasm());
  const got = program.run({ x });
  const again = program.run({ x });
  for (const [key, { data }] of Object.entries(want)) {
    expect(again[key]!.data).toEqual(got[key]!.data);
    const room = 8 * roomFor(name, dtype, [x.data as never], data as never);
    expect(firstApart(data as never, got[key]!.data as never, room)).toBe(null);
  }
  return program.profile({ x }, { rounds: 1 }).steps.map(({ kind, ops }) => `${kind} ${ops.join(" ")}`);
}

const gradient = (f: (x: Value) => Value) => (x: Value) => {
  const { value, grad } = valueAndGrad(f)(x);
  return { value, grad };
};

describe("steps on the same rows are one step", () => {
  test.each([
    ["f32", [64, 200]],
    ["f64", [8, 9, 77]],
    ["f32", [3, 50, 130]],
  ] as const)("softmax and its gradient, normalisations and cross entropy, in %s over %j", async (dtype, shape) => {
    const rows = async (f: (x: Value) => Record<string, Value>): Promise<string[]> =>
      (await agree("layerNormalization", dtype, shape, f)).filter((s) => s.startsWith("rows"));
    expect(await rows((x) => ({ y: softmax(x) }))).toEqual([expect.stringMatching(/max.*exp.*sum.*div|exp/)]);
    expect((await rows(gradient((x) => sum(square(softmax(x)))))).length).toBeGreaterThan(0);
    expect((await rows((x) => ({ y: layerNormalization(x, { axis: -1 }) }))).length).toBe(1);
    expect((await rows((x) => ({ y: rmsNormalization(x, { axis: -1 }) }))).length).toBe(1);
    const labels = evaluate(sum(mul(0, random.normal(random.key(1), f32(...shape))), { axis: -1 }));
    const classes = { kind: "tensor", type: i32(...shape.slice(0, -1)), data: Int32Array.from(labels.data as never) } as never;
    expect((await rows(gradient((x) => softmaxCrossEntropy(x, classes)))).length).toBeGreaterThan(0);
  });

  test.each([
    [2, 3, 31, 16],
    [5, 1, 64, 7],
    [4, 40, 32],
  ])("attention, forward and back: %i, %i, %i, %i", async (...sizes) => {
    const shape = sizes.filter((s) => s !== undefined);
    const axes = shape.map((_, i) => (i < shape.length - 2 ? i : i === shape.length - 2 ? i + 1 : i - 1));
    const attention = (x: Value): Value => matmul(softmax(mul(0.3, matmul(x, transpose(mul(x, 2), { axes })))), add(x, 1));
    const forward = await agree("matmul", "f32", shape, (x) => ({ y: attention(x) }));
    expect(forward.some((s) => /^rows .*matmul/.test(s) && s.includes("exp"))).toBe(true);
    await agree("matmul", "f32", shape, gradient((x) => sum(square(attention(x))))); // biome-ignore format: one call
    await agree("matmul", "f64", shape, gradient((x) => sum(square(attention(x))))); // biome-ignore format: one call
  });

  test("what reads other rows than were written comes after all of them", async () => {
    const programs: ((x: Value) => Record<string, Value>)[] = [
      (x) => ({ y: mul(x, 2), z: add(exp(mul(x, 2)), flip(mul(x, 2), { axis: 0 })) }),
      (x) => {
        const y = exp(x);
        return { y, z: sub(y, sum(y, { axis: 0 })), w: mul(y, max(y, { axis: 0, keepDims: true })) };
      },
      (x) => {
        const y = exp(x);
        const top = max(y, { axis: 1, keepDims: true });
        return { y, top, z: add(div1(y, top), flip(top, { axis: 0 })), s: slice(y, { axis: 0, start: 1 }) };
      },
      (x) => {
        const y = square(x);
        return { y, z: add(y, transpose(y)), t: sum(transpose(y), { axis: 1 }) };
      },
    ];
    for (const f of programs) await agree("graph", "f32", [96, 96], f);
  });

  test("no rows, one row, a prime number of rows", async () => {
    for (const shape of [
      [0, 300],
      [1, 9000],
      [97, 131],
      [1009, 8],
      [300, 0],
    ]) {
      if (shape[1] !== 0)
        await agree("layerNormalization", "f32", shape, (x) => ({ y: softmax(x), z: layerNormalization(x, { axis: -1 }) }));
      await agree("graph", "f32", shape, (x) => ({ y: sub(exp(x), sum(exp(x), { axis: 1, keepDims: true })) }));
    }
  });
});

const div1 = (x: Value, y: Value): Value => mul(x, add(1, mul(0.1, y)));

test("random programs of ops on rows, columns and other orders agree with the reference", async () => {
  const draws = drawsFrom(5);
  let joined = 0;
  for (let round = 0; round < 24; round++) {
    const pick = (n: number): number => Math.floor(draws.fraction() * n);
    const recipe = Array.from({ length: 4 + pick(8) }, () => [pick(9), pick(100), pick(100), pick(4)] as const);
    const size = [48, 60, 96][pick(3)]!;
    const steps = await agree("graph", "f32", [size, size], (x) => {
      const pool: Value[] = [x];
      const out: Record<string, Value> = {};
      for (const [i, [op, a, b, kept]] of recipe.entries()) {
        const [u, v] = [pool[a % pool.length]!, pool[b % pool.length]!];
        const small = (w: Value): Value => mul(0.25, w);
        const made = [
          () => add(small(u), small(v)),
          () => sub(u, max(v, { axis: 1, keepDims: true })),
          () => sub(small(u), small(small(small(sum(small(small(v)), { axis: 1, keepDims: true }))))),
          () => softmax(u),
          () => add(small(u), transpose(small(v))),
          () => add(small(u), flip(small(v), { axis: kept % 2 })),
          () => sub(u, max(v, { axis: 0, keepDims: true })),
          () => mul(small(u), softmax(v)),
          () => small(square(softmax(u))),
        ][op]!();
        pool.push(made);
        if (kept === 0 || i === recipe.length - 1) out[`y${i}`] = made;
      }
      return out;
    });
    joined += steps.filter((s) => s.startsWith("rows")).length;
  }
  expect(joined).toBeGreaterThan(24);
});
