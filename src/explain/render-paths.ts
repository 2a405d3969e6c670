import type { Tensor } from "../ir/tensor.ts";
import type { GradientPath, PathStep, PathSum } from "./gradient-path.ts";
import { latexNumber, numberText, tensorText } from "./number-text.ts";
import { placeLines } from "./place.ts";
import { latexName, latexTensor } from "./render-latex.ts";
import type { FindingWords } from "./words/finding-en.ts";

/** Longer paths are cut in the middle. */
const longest = 12;

/** The gates of a path as words, the long middle left out. */
function elided<T>(items: readonly T[], write: (item: T) => string, words: FindingWords): string[] {
  if (items.length <= longest) return items.map(write);
  const half = longest / 2;
  return [...items.slice(0, half).map(write), words.more(items.length - 2 * half), ...items.slice(-half).map(write)];
}

/** `f <- mul <- q1 <- add <- x`: the gradient's way back. */
function route(path: GradientPath, x: string, words: FindingWords): string {
  return [...elided(path.steps, (s) => `${s.name} <- ${s.op}${s.node.op.slots.length > 1 ? `.${s.slot}` : ""}`, words), x].join(" <- ");
}

function signed(text: string): string {
  return text.startsWith("-") ? `(${text})` : text;
}

/** `3 x 0.5 = 1.5`, or the rules by edge. */
function product(path: GradientPath, words: FindingWords): string {
  const factor = (s: PathStep): string => (s.local === null ? `J(${s.op})` : signed(numberText(s.local)));
  const factors = elided(path.steps, factor, words);
  return `${factors.length === 0 ? "1" : factors.join(" x ")} = ${tensorText(path.contribution)}`;
}

function percent(share: number | null): string {
  return share === null || Number.isNaN(share) ? "" : `${numberText(100 * share, 3)} %`;
}

function closing(p: PathSum, words: FindingWords): readonly (readonly [string, string])[] {
  return [
    ...(p.rest.count > 0n ? [[words.rest(String(p.rest.count)), tensorText(p.rest.sum)] as const] : []),
    [words.total, tensorText(p.total)],
    [words.gradient, tensorText(p.gradient)],
  ];
}

function headline(p: PathSum, words: FindingWords): string {
  if (p.count === 0n) return words.noPath(p.name, p.wrt);
  return p.count === 1n ? words.onePath(p.name, p.wrt) : words.pathsTitle(p.name, p.wrt, String(p.count));
}

function remarks(p: PathSum, words: FindingWords): string[] {
  const found: string[] = [];
  if (p.live !== null && p.live !== p.count) found.push(words.live(String(p.live), String(p.count)));
  if (!p.ranked) found.push(words.notRanked);
  if (p.magnitude !== null && p.count > 1n) {
    const left = Math.abs(p.gradient.data[0]!);
    found.push(
      left < 0.01 * p.magnitude ? words.pathsCancel(numberText(p.magnitude), numberText(left)) : words.magnitude(numberText(p.magnitude)),
    );
  }
  return found;
}

/** The sum over paths as plain text. */
export function pathsText(p: PathSum, words: FindingWords): string {
  const out = [headline(p, words)];
  if (p.count > BigInt(p.top.length) && p.top.length > 0) out.push(words.largest(p.top.length, String(p.count)));
  p.top.forEach((path, i) => {
    out.push(
      `${String(i + 1).padStart(3)}  ${route(path, p.wrt, words)}`,
      `       ${product(path, words)}${path.share === null || p.count === 1n ? "" : `   (${percent(path.share)})`}`,
    );
    const [first] = path.steps;
    if (i === 0 && first !== undefined && (first.place.span !== null || first.place.line !== null))
      out.push(...placeLines(first.place, words).map((line) => `       ${line}`));
  });
  if (p.count > 0n) for (const [what, value] of closing(p, words)) out.push(`     ${what}: ${value}`);
  for (const remark of remarks(p, words)) out.push(`     ${remark}`);
  return `${out.join("\n")}\n`;
}

function cell(text: string): string {
  return text.replace(/[\\|<>&]/g, (c) => (c === "<" ? "&lt;" : c === ">" ? "&gt;" : c === "&" ? "&amp;" : `\\${c}`)).replace(/\n/g, " ");
}

/** The sum over paths as a Markdown table. */
export function pathsMarkdown(p: PathSum, words: FindingWords): string {
  const out = [
    `## ${cell(headline(p, words))}`,
    "",
    `| # | ${words.path} | ${words.product} | ${words.contribution} | ${words.share} |`,
    "| -: | :- | :- | -: | -: |",
  ];
  p.top.forEach((path, i) => {
    const factors = product(path, words).replace(/ = [^=]*$/, "");
    out.push(
      `| ${i + 1} | ${cell(route(path, p.wrt, words))} | ${cell(factors)} | ${cell(tensorText(path.contribution))} | ${percent(path.share)} |`,
    );
  });
  if (p.count > 0n) for (const [what, value] of closing(p, words)) out.push(`| | ${cell(what)} | | ${cell(value)} | |`);
  const notes = remarks(p, words);
  if (notes.length > 0) out.push("", ...notes.map((r) => `- ${cell(r)}`));
  return `${out.join("\n")}\n`;
}

function partial(f: string, x: string): string {
  return `\\frac{\\partial ${latexName(f)}}{\\partial ${latexName(x)}}`;
}

/** The sum over paths as an `align*` block: a line per path with its factors under braces, the rest, the sum. */
export function pathsLatex(p: PathSum, words: FindingWords): string {
  const value = (t: Tensor): string => latexTensor(t);
  const factor = (s: PathStep): string => `\\underbrace{${s.local === null ? "J" : latexNumber(s.local)}}_{${partial(s.name, s.into)}}`;
  const line = (path: GradientPath): string => {
    const factors =
      path.steps.length <= longest
        ? path.steps.map(factor)
        : [...path.steps.slice(0, longest / 2).map(factor), "\\cdots", ...path.steps.slice(-longest / 2).map(factor)];
    return `${factors.length === 0 ? "1" : factors.join(" \\cdot ")} = ${value(path.contribution)}`;
  };
  const lines = p.top.map((path, i) => `&${i === 0 ? `${partial(p.name, p.wrt)}:` : ""} && ${line(path)}`);
  if (p.rest.count > 0n) lines.push(`& && \\text{${words.rest(String(p.rest.count))}} = ${value(p.rest.sum)}`);
  lines.push(`${p.count === 0n ? "" : "& "}&& \\textstyle\\sum = ${value(p.total)} = ${partial(p.name, p.wrt)}`);
  return `\\begin{align*}\n${lines.join(" \\\\\n")}\n\\end{align*}\n`;
}
