import { writeFileWhole } from "../files/write-file.ts";
import { type Command, langOption, languageIn } from "./command.ts";
import { checkApart } from "./files-apart.ts";
import { exitCodes } from "./io.ts";
import { UsageError } from "./usage-error.ts";

/** `chainrule predict`: what a trained model says of other rows. */
export const predictCommand: Command = {
  name: "predict",
  usage: ["chainrule predict CHECKPOINT --data FILE.csv [--out FILE.csv]"],
  summary: "predict with a model that chainrule train made",
  details:
    "Reads the rows block by block, so the table may be larger than memory; scales them as in training, and writes a prediction a row: the class\n" +
    "and its probability, or the number. Columns are found by their names, in any order; others may stand beside them and hold anything.\n" +
    "Where the target is there, it also tells how many rows are right, or the root mean squared error; it may be empty, or no column at\n" +
    "all. Uses the best weights where the checkpoint kept them.",
  options: [
    { name: "data", value: "FILE.csv", about: "the rows; - is standard input" },
    { name: "out", value: "FILE.csv", about: "where the predictions go; standard output when left out" },
    { name: "json", about: "a JSON object a line instead of CSV" },
    langOption,
  ],
  examples: ["chainrule predict digits.ckpt --data new.csv --out predicted.csv"],
  run: async ({ words, options }, io) => {
    const [file] = words;
    if (file === undefined || words.length > 1)
      throw new UsageError("predict takes one checkpoint: chainrule predict digits.ckpt --data new.csv", "predict");
    const data = options.get("data");
    if (typeof data !== "string") throw new UsageError("--data is missing: --data new.csv", "predict");
    const out = options.get("out");
    if (typeof out === "string") checkApart({ CHECKPOINT: file, "--data": data, "--out": out }, "predict");
    const language = languageIn(options, "predict");
    const { predictRows } = await import("./run-prediction.ts");
    const lines: string[] = [];
    const write = async (text: string): Promise<void> => {
      if (typeof out === "string") lines.push(text);
      else await io.write(text);
    };
    const told = await predictRows(file, data, options.has("json"), language, write, io);
    if (typeof out === "string") await writeFileWhole(out, lines.join(""));
    io.writeError(`${told}\n`);
    return exitCodes.done;
  },
};
