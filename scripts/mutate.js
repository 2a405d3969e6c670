// `npm run mutate`: breaks the derivative rules of the declarations one at a time and sees whether the laws notice.
// Each mutant is bundled from a scratch copy and runs the laws of the ops that its file declares. Options: --only PART of a file name,
// --runs N cases an op (8), --seed S (1), --write to put the result into docs/reliability.md.
import { spawnSync } from "node:child_process";
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { rolldown } from "rolldown";
import { parseSync } from "rolldown/utils";
import { root } from "./entries.js";

const { values } = parseArgs({
  options: {
    only: { type: "string", default: "" },
    runs: { type: "string", default: "8" },
    seed: { type: "string", default: "1" },
    write: { type: "boolean", default: false },
  },
});

/** @typedef {{ type: string, start: number, end: number } & Record<string, unknown>} Syntax */
/** @typedef {{ file: string, from: number, to: number, text: string, kind: string }} Mutant */

/**
 * @param {unknown} x
 * @returns {x is Syntax}
 */
const isSyntax = (x) => typeof x === "object" && x !== null && typeof (/** @type {{ type?: unknown }} */ (x).type) === "string";

/**
 * Every syntax node below one, itself included.
 *
 * @param {unknown} start
 * @returns {Syntax[]}
 */
function below(start) {
  /** @type {Syntax[]} */
  const found = [];
  /** @type {unknown[]} */
  const open = [start];
  while (open.length > 0) {
    const x = open.pop();
    if (Array.isArray(x)) open.push(...x);
    else if (isSyntax(x)) {
      found.push(x);
      open.push(...Object.values(x));
    }
  }
  return found;
}

/** @param {Syntax} node */
const nameOf = (node) => (isSyntax(node["callee"]) ? String(node["callee"]["name"]) : "");
/** @param {Syntax} property */
const keyOf = (property) => (isSyntax(property["key"]) ? String(property["key"]["name"]) : "");

/**
 * The mutants of one file: inside `vjp`, `jvp` and `d` rules, and in the backward walk.
 *
 * @param {string} file
 * @returns {Mutant[]}
 */
function mutantsOf(file) {
  const source = readFileSync(root + file, "utf8");
  const { program } = parseSync(file, source);
  const rules = below(program).filter(
    (n) =>
      n.type === "Property" &&
      ["vjp", "jvp", "d"].includes(keyOf(n)) &&
      isSyntax(n["value"]) &&
      n["value"].type === "ArrowFunctionExpression",
  );
  /** @type {Map<string, Mutant>} */
  const found = new Map();
  /** @type {(node: Syntax, text: string, kind: string) => void} */
  const add = (node, text, kind) => {
    found.set(`${node.start} ${text}`, { file, from: node.start, to: node.end, text, kind });
  };
  /** @param {Syntax} n */
  const code = (n) => source.slice(n.start, n.end);
  for (const rule of rules) {
    const body = /** @type {Syntax} */ (rule["value"])["body"];
    for (const n of below(body)) {
      const args = /** @type {Syntax[]} */ (n["arguments"] ?? []);
      const [a, b] = args;
      if (n.type === "CallExpression" && a && b && ["mul", "chain", "div"].includes(nameOf(n))) {
        add(n, code(a), "factor dropped");
        if (nameOf(n) === "mul") add(n, code(b), "factor dropped");
      }
      if (n.type === "CallExpression" && a && b && nameOf(n) === "add") add(n, code(a), "term dropped");
      if (n.type === "CallExpression" && a && b && ["sub", "matmul"].includes(nameOf(n)))
        add(n, `${nameOf(n)}(${code(b)}, ${code(a)})`, "operands swapped");
      if (n.type === "CallExpression" && a && nameOf(n) === "neg") add(n, code(a), "sign flipped");
      if (n.type === "Literal" && typeof n["value"] === "number") {
        if (n["value"] !== 0) add(n, `(-${n["value"]})`, "sign flipped");
        add(n, String(n["value"] + 1), "number or axis shifted");
      }
      if (n.type === "CallExpression" && args.length > 1) {
        const last = /** @type {Syntax} */ (args[args.length - 1]);
        if (last.type === "ObjectExpression")
          for (const p of /** @type {Syntax[]} */ (last["properties"]))
            if (p.type === "Property") add(p, `${keyOf(p)}: undefined`, "attribute ignored");
      }
    }
    if (keyOf(rule) === "vjp")
      for (const n of below(body))
        if (n.type === "ReturnStatement" || n === body) {
          const object = n.type === "ReturnStatement" ? n["argument"] : n.type === "ParenthesizedExpression" ? n["expression"] : n;
          if (isSyntax(object) && object.type === "ObjectExpression")
            for (const p of /** @type {Syntax[]} */ (object["properties"]))
              if (p.type === "Property" && isSyntax(p["value"]) && code(p["value"]) !== "null")
                add(p, `${keyOf(p)}: null`, "operand dropped");
        }
  }
  return [...found.values()];
}

/** The backward walk itself: un-broadcasting and branch sums. */
function walkMutants() {
  const file = "src/autodiff/pullback.ts";
  const source = readFileSync(root + file, "utf8");
  return /** @type {[string, string, string][]} */ ([
    ["v = sumTo(v, x.type.shape)", "v = v", "un-broadcast left out"],
    ["branchSum(before, ct, node)", "ct", "branch dropped"],
  ]).flatMap(([text, to, kind]) => {
    const from = source.indexOf(text);
    return from < 0 ? [] : [{ file, from, to: from + text.length, text: to, kind }];
  });
}

const files = /** @type {string[]} */ (readdirSync(`${root}src/ops`, { recursive: true, encoding: "utf8" }))
  .map((f) => `src/ops/${f}`)
  .filter((f) => f.endsWith(".ts") && !f.includes("/kernels/") && !f.endsWith("define.ts") && f.includes(values.only));
const mutants = [...files.sort().flatMap(mutantsOf), ...("pullback".includes(values.only) ? walkMutants() : [])];

const scratch = mkdtempSync(join(tmpdir(), "chainrule-mutate-"));
process.on("exit", () => rmSync(scratch, { recursive: true, force: true }));
process.on("SIGINT", () => process.exit(130));
for (const part of ["src", "test/laws", "package.json"]) cpSync(root + part, join(scratch, part), { recursive: true });
symlinkSync(`${root}node_modules`, join(scratch, "node_modules"));
writeFileSync(
  join(scratch, "test/laws/mutant.ts"),
  `import { runLaws } from "./run-laws.ts";
import { ops } from "./samplers.ts";
const [names, runs, seed] = process.argv.slice(2) as [string, string, string];
const chosen = names === "" ? [...ops.keys()] : names.split(",").filter((n) => ops.has(n));
for (const name of chosen.length > 0 ? chosen : [...ops.keys()]) {
  const { broken } = runLaws(name, Number(runs), Number(seed));
  if (broken !== null) { console.log(name + ": " + broken.law); process.exit(9); }
}
`,
);

/** @param {string} file */
function opsIn(file) {
  const source = readFileSync(root + file, "utf8");
  const declared = [
    ...source.matchAll(/(?:declare<[\s\S]*?>|declare|unary|binary|choice|extreme|argExtreme|comparison)\(\s*"([A-Za-z0-9]+)"/g),
  ].map((m) => m[1]);
  const exported = [...source.matchAll(/^export (?:const|function) ([A-Za-z0-9]+)/gm)].map((m) => m[1]);
  return file.startsWith("src/ops") ? [...new Set([...declared, ...exported])].join(",") : "add,mul,where,sub";
}

/**
 * @param {string} names
 * @returns {Promise<"killed" | "survived" | "broken">}
 */
async function judge(names) {
  try {
    const build = await rolldown({ input: join(scratch, "test/laws/mutant.ts"), platform: "node", logLevel: "silent" });
    await build.write({ file: join(scratch, "mutant.mjs"), format: "esm" });
    await build.close();
  } catch {
    return "broken";
  }
  const { status, signal } = spawnSync(process.execPath, [join(scratch, "mutant.mjs"), names, values.runs, values.seed], {
    timeout: 60_000,
    encoding: "utf8",
  });
  return status === 0 ? "survived" : signal !== null || status !== null ? "killed" : "broken";
}

if ((await judge("")) !== "survived") throw new Error("mutate: the laws fail without a fault; mend that first");
/** @type {Mutant[]} */
const survivors = [];
let killed = 0;
for (const [i, m] of mutants.entries()) {
  const source = readFileSync(root + m.file, "utf8");
  writeFileSync(join(scratch, m.file), source.slice(0, m.from) + m.text + source.slice(m.to));
  const verdict = await judge(opsIn(m.file));
  writeFileSync(join(scratch, m.file), source);
  if (verdict === "killed") killed++;
  else if (verdict === "survived") survivors.push(m);
  if (process.stdout.isTTY) process.stdout.write(`\r${i + 1} of ${mutants.length}, ${survivors.length} survived `);
}
const judged = killed + survivors.length;
const share = judged === 0 ? "no mutants" : `${((100 * killed) / judged).toFixed(1)} %`;
/** @param {Mutant} m */
const line = ({ file, from, to, text, kind }) => {
  const source = readFileSync(root + file, "utf8");
  return `- ${file}:${source.slice(0, from).split("\n").length} ${kind}: \`${source.slice(from, to).replace(/\s+/g, " ").slice(0, 70)}\` -> \`${text.replace(/\s+/g, " ").slice(0, 50)}\``;
};
const result = `${killed} of ${judged} mutants killed (${share}), ${mutants.length - judged} did not build; ${values.runs} cases an op, seed ${values.seed}.`;
console.log(`\n${result}\n${survivors.map(line).join("\n")}`);
if (values.write) {
  const page = `# Reliability\n\n## Mutation run\n\n\`npm run mutate -- --write\`, ${new Date().toISOString().slice(0, 10)}, Node ${process.versions.node}: ${result}\n\nSurvivors:\n\n${survivors.map(line).join("\n") || "none"}\n`;
  writeFileSync(`${root}docs/reliability.md`, page);
}
