import { writeFileWhole } from "../files/write-file.ts";
import type { Callback } from "../train/options.ts";
import type { TrainingReport } from "../train/report.ts";
import type { Step } from "../train/train.ts";
import { coloursFor } from "./colours.ts";
import { printable } from "./describe-error.ts";
import { type CommandIo, exitCodes } from "./io.ts";
import type { TrainSettings } from "./train-settings.ts";
import { commandWords } from "./train-words.ts";

/** What `chainrule train` and `chainrule finetune` have in common in what they tell. */
type Telling = Pick<TrainSettings, "log" | "curve" | "json" | "lang" | "checkpoint">;

/** The line of progress, and the log of steps where one is asked for. */
export async function tellers({ log, lang }: Telling, io: CommandIo): Promise<readonly Callback<Step<unknown>>[]> {
  const { jsonLog, progress } = await import("../train.ts");
  return [
    progress({
      write: (text) => io.writeError(text),
      terminal: io.isTerminal.error,
      language: lang,
      ...(io.columns !== undefined && { columns: io.columns }),
    }),
    ...(log === null ? [] : [jsonLog(log)]),
  ];
}

/** What a run is told at its end. */
export interface RunEnd {
  readonly report: TrainingReport;
  /** The command that goes on with it. */
  readonly again: string;
  /** The files that it wrote, those that were not asked for as null. */
  readonly wrote: readonly (string | null)[];
  /** More for the report as JSON. */
  readonly more?: Readonly<Record<string, unknown>>;
  /** Whether this process writes the curve: one of several ranks does. */
  readonly leads?: boolean;
}

/** Writes the curve, prints the report and the last sentence; the exit code. */
export async function tellEnd(
  { report, again, wrote, more = {}, leads = true }: RunEnd,
  { curve, json, lang, checkpoint }: Telling,
  io: CommandIo,
): Promise<number> {
  if (curve !== null && leads) await writeFileWhole(curve, report.svg());
  const { heading, warning } = coloursFor("output", io);
  if (json) await io.write(`${JSON.stringify({ ...report.toJSON(), ...more })}\n`);
  else await io.write(printable(report.text()).replace(/^[^:]+:/, heading));
  const words = commandWords[lang];
  if (report.reason === "aborted") {
    io.writeError(`${words.stoppedAfter(warning(words.stopped), report.steps, checkpoint)}\n  ${again}\n`);
    return exitCodes.interrupted;
  }
  if (!json) await io.write(`${words.wrote(wrote.filter((name) => name !== null).join(", "))}\n`);
  return exitCodes.done;
}
