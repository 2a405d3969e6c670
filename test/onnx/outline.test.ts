import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import { constant, costOf, draw, evaluate, f32, graph, matmul, tensor, type Value } from "../../src/index.ts";
import { collect } from "../../src/ir/walk.ts";
import { onnx } from "../../src/onnx/onnx.ts";

/** A product with one square matrix, as a file. */
function product(rows: number): Uint8Array {
  const w = tensor(new Float32Array(rows * rows).fill(0.5), f32(rows, rows));
  return onnx.write(graph({ x: f32(1, rows) }, ({ x }) => ({ y: matmul(x, constant(w)) })));
}

describe("an outline", () => {
  test("of a file leaves the numbers of large weights where they are, and has their types and the graph", async () => {
    const folder = mkdtempSync(join(tmpdir(), "outline-"));
    const rows = 2100;
    writeFileSync(join(folder, "model.onnx"), product(rows));
    const found = await onnx.outline(join(folder, "model.onnx"));
    rmSync(folder, { recursive: true });
    const [name] = Object.keys(found.parameters);
    expect(found.parameters[name!]).toMatchObject({ trainable: true, type: { dtype: "f32", shape: [rows, rows] } });
    expect(found.inputs).toMatchObject({ x: { shape: [1, rows] } });
    expect(Object.keys(found.outputs)).toEqual(["y"]);
    expect(costOf(found.graph).flops).toBeGreaterThanOrEqual(2 * rows * rows - rows);
    expect(draw(found.graph, { format: "text", inline: false })).toContain("@");
    const weight = collect(Object.values(found.graph.outputs as Record<string, Value>)).find(({ op }) => op.name === "variable")!;
    expect(() => evaluate(weight as Value).data).toThrow(
      `onnx: the numbers of ${name} were left in the file; an outline has shapes alone, onnx.read reads the numbers`,
    );
  });

  test("of bytes in memory says the same as the model that is read", async () => {
    const found = await onnx.outline(product(64));
    const model = await onnx.read(product(64));
    expect(Object.keys(found.parameters)).toEqual(Object.keys(model.params));
    expect(found.outputs).toEqual(model.outputs);
    expect(Object.keys(found.parameters).filter((name) => found.parameters[name]!.trainable)).toEqual(model.trainable);
  });

  test("gives the sizes at which a model can be applied, and refuses what is none", async () => {
    const path = fileURLToPath(new URL("../fixtures/onnx/mlp/model.onnx", import.meta.url));
    const { inputs, dims, nodes } = await onnx.applicable(path);
    expect(await onnx.outline(path)).toMatchObject({ inputs, dims, nodes });
    await expect(onnx.outline(new Uint8Array(0))).rejects.toThrow("onnx: the file is empty");
  });
});
