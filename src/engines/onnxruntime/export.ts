import { EngineError } from "../../ir/errors.ts";
import { type Node, type Value, valuesOf } from "../../ir/node.ts";
import { typeText } from "../../ir/type.ts";
import { writeEdges } from "../../onnx/write-graph.ts";
import { rewritten } from "../wasm/lower.ts";
import { outside } from "./ort.ts";

/** A graph as ONNX Runtime takes it. */
export interface Exported {
  readonly bytes: Uint8Array;
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  /** What each node of the file was written for, in words: errors of ONNX Runtime name its nodes. */
  readonly origins: ReadonlyMap<string, Origin>;
}

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

/** Writes a graph as a model whose inputs and outputs are numbered. @throws GraphError for an op that ONNX does not have */
export function exported(inputs: readonly Value[], outputs: readonly Value[]): Exported {
  const edges = (prefix: string, values: readonly Value[]) =>
    values.map((value, i) => {
      const other = outside[value.type.dtype];
      return { name: `${prefix}${i}`, value, ...(other === undefined ? {} : { outside: other }) };
    });
  const origins = new Map<string, Node>();
  const low = rewritten(inputs, outputs, products);
  const [ins, outs] = [edges("in.", low.inputs), edges("out.", low.outputs)];
  const bytes = writeEdges(ins, outs, origins);
  return {
    bytes,
    inputs: ins.map(({ name }) => name),
    outputs: outs.map(({ name }) => name),
    origins: new Map([...origins].map(([name, node]) => [name, originOf(node)])),
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
      : `ONNX Runtime has no kernel of ${missing[1] ?? missing[3]} for it; compute it in another dtype (cast to f32 and back), or run the graph on wasm()`;
  return new EngineError(`onnxruntime: ${who} ${when}: ${why}`, { cause: error, ...(origin === undefined ? {} : { op: origin.op }) });
}
