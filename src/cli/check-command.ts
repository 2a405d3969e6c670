import { checkGradients } from "../check/check-gradients.ts";
import { renderGradientText } from "../check/details/render-gradients.ts";
import type { GradientRow } from "../check/gradient-report.ts";
import type { Language } from "../explain/explain.ts";
import { numberText } from "../explain/number-text.ts";
import { writeFileWhole } from "../files/write-file.ts";
import type { Value } from "../ir/node.ts";
import { coloursFor } from "./colours.ts";
import { type Command, jsonOption, langOption, languageIn, type Options, wrtOption } from "./command.ts";
import { problemIn } from "./graph-problem.ts";
import { exitCodes } from "./io.ts";
import { chosen, namesIn } from "./problem.ts";
import { UsageError } from "./usage-error.ts";

/** `chainrule check`: analytic gradients against numeric ones. */
export const checkCommand: Command = {
  name: "check",
  usage: ["chainrule check EXPR name=value ...", "chainrule check FILE.graph name=value ..."],
  summary: "compare the gradients with numeric ones",
  details:
    "Moves every variable a little both ways and compares the slope with the gradient, in first and second order. Small tensors are\n" +
    "checked element by element, large ones along random directions. Verdicts: pass (error below 1e-7), look (below 1e-4, or no numeric\n" +
    "slope to trust, as where the value is NaN), fail, and kink where the slopes from both sides differ, so that there is no one\n" +
    "derivative to compare with. Then every op of the graph by itself, plain central differences by step size with the kinks that they\n" +
    "cross, and f32 beside f64. Exit code 1 when one fails.",
  options: [
    { name: "svg", value: "FILE.svg", about: "also plot error against step size" },
    { name: "brief", about: "the table by variable alone" },
    { name: "markdown", about: "print Markdown instead of text" },
    jsonOption,
    langOption,
    wrtOption,
  ],
  examples: [`chainrule check "x * sin(y)" x=2 y=0.5`, `chainrule check "sum(relu(w @ x))" "w=[[1,-2],[3,4]]" "x=[1,1]" --svg check.svg`],
  run: async ({ words: given, options }, io) => {
    const wrt = namesIn(options.get("wrt"));
    const language = languageIn(options, "check");
    const words = wordsOf[language];
    if (options.has("json") && options.has("markdown"))
      throw new UsageError("--json and --markdown do not go together; choose one", "check");
    const plot = plotIn(options);
    const problem = await problemIn(given, "check", io);
    const asked = Object.keys(chosen(problem, wrt));
    const at = Object.fromEntries(asked.map((name) => [name, problem.variables[name]!]));
    const report = checkGradients((some: Record<string, Value>) => problem.apply(some), at);
    if (plot !== null) await writeFileWhole(plot, report.svg({ language, title: problem.expression }));
    if (options.has("json")) await io.write(`${JSON.stringify({ expression: problem.expression, ...report.toJSON() })}\n`);
    else if (options.has("markdown")) await io.write(report.markdown(language));
    else {
      const { heading, value, warning, fault } = coloursFor("output", io);
      const paint = { pass: value, look: warning, kink: warning, fail: fault };
      const lines = report.rows.map((row) => `${padded(cellsOf(row, words)).join("  ")}  ${paint[row.verdict](words[row.verdict])}`);
      const open = report.rows.filter((row) => row.verdict === "look").length;
      const verdict = !report.passed ? fault(words.differs) : open > 0 ? warning(words.open(open)) : value(words.agrees);
      await io.write(`${heading(padded(words.titles).join("  "))}\n${lines.join("\n")}${lines.length > 0 ? "\n" : ""}`);
      if (!options.has("brief")) {
        const told = renderGradientText({ rows: report.rows, passed: report.passed, details: report.details() }, language, false);
        await io.write(
          `\n${told
            .split("\n")
            .map((line) => (line.startsWith(" ") ? line : heading(line)))
            .join("\n")}\n\n`,
        );
      }
      await io.write(`${verdict}\n`);
      if (plot !== null) await io.write(`${words.wrote(plot)}\n`);
    }
    return report.passed ? exitCodes.done : exitCodes.failed;
  },
};

function plotIn(options: Options): string | null {
  const path = options.get("svg");
  if (typeof path !== "string") return null;
  if (!/\.svg$/i.test(path)) throw new UsageError(`${path}: the plot is written as SVG; name the file ….svg`, "check");
  return path;
}

const english = {
  titles: ["variable", "order", "analytic", "numeric", "error"],
  along: (path: string, direction: number) => `${path} along ${direction}`,
  pass: "pass",
  look: "look",
  fail: "fail",
  kink: "kink",
  agrees: "every gradient agrees",
  open: (n: number) => `no gradient is wrong as far as could be seen; look at the ${n === 1 ? "row" : `${n} rows`} marked so`,
  differs: "a gradient does not agree",
  wrote: (path: string) => `wrote ${path}`,
};
const wordsOf: Readonly<Record<Language, typeof english>> = {
  en: english,
  ko: {
    titles: ["변수", "차수", "해석적", "수치", "오차"],
    along: (path, direction) => `${path}, 방향 ${direction}`,
    pass: "통과",
    look: "확인 필요",
    fail: "실패",
    kink: "꺾인 점",
    agrees: "모든 기울기가 일치합니다",
    open: (n) => `틀린 기울기는 없는 것 같지만, '확인 필요'로 표시된 행 ${n}개를 살펴보세요`,
    differs: "일치하지 않는 기울기가 있습니다",
    wrote: (path) => `${path}에 썼습니다`,
  },
};

const widths = [14, 5, 14, 14, 9];

/** Cells in columns; a Hangul letter takes two places of a terminal. */
function padded(cells: readonly string[]): string[] {
  return cells.map((cell, i) => {
    const gap = " ".repeat(Math.max(0, widths[i]! - cell.length - (cell.match(/[\u1100-\u11ff\u3130-\u318f\uac00-\ud7a3]/g)?.length ?? 0)));
    return i === 0 ? cell + gap : gap + cell;
  });
}

/** Which element or direction of a variable a row is about. */
function placeOf({ path, index, direction }: GradientRow, { along }: typeof english): string {
  if (direction !== null) return along(path, direction);
  return index === null || index.length === 0 ? path : `${path}[${index.join(",")}]`;
}

function cellsOf(row: GradientRow, words: typeof english): string[] {
  return [placeOf(row, words), String(row.order), numberText(row.analytic, 8), numberText(row.numeric, 8), numberText(row.error, 2)];
}
