import type { DType } from "../ir/dtype.ts";
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
  /** Why it does not, if so: "operand" (running statistics and the like), "name" (a mask, a table), "buffer" (of its module), "mask" (by its numbers), "single number" (made by the exporter). */
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
  /** Parameters that hold the same numbers and were tied before the export: training moves them apart. */
  readonly copies: readonly { readonly parameters: readonly [string, string]; readonly transposed: boolean }[];
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
  /** All of it in words. */
  text(): string;
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

/** `12,810`. */
function grouped(x: number): string {
  return String(x).replace(/\B(?=(\d{3})+$)/g, ",");
}

function plural(n: number, one: string, many: string = `${one}s`): string {
  return `${grouped(n)} ${n === 1 ? one : many}`;
}

function flopsText(x: number): string {
  return bytesText(x)
    .replace(/ B$/, "")
    .replace(/ k?([kMGT])B$/, " $1");
}

/** Columns of a table, the first of them flush left. */
function table(rows: readonly (readonly string[])[]): string[] {
  const widths = rows[0]!.map((_, j) => Math.max(...rows.map((row) => row[j]!.length)));
  return rows.map((row) => `  ${row.map((cell, j) => cell.padEnd(widths[j]!)).join("  ")}`.trimEnd());
}

/** Names in a line, the first of them if there are many. */
function some(names: readonly string[], most = 6): string {
  return names.length <= most ? names.join(", ") : `${names.slice(0, most).join(", ")} and ${names.length - most} more`;
}

const whyFixed = {
  operand: "no: statistics",
  name: "no: by its name",
  buffer: "no: a buffer",
  mask: "no: a mask",
  "single number": "no: one number",
} as const;

function ports(title: string, all: { readonly [name: string]: Port }): string[] {
  const entries = Object.entries(all);
  return [title, ...(entries.length === 0 ? ["  none"] : table(entries.map(([name, port]) => [name, portText(port)]))), ""];
}

function sizes(parameters: readonly ParameterFacts[]): number {
  return parameters.reduce((n, { shape }) => n + shape.reduce((a, b) => a * b, 1), 0);
}

function gradientLines(i: Inspection): string[] {
  if (i.unknown !== null) return [`  not known: ${i.unknown}`];
  const trained = i.parameters.filter((p) => p.trainable);
  const without = trained.filter((p) => p.gradient === false).map((p) => p.name);
  const unsure = trained.filter((p) => p.gradient === null).map((p) => p.name);
  const lines =
    trained.length === 0
      ? ["  there is nothing to train"]
      : [
          without.length === 0
            ? unsure.length === 0
              ? `  every trained parameter gets one`
              : `  every trained parameter gets one but those of a branch that data choose, which get theirs where it is taken: ${some(unsure, 12)}`
            : `  ${plural(without.length, "trained parameter")} of ${trained.length} ${without.length === 1 ? "gets" : "get"} none: ${some(without, 12)}`,
        ];
  for (const { node, operator, behind, blocks } of i.noGradient)
    lines.push(
      blocks.length > 0
        ? `  none passes through ${node} (${operator}), which blocks ${some(blocks)}`
        : `  none passes through ${node} (${operator}); the ${plural(behind, "parameter")} behind it ${behind === 1 ? "gets its" : "get theirs"} another way`,
    );
  return lines;
}

/** What `text` says. */
export function inspectionText(i: Inspection): string {
  const trained = i.parameters.filter((p) => p.trainable);
  const count = i.operators.reduce((n, o) => n + o.count, 0);
  const bytes = i.parameters.length === 0 ? 0 : (i.memory?.weights ?? null);
  const lines = [
    `ONNX model: ${[i.producer || "producer unknown", ...Object.entries(i.opsets).map(([domain, v]) => `${domain} ${v}`), `IR version ${i.irVersion}`].join(", ")}`,
    "",
    ...ports("Inputs", i.inputs),
    ...ports("Outputs", i.outputs),
    `Operators: ${plural(count, "node")}${i.deadNodes > 0 ? `, and ${plural(i.deadNodes, "node")} that no output needs` : ""}${i.functions.length > 0 ? `, with ${plural(i.functions.length, "function")} of the model's own` : ""}`,
    ...wrapped(i.operators.map((o) => `${o.operator} ${o.count}`)),
    "",
    `Parameters: ${plural(sizes(i.parameters), "number")} in ${plural(i.parameters.length, "tensor")}${bytes === null ? "" : `, ${bytesText(bytes)}`}; ${grouped(sizes(trained))} of them are trained`,
    ...(i.parameters.length === 0
      ? []
      : table([
          ["name", "type", "trained", "gradient"],
          ...i.parameters.map((p) => [
            p.name === p.initializer ? p.name : `${p.name} (${p.initializer})`,
            `${p.dtype}[${p.shape.join(",")}]`,
            p.fixedBy === null ? "yes" : whyFixed[p.fixedBy],
            p.gradient === null ? "?" : p.gradient ? "yes" : "none",
          ]),
        ])),
    ...(i.constants.count > 0
      ? [`  and ${plural(i.constants.count, "constant")}, ${bytesText(i.constants.bytes)}: whole numbers, bounds, scales`]
      : []),
    "",
  ];
  if (i.unsupported.length > 0) {
    lines.push("Not supported");
    for (const { advice, blocks } of i.unsupported) lines.push(`  ${advice}`, ...(blocks.length > 0 ? [`    blocks ${some(blocks)}`] : []));
    lines.push("");
  }
  lines.push("Gradients", ...gradientLines(i), "");
  if (i.folded.length > 0)
    lines.push(
      "Folded batch normalisations",
      `  ${plural(i.folded.length, i.folded.some((f) => f.operator === "Gemm") ? "layer" : "convolution")} with a batch normalisation in ${i.folded.length === 1 ? "its" : "their"} weight and bias, which are trained as they are: ${some(i.folded.map((f) => f.node))}`,
      "",
    );
  if (i.tied.length > 0)
    lines.push("Tied weights", ...i.tied.map((t) => `  ${t.parameter} is used by ${plural(t.nodes.length, "node")}: ${some(t.nodes)}`), "");
  if (i.copies.length > 0)
    lines.push(
      "Copies",
      ...i.copies.map(
        ({ parameters: [a, b], transposed }) =>
          `  ${b} is ${a}${transposed ? " transposed" : ""}, written twice: they were tied, and training moves them apart`,
      ),
      "",
    );
  if (i.dataDependent.length > 0) {
    const counts = new Map<string, number>();
    for (const { operator } of i.host) counts.set(operator, (counts.get(operator) ?? 0) + 1);
    lines.push(
      "Split by data",
      ...i.dataDependent.map(({ node, operator, needs, inputs, weights, bound }) => {
        const from = [
          ...(inputs.length > 0 ? [`the data of ${some(inputs)}`] : []),
          ...(weights.length > 0 ? [`the weights ${some(weights)}`] : []),
        ];
        const how = bound === "places" ? "bound as a tensor of places" : "bound as numbers of shapes, a program for each choice of them";
        return `  ${node} (${operator}) needs ${needs}${from.length > 0 ? `, from ${from.join(" and ")}` : ""}: ${how}`;
      }),
      `  model.bind(inputs) computes ${plural(i.host.length, "node")} of ${grouped(count)} on the host for it; model.apply(params, inputs, bound) is the rest, one graph:`,
      ...wrapped([...counts].map(([operator, n]) => `${operator} ${n}`)).map((line) => `  ${line}`),
      "",
    );
  }
  if (i.memory !== null) {
    const { dims, weights, gradients, forward, backward, kept, flops } = i.memory;
    const at = Object.entries(dims).map(([name, size]) => `${name} = ${size}`);
    lines.push(
      `Memory${at.length > 0 ? ` with ${at.join(", ")}` : ""}`,
      ...table([
        ["weights", bytesText(weights), "their gradients", bytesText(gradients), "Adam's averages", bytesText(2 * gradients)],
        ["forward pass", bytesText(forward), "with backward pass", bytesText(backward), "kept for it", bytesText(kept)],
        ["operations", flopsText(flops.forward), "with backward pass", flopsText(flops.both), "", ""],
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
