// The goldens: inputs as GradBench sends them with the outputs of its reference, and how far two outputs are apart.
import { readFileSync } from "node:fs";
import { join } from "node:path";

/** @typedef {{ function: string, description: string, input: unknown, output: unknown }} Golden */

/**
 * @param {string} folder with goldens/ and data/ in it
 * @param {string} name of the eval
 * @returns {Golden[]}
 */
export function goldens(folder, name) {
  const lines = readFileSync(join(folder, "goldens", `${name}.jsonl`), "utf8").split("\n");
  return lines
    .filter((line) => line !== "")
    .map((line) => {
      const { input_files: files, ...golden } = JSON.parse(line);
      return files === undefined ? golden : { ...golden, input: readInput(folder, files) };
    });
}

/** @param {string} text */
const numbers = (text) =>
  text
    .split(/\s+/)
    .filter((word) => word !== "")
    .map(Number);

/**
 * @param {string} folder
 * @param {Record<string, string | boolean>} files
 */
function readInput(folder, files) {
  /** @param {string | boolean | undefined} path */
  const lines = (path) =>
    readFileSync(join(folder, String(path)), "utf8")
      .split("\n")
      .filter((line) => line.trim() !== "");
  const runs = { min_runs: 1, min_seconds: 0 };
  const instance = lines(files["instance"]);
  if (files["model"] === undefined) {
    const [sizes = "", cam = "", x = "", w = "", feat = ""] = instance;
    const [n, m, p] = numbers(sizes);
    return { n, m, p, cam: numbers(cam), x: numbers(x), w: Number(w), feat: numbers(feat), ...runs };
  }
  const count = /** @type {number} */ (numbers(instance[0] ?? "")[0]);
  const places = instance.slice(1, count + 1).map(numbers);
  const us = files["us"] === true ? instance.slice(count + 1, 2 * count + 1).map(numbers) : [];
  return {
    theta: instance.slice(1 + count + us.length).map(Number),
    us,
    data: {
      model: readModel(lines, String(files["model"])),
      correspondences: places.map(([i]) => i),
      points: places.map((line) => line.slice(1)),
    },
    ...runs,
  };
}

/**
 * @param {(path: string) => string[]} lines
 * @param {string} folder
 */
function readModel(lines, folder) {
  const bones = lines(`${folder}/bones.txt`).map((line) => line.split(":"));
  const vertices = lines(`${folder}/vertices.txt`).map((line) => line.split(":").map(Number));
  /** @param {string[]} words */
  const square = (words) => [0, 4, 8, 12].map((i) => words.slice(i, i + 4).map(Number));
  return {
    bone_count: bones.length,
    bone_names: bones.map(([name]) => name),
    parents: bones.map(([, parent]) => Number(parent)),
    base_relatives: bones.map((bone) => square(bone.slice(2, 18))),
    inverse_base_absolutes: bones.map((bone) => square(bone.slice(18, 34))),
    base_positions: vertices.map((v) => [...v.slice(0, 3), 1]),
    weights: vertices.map((v) => {
      const row = new Array(bones.length).fill(0);
      for (let i = 0; i < /** @type {number} */ (v[8]); i++) row[/** @type {number} */ (v[9 + 2 * i])] = v[10 + 2 * i];
      return row;
    }),
    triangles: lines(`${folder}/triangles.txt`).map((line) => line.split(":").map(Number)),
    is_mirrored: false,
  };
}

/**
 * How far an output is from the reference's: the largest |a - b| / max(1, |a| + |b|), GradBench's measure, for which it allows 1e-4. Infinite
 * where structure or kind differ.
 *
 * @param {unknown} a
 * @param {unknown} b
 * @returns {number}
 */
export function distance(a, b) {
  if (typeof a === "number" && typeof b === "number") return Math.abs(a - b) / Math.max(1, Math.abs(a) + Math.abs(b));
  if (typeof a !== "object" || typeof b !== "object" || a === null || b === null || Array.isArray(a) !== Array.isArray(b)) return Infinity;
  const keys = Object.keys(b);
  if (keys.length !== Object.keys(a).length) return Infinity;
  let worst = 0;
  for (const key of keys) {
    if (!Object.hasOwn(a, key)) return Infinity;
    worst = Math.max(worst, distance(/** @type {Record<string, unknown>} */ (a)[key], /** @type {Record<string, unknown>} */ (b)[key]));
  }
  return worst;
}
