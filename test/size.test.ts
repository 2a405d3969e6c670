import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";
import { rolldown } from "rolldown";
import { parseSync } from "rolldown/utils";
import { beforeAll, describe, expect, test } from "vitest";

const root: string = fileURLToPath(new URL("../", import.meta.url));
const packageJson: { exports: Record<string, string | { default: string }> } = JSON.parse(readFileSync(join(root, "package.json"), "utf8"));
const entries: readonly string[] = Object.values(packageJson.exports).flatMap((target) =>
  typeof target === "string" ? [] : [target.default],
);

beforeAll(() => {
  execFileSync(process.execPath, ["scripts/ensure-built.js"], { cwd: root });
});

/** What a user's bundler makes of modules, `user` first: tree-shaken and minified. With `trusting` false, `sideEffects: false` is not believed. */
async function bundle(modules: { readonly user: string; readonly planted?: string }, trusting: boolean): Promise<string> {
  const files = new Map(Object.entries(modules).map(([name, code]) => [join(root, `${name}.js`), { code }]));
  const build = await rolldown({
    cwd: root,
    input: "user",
    platform: "neutral",
    external: /^node:/,
    treeshake: trusting ? true : { moduleSideEffects: () => true },
    plugins: [
      {
        name: "modules",
        resolveId: (id) => (files.has(join(root, `${id}.js`)) ? join(root, `${id}.js`) : null),
        load: (id) => files.get(id) ?? null,
      },
    ],
  });
  const { output } = await build.generate({ format: "esm", minify: true });
  return output.map((chunk) => (chunk.type === "chunk" ? chunk.code : "")).join("");
}

/** Every file that importing `file` loads at once, itself included. */
function loaded(file: string): string[] {
  const found = new Set([file]);
  for (const at of found)
    for (const statement of parseSync(at, readFileSync(at, "utf8")).program.body) {
      const source = "source" in statement ? statement.source : null;
      if (source && source.type === "Literal" && source.value.startsWith(".")) found.add(join(dirname(at), source.value));
    }
  return [...found];
}

describe("bundled for a page", () => {
  test("variable, mul, gradients and read weigh 12 KiB at most, gzipped, and work", async () => {
    const user = `import { variable, mul, gradients, read } from "chainrule";
       const x = variable(3, "x"), y = variable(-4, "y");
       const { dx, dy } = gradients(mul(x, y), { dx: x, dy: y });
       export const result = [read(dx), read(dy)];`;
    const code = await bundle({ user }, true);
    const module: { result: number[] } = await import(`data:text/javascript,${encodeURIComponent(code)}`);
    expect(module.result).toEqual([-4, 3]);
    expect(gzipSync(code, { level: 9 }).length).toBeLessThanOrEqual(12 * 1024);
  });

  test("compile, grad and the compiling engine with all its kernels weigh 76 KiB at most, gzipped, and work", async () => {
    const user = `import { compile, f64, grad, graph, mul, sum } from "chainrule";
       import { wasm } from "chainrule/wasm";
       const g = graph({ x: f64(2) }, ({ x }) => ({ slope: grad((v) => sum(mul(v, v)))(x) }));
       const program = await compile(g, wasm());
       export const result = [...program.run({ x: [1, 2] }).slope.data];`;
    const code = await bundle({ user }, true);
    const module: { result: number[] } = await import(`data:text/javascript,${encodeURIComponent(code)}`);
    expect(module.result).toEqual([2, 4]);
    expect(gzipSync(code, { level: 9 }).length).toBeLessThanOrEqual(76 * 1024);
  });

  test.each(entries)("importing %s for nothing leaves nothing: no code of it has a side effect", async (entry) => {
    expect((await bundle({ user: `import ${JSON.stringify(entry)};` }, false)).trim()).toBe("");
  });

  test("a side effect would be seen", async () => {
    const planted = "globalThis.touched = 1; export const used = 2;";
    expect(await bundle({ user: 'import "planted";', planted }, false)).toContain("touched");
  });
});

describe("in Node", () => {
  // ONNX Runtime's engine brings the writer of models and, to choose between them, the compiled engine.
  test.each([...entries, "./dist/cli.js"])("%s loads five files at most, or six", (entry) => {
    expect(loaded(join(root, entry)).length).toBeLessThanOrEqual(entry.includes("onnxruntime") ? 6 : 5);
  });
});
