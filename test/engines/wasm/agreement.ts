import { type Case, inDtype } from "../../../src/check/case.ts";
import type { Engine } from "../../../src/engines/engine.ts";
import { reference } from "../../../src/engines/reference.ts";
import { type Graph, graph, mul, sum, type Tensor, type TensorType, type Value, vjp } from "../../../src/index.ts";
import { type DType, isFloat } from "../../../src/ir/dtype.ts";
import { dense, type Held, hold } from "../../../src/ir/tensor.ts";
import { leaves } from "../../../src/ir/tree.ts";
import { firstApart, roomFor } from "./tolerances.ts";

/** The op's results and the gradients of a weighted sum of them, as one graph. */
export function graphOf(c: Case, operands: readonly (Tensor | null)[]): Graph<Record<string, TensorType>, Record<string, Value>> {
  const types = Object.fromEntries(operands.flatMap((t, i) => (t === null ? [] : [[`x${i}`, t.type]])));
  return graph(types, (given) => {
    const inputs = given as Record<string, Value>;
    const places = c.floats.filter((i) => isFloat(operands[i]!.type.dtype));
    const floats = Object.fromEntries(places.map((i) => [`x${i}`, inputs[`x${i}`]!]));
    const all = (at: Record<string, Value>) => c.apply(operands.map((t, i) => (t === null ? null : (at[`x${i}`] ?? inputs[`x${i}`]!))));
    const outs = all(inputs);
    const grads: Record<string, Value> = {};
    if (places.length > 0 && outs.some((v) => isFloat(v.type.dtype))) {
      const { value, pull } = vjp((at: Record<string, Value>) =>
        all(at)
          .filter((v) => isFloat(v.type.dtype))
          .map((v) => sum(mul(v, 0.75))),
      )(floats);
      Object.assign(grads, pull(value.map(() => 1) as never));
    }
    return {
      ...Object.fromEntries(outs.map((v, i) => [`y${i}`, v])),
      ...Object.fromEntries(Object.entries(grads).map(([k, v]) => [`d${k}`, v])),
    };
  });
}

function held(t: Tensor): Held {
  return t.type.shape.length === 0 ? t.data[0]! : hold(t.type, t.data.slice());
}

function thrownBy(f: () => unknown): string | null {
  try {
    f();
  } catch (e) {
    return (e as Error).message;
  }
  return null;
}

/** Where the compiled engine is further from the reference than rounding explains; null if nowhere. */
export function difference(
  engine: Engine<"sync">,
  c: Case,
  dtype: DType,
  operands: readonly (Tensor | null)[] = c.operands.map((t) => (t === null ? null : inDtype(t, dtype as "f64" | "f32"))),
): string | null {
  const g = graphOf(c, operands);
  const inputs = leaves(g.inputs).map(({ leaf }) => leaf as Value);
  const outputs = leaves(g.outputs);
  const given = operands.flatMap((t) => (t === null ? [] : [held(t)]));
  const values = outputs.map(({ leaf }) => leaf as Value);
  const program = engine.prepare(inputs, values);
  let want: readonly Held[] = [];
  try {
    want = reference().prepare(inputs, values).run(given);
  } catch (e) {
    const { message } = e as Error;
    const told = thrownBy(() => program.run(given));
    return told === message
      ? null
      : `${c.name}: the reference says "${message}", and this engine ${told === null ? "nothing" : `"${told}"`}`;
  }
  const floats = operands.flatMap((t) => (t !== null && isFloat(t.type.dtype) ? [t.data] : []));
  for (let run = 0; run < 2; run++) {
    const got = program.run(given);
    for (let k = 0; k < values.length; k++) {
      const { type } = values[k]!;
      const [a, b] = [dense(want[k]!, type).data, dense(got[k]!, type).data];
      const apart = firstApart(a, b, roomFor(c.name, type.dtype, floats, a));
      if (apart !== null)
        return `${c.name} ${outputs[k]!.path}${apart} (run ${run}, ${dtype}; ${operands.map((t) => t && `${t.type.dtype}[${t.type.shape}] ${Array.from(t.data).slice(0, 8)}`).join("; ")}; ${JSON.stringify(c.attrs)})`.slice(
          0,
          700,
        );
    }
  }
  program.dispose();
  return null;
}
