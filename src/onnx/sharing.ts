import { sizeOf } from "../ir/shape.ts";
import type { Tensor } from "../ir/tensor.ts";
import { madeUp, type Parameter, type Use, usesOf } from "./parameters.ts";
import type { NodeMessage } from "./schema.ts";

/** A weight that several nodes use: its gradient is the sum of theirs. */
export interface Tied {
  readonly parameter: string;
  readonly nodes: readonly NodeMessage[];
}

/** Two weights with the same numbers, which were one before the exporter made two of them. */
export interface Copies {
  readonly parameters: readonly [string, string];
  readonly transposed: boolean;
}

/** The nodes that use a name, also behind `Identity` and `Transpose`, which make no numbers. */
function usersOf(name: string, uses: ReadonlyMap<string, readonly Use[]>): NodeMessage[] {
  const found = new Set<NodeMessage>();
  const open = [name];
  for (const next of open)
    for (const { node } of uses.get(next) ?? [])
      if (node.op_type === "Identity" || node.op_type === "Transpose") open.push(node.output?.[0] ?? "");
      else found.add(node);
  return [...found];
}

/** The trainable weights that more than one node uses. */
export function tiedIn(parameters: readonly Parameter[], nodes: readonly NodeMessage[]): Tied[] {
  const uses = usesOf(nodes);
  return parameters
    .filter((p) => p.trainable)
    .map(({ name, initializer }) => ({ parameter: name, nodes: usersOf(initializer, uses) }))
    .filter((tied) => tied.nodes.length > 1);
}

function isCopy(a: Tensor, b: Tensor, transposed: boolean): boolean {
  const [rows = 1, columns = 1] = a.type.shape;
  for (let i = 0; i < a.data.length; i++)
    if (a.data[i] !== b.data[transposed ? (i % columns) * rows + Math.floor(i / columns) : i]) return false;
  return true;
}

/** Fewer numbers agree by chance, or because they are all 0 or 1. */
const leastNumbers = 16;

/** The trainable matrices that are copies of each other, as they stand or transposed: weights that were tied before the export. */
export function copiesIn(parameters: readonly Parameter[]): Copies[] {
  const found: Copies[] = [];
  const bySize = new Map<string, Parameter[]>();
  for (const p of parameters) {
    const { shape } = p.value.type;
    const { data } = p.value;
    if (!p.trainable || shape.length !== 2 || sizeOf(shape) < leastNumbers || data.every((x) => x === data[0])) continue;
    const key = [...shape].sort((a, b) => a - b).join();
    const list = bySize.get(key) ?? [];
    bySize.set(key, list);
    for (const other of list) {
      const [m, n] = other.value.type.shape as [number, number];
      const same = shape[0] === m && shape[1] === n && isCopy(other.value, p.value, false);
      const turned = !same && shape[0] === n && shape[1] === m && isCopy(other.value, p.value, true);
      if (same || turned) found.push({ parameters: [other.name, p.name], transposed: turned });
    }
    list.push(p);
  }
  return found;
}

/**
 * The convolutions and products into which an exporter folded a batch normalisation. PyTorch's older exporter renames weight and bias of a convolution when it does so, and
 * keeps the names of weights that it leaves alone; the newer one (onnxscript's rule _fuse_batchnorm) keeps the weight's name, and calls a bias that was not there
 * after it, `conv1.weight_bias`. Of a layer that had a bias it keeps both names: there nothing tells.
 */
export function foldedIn(nodes: readonly NodeMessage[], initializers: ReadonlySet<string>): NodeMessage[] {
  return nodes.filter(({ op_type, input = [] }) => {
    const [, weight = "", bias = ""] = input;
    if (!/^(Conv|ConvTranspose|Gemm)$/.test(op_type ?? "") || !initializers.has(weight) || !initializers.has(bias)) return false;
    return bias === `${weight}_bias` || (op_type !== "Gemm" && madeUp.test(weight) && madeUp.test(bias));
  });
}
