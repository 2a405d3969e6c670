import type { Node } from "../ir/node.ts";
import type { Tensor } from "../ir/tensor.ts";
import { gateSentence } from "./gate-words.ts";
import { tensorText } from "./number-text.ts";
import type { BackwardStep, ForwardStep, NamedGradient, OperandFact, Step } from "./steps.ts";
import type { Words } from "./words/en.ts";

/** What a rendering needs of an explanation. */
export interface Told {
  readonly name: string;
  readonly value: Tensor;
  readonly steps: readonly Step[];
  readonly gradients: readonly NamedGradient[];
  readonly notes: readonly string[];
}

/** `x + y` for ops with a symbol, `max(x, y)` for the others; attributes are left to the picture. */
export function applied(step: ForwardStep, show: (o: OperandFact) => string): string {
  const { symbol } = step.node.op;
  const parts = step.operands.map(show);
  // A sign binds less than a power: -3 ^ 2 is -9.
  if (symbol === "^" && parts.length === 2) return `${bracketed(parts[0]!)} ^ ${bracketed(parts[1]!)}`;
  if (symbol !== null && parts.length === 2) return `${parts[0]} ${symbol} ${bracketed(parts[1]!)}`;
  if (symbol !== null && parts.length === 1) return `${symbol}${bracketed(parts[0]!)}`;
  return `${step.op}(${parts.join(", ")})`;
}

function bracketed(text: string): string {
  return text.startsWith("-") ? `(${text})` : text;
}

function isLiteralName(o: OperandFact): boolean {
  return /^-?[\d.]|^-?Infinity$|^NaN$/.test(o.name);
}

/** `q1 = x + y = -2 + 5 = 3`. */
export function forwardLine(step: ForwardStep): string {
  const named = applied(step, (o) => o.name);
  const small = step.operands.every((o) => o.value.data.length === 1) && !step.operands.every(isLiteralName);
  const numbers = small ? ` = ${applied(step, (o) => tensorText(o.value))}` : "";
  const { results } = step.node.op;
  const value =
    step.node.outputs === null
      ? tensorText(step.value)
      : step.values.map((v, i) => `${Array.isArray(results) ? (results as readonly string[])[i] : i}: ${tensorText(v)}`).join("; ");
  return `${step.name} = ${named}${numbers} = ${value}`;
}

/** The scope a gate was built in, such as a loss or a layer. */
function scopeNote(node: Node, words: Words): string {
  const scope = node.where?.scope;
  return scope == null ? "" : `   (${words.within(scope)})`;
}

/** The lines of one backward step. */
export function backwardLines(step: BackwardStep, f: string, words: Words): { readonly head: string; readonly lines: readonly string[] } {
  if (step.kind === "seed") return { head: `d${f}/d${f} = ${tensorText(step.gradient)}`, lines: [words.seed(f)] };
  if (step.kind === "sum")
    return {
      head: `d${f}/d${step.name} = ${step.parts.map((p) => bracketedTail(tensorText(p))).join(" + ")} = ${tensorText(step.gradient)}`,
      lines: [`${words.sumOf(step.parts.length)}: ${words.adder}`],
    };
  const lines = step.flows.map((flow) => {
    const branch = flow.branches > 1 ? `   (${words.branch(flow.branch, flow.branches)})` : "";
    const how =
      flow.local === null
        ? `${(flow.rule ?? "").replace(/^[^=]*= /, "")} = ${tensorText(flow.contribution)}`
        : `${words.local} ${tensorText(flow.local)} x ${words.upstream} ${tensorText(step.upstream)} = ${tensorText(flow.contribution)}`;
    return `d${f}/d${flow.into} = ${how}${branch}`;
  });
  return { head: `${step.name} = ${step.op}: ${gateSentence(step.op, step.node.op.facts.family, words)}`, lines };
}

function bracketedTail(text: string): string {
  return text.startsWith("-") ? `(${text})` : text;
}

function forwardOf(told: Told): readonly ForwardStep[] {
  return told.steps.filter((s) => s.pass === "forward");
}

function backwardOf(told: Told): readonly BackwardStep[] {
  return told.steps.filter((s) => s.pass === "backward");
}

/** An explanation as plain text for a terminal. */
export function renderText(told: Told, words: Words): string {
  const out: string[] = [words.forward];
  const forward = forwardOf(told);
  if (forward.length === 0) out.push(`   ${words.noForward}: ${told.name} = ${tensorText(told.value)}`);
  for (const s of forward) out.push(`${String(s.index).padStart(3)}  ${forwardLine(s)}${scopeNote(s.node, words)}`);
  out.push("", words.backward);
  for (const s of backwardOf(told)) {
    const { head, lines } = backwardLines(s, told.name, words);
    out.push(`${String(s.index).padStart(3)}  ${head}`);
    for (const line of lines) out.push(`       ${line}`);
  }
  out.push("", words.gradients);
  for (const g of told.gradients) out.push(`     d${told.name}/d${g.name} = ${tensorText(g.gradient)}`);
  if (told.notes.length > 0) out.push("", words.notes, ...told.notes.map((n) => `   ! ${n}`));
  return `${out.join("\n")}\n`;
}

function cell(text: string): string {
  return text.replace(/[\\|]/g, (c) => `\\${c}`).replace(/\n/g, " ");
}

/** An explanation as Markdown: a table per pass. */
export function renderMarkdown(told: Told, words: Words): string {
  const out: string[] = [`## ${words.forward}`, "", `| # | ${words.value} |`, "| -: | :- |"];
  for (const s of forwardOf(told)) out.push(`| ${s.index} | ${cell(forwardLine(s) + scopeNote(s.node, words))} |`);
  out.push("", `## ${words.backward}`, "", "| # | | |", "| -: | :- | :- |");
  for (const s of backwardOf(told)) {
    const { head, lines } = backwardLines(s, told.name, words);
    out.push(`| ${s.index} | ${cell(head)} | ${lines.map(cell).join("<br>")} |`);
  }
  out.push("", `## ${words.gradients}`, "", `| ${words.variable} | ${words.value} | d${cell(told.name)} |`, "| :- | -: | -: |");
  for (const g of told.gradients) out.push(`| ${cell(g.name)} | ${cell(tensorText(g.value))} | ${cell(tensorText(g.gradient))} |`);
  if (told.notes.length > 0) out.push("", `## ${words.notes}`, "", ...told.notes.map((n) => `- ${n}`));
  return `${out.join("\n")}\n`;
}
