// Builds the studio: a static site that works from any host and folder (relative addresses), made of the library's sources by its public entries.
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { rolldown } from "rolldown";
import { transformSync } from "rolldown/utils";
import { defineConfig, type Plugin, type UserConfig } from "vite";
import { contentSecurityPolicy } from "../src/cli/studio/headers.ts";

const here = (path: string): string => fileURLToPath(new URL(path, import.meta.url));

/** Says the page's policy in the page too, for hosts that send no headers. */
function policy(): Plugin {
  return {
    name: "policy",
    apply: "build",
    transformIndexHtml: () => [
      { tag: "meta", injectTo: "head-prepend", attrs: { "http-equiv": "Content-Security-Policy", content: contentSecurityPolicy } },
    ],
  };
}

/** The names of the library's entries beside the main one. */
function entryNames(): string[] {
  const { exports }: { exports: Record<string, unknown> } = JSON.parse(readFileSync(here("../package.json"), "utf8"));
  return Object.keys(exports).flatMap((name) => (/^\.\/[a-z]+$/.test(name) ? [name.slice(2)] : []));
}

const library = [
  { find: /^chainrule$/, replacement: here("../src/index.ts") },
  { find: /^chainrule\/(.+)$/, replacement: `${here("../src/")}$1.ts` },
];

/** Counts the nodes of a program where they are made, so that it does not matter which part of the library makes them. */
function countedNodes(): { name: string; transform(code: string, id: string): { code: string; map: null } | null } {
  const made = "this.serial = ++counter;";
  return {
    name: "counted-nodes",
    transform(code, id) {
      if (!id.endsWith("/src/ir/node.ts")) return null;
      if (code.split(made).length !== 2) throw new Error(`counted-nodes: ir/node.ts has not exactly one "${made}"`);
      return {
        code: `import { mostNodes, tooManyNodes } from ${JSON.stringify(here("code/limits.ts"))};\n${code.replace(made, `${made} if (counter > mostNodes) tooManyNodes();`)}`,
        map: null,
      };
    },
  };
}

/**
 * The Code tab's sandbox: the frame, whose policy allows one inline script, scripts and a worker made of texts it is given, and nothing else; and the
 * library as one script without imports, because the frame may load nothing.
 */
function codeSandbox(): Plugin {
  const name = "virtual:code-sandbox";
  return {
    name: "code-sandbox",
    apply: "build",
    resolveId: (id) => (id === name ? `\0${name}` : null),
    async load(id) {
      if (id !== `\0${name}`) return null;
      const script = readFileSync(here("code/frame.js"), "utf8");
      const hash = createHash("sha256").update(script).digest("base64");
      const policy = `default-src 'none'; script-src 'sha256-${hash}' blob: 'wasm-unsafe-eval'; worker-src blob: data:; base-uri 'none'; form-action 'none'`;
      const frame = this.emitFile({
        type: "asset",
        name: "frame.html",
        source: `<!doctype html><html lang="en"><head><meta charset="utf-8"><meta http-equiv="Content-Security-Policy" content="${policy}"><title>program</title><script>${script}</script></head></html>\n`,
      });
      const build = await rolldown({
        cwd: here("."),
        input: here("code/prelude.ts"),
        external: /^node:/,
        platform: "browser",
        resolve: {
          alias: {
            chainrule: here("../src/index.ts"),
            ...Object.fromEntries(entryNames().map((n) => [`chainrule/${n}`, here(`../src/${n}.ts`)])),
          },
        },
        plugins: [countedNodes()],
        onLog: () => undefined,
      });
      // The library keeps what the program has no more (see prelude.ts). It is strict, as modules are: functions that are not tell who called them.
      const kept =
        "WebAssembly, Worker, MessageChannel, Blob, Response, CompressionStream, DecompressionStream, ReadableStream, OffscreenCanvas, createImageBitmap";
      const intro = `"use strict"; const { ${kept} } = globalThis;`;
      const { output } = await build.generate({ format: "iife", minify: true, keepNames: true, codeSplitting: false, intro });
      const source = output[0].code;
      const ref = this.emitFile({ type: "asset", name: "code-library.js", source });
      return `export const frameUrl = import.meta.ROLLUP_FILE_URL_${frame};\nexport const preludeUrl = import.meta.ROLLUP_FILE_URL_${ref};`;
    },
  };
}

/** Writes `sw.js`, which keeps every file of the build for reading without a network. */
function offline(): Plugin {
  return {
    name: "offline",
    apply: "build",
    enforce: "post",
    generateBundle(_, bundle) {
      const hash = createHash("sha256");
      const names = Object.values(bundle)
        .map((file) => {
          hash.update(file.fileName).update(file.type === "chunk" ? file.code : file.source);
          return file.fileName;
        })
        .sort();
      const frame = names.find((name) => /^assets\/frame-[\w-]+\.html$/.test(name));
      if (frame === undefined) throw new Error("offline: the build has no frame for programs");
      const files = {
        version: hash.digest("base64url").slice(0, 12),
        names: ["./", ...names.filter((name) => name !== "index.html")],
        frame,
      };
      const { code } = transformSync("offline.ts", readFileSync(here("offline.ts"), "utf8"));
      this.emitFile({ type: "asset", fileName: "sw.js", source: `const chainruleFiles = ${JSON.stringify(files)};\n${code}` });
    },
  };
}

/**
 * Addresses in the library's sources that stand for files of the library's build. The engine's own worker is made of its source here, as any worker of
 * the page; the others are told apart from files that the page would have to bring.
 */
function libraryAddresses(): Plugin {
  return {
    name: "library-addresses",
    enforce: "pre",
    transform(code, id) {
      if (!/\/src\/(engines\/wasm\/remote|ir\/trace)\.ts$/.test(id)) return null;
      return {
        code: code
          .replace('new Worker(new URL("./wasm-worker.js"', 'new Worker(new URL("./worker-main.ts"')
          .replace(/new URL\(("\.\/wasm-worker\.js"|"\.\.")/g, "new URL(/* @vite-ignore */ $1"),
        map: null,
      };
    },
  };
}

/** Of the formulas' fonts only the form that every browser of today reads. */
function fontsOnce(): Plugin {
  return {
    name: "fonts-once",
    enforce: "pre",
    transform: (code, id) =>
      /katex[^/]*\.css$/.test(id) ? code.replace(/,\s*url\([^)]*\.(?:woff|ttf)\)\s*format\(["'](?:woff|truetype)["']\)/g, "") : null,
  };
}

const config: UserConfig = defineConfig({
  root: here("."),
  base: "./",
  publicDir: "public",
  resolve: {
    alias: library,
  },
  oxc: { jsx: { runtime: "automatic", importSource: "preact" } },
  plugins: [libraryAddresses(), fontsOnce(), policy(), codeSandbox(), offline()],
  worker: { format: "es", plugins: () => [libraryAddresses()], rolldownOptions: { checks: { pluginTimings: false } } },
  build: {
    rolldownOptions: { checks: { pluginTimings: false } },
    outDir: here("../dist/studio"),
    emptyOutDir: true,
    target: "es2023",
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
  },
  server: {
    headers: { "Cross-Origin-Opener-Policy": "same-origin", "Cross-Origin-Embedder-Policy": "require-corp" },
  },
});
export default config;
