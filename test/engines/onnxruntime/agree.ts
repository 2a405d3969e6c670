import type { Engine } from "../../../src/engines/engine.ts";
import { reference } from "../../../src/engines/reference.ts";
import type { Tensor, Value } from "../../../src/index.ts";
import { isFloat } from "../../../src/ir/dtype.ts";
import { dense, type Held, hold } from "../../../src/ir/tensor.ts";
import { leaves } from "../../../src/ir/tree.ts";
import { collect } from "../../../src/ir/walk.ts";
import { firstApart, roomFor } from "../wasm/tolerances.ts";

function held(t: Tensor): Held {
  return t.type.shape.length === 0 ? t.data[0]! : hold(t.type, t.data.slice());
}

/** Where an asynchronous engine is further from the reference on a graph than rounding explains, in words; null where nowhere. */
export async function apartOn(
  engine: Engine<"async">,
  name: string,
  g: { readonly inputs: unknown; readonly outputs: unknown },
  operands: readonly Tensor[],
): Promise<string | null> {
  const inputs = leaves(g.inputs).map(({ leaf }) => leaf as Value);
  const outputs = leaves(g.outputs);
  const values = outputs.map(({ leaf }) => leaf as Value);
  const given = operands.map(held);
  const want = reference().prepare(inputs, values).run(given);
  const program = engine.prepare(inputs, values);
  try {
    const got = await program.run(given);
    // What is added up on the way counts, not only what comes out.
    const inner = collect(values).flatMap((node) => (node.outputs === null && isFloat(node.type.dtype) ? [node as Value] : []));
    const all = reference()
      .prepare(inputs, inner)
      .run(given)
      .map((h, i) => dense(h, inner[i]!.type).data);
    for (let k = 0; k < values.length; k++) {
      const { type } = values[k]!;
      const [a, b] = [dense(want[k]!, type).data, dense(got[k]!, type).data];
      const apart = firstApart(a, b, roomFor(name, type.dtype, name === "graph" ? [joined(all)] : all, a));
      if (apart !== null) return `${outputs[k]!.path}${apart}`;
    }
    return null;
  } finally {
    program.dispose();
  }
}

function joined(all: readonly ArrayLike<number>[]): Float64Array {
  const elements = new Float64Array(all.reduce((n, x) => n + x.length, 0));
  let at = 0;
  for (const x of all) {
    elements.set(x, at);
    at += x.length;
  }
  return elements;
}
