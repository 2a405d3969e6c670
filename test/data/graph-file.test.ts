import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { readGraph, writeGraph } from "../../src/data.ts";
import { f64, graph, mul, print, read, sum, tensor } from "../../src/index.ts";

const folder = mkdtempSync(join(tmpdir(), "graph-file-"));
afterAll(() => rmSync(folder, { recursive: true }));

function model(k: number): ReturnType<typeof graph> {
  const w = tensor(new Float64Array(50).map((_, i) => i * k));
  return graph({ x: f64(50) }, ({ x }) => ({ y: sum(mul(x, w)) })) as never;
}

test("a graph goes to a text file with its large constants beside it, and comes back", async () => {
  const path = join(folder, "model.graph");
  await writeGraph(path, model(1));
  expect(readdirSync(folder)).toEqual([expect.stringMatching(/^model-[0-9a-f]{8}\.safetensors$/), "model.graph"]);
  const back = await readGraph(path);
  expect(print(back as never)).toBe(print(model(1) as never));
  expect(read(back({ x: new Float64Array(50).fill(1) })["y"]!)).toBe(1225);
  await writeGraph(path, model(2));
  expect(readdirSync(folder)).toHaveLength(2);
  expect(read((await readGraph(path))({ x: new Float64Array(50).fill(1) })["y"]!)).toBe(2450);
});

test("tensors outside of the folder, missing ones and other files are refused", async () => {
  const path = join(folder, "bad.graph");
  writeFileSync(path, `# tensors: ../x.safetensors\n${print(model(1) as never)}`);
  await expect(readGraph(path)).rejects.toThrow("they must be a .safetensors file in the same folder");
  writeFileSync(path, `# tensors: none.safetensors\n${print(model(1) as never)}`);
  await expect(readGraph(path)).rejects.toThrow("none.safetensors");
  writeFileSync(path, readFileSync(join(folder, "model.graph"), "utf8").slice(0, 200));
  await expect(readGraph(path)).rejects.toThrow("graph text, line");
  await expect(readGraph(join(folder, "nothing.graph"))).rejects.toThrow("there is no such file");
});

test("a small graph is one file", async () => {
  await writeGraph(join(folder, "small.graph"), graph({ x: f64() }, ({ x }) => ({ y: mul(x, 2) })) as never);
  expect(readdirSync(folder).filter((f) => f.startsWith("small"))).toEqual(["small.graph"]);
});
