import { expect, test } from "vitest";
import { drawsFrom, weight } from "../../src/check/draws.ts";
import {
  add,
  evaluate,
  firstBad,
  gradients,
  mul,
  paths,
  sum,
  type Tensor,
  tensor,
  type Value,
  variable,
  why,
  whyZero,
} from "../../src/index.ts";
import { isFloat } from "../../src/ir/dtype.ts";
import { drawCase, ops } from "../laws/samplers.ts";

/** A weighted sum of what an op gives on variables. */
function lossOf(name: string, seed: number): { readonly loss: Value | null; readonly asked: readonly Value[] } {
  const c = drawCase(name, drawsFrom(seed));
  const d = drawsFrom(seed ^ 0x2545f491);
  const operands = c.operands.map((t, i) => (t === null ? null : variable(t, `v${i}`)));
  let loss: Value | null = null;
  for (const v of c.apply(operands)) {
    if (!isFloat(v.type.dtype)) continue;
    const size = v.type.shape.reduce((a, b) => a * b, 1);
    const weights = tensor(
      Float64Array.from({ length: size }, () => weight(d)),
      { ...v.type, dtype: "f64" },
    );
    const part = sum(mul(v, v.type.dtype === "f64" ? weights : tensor(weights.data, v.type)));
    loss = loss === null ? part : loss.type.dtype === part.type.dtype ? add(loss, part) : loss;
  }
  return { loss, asked: operands.filter((v): v is Value => v !== null && isFloat(v.type.dtype)) };
}

function near(got: number, wanted: number, scale: number): boolean {
  return Number.isNaN(wanted) ? Number.isNaN(got) : got === wanted || Math.abs(got - wanted) <= 1e-9 * Math.max(scale, 1e-300) + 1e-12;
}

/** What `why`, `whyZero` and `paths` say that the gradient does not. */
function disagreements(name: string, seed: number): string[] {
  const { loss, asked } = lossOf(name, seed);
  if (loss === null) return [];
  const wrong: string[] = [];
  for (const v of asked) {
    const g: Tensor = evaluate(gradients(loss, { v }).v);
    const size = g.data.length;
    const zero = g.data.every((x) => x === 0);
    const finite = g.data.every((x) => Number.isFinite(x));
    const { trouble } = why(loss, v);
    const wanted = zero ? ["zero", "missing"] : finite ? ["tiny", "huge", "ordinary", "notFinite"] : ["notFinite"];
    if (!wanted.includes(trouble)) wrong.push(`why says ${trouble} of ${Array.from(g.data).join()}`);
    if ((whyZero(loss, v) !== null) !== zero) wrong.push("whyZero disagrees with the gradient");
    const scale = Array.from(g.data).reduce((n, x) => n + Math.abs(x), 0);
    for (let e = 0; e < Math.min(size, 4); e++) {
      const one = whyZero(loss, v, { element: e });
      if ((one !== null) !== (g.data[e] === 0)) wrong.push(`whyZero disagrees about element ${e}: ${g.data[e]}`);
      if (one !== null && one.gates.length === 0) wrong.push("no gate is named");
      const p = paths(loss, v, { element: e });
      if (!near(p.total.data[0]!, g.data[e]!, Math.max(scale, p.magnitude!)))
        wrong.push(`paths to element ${e} add up to ${p.total.data[0]}, not ${g.data[e]}`);
    }
    if (size > 0) {
      const p = paths(loss, v, { by: "edge" });
      if (!Array.from(p.total.data).every((x, i) => near(x, g.data[i]!, scale)))
        wrong.push(`blocks add up to ${p.total.data.join()}, not ${g.data.join()}`);
    }
    if (finite && Number.isFinite(evaluate(loss).data[0]) && firstBad(loss, { wrt: { v } }) !== null)
      wrong.push("firstBad raises an alarm");
  }
  return wrong;
}

test("why, whyZero, firstBad and paths agree with the gradient of every op", () => {
  const wrong: string[] = [];
  for (const name of ops.keys())
    for (let i = 0; i < 2; i++) {
      const seed = 1000 * i + name.length;
      let found: string[];
      try {
        found = disagreements(name, seed);
      } catch (e) {
        found = [String(e)];
      }
      wrong.push(...found.map((w) => `${name} (seed ${seed}): ${w}`));
    }
  expect(wrong.slice(0, 40)).toEqual([]);
});
