import {
  bf16,
  bool,
  type DType,
  f16,
  f32,
  f64,
  i8,
  i16,
  i32,
  i64,
  type Tensor,
  type TensorType,
  tensor,
  u8,
  u16,
  u32,
  u64,
} from "chainrule";
import { type CsvTable, parseCsv, parseNpy, parseNpz, parseSafetensors, readImage } from "chainrule/data";
import { firstRow } from "../state/first-row.ts";
import { type GivenFile, type GivenInput, InputFault, type Port } from "./given-input.ts";

/** Numbers with a shape, or a list of numbers that says none. */
export interface Numbers {
  readonly data: ArrayLike<number>;
  /** Null for a plain list, which fills any shape of its length. */
  readonly shape: readonly number[] | null;
}

const words: Readonly<Record<string, number>> = {
  nan: Number.NaN,
  inf: Number.POSITIVE_INFINITY,
  infinity: Number.POSITIVE_INFINITY,
  true: 1,
  false: 0,
};

function numberOf(text: string): number {
  const plain = text.replace(/^[−–]/, "-");
  const sign = plain.startsWith("-") ? -1 : 1;
  const word = words[plain.replace(/^[-+]/, "").toLowerCase()];
  const x = word === undefined ? Number(plain) : sign * word;
  if (Number.isNaN(x) && word === undefined) throw new InputFault({ what: "number", text: text.slice(0, 40) });
  return x;
}

/**
 * Reads typed numbers: a list with commas, semicolons or blanks between them, or nested lists in brackets, which say a shape.
 * @throws InputFault for what is no number, nothing at all, rows of unequal lengths, or brackets that do not close
 */
export function readNumbers(text: string): Numbers {
  const parts = text.match(/[[\]]|[^\s,;[\]]+/g) ?? [];
  if (!parts.some((part) => part !== "[" && part !== "]")) throw new InputFault({ what: "empty" });
  if (!text.includes("[") && !text.includes("]")) return { data: parts.map(numberOf), shape: null };
  const data: number[] = [];
  /** How many entries each open bracket has so far, and how many a closed one has at each depth. */
  const counts: number[] = [];
  const shape: number[] = [];
  let leaves = -1;
  for (const part of parts) {
    if (counts.length === 0 && data.length > 0) throw new InputFault({ what: "brackets" });
    if (part === "[") {
      if (leaves === counts.length) throw new InputFault({ what: "brackets" });
      if (counts.length > 0) counts[counts.length - 1]!++;
      counts.push(0);
    } else if (part === "]") {
      const n = counts.pop();
      if (n === undefined) throw new InputFault({ what: "brackets" });
      const known = shape[counts.length];
      if (known !== undefined && known !== n) throw new InputFault({ what: "ragged", one: known, other: n });
      shape[counts.length] = n;
    } else {
      if (counts.length === 0 || (leaves !== -1 && leaves !== counts.length)) throw new InputFault({ what: "brackets" });
      leaves = counts.length;
      counts[counts.length - 1]!++;
      data.push(numberOf(part));
    }
  }
  if (counts.length > 0 || shape.reduce((a, b) => a * b, 1) !== data.length) throw new InputFault({ what: "brackets" });
  return { data, shape };
}

const types = { bf16, bool, f16, f32, f64, i8, i16, i32, i64, u8, u16, u32, u64 } as const;

/** The type of these sizes. */
export function typeOf(dtype: DType, shape: readonly number[]): TensorType {
  return types[dtype](...shape);
}

const isSize = (wanted: number | string | null, n: number): boolean => typeof wanted !== "number" || wanted === n;
const product = (shape: readonly number[]): number => shape.reduce((a, b) => a * b, 1);

/** As `f32[batch,64]`; a size that the model leaves open has a name or a question mark. */
export function portText({ dtype, shape }: Port): string {
  return `${dtype}[${shape === null ? "…" : shape.map((n) => n ?? "?").join(",")}]`;
}

/**
 * The shape that numbers take as a model's input: their own where it fits, with an axis of one in front where one more is wanted, a table's rows as
 * examples, and a plain list in any shape of its length. A size that the model leaves open takes what the numbers say; of several, the first does.
 * Null: they do not fit.
 */
export function fittedShape({ data, shape: own }: Numbers, wanted: Port["shape"]): readonly number[] | null {
  if (wanted === null) return own ?? [data.length];
  const fits = (shape: readonly number[]): boolean => shape.length === wanted.length && shape.every((n, i) => isSize(wanted[i]!, n));
  if (own !== null && fits(own)) return own;
  if (own !== null && fits([1, ...own])) return [1, ...own];
  // A row of a table, or a table whose rows are examples of more axes than one.
  const flat = own === null || own.length === 1;
  if (!flat && own.length !== 2) return null;
  const open = wanted.findIndex((n) => typeof n !== "number");
  const rest = product(wanted.map((n) => (typeof n === "number" ? n : 1)));
  const filled = wanted.map((n, i) => (typeof n === "number" ? n : i === open && rest > 0 ? data.length / rest : 1));
  if (!filled.every((n) => Number.isInteger(n)) || product(filled) !== data.length) return null;
  if (!flat && (filled[0] !== own[0] || product(filled.slice(1)) !== own[1])) return null;
  return filled;
}

function ofType({ data }: Numbers, shape: readonly number[], dtype: DType): Tensor {
  const whole = !dtype.startsWith("f") && dtype !== "bf16";
  const [least, most] = rangeOf(dtype);
  if (whole)
    for (let i = 0; i < data.length; i++) {
      const x = data[i]!;
      if (!Number.isInteger(x)) throw new InputFault({ what: "whole", x: String(x), dtype });
      if (x < least || x > most) throw new InputFault({ what: "range", x: String(x), dtype, least: String(least), most: String(most) });
    }
  return tensor(Float64Array.from(data), typeOf(dtype, shape));
}

function rangeOf(dtype: DType): readonly [number, number] {
  if (dtype === "bool") return [0, 1];
  const bits = Math.min(53, Number(dtype.slice(1)));
  return dtype.startsWith("u") ? [0, 2 ** bits - 1] : bits === 53 ? [1 - 2 ** 53, 2 ** 53 - 1] : [-(2 ** (bits - 1)), 2 ** (bits - 1) - 1];
}

/** @throws InputFault where the numbers do not fit */
export function asInput(numbers: Numbers, port: Port): Tensor {
  const shape = fittedShape(numbers, port.shape);
  if (shape !== null) return ofType(numbers, shape, port.dtype);
  const { data, shape: own } = numbers;
  const given = own === null ? String(data.length) : `[${own.join(",")}]`;
  const takes = port.shape?.[0];
  // Of a file with many examples one has to be chosen.
  if (own !== null && own.length > 1 && typeof takes === "number" && own[0]! > takes && fittedShape(rowOf(numbers, 0), port.shape) !== null)
    throw new InputFault({ what: "choose", rows: own[0]!, takes });
  const sizes = port.shape ?? [];
  const count = product(sizes.map((n) => (typeof n === "number" ? n : 1)));
  const isOpen = sizes.some((n) => typeof n !== "number");
  throw new InputFault({ what: "shape", given, isList: own === null, wanted: portText(port), count, isOpen });
}

/** One example of several, by its place from 0. */
export function rowOf({ data, shape }: Numbers, row: number): Numbers {
  const inner = (shape ?? [data.length]).slice(1);
  const width = product(inner);
  return { data: Array.prototype.slice.call(data, row * width, (row + 1) * width) as number[], shape: inner.length === 0 ? null : inner };
}

/** A table; without a column's name, `label`, `target`, `class` or `y` is the label, else the last column; `whole`: none is kept apart. */
export function readTable(text: string, label: string | null, whole = false): CsvTable {
  const { cells: names, delimiter } = firstRow(text);
  const found = whole
    ? null
    : (label ?? names.find((name) => /^(label|target|class|y)$/i.test(name)) ?? (names.length > 1 ? names.at(-1)! : null));
  // A column can be kept apart by its name, if there is a row of names.
  const named = names.some((name) => name !== "" && !Number.isFinite(Number(name)));
  return parseCsv(text, { delimiter, ...(named && found !== null && { label: found }) });
}

/** The width of an example in a table; null where the model leaves it open. */
function widthOf({ shape }: Port): number | null {
  const inner = shape === null ? null : shape.length === 1 ? shape : shape.slice(1);
  return inner === null || inner.some((n) => typeof n !== "number") ? null : product(inner as number[]);
}

/** Where an image goes: its size, its channels, and which axis holds them. */
interface ImagePlace {
  readonly size: readonly [number, number] | null;
  readonly channels: 1 | 3;
  readonly first: boolean;
}

function imagePlace(port: Port): ImagePlace {
  const { shape } = port;
  const inner = shape === null ? [] : shape.length === 4 ? shape.slice(1) : shape.length === 3 ? shape : null;
  const at = (h: number, w: number, channels: unknown, first: boolean): ImagePlace | null => {
    const [height, width] = [inner?.[h], inner?.[w]];
    if (channels !== 1 && channels !== 3) return null;
    return { size: typeof height === "number" && typeof width === "number" ? [height, width] : null, channels, first };
  };
  const found = inner === null || inner.length !== 3 ? null : (at(1, 2, inner[0], true) ?? at(0, 1, inner[2], false));
  if (found !== null) return found;
  const flat = shape?.length === 2 && typeof shape[1] === "number" ? shape[1] : 0;
  for (const channels of [1, 3] as const) {
    const side = Math.sqrt(flat / channels);
    if (flat > 0 && Number.isInteger(side)) return { size: [side, side], channels, first: true };
  }
  throw new InputFault({ what: "image", wanted: portText(port) });
}

/** The mean and deviation of ImageNet's red, green and blue (the torchvision documentation's transforms of its models). */
const imageNet = { mean: [0.485, 0.456, 0.406], deviation: [0.229, 0.224, 0.225] } as const;

async function imageNumbers({ file, scale }: GivenFile, port: Port): Promise<Numbers> {
  const { size, channels, first } = imagePlace(port);
  const { type, data } = await readImage(file, { ...(size !== null && { size }), grey: channels === 1 });
  const [height, width] = type.shape as readonly [number, number];
  const pixels = height * width;
  const out = new Float64Array(data.length);
  const bytes = scale === "bytes" || !port.dtype.startsWith("f");
  for (let i = 0; i < pixels; i++)
    for (let c = 0; c < channels; c++) {
      const x = data[i * channels + c]!;
      out[first ? c * pixels + i : i * channels + c] = bytes
        ? Math.round(x * 255)
        : scale === "signed"
          ? 2 * x - 1
          : scale === "imagenet"
            ? (x - imageNet.mean[c]!) / imageNet.deviation[c]!
            : x;
    }
  const own = first ? [channels, height, width] : [height, width, channels];
  return { data: out, shape: port.shape?.length === 2 ? null : own };
}

const plain = ({ type, data }: Tensor): Numbers => ({ data, shape: type.shape });

function entryOf(tensors: Readonly<Record<string, Tensor>>, wanted: string | null, input: string): Numbers {
  const names = Object.keys(tensors);
  const name = wanted ?? (Object.hasOwn(tensors, input) ? input : names.length === 1 ? names[0]! : null);
  if (name === null || !Object.hasOwn(tensors, name)) throw new InputFault({ what: "entry", names: names.slice(0, 200) });
  return plain(tensors[name]!);
}

async function fileNumbers(given: GivenFile, input: string, port: Port): Promise<Numbers> {
  const { file, entry } = given;
  const head = new Uint8Array(await file.slice(0, 16).arrayBuffer());
  const bytes = async (): Promise<Uint8Array> => new Uint8Array(await file.arrayBuffer());
  if (head.length === 0) throw new InputFault({ what: "emptyFile", name: file.name });
  if (head[0] === 0x93 && head[1] === 0x4e) return plain(parseNpy(await bytes()));
  if (head[0] === 0x50 && head[1] === 0x4b) return entryOf(await parseNpz(await bytes()), entry, input);
  if (head.length > 8 && head[8] === 0x7b) return entryOf(parseSafetensors(await bytes()).tensors, entry, input);
  if (/\.(csv|tsv|txt)$/i.test(file.name)) {
    const text = await file.text();
    const { columns, rows, data } = readTable(text, null, firstRow(text).cells.length === (widthOf(port) ?? -1));
    return { data, shape: [rows, columns.length] };
  }
  if (/\.(png|jpe?g|webp)$/i.test(file.name)) return imageNumbers(given, port);
  throw new InputFault({ what: "kind", name: file.name });
}

/** A given input as the model takes it. */
export interface ReadInput {
  readonly tensor: Tensor;
  /** How many examples the file has of which one was taken; null for what has no rows to choose from. */
  readonly rows: number | null;
}

/**
 * Reads an input that was given for a model: typed numbers, or a file.
 * @param input its name, by which an archive is looked up
 * @throws InputFault for what does not fit, in words for the reader; the library's errors for damaged files
 */
export async function readGiven(given: GivenInput, input: string, port: Port): Promise<ReadInput> {
  if (given.kind === "text") return { tensor: asInput(readNumbers(given.text), port), rows: null };
  const numbers = await fileNumbers(given, input, port);
  const rows = numbers.shape !== null && numbers.shape.length > 1 ? numbers.shape[0]! : null;
  if (given.row === null || rows === null) return { tensor: asInput(numbers, port), rows };
  if (!(Number.isInteger(given.row) && given.row >= 1 && given.row <= rows)) throw new InputFault({ what: "row", row: given.row, rows });
  return { tensor: asInput(rowOf(numbers, given.row - 1), port), rows };
}
