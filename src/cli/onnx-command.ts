import { type Command, jsonOption, langOption, languageIn, type Options } from "./command.ts";
import { printable } from "./describe-error.ts";
import { tieIn } from "./finetune-settings.ts";
import { exitCodes } from "./io.ts";
import { UsageError } from "./usage-error.ts";

/** `chainrule onnx inspect`: what is in a model file. */
export const onnxCommand: Command = {
  name: "onnx",
  usage: ["chainrule onnx inspect FILE.onnx [options]"],
  summary: "tell what is in an ONNX model, and what of it can be trained",
  details:
    "Operators, inputs and outputs; the parameters with their shapes, which of them are trained, and which a gradient reaches; the nodes that no gradient passes,\n" +
    "and the parameters that these block; folded batch normalisations, tied weights, nodes that split the model by data, and what is computed for them first; the memory of a step. Operators that are\n" +
    "not supported are told too. chainrule draw FILE.onnx draws the model.",
  options: [
    { name: "dims", value: "NAME=SIZE,...", about: "numbers for sizes that have a name, such as batch=32; 1, or what fits, when left out" },
    { name: "outputs", value: "NAME,...", about: "these outputs, or values inside, instead of the file's own" },
    { name: "tie", value: "all|none|PATTERN,...", about: "which weights that the file has twice are one, as chainrule finetune takes it" },
    jsonOption,
    langOption,
  ],
  examples: ["chainrule onnx inspect model.onnx --dims batch=32"],
  run: async ({ words, options }, io) => {
    const [verb, file, ...more] = words;
    if (verb !== "inspect")
      throw new UsageError(
        verb === undefined
          ? "onnx wants to know what to do: chainrule onnx inspect FILE.onnx"
          : `onnx has no ${verb.slice(0, 40)}; it has inspect`,
        "onnx",
      );
    if (file === undefined || more.length > 0)
      throw new UsageError("onnx inspect takes one file: chainrule onnx inspect model.onnx", "onnx");
    const outputs = listIn(options, "outputs");
    const language = languageIn(options, "onnx");
    // Only those who have models load what reads them.
    const { inspectModel } = await import("../onnx/inspect.ts");
    const given = options.get("tie");
    const tie = tieIn(typeof given === "string" ? given : null);
    const found = await inspectModel(file, {
      dims: dimsIn(options, "onnx"),
      ...(outputs !== null && { outputs }),
      ...(tie !== null && { tie }),
    });
    await io.write(options.has("json") ? `${JSON.stringify(found.toJSON())}\n` : printable(found.text(language)));
    return exitCodes.done;
  },
};

/** Names with commas between them, or null. */
export function listIn(options: Options, name: string): string[] | null {
  const given = options.get(name);
  return typeof given === "string" ? given.split(",").filter((part) => part !== "") : null;
}

/** `--dims batch=32,length=128`. @throws UsageError for what is no such list */
export function dimsIn(options: Options, command: string): Record<string, number> {
  const found = new Map<string, number>();
  for (const part of listIn(options, "dims") ?? []) {
    const match = /^(.+)=(\d{1,9})$/.exec(part);
    if (match === null) throw new UsageError(`--dims ${part.slice(0, 40)} is no size; write --dims batch=32`, command);
    found.set(match[1]!, Number(match[2]));
  }
  return Object.fromEntries(found);
}
