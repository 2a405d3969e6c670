import { aligned, columnsOf, markdownTable } from "../../check/tables.ts";
import type { ThresholdTable } from "../../check/thresholds.ts";
import { typeText } from "../../ir/type.ts";
import { jsonNumber, numberText } from "../number-text.ts";
import type { Finding, LayerFacts, ParameterFacts, Rule } from "./facts.ts";
import type { HealthWords } from "./words.ts";

/** What a report tells. */
export interface Told {
  readonly healthy: boolean;
  readonly findings: readonly Finding[];
  readonly parameters: readonly ParameterFacts[];
  readonly layers: readonly LayerFacts[];
}

/** A health report in JSON: numbers as JSON numbers, NaN and infinities as these strings. */
export interface HealthJson {
  readonly healthy: boolean;
  readonly findings: readonly {
    readonly rule: Rule;
    readonly level: Finding["level"];
    readonly subject: string;
    readonly scope: string | null;
    readonly measured: number | string | null;
    readonly limit: number | string | null;
    readonly sentence: string;
  }[];
  readonly parameters: readonly {
    readonly name: string;
    readonly type: string;
    readonly weightRms: number | string;
    readonly gradientRms: number | string;
    readonly ratio: number | string | null;
    readonly rate: number | string | null;
  }[];
  readonly layers: readonly { readonly name: string; readonly activationRms: number | string; readonly gradientRms: number | string }[];
}

const short = (x: number): string => numberText(x, 3);
const orDash = (x: number | null): string => (x === null ? "-" : short(x));

function parameterTable({ parameters }: Told, words: HealthWords, limits: ThresholdTable): string[][] {
  return [
    [words.parameter, words.type, words.weight, words.gradient, words.ratio, words.rate(short(limits.updateToWeight.aim))],
    ...parameters.map((p) => [p.name, typeText(p.type), short(p.weightRms), short(p.gradientRms), orDash(p.ratio), orDash(p.rate)]),
  ];
}

function layerTable({ layers }: Told, words: HealthWords): string[][] {
  return [[words.layer, words.activation, words.gradient], ...layers.map((l) => [l.name, short(l.activationRms), short(l.gradientRms)])];
}

/** What is out of order, in one line. */
function verdict({ findings }: Told, words: HealthWords): string {
  const count = (level: Finding["level"]): number => findings.filter((x) => x.level === level).length;
  const [bad, warn] = [count("bad"), count("warn")];
  if (bad + warn === 0) return words.healthy;
  return [...(bad > 0 ? [words.faults(bad)] : []), ...(warn > 0 ? [words.warnings(warn)] : [])].join("; ");
}

/** A report for a terminal. */
export function renderHealth(told: Told, words: HealthWords, limits: ThresholdTable): string {
  const out = [`${words.title}: ${verdict(told, words)}`];
  const width = Math.max(...Object.values(words.levels).map(columnsOf));
  if (told.findings.length > 0)
    out.push(
      "",
      words.findings,
      ...told.findings.map(
        (x) =>
          `  ${words.levels[x.level]}${" ".repeat(width - columnsOf(words.levels[x.level]))}  ${x.scope === null ? "" : `(${x.scope}) `}${x.sentence}`,
      ),
    );
  if (told.parameters.length > 0)
    out.push("", words.parameters, ...aligned(parameterTable(told, words, limits)).map((line) => `  ${line}`));
  if (told.layers.length > 1) out.push("", words.layers, ...aligned(layerTable(told, words)).map((line) => `  ${line}`));
  return `${out.join("\n")}\n`;
}

/** A report as Markdown. */
export function renderHealthMarkdown(told: Told, words: HealthWords, limits: ThresholdTable): string {
  const out = [`## ${words.title}`, "", verdict(told, words)];
  if (told.findings.length > 0)
    out.push("", ...told.findings.map((x) => `- **${words.levels[x.level]}**: ${x.sentence.replace(/[\\*_|<]/g, (c) => `\\${c}`)}`));
  if (told.parameters.length > 0) out.push("", `### ${words.parameters}`, "", ...markdownTable(parameterTable(told, words, limits)));
  if (told.layers.length > 1) out.push("", `### ${words.layers}`, "", ...markdownTable(layerTable(told, words)));
  return `${out.join("\n")}\n`;
}

/** A report in JSON. */
export function healthJson({ healthy, findings, parameters, layers }: Told): HealthJson {
  const orNull = (x: number | null): number | string | null => (x === null ? null : jsonNumber(x));
  return {
    healthy,
    findings: findings.map(({ rule, level, subject, scope, measured, limit, sentence }) => ({
      rule,
      level,
      subject,
      scope,
      measured: orNull(measured),
      limit: orNull(limit),
      sentence,
    })),
    parameters: parameters.map((p) => ({
      name: p.name,
      type: typeText(p.type),
      weightRms: jsonNumber(p.weightRms),
      gradientRms: jsonNumber(p.gradientRms),
      ratio: orNull(p.ratio),
      rate: orNull(p.rate),
    })),
    layers: layers.map((l) => ({ name: l.name, activationRms: jsonNumber(l.activationRms), gradientRms: jsonNumber(l.gradientRms) })),
  };
}
