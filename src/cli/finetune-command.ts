import type { Ranks } from "../mpi/ranks.ts";
import { checkFile } from "./checkpoint-file.ts";
import type { Command } from "./command.ts";
import { checkApart } from "./files-apart.ts";
import { finetuneOptions, finetuneSettings } from "./finetune-settings.ts";
import type { CommandIo } from "./io.ts";
import { onRanks } from "./on-ranks.ts";
import { commandText } from "./train-command.ts";
import { UsageError } from "./usage-error.ts";

/** `chainrule finetune`: an ONNX model trained further, as an ONNX model. */
export const finetuneCommand: Command = {
  name: "finetune",
  usage: ["chainrule finetune MODEL.onnx --data FILE -o TUNED.onnx [options]"],
  summary: "train an ONNX model further on your data, and write it as ONNX",
  details:
    "Tensors of the data go to the inputs of the model by their names; the one that is left over is what is predicted. A table's columns but the target are the one\n" +
    "input. All floating-point weights are trained but running statistics, masks and positions, unless --trainable, --freeze or --lora say otherwise; chainrule\n" +
    "onnx inspect MODEL.onnx lists them. The checkpoint holds everything: Ctrl-C writes it and says how to go on; a resumed run gives the numbers that an\n" +
    "unbroken one would have given, bit for bit. The file is the model as it was read, with other weights. Exit code 130 after Ctrl-C.",
  options: finetuneOptions,
  examples: [
    "chainrule finetune model.onnx --data train.safetensors -o tuned.onnx",
    "chainrule finetune model.onnx --data digits.csv --target label --freeze 'features.*' --lr 1e-3 --epochs 10 -o tuned.onnx",
    "chainrule finetune bert.onnx --data train.safetensors --validation dev.safetensors --lora 8 --trainable 'classifier.*' -o tuned.onnx",
    "mpirun -np 4 chainrule finetune --mpi model.onnx --data train.safetensors -o tuned.onnx",
  ],
  run: async ({ words, options }, io) => {
    const [model, ...more] = words;
    if (model === undefined || more.length > 0)
      throw new UsageError("finetune takes one model: chainrule finetune model.onnx --data train.safetensors -o tuned.onnx", "finetune");
    const settings = finetuneSettings(model, Object.fromEntries(options));
    const { data, validation, out, checkpoint, adapters, log, curve } = settings;
    const read = {
      MODEL: model,
      "--data": data,
      "--validation": typeof validation === "string" && validation !== data ? validation : null,
    };
    const written = { "-o": out, "--checkpoint": checkpoint, "--adapters": adapters, "--log": log, "--curve": curve };
    checkApart({ ...read, ...written }, "finetune");
    // The reader, optimisers and the compiler are loaded by those who tune, not by every command.
    const run = async (own: CommandIo, ranks: Ranks | null): Promise<number> =>
      (await import("./run-finetuning.ts")).runFinetuning(settings, commandText("finetune", words, options), own, ranks);
    if (settings.mpi) return onRanks(settings, "finetune", io, run);
    await checkFile(settings, "finetune");
    return run(io, null);
  },
};
