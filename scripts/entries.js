import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

/** The folder of the project, with a slash at its end. */
export const root = fileURLToPath(new URL("../", import.meta.url));

/** @typedef {{ name: string, subpath: string, source: string, file: string }} Entry */

/**
 * What users can import, read off `exports` in package.json, the one list of entries: `./testing` is `dist/testing.js`, made from `src/testing.ts`.
 *
 * @returns {Entry[]}
 */
export function entries() {
  /** @type {{ exports: Record<string, string | { default: string }> }} */
  const { exports } = JSON.parse(readFileSync(`${root}package.json`, "utf8"));
  return Object.entries(exports).flatMap(([subpath, target]) => {
    if (typeof target === "string") return [];
    const name = target.default.replace(/^\.\/dist\//, "").replace(/\.js$/, "");
    return [{ name, subpath, source: `src/${name}.ts`, file: `dist/${name}.js` }];
  });
}
