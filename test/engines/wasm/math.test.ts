import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { drawsFrom } from "../../../src/check/draws.ts";
import { f64, i32, ModuleBuilder } from "../../../src/engines/wasm/encoder.ts";
import { MathLibrary, type MathName, type Wide } from "../../../src/engines/wasm/math.ts";
import {
  acos,
  asin,
  atan,
  atan2,
  cos,
  cosh,
  erf,
  exp,
  expm1,
  log,
  log1p,
  pow,
  sigmoid,
  sin,
  sinh,
  softplus,
  tan,
  tanh,
} from "../../../src/index.ts";
import { inverseNormal } from "../../../src/random/inverse-normal.ts";

const ops = { exp, expm1, log, log1p, tanh, sigmoid, softplus, sin, cos, tan, asin, acos, atan, sinh, cosh, erf };
type Name = keyof typeof ops;
/** 60 digits of mpmath, rounded once. Made by scripts/reference/engine_math.py. */
const truths = JSON.parse(readFileSync(new URL("../../fixtures/engine-math.json", import.meta.url), "utf8")) as Record<
  Name,
  Record<"f32" | "f64", [number, number][]>
>;

/** How far a is from b, in units in the last place of b; infinite where one of them is not finite and the other is something else. */
function ulps(a: number, b: number, narrow: boolean): number {
  if (Object.is(a, b) || a === b || (Number.isNaN(a) && Number.isNaN(b))) return 0;
  if (!Number.isFinite(a) || !Number.isFinite(b)) return Number.POSITIVE_INFINITY;
  const exponent = b === 0 ? Number.NEGATIVE_INFINITY : Math.floor(Math.log2(Math.abs(b)));
  return Math.abs(a - b) / Math.max(2 ** (exponent - (narrow ? 23 : 52)), narrow ? 2 ** -149 : 5e-324);
}

/** A function of the library on one number, in a lane that is told. */
function compiled(name: MathName, wide: Wide): (x: number, y?: number, lane?: number) => number {
  const module = new ModuleBuilder();
  const scalar = ops[name as Name]?.scalar ?? (() => Number.NaN);
  const host = module.importFunction("host", [f64], [f64]);
  const index = new MathLibrary(module, () => host).index(name, wide);
  module.add("run", [i32, i32, i32], [], (c) => {
    c.get(2).get(0).mem("v128.load");
    if (name === "pow" || name === "atan2") c.get(1).mem("v128.load");
    c.call(index).mem("v128.store");
  });
  const memory = new WebAssembly.Memory({ initial: 1 });
  const { exports } = new WebAssembly.Instance(new WebAssembly.Module(module.bytes(null)), { host: { memory, host: scalar }, global: {} });
  const run = exports["run"] as (x: number, y: number, to: number) => void;
  const cells = wide === "f32x4" ? new Float32Array(memory.buffer) : new Float64Array(memory.buffer);
  const at = 64 / cells.BYTES_PER_ELEMENT;
  return (x, y = 0, lane = 0) => {
    cells.fill(0.5, 0, 3 * at);
    cells[lane] = x;
    cells[at + lane] = y;
    run(0, 64, 128);
    return cells[2 * at + lane]!;
  };
}

const cases = (["f32x4", "f64x2"] as Wide[]).flatMap((wide) => (Object.keys(ops) as Name[]).map((name) => [name, wide] as const));
const odd = [0, -0, 1, -1, 0.5, -0.5, Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, 5e-324, -1e-320, 1e-40, 1.1754943e-38, 1e300, -1e300, 3e38, 88.7, 88.73, -87.5, -103.9, 709.7, 709.79, 710.4, -745, -746, 1e-8, -1e-17, -0.999999, 1e6, 1000001, 6, 2.857142857142857]; // biome-ignore format: a list

test.each(cases)("%s in %s is within 4 units in the last place of f32 and 2 of f64", (name, wide) => {
  const f = compiled(name, wide);
  const narrow = wide === "f32x4";
  const most = narrow ? 4 : 2;
  let worst = 0;
  truths[name][narrow ? "f32" : "f64"].forEach(([x, y], i) => {
    const far = ulps(f(x, 0, i % (narrow ? 4 : 2)), y, narrow);
    if (far > most) expect(`${name}(${x}) is ${far} units off`).toBe("right");
    worst = Math.max(worst, far);
  });
  expect(worst).toBeGreaterThan(0);
});

test.each(cases)("%s in %s has the reference's special values, and no jumps between them", (name, wide) => {
  const f = compiled(name, wide);
  const narrow = wide === "f32x4";
  const scalar = ops[name].scalar!;
  const d = drawsFrom(7);
  const drawn = Array.from({ length: 3000 }, () => (d.fraction() - 0.5) * 100 * 2 ** (40 * d.fraction() - 30));
  for (const given of [...odd, ...drawn]) {
    const x = narrow ? Math.fround(given) : given;
    const truth = scalar(x);
    const y = f(x);
    const far = ulps(y, narrow ? Math.fround(truth) : truth, narrow);
    // The reference is a unit or two off itself.
    if (far > (narrow ? 4.5 : 4)) expect(`${name}(${x}) is ${y}`).toBe(`${name}(${x}) is ${truth}`);
    if (truth === 0 && !Object.is(y, truth)) expect(`${name}(${x}) is the other zero`).toBe("kept");
  }
});

/** Of two operands: x, y and the true result. */
const pairTruths = truths as unknown as Record<"pow" | "atan2", Record<"f32" | "f64", [number, number, number][]>>;
const special = [0, -0, 1, -1, 2, -2, 3, -3, 0.5, -0.5, 1.5, Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, 1e38, 1e-40, 1e-310, 1e300, -1e300, 16777217]; // biome-ignore format: a list
const pairs = (["f32x4", "f64x2"] as Wide[]).flatMap((wide) => (["pow", "atan2"] as const).map((name) => [name, wide] as const));

test.each(pairs)("%s in %s is within 2 units in the last place, and at zeros, infinities and NaN the reference's", (name, wide) => {
  const f = compiled(name, wide);
  const narrow = wide === "f32x4";
  const scalar = { pow, atan2 }[name].scalar!;
  const cut = (x: number): number => (narrow ? Math.fround(x) : x);
  const drawn = pairTruths[name][narrow ? "f32" : "f64"].map(([x, y, truth]) => [x, y, truth] as const);
  const odd = special.flatMap((a) => special.map((b) => [cut(a), cut(b), scalar(cut(a), cut(b))] as const));
  for (const [x, y, exact] of [...drawn, ...odd]) {
    const truth = cut(exact);
    const got = f(x, y, 1);
    if (!(ulps(got, truth, narrow) <= 2) || (truth === 0 && !Object.is(got, truth)))
      expect(`${name}(${x}, ${y}) = ${got}`).toBe(`${name}(${x}, ${y}) = ${truth}`);
  }
});

test("the quantile of the normal distribution has the reference's bits", () => {
  const f = compiled("inverseNormal", "f64x2");
  const d = drawsFrom(3);
  const points = [2 ** -53, 2 ** -33, 1e-12, 0.5, 0.075, 0.925, 1 - 2 ** -53, 0.0749999999999999];
  for (let i = 0; i < 5000; i++) points.push(d.fraction(), d.fraction() * 2 ** (-50 * d.fraction()));
  for (const p of points) if (p > 0 && !Object.is(f(p), inverseNormal(p))) expect(`${p}: ${f(p)}`).toBe(`${p}: ${inverseNormal(p)}`);
});
