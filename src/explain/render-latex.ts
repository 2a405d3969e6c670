import type { Tensor } from "../ir/tensor.ts";
import { latexNumber } from "./number-text.ts";
import type { Told } from "./render-text.ts";
import type { ForwardStep, OperandFact } from "./steps.ts";

const special: Readonly<Record<string, string>> = {
  "\\": "\\backslash{}",
  "{": "\\{",
  "}": "\\}",
  _: "\\_",
  "^": "\\hat{}",
  "#": "\\#",
  $: "\\$",
  "%": "\\%",
  "&": "\\&",
  "~": "\\sim{}",
};

const textual: Readonly<Record<string, string>> = {
  "\\": "\\textbackslash{}",
  "{": "\\{",
  "}": "\\}",
  _: "\\_",
  "^": "\\textasciicircum{}",
  "#": "\\#",
  $: "\\$",
  "%": "\\%",
  "&": "\\&",
  "~": "\\textasciitilde{}",
  "<": "\\textless{}",
  ">": "\\textgreater{}",
};

/** Text as LaTeX text. */
export function escapeLatex(text: string): string {
  return text.replace(/[\\{}_^#$%&~<>]/g, (c) => textual[c]!);
}

/** A name for LaTeX: one letter as it is, letter and digits as a subscript, longer names upright. */
export function latexName(name: string): string {
  const indexed = /^(\p{L})(\d+)$/u.exec(name);
  if (indexed) return `${indexed[1]}_{${indexed[2]}}`;
  if (/^\p{L}$/u.test(name) || /^-?[\d.]+$/.test(name)) return name;
  return `\\mathrm{${name.replace(/[\\{}_^#$%&~]/g, (c) => special[c]!)}}`;
}

/** A tensor for LaTeX: a number, a small matrix, or its type. */
export function latexTensor({ type, data }: Tensor, digits = 6): string {
  if (type.shape.length === 0) return latexNumber(data[0]!, digits);
  if (data.length > 16 || type.shape.length > 2) return `\\mathrm{${type.dtype}}[${type.shape.join("\\times ")}]`;
  const width = type.shape[type.shape.length - 1]!;
  const rows = type.shape.length === 1 ? 1 : type.shape[0]!;
  const row = (i: number): string => Array.from(data.subarray(i * width, (i + 1) * width), (x) => latexNumber(x, digits)).join(" & ");
  return `\\begin{bmatrix} ${Array.from({ length: rows }, (_, i) => row(i)).join(" \\\\ ")} \\end{bmatrix}`;
}

function partial(f: string, x: string): string {
  return `\\frac{\\partial ${latexName(f)}}{\\partial ${latexName(x)}}`;
}

const symbols: Readonly<Record<string, string>> = {
  "*": "\\cdot",
  "@": "\\,",
  "^": "^",
  "<=": "\\le",
  ">=": "\\ge",
  "!=": "\\ne",
  "==": "=",
};

/** A gate with its operands: with its symbol between them, or as a function. */
function latexOf(step: ForwardStep, show: (o: OperandFact) => string): string {
  const { symbol } = step.node.op;
  const parts = step.operands.map(show);
  if (symbol === null || parts.length > 2 || parts.length === 0)
    return `\\operatorname{${escapeLatex(step.op)}}\\left(${parts.join(", ")}\\right)`;
  const signed = (text: string): string => (text.startsWith("-") ? `(${text})` : text);
  if (parts.length === 1) return `${symbol}${signed(parts[0]!)}`;
  if (symbol === "^") return `{${signed(parts[0]!)}}^{${parts[1]}}`;
  return `${parts[0]} ${symbols[symbol] ?? symbol} ${signed(parts[1]!)}`;
}

/** A step of the forward pass: `q = x \cdot y = 2 \cdot (-3) = -6`, with the numbers where all operands are single ones. */
export function latexForward(step: ForwardStep, equals: "=" | "&=", digits = 6): string {
  const scalar = step.operands.every((o) => o.value.data.length === 1);
  const named = latexOf(step, (o) => latexName(o.name));
  const numbers = latexOf(step, (o) => latexTensor(o.value, digits));
  return `${latexName(step.name)} ${equals} ${named}${scalar && numbers !== named ? ` = ${numbers}` : ""} = ${latexTensor(step.value, digits)}`;
}

/** The derivation as an `align*` block: a line per gate and operand, a line per branch sum. */
export function renderLatex(told: Told): string {
  const f = told.name;
  const lines: string[] = [];
  for (const s of told.steps) {
    if (s.pass === "forward") {
      if (s.node.outputs === null) lines.push(latexForward(s, "&="));
    } else if (s.kind === "seed") lines.push(`${partial(f, f)} &= ${latexTensor(s.gradient)}`);
    else if (s.kind === "sum")
      lines.push(
        `${partial(f, s.name)} &= ${s.parts.map((p, i) => (i > 0 && p.data[0]! < 0 && p.data.length === 1 ? `\\left(${latexTensor(p)}\\right)` : latexTensor(p))).join(" + ")} = ${latexTensor(s.gradient)}`,
      );
    else
      for (const flow of s.flows) {
        const branch = flow.branches > 1 ? `\\quad \\text{(${flow.branch}/${flow.branches})}` : "";
        lines.push(
          flow.local === null
            ? `${partial(f, flow.into)} &= \\text{${(flow.rule ?? "").replace(/[\\{}_^#$%&~]/g, (c) => (c === "^" ? "\\^{}" : special[c]!))}} = ${latexTensor(flow.contribution)}${branch}`
            : `${partial(f, flow.into)} &= \\underbrace{${latexTensor(flow.local)}}_{${partial(s.name, flow.into)}} \\cdot \\underbrace{${latexTensor(s.upstream)}}_{${partial(f, s.name)}} = ${latexTensor(flow.contribution)}${branch}`,
        );
      }
  }
  return `\\begin{align*}\n${lines.join(" \\\\\n")}\n\\end{align*}\n`;
}
