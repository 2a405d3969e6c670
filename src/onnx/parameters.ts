import { isFloat } from "../ir/dtype.ts";
import { sizeOf } from "../ir/shape.ts";
import type { Tensor } from "../ir/tensor.ts";
import type { NodeMessage } from "./schema.ts";

/** A weight of a model: the name users know it by, the name the file has for it, and whether training would change it unless told otherwise. */
export interface Parameter {
  readonly name: string;
  readonly initializer: string;
  readonly value: Tensor;
  readonly trainable: boolean;
  /** Why it is not: an operand that other rules move, a name that says so, or a single number that the exporter made. */
  readonly fixedBy: "operand" | "name" | "single number" | null;
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
  /(running_(mean|var)|num_batches_tracked|position_ids|attn_mask|attention_mask|causal_mask|\bmask$|inv_freq|(cos|sin)_cached?)$/i;
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

/**
 * A name for a weight whose own one was made up: the path of the node that uses it (`/encoder/layers.0/linear1/MatMul` gives
 * `encoder.layers.0.linear1.weight`), or that of the bias which is added to the node's result.
 */
function pathName(name: string, uses: ReadonlyMap<string, readonly Use[]>, known: ReadonlySet<string>): string {
  const use = uses.get(name)?.[0];
  if (use === undefined) return name;
  const role = roles[use.node.op_type ?? ""]?.[use.at] || "weight";
  const next = uses.get(use.node.output?.[0] ?? "")?.[0]?.node;
  const bias =
    next?.op_type === "Add" ? next.input?.find((other) => known.has(other) && other.endsWith(".bias") && !madeUp.test(other)) : undefined;
  if (bias !== undefined && role === "weight") return `${bias.slice(0, -".bias".length)}.weight`;
  const path = (use.node.name ?? "").split("/").filter((part) => part !== "");
  if (!(use.node.name ?? "").includes("/") || path.length < 2) return name;
  // Exporters repeat a prefix: `/net/net.0/Gemm` is net.0.
  const parts = path.slice(0, -1).filter((part, i, all) => !(all[i + 1] ?? "").startsWith(`${part}.`));
  return `${parts.join(".")}.${role}`;
}

/**
 * The weights among the initialisers: those that are floating-point and used as more than a setting. By default all of them are trained but running
 * statistics, masks, tables of angles and single numbers that the exporter made of constants.
 */
export function parametersOf(initializers: ReadonlyMap<string, Tensor>, nodes: readonly NodeMessage[]): Parameter[] {
  const uses = usesOf(nodes);
  const known = new Set(initializers.keys());
  const taken = new Set<string>(known);
  const found: Parameter[] = [];
  for (const [initializer, value] of initializers) {
    const list = uses.get(initializer) ?? [];
    if (!isFloat(value.type.dtype) || list.length === 0) continue;
    if (list.every(({ node, at }) => settings[node.op_type ?? ""]?.includes(at) === true)) continue;
    let name = initializer;
    if (madeUp.test(initializer)) {
      const better = pathName(initializer, uses, known);
      if (!taken.has(better)) name = better;
      taken.add(name);
    }
    const single = sizeOf(value.type.shape) === 1 && madeUp.test(initializer);
    const fixedBy = list.every(({ node, at }) => fixedOperands[node.op_type ?? ""]?.includes(at) === true)
      ? "operand"
      : fixedNames.test(initializer)
        ? "name"
        : single
          ? "single number"
          : null;
    found.push({ name, initializer, value, trainable: fixedBy === null, fixedBy });
  }
  return found;
}
