import type { HealthReport } from "../explain/health/health.ts";
import type { Checkup } from "./checkpoint.ts";
import { type CurveOptions, curveSvg } from "./curve.ts";
import type { CurvePoint } from "./history.ts";

/** Why a run ended. */
export type Ending = "epochs" | "steps" | "patience" | "aborted";

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
}

/** What a report is made from. */
export type ReportFacts = Omit<TrainingReport, "text" | "svg" | "toJSON"> & {
  readonly monitored: string;
  readonly validated: boolean;
  readonly parameters: number;
};

/** A number in a sentence. */
export function short(x: number): string {
  if (!Number.isFinite(x)) return String(x);
  return String(Number(x.toPrecision(4)));
}

/** `1 h 02 min`, `3 min 05 s`, `4.2 s`. */
export function duration(seconds: number): string {
  if (seconds < 60) return `${seconds < 10 ? seconds.toFixed(1) : Math.round(seconds)} s`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) return `${minutes} min ${String(Math.floor(seconds % 60)).padStart(2, "0")} s`;
  return `${Math.floor(minutes / 60)} h ${String(minutes % 60).padStart(2, "0")} min`;
}

const endings: Readonly<Record<Ending, string>> = {
  epochs: "all epochs are done",
  steps: "all steps are done",
  patience: "it got no better for as long as patience allows",
  aborted: "it was stopped",
};

/** A count with its noun. */
function counted(n: number, noun: string): string {
  return `${n} ${noun}${n === 1 ? "" : "s"}`;
}

/** The report of a run that is over. */
export function reportOf(facts: ReportFacts): TrainingReport {
  const { monitored, validated, parameters, ...told } = facts;
  const json = (): TrainingJson => {
    const { history: _, health, ...rest } = told;
    return { ...rest, health: health === null ? null : health.toJSON() };
  };
  const text = (): string => {
    const lines = [
      `Training: ${counted(told.steps, "step")}, ${counted(told.epochs, "epoch")}, ${duration(told.seconds)}, ${parameters} numbers; ${endings[told.reason]}`,
      `  loss ${short(told.loss)}; best ${monitored} ${short(told.best)} at step ${told.bestStep}`,
    ];
    const last = told.checkups.at(-1);
    if (last !== undefined)
      lines.push(
        `  last checkup, step ${last.step}: ${[["loss", last.loss] as const, ...Object.entries(last.metrics)].map(([name, x]) => `${name} ${short(x)}`).join(", ")}`,
      );
    if (told.health !== null) lines.push("", told.health.text().trimEnd());
    return `${lines.join("\n")}\n`;
  };
  const svg = (options?: CurveOptions): string => curveSvg({ ...told, validated }, options);
  return { ...told, text, svg, toJSON: json };
}
