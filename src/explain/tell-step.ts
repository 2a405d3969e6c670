import { GradientError } from "../ir/errors.ts";
import type { Tensor } from "../ir/tensor.ts";
import type { Language } from "./explain.ts";
import { gateSentence, type Pattern, patternOf } from "./gate-words.ts";
import { tensorText } from "./number-text.ts";
import { escapeLatex, latexForward, latexName, latexTensor } from "./render-latex.ts";
import { backwardLines, forwardLine } from "./render-text.ts";
import type { Flow, GateStep, Step } from "./steps.ts";
import { en } from "./words/en.ts";
import { ko } from "./words/ko.ts";

/** How a step is told. */
export interface TellOptions {
  readonly language?: Language;
  /** Significant digits of the numbers; 4 when left out. */
  readonly digits?: number;
}

/** What a gate sends to one operand, in pieces: as LaTeX, and the numbers as plain text. */
export interface ToldFlow {
  readonly into: string;
  /** `\frac{\partial f}{\partial x}` */
  readonly left: string;
  /** The local gradient, null where the op has a rule of its own instead. */
  readonly local: string | null;
  readonly upstream: string;
  /** The rule with the shapes of its factors under them: `x^T dq` with `[3,64] @ [64,1]`. */
  readonly rule: string | null;
  readonly result: string;
  readonly text: { readonly local: string | null; readonly upstream: string; readonly rule: string | null; readonly result: string };
  /** Which branch of the receiving value this is, of how many. */
  readonly branch: number;
  readonly branches: number;
  /** The sizes of the axes along which the gradient is summed, because the operand was stretched along them; empty where it was not. */
  readonly summed: readonly { readonly axis: number; readonly size: number }[];
}

/** One step in words and formulas, for a card beside the picture, a table or a screen reader. */
export interface ToldStep {
  readonly kind: "forward" | "seed" | "gate" | "sum";
  readonly op: string;
  /** The lecture's name for what the gate does to the gradient; null for steps that are no backward gate. */
  readonly pattern: Pattern | null;
  /** One sentence on what happens. */
  readonly sentence: string;
  /** The step in lines of plain text, numbers included. */
  readonly lines: readonly string[];
  /** What a backward gate sends, operand by operand. */
  readonly flows: readonly ToldFlow[];
  /** The step as one LaTeX formula, for steps without flows. */
  readonly latex: string;
}

/**
 * Tells a step of {@link steps} or of a `picture`: the gate's name and sentence, local times upstream gradient, and the formulas as LaTeX.
 * @param f the name of the value whose gradients these are
 * @throws GradientError for a language that is not there
 */
export function tellStep(step: Step, f: string, { language = "en", digits = 4 }: TellOptions = {}): ToldStep {
  if (language !== "en" && language !== "ko")
    throw new GradientError(`tellStep: language "${String(language)}" is not there; "en" and "ko" are`);
  const words = language === "ko" ? ko : en;
  if (step.pass === "forward") {
    const latex = latexForward(step, "=", digits);
    return { kind: "forward", op: step.op, pattern: null, sentence: "", lines: [forwardLine(step)], flows: [], latex };
  }
  const { head, lines } = backwardLines(step, f, words);
  if (step.kind === "seed")
    return {
      kind: "seed",
      op: step.node.op.name,
      pattern: null,
      sentence: words.seed(f),
      lines: [head],
      flows: [],
      latex: `${partial(f, f)} = ${latexTensor(step.gradient, digits)}`,
    };
  if (step.kind === "sum") {
    const parts = step.parts.map((p) => (p.data.length === 1 && p.data[0]! < 0 ? `(${latexTensor(p, digits)})` : latexTensor(p, digits)));
    return {
      kind: "sum",
      op: step.node.op.name,
      pattern: null,
      sentence: `${words.sumOf(step.parts.length)}: ${words.adder}`,
      lines: [head],
      flows: [],
      latex: `${partial(f, step.name)} = ${parts.join(" + ")} = ${latexTensor(step.gradient, digits)}`,
    };
  }
  const { family } = step.node.op.facts;
  return {
    kind: "gate",
    op: step.op,
    pattern: patternOf(step.op, family),
    sentence: gateSentence(step.op, family, words),
    lines,
    flows: step.flows.map((flow) => toldFlow(flow, step, f, digits)),
    latex: "",
  };
}

function partial(f: string, x: string): string {
  return `\\frac{\\partial ${latexName(f)}}{\\partial ${latexName(x)}}`;
}

function toldFlow(flow: Flow, step: GateStep, f: string, digits: number): ToldFlow {
  const plain = (t: Tensor): string => tensorText(t, digits);
  const upstream = step.upstream;
  return {
    into: flow.into,
    left: partial(f, flow.into),
    local: flow.local === null ? null : latexTensor(flow.local, digits),
    upstream: latexTensor(upstream, digits),
    rule: flow.rule === null ? null : latexRule(flow.rule),
    result: latexTensor(flow.contribution, digits),
    text: {
      local: flow.local === null ? null : plain(flow.local),
      upstream: plain(upstream),
      rule: flow.rule === null ? null : flow.rule.replace(/^[^=]*= /, ""),
      result: plain(flow.contribution),
    },
    branch: flow.branch,
    branches: flow.branches,
    summed: flow.local === null ? [] : summedAxes(flow.contribution.type.shape, upstream.type.shape),
  };
}

/** The axes of `to` that `from` does not have, or has with size 1: counted in `to`. */
function summedAxes(from: readonly number[], to: readonly number[]): { axis: number; size: number }[] {
  const lead = to.length - from.length;
  return to.flatMap((size, axis) => (size !== 1 && (axis < lead || from[axis - lead] === 1) ? [{ axis, size }] : []));
}

/** `dW = x^T dq : [3,64] @ [64,1]` as LaTeX, with each factor's shape under it where there are as many shapes as factors. */
function latexRule(rule: string): string {
  const at = rule.lastIndexOf(" : ");
  const [text, shapes] = at < 0 ? [rule, ""] : [rule.slice(0, at), rule.slice(at + 3)];
  const factors = text
    .slice(text.indexOf("=") + 1)
    .trim()
    .split(" ");
  const sizes = [...shapes.matchAll(/\[([\d,]*)\]/g)].map(([, s]) => s!.replaceAll(",", " \\times "));
  const named = factors.map((factor) => {
    const transposed = factor.endsWith("^T");
    const name = transposed ? factor.slice(0, -2) : factor;
    return `${/^d./.test(name) ? `\\mathrm{d}${latexName(name.slice(1))}` : latexName(name)}${transposed ? "^{\\mathsf T}" : ""}`;
  });
  if (/^[\p{L}\p{N}_.# ^]+$/u.test(factors.join(" ")) && sizes.length === factors.length)
    return named.map((name, i) => `\\underset{${sizes[i]}}{${name}}`).join("\\;");
  return `\\texttt{${escapeLatex(text.slice(text.indexOf("=") + 1).trim())}}`;
}
