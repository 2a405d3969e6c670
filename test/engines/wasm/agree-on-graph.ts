import { drawsFrom } from "../../../src/check/draws.ts";
import type { Engine } from "../../../src/engines/engine.ts";
import { reference } from "../../../src/engines/reference.ts";
import { print, type Value } from "../../../src/index.ts";
import { isFloat } from "../../../src/ir/dtype.ts";
import { dense, type Held } from "../../../src/ir/tensor.ts";
import { leaves } from "../../../src/ir/tree.ts";
import { collect } from "../../../src/ir/walk.ts";
import { randomGraph } from "./random-graph.ts";
import { firstApart, roomFor } from "./tolerances.ts";

/** Where an engine differs from the reference on the graph of a seed, with the graph; null where nowhere. Runs twice, for the same bits. */
export function differenceOn(engine: Engine<"sync">, seed: number, dtype: "f32" | "f64", many = false): string | null {
  const { g, operands } = randomGraph(dtype, drawsFrom(seed), many);
  const inputs = leaves(g.inputs).map(({ leaf }) => leaf as Value);
  const outputs = leaves(g.outputs);
  const values = outputs.map(({ leaf }) => leaf as Value);
  const given: Held[] = operands.map((t) => (t.type.shape.length === 0 ? t.data[0]! : t));
  const want = reference().prepare(inputs, values).run(given);
  const program = engine.prepare(inputs, values);
  const [first, second] = [program.run(given), program.run(given)];
  program.dispose();
  // What is added up on the way counts, not only what comes out: one list of every element of every value in the graph.
  const inner = collect(values).flatMap((node) => (node.outputs === null && isFloat(node.type.dtype) ? [node as Value] : []));
  const all = reference()
    .prepare(inputs, inner)
    .run(given)
    .map((h, i) => dense(h, inner[i]!.type).data);
  const elements = new Float64Array(all.reduce((n, x) => n + x.length, 0));
  let at = 0;
  for (const x of all) {
    elements.set(x, at);
    at += x.length;
  }
  for (let k = 0; k < values.length; k++) {
    const { type } = values[k]!;
    const [a, b, c] = [want, first, second].map((list) => dense(list[k]!, type).data);
    const apart = firstApart(a!, b!, roomFor("graph", type.dtype, [elements], a!)) ?? firstApart(b!, c!, 0);
    if (apart !== null) return `seed ${seed}, ${dtype}: ${outputs[k]!.path}${apart}\n${print(g)}`;
  }
  return null;
}
