import { jit } from "../engines/jit.ts";
import type { Language } from "../explain/explain.ts";
import { DomainError, ParseError } from "../ir/errors.ts";
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
  let known = false;
  // Written with the first rows: a table that cannot be read leaves nothing behind.
  let head = json ? "" : classifies ? "prediction,probability\n" : "prediction\n";
  for await (const block of tableBlocks(data, note.target, blockRows, io)) {
    const x = hold(
      f32(block.rows, note.columns.length),
      scaled(chosen(block.columns, block.data, block.rows, note.columns, data), note.scaling),
    );
    const bad = x.data.findIndex((v) => !Number.isFinite(v));
    if (bad >= 0)
      throw new DomainError(
        `${data}: ${note.columns[bad % note.columns.length]} is no finite number in row ${block.start + Math.floor(bad / note.columns.length)} of the data (from 0)`,
      );
    const { data: y } = run({ p: params as never, s: stats as never, x } as never) as unknown as Tensor;
    const { label } = block;
    known ||= label !== null;
    const width = y.length / block.rows;
    const text: string[] = [];
    for (let i = 0; i < block.rows; i++) {
      if (classifies) {
        let best = 0;
        for (let j = 1; j < width; j++) if (y[i * width + j]! > y[i * width + best]!) best = j;
        const name = note.classes?.[best] ?? String(best);
        const probability = Number(y[i * width + best]!.toPrecision(6));
        text.push(json ? JSON.stringify({ prediction: note.classes === null ? best : name, probability }) : `${cell(name)},${probability}`);
        if (label !== null && (label.classes?.[label.values[i]!] ?? String(label.values[i])) === name) right++;
      } else {
        const { mean, scale } = note.targetScaling!;
        const prediction = y[i]! * scale[0]! + mean[0]!;
        text.push(json ? JSON.stringify({ prediction: Number(prediction.toPrecision(7)) }) : String(Number(prediction.toPrecision(7))));
        if (label !== null) squares += (prediction - label.values[i]!) ** 2;
      }
    }
    rows += block.rows;
    await write(`${head}${text.join("\n")}\n`);
    head = "";
  }
  if (head !== "") await write(head);
  const words = commandWords[language];
  if (!known) return words.predicted(rows);
  return classifies
    ? words.predictedRight(rows, right, Number((right / rows).toPrecision(4)))
    : words.predictedError(rows, Number(Math.sqrt(squares / rows).toPrecision(4)));
}

/** The columns of the model, in its order. @throws ParseError for columns that are missing */
function chosen(names: readonly string[], data: Float64Array, rows: number, wanted: readonly string[], path: string): Float64Array {
  if (names.length === wanted.length && names.every((name, i) => name === wanted[i])) return data;
  const places = wanted.map((name) => names.indexOf(name));
  const missing = wanted.filter((_, i) => places[i]! < 0);
  if (missing.length > 0)
    throw new ParseError(
      `${path}: the model wants columns that are not there: ${missing.slice(0, 8).join(", ")}${missing.length > 8 ? `, and ${missing.length - 8} more` : ""}`,
    );
  const out = new Float64Array(rows * wanted.length);
  for (let i = 0; i < rows; i++) for (let j = 0; j < wanted.length; j++) out[i * wanted.length + j] = data[i * names.length + places[j]!]!;
  return out;
}

/** A cell of CSV. */
function cell(text: string): string {
  return /[",\n\r]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
