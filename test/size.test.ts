import { execFileSync, spawnSync } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";
import { rolldown } from "rolldown";
import { parseSync } from "rolldown/utils";
import { beforeAll, describe, expect, test } from "vitest";

const root: string = fileURLToPath(new URL("../", import.meta.url));
const packageJson: { exports: Record<string, string | { default: string; "module-sync": { node: string } }> } = JSON.parse(
  readFileSync(join(root, "package.json"), "utf8"),
);
const targets: readonly { readonly default: string; readonly "module-sync": { readonly node: string } }[] = Object.values(
  packageJson.exports,
).flatMap((target) => (typeof target === "string" ? [] : [target]));
const entries: readonly string[] = targets.map((target) => target.default);
const inNode: readonly string[] = targets.map((target) => target["module-sync"].node);

beforeAll(() => {
  execFileSync(process.execPath, ["scripts/ensure-built.js"], { cwd: root });
});

/** What a user's bundler makes of modules, `user` first: tree-shaken and minified. With `trusting` false, `sideEffects: false` is not believed. */
async function bundle(
  modules: { readonly user: string; readonly planted?: string },
  trusting: boolean,
  platform: "neutral" | "node" = "neutral",
): Promise<string> {
  const files = new Map(Object.entries(modules).map(([name, code]) => [join(root, `${name}.js`), { code }]));
  const build = await rolldown({
    cwd: root,
    input: "user",
    platform,
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

  test("compile, grad and the compiling engine with all its kernels weigh 83 KiB at most, gzipped, and work", async () => {
    const user = `import { compile, f64, grad, graph, mul, sum } from "chainrule";
       import { wasm } from "chainrule/wasm";
       const g = graph({ x: f64(2) }, ({ x }) => ({ slope: grad((v) => sum(mul(v, v)))(x) }));
       const program = await compile(g, wasm());
       export const result = [...program.run({ x: [1, 2] }).slope.data];`;
    const code = await bundle({ user }, true);
    const module: { result: number[] } = await import(`data:text/javascript,${encodeURIComponent(code)}`);
    expect(module.result).toEqual([2, 4]);
    expect(gzipSync(code, { level: 9 }).length).toBeLessThanOrEqual(83 * 1024);
  });

  test("bundlers see no name of a package or of Node's modules in what is imported on the way: they would look for it, and fail", () => {
    const pages = readdirSync(join(root, "dist")).filter((name) => name.endsWith(".js") && !name.startsWith("node-") && name !== "cli.js");
    expect(pages).toContain("shared-files.js");
    const named: string[] = [];
    for (const file of pages)
      JSON.stringify(parseSync(file, readFileSync(join(root, "dist", file), "utf8")).program, (_, at) => {
        if (at?.type === "ImportExpression") {
          const { source } = at;
          const name = source.type === "Literal" ? source.value : source.type === "TemplateLiteral" ? source.quasis[0].value.cooked : "";
          if (/^[^./]/.test(name)) named.push(`${file}: ${name}`);
        }
        return typeof at === "bigint" ? null : at;
      });
    expect(named).toEqual([]);
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
  test.each(entries)("%s loads five files at most, or six", (entry) => {
    expect(loaded(join(root, entry)).length).toBeLessThanOrEqual(entry.includes("onnxruntime") ? 6 : 5);
  });

  test.each([...inNode, "./dist/cli.js"])("%s loads eight files at most", (entry) => {
    expect(loaded(join(root, entry)).length).toBeLessThanOrEqual(8);
  });

  test("the root is read to 280 KiB: what explains, draws, parses, compiles and computes waits for its first call", () => {
    const bytes = loaded(join(root, "dist/node-index.js")).map((file) => readFileSync(file).length);
    expect(bytes.reduce((sum, n) => sum + n, 0)).toBeLessThanOrEqual(280 * 1024);
  });

  test.each(targets)("$default and the file for Node export the same names", async (target) => {
    const [whole, waiting]: [object, object] = await Promise.all([
      import(join(root, target.default)),
      import(join(root, target["module-sync"].node)),
    ]);
    expect(Object.keys(waiting)).toEqual(Object.keys(whole));
  });

  const uses = `const x = m.variable(3, "x");
    console.log(JSON.stringify([
      m.read(m.expr\`\${x}^2 + 1\`), m.explain(m.mul(x, x)).text().includes("switcher"), m.draw(m.mul(x, x)).startsWith("<svg"),
      m.toArray(m.inverse(m.tensor([[2, 0], [0, 4]]))), m.toArray(m.vmap((v) => m.square(v))(m.tensor([1, 2]))), m.read(m.erf(0)),
    ]));
    m.compile(m.graph({ a: m.f64() }, ({ a }) => ({ b: m.mul(a, a) })), m.reference()).then((p) => console.log(m.read(p.run({ a: 3 }).b)));
    try { m.parse("x +"); } catch (error) { console.log(error instanceof m.ParseError, error instanceof m.ChainruleError); }`;

  test.each([
    ["imported", "--input-type=module", `import * as m from "chainrule"; ${uses}`],
    ["required", "--input-type=commonjs", `const m = require("chainrule"); ${uses}`],
  ])("parts that wait are there when they are called: %s", (_, type, code) => {
    const { stdout, stderr } = spawnSync(process.execPath, [type, "-e", code], { cwd: root, encoding: "utf8" });
    expect(stderr).toBe("");
    expect(stdout).toBe(`[10,true,true,[[0.5,0],[0,0.25]],[1,4],0]\ntrue true\n9\n`);
  });

  test("a bundler for Node takes the whole modules, and what it makes needs no file beside it", async () => {
    const code = await bundle({ user: 'import { explain } from "chainrule"; export { explain };' }, true, "node");
    expect(code).not.toContain("createRequire");
  });
});
