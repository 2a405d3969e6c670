import { imageFolder } from "../data/image-folder.ts";
import { readTensorFile } from "../data/read-file.ts";
import { nodeFiles } from "../files/node-files.ts";
import { allocate, isFloat, isInteger } from "../ir/dtype.ts";
import { DomainError, DTypeError, ParseError, ShapeError } from "../ir/errors.ts";
import { isTensor } from "../ir/leaf.ts";
import { sizeOf } from "../ir/shape.ts";
import { hold, type Tensor } from "../ir/tensor.ts";
import { f32, i32, tensorType, typeText } from "../ir/type.ts";
import { portText } from "../onnx/inspection.ts";
import type { Port } from "../onnx/model.ts";
import type { FinetuneSettings } from "./finetune-settings.ts";
import type { CommandIo } from "./io.ts";
import { readTable } from "./table.ts";
import { UsageError } from "./usage-error.ts";

/** Rows for a model: a tensor for each of its inputs, and what is to be predicted. */
export interface TuningRows {
  readonly inputs: Readonly<Record<string, Tensor>>;
  readonly target: Tensor;
  readonly rows: number;
  /** What the target is called there. */
  readonly targetName: string;
  /** Names of the classes, in their order, where the file has names instead of numbers. */
  readonly classes: readonly string[] | null;
}

type Ports = Readonly<Record<string, Port>>;

/** What targets are usually called. */
const usual: readonly string[] = ["y", "label", "labels", "target", "targets"];

/** @throws ParseError, ShapeError, DTypeError, UsageError for data that is not the model's, with what the model wants and what was given */
export async function tuningRows(path: string, settings: FinetuneSettings, ports: Ports, io: CommandIo): Promise<TuningRows> {
  if (await isFolder(path)) return imageRows(path, settings, ports);
  if (settings.mean !== null || settings.std !== null)
    throw new UsageError(`--mean and --std are those of images, and ${path.slice(-40)} is no folder of them`, "finetune");
  if (/\.csv$/i.test(path) || path === "-") return tableRows(path, settings, ports, io);
  if (!/\.(safetensors|npz)$/i.test(path))
    throw new UsageError(
      `--data ${path.slice(-40)}: data is a .safetensors or .npz file with tensors by name, a .csv table, or a folder of images`,
      "finetune",
    );
  const found = await readTensorFile(path);
  return tensorRows(path, isTensor(found) ? {} : found, settings, ports);
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
  const images = await imageFolder(path, { grey: channels === 1, ...(sized && { size: [height, width] as const }) });
  const { x, y } = images.all();
  const plane = x.type.shape[2]! * x.type.shape[3]!;
  const data = x.data.map((v, i) => {
    const channel = Math.floor(i / plane) % channels;
    return (v - (mean?.[channel] ?? mean?.[0] ?? 0)) / (std?.[channel] ?? std?.[0] ?? 1);
  });
  const own = allocate(entry[1].dtype, data.length);
  own.set(data);
  const input = hold(tensorType(entry[1].dtype, x.type.shape), own);
  return { inputs: { [entry[0]]: input }, target: y, rows: images.size, targetName: "the folder", classes: images.classes };
}

/** `x f32[100,64], y i32[100]`, in a message. */
function tensorsText(tensors: Readonly<Record<string, Tensor>>): string {
  const all = Object.entries(tensors).map(([name, { type }]) => `${name} ${typeText(type)}`);
  return all.length === 0 ? "no tensors" : all.length > 12 ? `${all.slice(0, 12).join(", ")} and ${all.length - 12} more` : all.join(", ");
}

function portsText(ports: Ports): string {
  return Object.entries(ports)
    .map(([name, port]) => `${name} ${portText(port)}`)
    .join(", ");
}

function tensorRows(path: string, tensors: Readonly<Record<string, Tensor>>, settings: FinetuneSettings, ports: Ports): TuningRows {
  const there = `${path} has ${tensorsText(tensors)}, and the model takes ${portsText(ports)}`;
  const names = Object.keys(ports);
  for (const [input, name] of Object.entries(settings.inputs)) {
    if (!names.includes(input)) throw new UsageError(`--input ${input}=${name}: there is no such input; ${there}`, "finetune");
    if (!Object.hasOwn(tensors, name)) throw new UsageError(`--input ${input}=${name}: there is no such tensor; ${there}`, "finetune");
  }
  const sources = new Map(
    names.flatMap((name): [string, string][] => {
      const own = settings.inputs[name] ?? (Object.hasOwn(tensors, name) ? name : undefined);
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
  const inputs = Object.fromEntries(names.map((name) => [name, tensors[sources.get(name)!]!]));
  const bound = new Map<string, number>();
  for (const name of names) checkInput(path, name, sources.get(name)!, inputs[name]!, ports[name]!, bound);
  const rows = Object.values(inputs)[0]?.type.shape[0] ?? tensors[target]!.type.shape[0] ?? 0;
  for (const [name, source] of [...sources, ["", target]] as const) {
    const own = tensors[source]!.type;
    if (own.shape[0] !== rows)
      throw new ShapeError(
        `${path}: ${source} is ${typeText(own)}${name === "" ? "" : `, the input ${name}`}, and ${sources.get(names[0]!) ?? target} has ${rows} rows; rows are axis 0, and all tensors have as many`,
      );
  }
  return { inputs, target: tensors[target]!, rows, targetName: target, classes: null };
}

/** The tensor to be predicted: the one that was named, that is left over, or that is called so. */
function targetOf(
  rest: readonly string[],
  tensors: Readonly<Record<string, Tensor>>,
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

function checkInput(path: string, name: string, source: string, given: Tensor, port: Port, bound: Map<string, number>): void {
  const told = `${path}: the model's input ${name} is ${portText(port)}, and ${source} is ${typeText(given.type)}`;
  const { shape, dtype } = given.type;
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
  if (settings.target === null) throw new UsageError("--target is missing: name the column to be predicted", "finetune");
  if (Object.keys(settings.inputs).length > 0)
    throw new UsageError("--input names tensors; of a table all columns but the target are the input", "finetune");
  const [name, port] = entry;
  const { columns, rows, data, target } = await readTable(path, settings.target, io);
  const open = (port.shape ?? []).slice(1).filter((s) => typeof s !== "number").length;
  const known = (port.shape ?? []).slice(1).reduce<number>((n, s) => n * (typeof s === "number" ? s : 1), 1);
  const fits =
    port.shape !== null && port.shape.length > 0 && (open === 0 ? known === columns.length : open === 1 && columns.length % known === 0);
  if (!fits)
    throw new ShapeError(
      `${path} has ${columns.length} columns beside ${settings.target}, and the model's input ${name} is ${portText(port)}, ${open === 0 ? `${known} numbers a row` : "which they do not fill"}`,
    );
  const shape = [rows, ...port.shape!.slice(1).map((s) => (typeof s === "number" ? s : columns.length / known))];
  const bad = data.findIndex((x) => (isFloat(port.dtype) ? !Number.isFinite(x) : !Number.isInteger(x)));
  if (bad >= 0)
    throw new DomainError(
      `${path}: ${columns[bad % columns.length]} is ${data[bad]} in row ${Math.floor(bad / columns.length)} (from 0), and the model's input ${name} takes ${isFloat(port.dtype) ? "finite" : "whole"} numbers, ${portText(port)}`,
    );
  const own = allocate(port.dtype, data.length);
  own.set(data);
  const whole = target.values.every(Number.isInteger);
  return {
    inputs: { [name]: hold(tensorType(port.dtype, shape), own) },
    target: whole ? hold(i32(rows), Int32Array.from(target.values)) : hold(f32(rows), Float32Array.from(target.values)),
    rows,
    targetName: settings.target,
    classes: target.classes,
  };
}

/**
 * Labels as classes of an output, whose classes are along `axis`.
 * @throws DTypeError, DomainError, ShapeError for targets that are no such labels
 */
export function checkLabels(path: string, { target, targetName, classes }: TuningRows, count: number): Tensor {
  if (isFloat(target.type.dtype) || target.type.dtype === "bool")
    throw new DTypeError(
      `${path}: cross-entropy takes classes, whole numbers, and ${targetName} is ${typeText(target.type)}; write it as i32, or choose --loss mse`,
    );
  const { data, type } = target;
  const width = sizeOf(type.shape.slice(1));
  const bad = data.findIndex((x) => !(x >= -1 && x < count));
  if (bad >= 0)
    throw new DomainError(
      `${path}: ${targetName} is ${classes?.[data[bad]!] ?? data[bad]} in row ${Math.floor(bad / width)} (from 0)${classes === null ? "" : `, class number ${data[bad]}`}; the model has ${count} classes, 0 to ${count - 1}, and -1 leaves a label out`,
    );
  return type.dtype === "i32" ? target : hold(tensorType("i32", type.shape), Int32Array.from(data));
}
