import { ChainruleError, NumericError } from "../ir/errors.ts";

/** What the library advises to who calls it, and what to do where there is a command line instead. */
const advice: readonly (readonly [call: string, option: string])[] = [
  [
    "Use the same loader, or start anew from its weights",
    "Go on with the data and the options it was begun with (--split, --seed, --batch and --accumulate make the batches), or begin anew: --force",
  ],
  [
    "Train the model that it was written for, or name another file",
    "Go on with the model and the --optimizer it was begun with, begin anew: --force, or name another file: --checkpoint",
  ],
  ["resume with the same seed, or the run would be another", "go on with the --seed it was begun with, or begin anew: --force"],
  [
    "for weights alone write params: await loadTensors(file, params)",
    "it has weights alone, as --out writes them; name the file that --checkpoint named",
  ],
];

/** An error of a run, with what to do about it on a command line. `smaller` is what makes smaller steps, such as `--rate 0.001`. */
export function advised(error: unknown, smaller = ""): unknown {
  if (!(error instanceof ChainruleError)) return error;
  const { message } = error;
  let text = advice.reduce((told, [call, option]) => told.replace(call, option), message);
  if (error instanceof NumericError)
    text = text.replace(
      /Replay it: \S+ training\.replay\(\)\)$/,
      `Mostly the steps are too long: begin anew with shorter ones, such as ${smaller}`,
    );
  if (text === message) return error;
  return new (error.constructor as new (message: string, facts: { readonly cause: unknown }) => ChainruleError)(text, { cause: error });
}
