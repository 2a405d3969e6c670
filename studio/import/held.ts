import {
  type AnyGraph,
  ChainruleError,
  compile,
  costOf,
  gradients,
  graph,
  type Layout,
  leaves,
  type Picture,
  type PictureOptions,
  parse,
  picture,
  type Scene,
  type Tensor,
  type TensorType,
  type Value,
  walkPage,
} from "chainrule";
import { type CsvTable, parseNpy, parseNpz, parseSafetensors } from "chainrule/data";
import { type Model, onnx } from "chainrule/onnx";
import { wasm } from "chainrule/wasm";
import { countedFiles } from "./counted-file.ts";
import { tensorFacts } from "./facts.ts";
import { portText, readGiven, readTable } from "./given.ts";
import { InputFault } from "./given-input.ts";
import { lossOf, modelValues } from "./gradients.ts";
import type {
  Asks,
  Drawing,
  Found,
  FromWorker,
  GradientAsk,
  GradientRow,
  Gradients,
  InputFacts,
  ItemFacts,
  Look,
  Part,
  Summary,
  TensorRow,
  TuneAsk,
  Work,
} from "./protocol.ts";
import { tuneModel } from "./tune.ts";

interface OpenModel {
  readonly model: Model<string, string>;
  readonly types: Readonly<Record<string, TensorType>>;
}

const typeText = ({ dtype, shape }: Pick<TensorType, "dtype" | "shape">): string => `${dtype}[${shape.join(",")}]`;
const row = (name: string, type: Pick<TensorType, "dtype" | "shape">): TensorRow => ({ name, type: typeText(type) });

/** Beyond this many floating-point operations a picture has shapes alone: its numbers would take seconds. */
const countable = 2e8;
const mostFound = 50;
/** What is made of several ops here and is one gate to a reader. */
const losses = ["softmaxCrossEntropy"];

/** One opened thing, and everything that the page may ask of it. */
export class Held {
  #graph: AnyGraph | null = null;
  #name = "";
  /** Begins to read the model's weights when that is first asked for, and then gives the same every time. */
  #model: (() => Promise<OpenModel>) | null = null;
  /** The scopes of the file's nodes, and the names of its weights. */
  #nodes: readonly string[] = [];
  #weights: Readonly<Record<string, Pick<TensorType, "dtype" | "shape">>> = {};
  #tensors: Readonly<Record<string, Tensor>> = {};
  /** Weights that the file has twice, which the outline tells as two and the model has once. */
  #tied: Readonly<Record<string, string>> = {};
  #gradients: Readonly<Record<string, Tensor>> = {};
  /** What the numbers of the picture are of, once gradients were asked for and the model is small. */
  #loss: Value | null = null;
  #wrt: Readonly<Record<string, Value>> = {};
  #picture: Picture | null = null;
  #data: { readonly name: string; readonly table: CsvTable } | null = null;
  #stopped = false;
  readonly #say: (message: FromWorker) => void;

  constructor(say: (message: FromWorker) => void) {
    this.#say = say;
  }

  /** Opens files dropped together: one model, graph, table or file of tensors, with the data files that belong to it. */
  async open({ files: given }: Asks["open"]["ask"]): Promise<Summary> {
    const files = this.#counted(given, "read");
    const main = files.find(({ name }) => /\.(onnx|graph)$/i.test(name)) ?? files[0];
    if (main === undefined) throw new Error("no file was given");
    this.#graph = null;
    this.#name = main.name;
    this.#model = null;
    this.#nodes = [];
    this.#weights = {};
    this.#wrt = {};
    this.#tensors = {};
    this.#tied = {};
    this.#gradients = {};
    this.#loss = null;
    this.#picture = null;
    this.#say({ progress: "read" });
    const kind = await kindOf(main);
    switch (kind) {
      case "onnx":
        return this.#openModel(
          main,
          files.filter((file) => file !== main),
        );
      case "graph":
        return this.#openGraph(main, files);
      case "table":
        return this.data({ file: main, label: null });
      default:
        return this.#openTensors(main, kind);
    }
  }

  async #openModel(file: File, beside: readonly File[]): Promise<Summary> {
    const options = beside.length > 0 ? { external: Object.fromEntries(beside.map((other) => [other.name, other])) } : {};
    this.#say({ progress: "build" });
    // The picture first: how the model is made is read in a moment, and its weights when they are asked for.
    const { graph: whole, inputs: types, outputs, parameters, nodes } = await onnx.outline(file, options);
    let reading: Promise<OpenModel> | null = null;
    const whenRead = (): Promise<OpenModel> => {
      const [main, ...others] = this.#counted([file, ...beside], "inspect") as [File, ...File[]];
      const now = others.length > 0 ? { external: Object.fromEntries(others.map((other) => [other.name, other])) } : {};
      reading ??= onnx.read(main, now).then((model: Model<string, string>) => {
        // Another file may have been opened meanwhile.
        if (this.#model === whenRead) {
          this.#tensors = model.params;
          this.#tied = model.tied;
        }
        return { model, types };
      });
      return reading;
    };
    this.#model = whenRead;
    this.#nodes = nodes;
    this.#graph = whole;
    this.#weights = Object.fromEntries(Object.entries(parameters).map(([name, { type }]) => [name, type]));
    return {
      kind: "model",
      name: file.name,
      inputs: Object.entries(types).map(([name, type]) => ({ name, type: typeText(type) })),
      outputs: Object.keys(outputs),
      parameters: Object.entries(parameters).map(([name, { type, trainable }]) => ({ ...row(name, type), trainable })),
    };
  }

  /** What of the model can be trained and what stands in the way, in words: it takes longer than the picture, so it comes after it. */
  async inspection(): Promise<Asks["inspection"]["answer"]> {
    const { model } = await this.#modelOrFail();
    const found = await onnx.inspect(model);
    const texts = { en: found.text("en"), ko: found.text("ko") };
    return { texts, blocked: found.parameters.filter(({ gradient }) => gradient === false).map(({ name }) => name) };
  }

  async #openGraph(file: File, files: readonly File[]): Promise<Summary> {
    let tensors: Readonly<Record<string, Tensor>> = {};
    for (const other of files)
      if (other !== file && /\.safetensors$/i.test(other.name)) ({ tensors } = parseSafetensors(new Uint8Array(await other.arrayBuffer())));
    this.#say({ progress: "build" });
    const text = await file.text();
    const parsed = parse(text, { tensors });
    this.#graph = parsed;
    return {
      kind: "graph",
      name: file.name,
      text: text.slice(0, 20_000),
      inputs: leaves(parsed.inputs).map(({ path, leaf }) => ({ name: path, type: typeText((leaf as Value).type) })),
    };
  }

  async #openTensors(file: File, kind: "safetensors" | "npz" | "npy"): Promise<Summary> {
    const bytes = new Uint8Array(await file.arrayBuffer());
    let header = "";
    if (kind === "npz") this.#tensors = await parseNpz(bytes);
    else if (kind === "npy") this.#tensors = { [file.name.replace(/\.npy$/i, "")]: parseNpy(bytes) };
    else {
      const { tensors, metadata } = parseSafetensors(bytes);
      this.#tensors = tensors;
      header = headerText(metadata);
    }
    const tensors = Object.entries(this.#tensors).map(([name, { type }]) => row(name, type));
    return { kind: "tensors", name: file.name, tensors, header };
  }

  /** Reads a table, the data to tune with. Without a column's name, `label`, `target`, `class` or `y` is the label, else the last column. */
  async data({ file: given, label }: Asks["data"]["ask"]): Promise<Summary> {
    const [file] = this.#counted([given], "read") as [File];
    const table = readTable(await file.text(), label);
    this.#data = { name: file.name, table };
    const width = Math.min(table.columns.length, 30);
    return {
      kind: "table",
      name: file.name,
      rows: table.rows,
      width: table.columns.length,
      columns: table.columns.slice(0, 200),
      cells: Array.from({ length: Math.min(table.rows, 20) }, (_, i) =>
        Array.from({ length: width }, (_unused, j) => table.data[i * table.columns.length + j]!),
      ),
      label: table.label === null ? null : { name: table.label.name, classes: table.label.classes?.slice(0, 100) ?? null },
    };
  }

  /** Lays the picture out and draws it. */
  draw({ depth, open, closed, near, theme, language }: Look): Drawing {
    const began = performance.now();
    const subject = this.#loss ?? this.#graph;
    if (subject === null) throw new Error("there is no graph to draw");
    this.#say({ progress: "layout" });
    const nodes = this.#nodes;
    // Left to itself a picture of a model shows its modules and nodes, not what the nodes are made of, but for those that are opened.
    const shut = depth === null ? [...closed, ...nodes, ...losses] : closed;
    const wrt = this.#loss !== null ? { wrt: this.#wrt } : {};
    const drawn = partOf(subject, { ...(depth !== null && { depth }), open, closed: shut, theme, language, ...wrt }, near);
    this.#picture = drawn;
    const scene = drawn.scene();
    const { layout } = drawn;
    return {
      svg: drawn.svg().replace(/<style>[\s\S]*?<\/style>/, ""),
      style: drawn.style(),
      width: layout.width + 32,
      height: layout.height + 32,
      items: partsOf(scene, layout),
      groups: (scene.groups ?? []).map(({ id, label }, i) => {
        const { x, y, width, height } = layout.groups[i]!;
        return { id, label, x: x + width / 2, y: y + height / 2 };
      }),
      milliseconds: performance.now() - began,
    };
  }

  /** The picture that was drawn last, as a file. */
  file({ kind, theme, language }: Asks["file"]["ask"]): string | null {
    if (kind === "svg") {
      if (this.#picture === null) throw new Error("there is no graph to draw");
      return this.#picture.svg();
    }
    const loss = this.#loss;
    if (loss === null) return null;
    return walkPage(loss, { wrt: this.#wrt, title: this.#name, language, theme });
  }

  /** Parts of the picture by name, op or type; parameters by name. */
  find({ text }: Asks["find"]["ask"]): readonly Found[] {
    const drawn = this.#picture;
    if (drawn === null) return [];
    const wanted = text.trim().toLowerCase();
    const found: Found[] = [];
    for (const { id, label, title } of drawn.scene().items)
      for (const node of drawn.nodesOf(id)) {
        if (found.length >= mostFound) return found;
        const name = node.label ?? "";
        const path = node.where?.scope ?? "";
        const hay = `${name} ${path} ${node.op.name} ${label} ${title}`.toLowerCase();
        if (wanted === "" || hay.includes(wanted))
          found.push({ name: name || path || title, op: node.op.name, type: typeText(node.type), path, item: id });
      }
    return found;
  }

  /** What stands behind an item of the picture. */
  async item({ id }: Asks["item"]["ask"]): Promise<ItemFacts> {
    const drawn = this.#picture;
    const item = drawn?.scene().items.find((other) => other.id === id);
    if (drawn === null || item === undefined) throw new Error("that is no longer in the picture");
    const nodes = drawn.nodesOf(id);
    const counts = new Map<string, number>();
    for (const { op } of nodes) counts.set(op.name, (counts.get(op.name) ?? 0) + 1);
    const parameters = nodes.filter(({ op, label }) => op.name === "variable" && label !== null);
    const [only] = nodes.length === 1 ? nodes : [];
    const name = only?.label ?? "";
    if (Object.hasOwn(this.#weights, name)) await this.#modelOrFail();
    const [value, gradient] = [this.#found(name), this.#found(`gradient:${name}`)];
    return {
      title: item.title,
      ops: [...counts].map(([op, count]) => ({ op, count })).sort((a, b) => b.count - a.count),
      parameters: parameters.map((node) => row(node.label!, node.type)),
      outputs: nodes.length === 0 ? [] : [row(item.label, nodes.at(-1)!.type)],
      value: value === undefined ? null : tensorFacts(value),
      gradient: gradient === undefined ? null : tensorFacts(gradient),
    };
  }

  /** A tensor of the file, or the gradient of one: `name`, `gradient:name`. */
  async tensor({ name }: Asks["tensor"]["ask"]): Promise<Asks["tensor"]["answer"]> {
    if (this.#model !== null) await this.#model();
    const found = this.#found(name);
    if (found === undefined) throw new Error(`there is no tensor ${name}`);
    return tensorFacts(found);
  }

  #found(name: string): Tensor | undefined {
    const [of, own] = name.startsWith("gradient:") ? [this.#gradients, name.slice(9)] : [this.#tensors, name];
    return of[own] ?? of[this.#tied[own] ?? own];
  }

  /** Whether an input that was given fits the model, and what its numbers are like. */
  async input({ name, given }: Asks["input"]["ask"]): Promise<InputFacts> {
    const { model, types } = await this.#modelOrFail();
    try {
      const port = model.inputs[name] ?? types[name];
      if (port === undefined) throw new Error(`the model has no input ${name}`);
      const { tensor, rows } = await readGiven(given, name, port);
      return { type: portText(tensor.type), rows, facts: tensorFacts(tensor) };
    } catch (error) {
      if (error instanceof InputFault) return { trouble: error.trouble };
      return { fault: error instanceof Error ? error.message : String(error) };
    }
  }

  /** The gradients of an output, or of a loss made of it, for the inputs that were given and others drawn from a seed. */
  async gradients(ask: GradientAsk): Promise<Gradients> {
    const open = await this.#modelOrFail();
    const began = performance.now();
    const at = (done: number): void => this.#say({ progress: "gradients", amount: { done, of: 4, unit: "steps" } });
    at(0);
    const given = new Map<string, Tensor>();
    for (const [name, input] of Object.entries(ask.inputs))
      if (Object.hasOwn(open.model.inputs, name)) given.set(name, (await readGiven(input, name, open.model.inputs[name]!)).tensor);
    at(1);
    const { params, inputs, outputs } = modelValues(open.model, open.types, ask.seed, given);
    const loss = lossOf(outputs, ask);
    const trainable = (of: Readonly<Record<string, Value | Tensor>>) =>
      Object.fromEntries(open.model.trainable.map((name) => [name, of[name]!]));
    const wrt = trainable(params) as Record<string, Value>;
    // The weights come in as inputs: what depends on no input is computed by the readable engine while the rest is compiled.
    const weights = trainable(open.model.params) as Record<string, Tensor>;
    const step = graph({ weights }, ({ weights: w }: { weights: Record<string, Value> }) => {
      const made = open.model.apply({ ...params, ...w }, inputs);
      const end = lossOf(made, ask);
      return { loss: end, slopes: gradients(end, w), output: made[ask.output]! };
    });
    at(2);
    const program = await compile(step, wasm());
    at(3);
    const ran = await program.run({ weights });
    program.dispose?.();
    at(4);
    this.#gradients = ran.slopes;
    this.#graph = graph({}, () => outputs);
    this.#wrt = wrt;
    this.#loss = costOf(step).flops < countable ? loss : null;
    const rows: GradientRow[] = Object.keys(wrt).map((name) => ({
      ...row(name, open.model.params[name]!.type),
      weight: rootMeanSquare(open.model.params[name]!),
      gradient: rootMeanSquare(ran.slopes[name]!),
    }));
    return { loss: ran.loss.data[0]!, rows, output: tensorFacts(ran.output), milliseconds: performance.now() - began };
  }

  /** Fine-tunes the model on the table that was read. */
  async tune(ask: TuneAsk): Promise<Asks["tune"]["answer"]> {
    const open = await this.#modelOrFail();
    if (this.#data === null) throw new Error("drop a CSV file with the data first");
    this.#stopped = false;
    const { params, loss, stopped } = await tuneModel(
      open.model,
      open.types,
      this.#data.table,
      ask,
      (tuning) => this.#say({ tuning }),
      (takenOver) => this.#say({ takenOver }),
      () => this.#stopped,
    );
    const model = open.model.with(params);
    this.#model = () => Promise.resolve({ ...open, model });
    this.#tensors = model.params;
    return { loss, stopped };
  }

  stop(): null {
    this.#stopped = true;
    return null;
  }

  /** The model as it is now, as a file. */
  async save(): Promise<Blob> {
    const { model } = await this.#modelOrFail();
    return new Blob([onnx.write(model) as Uint8Array<ArrayBuffer>], { type: "application/octet-stream" });
  }

  /** Files that say how much of them was read. */
  #counted(files: readonly File[], progress: Work): File[] {
    return countedFiles(files, (done, of) => this.#say({ progress, amount: { done, of, unit: "bytes" } }));
  }

  #modelOrFail(): Promise<OpenModel> {
    if (this.#model === null) throw new Error("open a model first");
    return this.#model();
  }
}

/** The picture, or what is asked for of it; the whole where that item is no longer in it. */
function partOf(subject: Value | AnyGraph, options: PictureOptions, near: Look["near"]): Picture {
  if (near === null) return picture(subject, options);
  const { item, steps } = near;
  try {
    const reach = steps === "feeds" ? { feeds: Number.POSITIVE_INFINITY, uses: 0 } : { feeds: steps, uses: steps };
    return picture(subject, { ...options, near: { item, ...reach } });
  } catch (error) {
    if (!(error instanceof ChainruleError)) throw error;
    return picture(subject, options);
  }
}

/** The items of a picture with what their wires say. */
function partsOf({ items, wires, trunks = [], groups = [] }: Scene, layout: Layout): Part[] {
  const outer = new Map(groups.map(({ id, group }) => [id, group]));
  const around = (group: string | undefined): string[] => {
    const found: string[] = [];
    for (let id = group; id !== undefined; id = outer.get(id)) found.push(id);
    return found;
  };
  const places = new Map(items.map(({ id }, i) => [id, i]));
  const sources = items.map((): number[] => []);
  const said = items.map(() => ({ value: "", gradient: "" }));
  for (const { to, from, above, below, gradient } of [
    ...wires.map((wire) => ({ ...wire })),
    ...trunks.map((trunk) => ({ ...trunk, to: "" })),
  ]) {
    const at = places.get(from)!;
    const into = places.get(to);
    if (into !== undefined) sources[into]!.push(at);
    // A trunk comes last and says the sum of its branches.
    said[at] = { value: above, gradient: gradient === "number" ? below : gradient === "zero" ? "0" : gradient === "none" ? "none" : "" };
  }
  return items.map(({ id, kind, label, name, title, shape = "", note = "", group }, i) => {
    const { x, y, body } = layout.items[i]!;
    const more = [shape, note].filter((text) => text !== "").join(", ");
    return {
      id,
      kind,
      label,
      name: name ?? label,
      title,
      note: more,
      modules: around(group),
      from: sources[i]!,
      ...said[i]!,
      x,
      y,
      width: body.width,
      height: body.height,
    };
  });
}

function rootMeanSquare({ data }: Tensor): number {
  let sum = 0;
  for (let i = 0; i < data.length; i++) sum += data[i]! * data[i]!;
  return data.length === 0 ? 0 : Math.sqrt(sum / data.length);
}

/** What kind of file it is, by its first bytes where these tell, else by its name. */
async function kindOf(file: File): Promise<"onnx" | "graph" | "table" | "safetensors" | "npz" | "npy"> {
  const head = new Uint8Array(await file.slice(0, 16).arrayBuffer());
  if (head.length === 0) throw new Error(`${file.name} is empty`);
  if (/\.onnx$/i.test(file.name)) return "onnx";
  if (head[0] === 0x93 && head[1] === 0x4e) return "npy";
  if (head[0] === 0x50 && head[1] === 0x4b) return "npz";
  if (head.length > 8 && head[8] === 0x7b) return "safetensors";
  if (/\.graph$/i.test(file.name)) return "graph";
  if (/\.(csv|tsv|txt)$/i.test(file.name)) return "table";
  throw new Error(`${file.name} is no .onnx model, .graph, checkpoint, .safetensors, .npz, .npy or .csv file`);
}

function headerText(metadata: Readonly<Record<string, string>>): string {
  return Object.entries(metadata)
    .map(([name, text]) => {
      try {
        return `${name}: ${JSON.stringify(JSON.parse(text), null, 1)}`;
      } catch {
        return `${name}: ${text}`;
      }
    })
    .join("\n")
    .slice(0, 20_000);
}
