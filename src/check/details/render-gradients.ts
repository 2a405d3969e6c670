import { aligned, markdownTable } from "../tables.ts";
import type { GradientDetails, OpRow } from "./gradient-details.ts";
import { type GradientWords, gradientWords } from "./gradient-words.ts";

/** One row, as far as it is shown: `GradientRow` has it. */
interface Row {
  readonly path: string;
  readonly order: 1 | 2;
  readonly index: readonly number[] | null;
  readonly direction: number | null;
  readonly analytic: number;
  readonly numeric: number;
  readonly error: number;
  readonly verdict: "pass" | "look" | "fail" | "kink";
  readonly step: number;
}

/** What is told. */
export interface ToldGradients {
  readonly rows: readonly Row[];
  readonly passed: boolean;
  readonly details: GradientDetails;
}

type JsonNumber = number | string;

/** A gradient report in JSON: NaN and infinities are strings. */
export interface GradientJson {
  readonly passed: boolean;
  readonly rows: readonly {
    readonly variable: string;
    readonly order: 1 | 2;
    readonly index: readonly number[] | null;
    readonly direction: number | null;
    readonly analytic: JsonNumber;
    readonly numeric: JsonNumber;
    readonly error: JsonNumber;
    readonly verdict: string;
    readonly step: number;
  }[];
  readonly ops: readonly {
    readonly op: string;
    readonly gates: number;
    readonly checked: number;
    readonly error: JsonNumber;
    readonly verdict: string;
  }[];
  readonly sweeps: readonly {
    readonly variable: string;
    readonly analytic: JsonNumber;
    readonly points: readonly {
      readonly step: number;
      readonly error: JsonNumber;
      readonly error32: JsonNumber | null;
      readonly crossings: number;
    }[];
  }[];
  readonly precision: readonly { readonly variable: string; readonly error: JsonNumber; readonly ulps: JsonNumber }[] | null;
}

function json(x: number): JsonNumber {
  return Number.isFinite(x) && !Object.is(x, -0) ? x : Object.is(x, -0) ? "-0" : String(x);
}

/** The report in JSON. */
export function detailsJson({ rows, passed, details }: ToldGradients): GradientJson {
  return {
    passed,
    rows: rows.map(({ path, order, index, direction, analytic, numeric, error, verdict, step }) => ({
      variable: path,
      order,
      index,
      direction,
      analytic: json(analytic),
      numeric: json(numeric),
      error: json(error),
      verdict,
      step,
    })),
    ops: details.ops.map(({ error, ...row }) => ({
      op: row.op,
      gates: row.gates,
      checked: row.checked,
      error: json(error),
      verdict: row.verdict,
    })),
    sweeps: details.sweeps.map(({ path, analytic, points }) => ({
      variable: path,
      analytic: json(analytic),
      points: points.map((q) => ({
        step: q.step,
        error: json(q.error),
        error32: q.error32 === null ? null : json(q.error32),
        crossings: q.crossings,
      })),
    })),
    precision: details.precision?.map(({ path, error, ulps }) => ({ variable: path, error: json(error), ulps: json(ulps) })) ?? null,
  };
}

const short = (x: number): string => (x === 0 ? "0" : Number.isFinite(x) ? x.toExponential(1) : String(x));
const long = (x: number): string => (Number.isFinite(x) ? String(Number(x.toPrecision(8))) : String(x));
const nameOf = (path: string): string => path || "x";

function rowTable(rows: readonly Row[], words: GradientWords): string[][] {
  return [
    [...words.columns],
    ...rows.map(({ path, order, index, direction, analytic, numeric, error, verdict }) => [
      direction !== null
        ? words.along(nameOf(path), direction)
        : index === null || index.length === 0
          ? nameOf(path)
          : `${nameOf(path)}[${index.join(",")}]`,
      String(order),
      long(analytic),
      long(numeric),
      short(error),
      words.verdicts[verdict],
    ]),
  ];
}

function opTable(ops: readonly OpRow[], words: GradientWords): string[][] {
  return [[...words.opColumns], ...ops.map((o) => [o.op, String(o.gates), String(o.checked), short(o.error), words.verdicts[o.verdict]])];
}

/** Whole decades only: half of them are for the plot. Up to six variables; the rest is in the JSON. */
function sweepTable({ sweeps }: GradientDetails, words: GradientWords): string[][] {
  const shown = sweeps.slice(0, 6);
  const crossed = sweeps.some((s) => s.points.some((q) => q.crossings > 0));
  const head = [words.step, ...shown.map((s) => nameOf(s.path)), ...(crossed ? [words.crossed] : [])];
  const steps = shown[0]?.points ?? [];
  return [
    head,
    ...steps.flatMap((_, i) =>
      i % 2 === 1
        ? []
        : [
            [
              `1e-${1 + i / 2}`,
              ...shown.map((s) => short(s.points[i]!.error)),
              ...(crossed ? [String(sweeps.reduce((n, s) => n + s.points[i]!.crossings, 0))] : []),
            ],
          ],
    ),
  ];
}

function precisionTable({ precision }: GradientDetails, words: GradientWords): string[][] | null {
  return precision === null
    ? null
    : [
        [...words.precisionColumns],
        ...precision.map(({ path, error, ulps }) => [nameOf(path), short(error), String(Number(ulps.toPrecision(3)))]),
      ];
}

function verdictOf({ rows, passed }: ToldGradients, words: GradientWords): string {
  const open = rows.filter(({ verdict }) => verdict === "look").length;
  return !passed ? words.failed : open > 0 ? words.open(open) : words.passed;
}

/** The whole report for a terminal, without the rows by variable if those are printed otherwise. */
export function renderGradientText(told: ToldGradients, language: "en" | "ko", rows = true): string {
  const words = gradientWords(language);
  const precision = precisionTable(told.details, words);
  const section = (title: string, table: string[][] | null): string[] => [
    "",
    title,
    ...(table === null ? [`  ${words.noPrecision}`] : aligned(table).map((l) => `  ${l}`)),
  ];
  return [
    ...(rows ? [`${words.title}: ${verdictOf(told, words)}`, ...section(words.variables, rowTable(told.rows, words))] : []),
    ...section(words.ops, opTable(told.details.ops, words)),
    ...section(words.sweep, sweepTable(told.details, words)),
    ...section(words.precision, precision),
  ]
    .join("\n")
    .replace(/^\n/, "");
}

/** The whole report as Markdown. */
export function renderGradientMarkdown(told: ToldGradients, language: "en" | "ko"): string {
  const words = gradientWords(language);
  const precision = precisionTable(told.details, words);
  return `${[
    `## ${words.title}`,
    "",
    verdictOf(told, words),
    "",
    `### ${words.variables}`,
    "",
    ...markdownTable(rowTable(told.rows, words)),
    "",
    `### ${words.ops}`,
    "",
    ...markdownTable(opTable(told.details.ops, words)),
    "",
    `### ${words.sweep}`,
    "",
    ...markdownTable(sweepTable(told.details, words)),
    "",
    `### ${words.precision}`,
    "",
    ...(precision === null ? [words.noPrecision] : markdownTable(precision)),
  ].join("\n")}\n`;
}
