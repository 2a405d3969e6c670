import { imagesInFolder } from "../data/image-folder.ts";
import { npzColumns } from "../data/npz-rows.ts";
import { readTensorFile } from "../data/read-file.ts";
import { blocksOf, heldRows, mapRows, type RowStore } from "../data/row-store.ts";
import { type RowsInFile, rowBytes, storeInFiles } from "../data/rows-in-files.ts";
import { safetensorsColumns } from "../data/safetensors-rows.ts";
import { nodeFiles } from "../files/node-files.ts";
import { allocate, isFloat, isInteger } from "../ir/dtype.ts";
import { DomainError, DTypeError, ParseError, ShapeError } from "../ir/errors.ts";
import { isTensor } from "../ir/leaf.ts";
import { sizeOf } from "../ir/shape.ts";
import { hold, type Tensor } from "../ir/tensor.ts";
import { f32, i32, type TensorType, tensorType, typeText } from "../ir/type.ts";
import { portText } from "../onnx/inspection.ts";
import type { Port } from "../onnx/model.ts";
import { placeText } from "../train/feed.ts";
import type { FinetuneSettings } from "./finetune-settings.ts";
import type { CommandIo } from "./io.ts";
import { beside, tableStore } from "./table.ts";
import { UsageError } from "./usage-error.ts";

type Tensors = Readonly<Record<string, Tensor>>;

/** Rows for a model: where the tensors for its inputs, and what is to be predicted, are read. */
export interface TuningRows {
  /** `input NAME` for each of the model's inputs, and `target`. */
  readonly store: RowStore<Tensors>;
  /** The targets alone, so that nothing else is read to look at all of them. */
  readonly targets: RowStore<Tensor>;
  /** The type of all targets. */
  readonly target: TensorType;
  readonly rows: number;
  /** What the target is called there. */
  readonly targetName: string;
  /** Names of the classes, in their order, where the file has names instead of numbers. */
  readonly classes: readonly string[] | null;
  /** Lets go of the rows, where they have to be let go of. */
  readonly close?: () => Promise<void>;
}

type Ports = Readonly<Record<string, Port>>;

/** What targets are usually called. */
const usual: readonly string[] = ["y", "label", "labels", "target", "targets"];

/** @throws ParseError, ShapeError, DTypeError, UsageError for data that is not the model's, with what the model wants and what was given */
export async function tuningRows(path: string, settings: FinetuneSettings, ports: Ports, io: CommandIo): Promise<TuningRows> {
  const pictures = await isFolder(path);
  const table = !pictures && (/\.csv$/i.test(path) || path === "-");
  if (settings.ignore.length > 0 && !table)
    throw new UsageError(`--ignore names columns of a table, and ${path.slice(-40)} is none; leave it out`, "finetune");
  if (pictures) return imageRows(path, settings, ports);
  if (settings.mean !== null || settings.std !== null)
    throw new UsageError(`--mean and --std are those of images, and ${path.slice(-40)} is no folder of them`, "finetune");
  if (table) return tableRows(path, settings, ports, io);
  if (!/\.(safetensors|npz)$/i.test(path))
    throw new UsageError(
      `--data ${path.slice(-40)}: data is a .safetensors or .npz file with tensors by name, a .csv table, or a folder of images`,
      "finetune",
    );
  const columns = /\.npz$/i.test(path) ? await npzColumns(path) : await safetensorsColumns(path);
  return tensorRows(path, columns === null ? await inMemory(path) : inPlace(columns), settings, ports);
}

/** Tensors by their names: their types, and the rows of some of them, by names of one's own. */
interface TensorSource {
  readonly types: Readonly<Record<string, TensorType>>;
  rows(names: Readonly<Record<string, string>>, size: number): RowStore<Tensors>;
}

/** Tensors whose rows are read from their places. */
function inPlace(columns: ReadonlyMap<string, RowsInFile>): TensorSource {
  return {
    types: Object.fromEntries([...columns].map(([name, { type }]) => [name, type])),
    rows: (names, size) =>
      storeInFiles(
        Object.entries(names).map(([name, own]) => [name, columns.get(own)!] as const),
        size,
      ),
  };
}

/** Those of a compressed .npz file: no row has a place in it, so all of it is read. */
async function inMemory(path: string): Promise<TensorSource> {
  const found = await readTensorFile(path);
  const tensors: Tensors = isTensor(found) ? {} : found;
  return {
    types: Object.fromEntries(Object.entries(tensors).map(([name, { type }]) => [name, type])),
    rows: (names) => heldRows(Object.fromEntries(Object.entries(names).map(([name, own]) => [name, tensors[own]!]))),
  };
}

async function isFolder(path: string): Promise<boolean> {
  if (path === "-") return false;
  const facts = await (await nodeFiles()).stat(path).catch(() => null);
  return facts?.isDirectory() ?? false;
}

/** A folder of images: each folder in it is a class. The model says the size, and how many channels. */
async function imageRows(path: string, { mean, std }: FinetuneSettings, ports: Ports): Promise<TuningRows> {
  const [entry, ...more] = Object.entries(ports);
  const [, channels, height, width] = entry?.[1].shape ?? [];
  if (
    entry === undefined ||
    more.length > 0 ||
    entry[1].shape?.length !== 4 ||
    (channels !== 1 && channels !== 3) ||
    !isFloat(entry[1].dtype)
  )
    throw new UsageError(
      `--data ${path.slice(-40)}: a folder of images is one input of 1 or 3 channels behind the rows, and the model takes ${portsText(ports)}; give the data as .safetensors`,
      "finetune",
    );
  for (const [name, list] of [
    ["mean", mean],
    ["std", std],
  ] as const)
    if (list !== null && list.length !== 1 && list.length !== channels)
      throw new UsageError(`--${name} has ${list.length} numbers, and the model's images have ${channels} channels`, "finetune");
  const sized = typeof height === "number" && typeof width === "number";
  const { store, classes, labels } = await imagesInFolder(path, {
    grey: channels === 1,
    ...(sized && { size: [height, width] as const }),
  });
  const scaled = (x: Tensor): Tensor => {
    const plane = x.type.shape[2]! * x.type.shape[3]!;
    const own = allocate(entry[1].dtype, x.data.length);
    x.data.forEach((v, i) => {
      const channel = Math.floor(i / plane) % channels;
      own[i] = (v - (mean?.[channel] ?? mean?.[0] ?? 0)) / (std?.[channel] ?? std?.[0] ?? 1);
    });
    return hold(tensorType(entry[1].dtype, x.type.shape), own);
  };
  return {
    store: mapRows(store, ({ x, y }) => ({ [`input ${entry[0]}`]: scaled(x), target: y })),
    ...labelsOf(hold(i32(labels.length), labels)),
    rows: store.size,
    targetName: "the folder",
    classes,
  };
}

/** Targets that are in memory. */
function labelsOf(target: Tensor): Pick<TuningRows, "targets" | "target"> {
  return { targets: mapRows(heldRows({ target }), (read) => read.target), target: target.type };
}

/** `x f32[100,64], y i32[100]`, in a message. */
function tensorsText(tensors: Readonly<Record<string, TensorType>>): string {
  const all = Object.entries(tensors).map(([name, type]) => `${name} ${typeText(type)}`);
  return all.length === 0 ? "no tensors" : all.length > 12 ? `${all.slice(0, 12).join(", ")} and ${all.length - 12} more` : all.join(", ");
}

function portsText(ports: Ports): string {
  return Object.entries(ports)
    .map(([name, port]) => `${name} ${portText(port)}`)
    .join(", ");
}

function tensorRows(path: string, source: TensorSource, settings: FinetuneSettings, ports: Ports): TuningRows {
  const tensors = source.types;
  const there = `${path} has ${tensorsText(tensors)}, and the model takes ${portsText(ports)}`;
  const names = Object.keys(ports);
  for (const [input, name] of Object.entries(settings.inputs)) {
    if (!names.includes(input)) throw new UsageError(`--input ${input}=${name}: there is no such input; ${there}`, "finetune");
    if (!Object.hasOwn(tensors, name)) throw new UsageError(`--input ${input}=${name}: there is no such tensor; ${there}`, "finetune");
  }
  const sources = new Map(
    names.flatMap((name): [string, string][] => {
      const own =
        (Object.hasOwn(settings.inputs, name) ? settings.inputs[name] : undefined) ?? (Object.hasOwn(tensors, name) ? name : undefined);
      return own === undefined ? [] : [[name, own]];
    }),
  );
  const rest = Object.keys(tensors).filter((name) => ![...sources.values()].includes(name));
  const target = targetOf(rest, tensors, settings, there, names.length - sources.size);
  // One input, and one tensor beside the target: there is nothing to confuse.
  const left = rest.filter((name) => name !== target);
  if (sources.size < names.length && names.length === 1 && left.length === 1) sources.set(names[0]!, left[0]!);
  const missing = names.filter((name) => !sources.has(name));
  if (missing.length > 0) throw new ParseError(`${there}; name the tensor for ${missing.join(", ")}: --input ${missing[0]}=...`);
  const bound = new Map<string, number>();
  for (const name of names) checkInput(path, name, sources.get(name)!, tensors[sources.get(name)!]!, ports[name]!, bound);
  const first = names.length === 0 ? target : sources.get(names[0]!)!;
  const rows = tensors[first]!.shape[0] ?? 0;
  for (const [name, own] of [...sources, ["", target]] as const) {
    const type = tensors[own]!;
    if (type.shape[0] !== rows)
      throw new ShapeError(
        `${path}: ${own} is ${typeText(type)}${name === "" ? "" : `, the input ${name}`}, and ${first} has ${rows} rows; rows are axis 0, and all tensors have as many`,
      );
  }
  const inputs = Object.fromEntries(names.map((name) => [`input ${name}`, sources.get(name)!]));
  return {
    store: source.rows({ ...inputs, target }, rows),
    targets: mapRows(source.rows({ target }, rows), (read) => read["target"]!),
    target: tensors[target]!,
    rows,
    targetName: target,
    classes: null,
  };
}

/** The tensor to be predicted: the one that was named, that is left over, or that is called so. */
function targetOf(
  rest: readonly string[],
  tensors: Readonly<Record<string, TensorType>>,
  { target }: FinetuneSettings,
  there: string,
  open: number,
): string {
  if (target !== null) {
    if (Object.hasOwn(tensors, target)) return target;
    throw new UsageError(`--target ${target.slice(0, 40)}: there is no such tensor; ${there}`, "finetune");
  }
  const called = rest.filter((name) => usual.includes(name.toLowerCase()));
  if (rest.length === 1 && open === 0) return rest[0]!;
  if (called.length === 1) return called[0]!;
  throw new ParseError(`${there}; name what is to be predicted: --target ...`);
}

function checkInput(path: string, name: string, source: string, given: TensorType, port: Port, bound: Map<string, number>): void {
  const told = `${path}: the model's input ${name} is ${portText(port)}, and ${source} is ${typeText(given)}`;
  const { shape, dtype } = given;
  if (port.dtype !== dtype && !(isInteger(dtype) && isInteger(port.dtype)))
    throw new DTypeError(
      `${told}; write it as ${port.dtype}${isFloat(port.dtype) && isInteger(dtype) ? ", scaled as the model was trained" : ""}`,
    );
  if (port.shape === null) return;
  if (port.shape.length !== shape.length)
    throw new ShapeError(`${told}: ${shape.length} axes instead of ${port.shape.length}, of which the first is that of the rows`);
  port.shape.forEach((size, i) => {
    if (i === 0) return;
    const wanted = typeof size === "string" ? bound.get(size) : size;
    if (wanted != null && wanted !== shape[i])
      throw new ShapeError(
        `${told}: axis ${i} has ${shape[i]} instead of ${wanted}${typeof size === "string" ? `, as ${size} has elsewhere` : ""}`,
      );
    if (typeof size === "string") bound.set(size, shape[i]!);
  });
}

/** A table: the target's column, and all others as the one input of the model. */
async function tableRows(path: string, settings: FinetuneSettings, ports: Ports, io: CommandIo): Promise<TuningRows> {
  const [entry, ...more] = Object.entries(ports);
  if (entry === undefined || more.length > 0)
    throw new UsageError(
      `a table has one input, and the model takes ${portsText(ports) || "none"}; give the data as .safetensors, a tensor for each input`,
      "finetune",
    );
  const { target, ignore } = settings;
  if (target === null) throw new UsageError("--target is missing: name the column to be predicted", "finetune");
  if (Object.keys(settings.inputs).length > 0)
    throw new UsageError("--input names tensors; of a table all columns but the target are the input", "finetune");
  const [name, port] = entry;
  const width = (port.shape ?? []).slice(1).reduce<number>((n, s) => n * (typeof s === "number" ? s : 1), 1);
  const open = (port.shape ?? []).slice(1).filter((s) => typeof s !== "number").length;
  const fits = isFloat(port.dtype) ? Number.isFinite : Number.isInteger;
  const table = await tableStore(path, { target, ignore }, io, ({ columns, data, start }) => {
    if (start === 0) checkColumns(columns.length);
    const bad = data.findIndex((x) => !fits(x));
    if (bad >= 0)
      throw new DomainError(
        `${path}: ${columns[bad % columns.length]} is ${data[bad]} in row ${start + Math.floor(bad / columns.length)} (from 0), and the model's input ${name} takes ${isFloat(port.dtype) ? "finite" : "whole"} numbers, ${portText(port)}`,
      );
  });
  function checkColumns(count: number): void {
    if (port.shape !== null && port.shape.length > 0 && (open === 0 ? width === count : open === 1 && count % width === 0)) return;
    throw new ShapeError(
      `${path} has ${beside(count, { target: target!, ignore })}, and the model's input ${name} is ${portText(port)}, ${open === 0 ? `${width} numbers a row` : "which they do not fill"}`,
    );
  }
  const { columns, labels, size } = table;
  const { values, classes } = labels!;
  const rest = port.shape!.slice(1).map((s) => (typeof s === "number" ? s : columns.length / width));
  const dtype = values.every(Number.isInteger) ? "i32" : "f32";
  const asTarget = (of: Float64Array): Tensor =>
    dtype === "i32" ? hold(i32(of.length), Int32Array.from(of)) : hold(f32(of.length), Float32Array.from(of));
  return {
    store: mapRows(table, ({ rows, data, label }) => {
      const own = allocate(port.dtype, data.length);
      own.set(data);
      return { [`input ${name}`]: hold(tensorType(port.dtype, [rows, ...rest]), own), target: asTarget(label!.values) };
    }),
    ...labelsOf(asTarget(values)),
    rows: size,
    targetName: target,
    classes,
    close: table.close,
  };
}

/**
 * Looks at all targets, whether they are labels of an output with so many classes, and tells whether some are left out.
 * @throws DTypeError, DomainError for targets that are no such labels
 */
export async function checkLabels(path: string, { targets, target, targetName, classes }: TuningRows, count: number): Promise<boolean> {
  if (isFloat(target.dtype) || target.dtype === "bool")
    throw new DTypeError(
      `${path}: cross-entropy takes classes, whole numbers, and ${targetName} is ${typeText(target)}; write it as i32, or choose --loss mse`,
    );
  const width = sizeOf(target.shape.slice(1));
  let leaves = false;
  for await (const { start, rows } of blocksOf(targets, rowBytes(target))) {
    const { data } = rows;
    leaves ||= data.includes(-1 as never);
    const bad = data.findIndex((x) => !(x >= -1 && x < count));
    if (bad >= 0)
      throw new DomainError(
        `${path}: ${targetName} is ${classes?.[data[bad]!] ?? data[bad]} in row ${start + Math.floor(bad / width)}${width > 1 ? `, column ${placeText(bad % width, target.shape.slice(1))}` : ""} (from 0)${classes === null ? "" : `, which is class ${data[bad]}, counted from 0 in order of appearance`}; the model has ${count} classes, 0 to ${count - 1}, and -1 leaves a label out`,
      );
  }
  return leaves;
}

/** Labels as the loss takes them. */
export function asLabels({ type, data }: Tensor): Tensor {
  return hold(tensorType("i32", type.shape), data instanceof Int32Array ? data : Int32Array.from(data));
}
