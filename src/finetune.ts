export { type Lora, type LoraOptions, loadAdapters, lora, saveAdapters } from "./finetune/lora.ts";
export { type Choice, trainables, type Weighted } from "./finetune/trainables.ts";
