import type { Language } from "../explain/explain.ts";
import { GraphError } from "../ir/errors.ts";
import { checkOptionNames, kindText } from "../notation/given.ts";
import type { Callback, RunFacts } from "./options.ts";
import { short, type TrainingReport } from "./report.ts";
import type { Step } from "./train.ts";
import { duration, type TrainWords, trainWords } from "./words.ts";

/** Where progress is written. */
export interface ProgressOptions {
  readonly write: (text: string) => void;
  /** Whether it is a terminal, where one line is written over and over; elsewhere there is one line an epoch. */
  readonly terminal: boolean;
  /** Characters in a line of the terminal; 80 when left out. */
  readonly columns?: number;
  /** Milliseconds between two writings on a terminal; 100 when left out. */
  readonly every?: number;
  /** A clock in milliseconds. */
  readonly now?: () => number;
  /** "en" when left out. */
  readonly language?: Language;
}

const example = "progress({ write: (text) => process.stderr.write(text), terminal: true })";

/**
 * Tells how far a run is: `epoch 3/20  step 412/2880  loss 0.2134  4520 rows/s  12 s left`. On a terminal it is one line that changes, with the
 * checkups left standing; elsewhere a line an epoch.
 * @throws GraphError without a function to write with, DomainError for an option that is not there
 */
export function progress(options: ProgressOptions): Callback<Step<unknown>> {
  checkOptionNames("progress", options, ["write", "terminal", "columns", "every", "now", "language"], example);
  const { write, terminal, columns = 80, every = 100, now = () => performance.now(), language = "en" } = options;
  if (typeof write !== "function")
    throw new GraphError(`progress: options.write is ${kindText(write)}; it is a function that takes a text: ${example}`);
  const words = trainWords[language];
  let run: RunFacts = { epochs: 1, stepsInEpoch: null, steps: null, resumed: 0, parameters: 0 };
  let began = 0;
  let written = Number.NEGATIVE_INFINITY;
  let rows = 0;
  let mean = Number.NaN;
  let epoch = 0;
  const clear = (): void => {
    if (terminal) write("\r\u001b[K");
  };
  const status = (event: Step<unknown>): string => {
    const seconds = (now() - began) / 1000;
    const done = event.step - run.resumed;
    const parts = [
      words.epoch(event.epoch, run.epochs),
      words.step(`${event.step}${run.steps === null ? "" : `/${run.steps}`}`),
      `${words.loss} ${short(mean)}`,
      words.speed(speed(rows / seconds)),
    ];
    if (run.steps !== null && run.steps > event.step) parts.push(words.left(duration((seconds / done) * (run.steps - event.step), words)));
    return parts.join("  ");
  };
  return {
    start: (facts) => {
      run = facts;
      began = now();
      if (facts.resumed > 0) write(`${words.goesOn(facts.resumed)}\n`);
    },
    step: (event) => {
      rows += event.rows;
      if (event.epoch !== epoch) mean = Number.NaN;
      epoch = event.epoch;
      // A mean over some twenty steps, so that the number can be read.
      mean = Number.isNaN(mean) ? event.loss : mean + 0.05 * (event.loss - mean);
      const { validation } = event;
      const ends = run.stepsInEpoch !== null && event.step % run.stepsInEpoch === 0;
      if (validation !== undefined || (ends && !terminal)) {
        clear();
        write(`${status(event)}${validation === undefined ? "" : `  ${checkupText(validation, words)}`}\n`);
        written = now();
      } else if (terminal && now() - written >= every) {
        write(`\r\u001b[K${status(event).slice(0, columns - 1)}`);
        written = now();
      }
    },
    finish: (_: TrainingReport) => clear(),
  };
}

function checkupText({ loss, metrics, isBest }: NonNullable<Step<unknown>["validation"]>, words: TrainWords): string {
  return [
    `${words.validationLoss} ${short(loss)}`,
    ...Object.entries(metrics).map(([name, x]) => `${name} ${short(x)}`),
    ...(isBest ? [words.best] : []),
  ].join("  ");
}

/** Rows a second, without digits that mean nothing. */
function speed(x: number): string {
  return Number.isFinite(x) ? String(x >= 100 ? Math.round(x) : Number(x.toPrecision(2))) : "-";
}
