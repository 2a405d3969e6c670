import { repeatedKey } from "../data/repeated-key.ts";
import type { Ranks } from "../mpi/ranks.ts";
import { checkFile } from "./checkpoint-file.ts";
import type { Command, Options } from "./command.ts";
import { checkApart } from "./files-apart.ts";
import type { CommandIo } from "./io.ts";
import { onRanks } from "./on-ranks.ts";
import { textIn } from "./text-in.ts";
import { settingsOf, trainOptions } from "./train-settings.ts";
import { UsageError } from "./usage-error.ts";

/** `chainrule train`: a network on a table. */
export const trainCommand: Command = {
  name: "train",
  usage: ["chainrule train --model SPEC --data FILE.csv --target COLUMN [options]", "chainrule train CONFIG.json [options]"],
  summary: "train a network on a table, with checkpoints",
  details:
    "Trains dense or convolutional networks, for classes or numbers, on the rows of a CSV file, and validates on the rows that were held back.\n" +
    "The checkpoint holds everything: weights, optimiser, order of the data, the scaling of the inputs. Ctrl-C writes it and says how to\n" +
    "go on; a resumed run gives the numbers that an unbroken one would have given, bit for bit. CONFIG.json has the options by name:\n" +
    '{"model": "mlp:64-32-10", "data": "digits.csv", "target": "label", "epochs": 30}; options beside it win. Exit code 130 after Ctrl-C.',
  options: trainOptions,
  examples: [
    "chainrule train --model mlp:64-128-10 --data digits.csv --target label --epochs 30 --checkpoint digits.ckpt --curve loss.svg",
    "chainrule train --model conv:8x8x1-16c3-p2-32c3-p2-64-10 --data digits.csv --target label --rate 2e-3",
    "chainrule train --model mlp:13-32-1,tanh --data houses.csv --target price",
    "mpirun -np 4 chainrule train --mpi --model mlp:64-128-10 --data digits.csv --target label",
  ],
  run: async ({ words, options }, io) => {
    const settings = settingsOf(await given(words, options, io));
    const { data, checkpoint, best, out, log, curve } = settings;
    const files = { "--checkpoint": checkpoint, "--best": best, "--out": out, "--log": log, "--curve": curve };
    checkApart({ CONFIG: words[0], "--data": data, ...(settings.plan === null && files) }, "train");
    // Layers, optimisers and the compiler are loaded by those who train, not by every command.
    const run = async (own: CommandIo, ranks: Ranks | null): Promise<number> =>
      (await import("./run-training.ts")).runTraining(settings, commandText("train", words, options), own, ranks);
    if (settings.mpi) return onRanks(settings, "train", io, run);
    if (settings.plan === null) await checkFile(settings, "train");
    return run(io, null);
  },
};

/** The settings of a CONFIG.json under those of the command line. */
async function given(words: readonly string[], options: Options, io: CommandIo): Promise<Readonly<Record<string, unknown>>> {
  if (words.length > 1) throw new UsageError("train takes one CONFIG.json, and everything else as options", "train");
  const own = Object.fromEntries(options);
  const [file] = words;
  if (file === undefined) return own;
  const text = await textIn(file, io);
  let config: unknown;
  try {
    config = JSON.parse(text);
  } catch (cause) {
    throw new UsageError(`${file} is no JSON: ${(cause as Error).message}`, "train");
  }
  const twice = repeatedKey(text.replace(/^\ufeff/, ""));
  if (twice !== null) throw new UsageError(`${file} has ${JSON.stringify(twice)} twice; which one is meant?`, "train");
  if (typeof config !== "object" || config === null || Array.isArray(config))
    throw new UsageError(`${file} must be an object of options: {"model": "mlp:64-32-10", ...}`, "train");
  return { ...config, ...own };
}

/** The command line again, going on from its checkpoint, to be told. */
export function commandText(command: string, words: readonly string[], options: Options): string {
  const quoted = (text: string): string => (/^[\w./:,=@+-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`);
  const parts = [...options].filter(([name]) => name !== "force" && name !== "resume");
  return [
    `${options.has("mpi") ? "mpirun -np RANKS " : ""}chainrule ${command}`,
    ...words.map(quoted),
    ...parts.map(([name, v]) => (v === true ? `--${name}` : `--${name} ${quoted(v)}`)),
    "--resume",
  ].join(" ");
}
