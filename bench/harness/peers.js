import { spawnSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { load } from "../peers/load.js";
import { pythonWith } from "./python.js";

/** The peers' folder, with a slash at its end. It alone is a package of its own, so that the rest of `bench` can import "chainrule". */
export const here = fileURLToPath(new URL("../peers/", import.meta.url));

/** Peers that are on GitHub alone: built by `peers/fetch.js` into `peers/built/NAME.js`. */
export const sources = JSON.parse(readFileSync(`${here}sources.json`, "utf8"));

/**
 * The version of a peer, or null when it is not installed.
 *
 * @param {string} name
 * @returns {string | null}
 */
export function versionOf(name) {
  const source = sources[name];
  if (source !== undefined) return existsSync(`${here}built/${name}.js`) ? `commit ${source.commit.slice(0, 8)}` : null;
  const file = `${here}node_modules/${name}/package.json`;
  return existsSync(file) ? JSON.parse(readFileSync(file, "utf8")).version : null;
}

/**
 * A peer's module, or null when it is not installed.
 *
 * @param {string} name
 * @returns {Promise<any>}
 */
export async function peer(name) {
  if (versionOf(name) === null) return null;
  return sources[name] === undefined ? load(name) : import(`${here}built/${name}.js`);
}

/** The version of a package of ONNX Runtime, which the project itself has in development, or null. @param {string} name @returns {string | null} */
export function versionOfOrt(name) {
  const file = fileURLToPath(new URL(`../../node_modules/${name}/package.json`, import.meta.url));
  return existsSync(file) ? JSON.parse(readFileSync(file, "utf8")).version : null;
}

/** What this machine has of the peers that are no packages of this folder, as lines for the head of the results: each absent one is named. @returns {string[]} */
export function elsewhere() {
  const names = /** @type {const} */ ({ torch: "PyTorch", jax: "JAX", casadi: "CasADi" });
  const found = Object.entries(names).map(([module, name]) => `${name} ${pythonWith(module)?.version ?? "absent: no Python here has it"}`);
  for (const name of ["onnxruntime-node", "onnxruntime-web"]) found.push(`${name} ${versionOfOrt(name) ?? "absent: not installed here"}`);
  const { status, stdout } = spawnSync("gcc", ["-dumpfullversion"], { encoding: "utf8" });
  found.push(status === 0 ? `C by gcc ${stdout.trim()}` : "C absent: there is no gcc here");
  return found;
}
