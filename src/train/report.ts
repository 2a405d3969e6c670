import type { Language } from "../explain/explain.ts";
import type { HealthReport } from "../explain/health/health.ts";
import type { Checkup } from "./checkpoint.ts";
import { type CurveOptions, curveSvg } from "./curve.ts";
import type { CurvePoint } from "./history.ts";
import type { Communication } from "./ranks/meter.ts";
import { duration, type Ending, trainWords } from "./words.ts";

/** How a run went. */
export interface TrainingReport {
  readonly steps: number;
  /** Epochs that are over. */
  readonly epochs: number;
  /** The mean loss of the last whole epoch, or of the steps there were. */
  readonly loss: number;
  /** The monitored number at its best, and when that was. */
  readonly best: number;
  readonly bestStep: number;
  readonly reason: Ending;
  /** Time spent training, over all resumptions. */
  readonly seconds: number;
  /** The losses of the steps; each point is a mean when there were many. */
  readonly history: readonly CurvePoint[];
  readonly checkups: readonly Checkup[];
  /** What `health` says of the model on rows of the last batch; null when it was not asked or the run had no step. */
  readonly health: HealthReport | null;
  /** Of a run on ranks: what its messages cost this one; null when there were too few steps to tell. */
  readonly communication?: Communication | null;
  /** In the language that `train` was told. */
  text(): string;
  /** The curve of the losses. */
  svg(options?: CurveOptions): string;
  toJSON(): TrainingJson;
}

/** A report as JSON. */
export interface TrainingJson {
  readonly steps: number;
  readonly epochs: number;
  readonly loss: number;
  readonly best: number;
  readonly bestStep: number;
  readonly reason: Ending;
  readonly seconds: number;
  readonly checkups: readonly Checkup[];
  readonly health: unknown;
  readonly communication?: Communication | null;
}

/** What a report is made from. */
export type ReportFacts = Omit<TrainingReport, "text" | "svg" | "toJSON"> & {
  readonly monitored: string;
  readonly validated: boolean;
  readonly parameters: number;
  readonly language: Language;
};

/** A number in a sentence. */
export function short(x: number): string {
  if (!Number.isFinite(x)) return String(x);
  return String(Number(x.toPrecision(4)));
}

/** The report of a run that is over. */
export function reportOf(facts: ReportFacts): TrainingReport {
  const { monitored, validated, parameters, language, ...told } = facts;
  const words = trainWords[language];
  const json = (): TrainingJson => {
    const { history: _, health, ...rest } = told;
    return { ...rest, health: health === null ? null : health.toJSON() };
  };
  const text = (): string => {
    const lines = [
      `${words.training}: ${words.steps(told.steps)}, ${words.epochs(told.epochs)}, ${duration(told.seconds, words)}, ${words.numbers(parameters)}; ${words.endings[told.reason]}`,
      `  ${words.losses(short(told.loss), monitored, short(told.best), told.bestStep)}`,
    ];
    const last = told.checkups.at(-1);
    if (last !== undefined)
      lines.push(
        `  ${words.lastCheckup(last.step)}: ${[[words.loss, last.loss] as const, ...Object.entries(last.metrics)].map(([name, x]) => `${name} ${short(x)}`).join(", ")}`,
      );
    if (told.communication !== undefined && told.communication !== null) lines.push(`  ${words.communication(told.communication)}`);
    if (told.health !== null) lines.push("", told.health.text().trimEnd());
    return `${lines.join("\n")}\n`;
  };
  const svg = (options?: CurveOptions): string => curveSvg({ ...told, validated }, { language, ...options });
  return { ...told, text, svg, toJSON: json };
}
