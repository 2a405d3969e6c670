// Builds the studio: a static site that works from any host and folder (relative addresses), made of the library's sources by its public entries.
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
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
      const files = { version: hash.digest("base64url").slice(0, 12), names: ["./", ...names.filter((name) => name !== "index.html")] };
      const { code } = transformSync("offline.ts", readFileSync(here("offline.ts"), "utf8"));
      this.emitFile({ type: "asset", fileName: "sw.js", source: `const chainruleFiles = ${JSON.stringify(files)};\n${code}` });
    },
  };
}

const config: UserConfig = defineConfig({
  root: here("."),
  base: "./",
  publicDir: "public",
  resolve: {
    alias: [
      { find: /^chainrule$/, replacement: here("../src/index.ts") },
      { find: /^chainrule\/(.+)$/, replacement: `${here("../src/")}$1.ts` },
    ],
  },
  oxc: { jsx: { runtime: "automatic", importSource: "preact" } },
  plugins: [policy(), offline()],
  worker: { format: "es" },
  build: { outDir: here("../dist/studio"), emptyOutDir: true, target: "es2023", assetsInlineLimit: 0, modulePreload: { polyfill: false } },
  server: {
    headers: { "Cross-Origin-Opener-Policy": "same-origin", "Cross-Origin-Embedder-Policy": "require-corp" },
  },
});
export default config;
