import { expect, test } from "vitest";
import { drawsFrom } from "../../../src/check/draws.ts";
import { i32, ModuleBuilder } from "../../../src/engines/wasm/encoder.ts";
import { hasRelaxedSimd } from "../../../src/engines/wasm/features.ts";
import { blocksOf, ProductLibrary, productScratch } from "../../../src/engines/wasm/gemm.ts";

type Product = (...numbers: number[]) => void;

function made(kind: "f32" | "f64", fused: boolean): { product: Product; memory: WebAssembly.Memory } {
  const module = new ModuleBuilder();
  const index = new ProductLibrary(module, fused).index(kind);
  module.add("product", new Array(16).fill(i32), [], (c) => {
    for (let i = 0; i < 16; i++) c.get(i);
    c.call(index);
  });
  const memory = new WebAssembly.Memory({ initial: 300 });
  const { exports } = new WebAssembly.Instance(new WebAssembly.Module(module.bytes(null)), { host: { memory }, global: {} });
  return { product: exports["product"] as Product, memory };
}

const sizes = [[1, 1, 1], [4, 8, 4], [6, 4, 3], [5, 12, 9], [8, 9, 6], [32, 8, 5], [7, 3, 290], [3, 17, 1], [97, 10, 33], [7, 257, 5], [2, 3, 700], [3, 2, 0]] as const; // biome-ignore format: a table
const hosts = [false, ...(hasRelaxedSimd() ? [true] : [])].flatMap((fused) => [["f32", fused] as const, ["f64", fused] as const]);

test.each(hosts)("products in %s (fused: %s), every transpose, alone and added, write their cells and nothing else", (kind, fused) => {
  const { product, memory } = made(kind, fused);
  const size = kind === "f32" ? 4 : 8;
  const cells = (at: number, length: number): Float32Array | Float64Array =>
    new (kind === "f32" ? Float32Array : Float64Array)(memory.buffer, at, length);
  const draws = drawsFrom(11);
  for (const [m, n, k] of sizes)
    for (const [left, right] of [
      ["n", "n"],
      ["t", "n"],
      ["n", "t"],
      ["t", "t"],
      ["s", "s"],
    ] as const)
      for (const onto of [0, 1]) {
        // "s": neither stride is one element.
        const strides = (way: string, rows: number, columns: number): [number, number] =>
          way === "n" ? [columns, 1] : way === "t" ? [1, rows] : [2 * columns + 1, 2];
        const [aRow, aColumn] = strides(left, m, k);
        const [bRow, bColumn] = strides(right, k, n);
        const outRow = n + 3;
        const room = (count: number): number => Math.ceil((count * size + 64) / 64) * 64;
        const a = 64;
        const b = a + room(2 * m * k + m + 2);
        const c = b + room(2 * n * k + k + 2);
        const scratch = c + room(m * outRow);
        const used = productScratch(m, n, k, kind);
        for (let i = a; i < scratch; i += size) cells(i, 1)[0] = draws.fraction() - 0.5;
        cells(scratch + Math.ceil(used / size) * size, 8).fill(9);
        const [x, y] = [cells(a, (b - a) / size), cells(b, (c - b) / size)];
        const before = cells(c, (scratch - c) / size).slice();
        const { rows, columns, inner } = blocksOf(m, n, k, kind);
        product(a, aRow * size, aColumn * size, b, bRow * size, bColumn * size, c, outRow * size, m, n, k, rows, columns, inner, scratch, onto); // biome-ignore format: one call
        const after = cells(c, before.length);
        for (let i = 0; i < before.length; i++) {
          const [row, column] = [Math.floor(i / outRow), i % outRow];
          let [sum, terms] = [0, 0];
          if (row >= m || column >= n) sum = before[i]!;
          else {
            sum = onto * before[i]!;
            terms = Math.abs(sum);
            for (let p = 0; p < k; p++) {
              const term = x[row * aRow + p * aColumn]! * y[p * bRow + column * bColumn]!;
              sum += term;
              terms += Math.abs(term);
            }
          }
          const room = 2 * (kind === "f32" ? 2 ** -24 : 2 ** -53) * Math.sqrt(k + 1) * terms;
          if (!(Math.abs(after[i]! - sum) <= room)) expect(`${left}${right} ${m} ${n} ${k} [${row}, ${column}] ${after[i]}`).toBe(sum);
        }
        expect(Array.from(cells(scratch + Math.ceil(used / size) * size, 8))).toEqual(new Array(8).fill(9));
      }
});
