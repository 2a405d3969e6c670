import type { Command } from "./command.ts";
import { finetuneOptions, finetuneSettings } from "./finetune-settings.ts";
import { checkFile, commandText } from "./train-command.ts";
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
  ],
  run: async ({ words, options }, io) => {
    const [model, ...more] = words;
    if (model === undefined || more.length > 0)
      throw new UsageError("finetune takes one model: chainrule finetune model.onnx --data train.safetensors -o tuned.onnx", "finetune");
    const settings = finetuneSettings(model, Object.fromEntries(options));
    await checkFile(settings, "finetune");
    // The reader, optimisers and the compiler are loaded by those who tune, not by every command.
    const { runFinetuning } = await import("./run-finetuning.ts");
    return runFinetuning(settings, commandText("finetune", words, options), io);
  },
};
