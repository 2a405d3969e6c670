import { expect, test } from "vitest";
import { constantFrom } from "../../../src/check/case.ts";
import { drawsFrom } from "../../../src/check/draws.ts";
import { evaluate, jacobian, leaves, sparsity, type Value } from "../../../src/index.ts";
import { drawCase, ops } from "../../laws/samplers.ts";

/** How many of the drawn entries are zero though the pattern has them: patterns may be too large, but should not be useless. */
let [inPattern, nonzero, all] = [0, 0, 0];

test.each([...ops.keys()])("no derivative of %s is outside its pattern", (name) => {
  for (let seed = 0; seed < 6; seed++) {
    const c = drawCase(name, drawsFrom(Math.imul(seed + 1, 2654435761)));
    if (c.floats.length === 0) continue;
    const f = (xs: readonly Value[]): readonly Value[] => {
      const operands = c.operands.map((t, i) => (t === null || c.floats.includes(i) ? null : constantFrom(t)));
      c.floats.forEach((i, k) => {
        operands[i] = xs[k]!;
      });
      const outs = c.apply(operands);
      return outs.filter((v) => v.type.dtype === "f64");
    };
    const xs = c.floats.map((i) => constantFrom(c.operands[i]!));
    if (f(xs).length === 0) continue;
    const { shape, rows, cols } = sparsity(f)(xs);
    const [m, n] = shape;
    const allowed = new Uint8Array(m * n);
    for (let i = 0; i < m; i++) for (let k = rows[i]!; k < rows[i + 1]!; k++) allowed[i * n + cols[k]!] = 1;
    const blocks = leaves(jacobian(f)(xs)).map(({ leaf }) => evaluate(leaf as Value).data);
    const widths = xs.map((x) => x.type.shape.reduce((a, b) => a * b, 1));
    let row = 0;
    f(xs).forEach((out, r) => {
      const height = out.type.shape.reduce((a, b) => a * b, 1);
      let column = 0;
      widths.forEach((w, p) => {
        blocks[r * widths.length + p]!.forEach((x, e) => {
          const place = (row + Math.floor(e / w)) * n + column + (e % w);
          if (x !== 0)
            expect(allowed[place], `${name}: result element ${row + Math.floor(e / w)} and variable ${column + (e % w)}`).toBe(1);
          if (x !== 0) nonzero++;
        });
        column += w;
      });
      row += height;
    });
    inPattern += cols.length;
    all += m * n;
  }
});

test("patterns are not much larger than they have to be", () => {
  expect(all).toBeGreaterThan(10_000);
  expect(inPattern).toBeLessThan(all / 3);
  expect(inPattern).toBeLessThan(2.5 * nonzero);
});
