// Builds the studio: a static site that works from any host and folder (relative addresses), made of the library's sources by its public entries.
import { fileURLToPath } from "node:url";
import { defineConfig, type UserConfig } from "vite";

const here = (path: string): string => fileURLToPath(new URL(path, import.meta.url));

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
  worker: { format: "es" },
  build: { outDir: here("../dist/studio"), emptyOutDir: true, target: "es2023", assetsInlineLimit: 0, modulePreload: { polyfill: false } },
  server: {
    headers: { "Cross-Origin-Opener-Policy": "same-origin", "Cross-Origin-Embedder-Policy": "require-corp" },
  },
});
export default config;
