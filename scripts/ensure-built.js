import { spawnSync } from "node:child_process";
import { existsSync, readdirSync, statSync } from "node:fs";
import { root } from "./entries.js";

const stamp = `${root}dist/index.js`;
const inputs = [
  "src",
  "studio",
  "package.json",
  "tsconfig.base.json",
  "tsconfig.build.json",
  "scripts/build.js",
  "scripts/entries.js",
  "scripts/lazy-modules.js",
];

/**
 * When the newest of a file, or of a folder and everything below it, was changed. Folders count too: deleting a file changes its folder.
 *
 * @param {string} path
 * @returns {number}
 */
function newest(path) {
  const { mtimeMs } = statSync(path);
  if (!statSync(path).isDirectory()) return mtimeMs;
  return Math.max(mtimeMs, ...readdirSync(path).map((name) => newest(`${path}/${name}`)));
}

/**
 * Whether `dist` is missing or older than what it is made of. The build gives `dist/index.js` the time at which it began.
 *
 * @returns {boolean}
 */
export function isStale() {
  if (!existsSync(stamp)) return true;
  const built = statSync(stamp).mtimeMs;
  return inputs.some((input) => newest(root + input) > built);
}

/** Builds `dist` if it is missing or stale; ends the process if that fails. Speaks on stderr only, so that `--json` output stays clean. */
export function ensureBuilt() {
  if (!isStale()) return;
  if (!existsSync(`${root}node_modules/rolldown`)) {
    console.error("chainrule: dist is missing or older than src and the tools to build it are not installed; run `npm ci` first");
    process.exit(1);
  }
  const { status } = spawnSync(process.execPath, [`${root}scripts/build.js`], { cwd: root, stdio: ["ignore", 2, 2] });
  if (status !== 0) process.exit(1);
}

if (process.argv[1] && import.meta.filename === process.argv[1]) ensureBuilt();
