import type { Tensor } from "../ir/tensor.ts";
import { latexNumber } from "./number-text.ts";
import type { Told } from "./render-text.ts";

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

/** The derivation as an `align*` block: a line per gate and operand, a line per branch sum. */
export function renderLatex(told: Told): string {
  const f = told.name;
  const lines: string[] = [];
  for (const s of told.steps) {
    if (s.pass === "forward") {
      if (s.node.outputs === null)
        lines.push(
          `${latexName(s.name)} &= \\operatorname{${s.op}}\\left(${s.operands.map((o) => latexName(o.name)).join(", ")}\\right) = ${latexTensor(s.value)}`,
        );
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
