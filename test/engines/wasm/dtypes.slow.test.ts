import { describe, expect, test } from "vitest";
import { drawsFrom } from "../../../src/check/draws.ts";
import { lowered } from "../../../src/engines/wasm/lower.ts";
import { everyStep, plan } from "../../../src/engines/wasm/plan.ts";
import { wasm } from "../../../src/engines/wasm/wasm.ts";
import { type Tensor, tensor, type Value } from "../../../src/index.ts";
import { allocate, type DType, dtypes, isFloat } from "../../../src/ir/dtype.ts";
import { leaves } from "../../../src/ir/tree.ts";
import { drawCase, ops } from "../../laws/samplers.ts";
import { difference, graphOf } from "./agreement.ts";

const engine = wasm();

/** Operands that were drawn as floats, in another dtype: whole numbers of some size, and both truth values. */
function inAny(t: Tensor | null, dtype: DType): Tensor | null {
  if (t === null || !isFloat(t.type.dtype)) return t;
  const data = allocate(dtype, t.data.length);
  for (let i = 0; i < data.length; i++) {
    const x = t.data[i]!;
    data[i] = dtype === "bool" ? Number(x > 0) : isFloat(dtype) ? x : Math.trunc((dtype.startsWith("u") ? Math.abs(x) : x) * 3) || 0;
  }
  return tensor(data, { ...t.type, dtype });
}

describe.each(dtypes.filter((d) => d !== "f64" && d !== "f32"))("in %s", (dtype) => {
  const taken = new Set<string>();
  for (const name of ops.keys())
    test(name, () => {
      for (let seed = 1; seed <= 4; seed++) {
        const c = drawCase(name, drawsFrom(Math.imul(seed, 2654435761) | 0));
        const operands = c.operands.map((t) => inAny(t, dtype));
        let g: ReturnType<typeof graphOf>;
        try {
          g = graphOf(c, operands);
        } catch (e) {
          // What an op does not take it refuses when the graph is built, on every engine.
          expect((e as Error).name).toBe("DTypeError");
          continue;
        }
        // Bounds that were drawn as fractions, which a call refuses.
        if (name === "clip" && !isFloat(dtype)) continue;
        taken.add(name);
        const low = lowered(
          leaves(g.inputs).map(({ leaf }) => leaf as Value),
          leaves(g.outputs).map(({ leaf }) => leaf as Value),
        );
        const hosted = everyStep(plan(low.inputs, low.outputs).steps).flatMap((s) => (s.kind === "host" ? [s.node.op.name] : []));
        expect(hosted).toEqual([]);
        expect(difference(engine, c, dtype, operands)).toBeNull();
      }
    });
  test("most ops are there", () => {
    expect(taken.size).toBeGreaterThan(dtype === "bool" ? 40 : isFloat(dtype) ? 140 : 80);
  });
});
