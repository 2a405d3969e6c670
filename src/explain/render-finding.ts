import type { Node } from "../ir/node.ts";
import type { Finding, GateFinding } from "./finding.ts";
import { numberText } from "./number-text.ts";
import { placeLines } from "./place.ts";
import { escapeLatex } from "./render-latex.ts";
import type { FindingWords } from "./words/finding-en.ts";

type Told = Omit<Finding, "text" | "markdown" | "latex" | "toJSON">;

const most = 5;
const longest = 12;

/** `f <- mul <- q1 <- relu <- q0`, or from an input forward. */
function route({ path, pathNames, pass }: Told, words: FindingWords): string {
  const one = (node: Node, i: number): string => (node.operands.length === 0 ? pathNames[i]! : `${pathNames[i]} = ${node.op.name}`);
  const all = path.map(one);
  const half = longest / 2;
  const cut = all.length <= longest ? all : [...all.slice(0, half), words.more(all.length - 2 * half), ...all.slice(-half)];
  return cut.join(pass === "backward" ? " <- " : " -> ");
}

function gateName(g: GateFinding): string {
  return g.node.operands.length === 0 ? g.name : `${g.name} = ${g.op}`;
}

function percent(x: number): string {
  return `${numberText(100 * x, 3)} %`;
}

function shareText({ share, upstream }: GateFinding, words: FindingWords): string | null {
  if (share === null || upstream === null) return null;
  return words.stoppedShare(percent(share), numberText(upstream));
}

function factLine(g: GateFinding): string {
  return g.facts.map((f) => `${f.slot}: ${f.name === f.value ? f.name : `${f.name} = ${f.value}`}`).join("; ");
}

/** A finding as plain text. */
export function findingText(told: Told, words: FindingWords): string {
  const out = [told.headline];
  told.gates.slice(0, most).forEach((g, i) => {
    out.push(`${String(i + 1).padStart(3)}  ${gateName(g)}: ${g.reason}`);
    const share = shareText(g, words);
    if (share !== null) out.push(`       ${share}`);
    if (g.facts.length > 0) out.push(`       ${factLine(g)}`);
    if (i === 0) {
      if (told.path.length > 1) out.push(`       ${words.pathLine}: ${route(told, words)}`);
      out.push(...placeLines(g.place, words).map((line) => `       ${line}`));
      if (g.advice !== null) out.push(`       ${words.advice}: ${g.advice}`);
    }
  });
  if (told.gates.length > most) out.push(`     ${words.moreGates(told.gates.length - most)}`);
  return `${out.join("\n")}\n`;
}

function cell(text: string): string {
  return text.replace(/[\\|<>&]/g, (c) => (c === "<" ? "&lt;" : c === ">" ? "&gt;" : c === "&" ? "&amp;" : `\\${c}`)).replace(/\n/g, " ");
}

/** A finding as Markdown. */
export function findingMarkdown(told: Told, words: FindingWords): string {
  const out = [`## ${cell(told.headline)}`, "", `| # | ${words.gate} | ${words.whatHappened} | ${words.share} |`, "| -: | :- | :- | -: |"];
  told.gates.slice(0, most).forEach((g, i) => {
    const facts = g.facts.length > 0 ? `<br>${cell(factLine(g))}` : "";
    out.push(`| ${i + 1} | ${cell(gateName(g))} | ${cell(g.reason)}${facts} | ${g.share === null ? "" : percent(g.share)} |`);
  });
  if (told.path.length > 1) out.push("", `- ${words.pathLine}: ${cell(route(told, words))}`);
  const [first] = told.gates;
  if (first?.advice != null) out.push(`${told.path.length > 1 ? "" : "\n"}- ${words.advice}: ${cell(first.advice)}`);
  if (first !== undefined) out.push("", "```text", ...placeLines(first.place, words).map((line) => line.replaceAll("```", "'''")), "```");
  return `${out.join("\n")}\n`;
}

/** A finding as LaTeX: a description list. */
export function findingLatex(told: Told, words: FindingWords): string {
  const out = [`\\paragraph{${escapeLatex(told.headline)}}`, "\\begin{description}"];
  for (const g of told.gates.slice(0, most)) {
    const share = shareText(g, words);
    out.push(
      `\\item[\\texttt{${escapeLatex(gateName(g))}}] ${escapeLatex(g.reason)}${share === null ? "" : `; ${escapeLatex(share)}`}${g.facts.length > 0 ? `\\\\ \\texttt{${escapeLatex(factLine(g))}}` : ""}`,
    );
  }
  if (told.path.length > 1) out.push(`\\item[${escapeLatex(words.pathLine)}] \\texttt{${escapeLatex(route(told, words))}}`);
  const [first] = told.gates;
  if (first?.advice != null) out.push(`\\item[${escapeLatex(words.advice)}] ${escapeLatex(first.advice)}`);
  out.push("\\end{description}");
  return `${out.join("\n")}\n`;
}
