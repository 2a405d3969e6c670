import type { DType } from "../ir/dtype.ts";
import { type InspectionLanguage, type InspectionWords, inspectionWords } from "./inspection-words.ts";
import type { Port } from "./model.ts";
import type { FixedBy } from "./parameters.ts";

/** A node, by its name in the file and its operator. */
export interface NodeFacts {
  readonly node: string;
  readonly operator: string;
}

/** A floating-point weight of a model. */
export interface ParameterFacts {
  readonly name: string;
  /** The name that the file has for it. */
  readonly initializer: string;
  readonly dtype: DType;
  readonly shape: readonly number[];
  /** Whether training changes it unless told otherwise. */
  readonly trainable: boolean;
  /** Why it does not, if so: "operand" (running statistics and the like), "name" (a mask, a table), "buffer" (of its module), "constant" (of the program), "mask", "angles" (by its numbers), "single number" (made by the exporter). */
  readonly fixedBy: FixedBy | null;
  /** Whether a gradient of the outputs arrives at it; null where that could not be found out. */
  readonly gradient: boolean | null;
}

/** Bytes that a step takes. */
export interface MemoryFacts {
  /** The sizes it was reckoned for. */
  readonly dims: { readonly [name: string]: number };
  readonly weights: number;
  /** One gradient for each trainable weight. */
  readonly gradients: number;
  /** The most that a forward pass holds at a time beside the weights, when each result is dropped after its last use. */
  readonly forward: number;
  /** Results of the forward pass that the backward pass reads. */
  readonly kept: number;
  /** The most that a forward and a backward pass hold at a time beside the weights, gradients included. */
  readonly backward: number;
  /** Floating-point operations of a forward, and of a forward and backward pass, by estimate. */
  readonly flops: { readonly forward: number; readonly both: number };
}

/** What is in a model file, as far as training is concerned: what `inspect` of `onnx` gives. */
export interface Inspection {
  readonly producer: string;
  readonly irVersion: number;
  /** The version of each set of operators; that of ai.onnx is called so. */
  readonly opsets: { readonly [domain: string]: number };
  readonly inputs: { readonly [name: string]: Port };
  readonly outputs: { readonly [name: string]: Port };
  readonly parameters: readonly ParameterFacts[];
  /** Weights that are no parameters: whole numbers, bounds and scales. */
  readonly constants: { readonly count: number; readonly bytes: number };
  /** The operators of the nodes that the outputs need, most frequent first. */
  readonly operators: readonly { readonly operator: string; readonly count: number }[];
  /** Nodes that no output needs. */
  readonly deadNodes: number;
  /** Functions that the model brings along. */
  readonly functions: readonly string[];
  /** Nodes whose operator is not supported, what to do about it, and the parameters that lie behind them. */
  readonly unsupported: readonly (NodeFacts & { readonly advice: string; readonly blocks: readonly string[] })[];
  /** Nodes through which no gradient passes: how many parameters lie behind each, and those of them that get none by any other way. */
  readonly noGradient: readonly (NodeFacts & { readonly behind: number; readonly blocks: readonly string[] })[];
  /** Convolutions and products into which the exporter folded a batch normalisation. */
  readonly folded: readonly NodeFacts[];
  /** Parameters that several nodes use. */
  readonly tied: readonly { readonly parameter: string; readonly nodes: readonly string[] }[];
  /**
   * Weights that the file has twice, with the same numbers: those that are `tied` are read as one, called as the first of them, and written to both places; training moves the others apart.
   */
  readonly copies: readonly { readonly parameters: readonly [string, string]; readonly transposed: boolean; readonly tied: boolean }[];
  /**
   * Nodes that need data where others need shapes, and so split the model: what they need, the inputs and weights it comes from, and how it is bound: "places",
   * a tensor that the rest takes, or "shape", numbers in the rest's shapes, which is another program for each choice of them.
   */
  readonly dataDependent: readonly (NodeFacts & {
    readonly needs: string;
    readonly inputs: readonly string[];
    readonly weights: readonly string[];
    readonly bound: "places" | "shape";
  })[];
  /** The nodes that `bind` computes on the host for them. */
  readonly host: readonly NodeFacts[];
  /** Null where the model could not be applied; `unknown` then says why. */
  readonly memory: MemoryFacts | null;
  /** Why gradients and memory are not known, or null. */
  readonly unknown: string | null;
  /** All of it in words, English unless said; reasons that errors gave are English. */
  text(language?: InspectionLanguage): string;
  /** All of it as plain data. */
  toJSON(): object;
}

/** `f32[batch,64]`. */
export function portText({ dtype, shape }: Port): string {
  return `${dtype}[${(shape ?? ["..."]).map((s) => s ?? "?").join(",")}]`;
}

/** `51.2 kB`. */
export function bytesText(bytes: number): string {
  const units = ["B", "kB", "MB", "GB", "TB"];
  let k = 0;
  let x = bytes;
  while (x >= 999.5 && k < units.length - 1) {
    x /= 1000;
    k++;
  }
  return `${k === 0 ? x : Number(x.toPrecision(3))} ${units[k]}`;
}

function flopsText(x: number): string {
  return bytesText(x)
    .replace(/ B$/, "")
    .replace(/ k?([kMGT])B$/, " $1");
}

/** How many columns of a terminal a text takes: Korean letters are two wide. */
function widthOf(text: string): number {
  return text.length + (text.match(/[\u1100-\u11ff\u3130-\u318f\uac00-\ud7a3]/g)?.length ?? 0);
}

/** Columns of a table, the first of them flush left. */
function table(rows: readonly (readonly string[])[]): string[] {
  const widths = rows[0]!.map((_, j) => Math.max(...rows.map((row) => widthOf(row[j]!))));
  return rows.map((row) => `  ${row.map((cell, j) => cell + " ".repeat(widths[j]! - widthOf(cell))).join("  ")}`.trimEnd());
}

function ports(title: string, all: { readonly [name: string]: Port }, w: InspectionWords): string[] {
  const entries = Object.entries(all);
  return [title, ...(entries.length === 0 ? [`  ${w.none}`] : table(entries.map(([name, port]) => [name, portText(port)]))), ""];
}

function sizes(parameters: readonly ParameterFacts[]): number {
  return parameters.reduce((n, { shape }) => n + shape.reduce((a, b) => a * b, 1), 0);
}

/** Names in a line, the first of them if there are many. */
function some(names: readonly string[], w: InspectionWords, most = 6): string {
  return names.length <= most ? names.join(", ") : w.more(names.slice(0, most).join(", "), names.length - most);
}

function gradientLines(i: Inspection, w: InspectionWords): string[] {
  if (i.unknown !== null) return [w.unknown(i.unknown, i.unsupported.length > 0)];
  const trained = i.parameters.filter((p) => p.trainable);
  const without = trained.filter((p) => p.gradient === false).map((p) => p.name);
  const unsure = trained.filter((p) => p.gradient === null).map((p) => p.name);
  const first =
    trained.length === 0
      ? w.nothingToTrain
      : without.length > 0
        ? w.unreached(without.length, trained.length, some(without, w, 12))
        : unsure.length > 0
          ? w.branches(some(unsure, w, 12))
          : w.allReached;
  return [
    first,
    ...i.noGradient.map(({ node, operator, behind, blocks }) =>
      blocks.length > 0 ? w.stops(`${node} (${operator})`, some(blocks, w)) : w.passedOver(`${node} (${operator})`, behind),
    ),
  ];
}

/** What `text` says. */
export function inspectionText(i: Inspection, language: InspectionLanguage = "en"): string {
  const w = inspectionWords[language];
  const trained = i.parameters.filter((p) => p.trainable);
  const count = i.operators.reduce((n, o) => n + o.count, 0);
  const bytes = i.parameters.length === 0 ? 0 : (i.memory?.weights ?? null);
  const opsets = Object.entries(i.opsets).map(([domain, v]) => `${domain} ${v}`);
  const part = (title: string, lines: readonly string[]): string[] =>
    lines.length === 0 ? [] : [title, ...lines.map((line) => `  ${line}`), ""];
  const lines = [
    `${w.model}: ${[i.producer || w.producerUnknown, ...opsets, w.irVersion(i.irVersion)].join(", ")}`,
    "",
    ...ports(w.inputs, i.inputs, w),
    ...ports(w.outputs, i.outputs, w),
    w.operators(count, i.deadNodes, i.functions.length),
    ...wrapped(i.operators.map((o) => `${o.operator} ${o.count}`)),
    "",
    w.parameters(sizes(i.parameters), i.parameters.length, bytes === null ? null : bytesText(bytes), sizes(trained)),
    ...(i.parameters.length === 0
      ? []
      : table([
          w.columns,
          ...i.parameters.map((p) => [
            p.name === p.initializer ? p.name : `${p.name} (${p.initializer})`,
            `${p.dtype}[${p.shape.join(",")}]`,
            p.fixedBy === null ? w.trained : w.fixed[p.fixedBy],
            p.gradient === null ? "?" : p.gradient ? w.arrives : w.arrivesNot,
          ]),
        ])),
    ...(i.constants.count > 0 ? [`  ${w.constants(i.constants.count, bytesText(i.constants.bytes))}`] : []),
    "",
    ...part(
      w.unsupported,
      i.unsupported.flatMap(({ advice, blocks }) => [advice, ...(blocks.length > 0 ? [`  ${w.blocks(some(blocks, w))}`] : [])]),
    ),
    ...part(w.gradients, gradientLines(i, w)),
  ];
  if (i.folded.length > 0) {
    const names = some(
      i.folded.map((f) => f.node),
      w,
    );
    const products = i.folded.some((f) => f.operator === "Gemm");
    lines.push(...part(w.folded, [w.foldedLayers(i.folded.length, products, names)]));
  }
  lines.push(
    ...part(
      w.tied,
      i.tied.map((t) => w.tiedBy(t.parameter, t.nodes.length, some(t.nodes, w))),
    ),
    ...part(
      w.copies,
      i.copies.map(({ parameters: [first, copy], transposed, tied }) => w.copyOf(copy, first, transposed, tied)),
    ),
  );
  if (i.dataDependent.length > 0) {
    const counts = new Map<string, number>();
    for (const { operator } of i.host) counts.set(operator, (counts.get(operator) ?? 0) + 1);
    const asks = i.dataDependent.map(({ node, operator, needs, inputs, weights, bound }) =>
      w.needs(`${node} (${operator})`, needs, some(inputs, w), some(weights, w), bound === "places"),
    );
    lines.push(
      ...part(w.split, [...asks, w.host(i.host.length, count), ...wrapped([...counts].map(([operator, n]) => `${operator} ${n}`))]),
    );
  }
  if (i.memory !== null) {
    const { dims, weights, gradients, forward, backward, kept, flops } = i.memory;
    const at = Object.entries(dims).map(([name, size]) => `${name} = ${size}`);
    const { costs } = w;
    lines.push(
      w.memory(at.join(", ")),
      ...table([
        [costs.weights, bytesText(weights), costs.gradients, bytesText(gradients), costs.averages, bytesText(2 * gradients)],
        [costs.forward, bytesText(forward), costs.both, bytesText(backward), costs.kept, bytesText(kept)],
        [costs.operations, flopsText(flops.forward), costs.both, flopsText(flops.both), "", ""],
      ]),
      "",
    );
  }
  return `${lines.slice(0, -1).join("\n")}\n`;
}

/** Words in lines of up to about 100 characters. */
function wrapped(words: readonly string[]): string[] {
  const lines: string[] = [];
  let line = "";
  for (const word of words) {
    if (line !== "" && line.length + word.length + 2 > 100) {
      lines.push(`  ${line},`);
      line = "";
    }
    line += `${line === "" ? "" : ", "}${word}`;
  }
  return line === "" ? lines : [...lines, `  ${line}`];
}
