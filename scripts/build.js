// Builds dist: one file per entry of package.json with shared chunks, the command line program, the studio's site, and the type declarations.
// It works in a folder of its own and renames it at the end, so that a failed or a second build never leaves half a dist.
import { spawnSync } from "node:child_process";
import { chmodSync, existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, utimesSync, writeFileSync } from "node:fs";
import { rolldown } from "rolldown";
import { parseSync } from "rolldown/utils";
import { build as buildSite } from "vite";
import { entries, root } from "./entries.js";
import { lazyModules } from "./lazy-modules.js";

const began = new Date();
const work = `${root}dist-${process.pid}`;
const cli = { name: "cli", source: "src/cli/main.ts" };

/** Optional peers are loaded when they are asked for. */
const external = /^(node:|@resvg\/|onnxruntime-node$)/;
// Without comments and blanks the code is read twice as fast; names stay, for stack traces.
const minify = /** @type {const} */ ({ compress: false, mangle: false, codegen: { removeWhitespace: true } });
/** Chunks by folder, beside what each build puts into its core. */
const folders = [
  { name: "files", test: /[\\/]src[\\/](files|data)[\\/]/ },
  { name: "models", test: /[\\/]src[\\/]onnx[\\/]/ },
];

/** @type {import("rolldown").InputOptions} */
const common = {
  cwd: root,
  external,
  platform: "neutral",
  // How long the bundler's plugins take is a fact of the machine: on a busy one it would be a warning, and end the build.
  checks: { bundlerTimings: false },
  onLog: (level, log) => {
    if (level === "warn") throw new Error(log.message);
  },
};

/** @param {readonly { name: string, source: string }[]} targets */
function sourcesOf(targets) {
  const missing = targets.filter(({ source }) => !existsSync(root + source));
  if (missing.length > 0) throw new Error(`package.json names entries without a source: ${missing.map(({ source }) => source).join(", ")}`);
  return Object.fromEntries(targets.map(({ name, source }) => [name, root + source]));
}

/**
 * A change of the code of each file, when all else is done.
 * @param {string} name @param {(code: string, file: string) => string} change
 * @returns {import("rolldown").Plugin}
 */
const onFiles = (name, change) => ({
  name,
  generateBundle(_, bundle) {
    for (const chunk of Object.values(bundle)) if (chunk.type === "chunk") chunk.code = change(chunk.code, chunk.fileName);
  },
});

// V8 keeps a text in 16 bits a character, and reads it more slowly, once one is beyond Latin-1. A file with few of those has them escaped.
const narrow = onFiles("narrow", (code) => {
  const wide = code.match(/[^\0-\xff]/g)?.length ?? 0;
  return wide < code.length / 1000 ? code.replace(/[^\0-\xff]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`) : code;
});

/**
 * Statements that throw, and errors that a function makes for others to throw, are lines of their own: of an error that nobody catches Node prints
 * first the line on which it was made, and the code of a file is one.
 */
const throwsApart = onFiles("throws-apart", (code, file) => {
  /** @type {Set<number>} */
  const cuts = new Set();
  /** @param {unknown} node @param {{ start: number, end: number } | null} listed the statement of a list that it is in */
  const visit = (node, listed) => {
    if (Array.isArray(node)) {
      for (const one of node) visit(one, listed);
      return;
    }
    if (typeof node !== "object" || node === null) return;
    const { type, start, end } = /** @type {{ type?: string, start: number, end: number }} */ (node);
    if (type === "NewExpression" && /Error\b/.test(code.slice(start, /** @type {{ callee: { end: number } }} */ (node).callee.end))) {
      // Nothing may stand between these words and what follows them on their line.
      const word = /\b(?:return|throw|yield)\s*$/.exec(code.slice(Math.max(0, start - 12), start));
      for (const at of [start - (word?.[0].length ?? 0), end]) cuts.add(at);
    }
    if (type === "ThrowStatement") for (const at of [listed?.start ?? start, listed?.end ?? end]) cuts.add(at);
    for (const [key, value] of Object.entries(node)) {
      const list = Array.isArray(value) && (key === "body" || key === "consequent") && type !== "ClassBody";
      if (list) for (const one of value) visit(one, one);
      else visit(value, listed);
    }
  };
  visit(parseSync(file, code).program, null);
  const places = [0, ...[...cuts].sort((a, b) => a - b), code.length];
  return places
    .slice(1)
    .map((to, i) => code.slice(places[i], to))
    .join("\n");
});

/** For pages and bundlers: whole modules. */
async function bundle() {
  const build = await rolldown({ ...common, plugins: [throwsApart, narrow], input: sourcesOf(entries()) });
  await build.write({
    dir: work,
    format: "esm",
    entryFileNames: "[name].js",
    // Beside the entries, not in a folder: code finds wasm-worker.js next to itself, whether it is in an entry or shared by several.
    chunkFileNames: "shared-[name].js",
    minify,
    // What nearly every entry needs is one chunk: importing sixty small modules costs more than running them.
    codeSplitting: {
      groups: [
        {
          name: "core",
          // With patterns of names, which are small and used by most entries.
          test: /[\\/]src[\\/]((words|ir|ops|random|linalg|control|evaluate|notation|autodiff|passes|transforms)[\\/]|engines[\\/][^\\/]+$|optim[\\/]patterns\.ts$)/,
        },
        ...folders,
        { name: "reports", test: /[\\/]src[\\/]((check|draw|explain)[\\/]|train[\\/]metrics\.ts$)/ },
      ],
    },
  });
}

/** For Node: the same entries and the command line, with parts that are read when they are first called. */
async function bundleForNode() {
  const { plugin, waiting, partOf, entryOf } = lazyModules((part) => `./node-${part}.js`);
  const options = { ...common, plugins: [plugin] };
  const targets = sourcesOf([...entries(), ...(existsSync(root + cli.source) ? [cli] : [])]);
  /** @param {Record<string, string>} input */
  const modulesOf = async (input) =>
    (await (await rolldown({ ...options, input })).generate({ format: "esm" })).output.flatMap((o) =>
      o.type === "chunk" ? o.moduleIds : [],
    );
  const core = new Set(await modulesOf({ index: targets["index"] ?? "" }));
  const atOnce = new Set(await modulesOf(targets));
  const count = () => [...waiting.values()].reduce((sum, modules) => sum + modules.size, 0);
  /** With an entry for each part; which modules have stand-ins is known only when all that imports them has been seen. */
  const input = () => ({ ...targets, ...Object.fromEntries([...waiting.keys()].map((part) => [part, entryOf(part)])) });
  for (let before = -1; before !== count(); ) {
    before = count();
    await modulesOf(input());
  }
  const build = await rolldown({ ...options, plugins: [plugin, throwsApart, narrow], input: input() });
  await build.write({
    dir: work,
    format: "esm",
    entryFileNames: ({ name }) => (name === cli.name ? "cli.js" : `node-${name}.js`),
    chunkFileNames: "node-shared-[name].js",
    minify,
    codeSplitting: {
      groups: [
        { name: "core", priority: 2, test: (id) => core.has(id) },
        // What other entries need at once of folders whose functions wait.
        { name: "more", priority: 2, test: (id) => atOnce.has(id) && partOf(id) !== null },
        ...[...waiting.keys()].map((part) => ({ name: part, priority: 1, test: (/** @type {string} */ id) => partOf(id) === part })),
        ...folders,
        // The few files that the command line shares with its parts that are loaded later.
        {
          name: "command",
          test: /[\\/]src[\\/](train[\\/]metrics\.ts$|cli[\\/](usage-error|describe-error|io|colours|text-in|table-words)\.ts$)/,
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
  // Tests that find dist stale build it, and Vite would build their NODE_ENV: slower, larger elements that say where they were written.
  process.env["NODE_ENV"] = "production";
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
  // Who runs `npm start` for the first time waits for all of it.
  for (const [part, make] of /** @type {const} */ ([
    ["the library", bundle],
    ["the library for Node", bundleForNode],
    ["the worker", bundleWorker],
    ["the studio", site],
    ["the types", declare],
  ])) {
    console.error(`build: ${part}`);
    await make();
  }
  publish();
} catch (error) {
  console.error(`build: ${error instanceof Error ? error.message : String(error)}`);
  process.exitCode = 1;
} finally {
  rmSync(work, { recursive: true, force: true });
}
