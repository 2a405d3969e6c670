import { jit } from "../engines/jit.ts";
import type { Language } from "../explain/explain.ts";
import { DomainError } from "../ir/errors.ts";
import type { Value } from "../ir/node.ts";
import { hold, type Tensor } from "../ir/tensor.ts";
import type { Values } from "../ir/tree.ts";
import { f32 } from "../ir/type.ts";
import { softmax } from "../ops/composite/softmax.ts";
import { key } from "../random/random.ts";
import type { CommandIo } from "./io.ts";
import { scaled, tableBlocks } from "./table.ts";
import { commandWords } from "./train-words.ts";
import { readModel, type TrainedModel } from "./trained-model.ts";

const blockRows = 1024;

/** Predicts the rows of a table by the model in a checkpoint; a sentence that tells how it went. @throws ParseError, DomainError for what does not fit */
export async function predictRows(
  file: string,
  data: string,
  json: boolean,
  language: Language,
  write: (text: string) => Promise<void>,
  io: CommandIo,
): Promise<string> {
  return predicted(await readModel(file), data, json, language, write, io);
}

async function predicted(
  { note, model, params, stats }: TrainedModel,
  data: string,
  json: boolean,
  language: Language,
  write: (text: string) => Promise<void>,
  io: CommandIo,
): Promise<string> {
  const { wasm } = await import("../wasm.ts");
  const none = key(0);
  const classifies = note.task === "classification";
  const run = jit((at: { p: unknown; s: unknown; x: Tensor }) => {
    const { out } = model.apply(at.p as Values<unknown>, at.x as unknown as Value, {
      train: false,
      key: none,
      stats: at.s as Values<unknown>,
    });
    return classifies ? softmax(out) : out;
  }, wasm());
  let rows = 0;
  let right = 0;
  let squares = 0;
  /** Rows whose target is there. */
  let known = 0;
  let unread: readonly string[] = [];
  const columns = { columns: note.columns, target: note.target, named: note.classes !== null };
  const tell = (names: readonly string[]): void => {
    unread = names;
  };
  // Written with the first rows: a table that cannot be read leaves nothing behind.
  let head = json ? "" : classifies ? "prediction,probability\n" : "prediction\n";
  for await (const block of tableBlocks(data, columns, blockRows, tell, io)) {
    const x = hold(f32(block.rows, note.columns.length), scaled(chosen(block.columns, block.data, block.rows, note.columns), note.scaling));
    const bad = x.data.findIndex((v) => !Number.isFinite(v));
    if (bad >= 0)
      throw new DomainError(
        `${data}: ${note.columns[bad % note.columns.length]} is no finite number in row ${block.start + Math.floor(bad / note.columns.length)} of the data (from 0)`,
      );
    const { data: y } = run({ p: params as never, s: stats as never, x } as never) as unknown as Tensor;
    const { label } = block;
    const width = y.length / block.rows;
    const text: string[] = [];
    for (let i = 0; i < block.rows; i++) {
      const target = label === null || Number.isNaN(label.values[i]) ? null : label.values[i]!;
      if (target !== null) known++;
      if (classifies) {
        let best = 0;
        for (let j = 1; j < width; j++) if (y[i * width + j]! > y[i * width + best]!) best = j;
        const name = note.classes?.[best] ?? String(best);
        const probability = Number(y[i * width + best]!.toPrecision(6));
        text.push(json ? JSON.stringify({ prediction: note.classes === null ? best : name, probability }) : `${cell(name)},${probability}`);
        if (target !== null && (label?.classes?.[target] ?? String(target)) === name) right++;
      } else {
        const { mean, scale } = note.targetScaling!;
        const prediction = y[i]! * scale[0]! + mean[0]!;
        text.push(json ? JSON.stringify({ prediction: Number(prediction.toPrecision(7)) }) : String(Number(prediction.toPrecision(7))));
        if (target !== null) squares += (prediction - target) ** 2;
      }
    }
    rows += block.rows;
    await write(`${head}${text.join("\n")}\n`);
    head = "";
  }
  if (head !== "") await write(head);
  const words = commandWords[language];
  const told =
    known === 0
      ? words.predicted(rows)
      : classifies
        ? words.predictedRight({ rows, known }, right, Number((right / known).toPrecision(4)))
        : words.predictedError({ rows, known }, Number(Math.sqrt(squares / known).toPrecision(4)));
  return unread.length === 0 ? told : `${told}\n${words.notRead(unread)}`;
}

/** The columns of the model, in its order. */
function chosen(names: readonly string[], data: Float64Array, rows: number, wanted: readonly string[]): Float64Array {
  if (names.every((name, i) => name === wanted[i])) return data;
  const places = wanted.map((name) => names.indexOf(name));
  const out = new Float64Array(rows * wanted.length);
  for (let i = 0; i < rows; i++) for (let j = 0; j < wanted.length; j++) out[i * wanted.length + j] = data[i * names.length + places[j]!]!;
  return out;
}

/** A cell of CSV. */
function cell(text: string): string {
  return /[",\n\r]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
