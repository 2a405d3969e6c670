// Lines of code (neither blank nor comment alone) per folder of src, the long files, and the core a reader starts with.
import { readdirSync, readFileSync } from "node:fs";
import { root } from "./entries.js";

/** @param {string} text */
function lines(text) {
  let comment = false;
  let count = 0;
  for (const raw of text.split("\n")) {
    const line = raw.trim();
    if (!comment && line !== "" && !line.startsWith("//") && !line.startsWith("/*")) count += 1;
    if (!comment && line.startsWith("/*")) comment = true;
    if (comment && line.includes("*/")) comment = false;
  }
  return count;
}

const files = readdirSync(`${root}src`, { recursive: true, encoding: "utf8" })
  .map((file) => file.replaceAll("\\", "/"))
  .filter((file) => file.endsWith(".ts"))
  .map((file) => {
    const text = readFileSync(`${root}src/${file}`, "utf8");
    return { file, code: lines(text), all: text.split("\n").length - 1 };
  });

/** @param {number[]} numbers */
const total = (numbers) => numbers.reduce((sum, n) => sum + n, 0);
/** @param {number[]} numbers */
const median = (numbers) => numbers.sort((a, b) => a - b)[Math.floor(numbers.length / 2)] ?? 0;

const folders = [...new Set(files.map(({ file }) => (file.includes("/") ? (file.split("/")[0] ?? "") : ".")))].sort();
for (const folder of folders) {
  const inside = files.filter(({ file }) => (folder === "." ? !file.includes("/") : file.startsWith(`${folder}/`)));
  console.log(
    `${folder.padEnd(12)} ${String(inside.length).padStart(4)} files ${String(total(inside.map(({ code }) => code))).padStart(6)} lines`,
  );
}
// What a gradient goes through, from a node to its derivative; the rest of ir (dtypes, tensors, text, errors) can be looked up.
const inCore =
  /^ir\/(node|walk|leaf|type)\.ts$|^ops\/(define|identity)\.ts$|^evaluate\/|^autodiff\/(argument|pullback|pushforward|vjp)\.ts$/;
const core = files.filter(({ file }) => inCore.test(file));
console.log(`all          ${String(files.length).padStart(4)} files ${String(total(files.map(({ code }) => code))).padStart(6)} lines`);
console.log(
  `core (ir/node, walk, leaf and type; ops/define; evaluate; both walks of autodiff): ${total(core.map(({ code }) => code))} lines; median file: ${median(files.map(({ all }) => all))} lines`,
);
for (const { file, all } of files) if (all > 300) console.log(`long: src/${file} has ${all} lines`);
