import { nodeFiles, reasonOf } from "../files/node-files.ts";
import { writeFileWhole } from "../files/write-file.ts";
import { DomainError } from "../ir/errors.ts";
import { isTensor } from "../ir/leaf.ts";
import { kindText } from "../notation/given.ts";
import type { Callback } from "./options.ts";
import type { Step } from "./train.ts";

/** Lines kept before they are written together. */
const together = 64;

/**
 * Writes a run to a file, a JSON object a line: `{"step":12,"epoch":1,"loss":0.31,"gradientNorm":1.2,"rows":64,"seconds":0.8}`, scalar outputs by name,
 * `validation` where there is one, and on ranks `waited`, the milliseconds in which the step waited for messages. A run that is resumed goes on in its file: lines from after the checkpoint are taken out first. Node only.
 * @throws DomainError when the file cannot be written
 */
export function jsonLog(file: string): Callback<Step<unknown>> {
  if (typeof file !== "string" || file === "")
    throw new DomainError(`jsonLog: file is ${kindText(file)}; it is the path of the log to write`);
  let lines: string[] = [];
  let began = 0;
  const flush = async (): Promise<void> => {
    if (lines.length === 0) return;
    const text = lines.join("");
    lines = [];
    const files = await nodeFiles();
    await files.appendFile(file, text).catch((cause: unknown) => {
      throw new DomainError(`cannot write the log ${file}: ${reasonOf(cause)}`, { cause });
    });
  };
  return {
    start: async ({ resumed }) => {
      began = performance.now();
      const files = await nodeFiles();
      const before = resumed === 0 ? "" : await files.readFile(file, "utf8").catch(() => "");
      await writeFileWhole(file, upTo(before, resumed));
    },
    step: async (event) => {
      lines.push(`${JSON.stringify(lineOf(event, (performance.now() - began) / 1000))}\n`);
      if (lines.length >= together || event.validation !== undefined) await flush();
    },
    saved: flush,
    finish: flush,
    fail: flush,
  };
}

/** The lines of a log up to a step; what is no such line is dropped. */
function upTo(text: string, step: number): string {
  return text
    .split("\n")
    .filter((line) => {
      try {
        return (JSON.parse(line) as { readonly step: number }).step <= step;
      } catch {
        return false;
      }
    })
    .map((line) => `${line}\n`)
    .join("");
}

function lineOf({ step, epoch, loss, gradientNorm, rows, outputs, validation, waited }: Step<unknown>, seconds: number): object {
  const scalars: Record<string, number> = {};
  for (const [name, value] of Object.entries(outputs as object))
    if (name !== "loss" && isTensor(value) && value.type.shape.length === 0) scalars[name] = value.data[0]!;
  return {
    step,
    epoch,
    loss,
    ...scalars,
    gradientNorm,
    rows,
    ...(waited !== undefined && { waited: Number(waited.toFixed(3)) }),
    seconds: Number(seconds.toFixed(3)),
    ...(validation !== undefined && {
      validation: { loss: validation.loss, ...validation.metrics, rows: validation.rows, best: validation.isBest },
    }),
  };
}
