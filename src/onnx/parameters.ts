import { isFloat } from "../ir/dtype.ts";
import { sizeOf } from "../ir/shape.ts";
import type { Tensor } from "../ir/tensor.ts";
import type { GraphMessage, NodeMessage } from "./schema.ts";
import { listedNames, modulesOf } from "./walk.ts";

/** Why a weight is not trained unless told otherwise. */
export type FixedBy = "operand" | "name" | "buffer" | "constant" | "mask" | "angles" | "single number";

/** A weight of a model: the name users know it by, the name the file has for it, and whether training would change it unless told otherwise. */
export interface Parameter {
  readonly name: string;
  readonly initializer: string;
  readonly value: Tensor;
  readonly trainable: boolean;
  /** Why it is not: an operand that other rules move, a name that says so, a buffer of the module, a constant of the program, a mask, a table of angles, or a single number that the exporter made. */
  readonly fixedBy: FixedBy | null;
  /** The weight of the module that its numbers are, all or some of them, where the exporter tells. */
  readonly origin: string | null;
  /** Where the file has it again: these are read as this weight, and written with it. */
  readonly copies: readonly Copy[];
}

/** A second place of a weight in its file. */
export interface Copy {
  /** What the weight would be called if it were one of its own. */
  readonly name: string;
  readonly initializer: string;
  readonly transposed: boolean;
}

/** The names that the file has for a weight. */
export function placesOf({ initializer, copies }: Parameter): string[] {
  return [initializer, ...copies.map((c) => c.initializer)];
}

/** What a table has for the operator of a node; files call operators of their own what they like, `constructor` too. */
function rowFor<T>(table: Readonly<Record<string, T>>, { op_type = "" }: NodeMessage): T | undefined {
  return Object.hasOwn(table, op_type) ? table[op_type] : undefined;
}

/** Operands that are settings rather than weights, by operator: bounds, scales, ratios. */
const settings: Readonly<Record<string, readonly number[]>> = {
  Clip: [1, 2],
  Resize: [1, 2],
  Upsample: [1],
  Pad: [2],
  Dropout: [1],
  Range: [0, 1, 2],
  OneHot: [2],
  QuantizeLinear: [1],
  DequantizeLinear: [1],
};

/** Operands that are weights, but are moved by other rules than gradients: running statistics, tables of angles. */
const fixedOperands: Readonly<Record<string, readonly number[]>> = { BatchNormalization: [3, 4], RotaryEmbedding: [1, 2], Attention: [3] };

const fixedNames =
  /(running_(mean|var)|num_batches_tracked|position_ids|attn_mask|attention_mask|causal_mask|\bmask$|inv_freq|relative_coords_table|final_logits_bias|(cos|sin)_cached?)$|^(cos|sin)(_\d+)?$/i;
/** Names that exporters make up. */
export const madeUp: RegExp = /^(onnx::|val_\d|_val_\d|\d+$|\/|Constant_|_inlined|const_|ortshared)/;

/** A use of a name: the node, and the place among its operands. */
export interface Use {
  readonly node: NodeMessage;
  readonly at: number;
}

/** Who uses each name, graphs inside nodes included. */
export function usesOf(nodes: readonly NodeMessage[]): Map<string, Use[]> {
  const uses = new Map<string, Use[]>();
  // Graphs inside nodes use weights from around them too.
  const open = [...nodes];
  for (const node of open) {
    (node.input ?? []).forEach((name, at) => {
      const list = uses.get(name);
      if (list === undefined) uses.set(name, [{ node, at }]);
      else list.push({ node, at });
    });
    for (const { g } of node.attribute ?? []) if (g !== undefined) open.push(...(g.node ?? []));
  }
  return uses;
}

const roles: Readonly<Record<string, readonly string[]>> = {
  MatMul: ["weight", "weight"],
  Gemm: ["weight", "weight", "bias"],
  Conv: ["", "weight", "bias"],
  ConvTranspose: ["", "weight", "bias"],
  Add: ["bias", "bias"],
  LayerNormalization: ["", "weight", "bias"],
  BatchNormalization: ["", "weight", "bias", "running_mean", "running_var"],
  LSTM: ["", "W", "R", "B", "", "initial_h", "initial_c", "P"],
  GRU: ["", "W", "R", "B", "", "initial_h"],
  RNN: ["", "W", "R", "B", "", "initial_h"],
  Gather: ["weight"],
  PRelu: ["", "weight"],
};

/** What a single number does where it stands; an exponent is that of a scale, as CLIP and SigLIP have one. */
const singleRoles: Readonly<Record<string, readonly string[]>> = {
  Mul: ["scale", "scale"],
  Div: ["scale", "scale"],
  Exp: ["scale"],
  Add: ["bias", "bias"],
  Sub: ["bias", "bias"],
};

/**
 * A name for a weight whose own one was made up: the path of the node that uses it (`/encoder/layers.0/linear1/MatMul` gives
 * `encoder.layers.0.linear1.weight`), or that of the bias which is added to the node's result.
 */
function pathName(name: string, uses: ReadonlyMap<string, readonly Use[]>, known: ReadonlySet<string>, single = false): string {
  const use = uses.get(name)?.[0];
  if (use === undefined) return name;
  const role = (single && rowFor(singleRoles, use.node)?.[use.at]) || rowFor(roles, use.node)?.[use.at] || "weight";
  const next = uses.get(use.node.output?.[0] ?? "")?.[0]?.node;
  const bias =
    next?.op_type === "Add" ? next.input?.find((other) => known.has(other) && other.endsWith(".bias") && !madeUp.test(other)) : undefined;
  if (bias !== undefined && role === "weight") return `${bias.slice(0, -".bias".length)}.weight`;
  const path = modulesOf(use.node) ?? [];
  if (path.length === 0) return name;
  // Exporters repeat a prefix: `/net/net.0/Gemm` is net.0.
  const parts = path.filter((part, i, all) => !(all[i + 1] ?? "").startsWith(`${part}.`));
  return `${parts.join(".")}.${role}`;
}

/** Names that PyTorch gives to what moves numbers and does not change them. */
const movers =
  /^(val|slice|select|embedding|index|transpose|permute|t|unsqueeze|squeeze|view|reshape|expand|clone|contiguous|detach|alias|_to_copy|getitem|split|view_as_complex)(_copy)?(_\d+)?$/;

/** The weight whose numbers, all or some of them, the exporter moved into this initialiser; none where it computed others of them, whose name would tell something false. */
function originOf(
  initializer: string,
  from: readonly string[],
  [origin, ...more]: readonly string[],
  elsewhere: (name: string) => boolean,
): string | undefined {
  if (origin === undefined || more.length > 0 || elsewhere(origin)) return undefined;
  const moved = movers.test(initializer) && from.every((name) => name === origin || movers.test(name) || elsewhere(name));
  // Rows of a table are its numbers, however their places were computed.
  return moved || /^embedding(_\d+)?$/.test(initializer) ? origin : undefined;
}

/** Whether it is the 1 or 0 that an exporter gives a normalisation which has no scale or bias of its own. */
function isPlain(value: Tensor, uses: readonly Use[]): boolean {
  return uses.every(
    ({ node, at }) =>
      /^(Instance|Group|Layer|RMS)Normalization$/.test(node.op_type ?? "") &&
      (at === 1 || at === 2) &&
      value.data.every((x) => x === 2 - at),
  );
}

/** Whether it holds what keeps a softmax from seeing an element; the first elements tell, as a mask has them in its first row. */
function isMask({ data }: Tensor): boolean {
  return data.subarray(0, 2 ** 12).some((x) => x <= -1e30);
}

/**
 * Whether it is a table of positions by sines and cosines (Marian's, Whisper's): in each row two halves, or neighbours, whose squares make 1. Rows of zeros stand for padding.
 */
function isAngles({ type: { shape }, data }: Tensor): boolean {
  const width = shape.at(-1) ?? 0;
  const rows = Math.min(64, shape.at(-2) ?? 0);
  if (shape.length < 2 || width < 4 || width % 2 !== 0 || rows < 4 || sizeOf(shape) !== shape.at(-2)! * width) return false;
  const half = width / 2;
  const turned = (row: number, apart: number, step: number): boolean => {
    for (let i = 0; i < half; i++) {
      const [sine, cosine] = [data[row * width + i * step]!, data[row * width + i * step + apart]!];
      if (!(Math.abs(sine * sine + cosine * cosine - 1) < 1e-2)) return false;
    }
    return true;
  };
  let seen = 0;
  for (let row = 0; row < rows; row++) {
    if (data.subarray(row * width, (row + 1) * width).every((x) => x === 0)) continue;
    if (!turned(row, half, 1) && !turned(row, 1, 2)) return false;
    seen++;
  }
  return seen > 2;
}

/** What PyTorch's newer exporter tells of the initialisers. */
export interface Told {
  readonly parameters: ReadonlySet<string>;
  readonly buffers: ReadonlySet<string>;
  readonly constants: ReadonlySet<string>;
  /** What an initialiser that the exporter computed was computed from: all names on the way. */
  readonly folded: ReadonlyMap<string, readonly string[]>;
}

/**
 * What PyTorch's newer exporter tells: a signature with a line for each tensor, `b_positions: BUFFER target='positions' persistent=True`, and beside the type of each
 * initialiser that it computed a list of names, `['arange', 'l.weight', 'val_3']`.
 */
export function toldOf({ metadata_props = [], value_info = [] }: GraphMessage): Told {
  const find = (props: readonly { readonly key?: string; readonly value?: string }[], key: string): string | undefined =>
    props.find((p) => p.key === key)?.value;
  const signature = find(metadata_props, "pkg.torch.export.ExportedProgram.graph_signature") ?? "";
  const targets = (kind: string): Set<string> =>
    new Set([...signature.matchAll(/: ([A-Z_]+) target='([^']*)'/g)].flatMap(([, found, name]) => (found === kind ? [name!] : [])));
  const folded = new Map<string, readonly string[]>();
  if (signature !== "")
    for (const { name = "", metadata_props: own = [] } of value_info) {
      const from = find(own, "pkg.onnxscript.optimizer.folded_from");
      if (from !== undefined) folded.set(name, listedNames(from));
    }
  return { parameters: targets("PARAMETER"), buffers: targets("BUFFER"), constants: targets("CONSTANT_TENSOR"), folded };
}

/**
 * The weights among the initialisers: those that are floating-point and used as more than a setting. By default all of them are trained but running
 * statistics, buffers, masks, tables of angles and what the exporter made of constants.
 * @param unread which of them have their numbers in the file still
 */
export function parametersOf(
  initializers: ReadonlyMap<string, Tensor>,
  nodes: readonly NodeMessage[],
  told: Told,
  unread: (name: string) => boolean,
): Parameter[] {
  const uses = usesOf(nodes);
  const known = new Set(initializers.keys());
  const taken = new Set<string>(known);
  // A module may have several: the layers of an LSTM, a weight that was written twice.
  const free = (better: string, own: string): string => {
    let name = better;
    for (let k = 2; name !== own && taken.has(name); k++) name = `${better}.${k}`;
    taken.add(name);
    return name;
  };
  const found: Parameter[] = [];
  const own = (names: Iterable<string>): string[] => [...names].filter((name) => told.parameters.has(name));
  // Whoever renamed the weights since knows more than the signature.
  const trusted = own(known).length > 0 || [...told.folded.values()].some((names) => own(names).length > 0);
  for (const [initializer, value] of initializers) {
    const list = uses.get(initializer) ?? [];
    if (!isFloat(value.type.dtype) || list.length === 0) continue;
    if (list.every(({ node, at }) => rowFor(settings, node)?.includes(at) === true)) continue;
    const from = trusted ? told.folded.get(initializer) : undefined;
    const origins = own(from ?? []);
    const unnamed = madeUp.test(initializer) || from !== undefined;
    // What an exporter made of a constant: no weight of a module, and so without a name of one.
    const single = unnamed && origins.length === 0 && (sizeOf(value.type.shape) === 1 || (!unread(initializer) && isPlain(value, list)));
    let name = initializer;
    if (unnamed && !single) {
      name = free(
        originOf(initializer, from ?? [], origins, (name) => known.has(name) || told.buffers.has(name)) ??
          pathName(initializer, uses, known, sizeOf(value.type.shape) === 1),
        initializer,
      );
    }
    const fixedBy = list.every(({ node, at }) => rowFor(fixedOperands, node)?.includes(at) === true)
      ? "operand"
      : fixedNames.test(initializer)
        ? "name"
        : told.buffers.has(initializer) || (from !== undefined && origins.length === 0 && from.some((f) => told.buffers.has(f)))
          ? "buffer"
          : single
            ? "single number"
            : told.constants.has(initializer) || (from !== undefined && origins.length === 0)
              ? "constant"
              : !unread(initializer) && isMask(value)
                ? "mask"
                : !unread(initializer) && isAngles(value)
                  ? "angles"
                  : null;
    const origin = told.parameters.has(initializer) ? initializer : origins.length === 1 ? origins[0]! : null;
    found.push({ name, initializer, value, trainable: fixedBy === null, fixedBy, origin, copies: [] });
  }
  // Single numbers come last: what is a weight beyond doubt has the first choice of names. One that does something else than to scale or to move keeps its own.
  return found.map((p) => {
    const use = uses.get(p.initializer)?.[0];
    const does = use !== undefined && rowFor(singleRoles, use.node)?.[use.at] !== undefined;
    if (p.fixedBy !== "single number" || sizeOf(p.value.type.shape) !== 1 || !does) return p;
    return { ...p, name: free(pathName(p.initializer, uses, known, true), p.initializer) };
  });
}
