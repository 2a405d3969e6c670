import { EngineError } from "../../ir/errors.ts";
import { type Node, type Value, valuesOf } from "../../ir/node.ts";
import { sizeOf } from "../../ir/shape.ts";
import { typeText } from "../../ir/type.ts";
import type { OwnRows } from "../../onnx/emitter.ts";
import { inSingles } from "../../onnx/singles.ts";
import { writeEdges } from "../../onnx/write-graph.ts";
import { rewritten } from "../wasm/lower.ts";
import { type Blocks, blocked } from "./blocked.ts";
import { fewerPasses } from "./fewer-passes.ts";
import { outside, outsideInSingles } from "./ort.ts";
import { ownRows } from "./own-rows.ts";

/** A graph as ONNX Runtime takes it. */
export interface Exported {
  readonly bytes: Uint8Array;
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  /** What each node of the file was written for, in words: errors of ONNX Runtime name its nodes. */
  readonly origins: ReadonlyMap<string, Origin>;
  /** Whether f64 is f32 there. */
  readonly singles: boolean;
}

const noBlocks: Blocks = { channels: 0, places: 0 };

/** What becomes of f64: it stays, it is computed in f32, or only where it is single numbers, as the rate of an optimiser is. */
export type Doubles = "f64" | "f32" | "scalars";

interface Origin {
  readonly op: string;
  readonly text: string;
}

function originOf(node: Node): Origin {
  const scope = node.where?.scope ?? "";
  const result = typeText(valuesOf(node)[0]?.type ?? node.type);
  const operands = node.operands.flatMap((v) => (v === null ? [] : [typeText(v.type)])).join(", ");
  return { op: node.op.name, text: `${node.op.name}(${operands}), ${result}${scope === "" ? "" : `, in ${scope}`}` };
}

/** What ONNX Runtime does not see by itself: that a sum of products is one product, and so is a product with a matrix that all examples share. */
const products = ["customGradient", "matmul", "sum"];

/**
 * @throws EngineError for what f32 in the place of f64 would make wrong, and, where only single numbers are f64, for tensors that are
 */
function checkSingles(nodes: Iterable<Node>, edges: readonly Value[], doubles: Doubles): void {
  const large = (v: Value): boolean => v.type.dtype === "f64" && sizeOf(v.type.shape) > 1;
  const refuse = (who: string): never => {
    throw new EngineError(
      `onnxruntime: ${who}, and WebGPU has no f64; cast it to f32, or let all of the graph be computed in f32: onnxruntime(ort, { f64: "f32" })`,
    );
  };
  if (doubles === "scalars") for (const v of edges) if (large(v)) refuse(`${v.node.label ?? "an input or output"} is ${typeText(v.type)}`);
  for (const node of nodes) {
    if (node.op.name === "normalNumbers" || (node.op.name === "uniformNumbers" && node.type.dtype === "f64"))
      throw new EngineError(
        `onnxruntime: ${originOf(node).text} is drawn in f64, and f64 is computed in f32 here, which would draw infinity now and then; draw it outside and hand it over`,
        { op: node.op.name },
      );
    if (doubles === "scalars" && valuesOf(node).some(large)) refuse(originOf(node).text);
  }
}

/**
 * Writes a graph as a model whose inputs and outputs are numbered.
 * @throws GraphError for an op that ONNX does not have; EngineError for what cannot do without f64, where there is to be none
 */
export function exported(
  inputs: readonly Value[],
  outputs: readonly Value[],
  doubles: Doubles = "f64",
  blocks: Blocks = noBlocks,
  more: OwnRows = {},
): Exported {
  const singles = doubles !== "f64";
  const at = singles ? outsideInSingles : outside;
  const edges = (prefix: string, values: readonly Value[]) =>
    values.map((value, i) => {
      const other = value.type.dtype === "f64" ? undefined : at[value.type.dtype];
      return { name: `${prefix}${i}`, value, ...(other === undefined ? {} : { outside: other }) };
    });
  const origins = new Map<string, Node>();
  const low = rewritten(inputs, outputs, products);
  const [ins, outs] = [edges("in.", low.inputs), edges("out.", fewerPasses(low.outputs))];
  const { rows, finish } = blocked(blocks);
  const bytes = writeEdges(ins, outs, origins, (model) => finish(singles ? inSingles(model) : model), { ...ownRows, ...rows, ...more });
  if (singles) checkSingles(origins.values(), [...inputs, ...outputs], doubles);
  return {
    bytes,
    inputs: ins.map(({ name }) => name),
    outputs: outs.map(({ name }) => name),
    origins: new Map([...origins].map(([name, node]) => [name, originOf(node)])),
    singles,
  };
}

/** An error of ONNX Runtime as a lesson: which node of the graph it is about, and what to do. */
export function refused(error: unknown, { origins }: Exported, when: string): EngineError {
  const told = (error as Error).message ?? String(error);
  const named = /(?:node with name|in node|Name:|node) ?[('"]+([^)'"]+)[)'"]/.exec(told)?.[1];
  const origin = named === undefined ? undefined : origins.get(named);
  const missing = /Could not find an implementation for (\w+)|Type '(tensor\([^)]*\))' of input parameter .* of operator \((\w+)\)/.exec(
    told,
  );
  const who = origin === undefined ? "the graph" : origin.text;
  const why =
    missing === null
      ? told
      : `ONNX Runtime has no kernel of ${missing[1] ?? missing[3]} for it; compute it in another dtype (cast to f32 and back), or run the graph on wasm()${who.includes("f64") ? '; onnxruntime(ort, { f64: "f32" }) computes all f64 in f32' : ""}`;
  return new EngineError(`onnxruntime: ${who} ${when}: ${why}`, { cause: error, ...(origin === undefined ? {} : { op: origin.op }) });
}
