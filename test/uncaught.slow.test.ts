import { execFileSync, spawnSync } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { beforeAll, expect, test } from "vitest";

const root = fileURLToPath(new URL("../", import.meta.url));

beforeAll(() => {
  execFileSync(process.execPath, ["scripts/ensure-built.js"], { cwd: root });
});

test.each([
  [
    "a product",
    `const { matmul, tensor } = await import("chainrule"); matmul(tensor([[1, 2]]), tensor([[1, 2]]));`,
    "the inner sizes 2 and 1 must match",
  ],
  ["a column", `const { dataset } = await import("chainrule/data"); dataset({ y: new Int32Array(3) });`, "a column is a tensor"],
  [
    "a run",
    `const { add, compile, f32, graph, tensor } = await import("chainrule"); const { wasm } = await import("chainrule/wasm");
     const p = await compile(graph({ x: f32(3) }, ({ x }) => add(x, x)), wasm()); await p.run({ x: tensor([1, 2], "f32") });`,
    "x is f32[3]; f32[2] was given",
  ],
  ["a formula", `const { expr } = await import("chainrule"); expr\`foo(\${1})\`;`, 'unknown function "foo"'],
  [
    "a run that diverges",
    `const { mean, random, square, tensor } = await import("chainrule"); const { dataset, loader } = await import("chainrule/data");
     const { linear } = await import("chainrule/nn"); const { sgd } = await import("chainrule/optim"); const { train } = await import("chainrule/train");
     const data = loader(dataset({ x: tensor([[1], [400]], "f32") }), { batch: 2 });
     await train({ params: linear.init(random.key(0), 1, 1), loss: (p, { x }) => mean(square(linear(p, x))) }, { data, optimizer: sgd({ rate: 1 }), epochs: 20 }).finish();`,
    "the parameters are as they were before the step",
  ],
])("an error that nobody catches is told in a few short lines: %s", (_, code, words) => {
  const { stderr, status } = spawnSync(process.execPath, ["--input-type=module", "-e", code], { cwd: root, encoding: "utf8" });
  expect(status).toBe(1);
  const lines = stderr.split("\n");
  expect(lines.findIndex((line) => line.includes(words))).toBeLessThan(8);
  // The code that Node shows is the statement that throws, not the file.
  for (const line of lines) expect(line.length).toBeLessThan(600);
  // Facts that an error has not are not listed.
  expect(stderr).not.toContain("undefined");
});

test("of the built files every line that throws is short", () => {
  let found = 0;
  for (const name of readdirSync(join(root, "dist"))) {
    if (!name.endsWith(".js") || name === "wasm-worker.js") continue;
    for (const line of readFileSync(join(root, "dist", name), "utf8").split("\n")) {
      if (!/\bnew \w+Error\(/.test(line)) continue;
      found++;
      expect(line.length, `${name}: ${line.slice(0, 200)}`).toBeLessThan(2500);
    }
  }
  expect(found).toBeGreaterThan(1000);
});
