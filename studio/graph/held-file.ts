import { f32, i32, type Tensor, tensor } from "chainrule";
import { parseSafetensors, serializeSafetensors } from "chainrule/data";
import { fitParts, type Held, type HeldNumbers, type HeldTensor, keyOf, partsOf } from "./held.ts";
import { type GraphState, readGraph } from "./state.ts";

/*
 * A graph with its numbers as one file: safetensors, with what else the address says of the graph among the file's remarks.
 */

const remark = "chainrule.graph";

/** A graph and its numbers as a file. */
export function fileOf(graph: GraphState, { tensors }: HeldNumbers): Uint8Array<ArrayBuffer> {
  const all = Object.fromEntries(
    Object.entries(tensors).map(([name, { dtype, shape, data }]) => [name, tensor(data, dtype === "i32" ? i32(...shape) : f32(...shape))]),
  );
  const { drawn: _, ...held } = graph.held!;
  return serializeSafetensors(all, { [remark]: JSON.stringify({ ...graph, held }) });
}

function heldOf({ type, data }: Tensor): HeldTensor | null {
  const { dtype, shape } = type;
  if (dtype !== "f32" && dtype !== "i32") return null;
  // A copy of its own: the file's bytes may lie anywhere.
  return {
    dtype,
    shape: [...shape],
    data: dtype === "f32" ? Float32Array.from(data as Float32Array) : Int32Array.from(data as Int32Array),
  };
}

/** What a file brings: the numbers that are asked for, or a whole graph with its numbers; null where it has neither. */
export interface Brought {
  readonly numbers: HeldNumbers;
  readonly graph: GraphState;
}

/**
 * Reads a graph's numbers from a file.
 * @param now what the page says now: numbers that fit its names and shapes go into it
 * @throws ParseError for what is no safetensors file
 */
export function broughtBy(bytes: Uint8Array, now: GraphState): Brought | null {
  const { tensors: found, metadata } = parseSafetensors(bytes);
  const all: Record<string, HeldTensor> = {};
  for (const [name, t] of Object.entries(found)) {
    const held = heldOf(t);
    if (held !== null) all[name] = held;
  }
  const into = (graph: GraphState): Brought | null => {
    if (graph.held === undefined || !fitParts(all, graph.held.parts)) return null;
    const tensors = Object.fromEntries(Object.keys(graph.held.parts).map((name) => [name, all[name]!]));
    const key = keyOf(tensors);
    const { learnt } = graph.held;
    const held: Held = { key, parts: partsOf(tensors), ...(key === graph.held.key && learnt !== undefined && { learnt }) };
    return { numbers: { key, tensors }, graph: { ...graph, held } };
  };
  let told: unknown = null;
  try {
    told = JSON.parse(metadata[remark] ?? "null");
  } catch {
    // Only its tensors are of use.
  }
  return into(now) ?? into(readGraph(told));
}
