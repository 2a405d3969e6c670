import { expect, test } from "vitest";
import { drawsFrom } from "../../../src/check/draws.ts";
import { i32, ModuleBuilder } from "../../../src/engines/wasm/encoder.ts";
import { hasRelaxedSimd } from "../../../src/engines/wasm/features.ts";
import { isSmall, type Shaped, SmallProducts, smallScratch } from "../../../src/engines/wasm/small-product.ts";

const sizes = [[1, 1, 1], [4, 8, 4], [6, 4, 3], [5, 12, 9], [16, 16, 100], [100, 16, 2], [100, 1, 16], [16, 1, 100], [1, 16, 16], [3, 17, 1], [7, 2, 7], [13, 11, 6], [1, 5, 9], [9, 1, 7]] as const; // biome-ignore format: a table
const hosts = [false, ...(hasRelaxedSimd() ? [true] : [])].flatMap((fused) => [["f32", fused] as const, ["f64", fused] as const]);
const strides = (way: string, rows: number, columns: number): [number, number] =>
  way === "n" ? [columns, 1] : way === "t" ? [1, rows] : way === "b" ? [0, 1] : [2 * columns + 1, 2];

test.each(hosts)("small products in %s (fused: %s), every way to lie, write their cells and nothing else", (kind, fused) => {
  const module = new ModuleBuilder();
  const library = new SmallProducts(module, fused);
  const shapes: Shaped[] = [];
  for (const [m, n, k] of sizes)
    for (const left of ["n", "t", "s", "b"])
      for (const right of ["n", "t", "s"]) {
        const [[aRow, aColumn], [bRow, bColumn]] = [strides(left, m, k), strides(right, k, n)];
        shapes.push({ m, n, k, aRow, aColumn, bRow, bColumn });
      }
  shapes.forEach((s, i) => {
    expect(isSmall(s, kind)).toBe(true);
    const index = library.index(s, kind);
    module.add(`f${i}`, [i32, i32, i32, i32], [], (c) => {
      c.get(0).get(1).get(2).get(3).call(index);
    });
  });
  const memory = new WebAssembly.Memory({ initial: 10 });
  const { exports } = new WebAssembly.Instance(new WebAssembly.Module(module.bytes(null)), { host: { memory }, global: {} });
  const size = kind === "f32" ? 4 : 8;
  const cells = (at: number, length: number): Float32Array | Float64Array =>
    new (kind === "f32" ? Float32Array : Float64Array)(memory.buffer, at, length);
  const draws = drawsFrom(12);
  shapes.forEach((s, index) => {
    const { m, n, k, aRow, aColumn, bRow, bColumn } = s;
    const room = (count: number): number => Math.ceil((count * size + 64) / 64) * 64;
    const a = 64;
    const b = a + room(2 * m * k + m + 2);
    const c = b + room(2 * n * k + k + 2);
    const scratch = c + room(m * n) + 64;
    const used = Math.ceil(smallScratch(s, kind) / size);
    for (let i = a; i < scratch; i += size) cells(i, 1)[0] = draws.fraction() - 0.5;
    cells(scratch + used * size, 8).fill(9);
    const [x, y] = [cells(a, (b - a) / size), cells(b, (c - b) / size)];
    const before = cells(c, (scratch - c) / size).slice();
    (exports[`f${index}`] as (...at: number[]) => void)(a, b, c, scratch);
    const after = cells(c, before.length);
    for (let i = 0; i < before.length; i++) {
      const [row, column] = [Math.floor(i / n), i % n];
      let [sum, terms] = [0, 0];
      if (row >= m) sum = before[i]!;
      else
        for (let p = 0; p < k; p++) {
          const term = x[row * aRow + p * aColumn]! * y[p * bRow + column * bColumn]!;
          sum += term;
          terms += Math.abs(term);
        }
      const bound = 2 * (kind === "f32" ? 2 ** -24 : 2 ** -53) * Math.sqrt(k + 1) * terms;
      if (!(Math.abs(after[i]! - sum) <= bound)) expect(`${JSON.stringify(s)} [${row}, ${column}] ${after[i]}`).toBe(sum);
    }
    expect(Array.from(cells(scratch + used * size, 8))).toEqual(new Array(8).fill(9));
  });
});

test("what is empty, reversed or large goes through packed blocks", () => {
  const plain = { m: 4, n: 4, k: 4, aRow: 4, aColumn: 1, bRow: 4, bColumn: 1 };
  expect(isSmall(plain, "f32")).toBe(true);
  for (const other of [{ k: 0 }, { m: 0 }, { aColumn: -1 }, { n: 512, k: 512, bRow: 512 }, { m: 10_000, k: 32, aRow: 1, aColumn: 10_000 }])
    expect(isSmall({ ...plain, ...other }, "f32")).toBe(false);
});
