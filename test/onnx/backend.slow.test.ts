import { describe, expect, test } from "vitest";
import { wasm } from "../../src/engines/wasm/wasm.ts";
import { compile, evaluate, graph, type Tensor, type Value } from "../../src/index.ts";
import { difference, moreCases, type NodeCase, nodeCases, type OpenedCase, opened, tensorFile } from "./node-cases.ts";

/** Every case that does not pass, with its reason. A case that begins to pass has to be taken off. */
const notPassing: Readonly<Record<string, string>> = {
  test_bernoulli: "draws random numbers, with another generator",
  test_bernoulli_seed: "draws random numbers, with another generator",
};

const cases = [...nodeCases(), ...moreCases()];
const engine = wasm();

/** What is wrong with the results of a case; null when nothing is. */
function wrong(c: NodeCase, { outputs }: OpenedCase, got: Readonly<Record<string, Tensor>>): string | null {
  for (const [i, name] of outputs.entries()) {
    const found = difference(got[name]!, tensorFile(c.outputs[i]!), c.rtol, c.atol);
    if (found !== null) return `${name}: ${found}`;
  }
  return null;
}

/** As one graph of all its inputs, what data decide in it bound beforehand. */
async function compiled({ model, inputs }: OpenedCase): Promise<Record<string, Tensor>> {
  const bound = model.bind(inputs);
  const types = Object.fromEntries(Object.entries(inputs).map(([name, { type }]) => [name, type]));
  const g = graph(types, (given) => model.apply(model.params, given, bound) as Record<string, Value>);
  const program = await compile(g, engine);
  const results = program.run(inputs as never);
  program.dispose();
  return results as Record<string, Tensor>;
}

describe("ONNX's backend node tests", () => {
  test("are all there, and at least 95 of 100 pass", () => {
    expect(nodeCases().length).toBe(451);
    expect(moreCases().length).toBe(143);
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
