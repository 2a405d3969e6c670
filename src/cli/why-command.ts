import type { Finding } from "../explain/finding.ts";
import { firstBad } from "../explain/first-bad.ts";
import { why } from "../explain/why.ts";
import { trace } from "../ir/trace.ts";
import { type Colours, coloursFor } from "./colours.ts";
import { type Command, jsonOption, langOption, languageIn } from "./command.ts";
import { printable } from "./describe-error.ts";
import { elementIn, formatIn, formatOptions } from "./formats.ts";
import { problemIn } from "./graph-problem.ts";
import { exitCodes } from "./io.ts";
import { chosen } from "./problem.ts";

/** `chainrule why`: which gate stopped or spoiled a gradient, or which value went bad first. */
export const whyCommand: Command = {
  name: "why",
  usage: ["chainrule why EXPR x name=value ...", "chainrule why EXPR name=value ...", "chainrule why FILE.graph x name=value ..."],
  summary: "say which gate stopped, shrank, blew or spoiled a gradient",
  details:
    "With the name of a variable: why the gradient with respect to it is missing, zero, tiny, huge, not finite or ordinary; the gate, the\n" +
    "share of the arriving gradient that it stopped, the path, and its place in the expression. Without one: the first value of the\n" +
    "forward or the backward pass that is NaN or infinite and spoils a result, its cause, and what to write instead.",
  options: [
    jsonOption,
    ...formatOptions,
    langOption,
    { name: "element", value: "INDEX", about: "one element of the variable, by flat index" },
  ],
  examples: [`chainrule why "relu(x) * y" x x=-2 y=5`, `chainrule why "where(x > 0, log(x), x)" x=0`],
  run: async ({ words, options }, io) => {
    const language = languageIn(options, "why");
    const format = formatIn(options, "why");
    const element = elementIn(options, "why");
    const [word, name, ...rest] = words;
    const about = name !== undefined && !name.includes("=") ? name : null;
    const given = about === null ? words : [...(word === undefined ? [] : [word]), ...rest];
    const problem = await problemIn(given, "why", io);
    const wrt = chosen(problem, about === null ? null : [about]);
    const finding =
      about === null
        ? trace(() => firstBad(problem.f, { wrt, language }))
        : trace(() => why(problem.f, wrt[about]!, { language, ...(element !== null && { element }) }));
    await io.write(rendered(finding, format, problem.expression, language, coloursFor("output", io)));
    return exitCodes.done;
  },
};

const allFinite = { en: "every value and every gradient is finite", ko: "모든 값과 기울기가 유한합니다" } as const;

function rendered(
  finding: Finding | null,
  format: "json" | "markdown" | "latex" | "text",
  expression: string,
  language: "en" | "ko",
  { heading, warning, value }: Colours,
): string {
  if (format === "json") return `${JSON.stringify({ expression, finding: finding === null ? null : finding.toJSON() })}\n`;
  if (finding === null) return `${value(allFinite[language])}\n`;
  if (format === "markdown") return printable(finding.markdown());
  if (format === "latex") return printable(finding.latex());
  const [first = "", ...lines] = printable(finding.text()).split("\n");
  const paint = finding.trouble === "ordinary" ? value : warning;
  return [paint(first), ...lines.map((line) => (/^ {1,3}\d+ {2}/.test(line) ? heading(line) : line))].join("\n");
}
