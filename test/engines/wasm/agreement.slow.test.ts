import { describe, expect, test } from "vitest";
import { drawsFrom } from "../../../src/check/draws.ts";
import { wasm } from "../../../src/engines/wasm/wasm.ts";
import { drawCase, ops } from "../../laws/samplers.ts";
import { difference } from "./agreement.ts";
import { factors } from "./tolerances.ts";

const engine = wasm();

test("no op is given more than eight roundings a term", () => {
  for (const c of factors) expect(c).toBeLessThanOrEqual(8);
});

describe("the compiled engine agrees with the reference on", () => {
  for (const name of ops.keys())
    test(name, () => {
      for (let seed = 1; seed <= 12; seed++) {
        const c = drawCase(name, drawsFrom(Math.imul(seed, 2654435761) | 0));
        for (const dtype of ["f64", "f32"] as const) expect(difference(engine, c, dtype)).toBeNull();
      }
    });
});
