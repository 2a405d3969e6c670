import { describe, expect, test, vi } from "vitest";
import { drawsFrom } from "../../src/check/draws.ts";
import { lowered } from "../../src/engines/wasm/lower.ts";
import { everyStep, plan } from "../../src/engines/wasm/plan.ts";
import { wasm } from "../../src/engines/wasm/wasm.ts";
import { add, at, compile, constant, evaluate, f32, f64, fft, graph, input, mul, scan, type Tensor, type Value } from "../../src/index.ts";
import { tensor } from "../../src/ir/tensor.ts";
import { fourier } from "../../src/linalg/fourier.ts";
import { fourierLoops } from "../../src/linalg/loops/fourier.ts";

const engine = wasm();

function drawn(shape: readonly number[], seed: number, dtype: "f32" | "f64"): Tensor {
  const d = drawsFrom(seed);
  const data = Array.from({ length: shape.reduce((a, b) => a * b, 1) }, () => 2 * d.fraction() - 1);
  return dtype === "f64" ? tensor(Float64Array.from(data), f64(...shape)) : tensor(Float32Array.from(data), f32(...shape));
}

/** What the compiled transform gives, and what the reference does; nothing of it runs on the host. */
async function bothOf(
  re: Tensor,
  im: Tensor | null,
  axis: number,
  inverse: boolean,
  on: typeof engine = engine,
): Promise<readonly (readonly [Tensor, Tensor])[]> {
  const apply = (x: Value | Tensor, y: Value | Tensor | null) => fourier(x, y, { axis, inverse });
  const types = im === null ? { re: re.type } : { re: re.type, im: im.type };
  const program = await compile(
    graph(types, (given) => apply(given.re, (given as { im?: Value }).im ?? null)),
    on,
  );
  const xs = [input(re.type, "re"), ...(im === null ? [] : [input(im.type, "im")])];
  const y = apply(xs[0]!, xs[1] ?? null);
  const low = lowered(xs, [y.re, y.im]);
  expect(everyStep(plan(low.inputs, low.outputs).steps).some((s) => s.kind === "host")).toBe(false);
  const got = program.run((im === null ? { re } : { re, im }) as never) as { re: Tensor; im: Tensor };
  const { re: a, im: b } = apply(re, im);
  return [
    [got.re, evaluate(a)],
    [got.im, evaluate(b)],
  ];
}

async function check(shape: readonly number[], axis: number, dtype: "f32" | "f64" = "f64", on: typeof engine = engine): Promise<void> {
  const n = shape.at(axis)!;
  const [re, im] = [drawn(shape, n, dtype), drawn(shape, n + 1, dtype)];
  const bound = dtype === "f64" ? 2e-16 * Math.sqrt(n) * (4 + 2 * Math.log2(n + 1)) : 6e-8 * 4 * Math.sqrt(n);
  for (const inverse of [false, true])
    for (const part of [im, null])
      for (const [got, wanted] of await bothOf(re, part, axis, inverse, on)) {
        expect(got.type).toEqual(wanted.type);
        let worst = 0;
        for (let i = 0; i < wanted.data.length; i++) {
          const apart = Math.abs(got.data[i]! - wanted.data[i]!);
          if (!(apart <= worst)) worst = apart;
        }
        expect(worst).toBeLessThanOrEqual(bound);
      }
}

describe("compiled, the transform is the reference's", () => {
  test.each([
    1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 15, 16, 17, 19, 22, 26, 31, 32, 34, 49, 64, 97, 100, 121, 125, 128, 169, 210, 243, 256, 289,
    512, 1000, 1009, 1024, 2048, 2310, 4096,
  ])("of %i places", async (n) => {
    await check([n], 0);
    await check([3, n], 1);
    await check([2, n], 1, "f32");
  });

  test.each([1, 2, 3, 4, 6, 8, 13, 16, 17, 30, 34, 121, 256])("of %i places of lines side by side", async (n) => {
    for (const inner of [2, 3, 8, 11]) await check([n, inner], 0);
    await check([2, n, 5], 1);
    await check([2, n, 5], 1, "f32");
  });

  test("of more lines than go together", async () => {
    await check([1024, 19], 0);
    await check([2, 1021, 13], 1);
    await check([1021, 13], 0, "f32");
    await check([4, 4100], 0);
  });

  test("of nothing", async () => {
    for (const shape of [
      [0, 4],
      [4, 0],
      [0, 0],
    ])
      await check(shape, 1);
  });

  test("of a long line, of one with a large prime, and of one that is both", async () => {
    await check([65536], 0);
    await check([10007], 0);
    await check([32 * 3 * 1009], 0);
  });
});

describe("of long lines, whose roots are products of two, as if these were long", () => {
  test.each([8, 16])("with %i in a table", async (near) => {
    const { op } = fourier(input(f64(8), "x"), null, { axis: 0, inverse: false }).re.node;
    const spy = vi.spyOn(op.facts as { loops: typeof fourierLoops }, "loops").mockImplementation((node) => fourierLoops(node, 1, near));
    const own = wasm();
    try {
      for (const n of [2, 12, 17, 64, 97, 121, 250, 256, 1000, 1009, 1024, 3 * 1021]) {
        await check([n], 0, "f64", own);
        await check([2, n], 1, "f32", own);
        await check([2, n, 3], 1, "f64", own);
      }
      expect(spy).toHaveBeenCalled();
    } finally {
      spy.mockRestore();
    }
  });
});

test("what is not finite spreads as in the reference", async () => {
  for (const shape of [[8], [17], [4, 8], [17, 3]])
    for (const x of [Number.NaN, Number.POSITIVE_INFINITY, 1e308]) {
      const [re, im] = [drawn(shape, 1, "f64"), drawn(shape, 2, "f64")];
      const n = shape[0]!;
      (re.data as Float64Array).fill(x, re.data.length - 1);
      (re.data as Float64Array).fill(x, 0, 1);
      for (const part of [im, null])
        for (const [got, wanted] of await bothOf(re, part, shape.length - 1, n === 8)) {
          const finite = wanted.data.every((v: number) => Number.isFinite(v));
          if (!finite || x !== 1e308) expect(Array.from(got.data)).toEqual(Array.from(wanted.data));
        }
    }
});

test("one that overflows f32 alone is Infinity there", async () => {
  const re = tensor(new Float32Array(8).fill(1e38), f32(8));
  const [[got, wanted]] = (await bothOf(re, null, 0, false)) as [[Tensor, Tensor]];
  expect(Array.from(got.data)).toEqual(Array.from(wanted.data));
  expect(got.data[0]).toBe(Number.POSITIVE_INFINITY);
});

test("its tables are there in the body of a loop, and in a second program of one structure", async () => {
  const xs = drawn([5, 24], 1, "f64");
  const run = ({ xs }: { xs: Value }): { carry: Value; out: Value } => {
    const looped = scan(
      (c, x) => {
        const y = fft(add(x, c));
        return { carry: mul(0.1, y.re), out: y.im };
      },
      mul(0, at(xs, 0)),
      xs,
    );
    return { carry: looped.carry as Value, out: looped.out as Value };
  };
  const wanted = run({ xs: constant(xs) });
  for (let i = 0; i < 2; i++) {
    const program = await compile(graph({ xs: xs.type }, run), engine);
    const got = program.run({ xs }) as unknown as { carry: Tensor; out: Tensor };
    for (const name of ["carry", "out"] as const) {
      const exact = evaluate(wanted[name]).data;
      expect(Math.max(...Array.from(got[name].data, (x, k) => Math.abs(x - exact[k]!)))).toBeLessThan(1e-14);
    }
  }
});
