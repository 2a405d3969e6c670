import { describe, expect, test } from "vitest";
import { wasm } from "../../src/engines/wasm/wasm.ts";
import { compile, evaluate, type Graph, graph, type Tensor, type TensorType, type Value } from "../../src/index.ts";
import { isFloat } from "../../src/ir/dtype.ts";
import { difference, type NodeCase, nodeCases, type OpenedCase, opened, tensorFile } from "./node-cases.ts";

/** Every case that does not pass, with its reason. A case that begins to pass has to be taken off. */
const notPassing: Readonly<Record<string, string>> = {
  test_bernoulli: "draws random numbers, with another generator",
  test_bernoulli_seed: "draws random numbers, with another generator",
};

const cases = nodeCases();
const engine = wasm();

/** What is wrong with the results of a case; null when nothing is. */
function wrong(c: NodeCase, { outputs }: OpenedCase, got: Readonly<Record<string, Tensor>>): string | null {
  for (const [i, name] of outputs.entries()) {
    const found = difference(got[name]!, tensorFile(c.outputs[i]!), c.rtol, c.atol);
    if (found !== null) return `${name}: ${found}`;
  }
  return null;
}

/** The case as a graph. Operands that shapes are made of have to be known when it is built; `bound` tells which inputs are constants. */
function graphOf({ model, inputs }: OpenedCase, bound: (t: Tensor) => boolean): Graph<Record<string, TensorType>, Record<string, Value>> {
  const names = Object.keys(inputs);
  const free = names.filter((name) => !bound(inputs[name]!));
  const constants = Object.fromEntries(names.filter((name) => !free.includes(name)).map((name) => [name, inputs[name]!]));
  const types = Object.fromEntries(free.map((name) => [name, inputs[name]!.type]));
  return graph(types, (given) => model.apply(model.params, { ...constants, ...given })) as never;
}

async function compiled(c: OpenedCase): Promise<Record<string, Tensor>> {
  // First as the standard has it, then with whole numbers known beforehand, then with everything known.
  const ways = [() => false, (t: Tensor) => !isFloat(t.type.dtype), () => true];
  for (const [i, bound] of ways.entries()) {
    let g: ReturnType<typeof graphOf>;
    try {
      g = graphOf(c, bound);
    } catch (error) {
      if (i === 2 || !(error as Error).message.includes("static shapes")) throw error;
      continue;
    }
    const program = await compile(g, engine);
    const given = Object.fromEntries(Object.entries(c.inputs).filter(([name]) => name in g.inputs));
    const results = program.run(given as never) as Record<string, Tensor>;
    program.dispose();
    return results;
  }
  throw new Error("unreachable");
}

describe("ONNX's backend node tests", () => {
  test("are all there, and at least 95 of 100 pass", () => {
    expect(cases.length).toBe(451);
    expect(Object.keys(notPassing).length).toBeLessThanOrEqual(0.05 * cases.length);
    expect(Object.keys(notPassing).filter((name) => !cases.some((c) => c.name === name))).toEqual([]);
  });

  test.each(cases.map((c) => [c.name, c] as const))("%s on the reference engine and compiled", async (name, c) => {
    const o = await opened(c);
    const failures = [wrong(c, o, evaluate(o.model.apply(o.model.params, o.inputs))), wrong(c, o, await compiled(o))];
    if (Object.hasOwn(notPassing, name)) expect(failures, "it passes: take it off the list").not.toContain(null);
    else expect(failures).toEqual([null, null]);
  });
});
