import { madeUp, type Parameter, placesOf, type Use, usesOf } from "./parameters.ts";
import type { NodeMessage } from "./schema.ts";

/** A weight that several nodes use: its gradient is the sum of theirs. */
export interface Tied {
  readonly parameter: string;
  readonly nodes: readonly NodeMessage[];
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
    .map((p) => ({ parameter: p.name, nodes: [...new Set(placesOf(p).flatMap((name) => usersOf(name, uses)))] }))
    .filter((tied) => tied.nodes.length > 1);
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
