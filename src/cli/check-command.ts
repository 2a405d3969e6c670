import { checkGradients, type GradientRow } from "../check/check-gradients.ts";
import { jsonNumber, numberText } from "../explain/number-text.ts";
import type { Value } from "../ir/node.ts";
import { coloursFor } from "./colours.ts";
import { type Command, jsonOption, wrtOption } from "./command.ts";
import { exitCodes } from "./io.ts";
import { checkIsExpression, chosen, compiled, expressionIn, namesIn, problemOf } from "./problem.ts";
import { readValues } from "./values.ts";

/** `chainrule check`: analytic gradients against numeric ones. */
export const checkCommand: Command = {
  name: "check",
  usage: ["chainrule check EXPR name=value ..."],
  summary: "compare the gradients with numeric ones",
  details:
    "Moves every variable a little both ways and compares the slope with the gradient, in first and second order. Small tensors are\n" +
    "checked element by element, large ones along random directions. Verdicts: pass (error below 1e-7), look (below 1e-4), fail, and\n" +
    "kink where the slopes from both sides differ, so that there is no one derivative to compare with. Exit code 1 when one fails.",
  options: [jsonOption, wrtOption],
  examples: [`chainrule check "x * sin(y)" x=2 y=0.5`],
  run: async ({ words: [word, ...rest], options }, io) => {
    const wrt = namesIn(options.get("wrt"));
    const expression = await expressionIn(word, "check", io);
    const build = compiled(expression, []);
    checkIsExpression(expression, build, "check");
    const problem = problemOf(expression, await readValues(rest, "check"));
    const asked = Object.keys(chosen(problem, wrt));
    const at = Object.fromEntries(asked.map((name) => [name, problem.variables[name]!]));
    const whole = compiled(expression, Object.keys(problem.variables));
    const report = checkGradients((given: Record<string, Value>) => whole({ ...problem.variables, ...given }), at);
    if (options.has("json")) await io.write(`${JSON.stringify({ expression, passed: report.passed, rows: report.rows.map(rowJson) })}\n`);
    else {
      const { heading, value, warning, fault } = coloursFor("output", io);
      const paint = { pass: value, look: warning, kink: warning, fail: fault };
      const lines = report.rows.map((row) => `${cells(row).join("  ")}  ${paint[row.verdict](row.verdict)}`);
      const verdict = report.passed ? value("every gradient agrees") : fault("a gradient does not agree");
      await io.write(`${heading(titles.join("  "))}\n${lines.join("\n")}${lines.length > 0 ? "\n" : ""}${verdict}\n`);
    }
    return report.passed ? exitCodes.done : exitCodes.failed;
  },
};

const widths = [14, 5, 14, 14, 9];
const titles = ["variable", "order", "analytic", "numeric", "error"].map((t, i) =>
  i === 0 ? t.padEnd(widths[i]!) : t.padStart(widths[i]!),
);

/** Which element or direction of a variable a row is about. */
function placeOf({ path, index, direction }: GradientRow): string {
  if (direction !== null) return `${path} along ${direction}`;
  return index === null || index.length === 0 ? path : `${path}[${index.join(",")}]`;
}

function cells(row: GradientRow): string[] {
  const texts = [placeOf(row), String(row.order), numberText(row.analytic, 8), numberText(row.numeric, 8), numberText(row.error, 2)];
  return texts.map((t, i) => (i === 0 ? t.padEnd(widths[i]!) : t.padStart(widths[i]!)));
}

function rowJson(row: GradientRow): object {
  const { path, order, index, direction, analytic, numeric, error, verdict, step } = row;
  return {
    variable: path,
    order,
    index,
    direction,
    analytic: jsonNumber(analytic),
    numeric: jsonNumber(numeric),
    error: jsonNumber(error),
    verdict,
    step,
  };
}
