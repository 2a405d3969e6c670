import { regions } from "../autodiff/pullback.ts";
import { isFloat } from "../ir/dtype.ts";
import { ChainruleError } from "../ir/errors.ts";
import { input } from "../ir/leaf.ts";
import { isKept, type Node, type Value, valuesOf } from "../ir/node.ts";
import type { Flow } from "../ir/op.ts";
import { newerThan } from "../ir/scope.ts";
import { inOrderOfMaking } from "../ir/walk.ts";
import { quantizedFrom } from "./quantization.ts";
import type { NodeMessage } from "./schema.ts";

/** A node of a model as it was applied. */
export interface Applied {
  readonly node: NodeMessage;
  readonly read: readonly Value[];
  readonly gave: readonly Value[];
  /** The first serial number of what it built. */
  readonly from: number;
}

/** A node through which no gradient passes from one of its operands. */
export interface Stop {
  readonly node: NodeMessage;
  /** The places, among the parameters, of those that would get a gradient through it. */
  readonly parameters: readonly number[];
}

/** Where gradients of parameters stop, and which parameters get one all the same. */
export interface Stops {
  readonly stops: readonly Stop[];
  readonly reached: readonly boolean[];
}

/** Which operands of a node the rule of its op gives a gradient. */
function passing(node: Node): readonly boolean[] {
  const { op, operands } = node;
  const wanted = operands.map((v) => v !== null && isFloat(v.type.dtype));
  if (op.pull === null || operands.length === 0) return wanted.map(() => false);
  const cts = valuesOf(node).map((v) => (isFloat(v.type.dtype) ? input(v.type, "ct") : null));
  if (cts.every((ct) => ct === null)) return wanted.map(() => false);
  try {
    const pieces = op.pull(node, (node.outputs === null ? cts[0] : cts) as Flow, (j) => wanted[j]!, regions);
    return wanted.map((w, j) => w && pieces[j] != null);
  } catch (error) {
    // A rule that refuses says so when it is asked in earnest.
    if (error instanceof ChainruleError) return wanted;
    throw error;
  }
}

/** Bits by parameter. */
class Bits {
  readonly words: Uint32Array;
  constructor(size: number) {
    this.words = new Uint32Array((size + 31) >>> 5);
  }
  set(i: number): this {
    this.words[i >>> 5]! |= 1 << (i & 31);
    return this;
  }
  has(i: number): boolean {
    return ((this.words[i >>> 5]! >>> (i & 31)) & 1) === 1;
  }
  join(other: Bits): void {
    for (let k = 0; k < this.words.length; k++) this.words[k]! |= other.words[k]!;
  }
}

/**
 * Follows the gradients of parameters through the nodes of a model, by the rules of the ops that the nodes became: what no rule passes on stops there.
 * @param parameters their Values
 */
export function stopsIn(applied: readonly Applied[], parameters: readonly Value[], outputs: readonly Value[]): Stops {
  const used = new Set<Value>(outputs);
  for (const { read } of applied) for (const v of read) used.add(v);
  const behind = new Map<Value, Bits>(parameters.map((p, i) => [p, new Bits(parameters.length).set(i)]));
  const rules = new Map<Node, readonly boolean[]>();
  const passes = (node: Node, j: number): boolean => {
    let found = rules.get(node);
    if (found === undefined) rules.set(node, (found = passing(node)));
    return found[j]!;
  };
  // What is quantised and dequantised goes straight from the one to the other, past the integers between them.
  const back = new Set(applied.flatMap(({ node, read }) => (node.op_type === "DequantizeLinear" ? read : [])));
  const straightTo = (v: Value): Value | undefined => (back.has(v) ? quantizedFrom(v) : undefined);
  const stopped: { readonly node: NodeMessage; readonly bits: Bits }[] = [];
  for (const { node, read, gave, from } of applied) {
    const wanted = gave.filter((v) => used.has(v));
    const moving = [...new Set(read)].filter((v) => behind.has(v));
    if (moving.length === 0) continue;
    const built = inOrderOfMaking(newerThan(wanted, from));
    for (const u of moving) {
      const reached = new Set<Node>();
      const source = straightTo(u);
      for (const n of built)
        if (
          n.operands.some(
            (v, j) => v !== null && (v === u || v === source || (reached.has(v.node) && isFloat(v.type.dtype))) && passes(n, j),
          )
        )
          reached.add(n);
      let through = false;
      for (const result of wanted) {
        const passed = straightTo(result) === u || (reached.has(result.node) && isFloat(result.type.dtype));
        if (result !== u && !passed) continue;
        through = true;
        if (result === u) continue;
        let bits = behind.get(result);
        if (bits === undefined) behind.set(result, (bits = new Bits(parameters.length)));
        bits.join(behind.get(u)!);
      }
      // What is made of shapes alone has nothing to differentiate.
      if (!through && wanted.some(isKept)) stopped.push({ node, bits: behind.get(u)! });
    }
  }
  const all = new Bits(parameters.length);
  for (const v of outputs) if (isFloat(v.type.dtype) && behind.has(v)) all.join(behind.get(v)!);
  const byNode = new Map<NodeMessage, Bits>();
  for (const { node, bits } of stopped) {
    const before = byNode.get(node) ?? new Bits(parameters.length);
    before.join(bits);
    byNode.set(node, before);
  }
  const stops = [...byNode].map(([node, bits]) => ({ node, parameters: parameters.flatMap((_, i) => (bits.has(i) ? [i] : [])) }));
  return { stops, reached: parameters.map((_, i) => all.has(i)) };
}
