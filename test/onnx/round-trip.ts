import { drawsFrom } from "../../src/check/draws.ts";
import { graphOfCase } from "../../src/check/laws.ts";
import { add, evaluate, type Graph, grad, graph, mul, sum, type Tensor, tensor, type Value } from "../../src/index.ts";
import { isFloat } from "../../src/ir/dtype.ts";
import { sizeOf } from "../../src/ir/shape.ts";
import { onnx } from "../../src/onnx/onnx.ts";
import { drawCase } from "../laws/samplers.ts";

/** A graph of one op with data for its inputs. */
export interface Trip {
  readonly graph: Graph<unknown, unknown>;
  readonly inputs: Readonly<Record<string, Tensor>>;
}

/** A draw of an op, as a graph and (null where it has none) as the graph of its gradients. */
export function tripsOf(name: string, seed: number): { readonly forward: Trip; readonly backward: Trip | null } {
  const c = drawCase(name, drawsFrom(seed));
  const forward = graphOfCase(c);
  const inputs = Object.fromEntries(c.operands.flatMap((t, i) => (t === null ? [] : [[`x${i}`, t]])));
  const floats = Object.keys(inputs).filter((k) => isFloat(inputs[k]!.type.dtype));
  const outs = Object.values(forward.outputs as Record<string, Value>);
  if (floats.length === 0 || !outs.some((v) => isFloat(v.type.dtype))) return { forward: { graph: forward, inputs }, backward: null };
  const types = Object.fromEntries(Object.entries(inputs).map(([k, t]) => [k, t.type]));
  const backward = graph(types, (given: Record<string, Value>) => {
    const own = Object.fromEntries(floats.map((k) => [k, given[k]!]));
    return grad((p: Record<string, Value>) => {
      const made = Object.values(forward({ ...given, ...p } as never) as Record<string, Value>).filter((v) => isFloat(v.type.dtype));
      return made.map(weighed).reduce((a, b) => add(a, b));
    })(own);
  });
  return { forward: { graph: forward, inputs }, backward: { graph: backward as never, inputs } };
}

/** A scalar that weighs every element differently. */
function weighed(v: Value): Value {
  const weights = tensor(
    Float64Array.from({ length: sizeOf(v.type.shape) }, (_, i) => Math.cos(i + 1)),
    v.type,
  );
  return sum(mul(v, weights));
}

/** What a graph gives for its inputs. */
export function direct({ graph: g, inputs }: Trip): Record<string, Tensor> {
  return evaluate(g(inputs as never)) as Record<string, Tensor>;
}

/** What it gives once it was written and read back. */
export async function through({ graph: g, inputs }: Trip): Promise<Record<string, Tensor>> {
  const model = await onnx.read(onnx.write(g));
  return evaluate(model.apply(model.params, Object.fromEntries(Object.keys(model.inputs).map((k) => [k, inputs[k]!])))) as Record<
    string,
    Tensor
  >;
}
