import * as ort from "onnxruntime-node";
import { expect, test } from "vitest";
import { inDtype } from "../../../src/check/case.ts";
import { drawsFrom } from "../../../src/check/draws.ts";
import { onnxruntime } from "../../../src/onnxruntime.ts";
import { drawCase, isOp, ops } from "../../laws/samplers.ts";
import { graphOf } from "../wasm/agreement.ts";
import { randomGraph } from "../wasm/random-graph.ts";
import { apartOn } from "./agree.ts";

const engine = onnxruntime(ort);
const names = [...ops.values()].filter(isOp).map((o) => o.name);

/** Ops that ONNX does not have; `docs/onnx.md` says why. */
const unwritten = ["lgamma", "digamma", "polygamma", "apart", "cholesky", "cofactor", "det", "slogDet", "eigh", "fourier", "inverse", "qr", "solve", "svd", "triangularSolve"]; // biome-ignore format: a list
/** Ops whose kernels ONNX Runtime has in f32 alone. */
const singleOnly = ["conv", "convInput", "convWeight", "averagePool", "averagePoolInput", "erf", "acos", "asin", "atan", "atan2", "cosh", "sinh", "tan"]; // biome-ignore format: a list

async function said(name: string, seed: number, dtype: "f32" | "f64"): Promise<string | null> {
  const c = drawCase(name, drawsFrom(seed));
  const operands = c.operands.map((t) => (t === null ? null : inDtype(t, dtype)));
  try {
    return await apartOn(
      engine,
      name,
      graphOf(c, operands),
      operands.filter((t) => t !== null),
    );
  } catch (error) {
    return (error as Error).message;
  }
}

test.each(["f32", "f64"] as const)(
  "every op and its gradient agree with the reference in %s, or say why they cannot be run",
  async (dtype) => {
    const refused = new Set<string>();
    const apart: string[] = [];
    for (const name of names)
      for (const seed of [1, 2]) {
        const found = await said(name, seed, dtype);
        if (found === null) continue;
        if (/and cannot be written: |ONNX Runtime has no kernel of /.test(found)) refused.add(name);
        else apart.push(`${name}: ${found}`);
      }
    expect(apart).toEqual([]);
    expect([...refused].sort()).toEqual([...unwritten, ...(dtype === "f64" ? singleOnly : [])].sort());
  },
);

test.each(["f32", "f64"] as const)("random graphs in %s, with their gradients, agree with the reference", async (dtype) => {
  for (let seed = 0; seed < 25; seed++) {
    const { g, operands } = randomGraph(dtype, drawsFrom(seed));
    const found = await apartOn(engine, "graph", g, operands).catch((error: Error) => error.message);
    if (found !== null && !(dtype === "f64" && found.includes("no kernel of Erf"))) expect(`seed ${seed}: ${found}`).toBeNull();
  }
});
