// Builds dist: one file per entry of package.json with shared chunks, the command line program, the studio's site, and the type declarations.
// It works in a folder of its own and renames it at the end, so that a failed or a second build never leaves half a dist.
import { spawnSync } from "node:child_process";
import { chmodSync, existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, utimesSync, writeFileSync } from "node:fs";
import { rolldown } from "rolldown";
import { build as buildSite } from "vite";
import { entries, root } from "./entries.js";

const began = new Date();
const work = `${root}dist-${process.pid}`;
const cli = { name: "cli", source: "src/cli/main.ts" };

async function bundle() {
  const targets = existsSync(root + cli.source) ? [...entries(), cli] : entries();
  const missing = targets.filter(({ source }) => !existsSync(root + source));
  if (missing.length > 0) throw new Error(`package.json names entries without a source: ${missing.map(({ source }) => source).join(", ")}`);
  const build = await rolldown({
    cwd: root,
    input: Object.fromEntries(targets.map(({ name, source }) => [name, root + source])),
    // Optional peers are loaded when they are asked for.
    external: /^(node:|@resvg\/|onnxruntime-node$)/,
    platform: "neutral",
    onLog: (level, log) => {
      if (level === "warn") throw new Error(log.message);
    },
  });
  await build.write({
    dir: work,
    format: "esm",
    entryFileNames: "[name].js",
    // Beside the entries, not in a folder: code finds wasm-worker.js next to itself, whether it is in an entry or shared by several.
    chunkFileNames: "shared-[name].js",
    // Without comments and blanks the code is read twice as fast; names stay, for stack traces.
    minify: { compress: false, mangle: false, codegen: { removeWhitespace: true } },
    // What nearly every entry needs is one chunk: importing sixty small modules costs more than running them.
    codeSplitting: {
      groups: [
        {
          name: "core",
          // With patterns of names, which are small and used by most entries.
          test: /[\\/]src[\\/]((ir|ops|random|linalg|control|evaluate|notation|autodiff|passes|transforms)[\\/]|engines[\\/][^\\/]+$|optim[\\/]patterns\.ts$)/,
        },
        { name: "files", test: /[\\/]src[\\/](files|data)[\\/]/ },
        { name: "models", test: /[\\/]src[\\/]onnx[\\/]/ },
        // With the few files that the command line shares with its parts that are loaded later.
        {
          name: "reports",
          test: /[\\/]src[\\/]((check|draw|explain)[\\/]|train[\\/]metrics\.ts$|cli[\\/](usage-error|describe-error|io|colours|text-in)\.ts$)/,
        },
      ],
    },
  });
}

/** What the engine's workers run: one file with all it needs, so that a page loads it at once and its address is known. */
async function bundleWorker() {
  const build = await rolldown({ cwd: root, input: `${root}src/engines/wasm/worker-main.ts`, external: /^node:/, platform: "neutral" });
  await build.write({
    file: `${work}/wasm-worker.js`,
    format: "esm",
    codeSplitting: false,
    minify: true,
  });
}

/** The studio: a static site of its own, beside the entries. */
async function site() {
  await buildSite({ configFile: `${root}studio/vite.config.ts`, logLevel: "warn", build: { outDir: `${work}/studio`, emptyOutDir: true } });
}

function declare() {
  const { status } = spawnSync(
    process.execPath,
    [`${root}node_modules/typescript/bin/tsc`, "-p", "tsconfig.build.json", "--outDir", `${work}/types`],
    {
      cwd: root,
      stdio: ["ignore", 2, 2],
    },
  );
  if (status !== 0) throw new Error("the type declarations could not be made");
  // The compiler leaves "./name.ts" in declarations; "./name.js" is what every version and every way of resolving modules understands.
  for (const file of readdirSync(`${work}/types`, { recursive: true, encoding: "utf8" })) {
    if (!file.endsWith(".d.ts")) continue;
    const text = readFileSync(`${work}/types/${file}`, "utf8");
    writeFileSync(`${work}/types/${file}`, text.replace(/((?:from |import\()"\.\.?\/[^"]*)\.ts"/g, '$1.js"'));
  }
}

function publish() {
  const dist = `${root}dist`;
  const old = `${work}-old`;
  if (existsSync(`${work}/cli.js`)) chmodSync(`${work}/cli.js`, 0o755);
  utimesSync(`${work}/index.js`, began, began);
  for (let tries = 1; ; tries++) {
    try {
      if (existsSync(dist)) renameSync(dist, old);
      renameSync(work, dist);
      break;
    } catch (error) {
      // Another build put its own dist there in between; the later one wins.
      if (tries === 5) throw error;
    } finally {
      rmSync(old, { recursive: true, force: true });
    }
  }
}

try {
  mkdirSync(work);
  await bundle();
  await bundleWorker();
  await site();
  declare();
  publish();
} catch (error) {
  console.error(`build: ${error instanceof Error ? error.message : String(error)}`);
  process.exitCode = 1;
} finally {
  rmSync(work, { recursive: true, force: true });
}
