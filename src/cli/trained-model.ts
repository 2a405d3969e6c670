import { differences, treeOf } from "../data/tensor-tree.ts";
import { ParseError } from "../ir/errors.ts";
import type { Tensor } from "../ir/tensor.ts";
import { key } from "../random/random.ts";
import type { Checkpoint } from "../train/checkpoint.ts";
import { advised } from "./advised.ts";
import { modelOf, type SpecModel } from "./model-spec.ts";
import type { Scaling } from "./table.ts";

export const noteKind = "chainrule train";

/** What a checkpoint of the command line says of its model. */
export interface ModelNote {
  readonly kind: typeof noteKind;
  readonly model: string;
  readonly target: string;
  readonly task: "classification" | "regression";
  /** The columns of the inputs, in their order, and what each was brought to. */
  readonly columns: readonly string[];
  readonly scaling: Scaling;
  /** Names of the classes; null where they are numbers. */
  readonly classes: readonly string[] | null;
  readonly targetScaling: Scaling | null;
}

/** A model out of a checkpoint, with its weights. */
export interface TrainedModel {
  readonly note: ModelNote;
  readonly model: SpecModel;
  readonly params: unknown;
  readonly stats: unknown;
  readonly step: number;
}

/** Reads a checkpoint that `chainrule train` wrote; the best weights, where it kept them. @throws ParseError for others */
export async function readModel(path: string): Promise<TrainedModel> {
  const { readCheckpoint } = await import("../train.ts");
  const checkpoint: Checkpoint = await readCheckpoint(path).catch((error: unknown) => {
    throw advised(error);
  });
  const note = checkpoint.header.note as ModelNote | null;
  if (note?.kind !== noteKind)
    throw new ParseError(`${path}: the checkpoint does not say how its model is built; chainrule predict takes those of chainrule train`);
  const model = modelOf(note.model);
  const own: Record<string, Tensor> = {};
  const best: Record<string, Tensor> = {};
  for (const [name, tensor] of Object.entries(checkpoint.tensors)) {
    if (/^best\.(params|stats)\./.test(name)) best[name.slice(5)] = tensor;
    else if (/^(params|stats)\./.test(name)) own[name] = tensor;
  }
  const chosen = Object.keys(best).length > 0 ? best : own;
  const like = model.init(key(0));
  const faults = differences(chosen, like);
  if (faults.length > 0) throw new ParseError(`${path}: its weights are not those of ${note.model}:\n  ${faults.join("\n  ")}`);
  return { note, model, ...treeOf(chosen, like), step: checkpoint.header.step };
}
