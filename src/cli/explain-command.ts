import { type Explanation, explain } from "../explain/explain.ts";
import { type Colours, coloursFor } from "./colours.ts";
import type { Options } from "./command.ts";
import { type Command, jsonOption, langOption, languageIn, wrtOption } from "./command.ts";
import { exitCodes } from "./io.ts";
import { checkIsExpression, chosen, compiled, expressionIn, namesIn, problemOf } from "./problem.ts";
import { UsageError } from "./usage-error.ts";
import { readValues } from "./values.ts";

const formats = ["json", "markdown", "latex"] as const;

/** `chainrule explain`: both passes, gate by gate. */
export const explainCommand: Command = {
  name: "explain",
  usage: ["chainrule explain EXPR name=value ..."],
  summary: "go through the forward and the backward pass, gate by gate",
  details:
    "Prints every gate with its operands and its value, then the backward pass: the local gradient of each gate, the gradient that\n" +
    "arrived from above, their product, and the sums where a value has several uses. Kinks, values outside of a function's domain and\n" +
    "results that are not finite are noted at the end. The expression has to give one number.",
  options: [
    jsonOption,
    { name: "markdown", about: "print Markdown tables instead of text" },
    { name: "latex", about: "print LaTeX instead of text" },
    langOption,
    wrtOption,
  ],
  examples: [`chainrule explain "(x + y) * z" x=-2 y=5 z=-4`, `chainrule explain "1 / (1 + exp(-(w*x + b)))" w=2 x=-1 b=-3 --lang ko`],
  run: async ({ words: [word, ...rest], options }, io) => {
    const wrt = namesIn(options.get("wrt"));
    const language = languageIn(options, "explain");
    const format = formatIn(options);
    const expression = await expressionIn(word, "explain", io);
    checkIsExpression(expression, compiled(expression, []), "explain");
    const problem = problemOf(expression, await readValues(rest, "explain"));
    const explanation = explain(problem.f, { wrt: chosen(problem, wrt), language });
    await io.write(rendered(explanation, format, expression, coloursFor("output", io)));
    return exitCodes.done;
  },
};

function formatIn(options: Options): (typeof formats)[number] | "text" {
  const given = formats.filter((name) => options.has(name));
  if (given.length > 1) throw new UsageError(`--${given[0]} and --${given[1]} do not go together; choose one`, "explain");
  return given[0] ?? "text";
}

function rendered(explanation: Explanation, format: (typeof formats)[number] | "text", expression: string, colours: Colours): string {
  switch (format) {
    case "json":
      return `${JSON.stringify({ expression, ...explanation.json() })}\n`;
    case "markdown":
      return explanation.markdown();
    case "latex":
      return explanation.latex();
    case "text":
      return painted(explanation.text(), colours);
  }
}

/** The text with headings bold, values and gradients in the colours of the pictures, and notes lit. */
function painted(text: string, { heading, value, gradient, warning }: Colours): string {
  const results = [value, gradient, gradient, warning];
  return text
    .split("\n\n")
    .map((section, i) => {
      const [head, ...lines] = section.split("\n");
      const paint = results[Math.min(i, 3)]!;
      return [heading(head!), ...lines.map((line) => (i === 3 ? paint(line) : paintedResult(line, paint)))].join("\n");
    })
    .join("\n\n");
}

/** What stands behind the last equals sign of a line. */
function paintedResult(line: string, paint: (text: string) => string): string {
  const match = /^(.* = )(\S.*?)( {3}\(.*\))?$/.exec(line);
  return match === null ? line : `${match[1]}${paint(match[2]!)}${match[3] ?? ""}`;
}
