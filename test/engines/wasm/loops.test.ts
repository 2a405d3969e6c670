import { expect, test } from "vitest";
import { lowered } from "../../../src/engines/wasm/lower.ts";
import { compileModule } from "../../../src/engines/wasm/module.ts";
import { plan } from "../../../src/engines/wasm/plan.ts";
import {
  add,
  clip,
  compile,
  div,
  f32,
  f64,
  graph,
  mul,
  reference,
  sub,
  sum,
  type Tensor,
  tanh,
  tensor,
  unary,
  type Value,
} from "../../../src/index.ts";
import { leaves } from "../../../src/ir/tree.ts";
import { wasm } from "../../../src/wasm.ts";

/** How many functions the module of a graph has. */
function functionsOf(made: { readonly inputs: unknown; readonly outputs: unknown }): number {
  const [inputs, outputs] = [made.inputs, made.outputs].map((tree) => leaves(tree).map(({ leaf }) => leaf as Value)) as [Value[], Value[]];
  const low = lowered(inputs, outputs);
  const { bytes } = compileModule(plan(low.inputs, low.outputs), { shared: null, fused: false, threads: 1 });
  let at = 8;
  const number = (): number => {
    let [x, shift] = [0, 0];
    for (;;) {
      const byte = bytes[at++]!;
      x |= (byte & 0x7f) << shift;
      if (byte < 0x80) return x;
      shift += 7;
    }
  };
  for (;;) {
    const [section, length] = [bytes[at++], number()];
    if (section === 3) return number();
    at += length;
  }
}

const rows = { axis: 1, keepDims: true };
const filled = (key: number, ...shape: number[]): Tensor =>
  tensor(
    Float32Array.from({ length: shape.reduce((a, b) => a * b, 1) }, (_, i) => Math.sin(key + 1.7 * i)),
    f32(...shape),
  );

/** What a layer does again and again, to x and then to what comes of it. */
const deep = (depth: number) =>
  graph({ x: f32(50, 60), w: f32(4, 1, 60) }, ({ x, w }) => {
    let h: Value = x;
    for (let i = 0; i < depth; i++) {
      const scaled = tanh(mul(h, sum(mul(w, i + 1), { axis: 0 })));
      h = div(scaled, add(sum(mul(scaled, scaled), rows), 1));
      h = sub(h, sum(h, { axis: 0, keepDims: true }));
    }
    return { y: h };
  });

test("loops that differ in nothing but where their elements lie are one function", async () => {
  // Each layer has one that calls its loops for one row after the other.
  expect(functionsOf(deep(8))).toBe(functionsOf(deep(4)) + 4);
  const given = { x: filled(1, 50, 60), w: filled(2, 4, 1, 60) };
  const [want, got] = await Promise.all([reference(), wasm()].map(async (engine) => (await compile(deep(4), engine)).run(given)));
  const apart = got!.y.data.map((y, i) => Math.abs((y as number) - (want!.y.data[i] as number))) as ArrayLike<number>;
  expect(Math.max(...Array.from(apart))).toBeLessThan(1e-5);
});

test("loops whose attributes differ are not, and two shapes that are walked alike are", async () => {
  const clipped = (low: number, other: number) =>
    graph({ x: f64(4, 5), y: f64(5, 4) }, ({ x, y }) => ({ a: clip(x, { min: low }), b: clip(y, { min: other }) }));
  expect(functionsOf(clipped(0, 0))).toBe(functionsOf(clipped(0, 0.5)) - 1);
  expect(functionsOf(clipped(0, -0))).toBe(functionsOf(clipped(0, 0.5)));
  const list = Float64Array.from({ length: 20 }, (_, i) => (i % 3 === 0 ? -0 : i % 3 === 1 ? 3 : -3));
  const program = await compile(clipped(0.25, -0.5), wasm());
  const { a, b } = program.run({ x: tensor(list, f64(4, 5)), y: tensor(list, f64(5, 4)) });
  expect([...a.data]).toEqual([...list].map((v) => Math.max(v, 0.25)));
  expect([...b.data]).toEqual([...list].map((v) => Math.max(v, -0.5)));
});

test("a loop over more places in memory than a function takes addresses of is a function of its own, in turns too", async () => {
  const names = Array.from({ length: 1200 }, (_, i) => `x${i}`);
  const wide = (count: number, shape: readonly [number, number], f: (total: Value) => Value) =>
    graph(Object.fromEntries(names.slice(0, count).map((n) => [n, f32(...shape)])), (xs) => ({ y: f(Object.values(xs).reduce((a, b) => add(a, b))) })); // biome-ignore format: a function
  for (const made of [wide(1200, [3, 7], (v) => v), wide(110, [64, 256], (v) => sub(v, div(sum(v, rows), 256)))]) {
    const given = Object.fromEntries(leaves(made.inputs).map(({ path, leaf }, i) => [path, filled(i, ...(leaf as Value).type.shape)]));
    const [want, got] = await Promise.all([reference(), wasm()].map(async (engine) => (await compile(made, engine)).run(given)));
    expect(Math.max(...Array.from(got!.y.data, (y, i) => Math.abs(Number(y) - Number(want!.y.data[i]))))).toBeLessThan(1e-3);
  }
});

test.each(["toString", "constructor", "__proto__"])("an op of one's own may be called %s", async (name) => {
  const twice = unary(name, { f: (x) => 2 * x, d: () => 2 });
  const program = await compile(
    graph({ x: f64(5) }, ({ x }) => ({ y: mul(twice(x), 3) })),
    wasm(),
  );
  expect([...program.run({ x: [1, 2, 3, 4, 5] }).y.data]).toEqual([6, 12, 18, 24, 30]);
});
