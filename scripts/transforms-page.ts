// docs/transforms/ops.md, made from the laws: which transforms work for which op is what the laws find when they are run, not what somebody wrote down.
import { drawsFrom } from "../src/check/draws.ts";
import { type Law, laws } from "../src/check/laws.ts";
import { pointAt } from "../src/check/point.ts";
import type { AnyOp } from "../src/ir/op.ts";
import { drawCase, isOp, ops } from "../test/laws/samplers.ts";

/** The columns: the transform, and the law that holds it. */
const columns: readonly (readonly [string, string])[] = [
  ["`vjp`, `grad`", "vjp = differences"],
  ["`jvp`", "<ct, jvp v> = <vjp ct, v>"],
  ["second order", "second derivatives four ways"],
  ["`vmap`", "vmap = stack"],
  ["`print`, `parse`", "text round trip"],
];

/** How many cases are drawn for an op: each law must have had something to say at one of them. */
const cases = 8;

/** What a law says of an op over several cases. */
function verdict(name: string, law: Law): string {
  let spoke = 0;
  for (let seed = 1; seed <= cases && spoke < 1; seed++) {
    const at = Math.imul(seed, 2654435761) | 0;
    const found = law(pointAt(drawCase(name, drawsFrom(at)), drawsFrom(at ^ 0x5bd1e995)));
    if (typeof found === "string") return `no: ${found}`;
    if (found === null) spoke++;
  }
  return spoke > 0 ? "yes" : "";
}

function reachText(op: AnyOp): string {
  if (op.pull === null) return "";
  if (op.facts.reach === "moves") return "moves";
  if (op.facts.reach === "lines") return "line";
  return op.batch === "elementwise" ? "element" : "";
}

/** The page. */
export function transformsPage(): string {
  const out = [
    "# Transforms and ops",
    "",
    'Made by running the laws over every op (`npm run docs`); do not edit. "yes": the law held at what was drawn (`npm test` draws more); empty: it has nothing to say, as of the derivative of',
    "whole numbers. The columns are one law each: reverse mode against differences; forward against reverse mode; second derivatives by forward over reverse, reverse over reverse, reverse",
    "over forward and differences; `vmap` against the stack of its examples, in value, in both derivatives, per example and nested; graphs printed and read back. `jacobian`, `hessian`, `hvp` and",
    'sparse derivatives are made of these. "Pattern" is what `sparsity` takes an element of the result to depend on: the element beside it, the one that is moved there, its line along an axis; empty: what',
    "its rule says, or everything. Functions made of ops have what those have.",
    "",
    `| op | ${columns.map(([title]) => title).join(" | ")} | pattern |`,
    `|---|${columns.map(() => "---").join("|")}|---|`,
  ];
  let yes = 0;
  for (const name of [...ops.keys()].sort()) {
    const op = ops.get(name);
    const cells = columns.map(([, law]) => verdict(name, laws[law]!));
    yes += cells.filter((c) => c === "yes").length;
    out.push(`| \`${name}\` | ${cells.join(" | ")} | ${isOp(op) ? reachText(op) : "of its ops"} |`);
  }
  return `${out.join("\n")}\n\n${ops.size} functions, ${yes} times yes.\n`;
}
