import { constant, evaluate, expr, f32, f64, random, type Tensor, tensor } from "chainrule";
import { parseCsv } from "chainrule/data";
import { firstRow } from "../state/first-row.ts";
import { featuresOf, onLine } from "./features.ts";
import type { FeatureName, TrainState } from "./state.ts";

/** What a net is to say: one of two classes (one logit), one of several (a score each), or a number. */
export type Task = { readonly kind: "binary" } | { readonly kind: "classes"; readonly count: number } | { readonly kind: "number" };

/** Rows to learn from or to test with: what the net sees, and what it should say. */
export interface Part {
  readonly rows: number;
  /** Where a row lies: [rows, plane], for pictures; raw pixels for images. */
  readonly at: Float32Array;
  /** [rows, inputs] */
  readonly x: Float32Array;
  /** Class (0 or 1, or 0 to count - 1), or number. */
  readonly y: Float32Array;
}

/** A data set made ready: scaled, split, with names for what is in it. */
export interface Problem {
  readonly task: Task;
  /** How many numbers say where a point lies: 1 (a line), 2 (a plane), more (columns of a table), 64 (an image). */
  readonly space: number;
  readonly shape: "line" | "plane" | "table" | "image";
  /** The names of the raw numbers, of the net's inputs, and of the classes. */
  readonly columns: readonly string[];
  readonly inputs: readonly string[];
  readonly classes: readonly string[];
  readonly features: readonly FeatureName[] | null;
  /** What was subtracted from each raw number, and what it was divided by; and the same of a number to predict. */
  readonly center: readonly number[];
  readonly scale: readonly number[];
  readonly target: { readonly center: number; readonly scale: number };
  /** The picture's ends along both axes, [-reach, reach]; of a line also the ends of what is to be predicted. */
  readonly reach: number;
  readonly range: readonly [number, number];
  readonly train: Part;
  readonly test: Part;
}

/** A sentence for the reader, by its key among the words, with what it speaks of. */
export class DataFault extends Error {
  readonly key: FaultKey;
  readonly detail: string;
  constructor(key: FaultKey, detail = "") {
    super(`${key}: ${detail}`);
    this.key = key;
    this.detail = detail;
  }
}
export type FaultKey = "too few" | "too wide" | "too many classes" | "csv" | "formula" | "not finite" | "no numbers" | "one class";

const reach = 6;
const mostColumns = 1024;
const mostClasses = 100;

interface Raw {
  readonly at: Float64Array;
  readonly y: Float64Array;
  readonly space: number;
}

/** Uniform numbers in [0, 1) and normal ones, by name: the same for the same seed. */
function draws(seed: number, what: string, rows: number, columns: number): { uniform: Tensor["data"]; normal: Tensor["data"] } {
  const key = random.fold(random.key(seed), what);
  return {
    uniform: evaluate(random.uniform(random.fold(key, "uniform"), f64(rows, columns))).data,
    normal: evaluate(random.normal(random.fold(key, "normal"), f64(rows, columns))).data,
  };
}

/** The data sets of TensorFlow's Playground (circle, xor, gauss, spiral) and two moons, on a plane from -6 to 6; noise as a share of 1. */
function onPlane(name: "circle" | "xor" | "gauss" | "spiral" | "moons", n: number, noise: number, seed: number): Raw {
  const { uniform: u, normal: g } = draws(seed, name, n, 4);
  const at = new Float64Array(2 * n);
  const y = new Float64Array(n);
  for (let i = 0; i < n; i++) {
    const label = i % 2;
    const [u0, u1, u2, u3] = [u[4 * i]!, u[4 * i + 1]!, u[4 * i + 2]!, u[4 * i + 3]!];
    const [g0, g1] = [g[4 * i]!, g[4 * i + 1]!];
    let [a, b] = [0, 0];
    y[i] = label;
    if (name === "circle") {
      const r = label === 1 ? 2.5 * Math.sqrt(u0) : 3.5 + 1.5 * u0;
      const turn = 2 * Math.PI * u1;
      a = r * Math.sin(turn) + 5 * noise * (u2 - 0.5);
      b = r * Math.cos(turn) + 5 * noise * (u3 - 0.5);
    } else if (name === "xor") {
      const apart = 0.3;
      const side = (v: number): number => (v > 0 ? v + apart : v - apart);
      [a, b] = [side(10 * u0 - 5), side(10 * u1 - 5)];
      a += 5 * noise * (u2 - 0.5);
      b += 5 * noise * (u3 - 0.5);
      y[i] = a * b >= 0 ? 1 : 0;
    } else if (name === "gauss") {
      const spread = Math.sqrt(0.5 + 3.5 * 2 * noise);
      const middle = label === 1 ? 2 : -2;
      [a, b] = [middle + spread * g0, middle + spread * g1];
    } else if (name === "spiral") {
      const share = (i - label) / n;
      const r = 5 * share;
      const turn = 1.75 * share * 2 * Math.PI + (label === 1 ? 0 : Math.PI);
      a = r * Math.sin(turn) + 2 * noise * (u2 - 0.5);
      b = r * Math.cos(turn) + 2 * noise * (u3 - 0.5);
    } else {
      const turn = Math.PI * u0;
      const [c, s] = label === 1 ? [Math.cos(turn), Math.sin(turn)] : [1 - Math.cos(turn), 0.5 - Math.sin(turn)];
      a = 3 * (c - 0.5) + 3 * noise * g0;
      b = 3 * (s - 0.25) + 3 * noise * g1;
    }
    at[2 * i] = a;
    at[2 * i + 1] = b;
  }
  return { at, y, space: 2 };
}

/** What a formula of x, or of x1 and x2, is at these points. Names are put in as holes of `expr`, so nothing of the text is ever run. */
export function formulaAt(text: string, at: Float64Array, space: number): Float64Array {
  const rows = at.length / space;
  const column = (i: number): Tensor =>
    tensor(
      Float64Array.from({ length: rows }, (_, r) => at[r * space + i]!),
      f64(rows),
    );
  const strings: string[] = [];
  const holes: Tensor[] = [];
  let from = 0;
  for (const match of text.matchAll(/[\p{L}_][\p{L}\p{N}_]*/gu)) {
    const place = { x: 0, x1: 0, x2: 1 }[match[0]];
    if (place === undefined) continue;
    strings.push(text.slice(from, match.index));
    holes.push(column(Math.min(place, space - 1)));
    from = match.index + match[0].length;
  }
  strings.push(text.slice(from));
  const values = evaluate(expr(Object.assign(strings, { raw: strings }) as unknown as TemplateStringsArray, ...holes));
  const { data } = values;
  // A formula without a variable is one number everywhere.
  return Float64Array.from({ length: rows }, (_, i) => Number(data.length === 1 ? data[0]! : data[i]!));
}

/** A formula in x is a curve over a line; one that speaks of x2 is a surface over the plane. */
export function formulaSpace(text: string): 1 | 2 {
  return /(?<![\p{L}\p{N}_])x2(?![\p{L}\p{N}_])/u.test(text) ? 2 : 1;
}

function ofFormula(text: string, n: number, noise: number, seed: number): Raw {
  const space = formulaSpace(text);
  const { uniform, normal } = draws(seed, "formula", n, space);
  const at = Float64Array.from(uniform.subarray(0, n * space) as ArrayLike<number>, (u) => reach * (2 * u - 1));
  let y: Float64Array;
  try {
    y = formulaAt(text, at, space);
  } catch (error) {
    throw new DataFault("formula", (error as Error).message.split("\n")[0]!);
  }
  if (y.length !== n || !y.every(Number.isFinite)) throw new DataFault("not finite");
  const { spread } = measure(y);
  return { at, y: y.map((v, i) => v + noise * spread * normal[i * space]!), space };
}

function measure(values: ArrayLike<number>): { mean: number; spread: number } {
  const n = values.length;
  let mean = 0;
  for (let i = 0; i < n; i++) mean += values[i]! / n;
  let square = 0;
  for (let i = 0; i < n; i++) square += (values[i]! - mean) ** 2 / n;
  return { mean, spread: Math.sqrt(square) || 1 };
}

/** A fixed order of n things for a seed: Fisher and Yates with the numbers of the library. */
function order(seed: number, n: number): Int32Array {
  return evaluate(random.permutation(random.fold(random.key(seed), "split"), n)).data as Int32Array;
}

interface Table {
  readonly raw: Raw;
  readonly task: Task;
  readonly columns: readonly string[];
  readonly classes: readonly string[];
}

/** Names for people: the first row's, cut; they are only ever shown as text. */
const shortName = (name: string): string => (name.length > 24 ? `${name.slice(0, 23)}…` : name);

/** A table pasted or dropped: its last column is what is to be predicted, a class if it has words or few whole numbers. */
export function readTable(text: string): Table {
  if (text.trim() === "") throw new DataFault("too few");
  const { line, cells, delimiter } = firstRow(text);
  const width = cells.length;
  if (width > mostColumns) throw new DataFault("too wide", String(width));
  if (width < 2) throw new DataFault("no numbers");
  const header = !cells.slice(0, -1).some((cell) => cell !== "" && Number.isFinite(Number(cell)));
  const columns = cells.slice(0, -1).map((cell, i) => shortName(header && cell !== "" ? cell : `x${i + 1}`));
  let label: { values: Float64Array; classes: readonly string[] | null };
  let rest: { rows: number; data: Float64Array };
  try {
    // A header: no cell of the first row but the last is a number. The reader gets names of ours, for a header may say one twice.
    const own = `${cells.map((_, i) => (i === width - 1 ? "label" : `x${i + 1}`)).join(delimiter)}\n`;
    const read = parseCsv(own + (header ? text.slice(line.length).replace(/^\r?\n/, "") : text), {
      delimiter,
      header: true,
      label: "label",
    });
    rest = read;
    label = read.label!;
  } catch (error) {
    throw new DataFault("csv", (error as Error).message.slice(0, 300));
  }
  const { rows, data } = rest;
  if (rows < 4) throw new DataFault("too few");
  if (!data.every(Number.isFinite) || !label.values.every(Number.isFinite)) throw new DataFault("not finite");
  const distinct = [...new Set(label.values)].sort((a, b) => a - b);
  const few = distinct.length <= Math.min(20, rows / 4) && distinct.every(Number.isInteger);
  const raw = { at: data, y: label.values, space: columns.length };
  if (label.classes === null && !few) return { raw, task: { kind: "number" }, columns, classes: [] };
  const classes = label.classes ?? distinct.map(String);
  if (classes.length > mostClasses) throw new DataFault("too many classes", String(classes.length));
  if (classes.length < 2) throw new DataFault("one class");
  const place = new Map(distinct.map((v, i) => [v, i]));
  const y = label.classes === null ? label.values.map((v) => place.get(v)!) : label.values;
  return {
    raw: { ...raw, y },
    task: classes.length === 2 ? { kind: "binary" } : { kind: "classes", count: classes.length },
    columns,
    classes: classes.map(shortName),
  };
}

/** The text of the file of digits: 64 pixels from 0 to 16 and a label a row. */
export function readDigits(text: string): Raw {
  const { data, label } = parseCsv(text, { label: "label" });
  return { at: data.map((v) => v / 16), y: label!.values, space: 64 };
}

/** What `makeProblem` needs beside the settings: a table too long for the address, the digits' file. */
export interface Files {
  readonly csv?: string | undefined;
  readonly digits?: string | undefined;
}

/** The data of these settings, split and scaled. @throws DataFault with what to tell the reader */
export function makeProblem(settings: TrainState, files: Files = {}): Problem {
  const { data, seed, points: n } = settings;
  const noise = settings.noise / 100;
  if (data === "csv") return split(settings, "table", readTable(files.csv ?? settings.csv));
  if (data === "digits") {
    const columns = Array.from({ length: 64 }, (_, i) => `p${i}`);
    const classes = Array.from("0123456789");
    return split(settings, "image", { raw: readDigits(files.digits ?? ""), task: { kind: "classes", count: 10 }, columns, classes });
  }
  if (data === "formula") {
    const raw = ofFormula(settings.formula, n, noise, seed);
    return split(settings, raw.space === 1 ? "line" : "plane", { raw, task: { kind: "number" }, columns: names(raw.space), classes: [] });
  }
  if (data === "draw") {
    const { drawn } = settings;
    if (drawn.length < 4) throw new DataFault("too few");
    if (new Set(drawn.map(([, , label]) => label)).size < 2) throw new DataFault("one class");
    const { normal } = draws(seed, "draw", drawn.length, 2);
    const at = Float64Array.from({ length: 2 * drawn.length }, (_, i) => drawn[i >> 1]![i % 2]! + 2 * noise * normal[i]!);
    return split(settings, "plane", { raw: { at, y: Float64Array.from(drawn, ([, , l]) => l), space: 2 }, ...two });
  }
  return split(settings, "plane", { raw: onPlane(data, n, noise, seed), ...two });
}

const names = (space: number): readonly string[] => (space === 1 ? ["x"] : ["x1", "x2"]);
const two = { task: { kind: "binary" }, columns: ["x1", "x2"], classes: ["0", "1"] } as const;

function split(settings: TrainState, shape: Problem["shape"], { raw, task, columns, classes }: Table): Problem {
  const { at, y, space } = raw;
  const rows = y.length;
  const learn = Math.min(rows - 1, Math.max(1, Math.round((rows * settings.share) / 100)));
  const places = order(settings.seed, rows);
  const [fit, held] = [places.subarray(0, learn), places.subarray(learn)];
  // Tables come in any units: they are scaled by what the rows to learn from say, never by those to test with.
  const scaled = shape === "table";
  const ofColumn = (i: number) => measure(Float64Array.from(fit, (row) => at[row * space + i]!));
  const measures = columns.map((_, i) => (scaled ? ofColumn(i) : { mean: 0, spread: 1 }));
  const aim = scaled && task.kind === "number" ? measure(Float64Array.from(fit, (row) => y[row]!)) : { mean: 0, spread: 1 };
  const features = shape === "line" ? onLine(settings.features) : shape === "plane" ? settings.features : null;
  const part = (which: Int32Array): Part => {
    const place = new Float32Array(which.length * space);
    which.forEach((row, r) => {
      for (let i = 0; i < space; i++) place[r * space + i] = (at[row * space + i]! - measures[i]!.mean) / measures[i]!.spread;
    });
    const x = features === null ? place : seen(place, space, features);
    return { rows: which.length, at: place, x, y: Float32Array.from(which, (row) => (y[row]! - aim.mean) / aim.spread) };
  };
  const [train, test] = [part(fit), part(held)];
  let far = 0;
  if (shape === "table") for (const v of train.at) far = Math.max(far, Math.abs(v));
  let [low, high] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  for (const v of train.y) [low, high] = [Math.min(low, v), Math.max(high, v)];
  return {
    task,
    space,
    shape,
    columns,
    inputs: features ?? columns,
    classes,
    features,
    center: measures.map(({ mean }) => mean),
    scale: measures.map(({ spread }) => spread),
    target: { center: aim.mean, scale: aim.spread },
    reach: shape === "table" ? Math.min(6, far) || 1 : reach,
    range: [low, high],
    train,
    test,
  };
}

/** The features of points that are given as plain numbers. */
export function seen(at: Float32Array, space: number, features: readonly FeatureName[]): Float32Array {
  return evaluate(featuresOf(constant(tensor(at, f32(at.length / space, space))), features)).data as Float32Array;
}
