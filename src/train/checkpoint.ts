import type { BatchOrder } from "../data/batches.ts";
import { crc32 } from "../data/crc32.ts";
import { parseSafetensors, serializeSafetensors } from "../data/safetensors.ts";
import { differences, recordOf, treeOf } from "../data/tensor-tree.ts";
import { nodeFiles } from "../files/node-files.ts";
import { readWhole, withFile } from "../files/open-file.ts";
import { writeFileWhole } from "../files/write-file.ts";
import { ParseError } from "../ir/errors.ts";
import type { Tensor } from "../ir/tensor.ts";
import type { HistoryFacts } from "./history.ts";
import type { TrainState } from "./programs.ts";

/** A validation, or the end of an epoch where there is none. */
export interface Checkup {
  readonly step: number;
  readonly epoch: number;
  readonly loss: number;
  readonly metrics: { readonly [name: string]: number };
}

/** The part of a checkpoint that is no tensors. */
export interface CheckpointHeader {
  readonly format: 1;
  /** Updates made. */
  readonly step: number;
  /** Epochs that are over, and batches read of the one that runs. */
  readonly epoch: number;
  readonly batch: number;
  /** How the batches came, with the batches of an update. */
  readonly order: BatchOrder;
  /** The sum of the losses of this epoch's rows so far, and their number. */
  readonly running: { readonly loss: number; readonly rows: number };
  /** The mean loss over the rows of the last epoch that is over: the report has it where nothing is left to do. Files of before have none. */
  readonly meanLoss?: number;
  readonly best: { readonly value: number; readonly step: number; readonly epoch: number } | null;
  /** Checkups since the best one. */
  readonly waited: number;
  readonly seconds: number;
  readonly history: HistoryFacts;
  readonly checkups: readonly Checkup[];
  /** What the user put beside it. */
  readonly note: unknown;
}

/** A checkpoint as it lies in a file. */
export interface Checkpoint {
  readonly header: CheckpointHeader;
  /** By path: `params.fc1.w`, `stats...`, `opt.m/fc1.w`, `step`, `key`, and `best.params...` where the best ones are kept. */
  readonly tensors: Readonly<Record<string, Tensor>>;
}

/** Parameters and statistics at their best. */
export interface Kept {
  readonly params: unknown;
  readonly stats: unknown;
}

const headerKey = "chainrule.train";
const sumKey = "chainrule.crc32";
const blank = "00000000";

/** The bytes of a checkpoint: a safetensors file whose text holds the header and a checksum of the whole file. */
export function serializeCheckpoint(header: CheckpointHeader, state: TrainState, best: Kept | null): Uint8Array<ArrayBuffer> {
  const tensors = recordOf(best === null ? state : { ...state, best }, "checkpoint");
  const bytes = serializeSafetensors(tensors, { [headerKey]: JSON.stringify(header), [sumKey]: blank });
  bytes.set(new TextEncoder().encode(crc32(bytes).toString(16).padStart(8, "0")), sumAt(bytes));
  return bytes;
}

/** Where the checksum stands. Metadata keys are sorted and come first, so the first such text is it; -1 where there is none. */
function sumAt(bytes: Uint8Array): number {
  const text = new TextEncoder().encode(`"${sumKey}":"`);
  const end = Math.min(bytes.length - text.length - 8, 4096);
  search: for (let at = 8; at < end; at++) {
    for (let i = 0; i < text.length; i++) if (bytes[at + i] !== text[i]) continue search;
    return at + text.length;
  }
  return -1;
}

/** @throws ParseError for bytes that are no whole checkpoint */
export function parseCheckpoint(bytes: Uint8Array): Checkpoint {
  const { tensors, metadata } = parseSafetensors(bytes);
  const text = metadata[headerKey];
  if (text === undefined)
    throw new ParseError(
      `checkpoint: the file has tensors and no state of a training; for weights alone write params: await loadTensors(file, params)`,
    );
  const place = sumAt(bytes);
  const plain = bytes.slice();
  if (place >= 0) plain.set(new TextEncoder().encode(blank), place);
  if (place < 0 || crc32(plain) !== Number.parseInt(metadata[sumKey] ?? "", 16))
    throw new ParseError("checkpoint: its checksum does not fit: the file is damaged; use an older one");
  let header: CheckpointHeader;
  try {
    header = JSON.parse(text) as CheckpointHeader;
  } catch (cause) {
    throw new ParseError("checkpoint: its header is no JSON", { cause });
  }
  if (header.format !== 1)
    throw new ParseError(`checkpoint: its format is ${String(header.format)}, and this version reads format 1; a newer chainrule wrote it`);
  return { header, tensors };
}

/**
 * Reads a checkpoint. Node only.
 * @throws ParseError, with the path, for a file that is not there, cut short, damaged, or something else
 */
export async function readCheckpoint(path: string): Promise<Checkpoint> {
  return withFile(path, async (file, size) => parseCheckpoint(await readWhole(file, size)));
}

/** The bytes of the file at a path, or null where there is none yet; what a killed process left unfinished beside it is cleared away. */
export async function bytesIfThere(path: string): Promise<Uint8Array | null> {
  const files = await nodeFiles();
  const there = await files.stat(path).then(
    () => true,
    () => false,
  );
  await clearUnfinished(path);
  return there ? withFile(path, readWhole) : null;
}

/** @throws ParseError with the path, for bytes that are no whole checkpoint */
export function checkpointIn(bytes: Uint8Array, path: string): Checkpoint {
  try {
    return parseCheckpoint(bytes);
  } catch (error) {
    if (error instanceof ParseError) throw new ParseError(`${path}: ${error.message}`, { cause: error });
    throw error;
  }
}

/** Files of `writeFileWhole` that were never renamed, because the process was killed. */
async function clearUnfinished(path: string): Promise<void> {
  const files = await nodeFiles();
  const folder = path.replace(/[^/\\]*$/, "");
  const name = path.slice(folder.length);
  const beside = await files.readdir(folder || ".").catch(() => [] as string[]);
  for (const other of beside)
    if (other.startsWith(`${name}.`) && /^\.[a-z0-9]{1,8}\.tmp$/.test(other.slice(name.length)))
      await files.rm(folder + other, { force: true }).catch(() => undefined);
}

/** Writes a checkpoint whole or not at all. @throws DomainError when it cannot be written; what was there before is still there */
export async function writeCheckpoint(path: string, header: CheckpointHeader, state: TrainState, best: Kept | null): Promise<void> {
  await writeFileWhole(path, serializeCheckpoint(header, state, best));
}

/** The state in a checkpoint, which has to be one of this model and optimiser. @throws ParseError that lists the differences */
export function stateIn(
  { tensors }: Checkpoint,
  like: TrainState,
  path: string,
): { readonly state: TrainState; readonly best: Kept | null } {
  const own: Record<string, Tensor> = {};
  const kept: Record<string, Tensor> = {};
  for (const [name, tensor] of Object.entries(tensors)) {
    if (name.startsWith("best.")) kept[name.slice(5)] = tensor;
    else own[name] = tensor;
  }
  const faults = differences(own, like);
  if (faults.length > 0)
    throw new ParseError(
      `${path}: it is the checkpoint of another model or optimiser, and nothing was changed:\n  ${faults.join("\n  ")}\nTrain the model that it was written for, or name another file`,
    );
  const part = { params: like.params, stats: like.stats };
  return { state: treeOf(own, like) as TrainState, best: Object.keys(kept).length === 0 ? null : (treeOf(kept, part) as Kept) };
}

/** Facts about what is in the data. Not every source has them, and one that does may stand for another: rows from a file for those in memory. */
const contents: ReadonlySet<string> = /* @__PURE__ */ new Set(["checksum", "cells", "files"]);

/** @throws ParseError where the data comes in another order than it did for the checkpoint */
export function checkOrder({ header }: Checkpoint, order: BatchOrder, path: string): void {
  const names = [...new Set([...Object.keys(header.order), ...Object.keys(order)])];
  const faults = names
    .filter(
      (name) =>
        header.order[name] !== order[name] && !(contents.has(name) && (header.order[name] === undefined || order[name] === undefined)),
    )
    .map((name) => `${name}: ${String(header.order[name])} there, ${String(order[name])} here`);
  if (faults.length > 0)
    throw new ParseError(
      `${path}: the data comes otherwise than it did, so the run cannot go on as it was:\n  ${faults.join("\n  ")}\nUse the same loader, or start anew from its weights`,
    );
}
