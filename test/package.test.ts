import { execFileSync, spawnSync } from "node:child_process";
import { closeSync, existsSync, mkdtempSync, openSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, test } from "vitest";

const root: string = fileURLToPath(new URL("../", import.meta.url));
const { version }: { version: string } = JSON.parse(readFileSync(join(root, "package.json"), "utf8"));

/** What npm sets for its scripts would tell the npm started here that it works on this project. */
const env: NodeJS.ProcessEnv = Object.fromEntries(Object.entries(process.env).filter(([name]) => !/^npm_/i.test(name)));

let folder: string;
let packed: string[];

function npm(args: readonly string[], cwd: string): string {
  return execFileSync("npm", [...args], { cwd, env, encoding: "utf8", stdio: ["ignore", "pipe", "pipe"] });
}

function run(file: string, ...args: string[]): { status: number | null; stdout: string; stderr: string } {
  return spawnSync(process.execPath, [file, ...args], { cwd: folder, env, encoding: "utf8" });
}

/** Type-checks one file of the project that installed the package; the compiler's messages, or nothing. */
function typecheck(text: string, options: Record<string, unknown>): string {
  writeFileSync(join(folder, "consumer.ts"), text);
  const compilerOptions = { noEmit: true, strict: true, target: "es2023", lib: ["es2023", "dom"], types: [], ...options };
  writeFileSync(join(folder, "tsconfig.json"), JSON.stringify({ compilerOptions, files: ["consumer.ts"] }));
  return run(join(root, "node_modules/typescript/bin/tsc"), "-p", ".").stdout;
}

beforeAll(() => {
  execFileSync(process.execPath, ["scripts/ensure-built.js"], { cwd: root });
  folder = mkdtempSync(join(tmpdir(), "chainrule-package-"));
  const report: { filename: string; files: { path: string }[] }[] = JSON.parse(npm(["pack", "--json", "--pack-destination", folder], root));
  packed = report[0]!.files.map(({ path }) => path);
  writeFileSync(join(folder, "package.json"), JSON.stringify({ name: "consumer", version: "1.0.0", private: true, type: "module" }));
  npm(["install", "--offline", "--no-audit", "--no-fund", "--ignore-scripts", `./${report[0]!.filename}`], folder);
});

afterAll(() => {
  rmSync(folder, { recursive: true, force: true });
});

describe("the packed package", () => {
  test("holds the build and its papers, and nothing else", () => {
    expect(packed).toEqual(
      expect.arrayContaining([
        "package.json",
        "LICENSE",
        "bin/chainrule.js",
        "dist/index.js",
        "dist/studio/index.html",
        "dist/types/index.d.ts",
      ]),
    );
    const allowed =
      /^(package\.json|(?:README|ARCHITECTURE|CONTRIBUTING|CHANGELOG)\.md|LICENSE|docs\/.*\.(?:md|svg|png)|bench\/(?:README|RESULTS)\.md|bin\/.*\.js|dist\/[^/]*\.js|dist\/studio\/index\.html|dist\/studio\/sw\.js|dist\/studio\/assets\/[^/]+|dist\/types\/.*\.d\.ts)$/;
    expect(packed.filter((path) => !allowed.test(path))).toEqual([]);
  });

  test("has no dependency", () => {
    const installed: { dependencies?: object; optionalDependencies?: object } = JSON.parse(
      readFileSync(join(folder, "node_modules/chainrule/package.json"), "utf8"),
    );
    expect(installed.dependencies ?? {}).toEqual({});
    expect(installed.optionalDependencies ?? {}).toEqual({});
  });
});

describe("installed elsewhere", () => {
  test("it is imported and computes a gradient", () => {
    writeFileSync(
      join(folder, "use.js"),
      `import { add, gradients, mul, read, variable } from "chainrule";
       const x = variable(-2, "x"), y = variable(5, "y"), z = variable(-4, "z");
       const q = add(x, y), f = mul(q, z);
       const { dx, dy, dz, dq } = gradients(f, { dx: x, dy: y, dz: z, dq: q });
       console.log(JSON.stringify([f, dx, dy, dz, dq].map((v) => read(v))));`,
    );
    expect(run("use.js")).toMatchObject({ status: 0, stderr: "", stdout: "[-12,-4,-4,3,-4]\n" });
  });

  test("its subpaths are imported, what is inside is not", () => {
    writeFileSync(join(folder, "subpaths.js"), 'import * as testing from "chainrule/testing"; console.log(typeof testing.checkGradients);');
    expect(run("subpaths.js")).toMatchObject({ status: 0, stdout: "function\n" });
    writeFileSync(join(folder, "inside.js"), 'import "chainrule/dist/index.js";');
    expect(run("inside.js").stderr).toContain("ERR_PACKAGE_PATH_NOT_EXPORTED");
  });

  test("its command runs", () => {
    const command = "node_modules/chainrule/bin/chainrule.js";
    expect(run(command, "--version")).toMatchObject({ status: 0, stderr: "" });
    expect(run(command, "--version").stdout).toContain(version);
    const { status, stdout } = run(command, "explain", "(x + y) * z", "x=-2", "y=5", "z=-4", "--json");
    expect(status).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({ value: -12, gradients: { x: -4, y: -4, z: 3 } });
    expect(execFileSync(join(folder, "node_modules/.bin/chainrule"), ["--version"], { env, encoding: "utf8" })).toContain(version);
  });

  test.skipIf(!existsSync("/dev/full"))("an answer that cannot be written is told in a line, with the exit code of bad input", () => {
    const full = openSync("/dev/full", "w");
    const args = ["node_modules/chainrule/bin/chainrule.js", "grad", "x^2", "x=3"];
    const { status, stderr } = spawnSync(process.execPath, args, { cwd: folder, env, encoding: "utf8", stdio: ["ignore", full, "pipe"] });
    closeSync(full);
    expect({ status, stderr }).toEqual({ status: 2, stderr: "chainrule: cannot write to standard output: the disk is full\n" });
  });

  const program = `import { gradients, mul, read, variable, type Value } from "chainrule";
    import { checkGradients } from "chainrule/testing";
    const x: Value = variable(3, "x");
    const { dx } = gradients(mul(x, x), { dx: x });
    export const slope: number = read(dx);
    export const check: unknown = checkGradients;\n`;

  test.each([
    ["nodenext", { module: "nodenext", moduleResolution: "nodenext" }],
    ["bundler", { module: "esnext", moduleResolution: "bundler" }],
  ])("its types resolve with %s", (_, options) => {
    expect(typecheck(program, options)).toBe("");
  });

  test("its types, of every entry, need no more than Node's where there is no page", () => {
    const { exports }: { exports: Record<string, unknown> } = JSON.parse(readFileSync(join(root, "package.json"), "utf8"));
    const entries = Object.keys(exports).filter((path) => !path.endsWith(".json"));
    const lines = entries.map((path, i) => `export * as e${i} from "${path.replace(".", "chainrule")}";`);
    const nodeAlone = { lib: ["es2022"], target: "es2022", types: ["node"], typeRoots: [join(root, "node_modules/@types")] };
    expect(typecheck(lines.join("\n"), { module: "nodenext", moduleResolution: "nodenext", skipLibCheck: false, ...nodeAlone })).toBe("");
  });

  test("its types refuse a mistake", () => {
    const wrong = `${program}export const wrong: string = read(dx);\n`;
    expect(typecheck(wrong, { module: "nodenext", moduleResolution: "nodenext" })).toContain(
      "Type 'number' is not assignable to type 'string'",
    );
  });
});
