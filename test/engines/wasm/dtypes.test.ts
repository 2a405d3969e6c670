import { describe, expect, test } from "vitest";
import { reference } from "../../../src/engines/reference.ts";
import { wasm } from "../../../src/engines/wasm/wasm.ts";
import {
  add,
  bf16,
  cast,
  compile,
  cumsum,
  div,
  f16,
  gather,
  grad,
  graph,
  matmul,
  mod,
  mul,
  neg,
  oneHot,
  pow,
  prod,
  random,
  read,
  relu,
  softmaxCrossEntropy,
  sort,
  sub,
  sum,
  type Tensor,
  tensor,
  topK,
  transpose,
  type Value,
} from "../../../src/index.ts";
import { allocate, type DType, dtypes, isFloat } from "../../../src/ir/dtype.ts";
import { dense, type Held } from "../../../src/ir/tensor.ts";

const engine = wasm();

/** What a function gives on the compiled engine and on the reference: elements, or the words of its error. */
function both(f: (...x: Value[]) => Value, ...given: Tensor[]): [wasm: unknown, reference: unknown] {
  const types = Object.fromEntries(given.map((t, i) => [`x${i}`, t.type]));
  const g = graph(types, (at) => f(...Object.values(at as Record<string, Value>)));
  const inputs = Object.values(g.inputs as unknown as Record<string, Value>);
  const out = g.outputs as unknown as Value;
  const held = given.map((t): Held => (t.type.shape.length === 0 ? t.data[0]! : t));
  const run = (e: typeof engine): unknown => {
    try {
      return Array.from(dense(e.prepare(inputs, [out]).run(held)[0]!, out.type).data);
    } catch (e) {
      return (e as Error).message;
    }
  };
  return [run(engine), run(reference() as typeof engine)];
}

function same(f: (...x: Value[]) => Value, ...given: Tensor[]): unknown {
  const [compiled, want] = both(f, ...given);
  expect(compiled).toEqual(want);
  return compiled;
}

/** Around every power of two: it, its neighbours in `digits` binary digits, halves of their distance, and those by a little. */
function crowd(low: number, high: number, digits: number): number[] {
  const found = [0, -0, Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  for (let e = low; e <= high; e++)
    for (const at of [1, 1 + 2 ** -digits, 1 + 3 * 2 ** -digits, 2 - 2 ** -digits])
      for (const by of [0, 0.5, -0.5, 0.5 + 2 ** -8, 0.5 - 2 ** -8, 0.25])
        for (const sign of [1, -1]) found.push(sign * 2 ** e * (at + by * 2 ** -digits));
  return found;
}

describe("halves", () => {
  const ranges = { f16: [-30, 20, 10], bf16: [-140, 127, 7] } as const;
  for (const to of ["f16", "bf16"] as const)
    for (const from of ["f32", "f64"] as const)
      test(`${from} to ${to} is rounded once, to nearest, ties to even`, () => {
        const [low, high, digits] = ranges[to];
        const data = crowd(low, high, digits);
        const x = tensor(from === "f32" ? new Float32Array(data) : new Float64Array(data));
        const found = same((v) => cast(v, to), x) as number[];
        expect(new Set(found).size).toBeGreaterThan(200);
        // Single elements are straight lines.
        for (const i of [0, 1, 2, 3, 40, 97, data.length - 1]) same((v) => cast(v, to), tensor(x.data.slice(i, i + 1)));
        // Between f64 numbers that f32 does not tell apart.
        if (from === "f64") same((v) => cast(v, to), tensor(data.map((d) => d * (1 + 2 ** -40))));
      });

  test("whole numbers and truth values to halves are rounded once", () => {
    // Through f32 this one would be half way, and even.
    const x = tensor(
      new Int32Array([(2 ** 8 + 1) * 2 ** 22 + 2 ** 21 + 1, (2 ** 8 + 1) * 2 ** 20 + 1, 65519, 65520, -65519, 2049, -1, 0, 2 ** 31 - 1]),
    );
    for (const to of ["f16", "bf16"] as const) {
      same((v) => cast(v, to), x);
      same((v) => cast(v, to), tensor([true, false, true]));
      same((v) => cast(v, to), tensor([2 ** 53, -(2 ** 53), 3, 70000], "i64"));
      same((v) => cast(v, to), tensor([255, 254, 1, 0], "u8"));
      same((v) => cast(cast(v, "bf16"), to), tensor(crowd(-20, 17, 10)));
    }
  });

  test("arithmetic has the bits of the reference: one rounding an op", () => {
    const xs = crowd(-16, 15, 10).filter((x) => Math.abs(x) < 1e4);
    for (const dtype of ["f16", "bf16"] as const) {
      const x = tensor(xs, { ...tensor(xs).type, dtype });
      const y = tensor([...xs].reverse(), { ...tensor(xs).type, dtype });
      for (const op of [add, sub, mul, div]) same((a, b) => op(a, b), x, y);
      same((a, b) => relu(sub(mul(a, b), add(a, neg(b)))), x, y);
    }
  });

  test("a network learns as on the reference", async () => {
    for (const dtype of ["f16", "bf16"] as const) {
      const of = (rows: number, columns: number, k: number): Tensor =>
        tensor(
          Array.from({ length: rows }, (_, i) => Array.from({ length: columns }, (_, j) => Math.sin(k + 3 * i + 7 * j) / 2)),
          dtype,
        );
      const [x, w, v] = [of(12, 5, 1), of(5, 16, 2), of(16, 3, 3)];
      const labels = tensor(Int32Array.from({ length: 12 }, (_, i) => i % 3));
      const loss = (p: { w: Value; v: Value }): Value => softmaxCrossEntropy(matmul(relu(matmul(x, p.w)), p.v), labels);
      const g = graph({ w: w.type, v: v.type }, (p) => {
        const d = grad(loss)(p);
        return { loss: loss(p), w: sub(p.w, mul(d.w, 0.25)), v: sub(p.v, mul(d.v, 0.25)) };
      });
      const [a, b] = [await compile(g, engine), await compile(g, reference())];
      let [p, q] = [
        { w, v },
        { w, v },
      ];
      const losses: number[] = [];
      for (let i = 0; i < 40; i++) {
        const { loss: l, ...next } = await a.run(p);
        const { loss: m, ...other } = await b.run(q);
        // A rounding apart, or a few.
        expect(Math.abs(read(l) - read(m))).toBeLessThan(dtype === "f16" ? 0.004 : 0.03);
        losses.push(read(l));
        [p, q] = [next, other];
      }
      expect(losses.at(-1)).toBeLessThan(losses[0]!);
    }
  });

  test("random numbers have the bits of the reference", () => {
    for (const type of [f16(37), bf16(37), f16(2, 5), bf16(1)])
      for (const draw of [random.uniform, random.normal]) same((k) => draw(k, type), random.key(7));
  });
});

describe("casts of edges from every dtype to every dtype", () => {
  const edges = [0, 1, -1, 2, 127, 128, -128, -129, 255, 256, 32767, 32768, -32769, 65535, 65536, 2 ** 31 - 1, 2 ** 31, -(2 ** 31) - 1, 2 ** 32, 2 ** 32 + 5, 2 ** 53, -(2 ** 53), 0.5, -0.99, 1e300, Number.NaN, Number.NEGATIVE_INFINITY]; // biome-ignore format: a list
  test.each(dtypes.flatMap((from) => dtypes.map((to) => [from, to] as const)))("%s to %s", (from, to) => {
    for (const x of edges) {
      let t: Tensor;
      try {
        t = tensor([x, 1, x, 0, 1], from);
      } catch {
        continue;
      }
      same((v) => cast(v, to), t);
    }
    // Where nothing fails, many at once: two vectors and what is left.
    const all = allocate(from, 37).map((_, i) => (from === "bool" ? i % 2 : (i * 3) % 100));
    same((v) => cast(v, to), tensor(all, { ...tensor(all).type, dtype: from }));
  });
});

describe("whole numbers", () => {
  const long = (...xs: number[]): Tensor => tensor(xs, "i64");

  test("64-bit ones are exact up to 2^53, and what is not is the reference's error", () => {
    const most = 2 ** 53;
    expect(same((a, b) => add(a, b), long(most - 1, -5), long(0, 5))).toEqual([most - 1, 0]);
    expect(same((a, b) => add(a, b), long(1, most), long(1, 1))).toContain("i64: element 1");
    // By rounding 2^53 + 1 is 2^53.
    expect(same((a, b) => add(a, b), long(most - 1), long(2))).toContain("i64");
    expect(same((a, b) => add(a, b), long(most - 1), long(1))).toEqual([most]);
    expect(same((a, b) => mul(a, b), long(2 ** 30, 3), long(2 ** 30, -7))).toContain("64-bit integers");
    expect(same((a, b) => mul(a, b), long(2 ** 26, 0), long(2 ** 26, -7))).toEqual([2 ** 52, 0]);
    expect(same((a) => neg(a), long(0, 3))).toEqual([0, -3]);
    // Of several results the op's own kernel gives each.
    expect(same((a) => sort(a).values, long(3, most, 1))).toEqual([1, 3, most]);
    expect(same((a) => topK(a, { k: 2 }).values, long(3, most, -most))).toEqual([most, 3]);
    expect(same((a, b) => sub(a, b), tensor([3, 1], "u64"), tensor([1, 2], "u64"))).toContain("u64: element 1 is -1");
    expect(same((a) => sum(a), long(2 ** 52, 2 ** 52 - 1))).toEqual([most - 1]);
    expect(same((a) => cumsum(a, { axis: 0 }), long(2 ** 52, 2 ** 52, 2 ** 52))).toContain("i64");
    expect(same((a) => prod(a), long(2 ** 20, 2 ** 20, 0, 2 ** 20))).toEqual([0]);
    expect(same((a, b) => matmul(a, transpose(b)), tensor([[2 ** 26, 1]], "i64"), tensor([[2 ** 26, 5]], "i64"))).toEqual([2 ** 52 + 5]);
  });

  test.each(dtypes.filter((d) => !isFloat(d) && d !== "bool"))(
    "%s: quotients are cut, remainders have the sign of the divisor, and 0 is told",
    (dtype) => {
      const signed = dtype.startsWith("i");
      const x = tensor(signed ? [7, -7, 7, -7, -128, 100] : [7, 250, 7, 255, 128, 100], dtype);
      const y = tensor(signed ? [2, 2, -2, -2, -1, 100] : [2, 7, 3, 255, 1, 100], dtype);
      same((a, b) => div(a, b), x, y);
      same((a, b) => mod(a, b), x, y);
      const zero = tensor([1, 1, 0, 1, 1, 1], dtype);
      expect(same((a, b) => div(a, b), x, zero)).toContain("integer division of 7 by zero");
      expect(same((a, b) => mod(a, b), x, zero)).toContain("mod 0 of integers");
    },
  );

  test.each(["i32", "u32", "i16", "u16", "i8", "u8"] as const)("%s wraps at its width", (dtype) => {
    const bits = Number(dtype.slice(1));
    const [low, high] = dtype.startsWith("i") ? [-(2 ** (bits - 1)), 2 ** (bits - 1) - 1] : [0, 2 ** bits - 1];
    const x = tensor([high, low, high, high - 1, 3, high], dtype);
    const y = tensor([1, 1, high, 3, 5, 7], dtype);
    for (const op of [add, sub, mul, div, mod]) same((a, b) => op(a, b), x, y);
    for (const op of [sum, prod]) same((a: Value) => op(a), x);
    same((a, b) => pow(a, b), x, tensor([0, 1, 2, 3, 20, 5], dtype));
    same((a, b) => pow(a, b), tensor([[2], [3]], dtype), y);
    same((a) => neg(a), x);
    expect(same((a) => add(a, a), tensor([high], dtype))).toEqual([dtype.startsWith("i") ? -2 : high - 1]);
  });

  test("what compiled code can compute is not left to the ops' own kernels", () => {
    const left: string[] = [];
    const watched = [add, sub, mul, div, mod, pow, neg, prod, sum, matmul, cumsum] as unknown as {
      name: string;
      run: (...x: never[]) => unknown;
    }[];
    const runs = watched.map((op) => {
      const { run } = op;
      op.run = (...x) => {
        left.push(op.name);
        return run(...x);
      };
      return run;
    });
    const compiled = (f: (...x: Value[]) => Value, ...given: Tensor[]): void => {
      const g = graph(Object.fromEntries(given.map((t, i) => [`x${i}`, t.type])), (at) => f(...Object.values(at as Record<string, Value>)));
      engine.prepare(Object.values(g.inputs as unknown as Record<string, Value>), [g.outputs as unknown as Value]).run(given);
    };
    try {
      for (const dtype of ["i64", "u64", "i32", "u32", "i16", "u16", "i8", "u8"] as const) {
        const [x, y] = [tensor([[7, 100], [30, 9]], dtype), tensor([[2, 3], [7, 1]], dtype)]; // biome-ignore format: matrices
        for (const op of [add, sub, mul, div, mod, pow, matmul]) compiled((a, b) => op(a, b), x, y);
        for (const op of [prod, sum]) compiled((a: Value) => op(a), x);
        compiled((a) => cumsum(a, { axis: 0 }), x);
        if (dtype.startsWith("i")) compiled((a) => neg(a), x);
      }
      // Beyond 2^53 as doubles, and by their low bits none the less.
      compiled((a) => mul(a, a), tensor([2 ** 32 - 1], "u32"));
      expect(left).toEqual([]);
      compiled((a) => div(a, a), tensor([5], "i8"));
      expect(left).toEqual([]);
      expect(() => compiled((a) => div(a, a), tensor([0], "i8"))).toThrow("by zero");
      expect(left).toEqual(["div"]);
    } finally {
      for (const [i, op] of watched.entries()) op.run = runs[i]!;
    }
  });

  test("powers: exact ones, those that are beyond 2^53, and negative exponents", () => {
    expect(same((a, b) => pow(a, b), long(3, -3, 2, 0, 1, -1), long(33, 3, 52, 5, 2 ** 40, 7))).toEqual([3 ** 33, -27, 2 ** 52, 0, 1, -1]);
    expect(same((a, b) => pow(a, b), long(-1, -1), long(2 ** 40, 2 ** 40 + 1))).toEqual([1, -1]);
    expect(same((a, b) => pow(a, b), long(3), long(40))).toContain("i64");
    for (const dtype of ["i64", "i32", "i8"] as const)
      expect(same((a, b) => pow(a, b), tensor([2, 2], dtype), tensor([1, -1], dtype))).toContain("2^-1 of integers");
    expect(same((a, b) => pow(a, b), tensor([-1, 1], "i32"), tensor([2 ** 31 - 1, 2 ** 31 - 1], "i32"))).toEqual([-1, 1]);
  });

  test("32-bit products of matrices are exact below 2^53, and the reference's beyond", () => {
    const x = tensor([[2 ** 31 - 1, 2 ** 20], [-(2 ** 31), 3]], "i32"); // biome-ignore format: a matrix
    same((a) => matmul(a, a), x);
    same((a) => matmul(a, transpose(a)), tensor([[2 ** 32 - 1, 1], [7, 65536]], "u32")); // biome-ignore format: a matrix
    expect(same((a) => matmul(a, a), tensor([[100, 100], [1, 2]], "i8"))).toEqual([116, -40, 102, 104]); // biome-ignore format: a matrix
  });

  test("indices and labels of any whole dtype, and one that is out of range", () => {
    const table = tensor([[1, 2], [3, 4], [5, 6]]); // biome-ignore format: a matrix
    for (const dtype of dtypes.filter((d) => !isFloat(d) && d !== "bool")) {
      same((t, i) => gather(t, i), table, tensor([2, 0, 1, 2], dtype));
      same((t, i) => gather(t, i), table, tensor([2, 0, 3], dtype));
      same((i) => oneHot(i, { depth: 3, dtype: "f32" }), tensor([2, 0, 1], dtype));
      same((i) => oneHot(i, { depth: 3, dtype: "bf16" }), tensor([2, 0, 1], dtype));
      same((i) => oneHot(i, { depth: 3, dtype: "i64" }), tensor([2, 3, 1], dtype));
      same((t, i) => softmaxCrossEntropy(t, i), table, tensor([1, 0, 1], dtype));
      same((t, i) => softmaxCrossEntropy(t, i), table, tensor([1, 0, 2], dtype));
    }
    expect(same((t, i) => gather(t, i), table, tensor([2 ** 32 - 1], "u32"))).toContain("4294967295");
    expect(same((t, i) => gather(t, i), table, long(2 ** 40))).toContain(String(2 ** 40));
    same((i) => oneHot(i, { depth: 3, dtype: "f32" }), tensor([2 ** 32 - 1], "u32"));
    same((t, i) => softmaxCrossEntropy(t, i), table, long(1, -1, 0));
    same((t, i) => softmaxCrossEntropy(t, i), table, long(1, -(2 ** 40), 0));
  });

  test("keys are folded with a number of any whole dtype", () => {
    for (const [
      dtype,
      x,
    ] of [["i64", 2 ** 40 + 3], ["i64", -5], ["u64", 2 ** 52 + 1], ["u32", 2 ** 32 - 1], ["u32", 7], ["i8", -3], ["i32", -9]] as const) // biome-ignore format: a list
      expect(same((k, n) => random.fold(k, n), random.key(3), tensor(x, dtype))).toHaveLength(2);
  });

  test("small ones are moved in any order, and single elements are computed", () => {
    for (const dtype of ["i8", "u16", "u32", "f16", "i64"] as DType[]) {
      const x = tensor([[1, 2, 3], [4, 5, 6]], dtype); // biome-ignore format: a matrix
      same((a) => transpose(a), x);
      same((a) => add(transpose(a), 1), x);
      same((a) => add(mul(a, a), 1), tensor(5, dtype));
    }
  });
});
