import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { type Case, inDtype } from "../../../src/check/case.ts";
import { drawsFrom } from "../../../src/check/draws.ts";
import { elementwise } from "../../../src/engines/wasm/elementwise.ts";
import { lowered } from "../../../src/engines/wasm/lower.ts";
import { everyStep, plan } from "../../../src/engines/wasm/plan.ts";
import { graph, mul, sum, type Value, vjp } from "../../../src/index.ts";
import { isFloat } from "../../../src/ir/dtype.ts";
import { leaves } from "../../../src/ir/tree.ts";
import { drawCase, ops } from "../../laws/samplers.ts";

/** What runs on the host in a case and its gradients: whole steps, and functions of single elements. */
function hostedIn(c: Case): { steps: string[]; functions: string[] } {
  const operands = c.operands.map((t) => (t === null ? null : inDtype(t, "f64")));
  const types = Object.fromEntries(operands.flatMap((t, i) => (t === null ? [] : [[`x${i}`, t.type]])));
  const g = graph(types, (given) => {
    const inputs = given as Record<string, Value>;
    const floats = Object.fromEntries(c.floats.map((i) => [`x${i}`, inputs[`x${i}`]!]));
    const all = (at: Record<string, Value>) => c.apply(operands.map((t, i) => (t === null ? null : (at[`x${i}`] ?? inputs[`x${i}`]!))));
    const outs = Object.fromEntries(all(inputs).map((v, i) => [`y${i}`, v]));
    if (c.floats.length === 0 || !Object.values(outs).some((v) => isFloat(v.type.dtype))) return outs;
    const { value, pull } = vjp((at: Record<string, Value>) =>
      all(at)
        .filter((v) => isFloat(v.type.dtype))
        .map((v) => sum(mul(v, 0.75))),
    )(floats);
    const grads = pull(value.map(() => 1) as never) as Record<string, Value>;
    return { ...outs, ...Object.fromEntries(Object.entries(grads).map(([k, v]) => [`d${k}`, v])) };
  });
  const low = lowered(
    leaves(g.inputs).map(({ leaf }) => leaf as Value),
    leaves(g.outputs).map(({ leaf }) => leaf as Value),
  );
  const steps = everyStep(plan(low.inputs, low.outputs).steps);
  return {
    steps: steps.flatMap((s) => (s.kind === "host" ? [s.node.op.name] : [])),
    functions: steps.flatMap((s) =>
      s.kind === "loop" ? s.members.flatMap(({ node }) => (elementwise[node.op.name]?.host === true ? [node.op.name] : [])) : [],
    ),
  };
}

/** The names in backticks of the row of the page that begins so. */
function onPage(start: string): string[] {
  const page = readFileSync(new URL("../../../docs/engines.md", import.meta.url), "utf8");
  const row = page.split("\n").find((line) => line.startsWith(start)) ?? "";
  return [...row.matchAll(/`(\w+)`/g)].map(([, name]) => name!);
}

test("the page on engines lists what the compiler leaves to the host in f32 and f64, and nothing else", () => {
  const [steps, functions] = [new Set<string>(), new Set<string>()];
  for (const name of ops.keys())
    for (let seed = 1; seed <= 6; seed++) {
      const found = hostedIn(drawCase(name, drawsFrom(Math.imul(seed, 2654435761) | 0)));
      for (const s of found.steps) steps.add(s);
      for (const f of found.functions) functions.add(f);
    }
  expect([...steps].sort()).toEqual(onPage("| whole ops |").sort());
  expect([...functions].sort()).toEqual(onPage("| single elements |").sort());
});
