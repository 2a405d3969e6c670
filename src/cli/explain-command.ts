import { type Explanation, explain } from "../explain/explain.ts";
import { paths } from "../explain/paths.ts";
import { trace } from "../ir/trace.ts";
import { type Colours, coloursFor } from "./colours.ts";
import { type Command, jsonOption, langOption, languageIn, type Options, wrtOption } from "./command.ts";
import { printable } from "./describe-error.ts";
import { elementIn, formatIn, formatOptions, wholeIn } from "./formats.ts";
import { exitCodes } from "./io.ts";
import { checkIsExpression, chosen, compiled, expressionIn, namesIn, problemOf } from "./problem.ts";
import { UsageError } from "./usage-error.ts";
import { readValues } from "./values.ts";

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
    ...formatOptions,
    langOption,
    wrtOption,
    { name: "paths", value: "NAME", about: "print the gradient of this variable as a sum over paths instead" },
    { name: "top", value: "COUNT", about: "with --paths: how many of the largest to spell out, 5 when left out" },
    { name: "element", value: "INDEX", about: "with --paths: one element of the variable, by flat index" },
  ],
  examples: [
    `chainrule explain "(x + y) * z" x=-2 y=5 z=-4`,
    `chainrule explain "1 / (1 + exp(-(w*x + b)))" w=2 x=-1 b=-3 --lang ko`,
    `chainrule explain "x * y + sin(x)" x=1 y=2 --paths x`,
  ],
  run: async ({ words: [word, ...rest], options }, io) => {
    const wrt = namesIn(options.get("wrt"));
    const language = languageIn(options, "explain");
    const format = formatIn(options, "explain");
    const about = pathsIn(options);
    const expression = await expressionIn(word, "explain", io);
    checkIsExpression(expression, compiled(expression, []), "explain");
    const problem = problemOf(expression, await readValues(rest, "explain"));
    if (about !== null) {
      const { name, ...asked } = about;
      const found = trace(() => paths(problem.f, chosen(problem, [name])[name]!, { ...asked, language }));
      await io.write(format === "json" ? `${JSON.stringify({ expression, ...found.toJSON() })}\n` : printable(found[format]()));
      return exitCodes.done;
    }
    const explanation = trace(() => explain(problem.f, { wrt: chosen(problem, wrt), language }));
    await io.write(rendered(explanation, format, expression, coloursFor("output", io)));
    return exitCodes.done;
  },
};

type Format = ReturnType<typeof formatIn>;

/** What `--paths` asks for. @throws UsageError for its options without it */
function pathsIn(options: Options): { readonly name: string; readonly top?: number; readonly element?: number } | null {
  const [name] = namesIn(options.get("paths")) ?? [];
  const top = wholeIn(options, "top", "explain");
  const element = elementIn(options, "explain");
  if (name === undefined) {
    if (top !== null || element !== null) throw new UsageError(`--${top !== null ? "top" : "element"} belongs to --paths NAME`, "explain");
    return null;
  }
  return { name, ...(top !== null && { top }), ...(element !== null && { element }) };
}

function rendered(explanation: Explanation, format: Format, expression: string, colours: Colours): string {
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
