import type { Theme } from "../draw/scene.ts";
import type { GradientDetails } from "./details/gradient-details.ts";
import { plotSvg } from "./details/plot.ts";
import { detailsJson, type GradientJson, renderGradientMarkdown, renderGradientText } from "./details/render-gradients.ts";
import type { Verdict } from "./judge.ts";

/** One comparison. */
export interface GradientRow {
  /** Which leaf of the argument; empty when the argument is one value. */
  readonly path: string;
  /** 1: the gradient against differences of the value; 2: second derivatives against differences of the gradient. */
  readonly order: 1 | 2;
  /** The element that was moved, or null when all moved along a random direction. */
  readonly index: readonly number[] | null;
  /** The number of the random direction, or null. */
  readonly direction: number | null;
  readonly analytic: number;
  readonly numeric: number;
  /** The difference relative to the larger of both. */
  readonly error: number;
  readonly verdict: Verdict;
  /** The step that the differences converged at. */
  readonly step: number;
}

/** What `checkGradients` found. */
export interface GradientReport {
  /** No row failed. */
  readonly passed: boolean;
  readonly rows: readonly GradientRow[];
  /** Gates by op, step sizes, f32 beside f64: taken when first asked for. */
  details(): GradientDetails;
  /** The report as lines; with a language, everything, by variable and by op. */
  text(language?: "en" | "ko"): string;
  markdown(language?: "en" | "ko"): string;
  /** Error against step size, both axes logarithmic, as one SVG document. */
  svg(options?: { readonly language?: "en" | "ko"; readonly theme?: Theme; readonly title?: string }): string;
  toJSON(): GradientJson;
}

/** A report over rows; `take` makes the details. */
export function reportOf(rows: readonly GradientRow[], take: () => GradientDetails): GradientReport {
  const passed = rows.every(({ verdict }) => verdict !== "fail");
  let known: GradientDetails | null = null;
  const details = (): GradientDetails => {
    known ??= take();
    return known;
  };
  return {
    passed,
    rows,
    details,
    text: (language) =>
      language === undefined ? reportText(rows, passed) : renderGradientText({ rows, passed, details: details() }, language),
    markdown: (language = "en") => renderGradientMarkdown({ rows, passed, details: details() }, language),
    svg: ({ language = "en", theme = "light", title } = {}) => plotSvg(details().sweeps, language, theme, title),
    toJSON: () => detailsJson({ rows, passed, details: details() }),
  };
}

function reportText(rows: readonly GradientRow[], passed: boolean): string {
  const count = (v: Verdict): number => rows.filter(({ verdict }) => verdict === v).length;
  const number = (x: number): string => (Number.isFinite(x) ? x.toPrecision(10) : String(x));
  const lines = rows.map(({ path, order, index, direction, analytic, numeric, error, verdict, step }) => {
    const where = `${path || "x"}${index === null ? ` direction ${direction}` : index.length === 0 ? "" : `[${index.join(",")}]`}`;
    return `${verdict.padEnd(4)}  order ${order}  ${where.padEnd(16)} analytic ${number(analytic).padStart(17)}  numeric ${number(numeric).padStart(17)}  error ${error.toExponential(1)}  step ${step.toExponential(1)}`;
  });
  return [
    ...lines,
    `${passed ? "passed" : "FAILED"}: ${count("pass")} pass, ${count("look")} look, ${count("kink")} kink, ${count("fail")} fail`,
  ].join("\n");
}
