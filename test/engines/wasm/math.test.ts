import { expect, test } from "vitest";
import { drawsFrom } from "../../../src/check/draws.ts";
import { i32, ModuleBuilder } from "../../../src/engines/wasm/encoder.ts";
import { MathLibrary, type MathName, type Wide } from "../../../src/engines/wasm/math.ts";
import { exp, expm1, log, log1p, sigmoid, softplus, tanh } from "../../../src/index.ts";

const ops = { exp, expm1, log, log1p, tanh, sigmoid, softplus };
const odd = [0, -0, 1, -1, Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, 5e-324, -1e-320, 1e-40, 1.1754943e-38, 1e300, -1e300, 88.7, 88.73, -87.5, -103.9, 709.7, 709.79, -745, -746, 1e-8, -1e-17, -0.999999]; // biome-ignore format: a list

/** How far a is from b, in units in the last place of b; infinite where one of them is not finite and the other is something else. */
function ulps(a: number, b: number, narrow: boolean): number {
  if (Object.is(a, b) || a === b || (Number.isNaN(a) && Number.isNaN(b))) return 0;
  if (!Number.isFinite(a) || !Number.isFinite(b)) return Number.POSITIVE_INFINITY;
  const exponent = b === 0 ? Number.NEGATIVE_INFINITY : Math.floor(Math.log2(Math.abs(b)));
  return Math.abs(a - b) / Math.max(2 ** (exponent - (narrow ? 23 : 52)), narrow ? 2 ** -149 : 5e-324);
}

const cases = (["f32x4", "f64x2"] as Wide[]).flatMap((wide) => (Object.keys(ops) as MathName[]).map((name) => [name, wide] as const));

test.each(cases)("%s in %s is within 3 units in the last place of the reference", (name, wide) => {
  const module = new ModuleBuilder();
  const index = new MathLibrary(module).index(name, wide);
  module.add("run", [i32, i32], [], (c) => {
    c.get(1).get(0).mem("v128.load").call(index).mem("v128.store");
  });
  const memory = new WebAssembly.Memory({ initial: 1 });
  const { exports } = new WebAssembly.Instance(new WebAssembly.Module(module.bytes(null)), { host: { memory }, global: {} });
  const run = exports["run"] as (from: number, to: number) => void;
  const narrow = wide === "f32x4";
  const cells = narrow ? new Float32Array(memory.buffer) : new Float64Array(memory.buffer);
  const f = ops[name].scalar!;
  const d = drawsFrom(7);
  let worst = 0;
  for (let i = 0; i < 20_000; i++) {
    cells[0] = i < odd.length ? odd[i]! : (d.fraction() - 0.5) * 100 * 2 ** (40 * d.fraction() - 30);
    run(0, 64);
    const truth = f(cells[0]!);
    worst = Math.max(worst, ulps(cells[64 / cells.BYTES_PER_ELEMENT]!, narrow ? Math.fround(truth) : truth, narrow));
  }
  expect(worst).toBeLessThanOrEqual(3);
  expect(worst).toBeGreaterThan(0);
});
